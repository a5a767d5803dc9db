"""Linkage on invented texts with known truth: what is filed wrongly, and how much is filed at all.

Every figure stands beside its target and what it was counted on. The town, the texts and the
misreadings are drawn from fixed seeds; the decisions are those of ``digitizer match``.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from digitizer import reading, wiring
from digitizer.identity import PolicySettings, interval, match_lines
from digitizer.ledger import SqlLedger, SqlPatientIndex
from digitizer.model.identity import ExamRecord, PatientRecord, PersonName
from digitizer.model.reading import FieldSource, Testimony
from digitizer.rehearsal.exams import Exam
from digitizer.rehearsal.people import Person
from digitizer.rehearsal.texts import FilmText, jackets_of
from digitizer.rehearsal.town import Shares, Town, town

RULES = reading.ReadingRules()
LEVELS = {"fresh": 0.97, "worn": 0.90, "bad": 0.60}
_EXAMPLES = 12
LOOK_ALIKES = ("twin", "sibling", "namesake", "junior")


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


@dataclass
class Tally:
    """What became of the films."""

    films: int = 0
    filed: int = 0
    classes: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    wrong_patient: list[str] = field(default_factory=list)
    wrong_exam: list[str] = field(default_factory=list)
    unknown: list[int] = field(default_factory=lambda: [0, 0])
    silent: list[int] = field(default_factory=lambda: [0, 0])
    fileable: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    partial: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    noticed: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    posteriors: list[tuple[float, bool]] = field(default_factory=list)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, truth: FilmText, answer: dict[str, Any]) -> None:
        """Count one film."""
        self.films += 1
        auto = answer["outcome"] == "auto"
        if auto:
            self._add_filed(truth, answer)
        if not truth.known:
            _count(self.unknown, auto)
        if truth.evidence == "none":
            _count(self.silent, auto)
        in_place = truth.known and truth.exam.indexed and not truth.misfile
        if truth.fileable:
            _count(self.fileable[truth.wear], auto)
            if not auto:
                codes = " ".join(one["code"] for one in answer["reasons"])
                self.asked[truth.wear, codes] += 1
                self._keep(f"{truth.wear} {codes}", truth, answer)
        elif truth.legible and in_place:
            _count(self.partial[truth.wear], auto)
        if truth.misfile and truth.evidence == "full":
            codes = " ".join(one["code"] for one in answer["reasons"])
            noticed = "film_contradicts_jacket" in codes or "several_identities" in codes
            # Where the label cannot be read, a film may go to whom it says, past its jacket.
            noticed |= auto and (answer["issuer"], answer["patient_id"]) == truth.person.number
            _count(self.noticed[truth.misfile], noticed)
            if not noticed:
                self._keep(f"misfile {truth.misfile}", truth, answer)

    def _add_filed(self, truth: FilmText, answer: dict[str, Any]) -> None:
        self.filed += 1
        told = (answer["issuer"], answer["patient_id"])
        right = truth.known and told == truth.person.number
        self.posteriors.append((answer["posterior"], right))
        true_exam = truth.exam.accession if truth.exam.indexed else None
        _count(self.classes[answer["evidence_class"]], not right)
        if not right:
            self.wrong_patient.append(_shown(truth, answer))
        elif answer["accession_number"] != true_exam:
            self.wrong_exam.append(_shown(truth, answer))

    def _keep(self, kind: str, truth: FilmText, answer: dict[str, Any]) -> None:
        if len(self.examples[kind]) < _EXAMPLES:
            self.examples[kind].append(_shown(truth, answer))


def _count(pair: list[int], hit: bool) -> None:
    pair[0] += hit
    pair[1] += 1


def _shown(truth: FilmText, answer: dict[str, Any]) -> str:
    given = {key: answer[key] for key in ("patient_id", "issuer", "accession_number", "posterior")}
    texts = {side: truth.row[side]["lines"] for side in ("film", "jacket")}
    why = [f"{one['code']}: {one['text']}" for one in answer["reasons"]]
    return json.dumps(
        {"true": [*truth.person.number, truth.exam.accession, truth.exam.indexed, truth.misfile],
         "told": given, "why": why} | texts
    )  # fmt: skip


def testify(lines: tuple[str, ...], barcodes: tuple[str, ...], source: FieldSource) -> Testimony:
    """Parse lines as the command does."""
    return reading.testimony_of_lines(lines, barcodes, source, RULES)


def run(
    made: Town, index: SqlPatientIndex, seed: int, films: int, spoil: float = 0.0
) -> tuple[Tally, float]:
    """Decide films; return the tally and the seconds of this process that deciding took."""
    tally, queue = Tally(), []

    def lines() -> Iterator[str]:
        for one in jackets_of(made, seed, films, spoil_numbers=spoil):
            queue.append(one)
            yield json.dumps(one.row)

    began, drawn = time.process_time(), 0.0
    for answer in match_lines(lines(), testify, index, PolicySettings()):
        truth = queue.pop(0)
        assert truth.row["id"] == answer["id"]
        tally.add(truth, answer)
        if tally.films % 10_000 == 0:
            wrong = f"{len(tally.wrong_patient)} wrong patients, {len(tally.wrong_exam)} exams"
            print(f"  {tally.films} films, {tally.filed} filed, {wrong}", file=sys.stderr)
    took = time.process_time() - began
    began = time.process_time()
    for one in jackets_of(made, seed, min(films, 2000)):
        json.dumps(one.row)
    drawn = (time.process_time() - began) * films / min(films, 2000)
    return tally, took - drawn


def report(tally: Tally, seconds: float, searches: list[float]) -> bool:
    """Print the figures beside their targets; return whether all hold."""
    good = [True]

    def say(name: str, value: str, target: str, holds: bool) -> None:
        good[0] &= holds
        print(f"{'ok  ' if holds else 'MISS'} {name:58} {value:34} target {target}")

    wrong, filed = len(tally.wrong_patient), tally.filed
    low, high = interval(wrong, filed)
    coverage = f"{filed} filed of {tally.films}"
    allowed = 2 if tally.films >= 200_000 else 0
    say("wrong patient", f"{wrong} ({coverage}); 95 % {1e5 * low:.2f}-{1e5 * high:.2f} in 100,000",
        f"<= {allowed}", wrong <= allowed)  # fmt: skip
    wrong = len(tally.wrong_exam)
    _, high = interval(wrong, filed)
    rate = f"{1e4 * wrong / max(filed, 1):.2f} in 10,000 (95 % <= {1e4 * high:.2f})"
    say("wrong exam", f"{wrong}, {rate}", "<= 1 in 10,000", wrong <= filed / 1e4)
    for level, target in LEVELS.items():
        for name, pair, needed in (
            ("fileable filed", tally.fileable[level], target),
            ("  (partial blocks filed)", tally.partial[level], 0.0),
        ):
            say(f"{name}, {level}", share(pair), f">= {needed:.0%}", part(pair) >= needed)
    for kind, pair in sorted(tally.noticed.items()):
        needed = 0.97 if kind in LOOK_ALIKES else 0.99
        say(
            f"misfile noticed or past it, {kind}",
            share(pair),
            f">= {needed:.0%}",
            part(pair) >= needed,
        )
    say("not in the index, filed", share(tally.unknown), "0", tally.unknown[0] == 0)
    say("silent, filed by itself", share(tally.silent), "0", tally.silent[0] == 0)
    for kind, (wrong, of) in sorted(tally.classes.items()):
        _, high = interval(wrong, of, 0.9)
        say(f"  wrong of class {kind}", f"{wrong} of {of}, 95 % <= {1e5 * high:.1f} in 100,000",
            "-", True)  # fmt: skip
    for line, holds in calibration(tally.posteriors):
        say(*line, holds)
    if searches:
        middle = sorted(searches)[len(searches) // 2]
        say(
            "candidate search, median",
            f"{middle:.1f} ms of {len(searches)}",
            "<= 20 ms",
            middle <= 20,
        )
    rate = tally.films / max(seconds, 1e-9)
    say("match, lines a second of one core", f"{rate:.0f}", ">= 200", rate >= 200)
    return good[0]


def calibration(
    posteriors: list[tuple[float, bool]],
) -> Iterator[tuple[tuple[str, str, str], bool]]:
    """Compare what was claimed with what came true, decile by decile of the claims."""
    ordered = sorted(posteriors)
    for decile in range(10):
        part_of = ordered[decile * len(ordered) // 10 : (decile + 1) * len(ordered) // 10]
        if not part_of:
            continue
        wrong = sum(not right for _, right in part_of)
        claimed = sum(1 - p for p, _ in part_of) / len(part_of)
        low, high = interval(wrong, len(part_of))
        yield (
            (
                f"calibration, decile {decile + 1}, p >= {part_of[0][0]:.6f}",
                f"{wrong} of {len(part_of)}, {1e5 * low:.1f}-{1e5 * high:.1f} in 100,000",
                f"<= {1e5 * claimed:.1f} in 100,000",
            ),
            low <= claimed,
        )


def part(pair: list[int]) -> float:
    """Return a share; all of nothing."""
    return pair[0] / pair[1] if pair[1] else 1.0


def share(pair: list[int]) -> str:
    """Write a share with what it was counted on."""
    return f"{part(pair):.2%} ({pair[0]} of {pair[1]})"


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


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--films", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--town", type=int, default=1, help="seed of the town")
    parser.add_argument("--data", type=Path, help="keep the index here, for the next run")
    parser.add_argument("--examples", type=Path, help="write what was asked about or wrong here")
    parser.add_argument(
        "--two-a-day", type=float, default=0.0, help="part of the exam days that hold two exams"
    )
    parser.add_argument(
        "--spoil", type=float, default=0.0, help="part of the films whose record number is misread"
    )
    given = parser.parse_args()
    made = town(given.town, given.patients, Shares(two_a_day=given.two_a_day))
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.data or Path(scratch)
        index = opened(folder, made, f"town-{given.town}-{given.patients}-{given.two_a_day}")
        tally, seconds = run(made, index, given.seed, given.films, given.spoil)
        searches = timed(index.candidates, jackets_of(made, given.seed + 1, 300))
    print(
        f"{given.patients} people, {tally.films} films in jackets, seed {given.seed}, "
        f"{given.two_a_day:.0%} of exam days hold two exams"
    )
    good = report(tally, seconds, searches)
    for wrong in (*tally.wrong_patient[:10], *tally.wrong_exam[:5]):
        print(f"  wrong: {wrong}")
    print("  asked of a person although fileable:")
    for (level, codes), count in tally.asked.most_common(24):
        print(f"    {level:6} {count:6} {codes}")
    if given.examples:
        texts = [f"## {kind}\n" + "\n".join(shown) for kind, shown in tally.examples.items()]
        texts += ["## wrong exam\n" + "\n".join(tally.wrong_exam)]
        given.examples.write_text("\n".join(texts) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
