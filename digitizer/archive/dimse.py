"""An archive spoken to by DIMSE: C-ECHO, C-FIND, C-STORE, C-GET and storage commitment."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)

from digitizer import dicom
from digitizer.archive.part10 import part10
from digitizer.archive.settings import ArchiveSettings, ListenerSettings
from digitizer.archive.tls import client_context
from digitizer.errors import ArchiveRefused, ArchiveUnreachable
from digitizer.model.instance import FoundStudy, StoredInstance
from digitizer.model.records import Capture

__all__ = ["DimseArchive"]

_COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
_LOSSLESS = (JPEGLSLossless, JPEG2000Lossless, RLELossless, ExplicitVRLittleEndian)
_REMEDY = "Check address, port and AE titles with `digitizer doctor`."


class DimseArchive:
    """Implements :class:`digitizer.ports.ArchiveSink` with pynetdicom.

    Raises
    ------
    SettingsError
        TLS files cannot be read.
    """

    def __init__(self, settings: ArchiveSettings, listener: ListenerSettings) -> None:
        self._settings = settings
        self._our_title = listener.ae_title
        self._tls = client_context(settings)

    @property
    def name(self) -> str:
        """AE title of the archive."""
        return self._settings.ae_title

    def echo(self) -> None:
        """C-ECHO (PS3.4 A); raises :class:`~digitizer.errors.ArchiveUnreachable`."""
        with self._association([(str(Verification), None)]) as association:
            _checked(association.send_c_echo())

    def find_studies(
        self, *, study_instance_uid: str = "", accession_number: str = ""
    ) -> tuple[FoundStudy, ...]:
        """C-FIND at study level; values are matched as they are, never as patterns."""
        if _is_pattern(study_instance_uid) or _is_pattern(accession_number):
            raise ArchiveRefused("A key with a wildcard cannot be asked for.")
        query = Dataset()
        query.QueryRetrieveLevel = "STUDY"
        query.StudyInstanceUID = study_instance_uid
        query.AccessionNumber = accession_number
        for keyword in ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate"):
            setattr(query, keyword, "")
        query.StudyDate = ""
        model = str(StudyRootQueryRetrieveInformationModelFind)
        found: list[FoundStudy] = []
        with self._association([(model, None)]) as association:
            for status, identifier in association.send_c_find(query, model):
                code = _checked(status)
                if code in (0xFF00, 0xFF01) and identifier is not None:
                    found.append(_study(identifier))
        return tuple(found)

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
            code = _checked(status, refusals=True)
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
            _checked(status, refusals=True)

    def retrieve(self, capture: Capture) -> bytes:
        """C-GET one instance in the syntax it was sent in, else in any lossless one."""
        received: list[bytes] = []

        def take(event: evt.Event) -> int:
            received.append(part10(event))
            return 0x0000

        query = Dataset()
        query.QueryRetrieveLevel = "IMAGE"
        query.StudyInstanceUID = capture.study_instance_uid
        query.SeriesInstanceUID = capture.series_instance_uid
        query.SOPInstanceUID = capture.sop_instance_uid
        model = str(StudyRootQueryRetrieveInformationModelGet)
        role = build_role(capture.sop_class_uid, scp_role=True)
        # Alone first: an archive that is offered both may transcode what it sends.
        for syntaxes in ([UID(capture.transfer_syntax_uid)], list(_LOSSLESS)):
            contexts: list[tuple[str, list[UID] | None]] = [
                (model, None),
                (capture.sop_class_uid, syntaxes),
            ]
            with self._association(contexts, roles=[role], store=take) as association:
                for status, _ in association.send_c_get(query, model):
                    _checked(status)
            if received:
                return received[-1]
        raise ArchiveRefused("The archive does not give the instance back.")

    @contextmanager
    def _association(
        self,
        contexts: Sequence[tuple[str, list[UID] | None]],
        *,
        roles: Sequence[Any] = (),
        store: Any = None,
    ) -> Iterator[Association]:
        entity = AE(self._our_title)
        timeout = self._settings.timeout_s
        entity.acse_timeout = entity.dimse_timeout = timeout
        entity.network_timeout = entity.connection_timeout = timeout
        for name, syntaxes in contexts:
            if syntaxes is None:
                entity.add_requested_context(name)
            else:
                entity.add_requested_context(name, syntaxes)
        association = entity.associate(
            self._settings.host,
            self._settings.port,
            ae_title=self._settings.ae_title,
            ext_neg=list(roles),
            evt_handlers=[(evt.EVT_C_STORE, store)] if store else [],
            tls_args=(self._tls, self._settings.host) if self._tls else None,
        )
        if not association.is_established:
            refused = association.is_rejected
            why = "refuses our association" if refused else "does not answer"
            raise ArchiveUnreachable(f"The archive {self.name} {why}.", remedy=_REMEDY)
        try:
            if not association.accepted_contexts:
                raise ArchiveRefused("The archive offers none of the services asked for.")
            yield association
        except ValueError as error:
            # pynetdicom: no accepted context for what we wanted to send.
            raise ArchiveRefused("The archive does not offer this service.") from error
        except RuntimeError as error:
            raise ArchiveUnreachable("The association was broken off.", remedy=_REMEDY) from error
        finally:
            if association.is_established:
                association.release()


def _checked(status: Dataset, *, refusals: bool = False) -> int:
    """Return a status that is good enough; raise for the rest (PS3.7 C).

    Bxxx are warnings: the archive took it and says what it changed. A7xx is out of resources.
    """
    if not status or "Status" not in status:
        raise ArchiveUnreachable("The archive broke the association off.", remedy=_REMEDY)
    code = int(status.Status)
    if code in (0x0000, 0xFF00, 0xFF01) or code & 0xF000 == 0xB000:
        return code
    if code & 0xFF00 == 0xA700 and refusals:
        raise ArchiveRefused("The archive is out of resources.", status=code)
    comment = str(status.get("ErrorComment", "")).strip()[:64]
    raise ArchiveRefused(f"The archive answered 0x{code:04X} {comment}".strip() + ".", status=code)


def _is_pattern(value: str) -> bool:
    return any(sign in value for sign in "*?\\")


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
