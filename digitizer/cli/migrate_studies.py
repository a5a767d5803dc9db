"""Commands about studies of older archives: migrate studies, accept, retry, where and the rest."""

from collections.abc import Callable

import click

from digitizer.cli.base import Session, Verb, json_option, note, pass_session, print_csv, print_json
from digitizer.cli.older_words import study_words, where_words
from digitizer.errors import UsageError
from digitizer.model.older import OldStudy, Source
from digitizer.model.reasons import Code
from digitizer.model.states import HOLDS, State
from digitizer.pipeline.older import reconcile, rejecting, review
from digitizer.pipeline.older.columns import STUDY_COLUMNS, study_rows
from digitizer.pipeline.older.leaving_out import left_out
from digitizer.pipeline.older.review import Collisions
from digitizer.pipeline.older.sources import source_named
from digitizer.pipeline.older.strangers import named_in
from digitizer.pipeline.services import Services
from digitizer.pipeline.whereabouts import patient_sought, whereabouts

__all__ = ["MIGRATE_STUDY_COMMANDS", "as_user", "code_named"]

as_user = click.option("--as", "user", required=True, help="Who decides.")


@click.command(name="studies", cls=Verb)
@click.argument("name")
@click.option("--state", type=click.Choice([one.value for one in State]), help="Only these.")
@click.option("--reason", "code", help="Only those held for this reason first.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, with what was told and found of each.")
@json_option
@pass_session
def studies(
    session: Session,
    name: str,
    state: str | None,
    code: str | None,
    as_csv: bool,
    as_json: bool,
) -> int:
    """List the studies of an older archive."""
    services = session.services
    source = source_named(services, name)
    found = _studies(services, source, state, code)
    if as_csv:
        print_csv(STUDY_COLUMNS, study_rows(services, source, found))
    elif as_json:
        print_json([reconcile.study_json(one) for one in found])
    else:
        for one in found:
            why = "; ".join(reason.text for reason in one.reasons)
            told = one.header
            what = f"{told.modality} {told.study_date}  {told.patient_id} {told.name}"
            print(f"{one.id}  {one.state.value}  {what}  {why}")
    return 0


def code_named(code: str | None) -> Code | None:
    """Return a reason by its name; raises :class:`~digitizer.errors.UsageError`."""
    try:
        return Code(code) if code else None
    except ValueError:
        raise UsageError(
            f"There is no reason {code}.", remedy="docs/reasons.md lists them."
        ) from None


def _studies(
    services: Services, source: Source, state: str | None, code: str | None
) -> tuple[OldStudy, ...]:
    with services.ledger.reading() as view:
        return view.old_studies(
            source_id=source.id, states=(State(state),) if state else (), code=code_named(code)
        )


@click.command(name="study", cls=Verb)
@click.argument("study")
@json_option
@pass_session
def study_show(session: Session, study: str, as_json: bool) -> int:
    """Show one study: the header's words beside the index's, its instances, what happened."""
    with session.services.ledger.reading() as view:
        found = view.get(OldStudy, study)
        rows = view.old_instances(study_id=study)
        events = view.events(study)
    named = named_in(session.services, found, rows)
    document = reconcile.study_in_full_json(found, rows, named, events)
    if as_json:
        print_json(document)
    else:
        print(study_words(document))
    return 0


@click.command(name="accept", cls=Verb)
@click.argument("study", nargs=-1, required=True)
@click.option("--patient", "patient_id",
              help="ISSUER:NUMBER; else the first candidate, if nothing disagrees.")  # fmt: skip
@click.option("--accession", "accession_number", help="The exam; empty keeps the header's number.")
@click.option("--collisions", type=click.Choice([one.value for one in Collisions]),
              help="What becomes of instances that cannot go as they are.")  # fmt: skip
