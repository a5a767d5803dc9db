"""The budget of wrong filings: what is expected, what was measured, and which classes may go on.

A class of evidence that filed one film wrongly, or whose expected wrong filings exceed what the
site accepts, files nothing by itself until a person releases it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from digitizer import identity
from digitizer.errors import UnknownRecord, UsageError
from digitizer.model.reasons import Code
from digitizer.model.records import BlindReview, ClassStanding, Sheet, Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = [
    "closed_classes",
    "known_class",
    "release_class",
    "report_wrong",
    "standing",
    "stop_class",
]

_EARLIER = "earlier"


def closed_classes(services: Services) -> Mapping[str, str]:
    """Return the classes that file nothing by themselves now, each with why.

    A class whose expected wrong filings have crossed the budget is stopped here.
    """
    with services.ledger.reading() as view:
        filed, known = view.filed_by_class(), {one.id: one for one in view.standings()}
    crossed = [
        kind
        for kind, (films, doubt) in filed.items()
        if not (kind in known and known[kind].stopped)
        and _crossed(services, films, doubt, known.get(kind))
    ]
    if crossed:
        with services.ledger.transaction() as tx:
            for kind in crossed:
                allowed = services.policy.budget_per_100k
                why = f"More wrong filings are expected than {allowed:g} in 100,000."
                stop_class(services, tx, kind, why, "system")
            known = {one.id: one for one in tx.standings()}
    return {kind: one.why for kind, one in known.items() if one.stopped}


def _crossed(services: Services, films: int, doubt: float, since: ClassStanding | None) -> bool:
    """Tell whether Σ(1-p) of a class, since its last release, is beyond the site's share."""
    if since is not None:
        films, doubt = films - since.base_filed, doubt - since.base_doubt
    if films <= 0:
        # Films filed before the release may have been taken back since.
        return False
    # A part in a million for the sum of many small numbers.
    return doubt > services.policy.budget_per_100k / 100_000 * films * (1 + 1e-6) + 1e-12


def stop_class(
    services: Services, tx: Transaction, kind: str, why: str, by: str, *, wrong: int = 0
) -> ClassStanding:
    """Stop a class, in a transaction that holds what it is stopped for.

    Parameters
    ----------
    services : Services
    tx : Transaction
    kind : str
        The class.
    why : str
        In a clerk's words.
    by : str
        Who stops it: a person, or ``system``.
    wrong : int
        Confirmed wrong filings to be added.
    """
    now = services.clock.now()
    found = {one.id: one for one in tx.standings()}.get(kind)
    happened = event(f"class:{kind}", "class_stopped", by, why=why, wrong=wrong)
    if found is None:
        made = ClassStanding(id=kind, stopped=True, why=why, by=by, at=now, wrong=wrong)
        tx.add(made, happened)
        return made
    again = replace(found, stopped=True, why=why, by=by, at=now, wrong=found.wrong + wrong)
    return tx.save(again, happened)


def release_class(services: Services, kind: str, *, user: str, reason_text: str) -> ClassStanding:
    """Let a class file by itself again; what it held up is decided anew.

    Raises
    ------
    UsageError
        The class is not stopped, or no reason is given.
    """
    if not reason_text.strip():
        raise UsageError("A class is released for a reason.", remedy="Give it with --reason.")
    now = services.clock.now()
    # Read without the lock that all workers write under; once more behind it, for latecomers.
    held_up = _held_up(services)
    with services.ledger.transaction() as tx:
        found = {one.id: one for one in tx.standings()}.get(kind)
        if found is None or not found.stopped:
            raise UsageError(
                f"Class {kind} is not stopped.", remedy="`digitizer budget show` lists the classes."
            )
        films, doubt = tx.filed_by_class().get(kind, (0, 0.0))
        freed = replace(
            found,
            stopped=False,
            why=reason_text,
            by=user,
            at=now,
            base_filed=films,
            base_doubt=doubt,
        )
        freed = tx.save(freed, event(f"class:{kind}", "class_released", user, why=reason_text))
        for jacket_id in sorted(held_up):
            tx.schedule(Stage.DECIDE, jacket_id)
    late = _held_up(services) - held_up
    if late:
        with services.ledger.transaction() as tx:
            for jacket_id in sorted(late):
                tx.schedule(Stage.DECIDE, jacket_id)
    services.waker.wake([(Stage.DECIDE, one) for one in sorted(held_up | late)])
    return freed


