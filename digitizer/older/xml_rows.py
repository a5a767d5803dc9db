"""Rows out of an XML file, one at a time, in bounded memory.

A document type declaration is refused, and with it every entity: nothing is expanded, nothing
fetched.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.parsers import expat

from digitizer.errors import UsageError

__all__ = ["xml_rows"]

_CHUNK = 1 << 16
_LONGEST = 4096
"""Characters of one value; what is longer is refused with its row."""
_DEEPEST = 64


def xml_rows(
    path: Path, row: str, tellers: frozenset[str]
) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    """Yield line and values of each row, or why it cannot be taken.

    Parameters
    ----------
    path : Path
    row : str
        Path of the row's element from the root, without name spaces: ``export/picture``.
    tellers : frozenset of str
        What to take of a row: ``child``, ``child/grandchild``, ``@attribute``,
        ``child/@attribute``.

    Raises
    ------
    UsageError
        It is no well-formed XML, or declares a document type.
    """
    reader = _Reader(tuple(row.split("/")), tellers)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = lambda tag, told: reader.begin(parser.CurrentLineNumber, tag, told)
    parser.EndElementHandler = lambda _: reader.end()
    parser.CharacterDataHandler = reader.text
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                parser.Parse(chunk, False)
                yield from reader.taken()
            parser.Parse(b"", True)
            yield from reader.taken()
    except (expat.ExpatError, ValueError) as error:
        raise UsageError(f"{path.name} is no XML file that can be read: {error}.") from None


def _refuse(*_: object) -> None:
    raise ValueError("it declares a document type")


class _Reader:
    """Where in the tree the parser is, and the row it is in."""

    def __init__(self, row: tuple[str, ...], tellers: frozenset[str]) -> None:
        self._row, self._tellers = row, tellers
        self._path: list[str] = []
        self._line = 0
        self._values: dict[str, str] | None = None
        self._why = ""
        self._rows: list[tuple[int, Mapping[str, str] | str]] = []

    def begin(self, line: int, tag: str, told: Mapping[str, str]) -> None:
        """Go into an element."""
        self._path.append(tag.rpartition(" ")[2])
        if len(self._path) > _DEEPEST:
            raise ValueError("it is nested too deeply")
        if tuple(self._path) == self._row:
            self._line, self._values, self._why = line, {}, ""
        if self._values is None:
            return
        inside = self._path[len(self._row) :]
        if inside and "/".join(inside) in self._tellers and "/".join(inside) in self._values:
            self._why = f"{'/'.join(inside)} stands in it twice"
        for name, value in told.items():
            self._add("/".join([*inside, f"@{name.rpartition(' ')[2]}"]), value)
        self._add("/".join(inside), "")

    def text(self, text: str) -> None:
        """Take text of the element that the parser is in."""
        if self._values is not None:
            self._add("/".join(self._path[len(self._row) :]), text)

    def end(self) -> None:
        """Leave an element."""
        if tuple(self._path) == self._row and self._values is not None:
            self._rows.append((self._line, self._why or self._values))
            self._values = None
        self._path.pop()

    def taken(self) -> list[tuple[int, Mapping[str, str] | str]]:
        """Return the rows that are complete, once."""
        rows, self._rows = self._rows, []
        return rows

    def _add(self, name: str, text: str) -> None:
        assert self._values is not None
        if name not in self._tellers:
            return
        whole = self._values.get(name, "") + text
        if len(whole) > _LONGEST:
            self._why = f"{name} is too long"
            whole = ""
        self._values[name] = whole
