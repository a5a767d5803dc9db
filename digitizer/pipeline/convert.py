"""One file without a ledger: look at it, or make it DICOM as it is."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from digitizer import __version__, dicom, film, reading
from digitizer.errors import BadScan
from digitizer.model.density import ScannerProfile
from digitizer.model.film import ScanKind, SheetKind
from digitizer.model.identity import ExamRecord, PatientRecord
from digitizer.model.instance import CaptureOrder, Provenance, TilePolicy, Uids
from digitizer.model.names import as_text
from digitizer.model.reading import FieldName, FieldSource
from digitizer.model.reasons import Code, reason
from digitizer.pipeline.calibrate import in_density
from digitizer.pipeline.changes import reason_payload
from digitizer.pipeline.examine import FoundSheet, ReadSheet, find_on_page, read_sheet, scan_kind
from digitizer.pipeline.report import fields_json, film_findings_json, quality_json, tiles_json
from digitizer.pipeline.settings import CaptureSettings
from digitizer.pipeline.tiles import make_tiles
from digitizer.ports import ScanDecoder, SheetReader
from digitizer.reading import ReadingRules

__all__ = ["Conversion", "Converted", "convert", "inspect", "read_label"]


def inspect(
    decoder: ScanDecoder,
    reader: SheetReader,
    rules: ReadingRules,
    path: Path,
    *,
    limits: film.QualitySettings = film.USUAL,
    tiles: bool = True,
) -> dict[str, Any]:
    """Return what a scan shows, as ``digitizer inspect --json`` writes it.

    A file that cannot be taken is a finding too: kind ``unreadable`` with its reason.
    """
    document: dict[str, Any] = {"source": as_text(path.name), "sha256": None, "kind": "unreadable"}
    document |= {"films": [], "fields": {}, "quality": None, "reasons": []}
    content = path.read_bytes()
    if content:
        document["sha256"] = hashlib.sha256(content).hexdigest()
    try:
        pages = [find_on_page(decoder, path, n, limits) for n in range(decoder.pages(path))]
        found = [sheet for page in pages for sheet in page.sheets]
        read = [
            read_sheet(decoder, reader, rules, path, sheet, limits, tiles=tiles) for sheet in found
        ]
    except BadScan as error:
        return document | {
            "quality": quality_json(film.NO_QUALITY),
            "reasons": reason_payload([reason(Code(error.code), error.message)]),
        }
    kind = scan_kind([one.kind for one in read]) if read else scan_kind([p.kind for p in pages])
    reasons = [one for page in pages for one in page.reasons]
    reasons += [one for sheet in read for one in sheet.reasons]
    if kind is ScanKind.BLANK:
        reasons.append(reason(Code.BLANK))
    if kind is None:
        reasons.append(reason(Code.KIND_UNKNOWN))
    return document | {
        "kind": (kind or ScanKind.FILM).value,
        "films": [
            _film(sheet, result)
            for sheet, result in zip(found, read, strict=True)
            if sheet.kind is SheetKind.FILM
        ],
        "fields": fields_json(read[0].fields) if read else {},
        "quality": quality_json(pages[0].quality),
        "reasons": reason_payload(dict.fromkeys(reasons)),
    }


def _film(sheet: FoundSheet, result: ReadSheet) -> dict[str, Any]:
    findings = film_findings_json(sheet.page, result.geometry, result.quality, result.fields)
    return findings | {
        "reasons": reason_payload(result.reasons),
        "tiles": tiles_json(result.tiles, result.geometry),
    }


def read_label(
    decoder: ScanDecoder, reader: SheetReader, rules: ReadingRules, path: Path
) -> dict[str, Any]:
    """Return what a label says, as ``digitizer read-label --json`` writes it.

    Raises
    ------
    BadScan
        The file cannot be decoded.
    """
    page = find_on_page(decoder, path, 0)
    sheets = page.sheets
    if not sheets:
        return {"lines": [], "barcodes": [], "fields": {}}
    sheet = sheets[0]
    as_label = FoundSheet(
        page=0,
        kind=SheetKind.LABEL,
        geometry=sheet.geometry,
        quality=sheet.quality,
    )
    result = read_sheet(decoder, reader, rules, path, as_label)
    return {
        "lines": [
            {
                "text": line.text,
                "confidence": round(float(line.confidence), 4),
                "box": [[round(float(x), 2), round(float(y), 2)] for x, y in line.box],
                "engine": line.engine,
                "doubts": [{"at": one.at, "signs": dict(one.signs)} for one in line.doubts],
            }
            for line in result.reading.lines
        ],
        "barcodes": [
            {
                "text": code.text,
                "format": code.format,
                "box": [[round(float(x), 2), round(float(y), 2)] for x, y in code.box],
            }
            for code in result.reading.barcodes
        ],
        "fields": fields_json(reading.parse(result.reading, FieldSource.LABEL, rules)),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Identifiers given on the command line, taken as they are; all may be absent."""

    patient: PatientRecord | None = None
    accession_number: str = ""
    study_date: date | None = None
    description: str = ""
    body_part: str = ""
    laterality: str = ""
    modality: str = ""
    study_uid: str = ""
    series_uid: str = ""
    sop_uid: str = ""


