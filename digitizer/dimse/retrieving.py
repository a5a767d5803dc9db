"""C-GET: what comes is kept as it came, nothing of it is decoded."""

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path

from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelGet,
)

from digitizer.dimse.association import Peer, checked, open_association

__all__ = ["gotten"]

_GET = str(StudyRootQueryRetrieveInformationModelGet)
_NONE_SENT = 0xA702
"""Out of resources: unable to perform sub-operations (PS3.4 C.4.3.1.4)."""


def gotten(
    peer: Peer,
    contexts: Sequence[tuple[str, Sequence[str] | None]],
    roles: Sequence[object],
    queries: Iterable[Dataset],
) -> Iterator[bytes]:
    """C-GET what some queries find; each instance waits on disk until it is asked for.

    What came is yielded before an error of the peer is raised. What the peer could not send does
    not come: that is no error here.
    """
    with tempfile.TemporaryDirectory(prefix="digitizer-get-") as folder:
        came: deque[Path] = deque()
        numbers = count()

        def take(event: evt.Event) -> int:
            path = Path(folder, str(next(numbers)))
            path.write_bytes(event.encoded_dataset())
            came.append(path)
            return 0x0000

        with open_association(peer, contexts, roles=roles, store=take) as association:
            for query in queries:
                for status, _ in association.send_c_get(query, _GET):
                    while came:
                        path = came.popleft()
                        yield path.read_bytes()
                        path.unlink()
                    if status.get("Status") != _NONE_SENT:
                        checked(status, peer=peer)
