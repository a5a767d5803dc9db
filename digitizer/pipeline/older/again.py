"""What is verified of an older archive read back once more, all of it or a sample."""

import hashlib
from collections.abc import Iterator

from digitizer.model.older import OldStudy, Source
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.readback import read_back
from digitizer.pipeline.services import Services

__all__ = ["read_again"]

_PAGE = 200


def read_again(
    services: Services, source: Source, *, share: float = 1.0, draw: str = ""
) -> tuple[int, dict[str, tuple[str, ...]]]:
    """Read verified studies back and compare tags and pixels with what was sent.

    Each look is written down; no state changes.

    Parameters
    ----------
    services : Services
    source : Source
    share : float
        Of the studies, 0 to 1.
    draw : str
        Says which sample: the same words draw the same studies.

    Returns
    -------
    tuple of int and dict
        How many instances were read back, and what differs, by SOP Instance UID.
    """
    checked, differing = 0, dict[str, tuple[str, ...]]()
    for study in _drawn(services, source, share, draw):
        with services.ledger.reading() as view:
            rows = view.old_instances(study_id=study.id, states=(State.VERIFIED,))
        wrong = 0
        for row, differences, _ in read_back(services, study, source, rows):
            checked += 1
            if differences:
                wrong += 1
                differing[row.outgoing_uid] = differences
        with services.ledger.transaction() as tx:
            tx.record(event(study.id, "read_again", instances=len(rows), differing=wrong))
    return checked, differing


def _drawn(services: Services, source: Source, share: float, draw: str) -> Iterator[OldStudy]:
    after = ""
    while True:
        with services.ledger.reading() as view:
            page = view.old_studies(
                source_id=source.id, states=(State.VERIFIED,), after=after, limit=_PAGE
            )
        if not page:
            return
        after = page[-1].id
        for study in page:
            number = int(hashlib.sha256(f"{draw} {study.id}".encode()).hexdigest()[:8], 16)
            if number < share * 0x1_0000_0000:
                yield study