def _held_up(services: Services) -> set[str]:
    """Return the jackets whose films wait because a class was stopped."""
    with services.ledger.reading() as view:
        return {
            sheet.jacket_id
            for sheet in view.sheets(state=State.REVIEW)
            if any(one.code is Code.BUDGET_SPENT for one in sheet.reasons)
        }


def report_wrong(services: Services, film_id: str, *, user: str, reason_text: str) -> ClassStanding:
    """Confirm that a film filed by itself went to the wrong patient or exam; its class stops.

    What becomes of the film itself is a correction, not this.

    Raises
    ------
    UsageError
        The film was not filed by itself, or was reported before.
    """
    with services.ledger.transaction() as tx:
        sheet = tx.get(Sheet, film_id)
        decision = sheet.decision
        if decision is None or decision.decided_by != "auto":
            raise UsageError(
                f"Film {film_id} was not filed by itself.",
                remedy="Only those count against the budget.",
            )
        if any(one.name == "confirmed_wrong" for one in tx.events(film_id)):
            raise UsageError(f"Film {film_id} is reported already.")
        kind = decision.evidence_class or _EARLIER
        tx.record(event(film_id, "confirmed_wrong", user, why=reason_text, evidence_class=kind))
        why = f"Film {film_id} was filed wrongly, as {user} confirmed."
        return stop_class(services, tx, kind, why, user, wrong=1)


def standing(services: Services) -> dict[str, Any]:
    """Return what was filed with no hand, what is expected and what was measured wrong of it.

    Returns
    -------
    dict
        ``filed``, ``expected_wrong`` (Σ(1-p)), ``allowed`` (the site's share of what was filed),
        ``classes`` (one a class of evidence) and ``blind`` (the blind reviews).
    """
    with services.ledger.reading() as view:
        filed, known = view.filed_by_class(), {one.id: one for one in view.standings()}
        blind = view.blind_reviews()
    share = services.policy.budget_per_100k / 100_000
    kinds = sorted({*filed, *known, *(kind.value for kind in identity.EvidenceClass)})
    films = sum(n for n, _ in filed.values())
    return {
        "filed": films,
        "expected_wrong": sum(doubt for _, doubt in filed.values()),
        "allowed": share * films,
        "classes": [
            _class_json(kind, filed.get(kind, (0, 0.0)), known.get(kind), share) for kind in kinds
        ],
        "blind": _blind_json(blind),
    }


def _class_json(
    kind: str, filed: tuple[int, float], standing: ClassStanding | None, share: float
) -> dict[str, Any]:
    words = {one.value: text for one, text in identity.CLASSES.items()}
    at = standing.at if standing else None
    return {
        "class": kind,
        "text": words.get(kind, "filed before classes were told apart"),
        "filed": filed[0],
        "expected_wrong": filed[1],
        "allowed": share * filed[0],
        "confirmed_wrong": standing.wrong if standing else 0,
        "stopped": standing.stopped if standing else False,
        "why": standing.why if standing else "",
        "by": standing.by if standing else "",
        "at": at.isoformat() if at else None,
    }


def _blind_json(reviews: tuple[BlindReview, ...]) -> dict[str, Any]:
    """Return the measured rate of wrong filings with its interval, and what planted was found."""
    answered = [one for one in reviews if one.answer]
    real = [one for one in answered if not one.planted]
    planted = [one for one in answered if one.planted]
    wrong = sum(one.answer == "other" and not one.mistaken for one in real)
    low, high = identity.interval(wrong, len(real))
    return {
        "drawn": len(reviews),
        "open": len(reviews) - len(answered),
        "answered": len(real),
        "wrong": wrong,
        "rate": wrong / len(real) if real else None,
        "interval": [low, high],
        "planted": len(planted),
        "planted_found": sum(one.answer == "other" for one in planted),
    }


def known_class(services: Services, kind: str) -> str:
    """Return a class's name as the ledger writes it.

    Raises
    ------
    UnknownRecord
        There is no such class.
    """
    with services.ledger.reading() as view:
        known = {one.id for one in view.standings()} | set(view.filed_by_class())
    if kind not in known | {one.value for one in identity.EvidenceClass}:
        raise UnknownRecord(
            f"There is no class {kind}.", remedy="`digitizer budget show` lists the classes."
        )
    return kind
