"""The index of patients, exams and jackets in the ledger's database."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from types import MappingProxyType
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from digitizer.identity.blocking import keys_of_exam, keys_of_study, keys_of_testimony
from digitizer.ledger import tables
from digitizer.ledger.batches import in_batches
from digitizer.ledger.blocks import hashed, is_current, make_anew
from digitizer.ledger.codec import decode
from digitizer.ledger.imports import (
    Exams,
    ImportReport,
    Incoming,
    Jackets,
    Patients,
    import_rows,
)
from digitizer.ledger.store import SqlLedger
from digitizer.model.identity import (
    ExamDays,
    ExamRecord,
    JacketRecord,
    PatientRecord,
)
from digitizer.model.reading import Testimony

__all__ = ["SqlPatientIndex"]

_MOST_CANDIDATES = 300
_MOST_EXAMS = 100
_SAMPLED = 4000

# Asked of every jacket, so built once.
_THESE: BindParameter[Any] = bindparam("these", expanding=True)
_ONE: BindParameter[Any] = bindparam("one")
_PATIENTS = select(tables.patient.c.id, tables.patient.c.body).where(
    tables.patient.c.id.in_(_THESE)
)
_OF_NUMBER = select(tables.patient.c.body).where(tables.patient.c.patient_id == _ONE).limit(2)
_OF_ISSUER = _OF_NUMBER.where(tables.patient.c.issuer == bindparam("issuer"))
_LAST_PATIENT = select(func.max(tables.patient.c.id))
_LAST_EXAM = select(func.max(tables.exam.c.id))
_BEARERS = select(tables.patient_key.c.key, tables.patient_key.c.patient).where(
    tables.patient_key.c.key.in_(_THESE)
)
_EXAMS = (
    select(tables.exam.c.body)
    .where(tables.exam.c.patient_id == _ONE, tables.exam.c.issuer == bindparam("issuer"))
    .order_by(tables.exam.c.id)
)
_EXAMS_UNDER = (
    select(tables.exam.c.id, tables.exam.c.body)
    .join(tables.exam_key, tables.exam_key.c.exam == tables.exam.c.id)
    .where(tables.exam_key.c.key.in_(_THESE))
    .group_by(tables.exam.c.id, tables.exam.c.body)
    .order_by(func.count().desc(), tables.exam.c.id)
    .limit(_MOST_EXAMS)
)
_NAMES = (
    select(tables.patient_name.c.name, func.count())
    .where(tables.patient_name.c.name.in_(_THESE))
    .group_by(tables.patient_name.c.name)
)


class SqlPatientIndex:
    """Implements :class:`digitizer.ports.PatientIndex`, and imports what it answers from.

    Parameters
    ----------
    ledger : SqlLedger
        Whose database holds the index.
    """

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger
        self._current = False
        self._days: tuple[int, ExamDays] | None = None
        self._held = threading.local()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Answer all that this thread asks within from one view of the index."""
        if getattr(self._held, "connection", None) is not None:
            yield
            return
        self._ensure_current()
        with self._ledger.connection(writes=False) as connection:
            self._held.connection = connection
            try:
                yield
            finally:
                del self._held.connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Open a connection, or take that which is open for what is asked at once."""
        held = getattr(self._held, "connection", None)
        if held is not None:
            yield held
        else:
            with self._ledger.connection(writes=False) as connection:
                yield connection

    # -- look-ups ----------------------------------------------------------------------------

    def candidates(self, testimonies: Sequence[Testimony]) -> tuple[PatientRecord, ...]:
        """Find patients who share a blocking key with what was read, the likeliest first.

        A key shared with few says more than one shared with many, so each counts as one part in as
        many as bear it: a number read with one wrong character is not lost among namesakes.
        """
        keys = sorted(hashed(set().union(*(keys_of_testimony(one) for one in testimonies))))
        self._ensure_current()
        with self._reading() as connection:
            weights = _weights(connection, keys)
            best = sorted(weights, key=lambda one: (-weights[one], one))[:_MOST_CANDIDATES]
            rows = connection.execute(_PATIENTS, {"these": best})
            found = {number: decode(PatientRecord, body) for number, body in rows.all()}
        return tuple(found[number] for number in best)

    def patient(self, patient_id: str, issuer: str | None = None) -> PatientRecord | None:
        """Look one patient up by number; None if absent or borne under several issuers.

        An empty issuer means the patient who has none, where there is one; else whoever is the only
        one to bear the number.
        """
        asked = {"one": patient_id, "issuer": issuer}
        own = [] if issuer is None else self._bodies(_OF_ISSUER, asked)
        found = own if own or issuer else self._bodies(_OF_NUMBER, {"one": patient_id})
        return decode(PatientRecord, found[0]) if len(found) == 1 else None

    def exams(self, patient: PatientRecord) -> tuple[ExamRecord, ...]:
        """List the exams of a patient in the order of their import."""
        asked = {"one": patient.patient_id, "issuer": patient.issuer}
        return tuple(decode(ExamRecord, body) for body in self._bodies(_EXAMS, asked))

    def exam(self, accession_number: str, issuer: str | None = None) -> ExamRecord | None:
        """Look one exam up by its accession number; None if absent or of several issuers."""
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
            keys |= keys_of_exam(ExamRecord(accession_number=number, patient_id="", issuer=""))
        return self._exams_under(keys)

    def exams_of_study(self, study_instance_uid: str) -> tuple[ExamRecord, ...]:
        """Find the exams that the index knows under a Study Instance UID, of whomever."""
        found = self._exams_under(keys_of_study(study_instance_uid))
        return tuple(one for one in found if one.study_instance_uid == study_instance_uid)

    def _exams_under(self, keys: set[str]) -> tuple[ExamRecord, ...]:
        """Return the exams that have any of some keys."""
        self._ensure_current()
        found: dict[int, str] = {}
        with self._reading() as connection:
            for some in in_batches(sorted(hashed(keys))):
                rows = connection.execute(_EXAMS_UNDER, {"these": some}).all()
                found.update((number, body) for number, body in rows)
        return tuple(decode(ExamRecord, body) for body in found.values())

    def exam_days(self) -> ExamDays:
        """Tell how often the index knows several exams of one patient and day.

        Counted on the exams of at most 4,000 patients, and again when the index has grown by half.
        """
        table = tables.exam
        with self._reading() as connection:
            count = connection.execute(_LAST_EXAM).scalar() or 0
            if self._days is not None and count < 1.5 * self._days[0]:
                return self._days[1]
            wanted = min(count, _SAMPLED)
            chosen = [1 + one * count // wanted for one in range(wanted)]
            query = select(table.c.patient_id).where(table.c.id.in_(chosen)).distinct()
            patients = list(connection.execute(query).scalars())
            query = select(table.c.body).where(table.c.patient_id.in_(patients))
            bodies = connection.execute(query).scalars()
            days = _count_days(decode(ExamRecord, body) for body in bodies)
        self._days = (max(count, 1), days)
        return days

    def jacket(self, name: str, box: str | None = None) -> JacketRecord | None:
        """Look a jacket up by name (and box) or by barcode; None if absent or not unique.

        A jacket listed without a box is that of any box which has none of its name.
        """
        if not name:
            return None
        table = tables.jacket_record
        named, coded = table.c.jacket == name, table.c.barcode == name
        tries = [(named, table.c.box == box), (named, table.c.box == "")] if box else [(named,)]
        for conditions in (*tries, (coded,)):
            found = self._bodies(select(table.c.body).where(*conditions).limit(2))
            if found:
                return decode(JacketRecord, found[0]) if len(found) == 1 else None
        return None

    def jackets_of_box(self, box: str) -> tuple[JacketRecord, ...]:
        """List the jackets that the list has in a box, in the order of their names."""
        table = tables.jacket_record
        query = select(table.c.body).where(table.c.box == box).order_by(table.c.jacket)
        return tuple(decode(JacketRecord, body) for body in self._bodies(query))

    def named(self, beginnings: Sequence[str], limit: int) -> tuple[PatientRecord, ...]:
        """Find patients who bear a name that begins so, for each of the beginnings."""
        table, name = tables.patient, tables.patient_name
        self._ensure_current()
        query = select(table.c.body).order_by(table.c.id).limit(limit)
        for beginning in beginnings:
            bearing = select(name.c.patient).where(
                name.c.name >= beginning[:64], name.c.name < f"{beginning[:63]}\uffff"
            )
            query = query.where(table.c.id.in_(bearing))
        if not beginnings:
            return ()
        return tuple(decode(PatientRecord, body) for body in self._bodies(query))

    def patient_count(self) -> int:
        """Count the patients of the index."""
        with self._reading() as connection:
            # Rows are numbered without a gap and never deleted; counting a million takes longer.
            return connection.execute(_LAST_PATIENT).scalar() or 0

    def name_counts(self, names: Iterable[str]) -> dict[str, int]:
        """Count how many patients bear each of these family or given names.

        Names are asked for as :func:`digitizer.identity.compare.plain` writes them; a name nobody
        bears is left out.
        """
        found: dict[str, int] = {}
        with self._reading() as connection:
            for some in in_batches(sorted({name[:64] for name in names})):
                rows = connection.execute(_NAMES, {"these": some})
                found |= {name: int(count) for name, count in rows.all()}
        return found

    def _bodies(self, query: Any, asked: Mapping[str, Any] = MappingProxyType({})) -> list[str]:
        with self._reading() as connection:
            return list(connection.execute(query, asked).scalars().all())

    def _ensure_current(self) -> None:
        """Make the blocking keys anew when they were made by the rules of another version."""
        if self._current:
            return
        with self._ledger.connection(writes=False) as connection:
            self._current = is_current(connection)
        if not self._current:
            with self._ledger.connection(writes=True) as connection:
                make_anew(connection)
            self._current = True

    # -- imports -----------------------------------------------------------------------------

    def import_patients(
        self, records: Incoming[PatientRecord], *, dry_run: bool = False
    ) -> ImportReport:
        """Take patients in; again changes only what differs.

        Parameters
        ----------
        records : iterable of PatientRecord, FileRow or BadRow
            In the order of the file.
        dry_run : bool
            Only tell what would be done.
        """
        self._ensure_current()
        return import_rows(self._ledger, Patients(), records, dry_run=dry_run)

    def import_exams(self, records: Incoming[ExamRecord], *, dry_run: bool = False) -> ImportReport:
        """Take exams in; an exam of an unknown patient is refused."""
        self._ensure_current()
        return import_rows(self._ledger, Exams(), records, dry_run=dry_run)

    def import_jackets(
        self, records: Incoming[JacketRecord], *, dry_run: bool = False
    ) -> ImportReport:
        """Take the jacket list in."""
        return import_rows(self._ledger, Jackets(), records, dry_run=dry_run)


def _count_days(exams: Iterable[ExamRecord]) -> ExamDays:
    parts: dict[tuple[str, str, date], list[tuple[str, str]]] = {}
    for exam in exams:
        if exam.study_date is not None:
            day = (exam.issuer, exam.patient_id, exam.study_date)
            parts.setdefault(day, []).append((exam.body_part, exam.laterality))
    return ExamDays(
        days=len(parts),
        second=sum(len(one) - 1 for one in parts.values()),
        same_part=sum(len(one) - len(set(one)) for one in parts.values()),
    )


def _weights(connection: Connection, keys: list[int]) -> dict[int, float]:
    """Return how much each patient found by the keys has in common with them."""
    bearers: dict[int, list[int]] = {}
    for some in in_batches(keys):
        for key, number in connection.execute(_BEARERS, {"these": some}).all():
            bearers.setdefault(key, []).append(number)
    weights: dict[int, float] = {}
    for numbers in bearers.values():
        for number in numbers:
            weights[number] = weights.get(number, 0.0) + 1 / len(numbers)
    return weights
