"""What is verified of an older archive read back once more, all of it or a sample."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from digitizer.errors import ArchiveRefused
from digitizer.model.older import Encoded, OldInstance, OldStudy, Source
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.proof import prove_by_ledger
from digitizer.pipeline.older.readback import LOST, given_back, hold_differing
from digitizer.pipeline.services import Services

__all__ = ["ReadAgain", "read_again"]

_PAGE = 200
_ALL = 1 << 32


@dataclass(slots=True)
class ReadAgain:
    """What was read back once more, and what came of it.

    Attributes
    ----------
    studies, of_studies : int
        How many verified studies were drawn, and of how many.
    checked : int
        Instances that were read back.
    differing, unseen : dict
        What differs, and what could not be compared, by SOP Instance UID.
    """

    of_studies: int = 0
    studies: int = 0
    checked: int = 0
    differing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unseen: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_again(
    services: Services, source: Source, *, share: float = 1.0, draw: str = ""
) -> ReadAgain:
    """Read verified studies back and compare them with the ledger and with their originals.

    Each look is written down. A study of which something differs is verified no more: it waits for
    a person.

    Parameters
    ----------
    services : Services
    source : Source
    share : float
        Of the studies, 0 to 1; one is drawn at least.
    draw : str
        Says which sample: the same words draw the same studies.
    """
    with services.ledger.reading() as view:
        verified = view.old_studies_by_state(source.id).get(State.VERIFIED, 0)
    found = ReadAgain(of_studies=verified)
    for study in _drawn(services, source, share, draw):
        found.studies += 1
        _read(services, source, study, found)
    return found


def _read(services: Services, source: Source, study: OldStudy, found: ReadAgain) -> None:
    with services.ledger.reading() as view:
        rows = view.old_instances(study_id=study.id, states=(State.VERIFIED,))
    wrong: dict[str, tuple[str, ...]] = {}
    unseen = 0
    for row, came in _given(services, study, rows):
        found.checked += 1
        if came is None:
            differences: tuple[str, ...] = (LOST,)
        else:
            proof = prove_by_ledger(services, study, source, row, came)
            differences = proof.differences
            if proof.unseen:
                unseen += 1
                found.unseen[row.outgoing_uid] = proof.unseen
        if differences:
            wrong[row.place] = found.differing[row.outgoing_uid] = differences
    looked = event(
        study.id, "read_again", instances=len(rows), differing=len(wrong), not_compared=unseen
    )
    with services.ledger.transaction() as tx:
        tx.record(looked)
        current = tx.get(OldStudy, study.id)
        if wrong and current.state is State.VERIFIED:
            hold_differing(tx, current, wrong, services.clock.now())


def _given(
    services: Services, study: OldStudy, rows: tuple[OldInstance, ...]
) -> Iterator[tuple[OldInstance, Encoded | None]]:
    """Yield instances as the archive gives them; what it refuses to give, it does not give."""
    waiting = {row.place: row for row in rows}
    try:
        for row, came in given_back(services, study, rows):
            del waiting[row.place]
            yield row, came
    except ArchiveRefused:
        for row in waiting.values():
            yield row, None


def _drawn(services: Services, source: Source, share: float, draw: str) -> Iterator[OldStudy]:
    """Yield the studies of a sample; where none falls into it, the one that is nearest to it."""
    after, drawn = "", False
    nearest: tuple[int, OldStudy] | None = None
    while True:
        with services.ledger.reading() as view:
            page = view.old_studies(
                source_id=source.id, states=(State.VERIFIED,), after=after, limit=_PAGE
            )
        if not page:
            break
        after = page[-1].id
        for study in page:
            number = int(hashlib.sha256(f"{draw} {study.id}".encode()).hexdigest()[:8], 16)
            if number < share * _ALL:
                drawn = True
                yield study
            elif nearest is None or number < nearest[0]:
                nearest = (number, study)
    if nearest is not None and not drawn:
        yield nearest[1]
