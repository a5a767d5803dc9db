"""A small archive for trying out and for tests: it keeps files in a folder, and can prove it.

What it promises: C-STORE answers 0x0000 only when the file and its folder are on the disk; storage
commitment is answered only after the file was read again and hashed. What it is not: a PACS.
"""

import hashlib
import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pynetdicom import (
    AE,
    ALL_TRANSFER_SYNTAXES,
    StoragePresentationContexts,
    build_role,
    evt,
)
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)
from pynetdicom.transport import ThreadedAssociationServer

from digitizer.archive.ending import end_server
from digitizer.archive.received import SYNTAXES, received_file
from digitizer.dimse.storage import make_known
from digitizer.errors import MissingService

__all__ = ["EmbeddedArchive"]

logger = logging.getLogger(__name__)

_STUDY_KEYS = [
    "StudyInstanceUID",
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
]
_SERIES_KEYS = ["SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription"]
_IMAGE_KEYS = ["SOPInstanceUID", "SOPClassUID", "InstanceNumber"]
_LEVELS = {
    "STUDY": (_STUDY_KEYS, "StudyInstanceUID"),
    "SERIES": ([*_STUDY_KEYS, *_SERIES_KEYS], "SeriesInstanceUID"),
    "IMAGE": ([*_STUDY_KEYS, *_SERIES_KEYS, *_IMAGE_KEYS], "SOPInstanceUID"),
}
_UID = re.compile(r"[0-9.]{1,64}")
_CLASSES = tuple(context.abstract_syntax or "" for context in StoragePresentationContexts)
_ANY_SYNTAX = tuple(dict.fromkeys((*map(str, SYNTAXES), *ALL_TRANSFER_SYNTAXES)))
"""What is kept is never decoded. Those first that most others can read."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """One instance of the archive: where it lies, its hash, what may be asked of it."""

    path: Path
    sha256: str
    header: Dataset


class EmbeddedArchive:
    """Runs while it is entered.

    Parameters
    ----------
    folder : Path
        Where instances are kept, as ``STUDY/SOP.dcm``.
    host, port, ae_title
        Where it listens.
    peers : dict
        AE title to (host, port): where commitment reports are brought. Others are refused.
    syntaxes : sequence of str
        Transfer syntaxes that it takes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str,
        port: int,
        ae_title: str,
        peers: dict[str, tuple[str, int]],
        syntaxes: Sequence[str] = _ANY_SYNTAX,
    ) -> None:
        self._folder = folder
        self._address = (host, port)
        self._peers = peers
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._reports: list[threading.Thread] = []
        self._entity = AE(ae_title)
        self._server: ThreadedAssociationServer | None = None
        self._entity.require_called_aet = True
        self._entity.require_calling_aet = list(peers)
        for model in (
            Verification,
            StudyRootQueryRetrieveInformationModelFind,
            StudyRootQueryRetrieveInformationModelGet,
            StorageCommitmentPushModel,
        ):
            self._entity.add_supported_context(model)
        for name in _CLASSES:
            make_known(name)
            self._entity.add_supported_context(name, syntaxes, scu_role=True, scp_role=True)

    @staticmethod
    def refusals(kinds: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return which of (SOP class, transfer syntax) it takes from nobody, running or not."""
        return tuple(one for one in kinds if one[0] not in _CLASSES or one[1] not in _ANY_SYNTAX)

    def __enter__(self) -> "EmbeddedArchive":
        self._folder.mkdir(parents=True, exist_ok=True)
        self._load()
        handlers: list[Any] = [
            (evt.EVT_C_ECHO, lambda _: 0x0000),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_GET, self._get),
            (evt.EVT_N_ACTION, self._commit),
        ]
        try:
            self._server = self._entity.start_server(
                self._address, block=False, evt_handlers=handlers
            )
        except OSError as error:
            raise MissingService(
                f"The embedded archive's port {self._address[1]} cannot be opened.",
                remedy="Set DIGITIZER_ARCHIVE__PORT to a free port.",
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for report in self._reports:
            report.join(5)
        end_server(self._server)

    def _load(self) -> None:
        """Learn again what is kept; a half-written file of a killed process is swept away."""
        for left in self._folder.glob(".new-*"):
            left.unlink()
        for path in self._folder.glob("*/*.dcm"):
            try:
                self._remember(path)
            except InvalidDicomError:
                logger.warning("not an instance", extra={"file": path.name})

    def _remember(self, path: Path) -> None:
        content = path.read_bytes()
        header = dcmread(BytesIO(content), stop_before_pixels=True)
        kept = _Kept(path, hashlib.sha256(content).hexdigest(), header)
        with self._lock:
            self._kept[str(header.SOPInstanceUID)] = kept

    def _store(self, event: evt.Event) -> int:
        dataset = event.dataset
        sop, study = str(dataset.SOPInstanceUID), str(dataset.get("StudyInstanceUID", ""))
        if not _UID.fullmatch(sop) or not _UID.fullmatch(study):
            return 0xA900
        content = received_file(event)
        with self._lock:
            there = self._kept.get(sop)
        if there is not None:
            # The same again is fine; other content under a known UID never replaces it.
            same = there.sha256 == hashlib.sha256(content).hexdigest()
            return 0x0000 if same else 0x0111
        try:
            self._remember(self._write(study, sop, content))
        except OSError as error:
            logger.error("store failed", extra={"errno": error.errno})
            return 0xA700
        return 0x0000

    def _write(self, study: str, sop: str, content: bytes) -> Path:
        target = self._folder / study / f"{sop}.dcm"
        target.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".new-", dir=self._folder)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            temporary.rename(target)
        finally:
            temporary.unlink(missing_ok=True)
        for folder in (target.parent, self._folder):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            os.fsync(descriptor)
            os.close(descriptor)
        return target

    def _find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        query = event.identifier
        level = str(query.get("QueryRetrieveLevel", "STUDY"))
        if level not in _LEVELS:
            yield 0xA900, None
            return
        keys, unique = _LEVELS[level]
        answers: dict[str, Dataset] = {}
        for header in self._headers():
            if all(_matches(header, query, key) for key in keys):
                answers.setdefault(str(header.get(unique, "")), header)
        for header in answers.values():
            answer = Dataset()
            answer.QueryRetrieveLevel = level
            answer.SpecificCharacterSet = "ISO_IR 192"
            for key in keys:
                if key in query or key == unique:
                    setattr(answer, key, header.get(key, ""))
            yield 0xFF00, answer

    def _headers(self) -> list[Dataset]:
        with self._lock:
            return [kept.header for kept in self._kept.values()]

    def _get(self, event: evt.Event) -> Iterator[Any]:
        query = event.identifier
        keys = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
        with self._lock:
            found = [
                kept.path
                for kept in self._kept.values()
                if all(_matches(kept.header, query, key) for key in keys)
            ]
        yield len(found)
        for path in found:
            yield 0xFF00, dcmread(path)

    def _commit(self, event: evt.Event) -> tuple[int, Dataset | None]:
        requestor = str(event.assoc.requestor.ae_title).strip()
        report = threading.Thread(
            target=self._bring_report, args=(event.action_information, requestor), daemon=True
        )
        self._reports = [one for one in self._reports if one.is_alive()] + [report]
        report.start()
        return 0x0000, None

    def _bring_report(self, request: Dataset, requestor: str) -> None:
        """Check every instance on the disk, then tell the requestor on a new association."""
        report = Dataset()
        report.TransactionUID = request.TransactionUID
        good: list[Dataset] = []
        bad: list[Dataset] = []
        for wanted in request.get("ReferencedSOPSequence") or []:
            item = Dataset()
            item.ReferencedSOPClassUID = wanted.ReferencedSOPClassUID
            item.ReferencedSOPInstanceUID = wanted.ReferencedSOPInstanceUID
            failure = self._failure(str(wanted.ReferencedSOPInstanceUID), wanted)
            if failure is None:
                good.append(item)
            else:
                item.FailureReason = failure
                bad.append(item)
        if good:
            report.ReferencedSOPSequence = good
        if bad:
            report.FailedSOPSequence = bad
        host, port = self._peers[requestor]
        entity = AE(self._entity.ae_title)
        entity.add_requested_context(StorageCommitmentPushModel)
        role = build_role(StorageCommitmentPushModel, scp_role=True)
        association = entity.associate(host, port, ae_title=requestor, ext_neg=[role])
        if not association.is_established:
            logger.warning("commitment report could not be brought")
            return
        association.send_n_event_report(
            report, 2 if bad else 1, StorageCommitmentPushModel, "1.2.840.10008.1.20.1.1"
        )
        association.release()

    def _failure(self, sop: str, wanted: Dataset) -> int | None:
        """Return the Failure Reason (PS3.4 J.3.3), or None for an instance that is kept whole."""
        with self._lock:
            kept = self._kept.get(sop)
        if kept is None:
            return 0x0112
        if str(kept.header.SOPClassUID) != str(wanted.ReferencedSOPClassUID):
            return 0x0119
        try:
            whole = hashlib.sha256(kept.path.read_bytes()).hexdigest() == kept.sha256
        except OSError:
            return 0x0112
        return None if whole else 0x0110


def _matches(header: Dataset, query: Dataset, keyword: str) -> bool:
    """Match one key: universal, UIDs, date range, wildcard or single value (PS3.4 C.2.2.2)."""
    wanted = query.get(keyword)
    if wanted is None or str(wanted) == "":
        return True
    value = str(header.get(keyword, "") or "")
    if keyword.endswith("UID"):
        uids = [wanted] if isinstance(wanted, str) else list(wanted)
        return value in [str(one) for one in uids]
    text = str(wanted)
    if keyword == "StudyDate" and "-" in text:
        first, _, last = text.partition("-")
        return bool(value) and (not first or first <= value) and (not last or value <= last)
    pattern = "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in text)
    return re.fullmatch(pattern, value, re.IGNORECASE) is not None