@dataclass(frozen=True, slots=True)
class Converted:
    """Part 10 files of one sheet: of the whole, and of its pictures where they are wanted."""

    whole: bytes
    tiles: tuple[bytes, ...] = ()


def convert(
    decoder: ScanDecoder,
    reader: SheetReader,
    rules: ReadingRules,
    settings: CaptureSettings,
    path: Path,
    given: Conversion,
    profiles: Sequence[ScannerProfile] = (),
) -> list[Converted]:
    """Return the files of each film of a scan; without films, those of the page itself.

    Raises
    ------
    BadScan
        The file cannot be decoded, or shows nothing.
    """
    scan_sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    sheets = [s for n in range(decoder.pages(path)) for s in find_on_page(decoder, path, n).sheets]
    if not sheets:
        raise BadScan("unsupported_format", f"{path.name} shows no film.")
    study, series = given.study_uid or _mint(), given.series_uid or _mint()
    made: list[Converted] = []
    wanted = settings.tiles in (TilePolicy.MULTIFRAME, TilePolicy.SERIES)
    for number, sheet in enumerate(sheets, start=1):
        result = read_sheet(decoder, reader, rules, path, sheet, tiles=wanted)
        rendered, profile = film.render(decoder.decode(path, sheet.page), result.geometry), None
        if sheet.kind is SheetKind.FILM:
            rendered, profile = in_density(rendered, profiles)
        sop = given.sop_uid if given.sop_uid and len(sheets) == 1 else _mint()
        provenance = Provenance(
            scan_sha256=scan_sha256,
            scanned_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            software_version=__version__,
            institution=settings.institution,
            device_manufacturer=settings.device_manufacturer,
            device_model=settings.device_model,
            device_serial=profile.scanner if profile else settings.device_serial,
            last_calibration=profile.made_at.date() if profile else None,
            read=result.fields,
            geometry=result.geometry,
            source=as_text(path.name),
        )
        order = CaptureOrder(
            uids=Uids(study, series, sop),
            instance_number=number,
            made_at=datetime.now(UTC),
            patient=given.patient,
            exam=_exam(given),
            study_date=given.study_date,
            modality=given.modality or settings.modality,
            body_part=given.body_part,
            laterality=given.laterality or _read(result, FieldName.LATERALITY),
            description=given.description,
            compression=settings.compression,
            provenance=provenance,
        )
        make = dicom.make_film if sheet.kind is SheetKind.FILM else dicom.make_label
        whole = make(order, rendered)
        parts = film.cut_tiles(rendered, result.tiles, result.geometry) if result.tiles else ()
        tiles = make_tiles(parts, order, whole, settings.tiles, lambda _: _mint())
        made.append(Converted(whole.content, tuple(one.content for _, one in tiles)))
    return made


def _exam(given: Conversion) -> ExamRecord | None:
    if not given.accession_number:
        return None
    return ExamRecord(
        accession_number=given.accession_number,
        patient_id=given.patient.patient_id if given.patient else "",
        issuer=given.patient.issuer if given.patient else "",
        study_date=given.study_date,
        description=given.description,
        body_part=given.body_part,
        laterality=given.laterality,
    )


def _read(result: ReadSheet, name: FieldName) -> str:
    field = result.fields.get(name)
    return field.value if field else ""


def _mint() -> str:
    """Return a new UID under the 2.25 root (PS3.5 B.2)."""
    return f"2.25.{uuid4().int}"
