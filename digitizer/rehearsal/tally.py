"""What a score counts, and how it reads."""

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["EvidenceClass", "Hazard", "Score"]

_EVIDENCE = {
    "full": "full and legible",
    "partial": "in part",
    "faint": "too faint to read",
    "none": "nothing",
}


@dataclass(slots=True)
class EvidenceClass:
    """How films with one kind of evidence ended; *right* and *wrong* count filings by itself.

    ``by_hand`` counts what a person filed, ``by_hand_wrong`` those of them filed wrongly.
    """

    films: int = 0
    auto_right: int = 0
    wrong_patient: int = 0
    wrong_exam: int = 0
    review: int = 0
    by_hand: int = 0
    by_hand_wrong: int = 0
    other: int = 0


@dataclass(frozen=True, slots=True)
class Hazard:
    """One planted hazard and how it ended."""

    source: str
    hazard: str
    state: str
    reasons: tuple[str, ...]
    as_expected: bool
    complaint: str = ""


@dataclass(slots=True)
class Score:
    """A batch beside the truth.

    Attributes
    ----------
    scans, scans_missing, scans_extra : int
        Scans of the truth; those that the batch does not have; those that only the batch has.
    films, films_found, films_extra : int
        Films of the truth; those found; those found where none is.
    corner_px, corner_mm : dict
        ``median``, ``p95`` and ``max`` of the distance of a corner from its true place. A film
        whose orientation is wrong or not told is compared without regard to which corner is which.
    skew_deg : dict
        The same of the absolute error of the skew; ``abstained`` films gave none.
    turn, mirror : dict
        Films ``right``, ``wrong``, ``abstained``.
    kinds : dict
        True kind, then told kind, then number of scans.
    evidence : dict of EvidenceClass
        By class of evidence on the film.
    full_fraction : float or None
        Of the films with a full, legible block, filed rightly, patient and exam in the index: the
        part filed by itself and rightly.
    full_films : int
        How many those are.
    wrong : list of str
        Films filed to a wrong patient or exam, and what was filed and is no film.
    hazards : list of Hazard
        Every planted hazard.
    duplicates, duplicates_linked : int
        Byte-identical copies; those linked to their first.
    bad_files, quarantined : int
        Unreadable files; those quarantined.
    """

    scans: int = 0
    scans_missing: int = 0
    scans_extra: int = 0
    films: int = 0
    films_found: int = 0
    films_extra: int = 0
    corner_px: dict[str, float | None] = field(default_factory=dict)
    corner_mm: dict[str, float | None] = field(default_factory=dict)
    skew_deg: dict[str, float | None] = field(default_factory=dict)
    turn: dict[str, int] = field(default_factory=dict)
    mirror: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, dict[str, int]] = field(default_factory=dict)
    evidence: dict[str, EvidenceClass] = field(default_factory=dict)
    full_fraction: float | None = None
    full_films: int = 0
    wrong: list[str] = field(default_factory=list)
    hazards: list[Hazard] = field(default_factory=list)
    duplicates: int = 0
    duplicates_linked: int = 0
    bad_files: int = 0
    quarantined: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return asdict(self)

    def __str__(self) -> str:
        """Return the plain table."""
        return _table(self)


def _numbers(values: dict[str, float | None], unit: str) -> str:
    words = {"median": "half within", "p95": "95 % within", "max": "all within"}
    told = ", ".join(
        f"{word} {values[name]:g} {unit}"
        for name, word in words.items()
        if values.get(name) is not None
    )
    return told or "nothing to compare"


def _counts(values: dict[str, int]) -> str:
    words = {"right": "right", "wrong": "wrong", "abstained": "not told"}
    return ", ".join(f"{values.get(name, 0)} {word}" for name, word in words.items())


def _verdict(one: Score) -> str:
    if one.wrong:
        many = len(one.wrong)
        return f"{many} {'FILM WAS' if many == 1 else 'FILMS WERE'} FILED WRONGLY."
    return "No film was filed wrongly."


def _filing(one: Score) -> list[str]:
    columns = (
        "films",
        "filed right",
        "wrong patient",
        "wrong exam",
        "for review",
        "by hand",
        "else",
    )
    lines = [f"  {'on the film':<18}" + "".join(f"{name:>15}" for name in columns)]
    for name, words in _EVIDENCE.items():
        group = one.evidence.get(name)
        if group is not None:
            counts = (
                group.films,
                group.auto_right,
                group.wrong_patient,
                group.wrong_exam,
                group.review,
                group.by_hand,
                group.other,
            )
            lines.append(f"  {words:<18}" + "".join(f"{count:>15}" for count in counts))
    if one.full_fraction is not None:
        done = round(one.full_fraction * one.full_films)
        lines.append(
            f"  Of {one.full_films} films that could be filed with no hand (full legible block, in "
            f"their jacket, in the index) {done} were: {one.full_fraction:.0%}."
        )
    return lines


def _table(one: Score) -> str:
    groups = one.evidence.values()
    right = sum(group.auto_right for group in groups)
    review = sum(group.review for group in groups)
    extra = f", {one.scans_extra} of the batch not of this room" if one.scans_extra else ""
    kinds = sum(count for told in one.kinds.values() for count in told.values())
    kinds_right = sum(told.get(kind, 0) for kind, told in one.kinds.items())
    out = [
        f"{_verdict(one)} {right} of {one.films} films filed rightly by itself, {review} left to a "
        "person.",
        *(f"  WRONG   {text}" for text in one.wrong),
        "",
        *_filing(one),
        "",
        f"Scans      {one.scans}: {one.scans_missing} missing from the batch{extra}",
        f"Kinds      {kinds_right} of {kinds} told rightly",
        *(
            f"  {count} {kind} taken for {name}"
            for kind, told in sorted(one.kinds.items())
            for name, count in sorted(told.items())
            if name != kind
        ),
        f"Films      {one.films_found} of {one.films} found, {one.films_extra} found that are none",
        f"Corners    {_numbers(one.corner_px, 'px')}",
        f"           {_numbers(one.corner_mm, 'mm')}",
        f"Skew       {_numbers(one.skew_deg, 'degrees')}; "
        f"{one.skew_deg.get('abstained') or 0} not told",
        f"Turn       {_counts(one.turn)}",
        f"Mirror     {_counts(one.mirror)}",
        f"Copies     {one.duplicates_linked} of {one.duplicates} linked to their first",
        f"Bad files  {one.quarantined} of {one.bad_files} quarantined",
        f"Hazards    {sum(h.as_expected for h in one.hazards)} of {len(one.hazards)} ended as they "
        "should",
        *(
            f"  {h.hazard} {h.source}: {h.state}"
            f"{' (' + ', '.join(h.reasons) + ')' if h.reasons else ''}; {h.complaint}"
            for h in one.hazards
            if not h.as_expected
        ),
    ]
    return "\n".join(out)
