"""What became of films of known truth: counted, added up, held against the targets."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from digitizer.identity import interval
from digitizer.rehearsal.texts import FilmText

LEVELS = {"fresh": 0.97, "worn": 0.90, "bad": 0.60}
LOOK_ALIKES = ("twin", "sibling", "namesake", "junior")
_EXAMPLES = 12

Pairs = dict[str, list[int]]


def _pairs() -> Pairs:
    return defaultdict(lambda: [0, 0])


@dataclass
class Tally:
    """What became of the films; each pair is how many of how many."""

    films: int = 0
    filed: int = 0
    seconds: float = 0.0
    runs: list[str] = field(default_factory=list)
    classes: Pairs = field(default_factory=_pairs)
    """Filed to a wrong patient, by class of evidence."""
    exam_classes: Pairs = field(default_factory=_pairs)
    """Filed to a wrong exam of the right patient, by class of evidence."""
    wrong_patient: list[str] = field(default_factory=list)
    wrong_exam: list[str] = field(default_factory=list)
    unknown: list[int] = field(default_factory=lambda: [0, 0])
    silent: list[int] = field(default_factory=lambda: [0, 0])
    fileable: Pairs = field(default_factory=_pairs)
    partial: Pairs = field(default_factory=_pairs)
    noticed: Pairs = field(default_factory=_pairs)
    posteriors: list[tuple[float, bool]] = field(default_factory=list)
    exam_posteriors: list[tuple[float, bool]] = field(default_factory=list)
    searches: list[float] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=Counter)
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
                self.asked[f"{truth.wear:6} {codes}"] += 1
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
        _count(self.classes[answer["evidence_class"]], not right)
        if not right:
            self.wrong_patient.append(shown(truth, answer))
            return
        true_exam = truth.exam.accession if truth.exam.indexed else None
        right_exam = answer["accession_number"] == true_exam
        self.exam_posteriors.append((answer["exam_posterior"], right_exam))
        _count(self.exam_classes[answer["exam_evidence"]], not right_exam)
        if not right_exam:
            self.wrong_exam.append(shown(truth, answer))

    def _keep(self, kind: str, truth: FilmText, answer: dict[str, Any]) -> None:
        if len(self.examples[kind]) < _EXAMPLES:
            self.examples[kind].append(shown(truth, answer))

    def write(self, path: Path) -> None:
        """Write the tally, to be added to others."""
        path.write_text(json.dumps(vars(self)) + "\n", encoding="utf-8")

    @classmethod
    def of_files(cls, paths: Iterable[Path]) -> "Tally":
        """Add tallies up that were written."""
        total = cls()
        for path in paths:
            total.extend(json.loads(path.read_text(encoding="utf-8")))
        return total

    def extend(self, other: dict[str, Any]) -> None:
        """Add what another run counted."""
        for name in ("films", "filed", "seconds"):
            setattr(self, name, getattr(self, name) + other[name])
        for name in ("unknown", "silent"):
            _add(getattr(self, name), other[name])
        for name in ("classes", "exam_classes", "fileable", "partial", "noticed"):
            for kind, pair in other[name].items():
                _add(getattr(self, name)[kind], pair)
        for name in ("posteriors", "exam_posteriors"):
            getattr(self, name).extend((p, right) for p, right in other[name])
        for name in ("runs", "wrong_patient", "wrong_exam", "searches"):
            getattr(self, name).extend(other[name])
        for kind, count in other["asked"].items():
            self.asked[kind] += count
        for kind, texts in other["examples"].items():
            self.examples[kind] += texts


def _count(pair: list[int], hit: bool) -> None:
    pair[0] += hit
    pair[1] += 1


def _add(pair: list[int], more: list[int]) -> None:
    pair[0] += more[0]
    pair[1] += more[1]


def shown(truth: FilmText, answer: dict[str, Any]) -> str:
    """Write a film, its truth and its answer on one line."""
    keys = ("patient_id", "issuer", "accession_number", "posterior", "exam_posterior")
    given = {key: answer[key] for key in keys}
    texts = {side: truth.row[side]["lines"] for side in ("film", "jacket")}
    why = [f"{one['code']}: {one['text']}" for one in answer["reasons"]]
    return json.dumps(
        {"true": [*truth.person.number, truth.exam.accession, truth.exam.indexed, truth.misfile],
         "told": given, "why": why} | texts
    )  # fmt: skip


def report(tally: Tally, *, timing: bool = True) -> bool:
    """Print the figures beside their targets; return whether all hold."""
    good = True
    figures = [*_figures(tally), *(_timing(tally) if timing else ())]
    for name, value, target, holds in figures:
        good &= holds
        print(f"{'ok  ' if holds else 'MISS'} {name:58} {value:34} target {target}")
    return good


Figure = tuple[str, str, str, bool]


def _figures(tally: Tally) -> Iterator[Figure]:
    wrong, filed = len(tally.wrong_patient), tally.filed
    low, high = interval(wrong, filed)
    coverage = f"{filed} filed of {tally.films}"
    allowed = 2 if tally.films >= 200_000 else 0
    value = f"{wrong} ({coverage}); 95 % {1e5 * low:.2f}-{1e5 * high:.2f} in 100,000"
    yield "wrong patient", value, f"<= {allowed}", wrong <= allowed
    wrong = len(tally.wrong_exam)
    _, high = interval(wrong, filed)
    value = f"{wrong}, {1e4 * wrong / max(filed, 1):.2f} in 10,000 (95 % <= {1e4 * high:.2f})"
    yield "wrong exam", value, "<= 1 in 10,000", wrong <= filed / 1e4
    for level, target in LEVELS.items():
        for name, pair, needed in (
            ("fileable filed", tally.fileable[level], target),
            ("  (partial blocks filed)", tally.partial[level], 0.0),
        ):
            yield f"{name}, {level}", share(pair), f">= {needed:.0%}", part(pair) >= needed
    for alike, needed in ((False, 0.99), (True, 0.97)):
        kinds = {
            kind: pair for kind, pair in tally.noticed.items() if alike is (kind in LOOK_ALIKES)
        }
        pair = [sum(column) for column in zip([0, 0], *kinds.values(), strict=True)]
        name = f"misfile noticed or past it, {'look-alikes' if alike else 'others'}"
        yield name, share(pair), f">= {needed:.0%}", part(pair) >= needed
        for kind, own in sorted(kinds.items()):
            yield f"  {kind}", share(own), "-", True
    yield "not in the index, filed", share(tally.unknown), "0", tally.unknown[0] == 0
    yield "silent, filed by itself", share(tally.silent), "0", tally.silent[0] == 0
    for what, classes in (("patient", tally.classes), ("exam", tally.exam_classes)):
        for kind, (wrong, of) in sorted(classes.items()):
            _, high = interval(wrong, of, 0.9)
            value = f"{wrong} of {of}, 95 % <= {1e5 * high:.1f} in 100,000"
            yield f"  wrong {what} of class {kind}", value, "-", True
    yield from calibration("patient", tally.posteriors)
    yield from calibration("exam", tally.exam_posteriors)


def _timing(tally: Tally) -> Iterator[Figure]:
    if tally.searches:
        middle = sorted(tally.searches)[len(tally.searches) // 2]
        value = f"{middle:.1f} ms of {len(tally.searches)}"
        yield "candidate search, median", value, "<= 20 ms", middle <= 20
    rate = tally.films / max(tally.seconds, 1e-9)
    yield "match, lines a second of one core", f"{rate:.0f}", ">= 200", rate >= 200


def calibration(what: str, posteriors: list[tuple[float, bool]]) -> Iterator[Figure]:
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
            f"calibration of the {what}, decile {decile + 1}, p >= {part_of[0][0]:.6f}",
            f"{wrong} of {len(part_of)}, {1e5 * low:.1f}-{1e5 * high:.1f} in 100,000",
            f"<= {1e5 * claimed:.1f} in 100,000",
            low <= claimed,
        )


def part(pair: list[int]) -> float:
    """Return a share; all of nothing."""
    return pair[0] / pair[1] if pair[1] else 1.0


def share(pair: list[int]) -> str:
    """Write a share with what it was counted on."""
    return f"{part(pair):.2%} ({pair[0]} of {pair[1]})"
