"""Commands for those who give out accounts of the console."""

import sys

import click

from digitizer import wiring
from digitizer.cli.base import Root, Session, json_option, login, pass_session, print_json
from digitizer.model.users import Role
from digitizer.pipeline import accounts

__all__ = ["COMMANDS"]

users = Root(name="users", help="Who works with the console.")

_roles = click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    help="Role; several may be given.",
)


@users.command(name="add")
@click.argument("name")
@_roles
@click.option("--password-stdin", is_flag=True, help="Read the first password from standard input.")
@pass_session
def users_add(session: Session, name: str, roles: tuple[str, ...], password_stdin: bool) -> int:
    """Make an account; its first password is printed once and must be changed at first use."""
    password = _password(password_stdin)
    wanted = [Role(one) for one in roles]
    accounts.add_user(session.services, name, wanted, password=password, by=login())
    print(f"{name} may sign in as {', '.join(roles)}.")
    if not password_stdin:
        print(f"First password, to be changed when it is first used: {password}")
    return 0


def _password(from_stdin: bool) -> str:
    if not from_stdin:
        return accounts.new_password()
    return sys.stdin.readline().rstrip("\r\n")


@users.command(name="change")
@click.argument("name")
@_roles
@click.option("--close/--reopen", "disabled", default=None, help="Close the account, or reopen it.")
@click.option("--new-password", is_flag=True, help="Give a new first password.")
@pass_session
def users_change(
    session: Session,
    name: str,
    roles: tuple[str, ...],
    disabled: bool | None,
    new_password: bool,
) -> int:
    """Change roles, close or reopen an account, give a new first password; its sessions end."""
    password = accounts.new_password() if new_password else None
    changed = accounts.change_user(
        session.services,
        wiring.sessions(session.settings),
        name,
        by=login(),
        roles=[Role(one) for one in roles] if roles else None,
        disabled=disabled,
        password=password,
    )
    state = "closed" if changed.disabled else "open"
    print(f"{changed.name}: {', '.join(changed.roles)}; {state}.")
    if password is not None:
        print(f"First password, to be changed when it is first used: {password}")
    return 0


@users.command(name="link")
@click.argument("name")
@click.argument("subject")
@click.option("--issuer", help="Whose id it is; oidc.issuer by default.")
@pass_session
def users_link(session: Session, name: str, subject: str, issuer: str | None) -> int:
    """Let a person of the hospital's own accounts (the provider's SUBJECT) use this account."""
    sessions = wiring.sessions(session.settings)
    external = f"{issuer or session.settings.oidc.issuer}#{subject}"
    linked = accounts.link_user(session.services, sessions, name, external, by=login())
    print(f"{linked.name} is {external}.")
    return 0


@users.command(name="token")
@click.argument("name")
@pass_session
def users_token(session: Session, name: str) -> int:
    """Make a token with which a program may use the API as this user, for a year at most."""
    sessions = wiring.sessions(session.settings)
    print(accounts.new_token(session.services, sessions, name, by=login()))
    return 0


@users.command(name="list")
@json_option
@pass_session
def users_list(session: Session, as_json: bool) -> int:
    """List all accounts."""
    with session.services.ledger.reading() as view:
        rows = [
            {
                "name": one.name,
                "roles": list(one.roles),
                "closed": one.disabled,
                "created_at": one.created_at.isoformat(),
            }
            for one in view.users()
        ]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            closed = ", closed" if row["closed"] else ""
            print(f"{row['name']}: {', '.join(row['roles'])}{closed}")  # type: ignore[arg-type]
        if not rows:
            print("Nobody yet: `digitizer users add NAME --role lead` makes the first account.")
    return 0


COMMANDS: tuple[click.Command, ...] = (users,)
