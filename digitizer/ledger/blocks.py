"""Blocking keys in the database: 64-bit hashes of the keys that :mod:`digitizer.identity` makes."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import TypeVar

from sqlalchemy import Connection, Table, delete, insert, select, text

from digitizer.identity.blocking import keys_of_exam, keys_of_patient, names_of
from digitizer.ledger import tables
from digitizer.ledger.batches import insert_all
from digitizer.ledger.codec import decode
from digitizer.model.identity import ExamRecord, PatientRecord, PersonName

__all__ = [
    "add_exam_keys",
    "add_patient_keys",
    "hashed",
    "is_current",
    "make_anew",
    "remove_exam_keys",
    "remove_patient_keys",
]

T = TypeVar("T")
_RECIPE = "blocking"
_ROWS = 10_000
_REKEY_LOCK = 746354

_PROBE_PATIENT = PatientRecord(
    patient_id="AB-1234567",
    issuer="I",
    name=PersonName(family="O'HARA-MÜLLER", given="ANNA MARIA", middle="J", suffix="JR"),
    birth_date="1931-04-02",
    sex="F",
    former_names=(PersonName(family="VAN DYKE", given="ANN"),),
    other_ids=(("OLD", "0987654"),),
)
_PROBE_EXAM = ExamRecord(
    accession_number="A-1987-000123", patient_id="1", issuer="I", study_instance_uid="2.25.7"
)


def hashed(keys: Iterable[str]) -> set[int]:
    """Return keys as signed 64-bit numbers."""
    return {
        int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)
        for key in keys
    }


def add_patient_keys(connection: Connection, patients: Iterable[tuple[int, PatientRecord]]) -> None:
    """Insert the keys and names of patients, given with their row numbers."""
    keys: list[tuple[int, int]] = []
    names: list[tuple[str, int]] = []
    for number, record in patients:
        keys += [(key, number) for key in hashed(keys_of_patient(record))]
        names += [(name[:64], number) for name in {one[:64] for one in names_of(record) if one}]
    # In the order of the tree, so that neighbours lie on one page.
    insert_all(connection, tables.patient_key, ("key", "patient"), sorted(keys))
    insert_all(connection, tables.patient_name, ("name", "patient"), sorted(names))


def remove_patient_keys(
    connection: Connection, patients: Iterable[tuple[int, PatientRecord]]
) -> None:
    """Delete the keys and names of patients as they were, given with their row numbers."""
    key, name = tables.patient_key, tables.patient_name
    for number, record in patients:
        keys = hashed(keys_of_patient(record))
        connection.execute(delete(key).where(key.c.key.in_(keys), key.c.patient == number))
        names = {one[:64] for one in names_of(record)}
        connection.execute(delete(name).where(name.c.name.in_(names), name.c.patient == number))


def add_exam_keys(connection: Connection, exams: Iterable[tuple[int, ExamRecord]]) -> None:
    """Insert the keys of exams, given with their row numbers."""
    keys = [(key, number) for number, one in exams for key in hashed(keys_of_exam(one))]
    insert_all(connection, tables.exam_key, ("key", "exam"), sorted(keys))


def remove_exam_keys(connection: Connection, exams: Iterable[tuple[int, ExamRecord]]) -> None:
    """Delete the keys that exams have as they are now, given with their row numbers."""
    key = tables.exam_key
    for number, record in exams:
        keys = hashed(keys_of_exam(record))
        connection.execute(delete(key).where(key.c.key.in_(keys), key.c.exam == number))


def _recipe() -> str:
    """Return what the rules make of two made-up records: other rules, another text."""
    made = sorted(keys_of_patient(_PROBE_PATIENT) | keys_of_exam(_PROBE_EXAM))
    made += sorted(names_of(_PROBE_PATIENT))
    return hashlib.sha256("\n".join(made).encode()).hexdigest()


def is_current(connection: Connection) -> bool:
    """Tell whether the keys in the database were made by the rules of today."""
    table = tables.index_recipe
    query = select(table.c.value).where(table.c.name == _RECIPE)
    return connection.execute(query).scalar_one_or_none() == _recipe()


def make_anew(connection: Connection) -> None:
    """Make all keys again by the rules of today, unless somebody else just did."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_REKEY_LOCK})"))
    if is_current(connection):
        return
    for table in (tables.patient_key, tables.patient_name, tables.exam_key):
        connection.execute(delete(table))
    for patients in _stored(connection, tables.patient, PatientRecord):
        add_patient_keys(connection, patients)
    for exams in _stored(connection, tables.exam, ExamRecord):
        add_exam_keys(connection, exams)
    recipe = tables.index_recipe
    connection.execute(delete(recipe).where(recipe.c.name == _RECIPE))
    connection.execute(insert(recipe).values(name=_RECIPE, value=_recipe()))


def _stored(connection: Connection, table: Table, kind: type[T]) -> Iterator[list[tuple[int, T]]]:
    """Yield all records of a table with their row numbers, some at a time."""
    last = 0
    while True:
        query = select(table.c.id, table.c.body).where(table.c.id > last)
        rows = connection.execute(query.order_by(table.c.id).limit(_ROWS)).all()
        if not rows:
            return
        yield [(row.id, decode(kind, row.body)) for row in rows]
        last = rows[-1].id
