"""Our own DICOM entity: archives bring their commitment reports here, on associations of theirs."""

import logging
import ssl
from collections.abc import Callable
from types import TracebackType

from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StorageCommitmentPushModel,
    Verification,
)

from digitizer.archive.reports import CommitmentReport, report_of
from digitizer.archive.settings import ListenerSettings
from digitizer.errors import MissingService

__all__ = ["CommitmentListener"]

logger = logging.getLogger(__name__)

_SUCCESS, _PROCESSING_FAILURE = 0x0000, 0x0110


class CommitmentListener:
    """Listens while it is entered; each report is handed to ``on_report`` before it is answered.

    Raises
    ------
    MissingService
        The port is taken.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        on_report: Callable[[CommitmentReport], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._on_report = on_report
        self._tls = tls
        self._server: object | None = None
        self._entity = AE(settings.ae_title)
        self._entity.require_called_aet = True
        self._entity.add_supported_context(Verification)
        # Roles are reversed: the archive opens the association and is still the SCP (PS3.4 J.3.3).
        self._entity.add_supported_context(
            StorageCommitmentPushModel, scu_role=False, scp_role=True
        )

    def __enter__(self) -> "CommitmentListener":
        try:
            self._server = self._entity.start_server(
                (self._settings.host, self._settings.port),
                block=False,
                evt_handlers=[(evt.EVT_N_EVENT_REPORT, self._report), (evt.EVT_C_ECHO, _echo)],
                ssl_context=self._tls,
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
        self._entity.shutdown()

    def _report(self, event: evt.Event) -> tuple[int, Dataset | None]:
        try:
            report = report_of(event.event_information, str(event.assoc.requestor.ae_title).strip())
            self._on_report(report)
        except Exception:
            # Whatever ails us, the archive is told to bring the report again.
            logger.exception("commitment report could not be taken")
            return _PROCESSING_FAILURE, None
        return _SUCCESS, None


def _echo(_event: evt.Event) -> int:
    return _SUCCESS
