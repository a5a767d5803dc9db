"""Who works with the console, and what each role may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from types import MappingProxyType

__all__ = ["ROLES", "Permission", "Role", "Session", "User"]


@unique
class Permission(StrEnum):
    """One thing that a person may do."""

    SEE_WORK = "see_work"
    """Counts, states and reasons, without patients."""
    SEE_PATIENTS = "see_patients"
    """Films, pictures, candidates, the index."""
    FEED = "feed"
    """Take scans in."""
    DECIDE = "decide"
    """Decide films in review."""
    MANAGE = "manage"
    """Try again what is held, write out lists."""
    SEE_SETTINGS = "see_settings"
    """The effective settings and the checks of the site."""
    MANAGE_USERS = "manage_users"
    """Who works here."""


@unique
class Role(StrEnum):
    """A set of permissions; a user may have several."""

    RECORDS = "records"
    REVIEWER = "reviewer"
    LEAD = "lead"
    ADMIN = "admin"
    AUDITOR = "auditor"


ROLES: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.RECORDS: frozenset({Permission.SEE_WORK, Permission.FEED}),
        Role.REVIEWER: frozenset({Permission.SEE_WORK, Permission.SEE_PATIENTS, Permission.DECIDE}),
        Role.LEAD: frozenset(
            {
                Permission.SEE_WORK,
                Permission.SEE_PATIENTS,
                Permission.MANAGE,
                Permission.SEE_SETTINGS,
            }
        ),
        Role.ADMIN: frozenset(
            {Permission.SEE_WORK, Permission.SEE_SETTINGS, Permission.MANAGE_USERS}
        ),
        Role.AUDITOR: frozenset(
            {Permission.SEE_WORK, Permission.SEE_PATIENTS, Permission.SEE_SETTINGS}
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One person with an account.

    Attributes
    ----------
    name : str
        What decisions are signed with; never changed, never given to another person.
    password_hash : str
        Argon2id in the PHC form.
    must_change : bool
        Whether the password was given by somebody else and must be replaced first.
    """

    name: str
    roles: tuple[Role, ...]
    password_hash: str
    created_at: datetime
    must_change: bool = True
    disabled: bool = False
    external: str = ""
    """Issuer and id of the service that vouches for the person (OIDC); empty: nobody does."""
    version: int = 0

    def may(self, permission: Permission) -> bool:
        """Tell whether one of the roles allows it."""
        return not self.disabled and any(permission in ROLES[role] for role in self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in browser.

    Attributes
    ----------
    key : str
        sha256 of the token that the browser's cookie holds; the token itself is kept nowhere.
    csrf : str
        What every form of this session must bring along.
    """

    key: str
    user: str
    csrf: str
    created_at: datetime
    seen_at: datetime
