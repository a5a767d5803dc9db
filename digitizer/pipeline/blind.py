"""Blind re-review: a sample of what was filed by itself, looked at by who does not know how.

Some show another patient on purpose; who finds those would find a wrong filing as well.
"""

import hmac
from dataclasses import replace

from digitizer.errors import UsageError
from digitizer.model.film import SheetKind
from digitizer.model.identity import Verdict
from digitizer.model.records import BlindReview, Sheet
from digitizer.pipeline.budget import stop_class
from digitizer.pipeline.changes import event
from digitizer.pipeline.ingest import identifier
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["answer", "dismiss", "draw", "open_reviews"]

_WHOLE = 2**32
_SECRET = "blind-sample"
"""Under which the ledger keeps a number of 122 random bits, minted with the first film."""


def draw(services: Services, tx: Transaction, sheet: Sheet, verdict: Verdict) -> None:
    """Draw a film that is being filed by itself into the sample, by chance.

    The chance is a hash of the film's id, so that replaying a decision draws no second time, and of
    a secret of this ledger's, so that nobody who knows the id can work out what is drawn.
    """
    patient = verdict.patient
    assert patient is not None, "a film that is filed has a patient"
    if sheet.kind is not SheetKind.FILM:
        return
    first, second = _chances(tx.uid(_SECRET), sheet.id)
    if first >= services.policy.blind_share or tx.blind_reviews(sheet_id=sheet.id):
        return
    others = [one.patient for one in verdict.candidates if one.patient != patient]
    planted = bool(others) and second < services.policy.blind_planted
    review = BlindReview(
        id=identifier("blind", sheet.id),
        sheet_id=sheet.id,
        batch_id=sheet.batch_id,
        evidence_class=verdict.evidence_class,
        claimed=others[0] if planted else patient,
        planted=planted,
        drawn_at=services.clock.now(),
    )
    # Nothing in the film's own history tells that it was drawn, or what is shown.
    tx.add(review, event(review.id, "drawn"))


def _chances(secret: str, sheet_id: str) -> tuple[float, float]:
    found = hmac.digest(secret.encode(), sheet_id.encode(), "sha256")
    first, second = int.from_bytes(found[:4], "big"), int.from_bytes(found[4:8], "big")
    return first / _WHOLE, second / _WHOLE


def open_reviews(services: Services) -> tuple[BlindReview, ...]:
    """List what waits for a blind look, the oldest first."""
    with services.ledger.reading() as view:
        return view.blind_reviews(open_only=True)


def answer(services: Services, review_id: str, *, user: str, same: bool) -> BlindReview:
    """Take a reviewer's answer: whether the film is the patient's who is shown.

    One who says it is another's, where nothing was planted, stops the class of evidence at once; a
    second look may find the reviewer mistaken (:func:`dismiss`).

    Raises
    ------
    UsageError
        It is answered already.
    """
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        review = tx.get(BlindReview, review_id)
        if review.answer:
            raise UsageError(
                f"Blind review {review_id} is answered already.",
                remedy="`digitizer review blind list` shows what is open.",
            )
        told = "same" if same else "other"
        answered = replace(review, answer=told, answered_by=user, answered_at=now)
        answered = tx.save(answered, event(review_id, "answered", user, answer=told))
        if not same and not review.planted:
            film = event(review.sheet_id, "blind_review_differs", user, review=review_id)
            tx.record(film)
            why = f"A blind review says that film {review.sheet_id} is another patient's."
            stop_class(services, tx, review.evidence_class, why, user)
    return answered


def dismiss(services: Services, review_id: str, *, user: str, reason_text: str) -> BlindReview:
    """Say after a second look that a film is rightly filed and the blind reviewer was mistaken.

    The class stays stopped until it is released.

    Raises
    ------
    UsageError
        The review found nothing, no reason is given, or its own reviewer dismisses it.
    """
    with services.ledger.transaction() as tx:
        review = tx.get(BlindReview, review_id)
        if review.answer != "other" or review.planted or review.mistaken:
            raise UsageError(f"Blind review {review_id} found nothing that could be dismissed.")
        if user == review.answered_by or not reason_text.strip():
            raise UsageError("A finding is dismissed by another person, and for a reason.")
        found = replace(review, mistaken=True)
        return tx.save(found, event(review_id, "dismissed", user, why=reason_text))
