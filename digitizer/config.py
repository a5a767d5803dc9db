"""Frozen settings from ``digitizer.toml`` and ``DIGITIZER_*``, with the origin of each value.

Later wins: defaults, the file, the environment, the command line. An unknown key is an error that
names the nearest known one. Every setting's description is the docstring under it; ``docs`` and
``README`` tables are generated from them (:func:`describe`).
"""

import ast
import dataclasses
import difflib
import inspect
import os
import re
import textwrap
import tomllib
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from digitizer.archive.settings import ArchiveSettings, ListenerSettings
from digitizer.engines.settings import EngineSettings
from digitizer.errors import SettingsError
from digitizer.film import QualitySettings
from digitizer.identity import PolicySettings
from digitizer.pipeline.settings import CaptureSettings, OlderSettings, PipelineSettings
from digitizer.reading import GrammarSettings
from digitizer.scan.settings import DecodeSettings, WatchSettings

__all__ = [
    "ConsoleSettings",
    "Loaded",
    "OidcSettings",
    "Settings",
    "WorkerSettings",
    "describe",
    "effective",
    "load",
]

PREFIX = "DIGITIZER_"
_NOT_SETTINGS = frozenset({"DIGITIZER_DEBUG", "DIGITIZER_CONFIG"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """Where the web console listens, and how people reach it."""

    host: str = "127.0.0.1"
    """Address of the console; others than this machine's own need `console.public_url` as well."""
    port: int = 8080
    """Port of the console; 0: a free one."""
    public_url: str = ""
    """URL under which people reach the console where that is another than its address: behind a
    proxy, under a path (https://intranet.example/digitizer), or by another name."""
    proxies: tuple[str, ...] = ()
    """Addresses of the proxies before the console; who asks is told by their X-Forwarded-For, and
    by nobody else's."""
    tls_certificate: Path | None = None
    """Certificate of the console, PEM; with it the console speaks TLS only."""
    tls_key: Path | None = None
    """Private key of the console, PEM."""
    idle_minutes: float = 30.0
    """Minutes without a click after which one must sign in again."""
    session_hours: float = 12.0
    """Hours after which one must sign in again in any case."""
    lease_s: float = 60.0
    """Seconds for which a film in review stays with a reviewer whose browser has gone silent."""

    def __post_init__(self) -> None:
        """Refuse to be reached from elsewhere without a name to be reached by."""
        url = urlsplit(self.public_url)
        if self.public_url and (url.scheme not in ("http", "https") or not url.hostname):
            raise ValueError("public_url must begin with http:// or https:// and a name")
        try:
            _ = [ip_address(one) for one in self.proxies]
        except ValueError:
            raise ValueError("proxies must be addresses, such as 10.0.0.7") from None
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        if self.host not in ("127.0.0.1", "localhost", "::1") and not self.public_url:
            raise ValueError(
                "host opens the console to other machines: set public_url to the URL that people "
                "use, best with TLS"
            )


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_OWN_ROLES = frozenset({"records", "reviewer", "lead", "auditor"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """Signing in to the console by the hospital's own accounts (OpenID Connect)."""

    issuer: str = ""
    """Issuer of the provider, exactly as it names itself; empty: passwords of the console alone."""
    client_id: str = ""
    """What the provider knows this console as; its redirect URI is the console's /oidc/callback."""
    client_secret: str = ""
    """Secret of the client, where it has one; best given as a variable. Never shown."""
    scopes: str = "openid profile"
    """Scopes that are asked for; providers often want one more for groups."""
    name_claim: str = "preferred_username"
    """Claim with the name that decisions are signed with."""
    role_claim: str = "groups"
    """Claim that lists the person's groups."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """Group to role, e.g. {"film-leads" = "lead"}: records, reviewer, lead or auditor.
    Administrators are made in the console alone."""
    ca_file: Path | None = None
    """Certificates by which the provider is known, PEM, where the system's are not enough."""
    passwords: str = "everybody"
    """Who may still sign in with a password of the console: everybody, or admins."""

    def __post_init__(self) -> None:
        """Refuse what could let the wrong people in."""
        if self.issuer and not self.may_speak_to(self.issuer):
            raise ValueError("issuer must begin with https://")
        if self.issuer and not self.client_id:
            raise ValueError("client_id is missing")
        if wrong := sorted(set(self.roles.values()) - _OWN_ROLES):
            raise ValueError(f"no group can be made {wrong[0]}: {', '.join(sorted(_OWN_ROLES))}")
        if self.passwords not in ("everybody", "admins"):
            raise ValueError("passwords is everybody or admins")
        if "openid" not in self.scopes.split():
            raise ValueError("scopes must hold openid")

    def may_speak_to(self, url: str) -> bool:
        """Tell whether an address of the provider is safe: by TLS, or all of it on this machine."""
        parts = urlsplit(url)
        here = self.issuer.startswith("http:") and parts.hostname in _LOOPBACK
        safe = parts.scheme == "https" or (parts.scheme == "http" and here)
        return safe and bool(parts.hostname) and not parts.username


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How many processes work at once."""

    processes: int = 0
    """Worker processes for imaging and reading; 0 is one for each core."""
    archive_processes: int = 3
    """Worker processes that talk to the archive; an Orthanc serves four associations at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set."""

    data_dir: Path = Path("digitizer-data")
    """Folder of the ledger, the vault and all embedded parts."""
    database_url: str = ""
    """SQLAlchemy URL of the ledger; empty: SQLite in the data folder."""
    broker_url: str = ""
    """URL of the Redis broker; empty: a private Redis, started and stopped with the command."""
    vault_url: str = ""
    """Folder of the vault (a path or file:// URL); empty: in the data folder."""
    log_level: str = "WARNING"
    """DEBUG, INFO, WARNING or ERROR; patient data appears at DEBUG only."""
    archive: ArchiveSettings = field(default_factory=ArchiveSettings)
    listener: ListenerSettings = field(default_factory=ListenerSettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    oidc: OidcSettings = field(default_factory=OidcSettings)
    workers: WorkerSettings = field(default_factory=WorkerSettings)
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    capture: CaptureSettings = field(default_factory=CaptureSettings)
    identity: PolicySettings = field(default_factory=PolicySettings)
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    engines: EngineSettings = field(default_factory=EngineSettings)
    grammar: GrammarSettings = field(default_factory=GrammarSettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    older: OlderSettings = field(default_factory=OlderSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings and where each value came from: ``default``, a file, or a variable's name."""

    settings: Settings
    origins: Mapping[str, str]


def load(
    config: Path | None = None,
    *,
    data_dir: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Read the settings.

    Parameters
    ----------
    config : Path, optional
        TOML file; else ``DIGITIZER_CONFIG``, else ``digitizer.toml`` here if there is one.
    data_dir : Path, optional
        From the command line; wins over all.
    environ : mapping, optional
        The environment by default.

    Raises
    ------
    SettingsError
        An unknown key, a value of the wrong kind, or a file that is missing or no TOML.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for key, value, origin in (
        *_from_file(_config_path(config, environ)),
        *_from_environment(environ),
    ):
        values[key], origins[key] = value, origin
    if data_dir is not None:
        values["data_dir"], origins["data_dir"] = str(data_dir), "--data-dir"
    settings = _build(Settings, values, origins)
    for key in _keys(Settings):
        origins.setdefault(key, "default")
    return Loaded(settings=settings, origins=types.MappingProxyType(origins))


def _config_path(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    if config is None and environ.get("DIGITIZER_CONFIG"):
        config = Path(environ["DIGITIZER_CONFIG"])
    if config is not None:
        if not config.is_file():
            raise SettingsError(
                f"There is no settings file {config}.", remedy="Check --config or DIGITIZER_CONFIG."
            )
        return config
    here = Path("digitizer.toml")
    return here if here.is_file() else None


def _from_file(path: Path | None) -> Iterator[tuple[str, Any, str]]:
    if path is None:
        return
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path} cannot be read as TOML: {error}.") from None
    for key, value in _flat(table, ""):
        _known(key, str(path))
        yield key, value, str(path)


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield dotted keys; a table under a key that is itself a setting is its value."""
    for key, value in table.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping) and dotted not in _leaves():
            yield from _flat(value, f"{dotted}.")
        else:
            yield dotted, value


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in _NOT_SETTINGS:
            key = name.removeprefix(PREFIX).lower().replace("__", ".")
            _known(key, name)
            yield key, environ[name], name


def _known(key: str, origin: str) -> None:
    if key in _leaves():
        return
    (near,) = difflib.get_close_matches(key, _leaves(), n=1, cutoff=0.0)
    hint = f"Did you mean {near}? `digitizer doctor` lists all settings."
    raise SettingsError(f"Unknown setting {key} ({origin}).", remedy=hint)


def _leaves() -> frozenset[str]:
    return frozenset(_keys(Settings))


def _keys(kind: type[Any], prefix: str = "") -> Iterator[str]:
    hints = get_type_hints(kind)
    for one in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[one.name]):
            yield from _keys(hints[one.name], f"{prefix}{one.name}.")
        else:
            yield f"{prefix}{one.name}"


def _build(
    kind: type[Any], values: Mapping[str, Any], origins: Mapping[str, str], prefix: str = ""
) -> Any:
    hints = get_type_hints(kind)
    arguments: dict[str, Any] = {}
    for one in dataclasses.fields(kind):
        key = f"{prefix}{one.name}"
        if dataclasses.is_dataclass(hints[one.name]):
            section: Any = hints[one.name]
            arguments[one.name] = _build(section, values, origins, f"{key}.")
        elif key in values:
            arguments[one.name] = _value(key, hints[one.name], values[key], origins[key])
    try:
        return kind(**arguments)
    except ValueError as error:
        raise SettingsError(f"Settings of {prefix.rstrip('.') or 'digitizer'}: {error}.") from None


def _value(key: str, hint: Any, value: Any, origin: str) -> Any:
    """Return the value as its type; text from the environment may be JSON for lists and tables."""
    adapter: TypeAdapter[Any] = TypeAdapter(hint)
    try:
        if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
            return adapter.validate_json(value)
        return adapter.validate_python(value)
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise SettingsError(f"Setting {key} ({origin}): {problem}.") from None


def describe() -> list[tuple[str, str, str, str]]:
    """List every setting: key, environment variable, default, description."""
    defaults = Settings()
    rows = []
    for key in _keys(Settings):
        owner: Any = defaults
        *path, name = key.split(".")
        for part in path:
            owner = getattr(owner, part)
        variable = PREFIX + key.upper().replace(".", "__")
        rows.append((key, variable, _shown(getattr(owner, name)), _docs(type(owner))[name]))
    return rows


def effective(settings: Settings) -> dict[str, str]:
    """Return every setting's value as text; a password inside a URL is not shown."""
    shown: dict[str, str] = {}
    for key in _keys(Settings):
        value: Any = settings
        for part in key.split("."):
            value = getattr(value, part)
        shown[key] = re.sub(r"//([^:/@]*):[^@/]*@", r"//\1:***@", _shown(value))
        if key.endswith("secret") and value:
            shown[key] = "***"
    return shown


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(dict(value)) if value else ""
    if isinstance(value, tuple):
        return str([str(one) for one in value])
    return str(value)


def _docs(kind: type[Any]) -> dict[str, str]:
    """Return the docstring under each attribute of a settings class."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for one, after in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            found[one.target.id] = ""
            if (
                isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
                and isinstance(after.value.value, str)
            ):
                found[one.target.id] = " ".join(after.value.value.split())
    return found
