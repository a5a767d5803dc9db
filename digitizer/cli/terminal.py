"""What others wrote, on the terminal of a person: as text, whatever signs are in it."""

import sys
from typing import Any, TextIO, cast

__all__ = ["guard_terminal", "shown"]

_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def shown(text: str) -> str:
    """Return a text in which no sign moves the cursor, rings the bell or turns the line round.

    Names in headers, labels and folders are anybody's; a terminal obeys what stands in them
    (ECMA-48), and right-to-left marks show a text as another (Unicode UTR 36).
    """
    return "".join(one if one.isprintable() or one in " \n\t" else _UNKNOWN for one in text)


class _Guarded:
    """A stream on which text is written as :func:`shown`; in all else the stream itself."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(shown(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guard_terminal() -> None:
    """Guard standard output where a person reads it; a pipe or a file gets what it is given."""
    if sys.stdout.isatty():
        sys.stdout = cast("TextIO", _Guarded(sys.stdout))
