"""Whose film it is: decided by the film's own evidence, or asked of a person.

What this decides: ``auto`` for a film whose own block (or barcode) bears an identifier that agrees,
with two independent identifiers in all, one of them a number, nothing against it on film or label,
a clear lead over everybody else, and its exam decided too. What it never does: file a film on its
jacket's word, or look past a contradiction. What it may get wrong: a film whose block was flashed
for another patient at exposure; nothing on the film can tell.
"""

from dataclasses import dataclass

from digitizer.identity.evidence import Evidence, gather_for
from digitizer.identity.exams import ExamVerdict, choose_exam
from digitizer.identity.linkage import Linked, link
from digitizer.identity.settings import PolicySettings
from digitizer.model.identity import (
    Agreement,
    Candidate,
    FilmCase,
    JacketCase,
    JacketRecord,
    Outcome,
    PatientRecord,
    Verdict,
)
from digitizer.model.reading import FieldName, Testimony
from digitizer.model.reasons import Code, Reason, reason
from digitizer.ports import PatientIndex

__all__ = ["PaperCase", "decide_jacket", "decide_paper"]

_CAP = {2: 1 - 3e-5, 3: 1 - 5e-6, 4: 1 - 2e-6}
"""Most that a number of agreeing identifiers may claim: what measurement on rehearsal rooms and
simulated indexes supports (docs/architecture.md), not what the arithmetic gives."""
_MOST_CANDIDATES = 5
_IDENTIFIERS = (
    FieldName.PATIENT_ID,
    FieldName.FAMILY_NAME,
    FieldName.BIRTH_DATE,
    FieldName.ACCESSION_NUMBER,
)
_NUMBERS = (FieldName.PATIENT_ID, FieldName.ACCESSION_NUMBER)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperCase:
    """A label or document: decided by its own text; its jacket must not contradict it."""

    id: str
    testimony: Testimony
    label: Testimony | None
    record: JacketRecord | None


def decide_jacket(
    case: JacketCase, evidence: Evidence, policy: PolicySettings
) -> tuple[Verdict, ...]:
    """Decide the films of a jacket together.

    Parameters
    ----------
    case : JacketCase
    evidence : Evidence
        From :func:`digitizer.identity.gather`.
    policy : PolicySettings

    Returns
    -------
    tuple of Verdict
        One a film, in order.
    """
    owner = _owner(case.label, case.record, evidence, policy)
    return tuple(_film(film, case.label, owner, evidence, policy) for film in case.films)


def _owner(
    label: Testimony | None,
    record: JacketRecord | None,
    evidence: Evidence,
    policy: PolicySettings,
) -> PatientRecord | None:
    """Return whose jacket it is, where its label or the jacket list says so clearly."""
    if label is not None:
        linked = link(label, None, evidence, policy.in_index)
        if linked and linked[0].posterior > 0.99 and _lead(linked) >= policy.gap_bits / 2:
            return linked[0].patient
    if record is not None and record.patient_id:
        for patient in evidence.patients:
            if patient.patient_id == record.patient_id and record.issuer in ("", patient.issuer):
                return patient
    return None


def _film(
    film: FilmCase,
    label: Testimony | None,
    owner: PatientRecord | None,
    evidence: Evidence,
    policy: PolicySettings,
) -> Verdict:
    if not _identifies(film.testimony):
        return _silent(film, label, evidence, policy)
    linked = link(film.testimony, label, evidence, policy.in_index)
    alone = link(film.testimony, None, evidence, policy.in_index)
    if not linked:
        return Verdict(
            film_id=film.id,
            outcome=Outcome.REVIEW,
            reasons=(reason(Code.NO_CANDIDATE),),
        )
    best = linked[0]
    exam = choose_exam(film.testimony, label, best.patient, evidence.exams_of(best.patient))
    posterior = min(best.posterior, _CAP[max(2, min(4, len(_agreeing(best))))])
    reasons = _objections(film.testimony, linked, alone, owner, evidence, policy, posterior)
    reasons += exam.reasons
    if policy.shadow:
        reasons += (reason(Code.SHADOW_MODE),)
    candidates = _candidates(linked, exam)
    if reasons:
        return Verdict(
            film_id=film.id,
            outcome=Outcome.REVIEW,
            posterior=best.posterior,
            exam_posterior=exam.posterior,
            reasons=reasons,
            candidates=candidates,
        )
    return Verdict(
        film_id=film.id,
        outcome=Outcome.AUTO,
        patient=best.patient,
        exam=exam.exam,
        mint_study=exam.mint,
        posterior=posterior,
        exam_posterior=exam.posterior,
        candidates=candidates,
    )


