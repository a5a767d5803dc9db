"""Reading a whole sheet: where text stands, which way it runs, and what two engines make of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from itertools import zip_longest

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.engines.barcodes import read_barcodes
from digitizer.engines.completing import completed
from digitizer.engines.figures import Figures
from digitizer.engines.finding import (
    FILM_GAP,
    lines_on_film,
    narrow_lines,
    narrow_on_paper,
    places_on_film,
)
from digitizer.engines.inks import covered, without_coloured_ink
from digitizer.engines.legible import (
    FEW_LINES,
    LEAST_LETTERS,
    LEAST_WAY_SCORE,
    NOTHING,
    Strip,
    bear_number,
    is_block,
    is_line,
    is_plausible,
    is_sharp,
    letters,
    makes_sense,
    says_more,
    tells_who,
    worth,
)
from digitizer.engines.lines import TESSERACT, PageLine
from digitizer.engines.markers import find_markers
from digitizer.engines.places import DETECTOR, ROOM, alike, tiles
from digitizer.engines.rapid import Rapid, ReadLine
from digitizer.engines.settings import EngineSettings
from digitizer.engines.strips import (
    Way,
    beginning,
    by_beginnings,
    cut,
    joined,
    page_of,
    reading_order,
    stretched,
    upright,
    without_grain,
)
from digitizer.engines.tesseract import page_reader
from digitizer.engines.twice import bears_number, doubtful_number
from digitizer.errors import BadScan
from digitizer.model.raster import Pixels
from digitizer.model.reading import Barcode, Line, Reading
from digitizer.model.units import Point
from digitizer.reading import Region, around

__all__ = ["EngineSheetReader"]

Grey = NDArray[np.uint8]
Boxes = NDArray[np.float32]

_MOST_PIXELS = 400_000_000
_MOST_LINES = 120
_SAMPLE = 2
"""Lines read in each way to tell the way: the longest."""
_SURE_SCORE = 0.93
_PROMISING_SCORE = 0.85
"""Of the longest line: with less the other one does not make a way sure."""
_SURE_DENSITY = 1.1
"""Letters a line height of length: upright text has more, turned text loses letters."""
INK = f"{Rapid.name}:ink"
"""Name of RapidOCR as a witness of a label without its coloured ink."""
CLEAN, INK_CLEAN = f"{Rapid.name}:clean", f"{INK}:clean"
"""Names of RapidOCR as a witness of lines whose grain was taken away."""
_LEAST = 0.45
"""Score of RapidOCR below which a line is noise; Tesseract gives right lines scores down to 0."""
_TRIED = 4.0
"""Line heights of the longest line that tell whether a way is worth reading: nine signs or so. The
recogniser's time grows with a line's length."""
_CLEAR_LEAD = 1.25
"""The best way must win by a quarter: numbers like 8098608 read upside down as well."""
_SMALL_LETTERS = 15.0
"""Lines lower than this on the detector's picture are looked for again at full resolution."""
_MOST_PIECES = 8
_PAPER_GAP = 0.35
"""Line heights by which pieces of one line may lie apart on paper."""
_MOSTLY = 0.8
"""Part of a place that was looked at before, so that it is not looked at again."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """What lines say in one way, how well on the whole, and whether that way is surely theirs."""

    read: list[ReadLine]
    score: float
    worth: float
    sure: bool


class EngineSheetReader:
    """Implements :class:`digitizer.ports.SheetReader` with RapidOCR, Tesseract and ZXing.

    The engines are loaded when first used, so that each worker process has its own.
    """

    def __init__(self, settings: EngineSettings | None = None) -> None:
        self._settings = settings or EngineSettings()
        self._rapid: Rapid | None = None
        self._figures = Figures()
        self._tesseract = page_reader(
            self._settings.tesseract_language, program=self._settings.tesseract_program
        )

    @property
    def versions(self) -> dict[str, str]:
        """Engine names and versions."""
        found = {name: metadata.version(name) for name in ("rapidocr", "zxing-cpp")}
        found["figures"] = self._figures.version
        if self._settings.tesseract:
            found["tesseract"] = self._tesseract.version()
        return found

    @property
    def rapid(self) -> Rapid:
        """The engine of this process."""
        if self._rapid is None:
            self._rapid = Rapid()
        return self._rapid

    def read_label(self, picture: Pixels) -> Reading:
        """Read a label or document; paper is never mirrored.

        Raises
        ------
        BadScan
            The picture is larger than any label.
        MissingService
            Tesseract is asked for and not installed.
        """
        grey = stretched(_grey(picture))
        strips = self._strips(grey, self._boxes(grey), mirror=False)
        lines = self._lines(strips, paper=True)
        lines = self._with_ink_faded(picture, lines)
        if not any(bears_number(line.text) for line in lines):
            lines += self._lines_missed(grey, strips)
        return Reading(lines=lines, barcodes=read_barcodes(grey))

    def _lines_missed(self, grey: Grey, before: Sequence[Strip]) -> tuple[Line, ...]:
        """Read the lines of paper that are found only set narrower: a label bears a number."""
        strips = self._strips(grey, narrow_on_paper(self.rapid.find, grey), mirror=False)
        boxes = np.array([one.box for one in strips], np.float32).reshape(-1, 4, 2)
        new = _apart_from(boxes, before)
        missed = [one for one, kept in zip(strips, new, strict=True) if kept]
        return self._lines(missed, paper=True)

    def _with_ink_faded(self, picture: Pixels, first: tuple[Line, ...]) -> tuple[Line, ...]:
        """Read a coloured label once more without what was stamped or drawn across it in colour.

        Returned are the lines read before, with the signs told across which that lies, and the new.
        """
        if picture.ndim < 3 or picture.dtype != np.uint8:
            return first
        # A number that was not found may lie under a mark beside the other lines.
        room = 0.0 if any(bears_number(one.text) for one in first) else ROOM
        boxes = [np.array(one.box, np.float32) for one in first]
        faded = without_coloured_ink(picture.astype(np.uint8, copy=False), boxes, room)
        if faded is None:
            return first
        strips = self._strips(faded.grey, self._boxes(faded.grey), mirror=False)
        lines = list(self._rapid_lines(strips, INK, paper=True))
        said = [" ".join(one.text for one in first)]
        again = [one for one in lines if doubtful_number(one, said)]
        marked = tuple(covered(one, faded.marks) for one in first)
        return (*marked, *lines, *self._read_again(strips, again, INK_CLEAN))

    def read_film(self, picture: Pixels, dpi: float | None = None) -> Reading:
        """Read the places of a film that may bear text, each in the way it reads best.

        Parameters
        ----------
        picture : ndarray of uint8 or uint16, (rows, columns)
        dpi : float, optional
            Of the picture.

        Raises
        ------
        BadScan
            The picture is larger than any film.
        MissingService
            Tesseract is asked for and not installed.
        """
        grey = _grey(picture)
        strips: list[Strip] = []
        barcodes: list[Barcode] = []
        done: list[Region] = []
        for number, places in enumerate(places_on_film(self.rapid.find, grey, dpi)):
            for place in places[: self._settings.film_regions]:
                if _lies_in(place.region, done):
                    continue
                seen = lines_on_film(self.rapid.find, grey, place)
                found = self._read_place(grey, *seen, strips)
                told = tells_who(found) or (len(found) >= FEW_LINES and is_plausible(found))
                if not is_block(strips) and not told:
                    turned = found[0].way[0] % 180 != 0 if found else None
                    again = narrow_lines(self.rapid.find, grey, seen[0], dpi, turned)
                    found = max(found, self._read_place(grey, *again, strips), key=worth)
                    seen = again
                found = self._completed(grey, found)
                strips += found
                done += [seen[0]] if found else []
                x0, y0, x1, y1 = seen[0]
                barcodes += read_barcodes(stretched(grey[y0:y1, x0:x1]), Point(x0, y0))
                if strips and not place.lines:
                    break
            # Of 24 films with a part of a block (seed 8502) none says less so.
            if number == 0 and not (is_block(strips) or tells_who(strips)):
                continue
            if is_plausible(strips) or is_sharp(strips):
                break
        markers = find_markers(grey, [one.box for one in strips])
        lines = self._lines(strips, paper=False)
        return Reading(lines=lines + markers, barcodes=tuple(dict.fromkeys(barcodes)))

    def _read_place(
        self, grey: Pixels, region: Region, boxes: Boxes, before: Sequence[Strip]
    ) -> list[Strip]:
        """Cut the lines of a place out upright, but for those cut out before, and read them."""
        x0, y0, x1, y1 = region
        piece, offset = grey[y0:y1, x0:x1], np.array((x0, y0), np.float32)
        return [
            replace(
                one,
                box=one.box + offset,
                text=one.text or self.rapid.read([one.pixels])[0],
            )
            for one in self._strips(piece, _not_in(boxes, before, offset), mirror=True)
        ]

    def _completed(self, grey: Pixels, found: list[Strip]) -> list[Strip]:
        """Read what the detector left out of a block, and keep what reads as well as the rest."""
        if not found:
            return found
        way = found[0].way
        whole = completed(
            grey,
            np.array([one.box for one in found], np.float32),
            ends=len(found) < FEW_LINES or not bear_number(found),
        )
        kept: list[Strip] = []
        for box, before in zip_longest(whole, found):
            if before is not None and np.array_equal(box, before.box):
                kept.append(before)
                continue
            pixels = cut(grey, box)
            after = Strip(pixels, box, way, self.rapid.read([pixels])[0])
            if before is None and is_line(after):
                kept.append(after)
            elif before is not None:
                kept.append(after if says_more(after, before) else before)
        order = reading_order(np.array([one.box for one in kept], np.float32))
        return [kept[number] for number in order]

    def _boxes(self, grey: Grey) -> Boxes:
        """Find lines on paper of any size; small ones again in pieces at full resolution."""
        boxes = self.rapid.find(grey)
        scale = DETECTOR / max(grey.shape)
        if scale >= 1:
            return boxes
        if len(boxes):
            sides = np.linalg.norm(boxes - np.roll(boxes, 1, axis=1), axis=2)
            if float(np.median(sides.min(axis=1))) * scale >= _SMALL_LETTERS:
                return boxes
        pieces = around(boxes, grey.shape, ROOM)[:_MOST_PIECES] or tiles(grey.shape)
        found = [
            self.rapid.find(grey[y0:y1, x0:x1]) + np.array((x0, y0), np.float32)
            for x0, y0, x1, y1 in pieces
        ]
        again = np.concatenate([np.zeros((0, 4, 2), np.float32), *found])
        return again if len(again) >= len(boxes) else boxes

    def _strips(self, piece: Pixels, boxes: Boxes, *, mirror: bool) -> list[Strip]:
        """Cut the lines of a piece out upright; nothing where their way cannot be told."""
        if len(boxes) == 0:
            return []
        turns, boxes = alike(boxes)
        boxes = joined(boxes, FILM_GAP if mirror else _PAPER_GAP)[:_MOST_LINES]
        sides = (False, True) if mirror else (False,)
        ways = [(turn, side) for side in sides for turn in turns]
        # Paper lies upright mostly; a film lies as it may.
        told = self._way(piece, boxes, by_beginnings(boxes, ways) if mirror else ways)
        if told is None:
            return []
        way, known = told
        lines = upright(boxes, way)
        return [
            Strip(cut(piece, lines[one]), lines[one], way, known.get(one))
            for one in reading_order(lines)
        ]

    def _way(
        self, piece: Pixels, boxes: Boxes, ways: Sequence[Way]
    ) -> tuple[Way, dict[int, ReadLine]] | None:
        """Tell how the text of a piece is turned and mirrored; None when it is not clear.

        Returned with it: what the lines looked at say, by their number.
        """
        sides = np.linalg.norm(boxes - np.roll(boxes, 1, axis=1), axis=2)
        aspects = sides.max(axis=1) / np.maximum(sides.min(axis=1), 1)
        longest = np.argsort(-aspects, kind="stable")[:_SAMPLE]
        expected = float(aspects[longest].sum())
        lines = {way: upright(boxes[longest], way) for way in ways}
        # The beginning of the longest line tells most ways that are wrong: whole lines are read
        # where it reads well, and in all ways only where that is sure in none. Paper lies upright
        # mostly, and is read so at once.
        tried = ways if len(ways) > 2 else ways[1:]
        every: dict[Way, _Looked] = {}
        for promising in (True, False):
            for way in ways:
                unsure = promising and way in tried
                if way in every or (unsure and not self._promises(piece, lines[way][0])):
                    continue
                every[way] = self._looked(piece, lines[way], expected)
                if every[way].sure:
                    return way, dict(zip(longest.tolist(), every[way].read, strict=True))
        best, *others = sorted(ways, key=lambda one: -every[one].worth)
        if every[best].worth == 0 or every[best].score < LEAST_WAY_SCORE:
            return None
        if every[best].worth < _CLEAR_LEAD * every[others[0]].worth:
            return None
        return best, dict(zip(longest.tolist(), every[best].read, strict=True))

    def _promises(self, piece: Pixels, line: Boxes) -> bool:
        """Tell whether the beginning of an upright line reads well."""
        read = self.rapid.read([cut(piece, beginning(line, _TRIED))])[0]
        return read.score >= _PROMISING_SCORE

    def _looked(self, piece: Pixels, lines: Boxes, expected: float) -> _Looked:
        """Read the lines looked at in one way, and weigh them.

        ``expected`` is how many line heights long they are together.
        """
        read = self.rapid.read([cut(piece, box) for box in lines])
        count = sum(letters(one) for one in read)
        score = sum(one.score * letters(one) for one in read) / max(count, 1)
        sense = any(makes_sense(one.text) for one in read)
        value = count * score**3 * (1.3 if sense else 1.0)
        sure = score >= _SURE_SCORE and count >= _SURE_DENSITY * expected and sense
        return _Looked(
            read=read,
            score=score,
            worth=value if count >= LEAST_LETTERS else 0.0,
            sure=sure and count >= 2 * LEAST_LETTERS,
        )

    def _lines(self, strips: Sequence[Strip], *, paper: bool) -> tuple[Line, ...]:
        """Read strips with both engines, each engine's lines in reading order."""
        if not strips:
            return ()
        first = list(self._rapid_lines(strips, Rapid.name, paper=paper))
        others: list[Line] = []
        if self._settings.tesseract:
            page, tops = page_of([one.pixels for one in strips])
            for found in self._tesseract.read(page):
                place = int(np.searchsorted(tops, found.row, side="right")) - 1
                others.append(_line(found, strips[max(0, place)], TESSERACT))
        again = self._lines_again(strips, first, others)
        return (*first, *again, *(one for one in others if one.text))

    def _rapid_lines(self, strips: Sequence[Strip], name: str, *, paper: bool) -> Iterator[Line]:
        for strip in strips:
            read = strip.text or self.rapid.read([strip.pixels])[0]
            line = _line(read, strip, name)
            if line.text and line.confidence >= _LEAST:
                looks = self._figures.of_numbers(strip.pixels, read) if paper else ()
                yield replace(line, figures=looks)

    def _lines_again(
        self, strips: Sequence[Strip], first: Sequence[Line], others: Sequence[Line]
    ) -> Iterator[Line]:
        """Read lines without their grain whose number the engines do not agree on.

        Of 231 numbers on worn and bad labels 203 were read in the grain, 209 without it, and not
        the same ones: grain makes an 8 of a worn 3, smoothing a 3 of a worn 8.
        """
        again = [
            line
            for line in first
            if doubtful_number(line, [one.text for one in others if one.box == line.box])
        ]
        return self._read_again(strips, again, CLEAN)

    def _read_again(
        self, strips: Sequence[Strip], lines: Sequence[Line], name: str
    ) -> Iterator[Line]:
        places = {_line(NOTHING, strip, name).box: strip for strip in strips}
        for line in lines:
            strip = places[line.box]
            found = _line(self.rapid.read([without_grain(strip.pixels)])[0], strip, name)
            if found.text and found.confidence >= _LEAST:
                yield found


