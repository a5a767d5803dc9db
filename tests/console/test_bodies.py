"""What may be sent: small forms, and files of those who feed; nothing else is read."""

from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from console_site import Browser, Console

from digitizer.console.bodies import MOST, MOST_FILE
from digitizer.model.users import Role

# Starlette leaves the file of a form that was cut short to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed file:ResourceWarning", "ignore:.*SpooledTemporaryFile"
)
FORM = "multipart/form-data; boundary=x"
PIECE = b"[" * 65_536
FIRST = (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n').ljust(
    len(PIECE), b"["
)


async def _send(console: Console, path: str, headers: dict[str, str], pieces: int) -> Any:
    """Send a body piece by piece; return status, body, and how many pieces were asked for."""
    asked = 0
    sent: list[Any] = []
    multipart = headers["content-type"] == FORM

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {
            "type": "http.request",
            "body": FIRST if multipart and asked == 1 else PIECE,
            "more_body": asked < pieces,
        }

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "client": ("10.0.0.1", 1), "server": ("127.0.0.1", 80),
        "headers": [(b"host", b"127.0.0.1"),
                    *((name.encode(), text.encode()) for name, text in headers.items())],
    }  # fmt: skip
    await console.app(scope, receive, send)
    body = b"".join(one.get("body", b"") for one in sent)
    return sent[0]["status"], body.decode(), asked


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/api/v1/retries", "application/json", 413),
        ("/sign-in", "application/x-www-form-urlencoded", 413),
        ("/review/film0/accept", FORM, 413),
        ("/feed/none/files", FORM, 401),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_a_stranger_fills_nothing(
    console: Console, path: str, kind: str, status: int, declared: bool
) -> None:
    """Told by its length it is not read at all; else no further than the limit."""
    pieces = 3200
    headers = {"content-type": kind}
    if declared:
        headers["content-length"] = str(pieces * len(PIECE))
    got, body, asked = anyio.run(_send, console, path, headers, pieces)
    assert got == status
    assert asked <= (0 if declared or status == 401 else MOST // len(PIECE) + 1)
    if path.startswith("/api/") and status == 413:
        assert '"title":"This is larger than is taken here."' in body


def test_files_come_from_those_who_feed_alone(console: Console, ann: Browser) -> None:
    """A reviewer's file is not read either; a clerk's is, up to what a TIFF can be."""
    console.add("rec", Role.RECORDS)
    rec = console.sign_in("rec")

    def cookie(browser: Browser) -> dict[str, str]:
        token = browser.client.cookies["digitizer"]
        return {"cookie": f"digitizer={token}", "content-type": FORM}

    assert anyio.run(_send, console, "/feed/none/files", cookie(ann), 40)[::2] == (403, 0)
    huge = {**cookie(rec), "content-length": str(MOST_FILE + 1)}
    assert anyio.run(_send, console, "/feed/none/files", huge, 40)[::2] == (413, 0)
    _, _, asked = anyio.run(_send, console, "/feed/none/files", cookie(rec), 40)
    assert asked > MOST // len(PIECE)


def test_what_comes_in_pieces_is_counted(ann: Browser) -> None:
    """Signed in as well."""

    def pieces() -> Iterator[bytes]:
        yield b"x" * (MOST + 1)

    answer = ann.client.post(
        "/library",
        content=pieces(),
        headers={"content-type": "application/x-www-form-urlencoded", "x-csrf-token": ann.csrf},
    )
    assert answer.status_code == 413
    assert "This is larger than is taken here." in answer.text
