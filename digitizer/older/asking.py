"""C-FIND at a peer: one association for many questions, opened anew where the peer let it go."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType

from pydicom import Dataset
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelFind,
)

from digitizer.dimse import Messages, Peer, checked, open_association
from digitizer.errors import ArchiveRefused, BadWorld, SourceUnreachable

__all__ = ["Line", "Replies", "in_our_words"]

logger = logging.getLogger(__name__)

_FIND = str(StudyRootQueryRetrieveInformationModelFind)
_PENDING = (0xFF00, 0xFF01)
_CANCELLED = 0xFE00


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """What came for one question; ``cut`` where there may be more.

    ``error`` is the failure that the peer ended with.
    """

    found: tuple[Dataset, ...]
    count: int
    cut: bool = False
    error: SourceUnreachable | None = None


class Line:
    """Asks while it is entered.

    Parameters
    ----------
    peer : Peer
    most : int
        Answers to one question after which we stop listening.
    """

    def __init__(self, peer: Peer, most: int) -> None:
        self._peer = peer
        self._most = most
        self._stack = ExitStack()
        self._messages: Messages | None = None

    def __enter__(self) -> "Line":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def find(self, level: str, keys: Mapping[str, str], wanted: Sequence[str]) -> Replies:
        """Ask for what matches some keys; ``wanted`` is to be told of each.

        Raises
        ------
        SourceUnreachable
            The peer is away, twice in a row.
        """
        query = Dataset()
        # Else a peer may answer in a set that lacks letters, and put question marks for them.
        query.SpecificCharacterSet = "ISO_IR 192"
        query.QueryRetrieveLevel = level
        for keyword in wanted:
            setattr(query, keyword, "")
        for keyword, value in keys.items():
            setattr(query, keyword, value)
        try:
            return self._found(query)
        except SourceUnreachable:
            # It may have let an idle association go, or lost this one: that says little.
            self._close()
        try:
            return self._found(query)
        except SourceUnreachable:
            self._close()
            raise

    def _found(self, query: Dataset) -> Replies:
        found: list[Dataset] = []
        count, cancelled = 0, False
        try:
            messages = self._open()
            for status, identifier in messages.find(query, _FIND):
                if status.get("Status") == _CANCELLED:
                    break
                code = checked(status, peer=self._peer)
                if code not in _PENDING:
                    return Replies(found=tuple(found), count=count, cut=cancelled or code != 0)
                count += 1
                if count <= self._most and identifier is not None:
                    found.append(identifier)
                if count == self._most:
                    messages.cancel(_FIND)
                    cancelled = True
                elif count > 2 * self._most:
                    self._close()  # it does not heed the wish to stop
                    break
        except ArchiveRefused as error:
            self._close()
            told = in_our_words(error)
            return Replies(found=tuple(found), count=count, cut=True, error=told)
        except (RuntimeError, ValueError) as error:
            raise self._peer.away("The old archive broke the association off.") from error
        return Replies(found=tuple(found), count=min(count, self._most), cut=True)

    def _open(self) -> Messages:
        if self._messages is not None and self._messages.is_open:
            return self._messages
        self._close()
        try:
            association = self._stack.enter_context(open_association(self._peer, [(_FIND, None)]))
        except ArchiveRefused as error:
            raise in_our_words(error) from error
        self._messages = self._stack.enter_context(Messages(association))
        return self._messages

    def _close(self) -> None:
        self._messages = None
        self._stack.close()


def in_our_words(error: BadWorld) -> SourceUnreachable:
    """Return what a peer refused as the error of an older archive."""
    words = error.message.replace("The archive", "The old archive")
    return SourceUnreachable(words, remedy=error.remedy)
