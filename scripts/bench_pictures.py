"""Reading and linkage together: drawn labels and films of an invented town, decided as in a batch.

Each case is a jacket with its label and one film, at three degrees of wear; some films lie in a
look-alike's jacket or a stranger's, some bear a part of a block, or one that nobody can read. They
go the product's own way: sheet, reading, fields, decision, in the index of the whole town.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import cv2
from bench_identity import opened
from bench_reading import WEARS, digitizer_reads, rules
from linkage_tally import LOOK_ALIKES, Tally, report

from digitizer import identity, reading
from digitizer.identity import UNCAPPED, Caps, PolicySettings
from digitizer.ledger import SqlPatientIndex
from digitizer.model.film import SheetKind
from digitizer.model.identity import FilmCase, JacketCase, Outcome, Verdict
from digitizer.model.reading import FieldSource
from digitizer.rehearsal.exams import Exam
from digitizer.rehearsal.people import Person
from digitizer.rehearsal.specimens import draw_film, draw_jacket_label
from digitizer.rehearsal.texts import FilmText, tells_exam
from digitizer.rehearsal.town import Town, kin_of, town

EVIDENCE = (("full", "partial", "faint", "none"), (0.78, 0.1, 0.06, 0.06))
MISFILED = 0.12


def pick(made: Town, rng: Random) -> tuple[int, int, str]:
    """Return whose jacket, whose film, and how that is misfiled."""
    while True:
        owner = rng.randrange(len(made.people))
        other, kind = owner, ""
        if rng.random() < MISFILED:
            kin = kin_of(made, owner)
            other = rng.choice(kin) if kin else rng.randrange(len(made.people))
            kind = (made.people[max(other, owner)].kin or "stranger") if kin else "stranger"
        if made.exams[owner] and made.exams[other] and (other != owner or not kind):
            return owner, other, kind


def misfile(made: Town, seed: int, number: int) -> str:
    """Return how a case is misfiled; nothing if it is not."""
    return pick(made, Random(f"{seed}:{number}"))[2]


def wanted(kind: str, only: str | None) -> bool:
    """Tell whether cases misfiled in this way were asked for."""
    return kind in LOOK_ALIKES if only == "look-alikes" else bool(kind) or only is None


def decided(
    made: Town, index: SqlPatientIndex, seed: int, number: int, caps: Caps | None
) -> tuple[FilmText, Verdict, tuple[Person, bool, bool], Verdict, float]:
    """Draw one jacket and decide it; return film and label with their truth, and the CPU time."""
    rng = Random(f"{seed}:{number}")
    owner, other, kind = pick(made, rng)
    wear = list(WEARS)[number % len(WEARS)]
    person, exam = made.people[owner], rng.choice(made.exams[other])
    evidence = rng.choices(*EVIDENCE)[0]
    label = draw_jacket_label(
        (seed, 1, number), wear=WEARS[wear], of=(person, list(made.exams[owner]))
    )
    film = draw_film((seed, 2, number), wear=WEARS[wear], evidence=evidence, of=exam)
    on_label, spent = digitizer_reads(label.raster, SheetKind.LABEL)
    on_film, more = digitizer_reads(film.raster, SheetKind.FILM)
    began = time.process_time()
    said = reading.testimony(on_label.reading, FieldSource.LABEL, rules())
    case = JacketCase(
        label=said,
        record=None,
        films=(
            FilmCase(
                id=str(number),
                testimony=reading.testimony(on_film.reading, FieldSource.FILM, rules()),
            ),
        ),
    )
    policy = PolicySettings()
    (verdict,) = identity.decide_jacket(case, identity.gather(case, index), policy, caps)
    paper = identity.PaperCase(id="label", testimony=said, label=said, record=None)
    own = identity.decide_paper(paper, index, policy, caps)
    spent += more + time.process_time() - began
    legible = film.legible and film.block.style != "written"
    truth = FilmText(
        row={"film": {"lines": case.films[0].testimony.lines}, "jacket": {"lines": said.lines}},
        person=made.people[other],
        exam=exam,
        known=made.known[other],
        owner=person,
        misfile=kind,
        evidence=evidence if legible or evidence == "none" else "faint",
        tells_exam=tells_exam(film.block.fields, exam, made.exams[other]),
        wear=wear,
    )
    plain = label.is_legible("patient_id")
    return truth, verdict, (person, made.known[owner], plain), own, spent


def answer(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as the tally takes it."""
    filed = verdict.outcome is Outcome.AUTO
    patient, exam = (verdict.patient, verdict.exam) if filed else (None, None)
    return {
        "outcome": verdict.outcome.value,
        "patient_id": patient.patient_id if patient else None,
        "issuer": patient.issuer if patient else None,
        "accession_number": exam.accession_number if exam else None,
        "posterior": verdict.posterior,
        "exam_posterior": verdict.exam_posterior,
        "evidence_class": verdict.evidence_class,
        "exam_evidence": verdict.exam_evidence,
        "reasons": [{"code": one.code.value, "text": one.text} for one in verdict.reasons],
    }


