"""Whole studies to and from an archive, few associations for many instances.

Instances travel as the bytes they are: nothing is decoded on the way out, and what comes in is kept
as it came.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from io import BytesIO

import numpy as np
from pydicom import DataElement, Dataset, dcmread, dcmwrite
from pydicom.config import disable_value_validation
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pynetdicom.association import Association
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
)

from digitizer.dicom import part10
from digitizer.dimse import Messages, Peer, checked, gotten, kept, open_association
from digitizer.errors import ArchiveRefused
from digitizer.model.older import Encoded, Sent

__all__ = ["answers", "instances_of", "refusals", "retrieve_study", "store_all"]

_MOST_CONTEXTS = 120
"""Presentation contexts of one association: 128 at most (PS3.8 9.3.2.2), some for the services."""
_NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
_UNPACKED = frozenset((*_NATIVE, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian))
"""Not encapsulated: what may be sent as Explicit VR Little Endian, value for value the same."""
_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
"""Bytes of a word of the VRs that are kept as bytes."""
_FIND = str(StudyRootQueryRetrieveInformationModelFind)
_GET = str(StudyRootQueryRetrieveInformationModelGet)

Kind = tuple[str, str]
"""SOP class and transfer syntax."""


def answers(peer: Peer, messages: Messages, query: Dataset) -> Iterator[Dataset]:
    """C-FIND what an archive holds.

    Raises
    ------
    ArchiveRefused
        It fails, or answers what cannot be read.
    """
    for status, identifier in messages.find(query, _FIND):
        if checked(status, peer=peer) in (0xFF00, 0xFF01) and identifier is not None:
            yield identifier


def instances_of(peer: Peer, messages: Messages, study_instance_uid: str) -> tuple[str, ...]:
    """Return the SOP Instance UIDs that an archive holds of a study, series by series."""
    found: list[str] = []
    series = _found(
        peer, messages, "SERIES", "SeriesInstanceUID", StudyInstanceUID=study_instance_uid
    )
    for one in series:
        found += _found(
            peer,
            messages,
            "IMAGE",
            "SOPInstanceUID",
            StudyInstanceUID=study_instance_uid,
            SeriesInstanceUID=one,
        )
    return tuple(found)


def _found(peer: Peer, messages: Messages, level: str, wanted: str, **keys: str) -> list[str]:
    query = Dataset()
    query.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    setattr(query, wanted, "")
    values = [str(one.get(wanted, "") or "") for one in answers(peer, messages, query)]
    return [value for value in values if value]


def refusals(peer: Peer, kinds: Sequence[Kind]) -> tuple[Kind, ...]:
    """Return which kinds a peer's presentation contexts do not take, asked before anything is sent.

    A kind that is not encapsulated counts as taken when Explicit VR Little Endian is.
    """
    refused: list[Kind] = []
    for some in _parts(kinds, _MOST_CONTEXTS // 2):
        try:
            with open_association(peer, _contexts(some)) as association:
                accepted = _accepted(association)
        except ArchiveRefused:
            accepted = set()
        refused += [kind for kind in some if _way(kind, accepted) is None]
    return tuple(refused)


def _contexts(kinds: Iterable[Kind]) -> list[tuple[str, Sequence[str] | None]]:
    """Return a context for each kind by itself: what a peer accepts is told one by one."""
    offers: dict[Kind, None] = {}
    for sop_class, syntax in kinds:
        offers[sop_class, syntax] = None
        if UID(syntax) in _UNPACKED:
            offers[sop_class, str(ExplicitVRLittleEndian)] = None
    return [(sop_class, [syntax]) for sop_class, syntax in offers]


def _accepted(association: Association) -> set[Kind]:
    return {
        (str(one.abstract_syntax), str(one.transfer_syntax[0]))
        for one in association.accepted_contexts
    }


def _way(kind: Kind, accepted: set[Kind]) -> str | None:
    """Return the syntax in which a kind may be sent without touching a value."""
    sop_class, syntax = kind
    if kind in accepted:
        return syntax
    plain = (sop_class, str(ExplicitVRLittleEndian))
    return plain[1] if UID(syntax) in _UNPACKED and plain in accepted else None


def store_all(
    peer: Peer, instances: Iterable[Encoded], kinds: Sequence[Kind] = ()
) -> Iterator[Sent]:
    """Send instances, each in its own syntax; one association as long as no new kind comes.

    ``kinds`` are those that will come, as far as they are known.
    """
    with ExitStack() as stack:
        messages: Messages | None = None
        offered = dict.fromkeys(kinds[: _MOST_CONTEXTS // 2 - 1])
        accepted: set[Kind] = set()
        for one in instances:
            kind = (one.sop_class_uid, one.transfer_syntax_uid)
            if messages is None or kind not in offered:
                stack.close()
                offered = {} if len(offered) >= _MOST_CONTEXTS // 2 else offered
                offered[kind] = None
                try:
                    association = stack.enter_context(open_association(peer, _contexts(offered)))
                    messages = stack.enter_context(Messages(association))
                    accepted = _accepted(association)
                except ArchiveRefused:
                    messages, accepted = None, set()
            way = _way(kind, accepted)
            instance = one if way == one.transfer_syntax_uid else _unpacked(one)
            if messages is None or way is None or instance is None:
                yield _not_taken(one)
            else:
                yield _sent(peer, messages, instance)


def _not_taken(one: Encoded) -> Sent:
    return Sent(
        sop_instance_uid=one.sop_instance_uid,
        status=None,
        refused="The archive does not take this kind of instance in this encoding.",
    )


def _unpacked(instance: Encoded) -> Encoded | None:
    """Return an instance that is not encapsulated as Explicit VR Little Endian.

    None where that is not sure: in which order the two words of a 32-bit pixel stand in big endian
    is read in two ways.
    """
    try:
        return _rewritten(instance)
    except Exception:
        # pydicom raises nearly anything over odd values: then it goes as it is, or not at all.
        return None


def _rewritten(instance: Encoded) -> Encoded | None:
    dataset = dcmread(BytesIO(part10(instance)))
    out = BytesIO()
    with disable_value_validation():
        if not dataset.original_encoding[1]:
            if "PixelData" in dataset and dataset.get("BitsAllocated", 0) > 16:
                return None
            dataset.walk(_turned_round)
        dataset.preamble, dataset.file_meta = None, FileMetaDataset()
        dcmwrite(out, dataset, implicit_vr=False, little_endian=True)
    syntax = str(ExplicitVRLittleEndian)
    return replace(instance, transfer_syntax_uid=syntax, data=out.getvalue())


def _turned_round(_: Dataset, element: DataElement) -> None:
    """Turn words round that pydicom keeps as bytes; what it decodes it has turned (PS3.5 7.3)."""
    width = _WORDS.get(str(element.VR), 1)
    if width > 1 and isinstance(element.value, bytes):
        words = np.frombuffer(element.value[: len(element.value) // width * width], f">u{width}")
        element.value = words.astype(f"<u{width}").tobytes()


def _sent(peer: Peer, messages: Messages, instance: Encoded) -> Sent:
    uid = instance.sop_instance_uid
    try:
        return Sent(sop_instance_uid=uid, status=checked(messages.store(instance), peer=peer))
    except ArchiveRefused as error:
        if error.status is not None and error.status & 0xFF00 == 0xA700:
            raise
        return Sent(sop_instance_uid=uid, status=error.status, refused=error.message)


def retrieve_study(
    peer: Peer, study_instance_uid: str, kinds: Sequence[Kind], *, plain: bool = False
) -> Iterator[Encoded]:
    """C-GET a study, each instance in the syntax it comes in.

    Parameters
    ----------
    peer : Peer
    study_instance_uid : str
    kinds : sequence of (SOP class, transfer syntax)
        What is asked for; nothing else is yielded.
    plain : bool
        Ask for the classes uncompressed instead, for a peer that keeps them otherwise.
    """
    if plain:
        kinds = [(sop_class, str(syntax)) for sop_class, _ in kinds for syntax in _NATIVE]
    asked, came, otherwise = frozenset(kinds), set[str](), set[str]()
    for some in _parts(kinds, _MOST_CONTEXTS):
        contexts: list[tuple[str, Sequence[str] | None]] = [(_GET, None)]
        contexts += [(sop_class, [syntax]) for sop_class, syntax in some]
        query = Dataset()
        query.QueryRetrieveLevel = "STUDY"
        query.StudyInstanceUID = study_instance_uid
        # Most archives give each instance as they keep it, whatever else they are offered: then one
        # association serves for all that is asked of them. What comes otherwise is asked for again,
        # in exactly the syntaxes wanted.
        for exact in (True,) if plain or kept.is_chooser(peer) else (False, True):
            for one in gotten(peer, contexts, [query], exact=exact):
                uid = one.sop_instance_uid
                if (one.sop_class_uid, one.transfer_syntax_uid) not in asked:
                    otherwise.add(uid)
                elif uid not in came:
                    came.add(uid)
                    if exact and uid in otherwise:
                        kept.note_chooser(peer)
                    yield one
            if not otherwise - came:
                break


def _parts(kinds: Iterable[Kind], size: int) -> Iterator[list[Kind]]:
    all_of_them = list(dict.fromkeys(kinds))
    for start in range(0, len(all_of_them), size):
        yield all_of_them[start : start + size]
