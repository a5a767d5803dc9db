"""A place of work that empties an old PACS which a test stands in for."""

from dataclasses import dataclass, replace
from typing import Any

from old_instances import uid
from old_town import OldSite

from digitizer.model.older import OldHeader, OldStudy, Source, SourceKind
from digitizer.pipeline.older import reconcile
from digitizer.pipeline.older.sources import add_source

__all__ = ["JANE", "SMITH", "PeerTown"]

JANE = OldHeader(
    patient_id="4711822", issuer="GEN", name="OKONKWO^JANE", birth_date="19310402", sex="F"
)
SMITH = OldHeader(
    patient_id="5550001", issuer="GEN", name="SMITH^JOHN", birth_date="19200105", sex="M"
)


@dataclass
class PeerTown:
    """A site whose only source is a peer; nothing is begun yet."""

    site: OldSite
    peer: Any

    def __post_init__(self) -> None:
        self.site = replace(self.site, services=replace(self.site.services, sources=self.peer))
        self.source = add_source(
            self.site.services, "old", SourceKind.PACS, "OLD@127.0.0.1:4", user="ann"
        )

    def told(self) -> dict[str, Any]:
        """Return the reconciliation."""
        with self.site.services.ledger.reading() as view:
            return reconcile.source_json(view, view.get(Source, self.source.id))

    def study(self, name: str) -> OldStudy:
        """Return a study by the name that its UID is made of."""
        (found,) = [
            one for one in self.site.studies() if one.study_instance_uid == uid("study", name)
        ]
        return found
