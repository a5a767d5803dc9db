"""Index files of pictures, CSV or XML, read row by row in bounded memory.

Every row is hostile until it is checked: what does not fit is refused by its line and the reason,
and the rest is taken. A formula is no value, a path leads nowhere but into the folder, and an XML
file declares no entities.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TextIO

from digitizer.errors import BadRow, UsageError
from digitizer.model.older import OldHeader, PictureRow
from digitizer.older.mapping import PictureMapping
from digitizer.older.xml_rows import xml_rows

__all__ = ["place_told", "read_manifest"]

_LONGEST_LINE = 1 << 20
_LONGEST_CELL = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_QUOTED = re.compile(r'="([^"]*)"')
"""How spreadsheets keep the noughts before a number."""
_LIMITS = {
    "patient_id": 64,
    "issuer": 64,
    "accession_number": 16,
    "description": 64,
    "modality": 16,
    "body_part": 16,
    "name": 64,
}
"""Characters that the VR of each allows (PS3.5 6.2)."""
_CODE = re.compile(r"[A-Z0-9 _]*")
_SEXES = {"MALE": "M", "FEMALE": "F", "OTHER": "O"}
_SIDES = {"LEFT": "L", "RIGHT": "R", "BOTH": "B"}
_CONVERSIONS = ("DF", "DI", "DV", "SD", "SI", "WSD", "DRW", "SYN")
_YES, _NO = ("YES", "Y", "TRUE", "1"), ("", "NO", "N", "FALSE", "0")

csv.field_size_limit(_LONGEST_LINE)


def read_manifest(path: Path, mapping: PictureMapping) -> Iterator[PictureRow | BadRow]:
    """Yield a row, or why it is refused, for each row of an index file that is not empty.

    Raises
    ------
    UsageError
        It is no such file: it lacks a column, is no text, or is no well-formed XML.
    OSError
        It cannot be opened.
    """
    if mapping.index.row:
        tellers = frozenset(mapping.columns.values())
        rows: Iterator[tuple[int, Mapping[str, str] | str]] = xml_rows(
            path, mapping.index.row, tellers
        )
    else:
        rows = _csv_rows(path, mapping)
    for line, cells in rows:
        if isinstance(cells, str):
            yield BadRow(line, cells)
            continue
        try:
            yield _row(line, cells, mapping)
        except ValueError as error:
            said = json.dumps(sorted(cells.items())).encode()
            yield BadRow(line, str(error), hashlib.sha256(said).hexdigest())


def place_told(text: str) -> str:
    """Return a path as told by a row, with "/" between its parts, relative to the folder.

    Raises
    ------
    ValueError
        It leads out of the folder, or is none.
    """
    plain = text.strip().replace("\\", "/")
    if plain.startswith("/") or re.match(r"[A-Za-z]:", plain):
        raise ValueError("the file is not told relative to the folder")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if not parts:
        raise ValueError("no file is told")
    if ".." in parts or _CONTROL.search(plain) or len(plain) > _LONGEST_CELL:
        raise ValueError("the path of the file leads out of the folder or is garbled")
    return "/".join(parts)


def _csv_rows(path: Path, mapping: PictureMapping) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    encoding = "utf-8-sig" if mapping.index.encoding == "utf-8" else mapping.index.encoding
    try:
        with path.open(encoding=encoding, newline="") as stream:
            first = stream.readline(_LONGEST_LINE)
            delimiter: str = mapping.index.delimiter or _likely(first)
            stream.seek(0)
            reader = csv.reader(_lines(stream), delimiter=delimiter)
            names = [name.strip().casefold() for name in next(reader, [])]
            wanted = _places(path, names, mapping)
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(names):
                    text = f"{len(cells)} cells, but the header has {len(names)}"
                    yield reader.line_num, text
                    continue
                yield reader.line_num, {name: cells[at] for name, at in wanted.items()}
    except UnicodeError:
        raise UsageError(
            f"{path.name} is not {mapping.index.encoding}.",
            remedy="Save it as UTF-8, or tell index.encoding in the mapping.",
        ) from None
    except csv.Error as error:
        raise UsageError(f"{path.name} is no CSV file: {error}.") from None


def _likely(header: str) -> str:
    """Return what stands most often between names of columns."""
    return max(";,\t", key=header.count)


def _lines(stream: TextIO) -> Iterator[str]:
    while line := stream.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise csv.Error("a line is longer than a mebibyte")
        yield line


def _places(path: Path, names: list[str], mapping: PictureMapping) -> dict[str, int]:
    """Return where the cells of the mapped columns stand, by the columns' told names."""
    found = {}
    for told in mapping.columns.values():
        name = told.strip().casefold()
        if names.count(name) != 1:
            what = "has no column" if name not in names else "has more than one column"
            raise UsageError(
                f"{path.name} {what} {told}.", remedy="Correct the mapping, or the first line."
            )
        found[told] = names.index(name)
    return found


