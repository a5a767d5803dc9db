"""What a scan shows: sheets, kind, words and fields. The same way for every door.

No ledger is touched here: the stages, ``inspect``, ``convert`` and ``read-label`` all call this.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from digitizer import film, reading
from digitizer.film import USUAL, QualitySettings
from digitizer.model.film import Geometry, Quality, ScanKind, SheetKind, TileGrid
from digitizer.model.raster import Raster
from digitizer.model.reading import NO_FIELDS, FieldName, Fields, FieldSource, Reading
from digitizer.model.reasons import Code, Reason, reason
from digitizer.model.units import Corners, Point
from digitizer.ports import ScanDecoder, SheetReader
from digitizer.reading import ReadingRules

__all__ = ["FoundSheet", "PageFindings", "ReadSheet", "find_on_page", "read_sheet", "scan_kind"]

_LEGIBLE = 4
"""Signs of a line from which on it is text that nothing hides."""
_SHEET_KIND = {
    ScanKind.FILM: SheetKind.FILM,
    ScanKind.LABEL: SheetKind.LABEL,
    ScanKind.DOCUMENT: SheetKind.DOCUMENT,
    ScanKind.SEPARATOR: SheetKind.DOCUMENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSheet:
    """One sheet as seen, before anything on it is read."""

    page: int
    kind: SheetKind
    geometry: Geometry
    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFindings:
    """What one page of a scan shows; ``kind`` is a guess from the picture alone."""

    kind: ScanKind | None
    sheets: tuple[FoundSheet, ...]
    quality: Quality
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSheet:
    """What was read on one sheet, and what follows for its kind, orientation and quality.

    ``crops`` are the pieces of the picture that bear text, for the person who reviews; ``tiles``
    are the pictures of a sheet of many.
    """

    kind: ScanKind | None
    geometry: Geometry
    quality: Quality
    reading: Reading
    fields: Fields
    reasons: tuple[Reason, ...]
    crops: tuple[bytes, ...] = ()
    fingerprint: str = ""
    tiles: TileGrid | None = None


def whole_frame(raster: Raster) -> Geometry:
    """Return the frame itself as the sheet, for pages whose sheet shows no edge."""
    width, height = float(raster.size.columns), float(raster.size.rows)
    corners = Corners(Point(0, 0), Point(width, 0), Point(width, height), Point(0, height))
    return Geometry(corners=corners, edges_seen=0)


def find_on_page(
    decoder: ScanDecoder, path: Path, page: int, limits: QualitySettings = USUAL
) -> PageFindings:
    """Decode one page, find its sheets and judge their quality.

    Raises
    ------
    BadScan
        The page cannot be decoded.
    """
    raster = decoder.decode(path, page)
    search = film.find_sheets(raster)
    geometries, doubts = search.sheets, list(zip(search.of_two, search.edge_unsure, strict=True))
    if not geometries and search.kind is not ScanKind.BLANK:
        geometries, doubts = (whole_frame(raster),), [(False, False)]
    kind = _SHEET_KIND[search.kind or ScanKind.FILM] if geometries else SheetKind.FILM
    sheets = tuple(
        FoundSheet(
            page=page,
            kind=kind,
            geometry=geometry,
            quality=_doubted(film.quality(raster, geometry, limits), *doubt),
        )
        for geometry, doubt in zip(geometries, doubts, strict=True)
    )
    quality = sheets[0].quality if sheets else film.quality(raster, None, limits)
    return PageFindings(kind=search.kind, sheets=sheets, quality=quality, reasons=search.reasons)


def _doubted(quality: Quality, of_two: bool, edge_unsure: bool) -> Quality:
    """Return a sheet's quality with what the search for it could not tell."""
    if of_two:
        return film.two_in_one(quality)
    return film.edge_unsure(quality) if edge_unsure else quality


