"""Older archives that are brought over."""

from collections.abc import Generator, Iterator, Sequence
from typing import Protocol

from digitizer.errors import BadRow
from digitizer.model.older import Ending, PeerInstance, PeerStudy, PictureRow, Source

__all__ = ["FileSource", "OlderSources", "PeerSource", "PictureSource"]


class FileSource(Protocol):
    """An older archive of files: a disc, a folder, an image of a disc."""

    def files(self, after: str) -> Iterator[str]:
        """Yield the places of all files in a fixed order, those behind ``after``."""
        ...

    def read(self, place: str) -> bytes:
        """Return a file; raises :class:`~digitizer.errors.BadScan` where it cannot be read."""
        ...

    def has(self, place: str) -> bool:
        """Tell whether there is such a file, in whatever capitals."""
        ...

    def is_image(self, place: str) -> bool:
        """Tell whether a file is an image of a disc: where it is told, it could not be opened."""
        ...


class PictureSource(FileSource, Protocol):
    """A folder of pictures with an index file."""

    @property
    def trusts_resolution(self) -> bool:
        """Whether the resolution that the files tell is believed."""
        ...

    def is_index(self, place: str) -> bool:
        """Tell whether a file is the index file itself, or its mapping."""
        ...

    def rows_of(self, place: str) -> tuple[PictureRow, ...]:
        """Return the rows of a file; raises :class:`~digitizer.errors.BadRow` where they clash."""
        ...

    def rows(self) -> Iterator[PictureRow]:
        """Yield all rows that can be taken, in their order."""
        ...

    def without_file(self) -> Iterator[PictureRow]:
        """Yield the rows that name a file that is not there."""
        ...

    def refused(self) -> Iterator[BadRow]:
        """Yield why rows cannot be taken, in their order."""
        ...


class PeerSource(Protocol):
    """An older archive that answers over the network."""

    def studies(self, cursor: str) -> Iterator[tuple[tuple[PeerStudy, ...], str]]:
        """Yield studies part by part, each with the cursor to go on from after it."""
        ...

    def instances(
        self, study_instance_uid: str, *, classes: tuple[str, ...] = (), each_class: bool = False
    ) -> tuple[PeerInstance, ...]:
        """List the instances of a study; ``classes`` are those that the peer told of it before.

        The class of one may be left empty, unless ``each_class`` has it asked for.
        """
        ...

    def fetch_whole(
        self, study_instance_uid: str, classes: tuple[str, ...], ending: Ending
    ) -> Generator[bytes]:
        """Fetch what a peer gives of a study of these SOP classes, without a list; perhaps none.

        How it ended is told in ``ending``.
        """
        ...

    def fetch(self, study_instance_uid: str, wanted: Sequence[PeerInstance]) -> Iterator[bytes]:
        """Fetch instances of a study, each as a Part 10 file in the syntax the peer gives."""
        ...


class OlderSources(Protocol):
    """Opens older archives."""

    def files(self, source: Source) -> FileSource:
        """Open one that is files; raises :class:`~digitizer.errors.SourceUnreachable`."""
        ...

    def pictures(self, source: Source) -> PictureSource:
        """Open a folder of pictures; raises :class:`~digitizer.errors.SourceUnreachable`."""
        ...

    def peer(self, source: Source) -> PeerSource:
        """Open one that answers over the network."""
        ...