def written(path: Path) -> list[dict[str, Any]]:
    """Return the cases of a file; a line cut short by a run that was stopped is none."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def cases(given: argparse.Namespace, done: set[int]) -> Iterator[dict[str, Any]]:
    """Decide the cases asked for that are not done yet, one line each."""
    made = town(given.town, given.patients)
    with tempfile.TemporaryDirectory() as scratch:
        name = f"town-{given.town}-{given.patients}-0.0-0.15"
        index = opened(given.data or Path(scratch), made, name)
        caps = UNCAPPED if given.uncapped else None
        for number in range(given.first, given.first + given.count):
            if number in done or not wanted(misfile(made, given.seed, number), given.only):
                continue
            truth, verdict, owner, own, spent = decided(made, index, given.seed, number, caps)
            told = answer(own)
            right = (told["issuer"], told["patient_id"]) == owner[0].number and owner[1]
            yield {
                "number": number,
                "cpu": spent,
                "label": [own.outcome is Outcome.AUTO, right, owner[1] and owner[2]],
                "film": _plain(truth),
                "answer": answer(verdict),
            }


def _plain(truth: FilmText) -> dict[str, Any]:
    exam = truth.exam
    return {
        "row": truth.row,
        "person": truth.person.number,
        "exam": [exam.accession, exam.indexed],
        **{
            name: getattr(truth, name)
            for name in ("known", "misfile", "evidence", "tells_exam", "wear")
        },
    }


def _truth(kept: dict[str, Any], person: Person, exam: Exam) -> FilmText:
    """Return the truth of a case that was written down, as far as the tally asks for it."""
    issuer, number = kept["person"]
    accession, indexed = kept["exam"]
    person = replace(person, issuer=issuer, patient_id=number)
    return FilmText(
        person=person,
        owner=person,
        exam=replace(exam, accession=accession, indexed=indexed),
        **{
            name: kept[name]
            for name in ("row", "known", "misfile", "evidence", "tells_exam", "wear")
        },
    )


def summed(paths: list[Path]) -> bool:
    """Add up the cases that were written, and print; return whether all holds."""
    made = town(1, 10)
    somebody, some = made.people[0], next(exams[0] for exams in made.exams if exams)
    tally, filed, wrong, could = Tally(), 0, 0, [0, 0]
    cpu: list[float] = []
    for path in paths:
        for case in written(path):
            tally.add(_truth(case["film"], somebody, some), case["answer"])
            auto, right, legible = case["label"]
            filed += auto
            wrong += auto and not right
            if legible:
                could = [could[0] + auto, could[1] + 1]
            cpu.append(case["cpu"])
    tally.seconds = sum(cpu)
    print(
        f"{tally.films} labels and {tally.films} films; {sum(cpu) / len(cpu):.2f} s of CPU a pair"
    )
    low, high = identity.interval(wrong, filed)
    print(
        f"labels: {filed} filed, {wrong} to a wrong patient (95 % {1e5 * low:.0f}-{1e5 * high:.0f} "
        f"in 100,000); of {could[1]} legible ones of people in the index {could[0]}"
    )
    good = report(tally, timing=False)
    for one in (*tally.wrong_patient, *tally.wrong_exam):
        print(f"  wrong: {one}")
    return good and wrong == 0


def main() -> int:
    """Draw, decide and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--town", type=int, default=1, help="seed of the town")
    parser.add_argument("--count", type=int, default=2000, help="jackets")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, help="keep the index here, for the next run")
    parser.add_argument("--cases", type=Path, default=Path("bench-data/pictures.jsonl"))
    parser.add_argument("--resume", action="store_true", help="go on where a run was stopped")
    parser.add_argument("--only", choices=("misfiled", "look-alikes"), help="pass over others")
    parser.add_argument("--uncapped", action="store_true", help="file more than the caps allow")
    parser.add_argument("--add", type=Path, nargs="+", help="add up cases instead of a run")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    if not given.add:
        given.cases.parent.mkdir(parents=True, exist_ok=True)
        before = written(given.cases) if given.resume else []
        with given.cases.open("w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(case) + "\n" for case in before)
            for case in cases(given, {case["number"] for case in before}):
                stream.write(json.dumps(case) + "\n")
                stream.flush()
    return 0 if summed(given.add or [given.cases]) else 1


if __name__ == "__main__":
    sys.exit(main())
