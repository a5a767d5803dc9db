"""What the ledger is asked about older archives."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from digitizer.ledger import older_rows, tables
from digitizer.ledger.records import Records
from digitizer.model.older import OldCommitment, OldInstance, OldStudy, Source
from digitizer.model.reasons import Code
from digitizer.model.states import State

__all__ = ["OlderQueries"]


class OlderQueries(Records):
    """Implements :class:`digitizer.ports.OlderQueries`."""

    def old_source_named(self, name: str) -> Source | None:
        """Look an older archive up by its name."""
        table = tables.old_source
        found = self._all(Source, select(table).where(table.c.name == name))
        return found[0] if found else None

    def old_sources(self) -> tuple[Source, ...]:
        """List the older archives, the first added first."""
        return self._all(Source, select(tables.old_source).order_by(tables.old_source.c.serial))

    def old_studies(
        self,
        *,
        source_id: str | None = None,
        states: Sequence[State] = (),
        code: Code | None = None,
        patient: tuple[str, str] | None = None,
        uids: Sequence[str] | None = None,
        after: str = "",
        limit: int | None = None,
    ) -> tuple[OldStudy, ...]:
        """List older studies in the order of their ids, after one; ``patient`` as (issuer, id)."""
        query = older_rows.studies(
            source_id=source_id,
            states=states,
            code=code,
            patient=patient,
            uids=uids,
            after=after,
            limit=limit,
        )
        return self._all(OldStudy, query)

    def old_studies_naming(self, numbers: Sequence[str]) -> tuple[OldStudy, ...]:
        """List older studies of nobody yet that a record number stands in, whoever issued it."""
        return self._all(OldStudy, older_rows.studies_naming(numbers)) if numbers else ()

    def old_studies_to_feed(self, source_id: str, limit: int) -> tuple[OldStudy, ...]:
        """List older studies that nothing was begun with."""
        return self._all(OldStudy, older_rows.studies_to_feed(source_id, limit))

    def old_studies_by_state(self, source_id: str) -> dict[State, int]:
        """Count the studies of a source by state."""
        return older_rows.studies_by_state(self._connection, source_id)

    def old_instances(
        self,
        *,
        source_id: str | None = None,
        study_id: str | None = None,
        states: Sequence[State] = (),
        code: Code | None = None,
        after: str = "",
        limit: int | None = None,
    ) -> tuple[OldInstance, ...]:
        """List instances of older archives in the order of their places, after one of them."""
        return older_rows.instances(
            self._connection,
            source_id=source_id,
            study_id=study_id,
            states=states,
            code=code,
            after=after,
            limit=limit,
        )

    def old_instances_with_uid(self, uids: Iterable[str]) -> tuple[OldInstance, ...]:
        """Find the instances of these SOP Instance UIDs, in all sources."""
        return older_rows.instances_with_uid(self._connection, uids)

    def old_instances_at(self, source_id: str, places: Iterable[str]) -> tuple[OldInstance, ...]:
        """Return what is known of these places of a source."""
        return older_rows.instances_at(self._connection, source_id, places)

    def forget_old_instances(self, source_id: str, places: Iterable[str]) -> None:
        """Delete rows of files that a list named wrongly as missing."""
        older_rows.forget(self._connection, source_id, places)

    def old_tally(self, source_id: str) -> dict[tuple[State, str], tuple[int, int]]:
        """Count the instances of a source, and their bytes, by state and code."""
        return older_rows.tally(self._connection, source_id)

    def old_filed(self, source_id: str) -> dict[tuple[str, bool], int]:
        """Count the instances that go to the archive, by state and by whether decided."""
        return older_rows.filed(self._connection, source_id)

    def old_decided(self, study_ids: Iterable[str]) -> frozenset[str]:
        """Return which of some older studies have a patient."""
        return older_rows.decided(self._connection, study_ids)

    def old_taken_of_studies(self, source_id: str, states: Sequence[State]) -> int:
        """Count the instances in some states that belong to the studies of a source."""
        return older_rows.taken_of_studies(self._connection, source_id, states)

    def old_open_duplicates(self, source_id: str) -> int:
        """Count the duplicates of a source whose first is not verified."""
        return older_rows.open_duplicates(self._connection, source_id)

    def old_reasons(self, source_id: str, state: State) -> dict[str, int]:
        """Count the studies of a source that are in a state by their first reason."""
        return older_rows.reasons(self._connection, source_id, state)

    def write_old_instances(self, rows: Iterable[OldInstance]) -> None:
        """Insert instances, or write them anew where source and place are known."""
        older_rows.write_instances(self._connection, rows)

    def old_commitments(
        self, study_id: str | None = None, *, pending: bool | None = None
    ) -> tuple[OldCommitment, ...]:
        """List the commitment requests of an older study, or of all."""
        return self._all(OldCommitment, older_rows.commitments_of(study_id, pending=pending))
