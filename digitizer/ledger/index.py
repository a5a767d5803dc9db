"""The index of patients, exams and jackets in the ledger's database."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from digitizer.errors import BadRow
from digitizer.identity.blocking import (
    keys_of_exam,
    keys_of_patient,
    keys_of_testimony,
    names_of,
)
from digitizer.ledger import tables
from digitizer.ledger.codec import decode, encode
from digitizer.ledger.store import SqlLedger
from digitizer.model.identity import ExamRecord, JacketRecord, PatientRecord
from digitizer.model.reading import Testimony

__all__ = ["ImportReport", "SqlPatientIndex"]

_ROWS = 10_000
"""Rows of one transaction (contract §2): an interrupted import keeps what it had."""
_MOST_CANDIDATES = 300
_CHUNK = 500
"""Keys asked for in one statement, below SQLite's limit of variables."""


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[BadRow] = field(default_factory=list)


class SqlPatientIndex:
    """Implements :class:`digitizer.ports.PatientIndex`, and imports what it answers from."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger

    # -- look-ups ----------------------------------------------------------------------------

    def candidates(self, testimonies: Sequence[Testimony]) -> tuple[PatientRecord, ...]:
        """Find all patients who share a blocking key with what was read, the closest first."""
        keys = sorted(set().union(*(keys_of_testimony(one) for one in testimonies), set()))
        hits: dict[int, int] = {}
        table, key = tables.patient, tables.patient_key
        with self._ledger.connection(writes=False) as connection:
            for start in range(0, len(keys), _CHUNK):
                query = select(key.c.patient).where(key.c.key.in_(keys[start : start + _CHUNK]))
                for (number,) in connection.execute(query):
                    hits[number] = hits.get(number, 0) + 1
            best = sorted(hits, key=lambda one: (-hits[one], one))[:_MOST_CANDIDATES]
            rows = connection.execute(select(table.c.body).where(table.c.id.in_(best)))
            return tuple(decode(PatientRecord, row.body) for row in rows)

    def patient(self, patient_id: str, issuer: str | None = None) -> PatientRecord | None:
        """Look one patient up by number; None if absent or borne under several issuers."""
        table = tables.patient
        query = select(table.c.body).where(table.c.patient_id == patient_id)
        if issuer:
            query = query.where(table.c.issuer == issuer)
        found = self._bodies(query.limit(2))
        return decode(PatientRecord, found[0]) if len(found) == 1 else None

    def exams(self, patient: PatientRecord) -> tuple[ExamRecord, ...]:
        """List the exams of a patient."""
        table = tables.exam
        query = select(table.c.body).where(table.c.patient_id == patient.patient_id)
        found = (decode(ExamRecord, body) for body in self._bodies(query.order_by(table.c.id)))
        return tuple(exam for exam in found if exam.issuer in ("", patient.issuer))

    def exam(self, accession_number: str, issuer: str | None = None) -> ExamRecord | None:
        """Look one exam up by its accession number."""
        table = tables.exam
        query = select(table.c.body).where(table.c.accession_number == accession_number)
        if issuer:
            query = query.where(table.c.issuer == issuer)
        found = self._bodies(query.limit(2))
        return decode(ExamRecord, found[0]) if len(found) == 1 else None

    def exams_matching(self, accession_numbers: Iterable[str]) -> tuple[ExamRecord, ...]:
        """Find exams whose accession number is one of these, or one character away."""
        keys: set[str] = set()
        for number in accession_numbers:
            probe = ExamRecord(accession_number=number, patient_id="", issuer="")
            keys |= keys_of_exam(probe)
        table, key = tables.exam, tables.exam_key
        query = select(key.c.exam).where(key.c.key.in_(sorted(keys)[:_CHUNK]))
        bodies = self._bodies(select(table.c.body).where(table.c.id.in_(query)).limit(100))
        return tuple(decode(ExamRecord, body) for body in bodies)

    def jacket(self, name: str, box: str | None = None) -> JacketRecord | None:
        """Look a jacket up by name (and box) or by barcode; None if absent or not unique."""
        table = tables.jacket_record
        for column in (table.c.jacket, table.c.barcode):
            query = select(table.c.body).where(column == name)
            if box and column is table.c.jacket:
                query = query.where(table.c.box.in_([box, ""]))
            found = self._bodies(query.limit(2))
            if len(found) == 1:
                return decode(JacketRecord, found[0])
        return None

    def patient_count(self) -> int:
        """Count the patients of the index."""
        with self._ledger.connection(writes=False) as connection:
            # The highest id: counting a million rows takes longer than all the rest.
            return int(connection.execute(select(func.max(tables.patient.c.id))).scalar() or 0)

    def name_counts(self, names: Iterable[str]) -> dict[str, int]:
        """Count how many patients bear each of these family or given names."""
        table = tables.name_count
        query = select(table.c.name, func.count()).group_by(table.c.name)
        with self._ledger.connection(writes=False) as connection:
            rows = connection.execute(query.where(table.c.name.in_(sorted(set(names)))))
            return {name: int(count) for name, count in rows}

    def _bodies(self, query: Any) -> list[str]:
        with self._ledger.connection(writes=False) as connection:
            return [row.body for row in connection.execute(query)]

    # -- imports -----------------------------------------------------------------------------

    def import_patients(
        self, records: Iterable[PatientRecord | BadRow], *, dry_run: bool = False
    ) -> ImportReport:
        """Take patients in; again changes only what differs."""
        return self._import(records, _put_patient, dry_run=dry_run)

    def import_exams(
        self, records: Iterable[ExamRecord | BadRow], *, dry_run: bool = False
    ) -> ImportReport:
        """Take exams in; an exam of an unknown patient is refused."""
        return self._import(records, _put_exam, dry_run=dry_run)

    def import_jackets(
        self, records: Iterable[JacketRecord | BadRow], *, dry_run: bool = False
    ) -> ImportReport:
        """Take the jacket list in."""
        return self._import(records, _put_jacket, dry_run=dry_run)

    def _import(
        self,
        records: Iterable[Any],
        put: Callable[[Connection, Any, bool], str],
        *,
        dry_run: bool,
    ) -> ImportReport:
        report = ImportReport()
        for together in _batches(enumerate(records, start=2)):
            with self._ledger.connection(writes=not dry_run) as connection:
                for line, record in together:
                    if isinstance(record, BadRow):
                        report.refused.append(record)
                        continue
                    result = put(connection, record, dry_run)
                    if result in ("added", "changed", "unchanged"):
                        setattr(report, result, getattr(report, result) + 1)
                    else:
                        report.refused.append(BadRow(line, result))
        return report


def _batches(records: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(records)
    while together := list(islice(iterator, _ROWS)):
        yield together


def _put_patient(connection: Connection, record: PatientRecord, dry_run: bool) -> str:
    table = tables.patient
    there = connection.execute(
        select(table.c.id, table.c.body).where(
            table.c.issuer == record.issuer, table.c.patient_id == record.patient_id
        )
    ).one_or_none()
    body = encode(record)
    if there is not None and there.body == body:
        return "unchanged"
    if dry_run:
        return "added" if there is None else "changed"
    if there is None:
        values = {"issuer": record.issuer, "patient_id": record.patient_id, "body": body}
        number = connection.execute(insert(table).values(**values)).inserted_primary_key[0]  # type: ignore[index]
    else:
        number = there.id
        connection.execute(update(table).where(table.c.id == number).values(body=body))
    for other, column, words in (
        (tables.patient_key, "key", keys_of_patient(record)),
        (tables.name_count, "name", names_of(record)),
    ):
        connection.execute(delete(other).where(other.c.patient == number))
        rows = [{column: word, "patient": number} for word in sorted(words) if word]
        if rows:
            connection.execute(insert(other), rows)
    return "added" if there is None else "changed"


def _put_exam(connection: Connection, record: ExamRecord, dry_run: bool) -> str:
    table, patient = tables.exam, tables.patient
    known = select(patient.c.id).where(patient.c.patient_id == record.patient_id)
    if record.issuer:
        known = known.where(patient.c.issuer == record.issuer)
    if connection.execute(known.limit(1)).one_or_none() is None:
        return "no patient of that number is in the index"
    there = connection.execute(
        select(table.c.id, table.c.body).where(
            table.c.issuer == record.issuer,
            table.c.accession_number == record.accession_number,
        )
    ).one_or_none()
    body = encode(record)
    if there is not None and there.body == body:
        return "unchanged"
    if dry_run:
        return "added" if there is None else "changed"
    values = {"patient_id": record.patient_id, "body": body}
    if there is not None:
        connection.execute(update(table).where(table.c.id == there.id).values(**values))
        return "changed"
    key = {"issuer": record.issuer, "accession_number": record.accession_number}
    done = connection.execute(insert(table).values(**values, **key))
    number = done.inserted_primary_key[0]  # type: ignore[index]
    rows = [{"key": word, "exam": number} for word in sorted(keys_of_exam(record))]
    connection.execute(insert(tables.exam_key), rows)
    return "added"


def _put_jacket(connection: Connection, record: JacketRecord, dry_run: bool) -> str:
    table = tables.jacket_record
    mine = (table.c.box == record.box) & (table.c.jacket == record.jacket)
    there = connection.execute(select(table.c.body).where(mine)).one_or_none()
    body = encode(record)
    if there is not None and there.body == body:
        return "unchanged"
    result = "added" if there is None else "changed"
    if dry_run:
        return result
    values = {"barcode": record.barcode, "body": body}
    if there is None:
        connection.execute(
            insert(table).values(box=record.box, jacket=record.jacket, **values)
        )
    else:
        connection.execute(update(table).where(mine).values(**values))
    return result
