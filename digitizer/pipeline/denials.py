"""Which films of a jacket one look of a person does not file, and why.

What this never does: file anything.
"""

from collections.abc import Iterable, Mapping, Sequence

from digitizer import identity
from digitizer.model.film import SheetKind
from digitizer.model.identity import PatientRecord
from digitizer.model.reading import FieldSource
from digitizer.model.reasons import Code, Reason, reason
from digitizer.model.records import Jacket, Sheet
from digitizer.model.states import ENDS, State
from digitizer.pipeline.bearers import label_of, testimony_of
from digitizer.pipeline.jacket import listed
from digitizer.pipeline.services import Services

__all__ = ["not_to_follow", "numbers_of"]

_LOOKED_AT = frozenset(
    {
        Code.FILM_SILENT,
        Code.ORIENTATION_UNKNOWN,
        Code.EXAM_UNKNOWN,
        Code.EXAM_AMBIGUOUS,
        Code.IMPLAUSIBLE_DATE,
        Code.SHADOW_MODE,
    }
)
"""Reasons that one look at the sheet of all pictures settles; others need a look of their own."""


def not_to_follow(
    services: Services,
    jacket: Jacket,
    sheets: Sequence[Sheet],
    silent: Sequence[Sheet],
    patient: PatientRecord,
    user: str,
) -> dict[str, Reason]:
    """Name the films that this look does not file, silent or not, and why."""
    sheets = [sheet for sheet in sheets if not sheet.misfiled]
    waiting = [
        sheet for sheet in sheets if sheet.kind is SheetKind.FILM and sheet.state is State.REVIEW
    ]
    refused: dict[str, Reason] = {}
    for sheet in waiting:
        said = testimony_of(services, [sheet], FieldSource.FILM)
        against = identity.speaks_against(said, patient, services.index)
        if against is not None:
            refused[sheet.id] = reason(Code.FILM_CONTRADICTS_JACKET, against)
    denied = _jacket_denies(services, jacket, sheets, patient)
    if denied is None:
        denied = _films_deny(sheets, silent, patient, refused)
    for sheet in silent:
        more = [one for one in sheet.reasons if one.code not in _LOOKED_AT]
        if denied is not None:
            refused.setdefault(sheet.id, reason(Code.FILM_CONTRADICTS_JACKET, denied))
        elif sheet.assigned_to not in (None, user):
            text = f"The film is with {sheet.assigned_to}."
            refused.setdefault(sheet.id, reason(Code.ON_HOLD, text))
        elif more:
            refused.setdefault(sheet.id, more[0])
    return refused


def _jacket_denies(
    services: Services, jacket: Jacket, sheets: Sequence[Sheet], patient: PatientRecord
) -> str | None:
    """Say so where the label or the jacket list names somebody else as the jacket's patient."""
    said = label_of(services, sheets)
    if said is not None:
        denied = identity.label_denies(said, patient)
        if denied is not None:
            return denied
    record = listed(services, jacket, sheets)
    if record is None or not record.patient_id:
        return None
    own = numbers_of(patient)
    if any(number == record.patient_id and record.issuer in ("", issuer) for issuer, number in own):
        return None
    return f"The jacket list says that this jacket is patient {record.patient_id}'s."


def _films_deny(
    sheets: Iterable[Sheet],
    silent: Iterable[Sheet],
    patient: PatientRecord,
    refused: Mapping[str, Reason],
) -> str | None:
    """Say so where the jacket's other films are another's: silent ones lie with their own.

    A film decided for another says so, unless more are decided for this patient: then it is the
    stranger, as one that is not decided is beside any that is decided for this patient.
    """
    own, mute = set(numbers_of(patient)), {sheet.id for sheet in silent}
    decided = [
        sheet.decision.patient
        for sheet in sheets
        if sheet.kind is SheetKind.FILM and sheet.decision is not None and sheet.state not in ENDS
    ]
    strangers = [one for one in decided if (one.issuer, one.patient_id) not in own]
    if strangers and 2 * len(strangers) >= len(decided):
        one = strangers[0]
        whose = one.name.text or one.patient_id
        return f"Another film of this jacket is decided for {whose}, number {one.patient_id}."
    against = next((why for film, why in refused.items() if film not in mute), None)
    if decided or against is None:
        return None
    return f"Another film of this jacket speaks against it. {against.text}"


def numbers_of(patient: PatientRecord) -> list[tuple[str, str]]:
    """Return the numbers of a patient with their issuers, those of merged records too."""
    return list(dict.fromkeys([(patient.issuer, patient.patient_id), *patient.other_ids]))
