"""Linkage on invented texts with known truth: what is filed wrongly, and how much is filed at all.

Every figure stands beside its target and what it was counted on. The town, the texts and the
misreadings are drawn from fixed seeds; the decisions are those of ``digitizer match``.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from linkage_tally import Tally, report

from digitizer import reading, wiring
from digitizer.identity import UNCAPPED, Caps, PolicySettings, match_lines
from digitizer.ledger import SqlLedger, SqlPatientIndex
from digitizer.model.identity import ExamRecord, PatientRecord, PersonName
from digitizer.model.reading import FieldSource, Testimony
from digitizer.rehearsal.exams import Exam
from digitizer.rehearsal.people import Person
from digitizer.rehearsal.texts import FilmText, Spoilt, jackets_of
from digitizer.rehearsal.town import Shares, Town, town

RULES = reading.ReadingRules()
UNSPOILT = Spoilt()


def as_record(person: Person) -> PatientRecord:
    """Return a person as the patient index has them."""
    return PatientRecord(
        patient_id=person.patient_id,
        issuer=person.issuer,
        name=PersonName(
            family=person.family, given=person.given, middle=person.middle, suffix=person.suffix
        ),
        birth_date=person.birth.isoformat(),
        sex=person.sex,
        death_date=person.death,
        former_names=tuple(
            PersonName(family=family, given=given)
            for family, _, given in (one.partition("^") for one in person.former)
        ),
        other_ids=tuple(
            (issuer, number)
            for issuer, _, number in (one.partition(":") for one in person.other_ids)
        ),
    )


def as_exam(exam: Exam) -> ExamRecord:
    """Return an exam as the exam index has it."""
    return ExamRecord(
        accession_number=exam.accession,
        patient_id=exam.person.patient_id,
        issuer=exam.person.issuer,
        study_date=exam.day,
        modality=exam.modality,
        description=exam.description,
        body_part=exam.body_part,
        laterality=exam.laterality,
        expected_films=exam.films,
    )


def fill(index: SqlPatientIndex, made: Town) -> int:
    """Import the town's known people and their indexed exams; return how many people."""
    known = [person for person, there in zip(made.people, made.known, strict=True) if there]
    index.import_patients(map(as_record, known))
    index.import_exams(
        as_exam(exam)
        for exams, there in zip(made.exams, made.known, strict=True)
        for exam in exams
        if there and exam.indexed
    )
    return len(known)


def testify(lines: tuple[str, ...], barcodes: tuple[str, ...], source: FieldSource) -> Testimony:
    """Parse lines as the command does."""
    return reading.testimony_of_lines(lines, barcodes, source, RULES)


