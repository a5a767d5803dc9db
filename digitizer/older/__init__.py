"""Older archives as sources: files on discs and in folders, archives that answer by DICOM."""

from pathlib import Path

from digitizer.model.older import Source
from digitizer.older.files import FolderSource
from digitizer.older.pacs import OldPacs
from digitizer.older.peers import read_pacs
from digitizer.older.picture_folder import PictureFolder
from digitizer.ports import FileSource, PeerSource, PictureSource

__all__ = ["Older"]


class Older:
    """Implements :class:`digitizer.ports.OlderSources`.

    Parameters
    ----------
    largest : int
        Bytes from which on a file is not taken.
    our_title : str
        Our AE title, where a source names no other.
    """

    def __init__(self, largest: int, our_title: str) -> None:
        self._largest = largest
        self._last: tuple[str, FolderSource] | None = None
        self._pictures: tuple[str, PictureFolder] | None = None
        self._our_title = our_title

    def files(self, source: Source) -> FileSource:
        """Open a source that is files; the last one stays open, images of discs with it."""
        if self._last is None or self._last[0] != source.place:
            self._last = (source.place, FolderSource(Path(source.place), self._largest))
        return self._last[1]

    def pictures(self, source: Source) -> PictureSource:
        """Open a folder of pictures with its index file, read through at once.

        The last one stays open as long as its index file is the same and it is gone on with.
        """
        seen = PictureFolder.mark(source)
        if self._pictures is None or self._pictures[0] != seen or not source.cursor:
            self._pictures = (seen, PictureFolder(source, self._largest))
        return self._pictures[1]

    def peer(self, source: Source) -> PeerSource:
        """Open a source that answers over the network; raises for options that are garbled."""
        return OldPacs(read_pacs(source, self._our_title))