def _identifies(said: Testimony) -> bool:
    return any(name in said.fields for name in _IDENTIFIERS)


def _silent(
    film: FilmCase, label: Testimony | None, evidence: Evidence, policy: PolicySettings
) -> Verdict:
    """Propose the jacket's patient for a film that says nothing; a person files it."""
    linked = link(label, None, evidence, policy.in_index) if label is not None else []
    return Verdict(
        film_id=film.id,
        outcome=Outcome.REVIEW,
        posterior=linked[0].posterior if linked else 0.0,
        reasons=(reason(Code.FILM_SILENT),),
        candidates=_candidates(linked, ExamVerdict()),
    )


def _objections(
    said: Testimony,
    linked: list[Linked],
    alone: list[Linked],
    owner: PatientRecord | None,
    evidence: Evidence,
    policy: PolicySettings,
    posterior: float,
) -> tuple[Reason, ...]:
    """Return every reason why the best candidate may not be taken without a person."""
    best = linked[0]
    found: list[Reason] = []
    contradiction = _contradicts_jacket(best, alone, owner, policy)
    if contradiction is not None:
        found.append(contradiction)
    if _other_persons(said, best.patient, evidence):
        found.append(reason(Code.SEVERAL_IDENTITIES))
    if best.contradictions(best.film):
        told = ", ".join(name.value.replace("_", " ") for name in best.contradictions(best.film))
        code = Code.NOT_IN_INDEX if best.posterior < 0.5 else Code.BELOW_THRESHOLD
        found.append(reason(code, f"The film differs from the best candidate in: {told}."))
    elif best.posterior < 0.5:
        found.append(reason(Code.NOT_IN_INDEX))
    if _lead(linked) < policy.gap_bits:
        found.append(reason(Code.AMBIGUOUS))
    if not found and not _enough(best):
        found.append(
            reason(
                Code.BELOW_THRESHOLD,
                "The film itself does not bear enough that agrees: a number and one thing more.",
            )
        )
    if not found and posterior < policy.least_posterior:
        found.append(reason(Code.BELOW_THRESHOLD))
    return tuple(found)


def _contradicts_jacket(
    best: Linked,
    alone: list[Linked],
    owner: PatientRecord | None,
    policy: PolicySettings,
) -> Reason | None:
    """Say so when the film names one patient and its jacket another."""
    theirs = best.contradictions(best.label)
    if owner is not None and _key(owner) != _key(best.patient):
        mine = best.patient
    elif theirs:
        mine, owner = best.patient, owner or None
    elif alone and owner is not None and _key(alone[0].patient) != _key(owner):
        if alone[0].weight - _weight_of(alone, owner) < policy.gap_bits / 2:
            return None
        mine = alone[0].patient
    else:
        return None
    if owner is None or _key(owner) == _key(mine):
        text = "The film and its jacket's label do not agree."
    else:
        text = f"This film says {_shown(mine)}; the jacket says {_shown(owner)}."
    return reason(Code.FILM_CONTRADICTS_JACKET, text)


def _weight_of(linked: list[Linked], patient: PatientRecord) -> float:
    return next((one.weight for one in linked if _key(one.patient) == _key(patient)), -99.0)


