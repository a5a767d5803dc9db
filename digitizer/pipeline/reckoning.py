"""A batch or a box counted up, film by film: what is in the archive, and what may be released.

Only what was read back from the archive and found equal counts. A jacket may be released when every
film that the list expects is there and verified, and nothing else of it is open. What this never
does: count for the list. A jacket that is not on it has to be counted by hand.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from digitizer.errors import UnknownRecord
from digitizer.model.film import ScanKind, SheetKind
from digitizer.model.identity import JacketRecord
from digitizer.model.records import Batch, Jacket, Scan, Sheet
from digitizer.model.states import ENDS, HOLDS, State
from digitizer.pipeline.report import scan_state
from digitizer.pipeline.services import Services
from digitizer.ports import PatientIndex, Transaction

__all__ = ["FilmLine", "JacketLine", "Reckoning", "reckon_batch", "reckon_box"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmLine:
    """One film, label or document, or a scan in which none was found."""

    source: str
    kind: str
    state: State
    why: str
    flags: tuple[str, ...] = ()
    patient: str = ""
    number: str = ""
    study_date: str = ""
    accession_number: str = ""
    decided_by: str = ""
    doubt: float = 0.0
    changed_at: datetime | None = None
    id: str = ""

    @property
    def is_film(self) -> bool:
        """Whether it is a film that has not ended."""
        return self.kind == SheetKind.FILM and self.state not in ENDS


@dataclass(frozen=True, slots=True, kw_only=True)
class JacketLine:
    """One jacket: ``batch`` is empty where it is on the list and was never scanned."""

    batch: str
    box: str
    name: str
    expected: int | None
    lines: tuple[FilmLine, ...] = ()
    disputed: int = 0
    """Films filed with no hand that people found to be somebody else's."""
    first_open: bool = False
    """A scan of it repeats one elsewhere, whose film is not verified."""

    @property
    def title(self) -> str:
        """Return box and name."""
        return "/".join(part for part in (self.box, self.name) if part) or "(no name)"

    @property
    def films(self) -> int:
        """Count its films."""
        return sum(one.is_film for one in self.lines)

    def count(self, *states: State) -> int:
        """Count its films in some states."""
        return sum(one.is_film and one.state in states for one in self.lines)

    @property
    def keeps(self) -> tuple[str, ...]:
        """Say what keeps it from being released; nothing when it may be."""
        told = []
        if not self.batch:
            return ("on the list, never scanned",)
        if self.expected is None:
            told.append("not on the jacket list: count its films by hand")
        elif self.films != self.expected:
            short = self.expected - self.films
            films = "1 film" if abs(short) == 1 else f"{abs(short)} films"
            told.append(f"{films} missing" if short > 0 else f"{films} too many")
        open_ = Counter(one.state for one in self.lines if one.state not in ENDS | {State.VERIFIED})
        held = sum(n for state, n in open_.items() if state in HOLDS)
        if held:
            told.append(f"{held} held")
        if sum(open_.values()) > held:
            told.append(f"{sum(open_.values()) - held} not verified yet")
        if self.disputed:
            told.append(f"{self.disputed} found to be filed wrongly")
        if self.first_open:
            told.append("repeats a scan elsewhere that is not verified")
        return tuple(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """A batch or a box, counted at one moment."""

    title: str
    subject: str
    """Id that the audit trail keeps who had it printed under."""
    jackets: tuple[JacketLine, ...]
    blind_answered: int
    blind_wrong: int

    @property
    def lines(self) -> tuple[FilmLine, ...]:
        """Return all films, labels and documents, and scans without any."""
        return tuple(line for jacket in self.jackets for line in jacket.lines)


def reckon_batch(services: Services, name: str) -> Reckoning:
    """Count a batch up.

    Raises
    ------
    UnknownRecord
        There is none of that name.
    """
    with services.ledger.reading() as view:
        batch = view.batch_named(name)
        if batch is None:
            raise UnknownRecord(
                f"There is no batch {name}.", remedy="`digitizer batch list` shows the names."
            )
        jackets = view.jackets(batch.id)
        scans, sheets = view.scans(batch_id=batch.id), view.sheets(batch_id=batch.id)
        lines = _jackets(view, services.index, {batch.id: batch}, jackets, scans, sheets)
        return _reckoning(view, f"Batch {name}", batch.id, lines)


def reckon_box(services: Services, name: str) -> Reckoning:
    """Count a box up, through all batches, with the jackets of the list that were never scanned.

    Raises
    ------
    UnknownRecord
        Neither the ledger nor the jacket list knows it.
    """
    listed = services.index.jackets_of_box(name)
    with services.ledger.reading() as view:
        batches = {one.id: one for one in view.batches()}
        jackets = view.jackets_of_box(name)
        if not jackets and not listed:
            raise UnknownRecord(
                f"There is no box {name}.", remedy="The console's migration page lists them."
            )
        scans = [scan for one in jackets for scan in view.scans(jacket_id=one.id)]
        sheets = [sheet for one in jackets for sheet in view.sheets(jacket_id=one.id)]
        lines = _together(_jackets(view, services.index, batches, jackets, scans, sheets))
        lines += _never_scanned(listed, {one.name for one in jackets})
        return _reckoning(view, f"Box {name}", f"box:{name}", lines)


def _reckoning(
    view: Transaction, title: str, subject: str, jackets: Sequence[JacketLine]
) -> Reckoning:
    auto = {one.id for jacket in jackets for one in jacket.lines if one.decided_by == "auto"}
    looks = [
        one
        for one in view.blind_reviews()
        if one.sheet_id in auto and one.answer and not one.planted
    ]
    wrong = {one.sheet_id for one in looks if one.answer == "other" and not one.mistaken}
    disputed = wrong | _confirmed_wrong(view, auto)
    return Reckoning(
        title=title,
        subject=subject,
        jackets=tuple(
            replace(jacket, disputed=sum(one.id in disputed for one in jacket.lines))
            for jacket in jackets
        ),
        blind_answered=len(looks),
        blind_wrong=len(wrong),
    )


def _confirmed_wrong(view: Transaction, films: Iterable[str]) -> set[str]:
    """Return the films that people confirmed to be filed wrongly, and nobody has decided since."""
    if not any(one.wrong for one in view.standings()):
        return set()
    return {
        film for film in films if any(one.name == "confirmed_wrong" for one in view.events(film))
    }


def _together(jackets: Iterable[JacketLine]) -> list[JacketLine]:
    """Put together what was scanned of one jacket in several batches."""
    made: dict[str, JacketLine] = {}
    for one in jackets:
        before = made.get(one.name)
        made[one.name] = (
            one
            if before is None
            else replace(
                one,
                batch=f"{before.batch}, {one.batch}",
                lines=before.lines + one.lines,
                first_open=before.first_open or one.first_open,
            )
        )
    return list(made.values())


def _never_scanned(listed: Iterable[JacketRecord], scanned: set[str]) -> list[JacketLine]:
    return [
        JacketLine(batch="", box=one.box or "", name=one.jacket, expected=one.expected_films)
        for one in listed
        if one.jacket not in scanned
    ]


def _jackets(
    view: Transaction,
    index: PatientIndex,
    batches: dict[str, Batch],
    jackets: Iterable[Jacket],
    scans: Iterable[Scan],
    sheets: Iterable[Sheet],
) -> list[JacketLine]:
    scans_of: dict[str, list[Scan]] = {}
    sheets_of: dict[str, list[Sheet]] = {}
    for scan in scans:
        scans_of.setdefault(scan.jacket_id, []).append(scan)
    for sheet in sheets:
        sheets_of.setdefault(sheet.scan_id, []).append(sheet)
    made = []
    for jacket in jackets:
        own = scans_of.get(jacket.id, [])
        listed = index.jacket(jacket.name, jacket.box) if jacket.name else None
        line = JacketLine(
            batch=batches[jacket.batch_id].name,
            box=jacket.box or "",
            name=jacket.name,
            expected=listed.expected_films if listed else jacket.expected_films,
            lines=tuple(line for one in own for line in _lines(one, sheets_of.get(one.id, []))),
            first_open=any(_repeats_open(view, one) for one in own),
        )
        if own or jacket.name:
            made.append(line)
    return made


def _repeats_open(view: Transaction, scan: Scan) -> bool:
    """Tell whether a scan is the second of one whose film has not reached the archive for good."""
    if scan.duplicate_of is None:
        return False
    first = view.get(Scan, scan.duplicate_of)
    state = scan_state(first, view.sheets(scan_id=first.id))
    return state is not State.VERIFIED


def _lines(scan: Scan, sheets: Sequence[Sheet]) -> list[FilmLine]:
    if not sheets or scan.state in HOLDS | ENDS:
        return [
            FilmLine(
                source=scan.source,
                # Not counted as a film: what is in it, nobody has found yet.
                kind="scan" if scan.kind in (None, ScanKind.FILM) else scan.kind.value,
                state=scan_state(scan, sheets),
                why="; ".join(dict.fromkeys(one.text for one in scan.reasons)),
                changed_at=scan.changed_at,
                id=scan.id,
            )
        ]
    return [_sheet_line(scan, one) for one in sheets]


def _sheet_line(scan: Scan, sheet: Sheet) -> FilmLine:
    decision = sheet.decision
    exam = decision.exam if decision else None
    auto = decision is not None and decision.decided_by == "auto"
    return FilmLine(
        source=scan.source,
        kind=sheet.kind.value,
        state=sheet.state,
        why="; ".join(dict.fromkeys(one.text for one in sheet.reasons)),
        flags=sheet.quality.flags,
        patient=decision.patient.name.text if decision else "",
        number=f"{decision.patient.issuer}:{decision.patient.patient_id}" if decision else "",
        study_date=decision.study_date if decision else "",
        accession_number=exam.accession_number if exam else "",
        decided_by=decision.decided_by if decision else "",
        doubt=1.0 - (decision.posterior or 0.0) if decision and auto else 0.0,
        changed_at=sheet.changed_at,
        id=sheet.id,
    )
