"""People: who has an account, what they may do, signing in and out.

What this decides: who a browser belongs to. What it never does: keep a password or a session's
token, tell a stranger whether a name exists, or let one name or address be tried without end.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from digitizer.errors import UnknownRecord, UsageError
from digitizer.model.users import Role, Session, User
from digitizer.pipeline.changes import event
from digitizer.pipeline.services import Services
from digitizer.ports import Sessions

__all__ = [
    "TOKEN_LIFE",
    "SignedIn",
    "add_user",
    "change_password",
    "change_user",
    "check_name",
    "link_user",
    "new_password",
    "new_token",
    "open_session",
    "session_key",
    "sign_in",
    "sign_out",
    "subject_of",
]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_RESERVED = frozenset({"auto", "system"})
LEAST_PASSWORD = 12
_FREE_TRIES = {"name": 5, "address": 30}
"""Failures that cost nothing: a whole office may share one address behind a proxy."""
_LONGEST_PAUSE_S = 300.0
TOKEN_LIFE = timedelta(days=365)
_KEPT = timedelta(days=2)
"""Longer than any browser's session lasts."""
# RFC 9106, second recommended option (64 MiB, three passes), as the library has it.
_HASHER = PasswordHasher()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A new session; ``token`` goes into the browser's cookie and nowhere else."""

    user: User
    session: Session
    token: str


def subject_of(name: str) -> str:
    """Return the subject under which the events of a user are kept."""
    return f"user:{name}"


