"""A small OpenID provider on loopback, for tests: real keys, signed tokens, PKCE; and its lies."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

CLIENT, SECRET = "film console", "s:ec&ret"


@dataclass
class Provider:
    """Whom it signs in, and what it says of them."""

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    """Claims of the ID token beside those that every token has."""
    more: dict[str, Any] = field(default_factory=dict)
    """Claims that only the userinfo endpoint tells."""
    lie: dict[str, Any] = field(default_factory=dict)
    """Claims of the ID token that replace what would be right; None leaves one out."""
    algorithm: str = "ES256"
    key: Any = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    published: Any = None
    """The key that is published; the one that signs by default."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "4711",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.person,
        }
        told = {name: value for name, value in (claims | self.lie).items() if value is not None}
        header = {"alg": self.algorithm, "kid": "one"}
        if self.algorithm in ("none", "HS256"):
            return self._forged(told)
        return jwt.encode(header, told, self.key, algorithms=[self.algorithm])

    def _forged(self, claims: dict[str, Any]) -> str:
        """Return what the well-known attacks send: unsigned, or with the public key as a secret."""
        parts = [{"alg": self.algorithm, "kid": "one"}, claims]
        plain = ".".join(_coded(json.dumps(one).encode()) for one in parts)
        if self.algorithm == "none":
            return f"{plain}."
        public = self.key.as_pem(private=False)
        return f"{plain}.{_coded(hmac.digest(public, plain.encode(), 'sha256'))}"


def _coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.provider.asked.append(url.path)
        told = self.provider
        if url.path == "/.well-known/openid-configuration":
            names = ("authorization", "token", "userinfo")
            ends = {f"{name}_endpoint": f"{told.issuer}/{name}" for name in names}
            self._json({"issuer": told.issuer, "jwks_uri": f"{told.issuer}/keys", **ends})
        elif url.path == "/keys":
            self._json(KeySet([told.published or told.key]).as_dict(private=False))
        elif url.path == "/userinfo":
            bearer = self.headers.get("authorization", "")
            self._json({"sub": "4711", **told.more}, 200 if bearer == "Bearer at" else 401)
        else:
            self._send_back(url.path, query)

    def _send_back(self, path: str, query: dict[str, str]) -> None:
        told = self.provider
        assert path == "/authorization"
        assert (query["response_type"], query["client_id"]) == ("code", CLIENT)
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        told.codes[code] = query
        back = urlencode({"code": code, "state": query["state"], "iss": told.issuer})
        self.send_response(302)
        self.send_header("location", f"{query['redirect_uri']}?{back}")
        self.end_headers()

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        form = {n: v[0] for n, v in parse_qs(self.rfile.read(length).decode()).items()}
        asked = self.provider.codes.pop(form["code"], None)
        plain = base64.b64decode(self.headers["authorization"].split()[1]).decode()
        client = tuple(unquote_plus(part) for part in plain.split(":"))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        proof = _coded(digest)
        good = (
            asked is not None
            and client == (CLIENT, SECRET)
            and proof == asked["code_challenge"]
            and form["redirect_uri"] == asked["redirect_uri"]
        )
        if not good or asked is None:
            self._json({"error": "invalid_grant"}, 400)
            return
        token = self.provider.id_token(asked)
        self._json({"access_token": "at", "token_type": "Bearer", "id_token": token})

    def _json(self, document: Any, status: int = 200) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def running_provider(host: str = "127.0.0.1") -> Iterator[Provider]:
    """Run one on a port of its own."""
    provider = Provider()
    handler = type("Handler", (_Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    provider.issuer = f"http://{host}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
