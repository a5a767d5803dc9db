"""Commands for leads: pause, drain and resume work; let jackets overtake."""

from collections.abc import Callable

import click

from digitizer.cli.base import Root, Session, Verb, note, pass_session
from digitizer.errors import UsageError
from digitizer.model.records import WorkMode
from digitizer.pipeline.follow import jacket_of
from digitizer.pipeline.orders import order, set_urgent

__all__ = ["COMMANDS", "ORDER_COMMANDS"]

_user = click.option("--as", "user", required=True, help="Who orders it.")
_reason = click.option("--reason", default="", help="Why, for those who wonder.")
_DONE = {
    WorkMode.PAUSED: "paused; what is under way comes to the end of its stage",
    WorkMode.DRAINING: "draining; jackets that were begun are finished, no others are begun",
    WorkMode.RUNNING: "going on",
}


def _command(name: str, mode: WorkMode, words: str) -> click.Command:
    def run(session: Session, name: str | None, everything: bool, user: str, reason: str) -> int:
        if everything == (name is not None):
            raise UsageError("Name a batch, or give --all.")
        order(session.services, mode, by=user, batch=name, reason=reason)
        print(f"{name or 'All work'} is {_DONE[mode]}.")
        return 0

    run.__doc__ = words
    wrapped: Callable[..., int] = pass_session(run)
    for option in (
        _reason,
        _user,
        click.option("--all", "everything", is_flag=True, help="All batches."),
        click.argument("name", metavar="[BATCH]", required=False),
    ):
        wrapped = option(wrapped)
    return click.command(name=name, cls=Verb)(wrapped)


ORDER_COMMANDS: tuple[click.Command, ...] = (
    _command("pause", WorkMode.PAUSED, "Begin no stage of a batch, or of anything, until resumed."),
    _command("drain", WorkMode.DRAINING, "Finish the jackets that were begun, begin no others."),
    _command("resume", WorkMode.RUNNING, "Go on with a batch, or with everything."),
)
"""Those that stand below `digitizer batch`."""

jacket = Root(name="jacket", help="Let jackets overtake others.")


@jacket.command(name="urgent")
@click.argument("names", metavar="JACKET...", nargs=-1, required=True)
@click.option("--batch", "of_batch", help="The batch, where the name is not unique.")
@click.option("--off", is_flag=True, help="Not any more.")
@_user
@pass_session
def jacket_urgent(
    session: Session, names: tuple[str, ...], of_batch: str | None, off: bool, user: str
) -> int:
    """Let the work of jackets overtake that of others, four turns of five."""
    with session.services.ledger.reading() as view:
        ids = [jacket_of(view, name, of_batch).id for name in names]
    changed = set_urgent(session.services, ids, not off, by=user)
    if changed < len(ids):
        note(f"{len(ids) - changed} {'were' if not off else 'were not'} urgent already.")
    print(f"{changed} of {len(ids)} {'no longer overtake' if off else 'overtake'} others.")
    return 0


COMMANDS: tuple[click.Command, ...] = (jacket,)
