"""What is heard of one engine: its claims, how sure the grammar is of them, what is still open."""

from collections import defaultdict
from dataclasses import dataclass, field

from digitizer.model.identity import PersonName
from digitizer.model.reading import FieldName
from digitizer.reading.captions import Caption
from digitizer.reading.dates import FoundDate
from digitizer.reading.rules import ReadingRules

__all__ = [
    "CAPTIONED",
    "DAMAGED",
    "DULL",
    "GUESSED",
    "MENDED",
    "OTHER_FORM",
    "SHAPED",
    "Claim",
    "Hearing",
    "LooseDate",
    "NameClaim",
    "Witness",
]

CAPTIONED, SHAPED, GUESSED = 0.92, 0.75, 0.5
MENDED = 0.65
OTHER_FORM = 0.8
"""A captioned number whose form is not the site's."""
DAMAGED = 0.45
"""One of digits alone, of a length that is not the site's."""
DULL = 0.6
"""An engine's score below which a line without caption is not searched for names and numbers."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A value, and how sure the grammar is of it, 0 to 1.

    Of a date also how it was written, and where in that each of its eight figures stands
    (:class:`digitizer.reading.dates.FoundDate`).
    """

    value: str
    confidence: float
    written: str = ""
    figures: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class NameClaim:
    """A name, and how sure the grammar is of it."""

    name: PersonName
    confidence: float


@dataclass(slots=True)
class Witness:
    """All claims of one engine."""

    claims: dict[FieldName, list[Claim]] = field(default_factory=lambda: defaultdict(list))
    names: list[NameClaim] = field(default_factory=list)
    perhaps_births: set[str] = field(default_factory=set)
    """Days before which rather a birth's caption stands, misread: no exam's."""

    def add(self, name: FieldName, value: str, confidence: float) -> None:
        """Note a claim."""
        if value:
            self.claims[name].append(Claim(value, confidence))

    def add_date(self, name: FieldName, value: str, loose: "LooseDate") -> None:
        """Note a date; ``value`` is that found, or the same in another century."""
        found = loose.found
        self.claims[name].append(Claim(value, loose.confidence, found.written, found.figures))


@dataclass(frozen=True, slots=True)
class LooseDate:
    """A date found, whether it stands beside the text of an exam, and how sure it is.

    ``perhaps_birth`` tells that what stands before it is rather a birth's caption, misread.
    """

    found: FoundDate
    with_exam: bool
    confidence: float
    perhaps_birth: bool = False


@dataclass(slots=True)
class Hearing:
    """What has been heard so far of one engine, and what is still open."""

    rules: ReadingRules
    witness: Witness = field(default_factory=Witness)
    dates: list[LooseDate] = field(default_factory=list)
    births: list[LooseDate] = field(default_factory=list)
    exam_dates: list[LooseDate] = field(default_factory=list)
    unclear: list[tuple[str, bool, float]] = field(default_factory=list)
    """Numbers that fit a record and an accession number; whether a date stands beside them."""
    exams: dict[str, dict[FieldName, str]] = field(default_factory=dict)
    family: str = ""
    given: str = ""
    middle: str = ""
    pending: Caption | None = None
    birth_captioned: bool = False
    score: float = 1.0

    def weigh(self, confidence: float) -> float:
        """Return a confidence lowered by the engine's own doubt of the line."""
        return confidence * (0.4 + 0.6 * self.score)
