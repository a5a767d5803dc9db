"""Where everything stands: one row for each sheet, and for each scan without sheets or held.

The rows are written by the transaction that changes the scan or the sheet, so that lists and counts
need neither open nor join what a hundred thousand bodies say.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Executable, Select, and_, func, or_, select, tuple_

from digitizer.ledger import tables
from digitizer.ledger.equipment import archive_tallies, scanner_tallies
from digitizer.ledger.store import SqlLedger
from digitizer.model.overview import (
    ArchiveTally,
    Filter,
    Flow,
    ScannerTally,
    Standing,
    Tally,
    ThingKind,
)
from digitizer.model.states import ENDS, State

__all__ = ["SqlOverview"]

_ROW = tables.standing


class SqlOverview:
    """Implements :class:`digitizer.ports.Overview`.

    Parameters
    ----------
    ledger : SqlLedger
        Whose database is asked.
    """

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger

    def _rows(self, query: Executable) -> list[Any]:
        with self._ledger.connection(writes=False) as connection:
            return list(connection.execute(query))

    # -- counts ------------------------------------------------------------------------------

    def by_state(self, wanted: Filter | None = None) -> tuple[Tally, ...]:
        """Count what stands in each state; the group is empty."""
        query = select(_ROW.c.state, func.count(), func.min(_ROW.c.since))
        rows = self._rows(_filtered(query, wanted or Filter()).group_by(_ROW.c.state))
        return tuple(Tally(group="", state=State(s), count=n, oldest=_at(t)) for s, n, t in rows)

    def batch_names(self, *, after: str = "", limit: int) -> tuple[str, ...]:
        """Name batches, the newest first, those before the one called ``after``."""
        batch = tables.batch.c
        query = select(batch.name).order_by(batch.serial.desc()).limit(limit)
        if after:
            known = select(batch.serial).where(batch.name == after).scalar_subquery()
            query = query.where(batch.serial < known)
        return tuple(row.name for row in self._rows(query))

    def by_batch(self, names: Sequence[str]) -> tuple[Tally, ...]:
        """Count by batch and state, of some batches."""
        name = tables.batch.c.name
        query = select(name, _ROW.c.state, func.count())
        query = query.join(_ROW, _ROW.c.batch_id == tables.batch.c.id)
        query = query.where(name.in_(names)).group_by(name, _ROW.c.state)
        return self._tallies(query.order_by(name, _ROW.c.state))

    def box_names(self, *, after: str | None = None, limit: int) -> tuple[str, ...]:
        """Name boxes in the order of their names; jackets without one are in the box ""."""
        box = tables.jacket.c.box
        query = select(box).distinct().order_by(box).limit(limit)
        if after is not None:
            query = query.where(box > after)
        return tuple(row.box for row in self._rows(query))

    def latest_boxes(self, limit: int) -> tuple[str, ...]:
        """Name the boxes into which jackets came last, the last one first."""
        jacket = tables.jacket.c
        last = func.max(jacket.serial)
        query = select(jacket.box).group_by(jacket.box).order_by(last.desc()).limit(limit)
        return tuple(row.box for row in self._rows(query))

    def by_box(self, names: Sequence[str]) -> tuple[Tally, ...]:
        """Count by box and state, of some boxes."""
        box = tables.jacket.c.box
        query = select(box, _ROW.c.state, func.count())
        query = query.join(_ROW, _ROW.c.jacket_id == tables.jacket.c.id)
        query = query.where(box.in_(names)).group_by(box, _ROW.c.state)
        return self._tallies(query.order_by(box, _ROW.c.state))

    def _tallies(self, query: Executable) -> tuple[Tally, ...]:
        rows = self._rows(query)
        return tuple(Tally(group=g, state=State(s), count=n, oldest=None) for g, s, n in rows)

    def by_jacket(self, batch_id: str) -> dict[str, int]:
        """Count the films of each jacket of a batch that have not ended, and its unread scans.

        A scan in which nothing was found, or that cannot be read, is none.
        """
        row = _ROW.c
        unread = [State.RECEIVED.value, State.PREPARED.value, State.WAITING.value]
        query = select(row.jacket_id, func.count()).where(
            row.batch_id == batch_id,
            row.state.not_in([state.value for state in ENDS]),
            or_(
                row.kind == ThingKind.FILM.value,
                and_(row.kind == ThingKind.SCAN.value, row.state.in_(unread)),
            ),
        )
        rows = self._rows(query.group_by(row.jacket_id))
        return {jacket: int(count) for jacket, count in rows}

    def by_reason(self, wanted: Filter) -> tuple[Tally, ...]:
        """Count by first reason and state, the most frequent first."""
        query = select(_ROW.c.code, _ROW.c.state, func.count(), func.min(_ROW.c.since))
        query = _filtered(query, wanted).where(_ROW.c.code != "")
        query = query.group_by(_ROW.c.code, _ROW.c.state).order_by(func.count().desc())
        return tuple(
            Tally(group=g, state=State(s), count=n, oldest=_at(t))
            for g, s, n, t in self._rows(query)
        )

    def flow(self) -> Flow:
        """Tell how many films were filed, by whom, and how many of them wrongly to expect."""
        row = _ROW.c
        auto, film = row.decided_by == "auto", row.kind == ThingKind.FILM.value
        query = select(auto, film, func.count(), func.sum(row.doubt))
        query = query.where(row.decided_by.is_not(None)).group_by(auto, film)
        by_itself, by_people, wrong = 0, 0, 0.0
        for is_auto, is_film, count, doubt in self._rows(query):
            # A label filed to a wrong patient is wrong as well, but no film.
            wrong += float(doubt or 0.0) if is_auto else 0.0
            if is_film:
                by_itself += count if is_auto else 0
                by_people += 0 if is_auto else count
        return Flow(by_itself=by_itself, by_people=by_people, expected_wrong=wrong)

    def per_hour(
        self, event: str, hours: int, now: datetime, *, by_people: bool = False
    ) -> tuple[int, ...]:
        """Count the events of a name in each of the last hours, the oldest first."""
        table = tables.event
        since = now.astimezone(UTC) - timedelta(hours=hours)
        hour = func.substr(table.c.at, 1, 13)
        query = select(hour, func.count()).where(
            table.c.name == event, table.c.at >= since.isoformat(timespec="microseconds")
        )
        if by_people:
            query = query.where(table.c.actor.not_in(["auto", "system"]))
        counted = {hour: int(n) for hour, n in self._rows(query.group_by(hour))}
        slots = [now.astimezone(UTC) - timedelta(hours=back) for back in range(hours - 1, -1, -1)]
        return tuple(counted.get(f"{slot:%Y-%m-%dT%H}", 0) for slot in slots)

    def archives(self) -> tuple[ArchiveTally, ...]:
        """Count commitments and read-backs by archive, in the order of their names."""
        with self._ledger.connection(writes=False) as connection:
            return archive_tallies(connection)

    def scanned_since(self, since: datetime) -> tuple[ScannerTally, ...]:
        """Count the scans of each scanner since then."""
        with self._ledger.connection(writes=False) as connection:
            return scanner_tallies(connection, since)

    def last_change(self) -> str:
        """Return when the newest event happened; empty when nothing has."""
        newest = self._rows(select(func.max(tables.event.c.at)))[0][0]
        return newest or ""

    # -- lists -------------------------------------------------------------------------------

    def count(self, wanted: Filter) -> int:
        """Count the rows of a filter."""
        found = self._rows(_filtered(select(func.count()), wanted))
        return int(found[0][0])

    def oldest_first(
        self, wanted: Filter, *, after: tuple[float, str] | None = None, limit: int = 50
    ) -> tuple[Standing, ...]:
        """List rows, the longest in their state first; ``after`` is the last row's key."""
        row = _ROW.c
        query = _filtered(_standings(), wanted).order_by(row.since, row.subject).limit(limit)
        if after is not None:
            query = query.where(tuple_(row.since, row.subject) > tuple_(*after))
        return tuple(_standing(one) for one in self._rows(query))

    def riskiest_first(
        self, wanted: Filter, *, after: tuple[float, str] | None = None, limit: int = 50
    ) -> tuple[Standing, ...]:
        """List rows, the most doubtful first; ``after`` is the last row's key."""
        row = _ROW.c
        query = _filtered(_standings(), wanted)
        query = query.order_by(row.risk.desc(), row.subject.desc()).limit(limit)
        if after is not None:
            query = query.where(tuple_(row.risk, row.subject) < tuple_(*after))
        return tuple(_standing(one) for one in self._rows(query))

    def subjects(self, wanted: Filter, limit: int) -> tuple[str, ...]:
        """List the ids of a filter's rows, the longest in their state first."""
        query = _filtered(select(_ROW.c.subject), wanted)
        query = query.order_by(_ROW.c.since, _ROW.c.subject).limit(limit)
        return tuple(one.subject for one in self._rows(query))

    def next_in_review(
        self, user: str, now: datetime, *, skip: tuple[str, ...], after: str = ""
    ) -> str | None:
        """Return the most doubtful film that this person may take: neither held nor another's.

        ``after`` is a film to go on from, in the order of doubt; after the last comes the first.
        """
        row, lease = _ROW.c, tables.review_lease.c
        taken = select(lease.subject).where(lease.until > now.timestamp(), lease.holder != user)
        query = select(row.subject).where(
            row.state == State.REVIEW.value,
            (row.assigned_to.is_(None)) | (row.assigned_to == user),
            ~row.codes.contains(" on_hold "),
            row.subject.not_in(taken),
        )
        if skip:
            query = query.where(row.subject.not_in(skip))
        query = query.order_by(row.risk.desc(), row.subject.desc()).limit(1)
        here = self._rows(select(row.risk, row.subject).where(row.subject == after))
        found: list[Any] = []
        if here:
            beyond = tuple_(row.risk, row.subject) < tuple_(here[0].risk, here[0].subject)
            found = self._rows(query.where(beyond))
        found = found or self._rows(query)
        return found[0].subject if found else None