@click.option("--leave-others", is_flag=True, help="Leave out files that name somebody else.")
@click.option("--whole", is_flag=True, help="All files are the patient's, whomever they name.")
@click.option("--alike", is_flag=True, help="Also all studies that name the same patient alike.")
@click.option("--reason", "why", default="", help="Why.")
@as_user
@pass_session
def accept(
    session: Session,
    study: tuple[str, ...],
    patient_id: str | None,
    accession_number: str | None,
    collisions: str | None,
    leave_others: bool,
    whole: bool,
    alike: bool,
    why: str,
    user: str,
) -> int:
    """Decide studies in review."""
    if alike and accession_number:
        raise UsageError("One accession number cannot be that of all studies alike.")

    def one(services: Services, study_id: str) -> None:
        accepted = review.accept(
            services,
            study_id,
            user=user,
            patient_id=patient_id,
            accession_number=accession_number,
            collisions=Collisions(collisions) if collisions else None,
            leave_others=leave_others,
            whole=whole,
            why=why,
        )
        if accepted.decision is not None:
            who = accepted.decision.patient
            out = left_out(services, study_id) if leave_others else 0
            print(f"{study_id}: {who.issuer}:{who.patient_id}, {who.name.text}"
                  f"{f'; {out} that name somebody else left out' if out else ''}")  # fmt: skip

    ids = study
    if alike:
        ids = tuple(dict.fromkeys(b for a in study for b in review.alike(session.services, a)))
    return _each(session.services, ids, one, "accepted")


@click.command(name="reject", cls=Verb)
@click.argument("study", nargs=-1, required=True)
@click.option("--reason", "why", default="", help="Why.")
@as_user
@pass_session
def reject(session: Session, study: tuple[str, ...], why: str, user: str) -> int:
    """End studies: nothing of them goes into the archive."""

    def one(services: Services, study_id: str) -> None:
        rejecting.reject(services, study_id, user=user, why=why)

    return _each(session.services, study, one, "rejected")


@click.command(name="reopen", cls=Verb)
@click.argument("study", nargs=-1, required=True)
@click.option("--reason", "why", default="", help="Why.")
@as_user
@pass_session
def reopen(session: Session, study: tuple[str, ...], why: str, user: str) -> int:
    """Take back that studies were rejected; they are decided anew."""

    def one(services: Services, study_id: str) -> None:
        rejecting.open_again(services, study_id, user=user, why=why)

    return _each(session.services, study, one, "opened again")


@click.command(name="hold", cls=Verb)
@click.argument("study", nargs=-1, required=True)
@click.option("--reason", "why", default="", help="Why.")
@as_user
@pass_session
def hold(session: Session, study: tuple[str, ...], why: str, user: str) -> int:
    """Put studies aside until they are released."""

    def one(services: Services, study_id: str) -> None:
        review.hold(services, study_id, user=user, why=why)

    return _each(session.services, study, one, "put aside")


@click.command(name="release", cls=Verb)
@click.argument("study", nargs=-1, required=True)
@as_user
@pass_session
def release(session: Session, study: tuple[str, ...], user: str) -> int:
    """Lift the hold of studies; they are decided anew."""

    def one(services: Services, study_id: str) -> None:
        review.release(services, study_id, user=user)

    return _each(session.services, study, one, "released")


@click.command(name="retry", cls=Verb)
@click.argument("name")
@click.option("--state", type=click.Choice(sorted(one.value for one in HOLDS)), help="Only these.")
@click.option("--reason", "code", help="Only those held for this reason first.")
@as_user
@pass_session
def retry(session: Session, name: str, state: str | None, code: str | None, user: str) -> int:
    """Go on with held studies where they stopped."""
    services = session.services
    found = _studies(services, source_named(services, name), state, code)
    ids = [one.id for one in found if one.state in HOLDS]
    started = review.retry(services, ids, user=user)
    print(f"{started} of {len(ids)} set going.")
    return 0


@click.command(name="where", cls=Verb)
@click.argument("patient")
@json_option
@pass_session
def where(session: Session, patient: str, as_json: bool) -> int:
    """Tell where everything of a patient is: NUMBER or ISSUER:NUMBER; films and older studies."""
    services = session.services
    document = whereabouts(services, patient_sought(services, patient))
    if as_json:
        print_json(document)
    else:
        print(where_words(document))
    return 0


def _each(
    services: Services,
    ids: tuple[str, ...],
    act: Callable[[Services, str], None],
    done: str,
) -> int:
    """Do something for each study; say of each that cannot be why."""
    failed = 0
    for study_id in ids:
        try:
            act(services, study_id)
        except UsageError as error:
            failed += 1
            note(f"{study_id}: {error}")
    print(f"{len(ids) - failed} of {len(ids)} {done}.")
    return 1 if failed else 0


MIGRATE_STUDY_COMMANDS: tuple[click.Command, ...] = (
    studies,
    study_show,
    accept,
    reject,
    reopen,
    hold,
    release,
    retry,
    where,
)
