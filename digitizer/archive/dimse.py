"""An archive spoken to by DIMSE: C-ECHO, C-FIND, C-STORE, C-GET and storage commitment."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom.association import Association
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)

from digitizer import dicom
from digitizer.archive import bulk
from digitizer.archive.embedded import EmbeddedArchive
from digitizer.archive.settings import ArchiveSettings, ListenerSettings
from digitizer.archive.tls import client_context
from digitizer.dimse import Contexts, Messages, Peer, checked, gotten, open_association
from digitizer.errors import ArchiveRefused
from digitizer.model.instance import FoundStudy, Holdings, StoredInstance
from digitizer.model.older import Encoded, Sent
from digitizer.model.records import Capture

__all__ = ["DimseArchive"]

_FIND = str(StudyRootQueryRetrieveInformationModelFind)
_SIGNS = frozenset("*?\\")
"""Wild cards, and what stands between several values (PS3.4 C.2.2.2, PS3.5 6.4)."""
_COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
_LOSSLESS = (JPEGLSLossless, JPEG2000Lossless, RLELossless, ExplicitVRLittleEndian)


class DimseArchive:
    """Implements :class:`digitizer.ports.ArchiveSink` with pynetdicom.

    Raises
    ------
    SettingsError
        TLS files cannot be read.
    """

    def __init__(self, settings: ArchiveSettings, listener: ListenerSettings) -> None:
        self._peer = Peer(
            host=settings.host,
            port=settings.port,
            ae_title=settings.ae_title,
            our_title=listener.ae_title,
            timeout_s=settings.timeout_s,
            tls=client_context(settings),
        )

    @property
    def name(self) -> str:
        """AE title of the archive."""
        return self._peer.ae_title

    def echo(self) -> None:
        """C-ECHO (PS3.4 A); raises :class:`~digitizer.errors.ArchiveUnreachable`."""
        with self._association([(str(Verification), None)]) as association:
            checked(association.send_c_echo())

    def find_studies(
        self, *, study_instance_uid: str = "", accession_number: str = ""
    ) -> tuple[FoundStudy, ...]:
        """C-FIND at study level; values are matched as they are, never as patterns."""
        with self._messages() as messages:
            return self._studies(messages, study_instance_uid, accession_number)

    def holdings(self, study_instance_uid: str, accession_number: str) -> Holdings:
        """C-FIND what there is of a study and of an exam, all in one association."""
        with self._messages() as messages:
            found = list(self._studies(messages, study_instance_uid, ""))
            if accession_number:
                found += self._studies(messages, "", accession_number)
            is_there = any(one.study_instance_uid == study_instance_uid for one in found)
            instances = (
                bulk.instances_of(self._peer, messages, study_instance_uid) if is_there else ()
            )
        return Holdings(studies=tuple(found), instances=instances)

    def store(self, path: Path) -> StoredInstance:
        """C-STORE in the file's own syntax, or losslessly transcoded where that is refused."""
        content = path.read_bytes()
        header = dcmread(BytesIO(content), stop_before_pixels=True)
        sop_class, own = str(header.SOPClassUID), header.file_meta.TransferSyntaxUID
        # A context of its own for each syntax: what the archive accepts is told one by one.
        offers = [(sop_class, syntax) for syntax in dict.fromkeys((own, *_LOSSLESS))]
        with self._association([(name, [syntax]) for name, syntax in offers]) as association:
            accepted = [
                context.transfer_syntax[0]
                for context in association.accepted_contexts
                if context.abstract_syntax == sop_class
            ]
            chosen = own if own in accepted else next(iter(accepted), None)
            if chosen is None:
                raise ArchiveRefused("The archive accepts no lossless encoding of this kind.")
            sent = content if chosen == own else dicom.transcode(content, str(chosen))
            dataset = dcmread(BytesIO(sent))
            status = association.send_c_store(dataset)
            code = checked(status, refusals=True)
        return StoredInstance(
            status=code,
            transfer_syntax_uid=str(chosen),
            detail=str(status.get("ErrorComment", "")),
        )

    def request_commitment(
        self, transaction_uid: str, instances: Sequence[tuple[str, str]]
    ) -> None:
        """N-ACTION of the push model (PS3.4 J.3.2); the report comes to the listener."""
        request = Dataset()
        request.TransactionUID = transaction_uid
        request.ReferencedSOPSequence = []
        for sop_class, sop_instance in instances:
            item = Dataset()
            item.ReferencedSOPClassUID = sop_class
            item.ReferencedSOPInstanceUID = sop_instance
            request.ReferencedSOPSequence.append(item)
        model = str(StorageCommitmentPushModel)
        with self._association([(model, None)]) as association:
            status, _ = association.send_n_action(request, 1, model, _COMMITMENT_INSTANCE)
            checked(status, refusals=True)

    def retrieve(self, capture: Capture) -> bytes:
        """C-GET one instance in the syntax it was sent in, else in any lossless one."""
        query = Dataset()
        query.QueryRetrieveLevel = "IMAGE"
        query.StudyInstanceUID = capture.study_instance_uid
        query.SeriesInstanceUID = capture.series_instance_uid
        query.SOPInstanceUID = capture.sop_instance_uid
        model = str(StudyRootQueryRetrieveInformationModelGet)
        # Alone first: an archive that is offered both may transcode what it sends.
        for syntaxes in ([UID(capture.transfer_syntax_uid)], list(_LOSSLESS)):
            contexts: list[tuple[str, list[UID] | None]] = [
                (model, None),
                (capture.sop_class_uid, syntaxes),
            ]
            received = list(gotten(self._peer, contexts, [query]))
            if received:
                return dicom.part10(received[-1])
        raise ArchiveRefused("The archive does not give the instance back.")

    def refusals(self, kinds: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return which of (SOP class, transfer syntax) the archive does not take as they are."""
        if not self._peer.host:
            # The embedded one, which runs while work is done only.
            return EmbeddedArchive.refusals(kinds)
        return bulk.refusals(self._peer, kinds)

    def store_all(
        self, instances: Iterable[Encoded], kinds: Sequence[tuple[str, str]] = ()
    ) -> Iterator[Sent]:
        """C-STORE instances one after the other, each in its own syntax."""
        return bulk.store_all(self._peer, instances, kinds)

    def retrieve_all(
        self, study_instance_uid: str, kinds: Sequence[tuple[str, str]], *, plain: bool = False
    ) -> Iterator[Encoded]:
        """C-GET a whole study."""
        return bulk.retrieve_study(self._peer, study_instance_uid, kinds, plain=plain)

    def _association(self, contexts: Contexts) -> AbstractContextManager[Association]:
        return open_association(self._peer, contexts)

    def _studies(
        self, messages: Messages, study_instance_uid: str, accession_number: str
    ) -> tuple[FoundStudy, ...]:
        """Ask for studies; those of exactly this accession number, whatever signs are in it."""
        query = _study_query(study_instance_uid, accession_number)
        found = tuple(_study(one) for one in bulk.answers(self._peer, messages, query))
        if not _SIGNS & set(accession_number):
            return found
        return tuple(one for one in found if one.accession_number == accession_number)

    @contextmanager
    def _messages(self) -> Iterator[Messages]:
        """Open an association for questions."""
        with self._association([(_FIND, None)]) as association, Messages(association) as messages:
            yield messages


def _study_query(study_instance_uid: str, accession_number: str) -> Dataset:
    if _SIGNS & set(study_instance_uid):
        raise ArchiveRefused("A key with a wildcard cannot be asked for.")
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.StudyInstanceUID = study_instance_uid
    # A sign that means others is asked for as any one sign; what comes is looked through.
    query.AccessionNumber = "".join("?" if one in _SIGNS else one for one in accession_number)
    for keyword in ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate"):
        setattr(query, keyword, "")
    query.StudyDate = ""
    return query


def _study(found: Dataset) -> FoundStudy:
    return FoundStudy(
        study_instance_uid=str(found.get("StudyInstanceUID", "") or ""),
        patient_id=str(found.get("PatientID", "") or ""),
        issuer=str(found.get("IssuerOfPatientID", "") or ""),
        patient_name=str(found.get("PatientName", "") or ""),
        birth_date=str(found.get("PatientBirthDate", "") or ""),
        accession_number=str(found.get("AccessionNumber", "") or ""),
        study_date=str(found.get("StudyDate", "") or ""),
    )
