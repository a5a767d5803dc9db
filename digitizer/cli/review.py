"""Commands for people who decide."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import click

from digitizer.cli.amend import AMEND_COMMANDS
from digitizer.cli.base import (
    FINISHED_WITH_HOLDS,
    Root,
    Session,
    json_option,
    note,
    pass_session,
    print_json,
)
from digitizer.errors import UsageError
from digitizer.model.film import SheetKind
from digitizer.model.identity import Candidate, ExamRecord
from digitizer.model.records import Jacket, Scan, Sheet
from digitizer.model.states import State
from digitizer.pipeline import budget
from digitizer.pipeline import review as decisions
from digitizer.pipeline.blind import answer, dismiss, open_reviews
from digitizer.pipeline.changes import reason_payload
from digitizer.pipeline.follow import follow
from digitizer.pipeline.report import fields_json, geometry_json, quality_json
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["COMMANDS"]

review = Root(name="review", help="Decide what the machine will not decide alone.")

films_argument = click.argument("films", metavar="FILM...", nargs=-1, required=True)
user_option = click.option("--as", "user", required=True, help="Who decides.")
reason_option = click.option("--reason", "reason_text", default="", help="Why.")


@review.command(name="list")
@click.option("--batch", "name", help="Only this batch.")
@json_option
@pass_session
def review_list(session: Session, name: str | None, as_json: bool) -> int:
    """List what waits for a person, the most doubtful first."""
    with session.services.ledger.reading() as view:
        batch = view.batch_named(name) if name else None
        if name and batch is None:
            raise UsageError(f"There is no batch {name}.")
        sheets = view.sheets(batch_id=batch.id if batch else None, state=State.REVIEW)
        rows = [_row(view, sheet) for sheet in sheets]
        batches = [batch] if batch else list(view.batches())
        rows += [
            _scan_row(scan)
            for one in batches
            if one is not None
            for scan in view.scans(batch_id=one.id)
            if scan.state is State.REVIEW
        ]
    rows.sort(key=lambda row: row["posterior"] or 0.0)
    if as_json:
        print_json(rows)
        return 0
    for row in rows:
        why = "; ".join(one["text"] for one in row["reasons"])
        print(f"{row['id']}  {row['source']}  {why}")
    if not rows:
        print("Nothing waits for a person.")
    return 0


def _row(view: Transaction, sheet: Sheet) -> dict[str, Any]:
    scan, jacket = view.get(Scan, sheet.scan_id), view.get(Jacket, sheet.jacket_id)
    first = sheet.candidates[0] if sheet.candidates else None
    return {
        "id": sheet.id,
        "kind": sheet.kind.value,
        "source": scan.source,
        "box": jacket.box,
        "jacket": jacket.name,
        "reasons": reason_payload(sheet.reasons),
        "posterior": sheet.posterior,
        "proposal": first.patient.patient_id if first else None,
        "assigned_to": sheet.assigned_to,
    }


def _scan_row(scan: Scan) -> dict[str, Any]:
    return {
        "id": scan.id,
        "kind": scan.kind.value if scan.kind else None,
        "source": scan.source,
        "box": None,
        "jacket": None,
        "reasons": reason_payload(scan.reasons),
        "posterior": None,
        "proposal": None,
        "assigned_to": None,
    }


@review.command(name="show")
@click.argument("film")
@json_option
@pass_session
def review_show(session: Session, film: str, as_json: bool) -> int:
    """Show one film: what was read, who it may belong to, why it is here."""
    services = session.services
    with services.ledger.reading() as view:
        record = decisions.sheet_or_scan(view, film)
        row = _row(view, record) if isinstance(record, Sheet) else _scan_row(record)
        if isinstance(record, Sheet):
            row |= {
                "state": record.state.value,
                "geometry": geometry_json(record.geometry),
                "quality": quality_json(record.quality),
                "fields": fields_json(record.fields),
                "corrections": {name.value: one for name, one in record.corrections.items()},
                "misfiled": record.misfiled,
                "lines": [line.text for line in record.reading.lines],
                "barcodes": [code.text for code in record.reading.barcodes],
                "candidates": [_candidate(services, one) for one in record.candidates],
                "crops": [str(services.vault.path(one)) for one in record.crops],
            }
        row["events"] = [
            {"at": str(one.at), "name": one.name, "by": one.actor, **one.payload}
            for one in view.events(film)
        ]
    if as_json:
        print_json(row)
        return 0
    print("\n".join(_words(row)))
    return 0


def _candidate(services: Services, one: Candidate) -> dict[str, Any]:
    patient, exam = one.patient, one.exam
    return {
        "patient_id": patient.patient_id,
        "issuer": patient.issuer,
        "name": patient.name.text,
        "birth_date": patient.birth_date,
        "sex": patient.sex,
        "accession_number": exam.accession_number if exam else None,
        "exams": [_exam(known) for known in services.index.exams(patient)],
        "posterior": one.posterior,
        "weight": one.weight,
        "film": {name.value: how.value for name, how in one.film_agreement.items()},
        "label": {name.value: how.value for name, how in one.label_agreement.items()},
    }


def _exam(exam: ExamRecord) -> dict[str, str]:
    return {
        "accession_number": exam.accession_number,
        "study_date": str(exam.study_date or ""),
        "modality": exam.modality,
        "description": exam.description,
    }


def _words(row: dict[str, Any]) -> list[str]:
    lines = [f"{row['kind']} {row['id']} from {row['source']}"]
    lines += [f"  why: {one['text']}" for one in row["reasons"]]
    # What two engines read alike is shown once.
    lines += [f"  read: {line}" for line in dict.fromkeys(row.get("lines", ()))]
    for number, one in enumerate(row.get("candidates", ()), start=1):
        lines.append(
            f"  {number}. {one['patient_id']} ({one['issuer']}) {one['name']} "
            f"{one['birth_date']} exam {one['accession_number'] or 'unknown'} "
            f"p={one['posterior']:.6f}"
        )
        if not one["accession_number"]:
            lines += [f"       {' '.join(filter(None, exam.values()))}" for exam in one["exams"]]
    return lines


def _each(films: tuple[str, ...], act: Callable[[str], object]) -> int:
    """Do the same for several films; go on after one that cannot be done."""
    failed: list[UsageError] = []
    for film in films:
        try:
            act(film)
        except UsageError as error:
            failed.append(error)
    if len(failed) < len(films):
        print(f"{len(films) - len(failed)} of {len(films)} done.")
    for one in failed[1:]:
        note(str(one))
    if failed:
        raise failed[0]
    return 0


@review.command(name="accept")
@films_argument
@user_option
@click.option("--patient", "patient_id", help="Patient number, or ISSUER:NUMBER.")
@click.option("--accession", "accession_number", help="Accession number of the exam.")
@click.option(
    "--date",
    "study_date",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of an exam that the index does not have.",
)
@pass_session
def review_accept(
    session: Session,
    films: tuple[str, ...],
    user: str,
    patient_id: str | None,
    accession_number: str | None,
    study_date: datetime | None,
) -> int:
    """Decide films: the first candidate, or the patient and exam named."""

    def decide(film: str) -> None:
        done = decisions.accept(
            session.services,
            film,
            user=user,
            patient_id=patient_id,
            accession_number=accession_number,
            study_date=study_date.date() if study_date else None,
        )
        for line in _left_open(session.services, done):
            print(f"{film}: {line}")

    return _each(films, decide)


def _left_open(services: Services, film: Sheet) -> Iterator[str]:
    """Yield what accepting a film left open, and what can still be done about it."""
    decision = film.decision
    if film.kind is not SheetKind.FILM or decision is None:
        return
    if decision.exam is None:
        day = decision.study_date or "unknown date"
        yield f"in a study of its own of {day}, in no exam of the index."
        known = [_exam(one) for one in services.index.exams(decision.patient)]
        near = [one for one in known if one["study_date"] == decision.study_date]
        if near:
            told = "; ".join(" ".join(filter(None, one.values())) for one in near)
            yield (
                f"the index has of that day: {told}. If it is that one, `digitizer review hold` "
                "and `release` take this back, and --accession names it."
            )
    if film.geometry is not None and film.geometry.turn_deg is None:
        yield (
            "which way up it belongs is not known: it is filed as it was scanned, unless "
            "`digitizer review adjust --turn` says so now."
        )


@review.command(name="assign")
@films_argument
@user_option
@reason_option
@pass_session
def review_assign(session: Session, films: tuple[str, ...], user: str, reason_text: str) -> int:
    """Take films on yourself."""
    services = session.services
    return _each(
        films, lambda film: decisions.assign(services, film, user=user, reason_text=reason_text)
    )


@review.command(name="reject")
@films_argument
@user_option
@reason_option
@pass_session
def review_reject(session: Session, films: tuple[str, ...], user: str, reason_text: str) -> int:
    """End films or scans: to be scanned again, or discarded."""
    services = session.services
    return _each(
        films, lambda film: decisions.reject(services, film, user=user, reason_text=reason_text)
    )


@review.command(name="hold")
@films_argument
@user_option
@reason_option
@pass_session
def review_hold(session: Session, films: tuple[str, ...], user: str, reason_text: str) -> int:
    """Put films aside."""
    services = session.services
    return _each(
        films, lambda film: decisions.hold(services, film, user=user, reason_text=reason_text)
    )


@review.command(name="release")
@films_argument
@user_option
@reason_option
@pass_session
def review_release(session: Session, films: tuple[str, ...], user: str, reason_text: str) -> int:
    """Lift the hold of films."""
    services = session.services
    return _each(
        films, lambda film: decisions.release(services, film, user=user, reason_text=reason_text)
    )


@review.command(name="follow")
@click.argument("jacket")
@user_option
@click.option("--patient", "patient_id", required=True, help="Patient number, or ISSUER:NUMBER.")
@click.option("--accession", "accession_number", help="Accession number of the exam of them all.")
@click.option("--batch", "name", help="The batch, where several hold a jacket of that name.")
@json_option
@pass_session
def review_follow(
    session: Session,
    jacket: str,
    user: str,
    patient_id: str,
    accession_number: str | None,
    name: str | None,
    as_json: bool,
) -> int:
    """File the silent films of a jacket (BOX/JACKET) together, after one look at them."""
    done = follow(
        session.services,
        jacket,
        user=user,
        patient_id=patient_id,
        accession_number=accession_number,
        batch=name,
    )
    left = {"asked": done.asked, "refused": done.refused}
    if as_json:
        filed = {film: exam.accession_number if exam else None for film, exam in done.filed.items()}
        print_json(
            {"filed": filed}
            | {
                how: {film: reason_payload([why])[0] for film, why in films.items()}
                for how, films in left.items()
            }
        )
    else:
        silent = len(done.filed) + len(done.asked)
        print(f"{len(done.filed)} of {silent} films filed.")
        for how, films in left.items():
            for film, why in films.items():
                print(f"  {film} {how}: {why.text}")
    return FINISHED_WITH_HOLDS if done.asked or done.refused else 0


@review.command(name="wrong")
@click.argument("film")
@user_option
@click.option("--reason", "reason_text", required=True, help="What is wrong with it.")
@pass_session
def review_wrong(session: Session, film: str, user: str, reason_text: str) -> int:
    """Confirm that a film was filed wrongly with no hand; its class of evidence stops."""
    stopped = budget.report_wrong(session.services, film, user=user, reason_text=reason_text)
    print(f"Class {stopped.id} is stopped: {stopped.why}")
    return 0


blind = Root(name="blind", help="Look again, blindly, at films filed with no hand.")


@blind.command(name="list")
@json_option
@pass_session
def blind_list(session: Session, as_json: bool) -> int:
    """List what waits for a blind look: the film, and whose it is said to be."""
    services = session.services
    rows = []
    for one in open_reviews(services):
        with services.ledger.reading() as view:
            sheet = view.get(Sheet, one.sheet_id)
        patient = one.claimed
        rows.append(
            {
                "id": one.id,
                "film": one.sheet_id,
                "patient_id": patient.patient_id,
                "issuer": patient.issuer,
                "name": patient.name.text,
                "birth_date": patient.birth_date,
                "sex": patient.sex,
                "crops": [str(services.vault.path(crop)) for crop in sheet.crops],
            }
        )
    if as_json:
        print_json(rows)
        return 0
    for row in rows:
        print(f"{row['id']}  {row['name']} {row['birth_date']} {row['patient_id']}?")
        for crop in row["crops"]:
            print(f"  {crop}")
    if not rows:
        print("Nothing waits for a blind look.")
    return 0


@blind.command(name="answer")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@user_option
@click.option("--same/--other", "same", required=True, default=None, help="The patient's, or not.")
@pass_session
def blind_answer(session: Session, ids: tuple[str, ...], user: str, same: bool) -> int:
    """Say whether films are the patient's who is named."""
    return _each(ids, lambda one: answer(session.services, one, user=user, same=same))


@blind.command(name="dismiss")
@click.argument("id")
@user_option
@click.option("--reason", "reason_text", required=True, help="What the second look showed.")
@pass_session
def blind_dismiss(session: Session, id: str, user: str, reason_text: str) -> int:
    """Say after a second look that a film is rightly filed after all."""
    dismiss(session.services, id, user=user, reason_text=reason_text)
    print("Dismissed. The class stays stopped until it is released: `digitizer budget release`.")
    return 0


review.add_command(blind)
for amending in AMEND_COMMANDS:
    review.add_command(amending)

COMMANDS: tuple[click.Command, ...] = (review,)
