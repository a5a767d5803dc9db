"""How an old PACS is spoken to: its place and options as settings."""

import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from ssl import SSLContext

from digitizer.dimse import Peer
from digitizer.dimse.tls import client_context
from digitizer.errors import SettingsError, SourceUnreachable
from digitizer.model.older import Source
from digitizer.older.moving import Destination, own_address

__all__ = ["PacsSettings", "read_pacs"]

_PLACE = re.compile(r"([^@\\]{1,16})@\[?([^@\[\]]+)\]?:(\d{1,5})")
_TITLE = re.compile(r"[ -\[\]-~]{1,16}")
"""An AE title: printable ASCII without a backslash (PS3.5 6.2)."""


_OPTIONS = (
    *("retrieve", "our_ae", "from", "to", "timeout", "listen_port", "move_to", "listen_host"),
    *("senders", "pace", "tls", "tls_ca", "tls_certificate", "tls_key"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacsSettings:
    """How one old PACS is spoken to.

    Attributes
    ----------
    destination : Destination or None
        Where it is to send by C-MOVE; None: it is emptied by C-GET.
    first, last : date or None
        Days of the studies that are asked for; None: no bound.
    """

    peer: Peer
    destination: Destination | None = None
    first: date | None = None
    last: date | None = None


def read_pacs(source: Source, our_title: str) -> PacsSettings:
    """Read a source's place (``AE@host:port``) and options.

    Options: ``retrieve`` (``get`` or ``move``), ``our_ae``, ``from`` and ``to`` (years),
    ``timeout`` (seconds without a sign of life); for C-MOVE ``listen_port``, ``move_to`` (our AE
    title there; default ``our_ae``), ``listen_host`` and ``senders`` (addresses that it may send
    from beside its own, with commas); ``tls`` (``yes``), with ``tls_ca`` (who signs its
    certificate), ``tls_certificate`` and ``tls_key`` (ours) as PEM files.

    Raises
    ------
    SettingsError
        The place or an option is not as it must be; says which.
    """
    match = _PLACE.fullmatch(source.place)
    if match is None or not 0 < int(match[3]) < 65_536:
        raise SettingsError(
            f"{source.place!r} is not the place of a PACS.", remedy="Write AE@host:port."
        )
    options = source.options
    odd = sorted(set(options) - set(_OPTIONS))
    if odd:
        raise SettingsError(
            f"An old PACS has no option {odd[0]}.", remedy=f"Options: {', '.join(_OPTIONS)}."
        )
    peer = Peer(
        host=match[2],
        port=int(match[3]),
        ae_title=match[1].strip(),
        our_title=_title(options, "our_ae", our_title),
        timeout_s=float(_number(options, "timeout", 60, 86_400)),
        tls=_tls(options),
        unreachable=SourceUnreachable,
    )
    return PacsSettings(
        peer=peer,
        destination=_destination(peer, options),
        first=date(_number(options, "from", 1, 9999), 1, 1) if options.get("from") else None,
        last=date(_number(options, "to", 9999, 9999), 12, 31) if options.get("to") else None,
    )


def _tls(options: Mapping[str, str]) -> SSLContext | None:
    if options.get("tls", "no") not in ("yes", "no"):
        raise SettingsError(f"tls is yes or no, not {options['tls']!r}.")
    if options.get("tls") != "yes":
        return None
    if options.get("retrieve") == "move":
        raise SettingsError(
            "C-MOVE to us is not spoken over TLS.", remedy="Fetch by C-GET: leave out retrieve."
        )
    authority, certificate, key = (
        Path(options[name]) if options.get(name) else None
        for name in ("tls_ca", "tls_certificate", "tls_key")
    )
    return client_context(
        authority, certificate, key, whose="the old PACS", remedy="tls_ca, tls_certificate, tls_key"
    )


def _destination(peer: Peer, options: Mapping[str, str]) -> Destination | None:
    retrieve = options.get("retrieve", "get")
    if retrieve not in ("get", "move"):
        raise SettingsError(f"retrieve is get or move, not {retrieve!r}.")
    if retrieve == "get":
        return None
    if not options.get("listen_port"):
        raise SettingsError(
            "C-MOVE needs listen_port.",
            remedy="Give the port that is entered for us in the old PACS.",
        )
    try:
        host = options.get("listen_host") or own_address(peer.host, peer.port)
        senders = _addresses((peer.host, *options.get("senders", "").split(",")))
    except OSError as error:
        raise SourceUnreachable(
            f"The address of {peer.ae_title} cannot be found: {error.strerror}."
        ) from error
    return Destination(
        ae_title=_title(options, "move_to", peer.our_title),
        host=host,
        port=_number(options, "listen_port", 0, 65_535),
        senders=senders,
    )


def _title(options: Mapping[str, str], name: str, default: str) -> str:
    title = options.get(name) or default
    if not _TITLE.fullmatch(title) or not title.strip():
        raise SettingsError(f"{name} is no AE title.", remedy="Give 1 to 16 plain characters.")
    return title


def _number(options: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = options.get(name) or str(default)
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= most:
        raise SettingsError(f"{name} is a whole number from 1 to {most}, not {text!r}.")
    return int(text)


def _addresses(hosts: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses of some hosts."""
    found: dict[str, None] = {}
    for host in hosts:
        if host.strip():
            found |= dict.fromkeys(str(one[4][0]) for one in socket.getaddrinfo(host.strip(), None))
    return tuple(found)
