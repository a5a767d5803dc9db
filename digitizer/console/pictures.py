"""Pictures of films in eight bits, rendered on the server: any window, inverted, turned, enlarged.

The full-resolution film is kept for the few films that are looked at now; a hundred people who
look at one film cost one decode.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer import film
from digitizer.errors import UsageError
from digitizer.model.instance import Rendered, Window
from digitizer.model.raster import Pixels, Polarity, Raster
from digitizer.model.reading import Reading
from digitizer.model.records import Scan, Sheet
from digitizer.model.units import Corners
from digitizer.pipeline.services import Services

__all__ = ["THUMBNAIL", "Pictures", "View", "as_jpeg", "readable", "reduced"]

_KEPT = 4
"""Films in memory: 43 MB each for 14x17 in at 300 dpi and 16 bit."""
_QUALITY = 92
THUMBNAIL = 400
"""Pictures up to this long side are kept: some 20 kB each."""
_THUMBNAILS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a film is to be shown.

    Attributes
    ----------
    longest : int
        Pixels of the picture's long side.
    center, width : float or None
        Window in stored values; None: that of the capture.
    turn : int
        Quarter turns clockwise.
    x, y, zoom : float
        Middle of what is shown, in parts of the turned film's sides, and how much it is enlarged.
    """

    longest: int = 1200
    center: float | None = None
    width: float | None = None
    invert: bool = False
    turn: int = 0
    flip: bool = False
    x: float = 0.5
    y: float = 0.5
    zoom: float = 1.0


class Pictures:
    """Films and scans as they are looked at.

    Parameters
    ----------
    services : Services
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: OrderedDict[tuple[str, ...], Rendered] = OrderedDict()
        self._thumbnails: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._busy: dict[tuple[str, ...], threading.Lock] = {}

    def film(self, sheet: Sheet) -> Rendered:
        """Return a sheet as its capture shows it: straightened, cropped, in stored values."""
        with self._services.ledger.reading() as view:
            scan = view.get(Scan, sheet.scan_id)
        made = self._made(("film", sheet.id, repr(sheet.geometry)), scan, sheet)
        return made if sheet.window is None else replace(made, window=sheet.window)

    def thumbnail(self, sheet: Sheet, longest: int) -> bytes:
        """Return a small picture of a sheet; a whole jacket is decoded once, not at every look."""
        key = (sheet.id, repr(sheet.geometry), repr(sheet.window), str(longest))
        return self._small(key, lambda: self.film(sheet), longest)

    def scan_thumbnail(self, scan: Scan, longest: int) -> bytes:
        """Return a small picture of a scan's first page."""
        return self._small((scan.id, str(longest)), lambda: self.original(scan), longest)

    def _small(self, key: tuple[str, ...], made_of: Callable[[], Rendered], longest: int) -> bytes:
        with self._lock:
            if key in self._thumbnails:
                self._thumbnails.move_to_end(key)
                return self._thumbnails[key]
        made = as_jpeg(made_of(), View(longest=longest))
        with self._lock:
            self._thumbnails[key] = made
            while len(self._thumbnails) > _THUMBNAILS:
                self._thumbnails.popitem(last=False)
        return made

    def original(self, scan: Scan, page: int = 0) -> Rendered:
        """Return a page of a scan as it came."""
        return self._made(("scan", scan.id, str(page)), scan, None, page)

    def _made(
        self, key: tuple[str, ...], scan: Scan, sheet: Sheet | None, page: int = 0
    ) -> Rendered:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            busy = self._busy.setdefault(key, threading.Lock())
        with busy:
            with self._lock:
                if key in self._kept:
                    return self._kept[key]
            made = self._render(scan, sheet, page)
            with self._lock:
                self._kept[key] = made
                self._busy.pop(key, None)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return made

    def _render(self, scan: Scan, sheet: Sheet | None, page: int) -> Rendered:
        if scan.sha256 is None:
            raise UsageError("Nothing of this file could be read: there is no picture.")
        path = self._services.vault.path(scan.sha256)
        raster = self._services.decoder.decode(path, sheet.page if sheet else page)
        if sheet is None or sheet.geometry is None:
            return _as_it_came(raster)
        return film.render(raster, sheet.geometry)


def _as_it_came(raster: Raster) -> Rendered:
    rendered = Rendered(pixels=raster.pixels, bits=raster.bits, polarity=raster.polarity)
    if raster.is_colour:
        return rendered
    low, high = _shown(raster.pixels[::8, ::8])
    shown = Window(center=(low + high) / 2, width=max(high - low, 2.0))
    return Rendered(pixels=raster.pixels, bits=raster.bits, polarity=raster.polarity, window=shown)


