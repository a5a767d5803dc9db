"""C-GET: what comes is kept as it came, nothing of it is decoded."""

from collections.abc import Iterable, Iterator

from pydicom import Dataset
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelGet,
)

from digitizer.dimse.association import Peer, checked, open_association
from digitizer.dimse.kept import Contexts
from digitizer.dimse.message import Messages, Status
from digitizer.model.older import Encoded, Ending

__all__ = ["all_given", "gotten"]

_GET = str(StudyRootQueryRetrieveInformationModelGet)
_NONE_SENT = 0xA702
"""Out of resources: unable to perform sub-operations (PS3.4 C.4.3.1.4)."""


def gotten(
    peer: Peer,
    contexts: Contexts,
    queries: Iterable[Dataset],
    *,
    exact: bool = True,
    ending: Ending | None = None,
) -> Iterator[Encoded]:
    """C-GET what some queries find; the peer sends the next when one was taken over from here.

    What came is yielded before an error of the peer is raised. What the peer could not send does
    not come: that is no error here, and shows in the ``ending`` of the last query. Where it need
    not be ``exact``, something may come in another syntax than those of the contexts.
    """
    with (
        open_association(peer, contexts, receives=True, exact=exact) as association,
        Messages(association) as messages,
    ):
        for query in queries:
            for one in messages.get(query, _GET):
                if isinstance(one, Encoded):
                    yield one
                    continue
                if ending is not None:
                    ending.given = all_given(one)
                if one.get("Status") != _NONE_SENT:
                    checked(one, peer=peer)


def all_given(status: Dataset | Status) -> int | None:
    """Return how many instances a final answer says were given (PS3.4 C.4.2.1.7, C.4.3.1.4).

    None where any failed or was given with a warning, and where the answer does not count.
    """
    failed = status.get("NumberOfFailedSuboperations") or status.get("NumberOfWarningSuboperations")
    given = status.get("NumberOfCompletedSuboperations")
    if status.get("Status") != 0 or failed or given is None:
        return None
    return int(given)