def _line(read: ReadLine | PageLine, strip: Strip, engine: str) -> Line:
    a, b, c, d = (Point(float(x), float(y)) for x, y in strip.box)
    return Line(
        text=read.text.strip(),
        confidence=float(np.clip(read.score, 0, 1)),
        box=(a, b, c, d),
        engine=engine,
        turn_deg=strip.way[0],
        mirrored=strip.way[1],
        doubts=read.doubts,
    )


def _grey(picture: Pixels) -> Pixels:
    if picture.shape[0] * picture.shape[1] > _MOST_PIXELS:
        raise BadScan(
            "too_large",
            "The picture is larger than any film or label.",
            remedy="Scan it again at a lower resolution.",
        )
    if picture.ndim == 3:
        return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)  # type: ignore[return-value]
    return picture


def _lies_in(region: Region, others: Sequence[Region]) -> bool:
    """Tell whether most of a region lies in one of others."""
    x0, y0, x1, y1 = region
    area = (x1 - x0) * (y1 - y0)
    return any(
        max(0, min(x1, right) - max(x0, left)) * max(0, min(y1, bottom) - max(y0, top))
        > _MOSTLY * area
        for left, top, right, bottom in others
    )


def _not_in(boxes: Boxes, strips: Sequence[Strip], offset: NDArray[np.float32]) -> Boxes:
    """Leave out boxes whose middle lies in a line that was already cut out."""
    kept: Boxes = boxes[np.array(_apart_from(boxes + offset, strips), dtype=bool)]
    return kept


def _apart_from(boxes: Boxes, strips: Sequence[Strip]) -> list[bool]:
    """Tell of each box whether its middle lies in no line that was already cut out."""
    taken = [one.box for one in strips]
    return [
        all(
            cv2.pointPolygonTest(one, [float(v) for v in box.mean(axis=0)], False) < 0
            for one in taken
        )
        for box in boxes
    ]
