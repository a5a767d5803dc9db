"""Pictures of an index file made into instances: each page with what its row says."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from digitizer import __version__, dicom
from digitizer.errors import BadScan
from digitizer.model.instance import Rendered, Uids
from digitizer.model.older import OldHeader, OldInstance, PictureRow, Source
from digitizer.model.raster import Pixels, Raster
from digitizer.model.reasons import Code
from digitizer.model.states import State
from digitizer.model.units import Dpi, Spacing
from digitizer.pipeline.older.looking import Looked
from digitizer.pipeline.services import Services

__all__ = ["PictureFile", "exam_key", "page_place", "row_sha256", "wrapped"]

_LEAST_DPI, _MOST_DPI = 97.0, 2400.0
"""What scanners scan at; 72 and 96 are what programs write that do not know."""
_TURNED: dict[int, Callable[[Pixels], NDArray[Any]]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: np.swapaxes(pixels, 0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(np.swapaxes(pixels, 0, 1), 2),
    8: np.rot90,
}
"""TIFF 6.0 and EXIF Orientation (274): how to turn the stored picture to see it upright."""
_ACROSS = frozenset((5, 6, 7, 8))


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFile:
    """One file with its rows; its bytes are in the vault already."""

    source: Source
    place: str
    content: bytes
    sha256: str
    path: Path
    rows: tuple[PictureRow, ...]
    trusts_resolution: bool


def page_place(place: str, page: int) -> str:
    """Return the place of one page of a file of several."""
    return f"{place}//{page}"


def row_sha256(sha256: str, page: int, row: PictureRow) -> str:
    """Hash a picture with what its row says: two rows say the same of it, or they do not."""
    said = [sha256, page, row.conversion_type, *astuple(row.header)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def wrapped(services: Services, file: PictureFile) -> Iterator[tuple[Looked, bytes]]:
    """Make the instances of a file, decoding each page to its last strip.

    A page without a row is ``rejected`` with ``no_row``; a row that names a page that is not there
    with ``file_missing``.

    Raises
    ------
    BadScan
        The file is no picture, or damaged.
    """
    if file.content[128:132] == b"DICM":
        raise BadScan(
            "unsupported_format", "This is a DICOM file: name its folder as a disc as well."
        )
    pages = services.decoder.pages(file.path)
    by_page = {row.page: row for row in file.rows}
    whole = by_page.get(None)
    is_pdf = file.content.startswith(b"%PDF-")
    if is_pdf and whole is not None and file.source.options.get("pdf") != "pages":
        for page in range(pages):
            services.decoder.decode(file.path, page)
        yield _document(services, file, whole)
        return
    for page in range(1, pages + 1):
        place = file.place if pages == 1 else page_place(file.place, page)
        row = by_page.pop(page, whole)
        if row is None:
            yield Looked(instance=_aside(file, place, Code.NO_ROW, "No row names this page.")), b""
            continue
        raster = services.decoder.decode(file.path, page - 1)
        yield _picture(services, file, place, row, raster)
    for told in by_page.values():
        if told.page is not None:
            note = f"Line {told.line}: the file has {pages} pages."
            gone = _aside(file, page_place(file.place, told.page), Code.FILE_MISSING, note)
            yield Looked(instance=gone), b""


def _aside(file: PictureFile, place: str, code: Code, note: str) -> OldInstance:
    return OldInstance(
        source_id=file.source.id,
        place=place,
        sha256=file.sha256,
        state=State.REJECTED,
        code=code,
        note=note,
    )


def _picture(
    services: Services, file: PictureFile, place: str, row: PictureRow, raster: Raster
) -> tuple[Looked, bytes]:
    page = raster.page + 1
    uids = _minted(services, file, row, str(page))
    turned, derivation = _upright(raster)
    is_pdf = file.content.startswith(b"%PDF-")
    rendered = Rendered(
        pixels=turned,
        bits=raster.bits,
        polarity=raster.polarity,
        spacing=None if is_pdf else _spacing(file, raster),
        resampled=False,
    )
    order = dicom.PictureOrder(
        uids=uids,
        # Pages of one row follow each other, and rows are in the index file's order.
        instance_number=row.line * 1000 + raster.page,
        header=row.header,
        conversion_type=row.conversion_type or ("SD" if is_pdf else "DI"),
        sha256=file.sha256,
        software_version=__version__,
        institution=services.capture.institution,
        derivation=derivation,
        lossy=_lossy(file, raster),
        compression=services.capture.compression,
    )
    return _looked(file, place, row, page, dicom.make_picture(order, rendered))


def _document(services: Services, file: PictureFile, row: PictureRow) -> tuple[Looked, bytes]:
    order = dicom.PictureOrder(
        uids=_minted(services, file, row, "document"),
        instance_number=row.line * 1000,
        header=row.header,
        conversion_type=row.conversion_type or "SD",
        sha256=file.sha256,
        software_version=__version__,
        institution=services.capture.institution,
    )
    return _looked(file, file.place, row, 0, dicom.make_document(order, file.content))


def _looked(
    file: PictureFile, place: str, row: PictureRow, page: int, content: bytes
) -> tuple[Looked, bytes]:
    old = dicom.examine(content)
    instance = OldInstance(
        source_id=file.source.id,
        place=place,
        size=len(content),
        sha256=file.sha256,
        sop_instance_uid=str(old.header.SOPInstanceUID),
        sop_class_uid=str(old.header.SOPClassUID),
        series_instance_uid=str(old.header.SeriesInstanceUID),
        transfer_syntax_uid=str(old.syntax),
        state=State.READ,
        data_sha256=row_sha256(file.sha256, page, row),
        pixel_sha256=old.pixel_sha256,
    )
    study = str(old.header.StudyInstanceUID)
    found = Looked(instance=instance, study_instance_uid=study, header=dicom.header_of(old.header))
    return found, content


def _minted(services: Services, file: PictureFile, row: PictureRow, page: str) -> Uids:
    """Mint the UIDs of a picture, once: the same picture has the same, wherever it lies."""
    exam = exam_key(file.source, file.place, row.header)
    with services.ledger.transaction() as tx:
        return Uids(
            study=tx.uid(f"old picture study:{exam}"),
            series=tx.uid(f"old picture series:{exam}"),
            sop=tx.uid(f"old picture:{file.sha256}:{page}"),
        )


def exam_key(source: Source, place: str, header: OldHeader) -> str:
    """Return what the pictures of one exam have in common: they are decided together."""
    parts: tuple[str, ...]
    if header.accession_number:
        parts = ("accession", header.accession_number)
    elif header.patient_id or header.name:
        parts = ("patient", *header.identity, header.study_date, header.description)
    else:
        # Of nobody: no two of these are of the same.
        parts = ("place", place)
    return hashlib.sha256("\x00".join((source.id, *parts)).encode()).hexdigest()[:32]


def _upright(raster: Raster) -> tuple[Pixels, str]:
    """Return the picture as its file says it is to be seen: the same values, turned or mirrored."""
    turn = _TURNED.get(raster.orientation)
    if turn is None:
        return raster.pixels, "picture wrapped as it is"
    told = f"picture turned upright as its file tells (Orientation {raster.orientation})"
    return cast(Pixels, np.ascontiguousarray(turn(raster.pixels))), told


def _spacing(file: PictureFile, raster: Raster) -> Spacing | None:
    """Return the pitch that the file tells, where the site believes it and it can be true."""
    dpi = raster.dpi
    if not file.trusts_resolution or dpi is None:
        return None
    if not all(_LEAST_DPI <= value <= _MOST_DPI for value in dpi):
        return None
    across = raster.orientation in _ACROSS
    return (Dpi(dpi.y, dpi.x) if across else dpi).spacing


def _lossy(file: PictureFile, raster: Raster) -> float | None:
    if file.content.startswith(b"\xff\xd8\xff"):
        return max(raster.pixels.nbytes / len(file.content), 1.0)
    return 0.0 if file.content.startswith(b"\x89PNG") else None
