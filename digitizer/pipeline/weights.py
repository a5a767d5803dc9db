"""How well fields are read here: m and u estimated from this site's own films and candidates.

Decided films say which candidates are right; for the others that is estimated with the rest. The
weights do not follow by themselves: what a posterior may claim was measured with those that are
built in. A site that reads worse than they assume sees it here.
"""

from typing import Any

from digitizer import identity
from digitizer.errors import UsageError
from digitizer.model.film import SheetKind
from digitizer.model.identity import Agreement
from digitizer.pipeline.services import Services

__all__ = ["estimate_weights"]

_LEVELS = (Agreement.AGREES, Agreement.SIMILAR, Agreement.DISAGREES)


def estimate_weights(services: Services, *, limit: int = 50_000) -> dict[str, Any]:
    """Estimate how often each field of a film agrees with its patient, and with look-alikes.

    Parameters
    ----------
    services : Services
        Only read.
    limit : int
        Films that are looked at, at most.

    Returns
    -------
    dict
        ``pairs``, ``share`` (of the pairs that match) and ``fields``: name to ``m`` and ``u``, each
        level to its share.

    Raises
    ------
    UsageError
        No film has candidates yet.
    """
    with services.ledger.reading() as view:
        pairs = [
            (
                one.film_agreement,
                None if sheet.decision is None else one.patient == sheet.decision.patient,
            )
            for sheet in view.sheets(limit=limit)
            if sheet.kind is SheetKind.FILM
            for one in sheet.candidates
        ]
    try:
        found = identity.estimate(pairs)
    except ValueError:
        raise UsageError(
            "There are no films with candidates to estimate from.", remedy="Ingest a batch first."
        ) from None
    return {
        "pairs": found.pairs,
        "share": found.share,
        "fields": {
            name.value: {
                side: {how.value: round(levels[name][how], 5) for how in _LEVELS}
                for side, levels in (("m", found.m), ("u", found.u))
            }
            for name in found.m
        },
    }
