"""What a person puts right on a sheet in review: a field misread, a sheet in the wrong jacket.

What this never does: change what was read, file anything, or touch a sheet that is decided. What a
person says is a witness beside the engines; the candidates are weighed anew with it at once, and a
person still chooses.
"""

from collections.abc import Mapping
from dataclasses import replace

from digitizer import reading
from digitizer.errors import StaleRecord, UsageError
from digitizer.model.film import SheetKind
from digitizer.model.reading import FieldName
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Event, Jacket, Sheet, Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event, held, reason_payload
from digitizer.pipeline.jacket import Doubts, beside_what_was_typed, listed, weighed
from digitizer.pipeline.neighbours import beside, neighbours_of
from digitizer.pipeline.review import in_review
from digitizer.pipeline.services import Services

__all__ = ["changeable", "correct", "mark_misfiled", "unmark_misfiled"]


def correct(
    services: Services,
    film_id: str,
    *,
    user: str,
    values: Mapping[FieldName, str],
    version: int | None = None,
) -> Sheet:
    """Say what stands on a sheet where it was misread; candidates are weighed anew.

    Parameters
    ----------
    services : Services
    film_id : str
        In review.
    user : str
    values : mapping of FieldName to str
        What stands there; empty takes a correction back. What was read is no correction.
    version : int, optional
        Of the sheet as the person saw it.

    Raises
    ------
    UsageError
        It is not in review, or something is no value of its field.
    StaleRecord
        The sheet is not any more what the person saw.
    """
    right = {
        name: reading.typed(name, text, services.rules) if text.strip() else ""
        for name, text in values.items()
    }
    with services.ledger.reading() as view:
        sheet = changeable(view.get(Sheet, film_id), user)
    said = {name: value for name, value in {**sheet.corrections, **right}.items() if value}
    said = {name: value for name, value in said.items() if _read(sheet, name) != value}
    changed = {
        name: said.get(name, "") for name in right if said.get(name) != sheet.corrections.get(name)
    }
    if not changed:
        raise UsageError("Nothing was corrected: this is what was read.")
    told = event(
        film_id,
        "field_corrected",
        user,
        corrected={name.value: value for name, value in changed.items()},
        before={name.value: sheet.corrections.get(name, "") for name in changed},
        read={name.value: _read(sheet, name) for name in changed},
    )
    return _weigh_anew(services, sheet, replace(sheet, corrections=said), told, version)


def changeable(sheet: Sheet, user: str) -> Sheet:
    """Return a sheet in review of which no capture was made.

    Raises
    ------
    UsageError
        Another state, on hold, with somebody else, or wrapped.
    """
    if sheet.sop_instance_uid is not None:
        raise UsageError(
            "It is wrapped already: its capture stands as it is.",
            remedy="Reject it and scan the film again, if the capture must not stay.",
        )
    return in_review(sheet, user)


def _read(sheet: Sheet, name: FieldName) -> str:
    return sheet.fields[name].value if name in sheet.fields else ""


def mark_misfiled(
    services: Services,
    film_id: str,
    *,
    user: str,
    reason_text: str = "",
    version: int | None = None,
) -> Sheet:
    """Say that a sheet lies in the wrong jacket: it leaves the jacket's evidence, and vice versa.

    Its candidates are those of its own words alone; a person still decides whose it is.

    Raises
    ------
    UsageError
        It is not in review, or marked already.
    StaleRecord
        The sheet is not any more what the person saw.
    """
    with services.ledger.reading() as view:
        sheet = changeable(view.get(Sheet, film_id), user)
    if sheet.misfiled:
        raise UsageError(f"Film {film_id} is marked already.", remedy="Choose whose it is.")
    why = f"{user} says that it lies in the wrong jacket"
    why = f"{why}: {reason_text.strip()}" if reason_text.strip() else f"{why}."
    told = event(film_id, "marked_misfiled", user, reason=reason_text, jacket=sheet.jacket_id)
    return _weigh_anew(services, sheet, replace(sheet, misfiled=why), told, version)


def unmark_misfiled(
    services: Services, film_id: str, *, user: str, version: int | None = None
) -> Sheet:
    """Take it back that a sheet lies in the wrong jacket.

    Raises
    ------
    UsageError
        It is not in review, or not marked.
    """
    with services.ledger.reading() as view:
        sheet = changeable(view.get(Sheet, film_id), user)
    if not sheet.misfiled:
        raise UsageError(f"Film {film_id} is not marked as lying in the wrong jacket.")
    told = event(film_id, "unmarked_misfiled", user, jacket=sheet.jacket_id)
    return _weigh_anew(services, sheet, replace(sheet, misfiled=""), told, version)


def _weigh_anew(
    services: Services, sheet: Sheet, changed: Sheet, told: Event, version: int | None
) -> Sheet:
    """Write a changed sheet down with the candidates that follow from the change.

    The rest of the jacket is decided again where this sheet speaks for it.
    """
    if version is not None and sheet.version != version:
        raise StaleRecord("It was changed while you looked at it.", remedy="Look at it again.")
    with services.ledger.reading() as view:
        jacket = view.get(Jacket, sheet.jacket_id)
        everything = [
            changed if one.id == changed.id else one for one in view.sheets(jacket_id=jacket.id)
        ]
        near = beside(view, jacket)
    record = listed(services, jacket, everything)
    verdicts, typed = beside_what_was_typed(
        services, record, everything, [changed], neighbours_of(services, near)
    )
    now = services.clock.now()
    # A label speaks for the films of its jacket; a stranger that leaves or comes back as well.
    others = changed.kind is SheetKind.LABEL or changed.misfiled != sheet.misfiled
    with services.ledger.transaction() as tx:
        current = tx.get(Sheet, sheet.id)
        if current.version != sheet.version:
            raise StaleRecord("It was changed while you looked at it.", remedy="Look at it again.")
        doubts = Doubts(typed=sheet.id in typed)
        proposal, reasons = weighed(services, tx, changed, verdicts[sheet.id], doubts)
        kept = tuple(one for one in sheet.reasons if one.code is Code.EXPECTED_FILMS_DIFFER)
        why = (*reasons, *kept) or (reason(Code.CORRECTED_BY_PERSON),)
        asked = held(proposal, State.REVIEW, why, now)
        told = replace(told, payload={**told.payload, "reasons": reason_payload(why)})
        written = tx.save(asked, told)
        if others:
            tx.schedule(Stage.DECIDE, jacket.id)
    if others:
        services.waker.wake([(Stage.DECIDE, jacket.id)])
    return written
