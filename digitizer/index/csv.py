"""Patients, exams and jackets from CSV files (contract §2).

One bad row refuses that row, by its line number and reason, and takes the rest.
"""

import csv
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TypeVar

from digitizer.errors import BadRow, UsageError
from digitizer.model.identity import ExamRecord, FileRow, JacketRecord, PatientRecord, PersonName

__all__ = ["read_exams", "read_jackets", "read_patients"]

T = TypeVar("T")
_LONGEST = 4096
_SIGNS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_OTHER_SIGNS = re.compile(r"[;\t|]")
"""What spreadsheets of some countries, and dumps of databases, put between cells."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PARTIAL_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")

csv.field_size_limit(1 << 20)


def read_patients(path: Path) -> Iterator[FileRow[PatientRecord] | BadRow]:
    """Read ``patients.csv``; raises :class:`~digitizer.errors.UsageError` without its header."""
    wanted = ("patient_id", "issuer", "family_name", "given_name", "middle_name", "birth_date")
    more = ("name_suffix", "death_date", "former_names", "other_ids")
    return _rows(path, (*wanted, "sex"), more, _patient)


def read_exams(path: Path) -> Iterator[FileRow[ExamRecord] | BadRow]:
    """Read ``exams.csv``."""
    wanted = ("accession_number", "patient_id", "study_date", "modality", "description")
    more = ("issuer", "study_instance_uid", "expected_films")
    return _rows(path, (*wanted, "body_part", "laterality"), more, _exam)


def read_jackets(path: Path) -> Iterator[FileRow[JacketRecord] | BadRow]:
    """Read ``jackets.csv``."""
    wanted = ("jacket", "box", "barcode", "patient_id", "issuer", "expected_films")
    return _rows(path, wanted, (), _jacket)


def _rows(
    path: Path,
    wanted: tuple[str, ...],
    more: tuple[str, ...],
    make: Callable[[dict[str, str]], T],
) -> Iterator[FileRow[T] | BadRow]:
    """Yield a record or the reason of its refusal for each row that is not empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            names = [name.strip().lower() for name in next(reader, [])]
            missing = [name for name in wanted if name not in names]
            if missing:
                other = _OTHER_SIGNS.search(names[0]) if len(names) == 1 else None
                raise UsageError(
                    f"{path.name} lacks the columns {', '.join(missing)}.",
                    remedy=f"Separate the cells by commas, not by {_SIGNS[other[0]]}."
                    if other
                    else f"The first line must name: {', '.join(wanted)}.",
                )
            known = {*wanted, *more}
            twice = sorted({name for name in known if names.count(name) > 1})
            if twice:
                raise UsageError(
                    f"{path.name} has several columns of one name: {', '.join(twice)}.",
                    remedy="Rename or delete the one that is not meant.",
                )
            line = reader.line_num + 1
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield _row(line, names, cells, known, make)
                line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path.name} is not UTF-8 (byte {error.start}).", remedy="Save it as UTF-8 CSV."
        ) from None
    except csv.Error as error:
        raise UsageError(f"{path.name} is no CSV file: {error}.") from None


def _row(
    line: int,
    names: list[str],
    cells: list[str],
    known: set[str],
    make: Callable[[dict[str, str]], T],
) -> FileRow[T] | BadRow:
    if len(cells) > len(names):
        return BadRow(line, f"{len(cells)} cells, but the header has {len(names)}")
    row = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name in known}
    if any(len(cell) > _LONGEST or _CONTROL.search(cell) for cell in row.values()):
        return BadRow(line, "a cell is too long or holds control characters")
    try:
        return FileRow(line, make(row))
    except ValueError as error:
        return BadRow(line, str(error))


def _patient(row: dict[str, str]) -> PatientRecord:
    return PatientRecord(
        patient_id=_needed(row, "patient_id", 64),
        issuer=row.get("issuer", ""),
        name=PersonName(
            family=_needed(row, "family_name", 64).upper(),
            given=row.get("given_name", "").upper(),
            middle=row.get("middle_name", "").upper(),
            suffix=row.get("name_suffix", "").upper().rstrip("."),
        ),
        birth_date=_partial_date(row.get("birth_date", "")),
        sex=_one_of(row.get("sex", "").upper(), ("M", "F", "O"), "sex"),
        death_date=_full_date(row.get("death_date", ""), "death_date"),
        former_names=tuple(_former(one) for one in _parts(row.get("former_names", ""))),
        other_ids=tuple(_other_id(one) for one in _parts(row.get("other_ids", ""))),
    )


def _exam(row: dict[str, str]) -> ExamRecord:
    return ExamRecord(
        accession_number=_needed(row, "accession_number", 16),
        patient_id=_needed(row, "patient_id", 64),
        issuer=row.get("issuer", ""),
        study_date=_full_date(row.get("study_date", ""), "study_date"),
        modality=row.get("modality", "").upper(),
        description=row.get("description", ""),
        body_part=row.get("body_part", "").upper(),
        laterality=_one_of(row.get("laterality", "").upper(), ("L", "R", "B"), "laterality"),
        study_instance_uid=_uid(row.get("study_instance_uid", "")),
        expected_films=_count(row.get("expected_films", "")),
    )


def _jacket(row: dict[str, str]) -> JacketRecord:
    return JacketRecord(
        jacket=_needed(row, "jacket", 255),
        box=row.get("box", ""),
        barcode=row.get("barcode", ""),
        patient_id=row.get("patient_id", ""),
        issuer=row.get("issuer", ""),
        expected_films=_count(row.get("expected_films", "")),
    )


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _former(text: str) -> PersonName:
    family, _, given = text.upper().partition("^")
    return PersonName(family=family.strip(), given=given.strip())


def _other_id(text: str) -> tuple[str, str]:
    issuer, colon, number = text.partition(":")
    if not colon or not number.strip():
        raise ValueError("other_ids wants ISSUER:number;...")
    return issuer.strip(), number.strip()


def _needed(row: dict[str, str], name: str, longest: int) -> str:
    value = row.get(name, "")
    if not value:
        raise ValueError(f"{name} is empty")
    if len(value) > longest or "\\" in value:
        raise ValueError(f"{name} is longer than {longest} characters or holds a backslash")
    return value


def _partial_date(text: str) -> str:
    if not text:
        return ""
    if not _PARTIAL_DATE.fullmatch(text):
        raise ValueError("birth_date is not YYYY-MM-DD, YYYY-MM or YYYY")
    try:
        date.fromisoformat(f"{text}-01-01"[:10] if len(text) < 10 else text)
    except ValueError:
        raise ValueError("birth_date is no date of the calendar") from None
    return text


def _full_date(text: str, name: str) -> date | None:
    if not text:
        return None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{name} is no date of the calendar") from None
    raise ValueError(f"{name} is not a date YYYY-MM-DD")


def _one_of(text: str, allowed: tuple[str, ...], name: str) -> str:
    if text and text not in allowed:
        raise ValueError(f"{name} is none of {', '.join(allowed)}")
    return text


def _uid(text: str) -> str:
    if (text and not re.fullmatch(r"[0-9]+(\.[0-9]+)+", text)) or len(text) > 64:
        raise ValueError("study_instance_uid is no UID")
    return text


def _count(text: str) -> int | None:
    if not text:
        return None
    if not text.isdigit():
        raise ValueError("expected_films is no number")
    return int(text)