def _shown(small: Pixels) -> tuple[float, float]:
    """Return the darkest and brightest value that a scan as it came is shown with.

    An open light beside the film would leave a scan that is linear in light black: what is about
    as bright as the brightest does not count, and thrice the film's middle is bright enough.
    """
    low, high = (float(one) for one in np.quantile(small, (0.002, 0.998)))
    film = small[small < low + 0.9 * (high - low)]
    if film.size < 0.1 * small.size:
        return low, high
    middle, most, end = (float(one) for one in np.quantile(film, (0.5, 0.95, 0.99)))
    return low, min(end, max(low + 3 * (middle - low), most))


def as_jpeg(rendered: Rendered, view: View, *, outline: Corners | None = None) -> bytes:
    """Return the picture of a film under a view, as a JPEG file.

    What is reduced is averaged, what is enlarged is interpolated; the film itself stays as it is.

    Parameters
    ----------
    rendered : Rendered
    view : View
    outline : Corners, optional
        Drawn onto the picture of a whole scan, in pixels of the scan from its outer corner.
    """
    pixels = np.rot90(rendered.pixels, -view.turn)
    if view.flip:
        pixels = pixels[:, ::-1]
    cut = _cut(pixels, view)
    scale = min(view.longest / max(cut.shape[:2]), 4.0)
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(cut), size, interpolation=how)
    shades = _shades(small, rendered, view)
    if shades.ndim == 3:
        shades = np.asarray(cv2.cvtColor(shades, cv2.COLOR_RGB2BGR), dtype=np.uint8)
    if outline is not None:
        shades = _outlined(shades, outline, size[0] / cut.shape[1], size[1] / cut.shape[0])
    done, coded = cv2.imencode(".jpg", shades, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done, "eight bits can always be written as JPEG"
    return coded.tobytes()


def reduced(pixels: Pixels, by: int) -> Pixels:
    """Return the means of squares of ``by`` pixels, (ceil(rows / by), ceil(columns / by)).

    Where a side is no multiple, its last pixel is repeated.
    """
    rows, columns = (-(-side // by) for side in pixels.shape[:2])
    room = (rows * by - pixels.shape[0], columns * by - pixels.shape[1])
    whole = cv2.copyMakeBorder(pixels, 0, room[0], 0, room[1], cv2.BORDER_REPLICATE)
    return cast(Pixels, cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA))


def readable(piece: bytes, reading: Reading) -> bytes:
    """Return a piece of a sheet, a PNG file as scanned, turned and mirrored as its text reads.

    Which way that is, most of the letters of all lines tell.
    """
    letters: Counter[tuple[int, bool]] = Counter()
    for line in reading.lines:
        letters[line.turn_deg, line.mirrored] += sum(sign.isalnum() for sign in line.text)
    (turn, mirrored), _ = (letters.most_common(1) or [((0, False), 0)])[0]
    if (turn, mirrored) == (0, False):
        return piece
    picture = cv2.imdecode(np.frombuffer(piece, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        return piece
    turned = np.rot90(picture, -(turn // 90))
    if mirrored:
        turned = turned[:, ::-1]
    done, coded = cv2.imencode(".png", np.ascontiguousarray(turned))
    assert done, "what was a PNG can be written as one"
    return coded.tobytes()


def _outlined(
    shades: NDArray[np.uint8], outline: Corners, across: float, down: float
) -> NDArray[np.uint8]:
    colour = cv2.cvtColor(shades, cv2.COLOR_GRAY2BGR) if shades.ndim == 2 else shades.copy()
    points = np.array([[x * across, y * down] for x, y in outline]).round().astype(np.int32)
    thick = max(1, max(shades.shape) // 400)
    cv2.polylines(colour, [points], True, (60, 220, 90), thick, cv2.LINE_AA)
    return np.asarray(colour, dtype=np.uint8)


def _cut(pixels: NDArray[np.uint8] | NDArray[np.uint16], view: View) -> NDArray[np.generic]:
    rows, columns = pixels.shape[:2]
    height, width = max(1, round(rows / view.zoom)), max(1, round(columns / view.zoom))
    top = min(max(round(view.y * rows - height / 2), 0), rows - height)
    left = min(max(round(view.x * columns - width / 2), 0), columns - width)
    return pixels[top : top + height, left : left + width]


def _shades(small: NDArray[np.generic], rendered: Rendered, view: View) -> NDArray[np.uint8]:
    if rendered.polarity is Polarity.RGB:
        shades = small.astype(np.float32) * np.float32(255 / ((1 << rendered.bits) - 1))
    else:
        usual = rendered.window or Window(1 << (rendered.bits - 1), 1 << rendered.bits)
        center = usual.center if view.center is None else view.center
        width = usual.width if view.width is None else max(view.width, 1.0)
        low = np.float32(center - width / 2)
        shades = (small.astype(np.float32) - low) * np.float32(255 / width)
    eight: NDArray[np.uint8] = np.clip(shades, 0, 255).astype(np.uint8)
    return (
        np.bitwise_not(eight)
        if (rendered.polarity is Polarity.MONOCHROME1) != view.invert
        else eight
    )
