"""OpenID Connect: the authorization code flow with PKCE, as the client of one provider.

What is checked: the state against the browser that began, the issuer, the signature by one of the
provider's own keys (asymmetric algorithms alone), audience, authorized party, expiry and nonce of
the ID token (OpenID Connect Core 1.0, 3.1.3.7; RFC 7636; RFC 9207). What is never done: to follow a
redirect of the provider, to speak to it without TLS but on this machine, to keep a token of its.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import compare_digest
from typing import Any
from urllib.parse import urlencode

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from digitizer.config import OidcSettings
from digitizer.errors import MissingService, UsageError
from digitizer.model.users import Role
from digitizer.pipeline.sign_on import Vouched

__all__ = ["Begun", "Oidc"]

_ALGORITHMS = [
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
]
_TIMEOUT_S = 10.0
_REST = timedelta(seconds=5)
_LARGEST = 1 << 20
_KEPT = timedelta(hours=1)
_PATIENCE = timedelta(minutes=10)
"""How long somebody may take to sign in over there."""
_MOST = 1000
_LEEWAY_S = 60
_REFUSED = UsageError(
    "Signing in did not work: what came back is not an answer to what was asked.",
    remedy="Try again; if it stays, tell your support.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """One sign-in that was begun: what must come back with it."""

    state: str
    browser: str
    nonce: str
    verifier: str
    redirect_uri: str
    next: str
    at: datetime


@dataclass(slots=True)
class Oidc:
    """The client of a provider; keeps its description and keys for an hour."""

    settings: OidcSettings
    _begun: dict[str, Begun] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _silent_since: datetime | None = None
    _described: tuple[datetime, Mapping[str, Any]] | None = None
    _keys: tuple[datetime, KeySet] | None = None

    def begin(self, redirect_uri: str, next_path: str, now: datetime) -> tuple[str, Begun]:
        """Return the address to send the browser to, and what its cookie must bring back.

        Raises
        ------
        MissingService
            The provider does not answer, or not as one.
        """
        begun = Begun(
            state=secrets.token_urlsafe(24),
            browser=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
            next=next_path,
            at=now,
        )
        digest = hashlib.sha256(begun.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.settings.scopes,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint", now)
        with self._lock:
            fresh = [one for one in self._begun.values() if now - one.at < _PATIENCE]
            self._begun = {one.state: one for one in fresh[-_MOST + 1 :]}
            self._begun[begun.state] = begun
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", begun

    def finish(
        self, answer: Mapping[str, str], browser: str, now: datetime
    ) -> tuple[Vouched, Begun]:
        """Return whom the provider vouches for, from what the browser brought back.

        Raises
        ------
        UsageError
            It is not an answer to what this browser asked, or the person may not come in.
        MissingService
            The provider does not answer, or not as one.
        """
        with self._lock:
            begun = self._begun.pop(answer.get("state", ""), None)
        if begun is None or now - begun.at >= _PATIENCE:
            raise UsageError("Signing in took too long.", remedy="Try again.")
        if not compare_digest(begun.browser.encode(), browser.encode()):
            raise _REFUSED
        if answer.get("iss", self.settings.issuer) != self.settings.issuer:
            raise _REFUSED
        if "error" in answer or not answer.get("code"):
            raise UsageError("You were not signed in over there.", remedy="Try again.")
        tokens = self._tokens(answer["code"], begun, now)
        claims = self._claims(str(tokens.get("id_token", "")), begun.nonce, now)
        return self._vouched(self._with_groups(claims, tokens, now)), begun

    # -- asking the provider -----------------------------------------------------------------

    def _describe(self, now: datetime) -> Mapping[str, Any]:
        if self._described is None or now - self._described[0] > _KEPT:
            base = self.settings.issuer.rstrip("/")
            if self._silent_since is not None and now - self._silent_since < _REST:
                # Whoever asks must not be able to keep all our threads waiting.
                raise _silent("it was silent a moment ago")
            try:
                found = self._ask("GET", f"{base}/.well-known/openid-configuration")
            except MissingService:
                self._silent_since = now
                raise
            if found.get("issuer") != self.settings.issuer:
                raise _odd("its issuer is another than oidc.issuer")
            self._described = now, found
        return self._described[1]

    def _endpoint(self, name: str, now: datetime) -> str:
        url = str(self._describe(now).get(name, ""))
        if not self.settings.may_speak_to(url):
            raise _odd(f"its {name} is missing or without TLS")
        return url

    def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        """Ask the provider for one JSON object."""
        verify: Any = str(self.settings.ca_file) if self.settings.ca_file else True
        try:
            with (
                httpx2.Client(verify=verify, timeout=_TIMEOUT_S, trust_env=False) as client,
                client.stream(method, url, **more) as answer,
            ):
                content = b""
                for part in answer.iter_bytes():
                    content += part
                    if len(content) > _LARGEST:
                        raise _odd("its answer is too large")
        except (httpx2.HTTPError, OSError) as error:
            raise _silent(type(error).__name__) from None
        if answer.status_code in (400, 401, 403):
            raise UsageError("The service that signs you in has refused.", remedy="Try again.")
        try:
            told = json.loads(content) if answer.status_code == 200 else None
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise _odd(f"it answered with {answer.status_code}")
        return told

    def _tokens(self, code: str, begun: Begun, now: datetime) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.redirect_uri,
            "code_verifier": begun.verifier,
        }
        secret, known = self.settings.client_secret, self._describe(now)
        methods = known.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if secret and "client_secret_basic" in methods:
            auth: tuple[str, str] | None = (_quoted(self.settings.client_id), _quoted(secret))
        else:
            auth = None
            form |= {"client_id": self.settings.client_id}
            form |= {"client_secret": secret} if secret else {}
        return self._ask("POST", self._endpoint("token_endpoint", now), data=form, auth=auth)

    def _key_set(self, now: datetime, *, anew: bool = False) -> KeySet:
        if anew or self._keys is None or now - self._keys[0] > _KEPT:
            found: Any = self._ask("GET", self._endpoint("jwks_uri", now))
            try:
                self._keys = now, KeySet.import_key_set(found)
            except (JoseError, ValueError, KeyError, TypeError):
                raise _odd("its keys cannot be read") from None
        return self._keys[1]

    # -- believing it ------------------------------------------------------------------------

    def _claims(self, token: str, nonce: str, now: datetime) -> dict[str, Any]:
        """Return the claims of an ID token of ours, for this sign-in."""
        try:
            try:
                decoded = jwt.decode(token, self._key_set(now), algorithms=_ALGORITHMS)
            except (JoseError, ValueError):
                # The provider may have other keys since.
                keys = self._key_set(now, anew=True)
                decoded = jwt.decode(token, keys, algorithms=_ALGORITHMS)
            claims = dict(decoded.claims)
            jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": self.settings.issuer},
                aud={"essential": True, "value": self.settings.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError, TypeError):
            raise _REFUSED from None
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        party = claims.get("azp", "" if several else self.settings.client_id)
        if party != self.settings.client_id:
            raise _REFUSED
        return claims

    def _with_groups(
        self, claims: dict[str, Any], tokens: Mapping[str, Any], now: datetime
    ) -> dict[str, Any]:
        """Ask for the person's groups and name where the ID token does not tell them."""
        wanted = {self.settings.role_claim, self.settings.name_claim}
        if wanted <= set(claims) or "userinfo_endpoint" not in self._describe(now):
            return claims
        bearer = {"authorization": f"Bearer {tokens.get('access_token', '')}"}
        told = self._ask("GET", self._endpoint("userinfo_endpoint", now), headers=bearer)
        if told.get("sub") != claims["sub"]:
            raise _REFUSED
        return {**told, **claims}

    def _vouched(self, claims: Mapping[str, Any]) -> Vouched:
        groups = claims.get(self.settings.role_claim, ())
        named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else ()
        table = self.settings.roles
        roles = [Role(table[one]) for one in named if isinstance(one, str) and one in table]
        return Vouched(
            subject=f"{self.settings.issuer}#{claims['sub']}",
            name=str(claims.get(self.settings.name_claim, "")),
            roles=tuple(dict.fromkeys(roles)),
        )


def _quoted(text: str) -> str:
    """Return a part of the client's credentials as RFC 6749, 2.3.1 wants it."""
    return urlencode({"": text})[1:]


def _silent(why: str) -> MissingService:
    return MissingService(
        f"The service that signs you in does not answer ({why}).",
        remedy="Try again later, or sign in with a password of this console.",
    )


def _odd(what: str) -> MissingService:
    return MissingService(
        f"The service that signs you in is not as it should be: {what}.",
        remedy="Check oidc.issuer, or sign in with a password of this console.",
    )
