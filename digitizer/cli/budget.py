"""Commands for the budget of wrong filings."""

import click

from digitizer.cli.base import Root, Session, json_option, pass_session, print_json
from digitizer.cli.words import budget_words
from digitizer.errors import UsageError
from digitizer.pipeline.budget import known_class, release_class, standing, stop_class
from digitizer.pipeline.weights import (
    adopt_weights,
    adopted_weights,
    drop_weights,
    estimate_weights,
)

__all__ = ["COMMANDS"]

budget = Root(name="budget", help="Expected and measured wrong filings, and what is stopped.")

user_option = click.option("--as", "user", required=True, help="Who decides.")
reason_option = click.option("--reason", "reason_text", required=True, help="Why.")


@budget.command(name="show")
@json_option
@pass_session
def budget_show(session: Session, as_json: bool) -> int:
    """Show expected and measured wrong filings, class by class of evidence."""
    document = standing(session.services)
    if as_json:
        print_json(document)
    else:
        print(budget_words(document))
    return 0


@budget.command(name="stop")
@click.argument("kind", metavar="CLASS")
@user_option
@reason_option
@pass_session
def budget_stop(session: Session, kind: str, user: str, reason_text: str) -> int:
    """Let films of a class of evidence wait for a person."""
    services = session.services
    known = known_class(services, kind)
    with services.ledger.transaction() as tx:
        stop_class(services, tx, known, reason_text, user)
    print(f"Class {known} is stopped.")
    return 0


@budget.command(name="release")
@click.argument("kind", metavar="CLASS")
@user_option
@reason_option
@pass_session
def budget_release(session: Session, kind: str, user: str, reason_text: str) -> int:
    """Let a stopped class file by itself again; what it held up is decided anew."""
    release_class(session.services, kind, user=user, reason_text=reason_text)
    print(f"Class {kind} is released.")
    return 0


@budget.command(name="weights")
@json_option
@click.option("--adopt", is_flag=True, help="Weigh candidates by this from now on.")
@click.option("--built-in", "drop", is_flag=True, help="Go back to the built-in weights.")
@click.option("--as", "user", default="", help="Who adopts or drops them.")
@click.option("--reason", "reason_text", default="", help="Why.")
@pass_session
def budget_weights(
    session: Session, as_json: bool, adopt: bool, drop: bool, user: str, reason_text: str
) -> int:
    """Show how well each field is read here, of the right people and of look-alikes."""
    if adopt or drop:
        return _change_weights(session, adopt, drop, user, reason_text)
    document = estimate_weights(session.services)
    document["in_force"] = adopted_weights(session.services).name or "built-in"
    if as_json:
        print_json(document)
        return 0
    print(f"The weights in force: {document['in_force']}.")
    print(f"{document['pairs']} pairs of film and candidate, {document['share']:.1%} of them right")
    for name, sides in document["fields"].items():
        for side, who in (("m", "right"), ("u", "wrong")):
            shares = ", ".join(f"{how} {share:.2%}" for how, share in sides[side].items())
            print(f"  {name}, {who} people: {shares}")
    return 0


def _change_weights(session: Session, adopt: bool, drop: bool, user: str, why: str) -> int:
    """Adopt what is estimated, or go back; by whom and why goes into the audit trail."""
    if adopt and drop:
        raise UsageError("Either adopt the weights, or go back to the built-in ones.")
    if not user:
        raise UsageError("Somebody adopts weights.", remedy="Say who with --as USER.")
    if adopt:
        name = adopt_weights(session.services, user=user, reason_text=why).name
        print(f"The weights {name} are in force; `digitizer replay` shows what they change.")
    else:
        drop_weights(session.services, user=user, reason_text=why)
        print("The built-in weights are in force.")
    return 0


COMMANDS: tuple[click.Command, ...] = (budget,)
