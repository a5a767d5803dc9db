"""Our own DICOM entity, on associations that others open.

Archives bring their storage commitment reports here; DICOM digitizers store their scans here. What
this never does: answer a store with success before the scan is claimed, or take one from an entity
that the site has not named.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from pydicom import Dataset
from pynetdicom import AE, StoragePresentationContexts, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StorageCommitmentPushModel,
    Verification,
)
from pynetdicom.transport import ThreadedAssociationServer

from digitizer.archive.ending import end_server
from digitizer.archive.received import SYNTAXES, received_file
from digitizer.archive.reports import CommitmentReport, report_of
from digitizer.archive.settings import ListenerSettings
from digitizer.archive.tls import server_context
from digitizer.dimse.storage import make_known
from digitizer.errors import BadWorld, MissingService

__all__ = ["Listener", "ReceivedScan"]

logger = logging.getLogger(__name__)

_SUCCESS, _PROCESSING_FAILURE = 0x0000, 0x0110
_NOT_AUTHORIZED = 0x0124
"""Refused: not authorized (PS3.7 C.5.18)."""
_OUT_OF_RESOURCES = 0xA700
_CANNOT_UNDERSTAND = 0xC000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedScan:
    """An instance that a DICOM digitizer stored to us, as a Part 10 file."""

    content: bytes
    from_ae: str
    patient_id: str
    study_instance_uid: str
    sop_instance_uid: str


class Listener:
    """Listens while it is entered; what arrives is handed on before it is answered.

    Parameters
    ----------
    settings : ListenerSettings
        Storage is offered only where ``accept_from`` names somebody.
    on_report : callable
        Takes each storage commitment report.
    on_scan : callable
        Claims each stored instance; answered with success only when it returns.

    Raises
    ------
    MissingService
        The port is taken.
    SettingsError
        TLS files cannot be used.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        on_report: Callable[[CommitmentReport], None],
        on_scan: Callable[[ReceivedScan], None] | None = None,
    ) -> None:
        self._settings = settings
        self._on_report = on_report
        self._on_scan = on_scan
        self._entity = AE(settings.ae_title)
        self._server: ThreadedAssociationServer | None = None
        self._entity.require_called_aet = True
        self._entity.add_supported_context(Verification)
        # Roles are reversed: the archive opens the association and is still the SCP (PS3.4 J.3.3).
        self._entity.add_supported_context(
            StorageCommitmentPushModel, scu_role=False, scp_role=True
        )
        if settings.accept_from and on_scan is not None:
            for context in StoragePresentationContexts:
                make_known(context.abstract_syntax or "")
                self._entity.add_supported_context(context.abstract_syntax or "", SYNTAXES)

    def __enter__(self) -> "Listener":
        handlers: list[Any] = [
            (evt.EVT_N_EVENT_REPORT, self._report),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_C_ECHO, _echo),
        ]
        try:
            self._server = self._entity.start_server(
                (self._settings.host, self._settings.port),
                block=False,
                evt_handlers=handlers,
                ssl_context=server_context(self._settings),
            )
        except OSError as error:
            raise MissingService(
                f"Our DICOM port {self._settings.port} cannot be opened: {error.strerror}.",
                remedy="Set DIGITIZER_LISTENER__PORT to a free port.",
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        end_server(self._server)

    def _report(self, event: evt.Event) -> tuple[int, Dataset | None]:
        try:
            self._on_report(report_of(event.event_information, _caller(event)))
        except Exception:
            # Whatever ails us, the archive is told to bring the report again.
            logger.exception("commitment report could not be taken")
            return _PROCESSING_FAILURE, None
        return _SUCCESS, None

    def _store(self, event: evt.Event) -> int:
        caller = _caller(event)
        if caller not in self._settings.accept_from or self._on_scan is None:
            logger.warning("store refused", extra={"from_ae": caller})
            return _NOT_AUTHORIZED
        try:
            dataset = event.dataset
            scan = ReceivedScan(
                content=received_file(event),
                from_ae=caller,
                patient_id=str(dataset.get("PatientID", "") or ""),
                study_instance_uid=str(dataset.get("StudyInstanceUID", "") or ""),
                sop_instance_uid=str(dataset.SOPInstanceUID),
            )
        except Exception:
            # pydicom raises nearly anything over hostile bytes; to the sender it is all the same.
            logger.warning("an instance cannot be understood", extra={"from_ae": caller})
            return _CANNOT_UNDERSTAND
        try:
            self._on_scan(scan)
        except BadWorld:
            logger.warning("store put off", extra={"from_ae": caller})
            return _OUT_OF_RESOURCES
        except Exception:
            # The digitizer keeps what we did not claim, and sends it again.
            logger.exception("a stored scan could not be taken")
            return _PROCESSING_FAILURE
        return _SUCCESS


def _caller(event: evt.Event) -> str:
    return str(event.assoc.requestor.ae_title).strip()


def _echo(_event: evt.Event) -> int:
    return _SUCCESS
