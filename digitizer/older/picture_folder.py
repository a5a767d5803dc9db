"""A folder of pictures and the index file that says whose they are, matched by path.

Which row is of which file is looked up in a small database on disk that is thrown away with the
process: an index of a million rows is no list in memory.
"""

import json
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from digitizer.errors import BadRow, BadScan, SettingsError, SourceUnreachable, UsageError
from digitizer.model.older import OldHeader, PictureRow, Source
from digitizer.older.files import FolderSource
from digitizer.older.manifest import read_manifest
from digitizer.older.mapping import PictureMapping, read_mapping

__all__ = ["PictureFolder"]

_AT_ONCE = 1000
_TABLES = """
PRAGMA journal_mode = OFF;
CREATE TABLE told (key TEXT, line INTEGER, page INTEGER, body TEXT);
CREATE INDEX told_key ON told (key);
CREATE TABLE there (key TEXT, place TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX there_key ON there (key);
CREATE TABLE bad (line INTEGER, why TEXT, said TEXT);
"""


class PictureFolder(FolderSource):
    """Implements :class:`digitizer.ports.PictureSource`.

    Parameters
    ----------
    source : Source
        Its options tell ``index`` and ``mapping``, absolute or in the folder.
    largest : int
        Bytes from which on a file is not taken.

    Raises
    ------
    SourceUnreachable
        The folder, the index file or the mapping is not there, or cannot be read as it must be:
        corrected, it is gone on with.
    """

    def __init__(self, source: Source, largest: int) -> None:
        root = Path(source.place)
        super().__init__(root, largest)
        self._folder = root
        self._index = root / source.options.get("index", "")
        self._told = root / source.options.get("mapping", "")
        # Of no name: it lies in the system's folder for such, and goes with the connection.
        self._rows = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._rows.executescript(_TABLES)
        try:
            self._mapping: PictureMapping = read_mapping(self._told.read_text("utf-8"))
            self._take_rows()
        except (OSError, UnicodeDecodeError) as error:
            raise SourceUnreachable(
                f"The index file or its mapping cannot be read: {error}.",
                remedy="Put it where --set index= and --set mapping= say.",
            ) from None
        except (SettingsError, UsageError) as error:
            raise SourceUnreachable(error.message, remedy=error.remedy) from None
        self._take_files()

    @staticmethod
    def mark(source: Source) -> str:
        """Return what changes when the index file, its mapping or the options do."""
        stats: list[object] = [source.place, sorted(source.options.items())]
        for key in ("index", "mapping"):
            path = Path(source.place) / source.options.get(key, "")
            if path.is_file():
                told = path.stat()
                stats += [told.st_ino, told.st_size, told.st_mtime_ns]
        return repr(stats)

    @property
    def trusts_resolution(self) -> bool:
        """Whether the resolution that the files tell is believed."""
        return self._mapping.index.resolution == "file"

    def read(self, place: str) -> bytes:
        """Return a file; a link that a row names is no picture, and not passed over."""
        try:
            return super().read(place)
        except BadScan as error:
            if error.code == "unsupported_format" and self._told_of(place):
                raise BadScan("corrupt_file", error.message) from None
            raise

    def is_index(self, place: str) -> bool:
        """Tell whether a file is the index file itself, or its mapping."""
        path = self._folder.joinpath(*place.split("/"))
        return path in (self._index, self._told)

    def rows_of(self, place: str) -> tuple[PictureRow, ...]:
        """Return the rows of a file, by page.

        Raises
        ------
        BadRow
            Two of them say different things, or which file they mean is open.
        """
        found = self._told_of(place)
        seen: dict[int | None, PictureRow] = {}
        for row in found:
            before = seen.setdefault(row.page, row)
            said = (row.header, row.conversion_type, row.film)
            if said != (before.header, before.conversion_type, before.film):
                raise BadRow(row.line, f"line {before.line} says other things of the same picture")
        if None in seen and len(seen) > 1:
            line = max(row.line for row in seen.values())
            raise BadRow(line, "other rows of the same file tell no page")
        return tuple(seen.values())

    def rows(self) -> Iterator[PictureRow]:
        """Yield all rows that can be taken, in their order."""
        for (body,) in self._rows.execute("SELECT body FROM told ORDER BY line, page"):
            yield _from(body)

    def without_file(self) -> Iterator[PictureRow]:
        """Yield the rows that name a file that is not there."""
        query = "SELECT body FROM told WHERE key NOT IN (SELECT key FROM there) ORDER BY line, page"
        for (body,) in self._rows.execute(query):
            yield _from(body)

    def refused(self) -> Iterator[BadRow]:
        """Yield why rows cannot be taken, in their order."""
        for told in self._rows.execute("SELECT line, why, said FROM bad ORDER BY line"):
            yield BadRow(*told)

    def _told_of(self, place: str) -> list[PictureRow]:
        key = _key(place)
        bodies = self._rows.execute("SELECT body FROM told WHERE key = ? ORDER BY line", (key,))
        found = [_from(body) for (body,) in bodies.fetchall()]
        alike = self._rows.execute("SELECT place FROM there WHERE key = ?", (key,)).fetchall()
        if found and len(alike) > 1:
            # Named alike but for capitals: only a row that spells one out means it.
            exact = [row for row in found if row.place == place]
            spelled = {other for (other,) in alike}
            open_rows = [row for row in found if row.place not in spelled]
            if open_rows:
                text = f"{len(alike)} files are named so but for capitals"
                raise BadRow(open_rows[0].line, text)
            return exact
        return found

    def _take_rows(self) -> None:
        read = read_manifest(self._index, self._mapping)
        while some := list(islice(read, _AT_ONCE)):
            good = [one for one in some if isinstance(one, PictureRow)]
            self._rows.executemany(
                "INSERT INTO told VALUES (?, ?, ?, ?)",
                [(_key(row.place), row.line, row.page, _body(row)) for row in good],
            )
            self._rows.executemany(
                "INSERT INTO bad VALUES (?, ?, ?)",
                [(one.line, _why(one), one.said_sha256) for one in some if isinstance(one, BadRow)],
            )

    def _take_files(self) -> None:
        places: Iterable[str] = self.files("")
        places = iter(places)
        while some := list(islice(places, _AT_ONCE)):
            self._rows.executemany(
                "INSERT OR IGNORE INTO there VALUES (?, ?)",
                [(_key(place), place) for place in some],
            )


def _key(place: str) -> str:
    """Return what two spellings of a path have in common: capitals and composed letters aside."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", place).casefold())


def _why(bad: BadRow) -> str:
    return bad.message.removeprefix(f"line {bad.line}: ")


def _body(row: PictureRow) -> str:
    return json.dumps(asdict(row))


def _from(body: str) -> PictureRow:
    values = json.loads(body)
    return PictureRow(**{**values, "header": OldHeader(**values["header"])})
