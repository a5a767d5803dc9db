"""The same for very many: in steps, so that a person sees how far it is."""

from collections.abc import Iterator, Sequence

from digitizer.pipeline.review import retry
from digitizer.pipeline.services import Services

__all__ = ["retry_in_steps"]

_STEP = 100


def retry_in_steps(
    services: Services, ids: Sequence[str], *, user: str
) -> Iterator[tuple[int, int]]:
    """Go on with what is held; tells after each step how many were seen and how many set going.

    Each film has a transaction of its own: what was done stands, whatever ends the rest.
    """
    for start in range(0, len(ids), _STEP):
        some = ids[start : start + _STEP]
        yield len(some), len(retry(services, some, user=user))
