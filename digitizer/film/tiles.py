"""The pictures on a sheet of many: rows and columns of CT, MR and ultrasound prints.

What this decides: whether a sheet is a lattice of pictures, and where each of them lies. It asks
for gaps of clear or of black film that run across all pictures, both ways, at even distances. What
it never does: take two views on one film for a lattice, or a lattice on the word of one direction.
What it may get wrong: four views of a hand, masked with lead on one film, are a lattice of pictures
too.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.gaps import black_gaps, clear_gaps
from digitizer.film.lattice import Axis, fit_axis
from digitizer.film.light import Floats, by_whole_pixels, is_density, log_tone
from digitizer.film.pictures import ReadingPicture
from digitizer.model.film import TileGrid
from digitizer.model.units import MM_PER_INCH, Corners, Dpi, Point

__all__ = ["find_tiles"]

_FINE_MM = 0.36
"""What is looked at is no coarser, unless the scan is: enough for a frame's thin line."""
_USUAL_MM = 400.0
"""Long side of a sheet whose resolution is not told."""
_LIGHT = 0.999
"""Quantile of what counts as light 1: scanners leave the upper bits of their container empty."""
_STRIPS = 48
"""Across these the bands are followed; within one, no tilt is seen."""
_TILTS_DEG = np.linspace(-0.4, 0.4, 9)
"""What is printed may be askew on its sheet; more is the sheet's own skew."""
_LEAST_MM = 27.0
"""The smallest pictures: 42-on-1 on 14 x 17 in has 45 mm, 12-on-1 on 8 x 10 in has 60."""
_SPECK_MM = 17.0
"""Narrower than this nothing is a picture: the gap between frames, a black margin, text."""
_FIRST = {True: (0.2, 0.35, 0.5), False: (0.03, 0.08, 0.15, 0.25)}
"""How much may cross a seam, clear or black, over the whole sheet."""
_AGAIN = {True: (0.1, 0.2, 0.35), False: (0.02, 0.06, 0.15)}
"""The same over the pictures alone."""
_OFF_MM = {True: 3.0, False: 0.7}
"""How far a seam may be off: beside clear gaps, of a frame's two lines, either is taken."""
_BESIDE_MM = 0.8
"""Black kept beside a picture that has no border to be seen."""
_SEAM, _BESIDE, _ALIKE, _HALVED = 0.01, 0.12, 0.6, 0.15
"""Without borders: what may cross a seam; lie beside the pictures, as a part of them; how alike the
pictures are at least; how alike their halves may be, as a part of that."""
_WIDEST_GAP = 0.25
"""A clear gap is no wider, as a part of the distance of the pictures."""
_BORDER = 0.5
"""So much more of a picture's border is clear than of what lies just inside it."""
_MOST_ALONG = 9
"""Pictures along a side; 42-on-1 has seven."""
_SHAPE = (0.55, 1.8)
"""Width of a picture over its height."""
_SHOWN = 0.6
"""Nepers between the darkest and the lightest of a place with something on it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sight:
    """Which part of each strip across an axis is band: (strips, places along the axis)."""

    shares: Floats
    length: int
    sign: int

    @classmethod
    def both(cls, band: NDArray[np.bool_]) -> tuple["_Sight", "_Sight"]:
        """Look along x, and along y."""
        return cls._of(band.view(np.uint8), 0), cls._of(band.view(np.uint8), 1)

    @classmethod
    def _of(cls, band: NDArray[np.uint8], axis: int) -> "_Sight":
        length = band.shape[axis]
        ends = np.rint(np.linspace(0, length, _STRIPS + 1)).astype(int)
        strips = [
            cv2.reduce(strip, axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel()
            for strip in np.split(band, ends[1:-1], axis)
        ]
        return cls(np.stack(strips), length, 1 - 2 * axis)

    def upright(self, tilt_deg: float) -> "_Sight":
        """Shift each strip by what a tilt moves it; the middle strip stays."""
        middles = (np.arange(_STRIPS) + 0.5) / _STRIPS - 0.5
        shift = np.rint(self.sign * np.tan(np.radians(tilt_deg)) * middles * self.length)
        shares = np.empty_like(self.shares)
        # Neighbouring strips shift by the same few pixels: they are moved together.
        for one in np.unique(shift).astype(int):
            some = shift == one
            shares[some] = _shifted(self.shares[some], int(one))
        return _Sight(shares, self.length, self.sign)

    def across(self, extent: tuple[float, float] | None = None) -> Floats:
        """Return which part of each line across is band, over an extent of it."""
        if extent is None:
            return np.asarray(self.shares.mean(axis=0), np.float32)
        first, last = (round(end / self.length * _STRIPS) for end in extent)
        part = self.shares[max(0, first) : max(first + 1, last)]
        return np.asarray(part.mean(axis=0), np.float32)


def _shifted(rows: Floats, by: int) -> Floats:
    """Return each place's value that stood ``by`` places on; beyond the ends the last one's."""
    length = rows.shape[1]
    by = int(np.clip(by, 1 - length, length - 1))
    moved = np.empty_like(rows)
    if by >= 0:
        moved[:, : length - by] = rows[:, by:]
        moved[:, length - by :] = rows[:, -1:]
    else:
        moved[:, -by:] = rows[:, :by]
        moved[:, :-by] = rows[:, :1]
    return moved


@dataclass(frozen=True, slots=True, eq=False)
class _Lattice:
    """A lattice in the reduced picture: its axes in x and in y."""

    across: Axis
    down: Axis
    tilt_deg: float
    clear: bool


def find_tiles(picture: ReadingPicture, dpi: Dpi | None) -> TileGrid | None:
    """Find the lattice of pictures on a sheet, as scanned.

    Parameters
    ----------
    picture : ReadingPicture
        The straightened sheet.
    dpi : Dpi or None
        Of the scan; without it the sheet is taken for 400 mm long.

    Returns
    -------
    TileGrid or None
        None where no lattice of at least 2 x 2 pictures is sure.
    """
    highest = float(np.iinfo(picture.pixels.dtype).max)
    pitch_mm = _USUAL_MM / max(picture.pixels.shape) if dpi is None else MM_PER_INCH / max(dpi)
    times = max(1, int(_FINE_MM / pitch_mm))
    scale = pitch_mm * times
    small = by_whole_pixels(picture.pixels, times)
    top = max(float(np.quantile(small[::2, ::2], _LIGHT)), highest / 64)
    light = np.minimum(small.astype(np.float32) / np.float32(top), np.float32(1.05))
    deep = picture.pixels.dtype != np.uint8
    density = is_density(light, deep=deep, scale=top / highest)
    tone = log_tone(light, density=density)
    darkest, lightest = (float(one) for one in np.quantile(tone[::2, ::2], (0.02, 0.998)))
    bands = ((clear_gaps(tone, darkest, lightest), True),
             (black_gaps(tone, lightest - darkest, scale), False))  # fmt: skip
    found = [one for one in (_lattice(band, scale, clear) for band, clear in bands) if one]
    best = max(found, key=_merit, default=None)
    if best is None:
        return None
    boxes = _boxes(best, tone.shape)
    shown = tuple(_is_shown(tone, box) for box in boxes)
    if sum(shown) < max(2, len(shown) / 2):
        return None
    return TileGrid(
        rows=best.down.count,
        columns=best.across.count,
        boxes=tuple(Corners(*picture.to_scan(_points(box * times))) for box in boxes),
        shown=shown,
    )


def _lattice(band: NDArray[np.bool_], scale: float, clear: bool) -> _Lattice | None:
    """Look for gaps that are clear, or black."""
    sights = _Sight.both(band)
    tilt = float(max(_TILTS_DEG, key=lambda one: (_sharpness(sights, one), -abs(one))))
    upright = [one.upright(tilt) for one in sights]
    across, down = (_axis(one.across(), scale, clear) for one in upright)
    if across is None or down is None:
        return None
    # Once more over the pictures alone: strips for identification are none of theirs.
    extents = ((down.start, down.end), (across.start, across.end))
    across, down = (
        _again(sight.across(extent), scale, clear, axis)
        for sight, extent, axis in zip(upright, extents, (across, down), strict=True)
    )
    if across is None or down is None:
        return None
    if not _SHAPE[0] <= across.pitch / down.pitch <= _SHAPE[1]:
        return None
    if clear:
        if max(one.pitch - one.width - _WIDEST_GAP * one.pitch for one in (across, down)) > 0:
            return None
        if _bordered(band, across, down, tilt, scale) < _BORDER:
            return None
    elif not (_is_sure(across) and _is_sure(down)):
        return None
    found = _Lattice(across, down, tilt, clear)
    if clear:
        found = _with_last(band, found, scale)
    return replace(
        found,
        across=_with_room(found.across, scale, clear),
        down=_with_room(found.down, scale, clear),
    )


def _bordered(
    band: NDArray[np.bool_], across: Axis, down: Axis, tilt_deg: float, scale: float
) -> float:
    """Return how much clearer the border of a place is than its inside: the median of all sides."""
    boxes = _boxes(_Lattice(across, down, tilt_deg, clear=True), band.shape)
    return float(np.median([_sides_of(band, box, scale) for box in boxes]))


def _sides_of(band: NDArray[np.bool_], box: NDArray[np.float64], scale: float) -> list[float]:
    """Return for each side of a place how much clearer its border is than what lies inside."""
    inside, beside = round(1.5 / scale) + 1, round(1.2 / scale) + 1
    x0, y0, x1, y1 = (int(one) for one in np.rint(box))
    steps = []
    for part, low, high, first, last in ((band.T, x0, x1, y0, y1), (band, y0, y1, x0, x1)):
        length = last - first
        along = slice(max(0, first + length // 8), max(1, last - length // 8))
        for border, inwards in ((low, 1), (high - 1, -1)):
            places = border + inwards * np.arange(-beside, inside + 1)
            lines = part[np.clip(places, 0, len(part) - 1), along].mean(axis=1)
            steps.append(float(lines[: 2 * beside].max() - lines[-1]))
    return steps


def _with_last(band: NDArray[np.bool_], found: _Lattice, scale: float) -> _Lattice:
    """Add rows and columns at the ends that hold some pictures only: most series fill none."""
    for sideways in (True, False):
        for ahead in (True, False):
            while (wider := _one_more(band, found, scale, sideways, ahead)) is not None:
                found = wider
    return found


def _one_more(
    band: NDArray[np.bool_], found: _Lattice, scale: float, sideways: bool, ahead: bool
) -> _Lattice | None:
    """Return the lattice with a further column or row, if a bordered picture lies in it."""
    axis = found.across if sideways else found.down
    first = axis.first - axis.pitch if ahead else axis.first
    wider = replace(axis, first=first, count=axis.count + 1)
    length = band.shape[1] if sideways else band.shape[0]
    if wider.start < 0 or wider.end > length or wider.count > _MOST_ALONG:
        return None
    end = replace(wider, first=first if ahead else float(wider.middles[-1]), count=1)

    def having(one: Axis) -> _Lattice:
        return replace(found, across=one) if sideways else replace(found, down=one)

    shown = [min(_sides_of(band, box, scale)) for box in _boxes(having(end), band.shape)]
    return having(wider) if max(shown) > _BORDER else None


def _is_sure(axis: Axis) -> bool:
    """Tell whether all that is printed lies in a place, where places have no borders."""
    return (
        axis.crossed <= _SEAM
        and axis.beside <= _BESIDE
        and axis.halved <= _HALVED * axis.alike
        and axis.alike >= _ALIKE
    )


def _with_room(axis: Axis, scale: float, clear: bool) -> Axis:
    """Give back what was taken for the gap: a widened line, or black beside a caption."""
    gap = axis.pitch - axis.width
    room = 2.0 if clear else 2 * min(_BESIDE_MM / scale, gap / 4)
    return replace(axis, width=min(axis.width + room, axis.pitch))


def _merit(one: _Lattice) -> tuple[int, bool]:
    """Prefer more pictures, then borders that can be seen."""
    return one.across.count * one.down.count, one.clear


def _sharpness(sights: tuple[_Sight, _Sight], tilt_deg: float) -> float:
    """Tell how clearly bands stand out at a tilt."""
    lines = [one.upright(tilt_deg).across() for one in sights]
    return sum(float(np.square(np.maximum(line - 0.5, 0)).sum()) for line in lines)


def _axis(line: Floats, scale: float, clear: bool, near: float | None = None) -> Axis | None:
    """Fit a lattice to what crosses the lines."""
    crossing = np.maximum(1 - line, 0)
    best: Axis | None = None
    for most in _FIRST[clear] if near is None else _AGAIN[clear]:
        # Beside clear gaps pictures have borders, be they dark, bright or missing in some rows.
        profile = _pictures(crossing, most, _SPECK_MM / scale) if clear else crossing
        axis = fit_axis(
            profile,
            least=_LEAST_MM / scale,
            most_crossed=0.5 if clear else most,
            reach=round(_OFF_MM[clear] / scale),
            edge=0.4 if clear else 0.004,
            loose=not clear,
            near=near,
        )
        if axis is not None and (best is None or _axis_merit(axis) > _axis_merit(best)):
            best = axis
    return best


def _again(line: Floats, scale: float, clear: bool, first: Axis) -> Axis | None:
    """Fit once more; of clear gaps the first fit stands where this one finds none, or more.

    Further rows are added where a picture's border is seen.
    """
    found = _axis(line, scale, clear, first.pitch)
    if clear and (found is None or found.count > first.count):
        return first
    return found


def _axis_merit(axis: Axis) -> float:
    return axis.alike + 0.1 * axis.count - 2 * axis.beside - 5 * axis.crossed


def _pictures(crossing: Floats, most: float, least: float) -> Floats:
    """Return 1 where something crosses for as long as a picture is, else 0.

    The black between two frames, and a line of text, are too narrow for a picture.
    """
    seen = np.concatenate([[False], crossing > most, [False]])
    edges = np.flatnonzero(np.diff(seen.astype(np.int8)))
    out = np.zeros_like(crossing)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start >= least:
            out[start:end] = 1
    return out


def _boxes(found: _Lattice, shape: tuple[int, ...]) -> list[NDArray[np.float64]]:
    """Return each place as x0, y0, x1, y1 of the reduced picture, row by row."""
    slope = float(np.tan(np.radians(found.tilt_deg)))
    half = np.array([found.across.width, found.down.width]) / 2
    boxes = []
    for y in found.down.middles:
        for x in found.across.middles:
            middle = np.array([x + (y - shape[0] / 2) * slope, y - (x - shape[1] / 2) * slope])
            boxes.append(np.concatenate([middle - half, middle + half]))
    return boxes


def _is_shown(tone: Floats, box: NDArray[np.float64]) -> bool:
    """Tell whether anything is printed in a place."""
    inset = 0.02 * (box[2] - box[0])
    x0, y0, x1, y1 = np.rint(box + np.array([inset, inset, -inset, -inset])).astype(int)
    inside = tone[max(y0, 0) : max(y1, 0) : 2, max(x0, 0) : max(x1, 0) : 2]
    if inside.size == 0:
        return False
    low, high = np.quantile(inside, (0.01, 0.995))
    return bool(high - low > _SHOWN)


def _points(box: NDArray[np.float64]) -> list[Point]:
    x0, y0, x1, y1 = (float(one) for one in box)
    return [Point(x0, y0), Point(x1, y0), Point(x1, y1), Point(x0, y1)]