def _other_persons(said: Testimony, patient: PatientRecord, evidence: Evidence) -> bool:
    """Tell whether the same sheet bears another patient's exact number or accession number."""
    words = {word.strip(".,:;#") for line in said.lines for word in line.upper().split()}
    words |= {code.strip().upper() for code in said.barcodes}
    own = {patient.patient_id, *(number for _, number in patient.other_ids)}
    own |= {exam.accession_number for exam in evidence.exams_of(patient)}
    for other in evidence.patients:
        if _key(other) != _key(patient) and other.patient_id in words - own:
            return True
    return any(
        exam.accession_number in words - own and exam.patient_id != patient.patient_id
        for exam in evidence.accessions
    )


def _agreeing(best: Linked) -> list[FieldName]:
    """Return the independent identifiers that agree, on film or label; a field counts once."""
    return [name for name in _IDENTIFIERS if _counts(best, name, on_film=False)]


def _counts(best: Linked, name: FieldName, *, on_film: bool) -> bool:
    if name is not FieldName.FAMILY_NAME:
        return best.agrees(name, on_film=on_film)
    # A name is family and given name; the given name may be an initial, not another one.
    sides = (best.film,) if on_film else (best.film, best.label)
    return any(
        FieldName.FAMILY_NAME in side
        and side[FieldName.FAMILY_NAME].agreement is Agreement.AGREES
        and FieldName.GIVEN_NAME in side
        and side[FieldName.GIVEN_NAME].agreement in (Agreement.AGREES, Agreement.SIMILAR)
        for side in sides
    )


def _enough(best: Linked) -> bool:
    """Apply DESIGN §5: the film bears one, two independent in all, one of them a number.

    A number that only the label bears does not file a film: the film must tie itself to it.
    """
    on_film = [name for name in _IDENTIFIERS if _counts(best, name, on_film=True)]
    number = any(name in _NUMBERS for name in on_film)
    return bool(on_film) and number and len(_agreeing(best)) >= 2


def _lead(linked: list[Linked]) -> float:
    """Return by how many bits the best candidate leads the next."""
    return linked[0].weight - linked[1].weight if len(linked) > 1 else 99.0


def _candidates(linked: list[Linked], exam: ExamVerdict) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            patient=one.patient,
            exam=exam.exam if rank == 0 else None,
            weight=one.weight,
            posterior=one.posterior,
            film_agreement={name: how.agreement for name, how in one.film.items()},
            label_agreement={name: how.agreement for name, how in one.label.items()},
        )
        for rank, one in enumerate(linked[:_MOST_CANDIDATES])
    )


def _key(patient: PatientRecord) -> tuple[str, str]:
    return patient.issuer, patient.patient_id


def _shown(patient: PatientRecord) -> str:
    return f"{patient.name.family}, {patient.name.given}".strip(", ")


def decide_paper(paper: PaperCase, index: PatientIndex, policy: PolicySettings) -> Verdict:
    """Decide a label or document by its own text; it needs no exam."""
    evidence = gather_for([paper.testimony], "", index)
    linked = link(paper.testimony, None, evidence, policy.in_index)
    if not _identifies(paper.testimony) or not linked:
        code = Code.NO_CANDIDATE if _identifies(paper.testimony) else Code.NO_IDENTIFIER
        return Verdict(film_id=paper.id, outcome=Outcome.REVIEW, reasons=(reason(code),))
    best = linked[0]
    owner = None
    if paper.label is not None:
        around = gather_for([paper.label], "", index)
        owner = _owner(paper.label, None, around, policy)
    posterior = min(best.posterior, _CAP[max(2, min(4, len(_agreeing(best))))])
    reasons = _objections(paper.testimony, linked, linked, owner, evidence, policy, posterior)
    if policy.shadow:
        reasons += (reason(Code.SHADOW_MODE),)
    settled = not reasons
    return Verdict(
        film_id=paper.id,
        outcome=Outcome.AUTO if settled else Outcome.REVIEW,
        patient=best.patient if settled else None,
        posterior=posterior if settled else best.posterior,
        reasons=reasons,
        candidates=_candidates(linked, ExamVerdict()),
    )
