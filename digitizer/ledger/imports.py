"""Taking patients, exams and jackets into the index: again changes only what differs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Table, func, select, text, update

from digitizer.errors import BadRow
from digitizer.ledger import tables
from digitizer.ledger.batches import in_batches, insert_all
from digitizer.ledger.blocks import (
    add_exam_keys,
    add_patient_keys,
    hashed,
    remove_exam_keys,
    remove_patient_keys,
)
from digitizer.ledger.codec import decode, encode
from digitizer.ledger.store import SqlLedger
from digitizer.model.identity import ExamRecord, FileRow, JacketRecord, PatientRecord

__all__ = ["Exams", "ImportReport", "Incoming", "Jackets", "Patients", "Target", "import_rows"]

_ROWS = 10_000
"""Rows of one transaction (contract §2): an interrupted import keeps what it had."""
_ASKED = 1000
_LOCK = 746355

R = TypeVar("R", PatientRecord, ExamRecord, JacketRecord)

Incoming = Iterable[R | FileRow[R] | BadRow]


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[BadRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row(Generic[R]):
    """One row to be written: its number in the table, and what stands there now."""

    number: int
    record: R
    before: R | None


class Target(Protocol[R]):
    """The table that records of one kind go to."""

    def resolve(self, connection: Connection, records: Sequence[R]) -> list[R | str]:
        """Return each record completed from the index, or why it is refused."""
        ...

    def key(self, record: R) -> tuple[str, str]:
        """Return what makes a record the same one."""
        ...

    def there(self, connection: Connection, records: Sequence[R]) -> dict[tuple[str, str], Any]:
        """Return the rows (id, body) of records with these keys."""
        ...

    def write(self, connection: Connection, added: list[Row[R]], changed: list[Row[R]]) -> None:
        """Insert and update rows, their keys with them."""
        ...

    def highest(self, connection: Connection) -> int:
        """Return the highest row number."""
        ...


def import_rows(
    ledger: SqlLedger, target: Target[R], rows: Incoming[R], *, dry_run: bool
) -> ImportReport:
    """Take rows in, 10,000 in one transaction.

    A row is refused when it contradicts an earlier one of the same import: two patients cannot
    bear one number. Records that come from no file are counted from 2, as after a header.

    Parameters
    ----------
    ledger : SqlLedger
    target : Target
    rows : iterable of record, FileRow or BadRow
    dry_run : bool
        Only tell what would be done.
    """
    report = ImportReport()
    seen: dict[int, int] = {}
    line = 1
    for together in in_batches(rows, _ROWS):
        numbered: list[tuple[int, R]] = []
        for one in together:
            line = one.line if isinstance(one, FileRow | BadRow) else line + 1
            if isinstance(one, BadRow):
                report.refused.append(one)
            else:
                numbered.append((line, one.record if isinstance(one, FileRow) else one))
        with ledger.connection(writes=not dry_run) as connection:
            if not dry_run and connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            _import_batch(connection, target, numbered, seen, report, dry_run=dry_run)
    report.refused.sort(key=lambda row: row.line)
    return report


def _import_batch(
    connection: Connection,
    target: Target[R],
    numbered: list[tuple[int, R]],
    seen: dict[int, int],
    report: ImportReport,
    *,
    dry_run: bool,
) -> None:
    resolved = target.resolve(connection, [record for _, record in numbered])
    good: list[tuple[R, str]] = []
    for (line, _), one in zip(numbered, resolved, strict=True):
        if isinstance(one, str):
            report.refused.append(BadRow(line, one))
            continue
        body = encode(one)
        (mark,), (content,) = hashed(["\n".join(target.key(one))]), hashed([body])
        if mark not in seen:
            seen[mark] = content
            good.append((one, body))
        elif seen[mark] == content:
            report.unchanged += 1
        else:
            report.refused.append(BadRow(line, "contradicts an earlier row of the same number"))
    there = target.there(connection, [record for record, _ in good])
    number = target.highest(connection)
    added: list[Row[R]] = []
    changed: list[Row[R]] = []
    for record, body in good:
        stored = there.get(target.key(record))
        if stored is None:
            number += 1
            added.append(Row(number, record, None))
        elif stored.body == body:
            report.unchanged += 1
        else:
            changed.append(Row(stored.id, record, decode(type(record), stored.body)))
    report.added += len(added)
    report.changed += len(changed)
    if not dry_run:
        target.write(connection, added, changed)


class _Kept(Generic[R]):
    """What the three tables have in common: two columns that make a row unique, and a body."""

    table: Table
    columns: tuple[str, str]

    def key(self, record: R) -> tuple[str, str]:
        """Return what makes a record the same one."""
        first, second = self.columns
        return getattr(record, first), getattr(record, second)

    def there(self, connection: Connection, records: Sequence[R]) -> dict[tuple[str, str], Any]:
        """Return the rows of records with these keys."""
        first, second = (self.table.c[name] for name in self.columns)
        found: dict[tuple[str, str], Any] = {}
        for some in in_batches(sorted({self.key(one)[1] for one in records}), _ASKED):
            query = select(self.table.c.id, first, second, self.table.c.body)
            for row in connection.execute(query.where(second.in_(some))):
                found[row[1], row[2]] = row
        return found

    def highest(self, connection: Connection) -> int:
        """Return the highest row number."""
        return connection.execute(select(func.max(self.table.c.id))).scalar() or 0

    def _put(self, connection: Connection, added: list[Row[R]], changed: list[Row[R]]) -> None:
        names = [column.name for column in self.table.columns]
        insert_all(connection, self.table, names, [self._values(one, names) for one in added])
        for one in changed:
            statement = update(self.table).where(self.table.c.id == one.number)
            connection.execute(
                statement.values(dict(zip(names, self._values(one, names), strict=True)))
            )

    def _values(self, row: Row[R], names: Sequence[str]) -> tuple[Any, ...]:
        own = {"id": row.number, "body": encode(row.record)}
        return tuple(own[name] if name in own else getattr(row.record, name) for name in names)


class Patients(_Kept[PatientRecord]):
    """The index of patients."""

    table = tables.patient
    columns = ("issuer", "patient_id")

    def resolve(
        self, _connection: Connection, records: Sequence[PatientRecord]
    ) -> list[PatientRecord | str]:
        """Return the records as they are."""
        return list(records)

    def write(
        self,
        connection: Connection,
        added: list[Row[PatientRecord]],
        changed: list[Row[PatientRecord]],
    ) -> None:
        """Insert and update patients, their keys and names."""
        self._put(connection, added, changed)
        remove_patient_keys(
            connection, [(one.number, one.before) for one in changed if one.before is not None]
        )
        add_patient_keys(connection, [(one.number, one.record) for one in (*added, *changed)])


class Exams(_Kept[ExamRecord]):
    """The index of historical exams."""

    table = tables.exam
    columns = ("issuer", "accession_number")

    def resolve(
        self, connection: Connection, records: Sequence[ExamRecord]
    ) -> list[ExamRecord | str]:
        """Give an exam without issuer that of its patient; refuse one whose patient is unclear."""
        issuers: dict[str, set[str]] = {}
        patient = tables.patient
        for some in in_batches(sorted({one.patient_id for one in records}), _ASKED):
            query = select(patient.c.patient_id, patient.c.issuer)
            for row in connection.execute(query.where(patient.c.patient_id.in_(some))):
                issuers.setdefault(row.patient_id, set()).add(row.issuer)
        return [_with_issuer(one, issuers.get(one.patient_id, set())) for one in records]

    def write(
        self, connection: Connection, added: list[Row[ExamRecord]], changed: list[Row[ExamRecord]]
    ) -> None:
        """Insert and update exams. Of keys only that of a Study Instance UID can be new.

        One that is not an exam's any more stays: what is found by it is looked at.
        """
        self._put(connection, added, changed)
        known = [(one.number, one.record) for one in changed if one.record.study_instance_uid]
        remove_exam_keys(connection, known)
        add_exam_keys(connection, [*((one.number, one.record) for one in added), *known])


def _with_issuer(exam: ExamRecord, issuers: set[str]) -> ExamRecord | str:
    if exam.issuer in issuers:
        return exam
    if exam.issuer or not issuers:
        return "no patient of that number is in the index"
    if len(issuers) > 1:
        return "several patients bear that number; name the issuer"
    return replace(exam, issuer=next(iter(issuers)))


class Jackets(_Kept[JacketRecord]):
    """The list of jackets."""

    table = tables.jacket_record
    columns = ("box", "jacket")

    def resolve(
        self, _connection: Connection, records: Sequence[JacketRecord]
    ) -> list[JacketRecord | str]:
        """Return the records as they are."""
        return list(records)

    def write(
        self,
        connection: Connection,
        added: list[Row[JacketRecord]],
        changed: list[Row[JacketRecord]],
    ) -> None:
        """Insert and update jackets."""
        self._put(connection, added, changed)