def _filtered(query: Select[Any], wanted: Filter) -> Select[Any]:
    row = _ROW.c
    if wanted.states:
        query = query.where(row.state.in_([state.value for state in wanted.states]))
    if wanted.code:
        query = query.where(row.codes.contains(f" {wanted.code} "))
    if wanted.batch_id:
        query = query.where(row.batch_id == wanted.batch_id)
    if wanted.kind is not None:
        query = query.where(row.kind == wanted.kind.value)
    if wanted.box is not None:
        boxed = select(tables.jacket.c.id).where(tables.jacket.c.box == wanted.box)
        query = query.where(row.jacket_id.in_(boxed))
    if wanted.study_date:
        query = query.where(row.study_date == wanted.study_date)
    if wanted.patient is not None:
        issuer, number = wanted.patient
        query = query.where(row.patient_id == number, row.issuer == issuer)
    return query


def _standings() -> Select[Any]:
    """Select rows with the names of batch and jacket, and the path of the scan."""
    batch, jacket, sheet, scan = tables.batch, tables.jacket, tables.sheet, tables.scan
    own = select(scan.c.source).where(scan.c.id == _ROW.c.subject).scalar_subquery()
    of_sheet = (
        select(scan.c.source)
        .join(sheet, sheet.c.scan_id == scan.c.id)
        .where(sheet.c.id == _ROW.c.subject)
        .scalar_subquery()
    )
    return (
        select(
            *_ROW.c,
            batch.c.name.label("batch"),
            jacket.c.box,
            jacket.c.name.label("jacket"),
            func.coalesce(own, of_sheet, "").label("source"),
        )
        .join(batch, batch.c.id == _ROW.c.batch_id)
        .join(jacket, jacket.c.id == _ROW.c.jacket_id)
    )


def _standing(row: Any) -> Standing:
    at = _at(row.since)
    assert at is not None, "the column is never empty"
    return Standing(
        subject=row.subject,
        kind=ThingKind(row.kind),
        batch_id=row.batch_id,
        batch=row.batch,
        jacket_id=row.jacket_id,
        box=row.box,
        jacket=row.jacket,
        state=State(row.state),
        since=at,
        risk=row.risk,
        code=row.code,
        codes=tuple(row.codes.split()),
        source=row.source,
        assigned_to=row.assigned_to,
        decided_by=row.decided_by,
        patient_id=row.patient_id,
        issuer=row.issuer,
        study_date=row.study_date,
    )


def _at(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