def read_sheet(
    decoder: ScanDecoder,
    reader: SheetReader,
    rules: ReadingRules,
    path: Path,
    sheet: FoundSheet,
    limits: QualitySettings = USUAL,
    *,
    tiles: bool = True,
) -> ReadSheet:
    """Read one sheet and tell what follows; ``tiles``: tell the pictures of a sheet of many.

    Raises
    ------
    BadScan
        The page cannot be decoded.
    """
    raster = decoder.decode(path, sheet.page)
    picture = film.reading_picture(raster, sheet.geometry)
    pictures = None
    if sheet.kind is SheetKind.FILM:
        found = reader.read_film(picture.pixels, min(raster.dpi) if raster.dpi else None)
        pictures = film.find_tiles(picture, raster.dpi)
        geometry, reasons = _oriented(sheet.geometry, found, picture, pictures)
        kind: ScanKind | None = ScanKind.FILM
        source = FieldSource.FILM
    else:
        found = reader.read_label(film.paper_picture(raster, sheet.geometry))
        geometry, reasons = _label_turn(sheet.geometry, found), ()
        kind = reading.kind_of(found, ScanKind(sheet.kind.value))
        source = FieldSource.LABEL
    fields = reading.parse(found, source, rules) if found.lines or found.barcodes else NO_FIELDS
    return ReadSheet(
        kind=kind,
        geometry=geometry,
        quality=_judged(sheet.quality, raster, picture, found, fields, limits)
        if kind is ScanKind.FILM
        else sheet.quality,
        reading=_in_scan(found, picture),
        fields=fields,
        reasons=reasons,
        crops=film.text_crops(picture.pixels, [line.box for line in found.lines]),
        fingerprint=film.fingerprint(picture.pixels) if kind is ScanKind.FILM else "",
        tiles=pictures if tiles else None,
    )


def _judged(
    quality: Quality,
    raster: Raster,
    picture: film.ReadingPicture,
    found: Reading,
    fields: Fields,
    limits: QualitySettings,
) -> Quality:
    """Add what only the straightened film and its text tell.

    That is whether a part of it is hidden, and the resolution that the body part needs.
    """
    texts = [line.box for line in found.lines if len(line.text) >= _LEGIBLE]
    if film.is_covered(picture, raster.dpi, texts):
        quality = film.covered(quality)
    told = fields.get(FieldName.BODY_PART)
    return film.finer_for(quality, told.value, limits) if told else quality


def _oriented(
    geometry: Geometry, found: Reading, picture: film.ReadingPicture, tiles: TileGrid | None
) -> tuple[Geometry, tuple[Reason, ...]]:
    """Turn the sheet only where independent witnesses agree (DESIGN §6)."""
    turn, mirrored, reasons = film.decide_orientation(
        film.witnesses_of_reading(_in_scan(found, picture), tiles),
        film.turn_of_chest(picture.pixels, [line.box for line in found.lines]),
    )
    if turn is None or mirrored is None:
        return geometry, tuple(reasons) or (reason(Code.ORIENTATION_UNKNOWN),)
    return film.orient(geometry, turn, mirrored), tuple(reasons)


def _label_turn(geometry: Geometry, found: Reading) -> Geometry:
    """Turn paper the way most of its lines read; paper is never mirrored."""
    turns = [line.turn_deg for line in found.lines if len(line.text) > 2]
    if not turns:
        return geometry
    return film.orient(geometry, max(set(turns), key=turns.count), False)


def _in_scan(found: Reading, picture: film.ReadingPicture) -> Reading:
    """Return the reading with its boxes in pixels of the scan."""
    return Reading(
        lines=tuple(replace(line, box=picture.to_scan(line.box)) for line in found.lines),
        barcodes=tuple(replace(code, box=picture.to_scan(code.box)) for code in found.barcodes),
    )


def scan_kind(kinds: list[ScanKind | None]) -> ScanKind | None:
    """Tell a scan's kind from those of its pages: a film anywhere makes it a film scan."""
    known = [kind for kind in kinds if kind not in (None, ScanKind.BLANK)]
    if ScanKind.FILM in known:
        return ScanKind.FILM
    if known:
        return known[0]
    return ScanKind.BLANK if kinds and all(kind is ScanKind.BLANK for kind in kinds) else None
