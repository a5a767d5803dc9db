"""C-GET: what comes is kept as it came, nothing of it is decoded."""

from collections import deque
from collections.abc import Iterable, Iterator

from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelGet,
)

from digitizer.dimse.association import Peer, checked, open_association
from digitizer.dimse.kept import Contexts
from digitizer.dimse.spool import Spool

__all__ = ["gotten"]

_GET = str(StudyRootQueryRetrieveInformationModelGet)
_NONE_SENT = 0xA702
"""Out of resources: unable to perform sub-operations (PS3.4 C.4.3.1.4)."""


def gotten(
    peer: Peer,
    contexts: Contexts,
    queries: Iterable[Dataset],
) -> Iterator[bytes]:
    """C-GET what some queries find; each instance waits on disk until it is asked for.

    What came is yielded before an error of the peer is raised. What the peer could not send does
    not come: that is no error here.
    """
    with Spool() as spool:
        came: deque[tuple[int, int]] = deque()

        def take(event: evt.Event) -> int:
            came.append(spool.put(event.encoded_dataset()))
            return 0x0000

        with open_association(peer, contexts, store=take) as association:
            for query in queries:
                for status, _ in association.send_c_get(query, _GET):
                    while came:
                        yield spool.take(came.popleft())
                    if status.get("Status") != _NONE_SENT:
                        checked(status, peer=peer)