def new_password() -> str:
    """Return a password to be given to a person once: 80 bits, easy to type."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    word = "".join(secrets.choice(alphabet) for _ in range(16))
    return "-".join(word[at : at + 4] for at in range(0, 16, 4))


def add_user(
    services: Services, name: str, roles: Iterable[Role], *, password: str, by: str
) -> User:
    """Make an account; its first password must be replaced when it is first used.

    Raises
    ------
    UsageError
        The name is taken or cannot be a name, there is no role, or the password is too short.
    """
    check_name(name)
    wanted = tuple(dict.fromkeys(roles))
    if not wanted:
        raise UsageError("A user needs a role.", remedy=f"Roles are {', '.join(Role)}.")
    _check_password(name, password)
    user = User(
        name=name,
        roles=wanted,
        password_hash=_HASHER.hash(password),
        created_at=services.clock.now(),
    )
    with services.ledger.transaction() as tx:
        if any(one.name.casefold() == name.casefold() for one in tx.users()):
            raise UsageError(f"There is a user {name} already.")
        tx.add(user, event(subject_of(name), "user_added", by, roles=list(wanted)))
    return user


def check_name(name: str) -> None:
    """Refuse what cannot be a user's name.

    Raises
    ------
    UsageError
        It cannot.
    """
    if not _NAME.fullmatch(name) or name.casefold() in _RESERVED:
        raise UsageError(
            f"{name[:80]!r} cannot be a user's name.",
            remedy="Use letters, digits and . _ @ -, at most 64.",
        )


def link_user(services: Services, sessions: Sessions, name: str, external: str, *, by: str) -> User:
    """Tell who vouches for a person: the issuer and its id, joined by ``#``; empty for nobody.

    Raises
    ------
    UsageError
        It is another account's already.
    """
    with services.ledger.transaction() as tx:
        users = tx.users()
        user = _user(users, name)
        taken = [one.name for one in users if one.external == external and one.name != user.name]
        if external and taken:
            raise UsageError(f"That is {taken[0]} already.")
        told = event(subject_of(user.name), "user_linked", by, external=external)
        saved = tx.save(replace(user, external=external), told)
    sessions.close_all(user.name)
    return saved


def change_user(
    services: Services,
    sessions: Sessions,
    name: str,
    *,
    by: str,
    roles: Iterable[Role] | None = None,
    disabled: bool | None = None,
    password: str | None = None,
) -> User:
    """Give other roles or a new first password, or close the account; its sessions end."""
    if password is not None:
        _check_password(name, password)
    with services.ledger.transaction() as tx:
        user = _user(tx.users(), name)
        changed = replace(
            user,
            roles=user.roles if roles is None else tuple(dict.fromkeys(roles)),
            disabled=user.disabled if disabled is None else disabled,
        )
        if password is not None:
            changed = replace(changed, password_hash=_HASHER.hash(password), must_change=True)
        if not changed.roles:
            raise UsageError("A user needs a role.", remedy=f"Roles are {', '.join(Role)}.")
        told = event(
            subject_of(user.name),
            "user_changed",
            by,
            roles=list(changed.roles),
            disabled=changed.disabled,
            new_password=password is not None,
        )
        saved = tx.save(changed, told)
    sessions.close_all(user.name)
    return saved


def change_password(
    services: Services, sessions: Sessions, name: str, *, old: str, new: str, repeated: str
) -> User:
    """Replace one's own password; all one's sessions end.

    Raises
    ------
    UsageError
        The old one is wrong, or the new one is too short, the same, or mistyped.
    """
    with services.ledger.reading() as view:
        user = _user(view.users(), name)
    if not _fits(user.password_hash, old):
        raise UsageError("The present password is not right.")
    if new != repeated:
        raise UsageError("The two new passwords differ.", remedy="Type the new one twice.")
    if new == old:
        raise UsageError("The new password is the old one.", remedy="Choose another.")
    _check_password(name, new)
    changed = replace(user, password_hash=_HASHER.hash(new), must_change=False)
    with services.ledger.transaction() as tx:
        saved = tx.save(changed, event(subject_of(user.name), "password_changed", user.name))
    sessions.close_all(user.name)
    return saved


def sign_in(
    services: Services,
    sessions: Sessions,
    *,
    name: str,
    password: str,
    address: str,
    only: Role | None = None,
) -> SignedIn:
    """Open a session for whoever knows the password; ``only``: and has this role.

    Raises
    ------
    UsageError
        Name and password do not fit, the account is closed, or it was tried too often.
    """
    now = services.clock.now()
    keys = {kind: _throttle_key(kind, what) for kind, what in _tried(name, address)}
    free = {key: _FREE_TRIES[kind] for kind, key in keys.items()}

    def pause(key: str, failures: int) -> float:
        spent = failures - free[key]
        return min(2.0**spent, _LONGEST_PAUSE_S) if spent > 0 else 0.0

    # Counted before it is known whether it fits: a thousand tries at once are a thousand failures.
    until = sessions.attempt(list(keys.values()), now, pause)
    if until is not None:
        seconds = int((until - now).total_seconds()) + 1
        raise UsageError(
            "Too many failed tries to sign in.", remedy=f"Try again in {seconds} seconds."
        )
    with services.ledger.reading() as view:
        found = [one for one in view.users() if one.name.casefold() == name.casefold()]
    user = found[0] if found else None
    # A name that does not exist takes as long to refuse as one that does.
    fits = _fits(user.password_hash if user else _dummy_hash(), password)
    barred = user is not None and only is not None and only not in user.roles
    if user is None or not fits or user.disabled or barred:
        if user is not None:
            with services.ledger.transaction() as tx:
                tx.record(event(subject_of(user.name), "sign_in_failed", "system"))
        raise UsageError("Name and password do not fit.")
    sessions.forgive(keys["name"])
    sessions.uncount(keys["address"], now)
    sessions.sweep(now - _KEPT)
    return open_session(services, sessions, user)


def open_session(services: Services, sessions: Sessions, user: User) -> SignedIn:
    """Open a session for a person who has shown who they are."""
    now = services.clock.now()
    token = secrets.token_urlsafe(32)
    session = Session(
        key=session_key(token),
        user=user.name,
        csrf=secrets.token_urlsafe(24),
        created_at=now,
        seen_at=now,
    )
    with services.ledger.transaction() as tx:
        tx.record(event(subject_of(user.name), "signed_in", user.name))
    sessions.open(session)
    return SignedIn(user=user, session=session, token=token)


def new_token(services: Services, sessions: Sessions, name: str, *, by: str) -> str:
    """Return a token with which a program may use the API as a user, for a year at most.

    It ends with the user's other sessions: when the account is changed or closed, or the password.
    """
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        user = _user(tx.users(), name)
        if user.must_change:
            raise UsageError(f"{user.name} has not replaced the first password yet.")
        tx.record(event(subject_of(user.name), "token_made", by))
    token = secrets.token_urlsafe(32)
    # No token of forms: by this it is told from a browser's session.
    sessions.open(
        Session(key=session_key(token), user=user.name, csrf="", created_at=now, seen_at=now)
    )
    return token


def sign_out(services: Services, sessions: Sessions, session: Session) -> None:
    """End a session."""
    sessions.close(session.key)
    with services.ledger.transaction() as tx:
        tx.record(event(subject_of(session.user), "signed_out", session.user))


def session_key(token: str) -> str:
    """Return the key under which the session of a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _tried(name: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("name", name.casefold()), ("address", address)


def _throttle_key(kind: str, what: str) -> str:
    return hashlib.sha256(f"{kind}:{what}".encode()).hexdigest()


def _user(users: Iterable[User], name: str) -> User:
    for one in users:
        if one.name.casefold() == name.casefold():
            return one
    raise UnknownRecord(f"There is no user {name}.", remedy="`digitizer users list` shows them.")


def _check_password(name: str, password: str) -> None:
    if len(password) < LEAST_PASSWORD:
        raise UsageError(
            "The password is too short.", remedy=f"Use at least {LEAST_PASSWORD} characters."
        )
    told = len(name) >= 5 and name.casefold() in password.casefold()
    if told or len(set(password)) < 5 or len(password) > 1024:
        raise UsageError("That password is guessed too easily.", remedy="Choose another.")


def _fits(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


_dummy: list[str] = []


def _dummy_hash() -> str:
    if not _dummy:
        _dummy.append(_HASHER.hash(secrets.token_urlsafe(16)))
    return _dummy[0]
