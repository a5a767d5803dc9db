"""Whose film it is: decided by the film's own evidence, or asked of a person.

What this decides: ``auto`` for a film whose own block (or barcode) bears an identifier that agrees,
with two independent identifiers in all, one of them a number, nothing against it on film or label,
a clear lead over everybody else, and its exam decided too. What it never does: file a film on its
jacket's word, or look past a contradiction. What it may get wrong: a film whose block was flashed
for another patient at exposure; nothing on the film can tell.
"""

from dataclasses import dataclass

from digitizer.identity.classes import Caps, EvidenceClass, class_of
from digitizer.identity.evidence import Evidence, gather_for
from digitizer.identity.exams import Around, ExamRates, ExamVerdict, choose_exam
from digitizer.identity.heard import Heard
from digitizer.identity.linkage import Agreements, Linked, compared_all, link
from digitizer.identity.neighbours import name_neighbours
from digitizer.identity.objections import Sides, lead, objections, two_strangers
from digitizer.identity.proof import IDENTIFIERS
from digitizer.identity.settings import PolicySettings
from digitizer.identity.weights import BUILT_IN, Weights
from digitizer.model.identity import (
    Candidate,
    FilmCase,
    JacketCase,
    JacketRecord,
    Outcome,
    PatientRecord,
    Verdict,
)
from digitizer.model.reading import Testimony
from digitizer.model.reasons import Code, reason
from digitizer.ports import PatientIndex

__all__ = ["PaperCase", "decide_jacket", "decide_paper"]

_MOST_CANDIDATES = 5
_CLEAR = 0.99
"""Posterior from which a label says whose jacket it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperCase:
    """A label or document: decided by its own text; its jacket must not contradict it."""

    id: str
    testimony: Testimony
    label: Testimony | None
    record: JacketRecord | None


def decide_jacket(
    case: JacketCase, evidence: Evidence, policy: PolicySettings, caps: Caps | None = None
) -> tuple[Verdict, ...]:
    """Decide the films of a jacket together.

    Parameters
    ----------
    case : JacketCase
    evidence : Evidence
        From :func:`digitizer.identity.gather`.
    policy : PolicySettings
    caps : Caps, optional
        What posteriors may claim; as measured by default.

    Returns
    -------
    tuple of Verdict
        One a film, in order.
    """
    label = Heard(case.label) if case.label is not None else None
    weights = evidence.weights
    theirs = compared_all(label, evidence, weights.label) if label is not None else []
    owner = _owner(theirs, case.record, evidence, policy)
    films = tuple(film.testimony for film in case.films)
    jacket = _Jacket(label, theirs, owner, films, caps or Caps.measured())
    verdicts = tuple(_film(film, jacket, evidence, policy) for film in case.films)
    return name_neighbours(verdicts, case) if case.neighbours else verdicts


@dataclass(frozen=True, slots=True)
class _Jacket:
    """The label, what it says of each candidate, whose jacket it therefore is, and its films.

    With them goes what the posteriors may claim.
    """

    label: Heard | None
    theirs: list[Agreements]
    owner: PatientRecord | None
    films: tuple[Testimony, ...]
    caps: Caps


def _owner(
    theirs: list[Agreements],
    record: JacketRecord | None,
    evidence: Evidence,
    policy: PolicySettings,
) -> PatientRecord | None:
    """Return whose jacket it is, where its label or the jacket list says so clearly."""
    if theirs:
        linked = link(theirs, [], evidence, policy.in_index)
        if linked and linked[0].posterior > _CLEAR and lead(linked) >= policy.gap_bits / 2:
            return linked[0].patient
    if record is not None and record.patient_id:
        for patient in evidence.patients:
            if patient.patient_id == record.patient_id and record.issuer in ("", patient.issuer):
                return patient
    return None


def _film(film: FilmCase, jacket: _Jacket, evidence: Evidence, policy: PolicySettings) -> Verdict:
    heard = Heard(film.testimony)
    if not _identifies(film.testimony):
        return _silent(film, jacket, evidence, policy)
    own = compared_all(heard, evidence, evidence.weights.film)
    linked = link(own, jacket.theirs, evidence, policy.in_index)
    if not linked:
        stranger = two_strangers(heard, jacket.label) if jacket.label is not None else None
        asked = (reason(Code.NO_CANDIDATE),) if stranger is None else (stranger,)
        return Verdict(film_id=film.id, outcome=Outcome.REVIEW, reasons=asked)
    best = linked[0]
    others = tuple(one for one in jacket.films if one is not film.testimony)
    around = Around(label=jacket.label, films=others)
    exam = choose_exam(
        heard,
        around,
        best.patient,
        evidence.exams_of(best.patient),
        ExamRates.of(evidence.exam_days, policy.exams_missing),
        policy.least_exam_posterior,
        jacket.caps,
    )
    kind = class_of(best)
    posterior = _capped(best, kind, jacket.caps)
    sides = Sides(
        film=heard,
        label=jacket.label,
        owner=jacket.owner,
        linked=linked,
        alone=link(own, [], evidence, policy.in_index),
    )
    dated = exam.exam is not None and exam.evidence in ("day", "day_part")
    reasons = objections(sides, evidence, policy, posterior, dated=dated)
    if not any(one.code is Code.NOT_IN_INDEX for one in reasons):
        # Of somebody who is not known, no exam is known either.
        reasons += exam.reasons
    if policy.shadow:
        reasons += (reason(Code.SHADOW_MODE),)
    settled = not reasons
    return Verdict(
        film_id=film.id,
        outcome=Outcome.AUTO if settled else Outcome.REVIEW,
        patient=best.patient if settled else None,
        exam=exam.exam if settled else None,
        mint_study=exam.mint if settled else None,
        posterior=posterior,
        exam_posterior=exam.posterior,
        reasons=reasons,
        candidates=_candidates(linked, exam),
        evidence_class=kind.value,
        exam_evidence=exam.evidence,
    )


def _identifies(said: Testimony) -> bool:
    return any(name in said.fields for name in IDENTIFIERS)


def _silent(film: FilmCase, jacket: _Jacket, evidence: Evidence, policy: PolicySettings) -> Verdict:
    """Propose the jacket's patient for a film that says nothing; a person files it."""
    linked = link(jacket.theirs, [], evidence, policy.in_index) if jacket.theirs else []
    return Verdict(
        film_id=film.id,
        outcome=Outcome.REVIEW,
        posterior=_capped(linked[0], EvidenceClass.TIED, jacket.caps) if linked else 0.0,
        reasons=(reason(Code.FILM_SILENT),),
        candidates=_candidates(linked, ExamVerdict()),
    )


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