def run(
    made: Town,
    index: SqlPatientIndex,
    seed: int,
    films: int,
    spoilt: Spoilt = UNSPOILT,
    caps: Caps | None = None,
    progress: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Decide films; the tally tells the seconds of this process that deciding took."""
    tally, queue = Tally(), []

    def lines() -> Iterator[str]:
        for one in jackets_of(made, seed, films, spoilt=spoilt):
            queue.append(one)
            yield json.dumps(one.row)

    began, drawn = time.process_time(), 0.0
    for answer in match_lines(lines(), testify, index, PolicySettings(), caps=caps):
        truth = queue.pop(0)
        assert truth.row["id"] == answer["id"]
        tally.add(truth, answer)
        if tally.films % 10_000 == 0:
            wrong = f"{len(tally.wrong_patient)} wrong patients, {len(tally.wrong_exam)} exams"
            print(f"  {tally.films} films, {tally.filed} filed, {wrong}", file=sys.stderr)
            tally.seconds = time.process_time() - began
            progress(tally)
    took = time.process_time() - began
    began = time.process_time()
    for one in jackets_of(made, seed, min(films, 2000)):
        json.dumps(one.row)
    drawn = (time.process_time() - began) * films / min(films, 2000)
    tally.seconds = took - drawn
    return tally


def timed(search: Callable[..., Any], texts: Iterable[FilmText]) -> list[float]:
    """Return the milliseconds of candidate searches, one a jacket."""
    found: list[float] = []
    for one in texts:
        sides = [one.row["jacket"], one.row["film"]]
        said = [testify(tuple(s["lines"]), tuple(s["barcodes"]), FieldSource.FILM) for s in sides]
        began = time.perf_counter()
        search(said)
        found.append(1000 * (time.perf_counter() - began))
    return found


def opened(folder: Path, made: Town, name: str) -> SqlPatientIndex:
    """Open the index of a town, filled the first time."""
    folder.mkdir(parents=True, exist_ok=True)
    path, done = folder / f"{name}.sqlite", folder / f"{name}.done"
    ledger = SqlLedger(f"sqlite:///{path}", wiring.SystemClock(), reserve=0)
    ledger.migrate()
    index = SqlPatientIndex(ledger)
    if not done.exists():
        began = time.process_time()
        count = fill(index, made)
        done.write_text(f"{datetime.now(UTC):%Y-%m-%d}\n")
        print(
            f"  {count} patients imported in {time.process_time() - began:.0f} s", file=sys.stderr
        )
    return index


def write_measured(tally: Tally, path: Path) -> None:
    """Write how often each class was filed wrongly, with its provenance, for the caps."""
    lines = [
        "# How often films of each class of evidence were filed wrongly, with the caps lifted:",
        "# invented texts, measured by scripts/bench_identity.py (--uncapped --json, then --add",
        f"# --measured) on {datetime.now(UTC):%Y-%m-%d}. identity/classes.py makes the caps of it.",
        "",
        "[provenance]",
        f"films = {tally.films}",
        "runs = [",
        *(f"    {json.dumps(line)}," for line in tally.runs),
        "]",
    ]
    for what, classes in (("patient", tally.classes), ("exam", tally.exam_classes)):
        for kind, (wrong, of) in sorted(classes.items()):
            lines += ["", f"[{what}.{kind}]", f"wrong = {wrong}", f"filed = {of}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    """Measure and print."""
    given = _arguments()
    tally = Tally.of_files(given.add) if given.add else _measured(given)
    if given.measured:
        write_measured(tally, given.measured)
    for line in tally.runs:
        print(line)
    good = report(tally)
    for wrong in (*tally.wrong_patient[:10], *tally.wrong_exam[:5]):
        print(f"  wrong: {wrong}")
    print("  asked of a person although fileable:")
    for what, count in Counter(tally.asked).most_common(24):
        print(f"    {count:6} {what}")
    if given.examples:
        texts = [f"## {kind}\n" + "\n".join(shown) for kind, shown in tally.examples.items()]
        texts += ["## wrong exam\n" + "\n".join(tally.wrong_exam)]
        given.examples.write_text("\n".join(texts) + "\n")
    return 0 if good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--films", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--town", type=int, default=1, help="seed of the town")
    parser.add_argument("--data", type=Path, help="keep the index here, for the next run")
    parser.add_argument("--examples", type=Path, help="write what was asked about or wrong here")
    parser.add_argument("--json", type=Path, help="write the tally here, to be added to others")
    parser.add_argument("--add", type=Path, nargs="+", help="add up tallies instead of a run")
    parser.add_argument("--measured", type=Path, help="write what the caps are made of here")
    parser.add_argument("--uncapped", action="store_true", help="measure what the caps are made of")
    for name, meaning in (
        ("two-a-day", "part of the exam days that hold two exams"),
        ("spoil", "part of the films whose record number is misread"),
        ("lost", "part of the films that bear no record number"),
        ("spoil-accession", "part of the films whose accession number is misread"),
        ("unnumbered", "part of the films that bear no accession number"),
    ):
        parser.add_argument(f"--{name}", type=float, default=0.0, help=meaning)
    parser.add_argument("--full", action="store_true", help="all films bear a full block")
    parser.add_argument(
        "--unindexed", type=float, default=0.15, help="part of the exams not in the exam index"
    )
    return parser.parse_args()


def _measured(given: argparse.Namespace) -> Tally:
    shares = Shares(two_a_day=given.two_a_day, unknown_exams=given.unindexed)
    made = town(given.town, given.patients, shares)
    spoilt = Spoilt(
        record=given.spoil,
        lost=given.lost,
        accession=given.spoil_accession,
        unnumbered=given.unnumbered,
        full=given.full,
    )
    told = (
        f"{given.patients} people of town {given.town}, films in jackets of seed "
        f"{given.seed}, {spoilt}, {given.two_a_day:.0%} of exam days hold two exams, "
        f"{given.unindexed:.0%} of exams not in the index{', caps lifted' * given.uncapped}"
    )

    def keep(so_far: Tally) -> None:
        so_far.runs = [f"{so_far.films} films of {told}"]
        if given.json:
            so_far.write(given.json)

    with tempfile.TemporaryDirectory() as scratch:
        name = f"town-{given.town}-{given.patients}-{given.two_a_day}-{given.unindexed}"
        index = opened(given.data or Path(scratch), made, name)
        caps = UNCAPPED if given.uncapped else None
        # As the command does; it has no town in its memory to look through for garbage.
        wiring.settle_process()
        tally = run(made, index, given.seed, given.films, spoilt, caps, keep)
        tally.searches = timed(index.candidates, jackets_of(made, given.seed + 1, 300))
    keep(tally)
    return tally


if __name__ == "__main__":
    sys.exit(main())
