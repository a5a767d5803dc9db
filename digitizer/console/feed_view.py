"""What whoever feeds is shown: a jacket's scans as they arrive, and a batch against the list."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from digitizer.model.film import SheetKind
from digitizer.model.identity import JacketRecord
from digitizer.model.reasons import CODES, Code
from digitizer.model.records import Batch, Jacket, Scan, Sheet
from digitizer.model.states import ENDS, State
from digitizer.pipeline.scans import complaint
from digitizer.pipeline.services import Services
from digitizer.ports import Overview, Transaction

__all__ = ["Fed", "JacketNow", "Reconciled", "jacket_now", "not_fed", "reconciled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """One scan of the jacket."""

    scan: Scan
    kind: str
    state: str
    complaints: tuple[str, ...]
    """What is wrong and what to do, in words; empty when nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JacketNow:
    """The jacket that is being fed.

    Attributes
    ----------
    scanned, films : int
        Scans so far, and films found in those that were looked at already.
    expected : int or None
        Films that the jacket list expects.
    looked_at : int
        Scans that were examined.
    """

    scanned: int
    films: int
    expected: int | None
    looked_at: int
    scans: tuple[Fed, ...]

    @property
    def complaints(self) -> int:
        """Return how many scans have something wrong."""
        return sum(1 for one in self.scans if one.complaints)

    @property
    def verdict(self) -> str:
        """Return the one sentence that is read at arm's length."""
        if self.expected is None:
            return "not on the jacket list"
        if self.looked_at < self.scanned:
            return f"{self.scanned - self.looked_at} being looked at"
        if self.films == self.expected:
            return "all films are there"
        short = self.expected - self.films
        return f"{short} missing" if short > 0 else f"{-short} too many"

    @property
    def complete(self) -> bool:
        """Tell whether every film that is expected is there, and good."""
        return self.looked_at == self.scanned and self.films == self.expected


def jacket_now(services: Services, batch: Batch, box: str, name: str) -> JacketNow:
    """Return what has been fed into a jacket so far."""
    with services.ledger.reading() as view:
        found = [
            one
            for one in view.jackets_named(name)
            if one.batch_id == batch.id and (one.box or "") == box
        ]
        scans = view.scans(jacket_id=found[0].id) if found else ()
        sheets = view.sheets(jacket_id=found[0].id) if found else ()
    of_scan: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        of_scan.setdefault(sheet.scan_id, []).append(sheet)
    fed = [_fed(scan, of_scan.get(scan.id, [])) for scan in scans]
    listed = services.index.jacket(name, box or None) if name else None
    return JacketNow(
        scanned=len(scans),
        films=_films(sheets),
        expected=listed.expected_films if listed else None,
        looked_at=sum(1 for one in scans if one.state is not State.RECEIVED),
        scans=tuple(reversed(fed)),
    )


def _films(sheets: Iterable[Sheet]) -> int:
    return sum(1 for one in sheets if one.kind is SheetKind.FILM and one.state not in ENDS)


def _fed(scan: Scan, sheets: list[Sheet]) -> Fed:
    flags = [
        complaint(sheet.quality, flag)
        for sheet in sheets
        for flag in sheet.quality.flags
        if flag in _LOUD
    ]
    poor = [
        one.text for sheet in sheets for one in sheet.reasons if one.code is Code.RESCAN_PROPOSED
    ]
    bad = [
        f"{one.text} {CODES[one.code].remedy}".strip()
        for one in scan.reasons
        if scan.state in (State.QUARANTINED, State.REVIEW, State.DUPLICATE)
    ]
    told = poor or flags
    return Fed(
        scan=scan,
        kind=scan.kind.value if scan.kind else "scan",
        state=scan.state.value,
        complaints=tuple(dict.fromkeys([*bad, *told])),
    )


_MOST_NAMED = 100
"""Jackets that differ and are named film by film; the page stays readable."""
_LOUD = frozenset(
    code.value
    for code in (
        Code.FILM_CUT_OFF,
        Code.FILM_COVERED,
        Code.BLURRED,
        Code.NOISY,
        Code.BANDING,
        Code.LOST_LINES,
        Code.STUCK_COLUMNS,
        Code.DOUBLE_FEED,
        Code.CLIPPED_LOW,
        Code.CLIPPED_HIGH,
    )
)
"""Complaints that whoever feeds can do something about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One scan of a jacket that differs: how many films of it count, and why if not one."""

    name: str
    films: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """One jacket of a closed batch against the list.

    ``scans`` name film by film what was counted and what was not, where the two differ.
    """

    jacket: Jacket
    films: int
    expected: int | None
    scans: tuple[Named, ...] = ()

    @property
    def differs(self) -> int:
        """Return how many films are too many; fewer than none are missing."""
        return 0 if self.expected is None else self.films - self.expected


def reconciled(services: Services, overview: Overview, batch: Batch) -> tuple[Reconciled, ...]:
    """Return every jacket of a batch with its films counted, those that differ first."""
    with services.ledger.reading() as view:
        jackets = view.jackets(batch.id)
    counted = overview.by_jacket(batch.id)
    rows = []
    for jacket in jackets:
        listed = services.index.jacket(jacket.name, jacket.box)
        expected = listed.expected_films if listed else jacket.expected_films
        rows.append(Reconciled(jacket=jacket, films=counted.get(jacket.id, 0), expected=expected))
    rows.sort(key=lambda one: (one.differs == 0, one.jacket.position))
    with services.ledger.reading() as view:
        return tuple(
            replace(one, scans=_named(view, one.jacket)) if one.differs and n < _MOST_NAMED else one
            for n, one in enumerate(rows)
        )


def not_fed(services: Services, batch: Batch) -> tuple[JacketRecord, ...]:
    """Return the jackets of the batch's boxes that the list has and that nobody ever scanned."""
    with services.ledger.reading() as view:
        boxes = {one.box for one in view.jackets(batch.id)} | {batch.box}
        return tuple(
            one
            for box in sorted(box for box in boxes if box)
            for one in services.index.jackets_of_box(box)
            if not view.jackets_named(one.jacket, box)
        )


def _named(view: Transaction, jacket: Jacket) -> tuple[Named, ...]:
    """Name the scans of a jacket in the order of feeding, with what each counts for."""
    of_scan: dict[str, list[Sheet]] = {}
    for sheet in view.sheets(jacket_id=jacket.id):
        of_scan.setdefault(sheet.scan_id, []).append(sheet)
    named = []
    for scan in view.scans(jacket_id=jacket.id):
        sheets = of_scan.get(scan.id, [])
        films, why = _films(sheets), ""
        if not sheets and scan.state is State.RECEIVED:
            # It counts for a film until somebody has looked at it.
            films, why = 1, "not looked at yet"
        elif films != 1:
            ended = [one for sheet in sheets for one in sheet.reasons]
            told = [one.text for one in (*scan.reasons, *ended)][:1]
            why = told[0] if told else (scan.kind.value if scan.kind else scan.state.value)
        named.append(Named(name=scan.source.rsplit("/", 1)[-1], films=films, why=why))
    return tuple(named)