def _capped(best: Linked, kind: EvidenceClass, caps: Caps) -> float:
    """Return a posterior that claims no more than its class of evidence was measured to bear."""
    return min(best.posterior, caps.patient[kind])


def decide_paper(
    paper: PaperCase,
    index: PatientIndex,
    policy: PolicySettings,
    caps: Caps | None = None,
    weights: Weights = BUILT_IN,
) -> Verdict:
    """Decide a label or document by its own text; it needs no exam."""
    evidence = gather_for([paper.testimony], "", index, weights)
    heard = Heard(paper.testimony)
    own = compared_all(heard, evidence, weights.label)
    linked = link(own, [], evidence, policy.in_index)
    if not _identifies(paper.testimony) or not linked:
        code = Code.NO_CANDIDATE if _identifies(paper.testimony) else Code.NO_IDENTIFIER
        return Verdict(film_id=paper.id, outcome=Outcome.REVIEW, reasons=(reason(code),))
    best = linked[0]
    owner = None
    if paper.label is not None:
        around = gather_for([paper.label], "", index, weights)
        theirs = compared_all(Heard(paper.label), around, weights.label)
        owner = _owner(theirs, None, around, policy)
    kind = class_of(best)
    posterior = _capped(best, kind, caps or Caps.measured())
    sides = Sides(film=heard, label=None, owner=owner, linked=linked, alone=linked)
    reasons = objections(sides, evidence, policy, posterior)
    if paper.testimony.people > 1 and all(
        one.code is not Code.SEVERAL_IDENTITIES for one in reasons
    ):
        # A label stuck over an older one: whom it names need not be in the index.
        reasons += (reason(Code.SEVERAL_IDENTITIES),)
    if policy.shadow:
        reasons += (reason(Code.SHADOW_MODE),)
    settled = not reasons
    return Verdict(
        film_id=paper.id,
        outcome=Outcome.AUTO if settled else Outcome.REVIEW,
        patient=best.patient if settled else None,
        posterior=posterior,
        reasons=reasons,
        candidates=_candidates(linked, ExamVerdict()),
        evidence_class=kind.value,
    )
