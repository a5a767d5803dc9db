"""People whom another service vouches for: which account is theirs, and with which roles.

An account is bound to the service's own lasting id for a person, never to a name: a name that the
service gives opens no account of the same name that was made here. Roles follow what the service
says, each time. Administrators are made here alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from digitizer.errors import UsageError
from digitizer.model.users import Role, User
from digitizer.pipeline.accounts import SignedIn, check_name, open_session, subject_of
from digitizer.pipeline.changes import event
from digitizer.pipeline.services import Services
from digitizer.ports import Sessions, Transaction

__all__ = ["Vouched", "admit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """What another service says of a person.

    Attributes
    ----------
    subject : str
        Its lasting id for the person, with the service's own name before it.
    name : str
        What decisions here are to be signed with.
    roles : tuple of Role
        What the site's table makes of its groups; never ``admin``.
    """

    subject: str
    name: str
    roles: tuple[Role, ...]


def admit(services: Services, sessions: Sessions, vouched: Vouched) -> SignedIn:
    """Open a session for a person whom another service vouches for, making the account at first.

    Raises
    ------
    UsageError
        The person has no role here, the account is closed, or its name is another's.
    """
    granted = tuple(dict.fromkeys(one for one in vouched.roles if one is not Role.ADMIN))
    with services.ledger.transaction() as tx:
        users = tx.users()
        known = next((one for one in users if one.external == vouched.subject), None)
        own = known is not None and Role.ADMIN in known.roles
        roles = (*granted, Role.ADMIN) if own else granted
        closed = known is not None and known.disabled
        user = (
            _account(services, tx, vouched, known, users, roles) if roles and not closed else None
        )
    if user is None:
        if known is not None:
            sessions.close_all(known.name)
        raise UsageError(
            "This account is closed." if closed else "You have no role here.",
            remedy="Ask whoever gives out the accounts here.",
        )
    if known is not None and known.roles != user.roles:
        # What was opened with the former roles ends.
        sessions.close_all(known.name)
    return open_session(services, sessions, user)


def _account(
    services: Services,
    tx: Transaction,
    vouched: Vouched,
    known: User | None,
    users: Iterable[User],
    roles: tuple[Role, ...],
) -> User:
    if known is not None:
        if known.roles == roles:
            return known
        told = event(subject_of(known.name), "user_changed", "system", roles=list(roles))
        return tx.save(replace(known, roles=roles), told)
    check_name(vouched.name)
    if any(one.name.casefold() == vouched.name.casefold() for one in users):
        raise UsageError(
            f"There is an account {vouched.name} already, which is not known to be yours.",
            remedy="Ask whoever gives out the accounts here to link it (`digitizer users link`).",
        )
    made = User(
        name=vouched.name,
        roles=roles,
        # No password fits it.
        password_hash="",
        created_at=services.clock.now(),
        must_change=False,
        external=vouched.subject,
    )
    told = event(subject_of(made.name), "user_added", "system", roles=list(roles), external=True)
    tx.add(made, told)
    return made
