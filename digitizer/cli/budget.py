"""Commands for the budget of wrong filings."""

import click

from digitizer.cli.base import Root, Session, json_option, pass_session, print_json
from digitizer.cli.words import budget_words
from digitizer.pipeline.budget import known_class, release_class, standing, stop_class
from digitizer.pipeline.weights import estimate_weights

__all__ = ["BUDGET_COMMANDS"]

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
@pass_session
def budget_weights(session: Session, as_json: bool) -> int:
    """Show how well each field is read here, of the right people and of look-alikes."""
    document = estimate_weights(session.services)
    if as_json:
        print_json(document)
        return 0
    print(f"{document['pairs']} pairs of film and candidate, {document['share']:.1%} of them right")
    for name, sides in document["fields"].items():
        for side, who in (("m", "right"), ("u", "wrong")):
            shares = ", ".join(f"{how} {share:.2%}" for how, share in sides[side].items())
            print(f"  {name}, {who} people: {shares}")
    return 0


BUDGET_COMMANDS: tuple[click.Command, ...] = (budget,)
