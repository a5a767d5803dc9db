"""How well fields are read here: m and u estimated from this site's own films and candidates.

Decided films say which candidates are right; for the others that is estimated with the rest. The
weights do not follow by themselves: a person adopts them, for a reason, and may go back to the
built-in ones; the audit trail is where they are kept, and each decision names those it was weighed
with. What a posterior may claim stays capped as measured with the built-in ones.
"""

from typing import Any

from digitizer import identity
from digitizer.errors import UsageError
from digitizer.identity import Estimate, Shifts, Weights
from digitizer.model.film import SheetKind
from digitizer.model.identity import Agreement
from digitizer.model.reading import FieldName
from digitizer.pipeline.changes import event
from digitizer.pipeline.services import Services

__all__ = ["adopt_weights", "adopted_weights", "drop_weights", "estimate_weights"]

_SUBJECT = "weights"
_LEAST_DECIDED = 300
"""Films with a decision before their readings may change what others are weighed by."""
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
    found, _, _ = _estimates(services, limit)
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


def _estimates(services: Services, limit: int) -> tuple[Estimate, Estimate | None, int]:
    """Estimate of films, and of labels where there are any; and how many films are decided."""
    with services.ledger.reading() as view:
        films = [one for one in view.sheets(limit=limit) if one.kind is SheetKind.FILM]
    known = [
        (one, None if film.decision is None else one.patient == film.decision.patient)
        for film in films
        for one in film.candidates
    ]
    try:
        own = identity.estimate((one.film_agreement, right) for one, right in known)
    except ValueError:
        raise UsageError(
            "There are no films with candidates to estimate from.", remedy="Ingest a batch first."
        ) from None
    labelled = [(one.label_agreement, right) for one, right in known if one.label_agreement]
    label = identity.estimate(labelled) if labelled else None
    return own, label, sum(film.decision is not None for film in films)


def adopt_weights(
    services: Services,
    *,
    user: str,
    reason_text: str,
    least: int = _LEAST_DECIDED,
    limit: int = 50_000,
) -> Weights:
    """Have candidates weighed by what is estimated of this site's films, from now on.

    Parameters
    ----------
    services : Services
    user, reason_text : str
        Who wants it, and why; kept in the audit trail with the weights themselves.
    least : int
        Films that must be decided.
    limit : int
        Films that are looked at, at most.

    Raises
    ------
    UsageError
        Too few films are decided, or no reason is given.
    """
    if not reason_text.strip():
        raise UsageError("Weights are adopted for a reason.", remedy="Give it with --reason.")
    own, label, decided = _estimates(services, limit)
    if decided < least:
        raise UsageError(
            f"Only {decided} films are decided; {least} are needed to weigh others by them.",
            remedy="Decide more films first.",
        )
    told: dict[str, Any] = {
        "film": _written(identity.shifts_of(own)),
        "label": _written(identity.shifts_of(label)) if label is not None else {},
    }
    with services.ledger.transaction() as tx:
        kept = [one for one in tx.events(_SUBJECT) if one.name == "weights_adopted"]
        name = f"adopted-{len(kept) + 1}"
        payload = {
            **told,
            "weights": name,
            "why": reason_text,
            "pairs": own.pairs,
            "films": decided,
        }
        tx.record(event(_SUBJECT, "weights_adopted", user, **payload))
    return adopted_weights(services)


def drop_weights(services: Services, *, user: str, reason_text: str) -> None:
    """Go back to the built-in weights.

    Raises
    ------
    UsageError
        The built-in weights are in force, or no reason is given.
    """
    if not reason_text.strip():
        raise UsageError("Weights are dropped for a reason.", remedy="Give it with --reason.")
    if not adopted_weights(services).name:
        raise UsageError("The built-in weights are in force already.")
    with services.ledger.transaction() as tx:
        tx.record(event(_SUBJECT, "weights_dropped", user, why=reason_text))


def adopted_weights(services: Services) -> Weights:
    """Return the weights in force: those adopted last, or the built-in ones."""
    with services.ledger.reading() as view:
        events = view.events(_SUBJECT)
    if not events or events[-1].name != "weights_adopted":
        return identity.BUILT_IN
    told = events[-1].payload
    return Weights(name=told["weights"], film=_read(told["film"]), label=_read(told["label"]))


def _written(shifts: Shifts) -> dict[str, dict[str, float]]:
    return {
        name.value: {how.value: bits for how, bits in levels.items()}
        for name, levels in shifts.items()
    }


def _read(told: dict[str, dict[str, float]]) -> Shifts:
    return {
        FieldName(name): {Agreement(how): bits for how, bits in levels.items()}
        for name, levels in told.items()
    }