def _row(line: int, cells: Mapping[str, str], mapping: PictureMapping) -> PictureRow:
    values = dict(mapping.constants)
    for field, column in mapping.columns.items():
        values[field] = _cell(field, cells.get(column, ""), mapping)
    name = values.get("name", "") or _name(values)
    header = OldHeader(
        patient_id=_fitting("patient_id", values),
        issuer=_fitting("issuer", values),
        name=_fitting("name", {"name": name}),
        birth_date=_date("birth_date", values, mapping),
        sex=_one_of("sex", values, ("M", "F", "O"), _SEXES),
        accession_number=_fitting("accession_number", values),
        study_date=_date("study_date", values, mapping),
        description=_fitting("description", values),
        modality=_code("modality", values),
        body_part=_code("body_part", values),
        laterality=_one_of("laterality", values, ("L", "R", "B"), _SIDES),
    )
    return PictureRow(
        line=line,
        place=place_told(values["file"]),
        page=_page(values.get("page", "")),
        header=header,
        conversion_type=_one_of("conversion_type", values, _CONVERSIONS, {}),
        film=_yes(values.get("film", "")),
    )


def _cell(field: str, text: str, mapping: PictureMapping) -> str:
    """Return the value of a cell: a formula is none, but for text kept as it is by one."""
    value = text.strip()
    quoted = _QUOTED.fullmatch(value)
    value = quoted[1].strip() if quoted else value
    if value[:1] in ("=", "@") or (value[:1] in ("+", "-") and re.search(r"[(|!]", value)):
        raise ValueError(f"{field} holds a formula")
    if len(value) > _LONGEST_CELL or _CONTROL.search(value):
        raise ValueError(f"{field} is too long or holds control characters")
    meanings = mapping.values.get(field, {})
    return meanings.get(value, value)


def _name(values: Mapping[str, str]) -> str:
    parts = [values.get(part, "") for part in ("family_name", "given_name", "middle_name")]
    if any("^" in part for part in parts):
        raise ValueError("the name holds a caret")
    return "^".join(parts).rstrip("^")


def _fitting(field: str, values: Mapping[str, str]) -> str:
    value = values.get(field, "")
    if len(value) > _LIMITS[field]:
        raise ValueError(f"{field} is longer than {_LIMITS[field]} characters")
    if "\\" in value or (field == "name" and "=" in value):
        raise ValueError(f"{field} holds a character that DICOM keeps for itself")
    return value


def _code(field: str, values: Mapping[str, str]) -> str:
    value = _fitting(field, values).upper()
    if not _CODE.fullmatch(value):
        raise ValueError(f"{field} holds other than letters, digits, blanks and underscores")
    return value


def _one_of(
    field: str, values: Mapping[str, str], allowed: tuple[str, ...], words: Mapping[str, str]
) -> str:
    value = values.get(field, "").upper()
    value = words.get(value, value)
    if value and value not in allowed:
        raise ValueError(f"{field} is none of {', '.join(allowed)}")
    return value


def _date(field: str, values: Mapping[str, str], mapping: PictureMapping) -> str:
    """Return a date as DICOM writes it (DA); empty where none is told."""
    value = values.get(field, "")
    if not value:
        return ""
    form = mapping.dates.get(field, "%Y-%m-%d" if "-" in value else "%Y%m%d")
    try:
        day: date = datetime.strptime(value, form).date()
    except ValueError:
        raise ValueError(f"{field} is no date {form}") from None
    return day.strftime("%Y%m%d").zfill(8)


def _page(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:6]) <= 99_999:
        raise ValueError("page is no number from 1 on")
    return int(text[:6])


def _yes(text: str) -> bool:
    if text.upper() in _YES:
        return True
    if text.upper() in _NO:
        return False
    raise ValueError("film is neither yes nor no")
