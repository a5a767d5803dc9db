"""Candidate search in a large index: how long it takes, and whom one wrong character hides.

Each search is for a person of whom the record number, or the name with the birth date, was read
with one character wrong, missing or added; the other field was not read at all.
"""

import argparse
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from random import Random

from bench_identity import as_record

from digitizer import wiring
from digitizer.ledger import SqlLedger, SqlPatientIndex
from digitizer.model.reading import Field, FieldName, FieldSource, Testimony
from digitizer.rehearsal.people import Person
from digitizer.rehearsal.town import townspeople

SIGNS = "ABCDEFGHIKLMNOPRSTU0123456789"


def misread(text: str, rng: Random) -> str:
    """Return a text with one character wrong, missing or added."""
    at, sign = rng.randrange(len(text)), rng.choice(SIGNS)
    return rng.choice((text[:at] + sign + text[at + 1 :], text[:at] + text[at + 1 :],
                       text[:at] + sign + text[at:]))  # fmt: skip


def said(person: Person, rng: Random, *, number: bool) -> Testimony:
    """Return what a bearer says of a person: the number, or the name and the birth date."""
    if number:
        values = {FieldName.PATIENT_ID: misread(person.patient_id, rng)}
    else:
        values = {
            FieldName.FAMILY_NAME: person.family,
            FieldName.GIVEN_NAME: person.given,
            FieldName.BIRTH_DATE: person.birth.isoformat(),
        }
        wrong = rng.choice((FieldName.FAMILY_NAME, FieldName.GIVEN_NAME))
        values[wrong] = misread(values[wrong], rng)
    fields = {
        name: Field(value=value, confidence=0.9, source=FieldSource.FILM)
        for name, value in values.items()
    }
    return Testimony(lines=tuple(values.values()), fields=fields)


def main() -> int:
    """Fill an index, search it, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--searches", type=int, default=1000)
    parser.add_argument("--database", help="URL of an empty database; a file of its own without")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{Path(folder) / 'index.sqlite'}"
        ledger = SqlLedger(url, wiring.SystemClock(), reserve=0)
        ledger.migrate()
        index = SqlPatientIndex(ledger)
        people = townspeople(1, given.patients)
        began = time.process_time()
        index.import_patients(map(as_record, people))
        spent = time.process_time() - began
        print(f"{len(people)} patients, imported in {spent:.0f} s of this process")
        good = True
        for number, what in ((True, "number"), (False, "name and birth date")):
            good &= search(index, people, given.searches, what, number=number)
    return 0 if good else 1


def search(
    index: SqlPatientIndex, people: list[Person], searches: int, what: str, *, number: bool
) -> bool:
    """Search for people picked by chance; print and return whether nobody is hidden."""
    rng = Random(7)
    wall: list[float] = []
    own: list[float] = []
    hidden = 0
    for person in islice((rng.choice(people) for _ in iter(int, 1)), searches):
        read = said(person, rng, number=number)
        began, spent = time.perf_counter(), time.process_time()
        found = index.candidates([read])
        wall.append(1000 * (time.perf_counter() - began))
        own.append(1000 * (time.process_time() - spent))
        hidden += all((one.issuer, one.patient_id) != person.number for one in found)
    middle, late = sorted(wall)[searches // 2], sorted(wall)[searches * 95 // 100]
    print(f"{what}: median {middle:.1f} ms, 95 % {late:.1f} ms (this process alone: median "
          f"{sorted(own)[searches // 2]:.1f} ms), target <= 20 ms; hidden by one wrong character: "
          f"{hidden} of {searches}")  # fmt: skip
    return middle <= 20 and not hidden


if __name__ == "__main__":
    sys.exit(main())
