"""What the ledger is asked about films: batches, jackets, scans, sheets and their captures."""

from collections import Counter

from sqlalchemy import and_, case, func, select

from digitizer.ledger import tables
from digitizer.ledger.batches import in_batches
from digitizer.ledger.chain import events_of
from digitizer.ledger.likeness import distance_of, search_for
from digitizer.ledger.records import Records
from digitizer.model.density import ScannerProfile
from digitizer.model.film import SheetKind
from digitizer.model.records import (
    Batch,
    BlindReview,
    Capture,
    ClassStanding,
    Commitment,
    CommitmentState,
    Delivery,
    Event,
    Jacket,
    Scan,
    Sheet,
    Verification,
)
from digitizer.model.states import ENDS, RANK, State
from digitizer.model.users import User

__all__ = ["FilmQueries"]

_OF_RANK = {rank: state for state, rank in RANK.items()}


class FilmQueries(Records):
    """Implements :class:`digitizer.ports.FilmQueries`."""

    def batch_named(self, name: str) -> Batch | None:
        """Look a batch up by its name."""
        found = self._all(Batch, select(tables.batch).where(tables.batch.c.name == name))
        return found[0] if found else None

    def batches(self) -> tuple[Batch, ...]:
        """List all batches, the oldest first."""
        return self._all(Batch, select(tables.batch).order_by(tables.batch.c.serial))

    def users(self) -> tuple[User, ...]:
        """List all users, the first made first."""
        return self._all(User, select(tables.account).order_by(tables.account.c.serial))

    def jackets(self, batch_id: str) -> tuple[Jacket, ...]:
        """List the jackets of a batch in feeding order."""
        table = tables.jacket
        query = select(table).where(table.c.batch_id == batch_id)
        return self._all(Jacket, query.order_by(table.c.position, table.c.serial))

    def jackets_named(self, name: str, box: str | None = None) -> tuple[Jacket, ...]:
        """Find jackets by name (and box) in all batches."""
        table = tables.jacket
        query = select(table).where(table.c.name == name).order_by(table.c.serial)
        return self._all(Jacket, query if box is None else query.where(table.c.box == box))

    def jackets_of_box(self, box: str) -> tuple[Jacket, ...]:
        """List the jackets of a box in all batches, in the order they were begun."""
        table = tables.jacket
        query = select(table).where(table.c.box == box).order_by(table.c.serial)
        return self._all(Jacket, query)

    def scans(
        self, *, batch_id: str | None = None, jacket_id: str | None = None
    ) -> tuple[Scan, ...]:
        """List scans in feeding order."""
        table = tables.scan
        query = select(table).order_by(table.c.batch_id, table.c.position)
        if batch_id is not None:
            query = query.where(table.c.batch_id == batch_id)
        if jacket_id is not None:
            query = query.where(table.c.jacket_id == jacket_id)
        return self._all(Scan, query)

    def scan_of_source(self, batch_id: str, source: str) -> Scan | None:
        """Find the scan taken in from this path of the batch."""
        table = tables.scan
        query = select(table).where(table.c.batch_id == batch_id, table.c.source == source)
        found = self._all(Scan, query)
        return found[0] if found else None

    def first_scan_of_hash(self, sha256: str) -> Scan | None:
        """Find the scan that holds these bytes and is not itself a duplicate."""
        table = tables.scan
        query = select(table).where(table.c.sha256 == sha256, table.c.duplicate_of.is_(None))
        found = self._all(Scan, query.order_by(table.c.serial).limit(1))
        return found[0] if found else None

    def sheets(
        self,
        *,
        batch_id: str | None = None,
        jacket_id: str | None = None,
        scan_id: str | None = None,
        state: State | None = None,
        limit: int | None = None,
    ) -> tuple[Sheet, ...]:
        """List sheets in feeding order."""
        table, of = tables.sheet, tables.scan
        query = select(table).join(of, of.c.id == table.c.scan_id)
        query = query.order_by(of.c.batch_id, of.c.position, table.c.index)
        for column, value in (
            (table.c.batch_id, batch_id),
            (table.c.jacket_id, jacket_id),
            (table.c.scan_id, scan_id),
            (table.c.state, state.value if state else None),
        ):
            if value is not None:
                query = query.where(column == value)
        return self._all(Sheet, query if limit is None else query.limit(limit))

    def sheets_of_patient(self, issuer: str, patient_id: str) -> tuple[Sheet, ...]:
        """List the sheets decided for a patient, in whatever jacket, but those that ended."""
        table, row = tables.sheet, tables.standing.c
        query = select(table).join(tables.standing, row.subject == table.c.id)
        query = query.where(row.patient_id == patient_id, row.issuer == issuer)
        query = query.where(table.c.state.not_in([state.value for state in ENDS]))
        return self._all(Sheet, query.order_by(table.c.serial))

    def sheets_with_fingerprint_near(self, fingerprint: str, distance: int) -> tuple[Sheet, ...]:
        """Find sheets whose perceptual hash differs in at most ``distance`` bits.

        Only sheets that share bands of the hash are compared (:mod:`digitizer.ledger.likeness`).
        """
        table, band = tables.sheet, tables.sheet_band
        query = select(table.c.id, table.c.fingerprint).where(table.c.fingerprint != "")
        search = search_for(fingerprint, distance)
        if search is not None:
            alike = (
                select(band.c.sheet_id)
                .where(band.c.key.in_(search.keys))
                .group_by(band.c.sheet_id)
                .having(func.count() >= search.shared)
            )
            query = query.where(table.c.id.in_(alike))
        near = [
            row.id
            for row in self._connection.execute(query)
            if distance_of(row.fingerprint, fingerprint) <= distance
        ]
        found: list[Sheet] = []
        for ids in in_batches(near):
            wanted = select(table).where(table.c.id.in_(ids)).order_by(table.c.serial)
            found += self._all(Sheet, wanted)
        return tuple(found)

    def captures(self, sheet_id: str) -> tuple[Capture, ...]:
        """List the captures made of a sheet, superseded ones too."""
        table = tables.capture
        return self._all(
            Capture, select(table).where(table.c.sheet_id == sheet_id).order_by(table.c.serial)
        )

    def deliveries(self, sop_instance_uid: str) -> tuple[Delivery, ...]:
        """List the attempts to store a capture."""
        table = tables.delivery
        query = select(table).where(table.c.sop_instance_uid == sop_instance_uid)
        return self._all(Delivery, query.order_by(table.c.serial))

    def commitments(
        self, *, sop_instance_uid: str | None = None, pending: bool | None = None
    ) -> tuple[Commitment, ...]:
        """List commitment requests, of one capture or all, pending ones or all."""
        table = tables.commitment
        query = select(table).order_by(table.c.serial)
        if sop_instance_uid is not None:
            query = query.where(table.c.sop_instance_uid == sop_instance_uid)
        if pending is not None:
            is_pending = table.c.state == CommitmentState.PENDING.value
            query = query.where(is_pending if pending else ~is_pending)
        return self._all(Commitment, query)

    def profiles(self, scanner: str | None = None) -> tuple[ScannerProfile, ...]:
        """List the calibrations of a scanner, or of all, the oldest first."""
        table = tables.scanner_profile
        query = select(table).order_by(table.c.serial)
        if scanner is not None:
            query = query.where(table.c.scanner == scanner)
        return self._all(ScannerProfile, query)

    def scanners(self) -> tuple[str, ...]:
        """List the serial numbers that scans bear; "" is the site's one digitizer."""
        return tuple(self._connection.scalars(select(tables.scan.c.scanner).distinct()))

    def latest_scans(self, scanner: str, most: int) -> tuple[Scan, ...]:
        """List the newest scans of a scanner, the newest first."""
        table = tables.scan
        query = select(table).where(table.c.scanner == scanner)
        return self._all(Scan, query.order_by(table.c.serial.desc()).limit(most))

    def filed_by_class(self) -> dict[str, tuple[int, float]]:
        """Count what was filed by itself in each class of evidence, and sum its (1 - p)."""
        table = tables.sheet
        query = select(table.c.filed_class, func.count(), func.sum(table.c.doubt))
        query = query.where(table.c.filed_class.is_not(None)).group_by(table.c.filed_class)
        rows = self._connection.execute(query)
        return {kind: (int(n), float(doubt or 0.0)) for kind, n, doubt in rows}

    def blind_reviews(
        self, *, open_only: bool = False, sheet_id: str | None = None
    ) -> tuple[BlindReview, ...]:
        """List blind reviews, of one sheet or all, the oldest first."""
        table = tables.blind_review
        query = select(table).order_by(table.c.serial)
        if open_only:
            query = query.where(table.c.answer == "")
        if sheet_id is not None:
            query = query.where(table.c.sheet_id == sheet_id)
        return self._all(BlindReview, query)

    def standings(self) -> tuple[ClassStanding, ...]:
        """List the classes of evidence that were ever stopped."""
        table = tables.class_standing
        return self._all(ClassStanding, select(table).order_by(table.c.serial))

    def verifications(self, sop_instance_uid: str) -> tuple[Verification, ...]:
        """List the read-backs of a capture."""
        table = tables.verification
        query = select(table).where(table.c.sop_instance_uid == sop_instance_uid)
        return self._all(Verification, query.order_by(table.c.serial))

    def events(self, subject: str) -> tuple[Event, ...]:
        """List what happened to a subject, in order."""
        return events_of(self._connection, subject)

    def counts(self, batch_id: str | None = None) -> dict[str, dict[State, int]]:
        """Count the states scans show (once read, that of their least advanced sheet) and films."""
        scan, sheet = tables.scan, tables.sheet
        rank = case({state.value: n for state, n in RANK.items()}, value=sheet.c.state)
        lowest = (
            select(sheet.c.scan_id, func.min(rank).label("rank"))
            .where(*([] if batch_id is None else [sheet.c.batch_id == batch_id]))
            .group_by(sheet.c.scan_id)
            .subquery()
        )
        read = scan.c.state == State.READ.value
        # A scan that is not read yet shows its own state, whatever its sheets' are.
        query = select(scan.c.state, lowest.c.rank, func.count())
        query = query.outerjoin(lowest, and_(lowest.c.scan_id == scan.c.id, read))
        films = select(sheet.c.state, func.count()).where(sheet.c.kind == SheetKind.FILM.value)
        if batch_id is not None:
            query = query.where(scan.c.batch_id == batch_id)
            films = films.where(sheet.c.batch_id == batch_id)
        scans: Counter[State] = Counter()
        for own, least, n in self._connection.execute(query.group_by(scan.c.state, lowest.c.rank)):
            scans[State(own) if least is None else _OF_RANK[least]] += n
        rows = self._connection.execute(films.group_by(sheet.c.state))
        return {"scans": dict(scans), "films": {State(state): n for state, n in rows}}

    def next_position(self, kind: type[Jacket] | type[Scan], batch_id: str) -> int:
        """Return the position behind the last jacket or scan of a batch."""
        table = tables.TABLES[kind]
        query = select(func.max(table.c.position)).where(table.c.batch_id == batch_id)
        last = self._connection.execute(query).scalar_one()
        return 0 if last is None else int(last) + 1
