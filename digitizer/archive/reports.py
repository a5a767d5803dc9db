"""Storage commitment reports, as N-EVENT-REPORT brings them (PS3.4 J.3.3)."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydicom import Dataset

__all__ = ["CommitmentReport", "report_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentReport:
    """What an archive says of one of our requests.

    ``succeeded`` are SOP Instance UIDs; ``failed`` maps them to the Failure Reason (0008,1197).
    """

    transaction_uid: str
    from_ae: str
    succeeded: tuple[str, ...]
    failed: Mapping[str, int]


def report_of(information: Dataset, from_ae: str) -> CommitmentReport:
    """Read the Event Information of a report."""
    good = information.get("ReferencedSOPSequence") or []
    bad = information.get("FailedSOPSequence") or []
    return CommitmentReport(
        transaction_uid=str(information.get("TransactionUID", "")),
        from_ae=from_ae,
        succeeded=tuple(str(item.ReferencedSOPInstanceUID) for item in good),
        failed={
            str(item.ReferencedSOPInstanceUID): int(item.get("FailureReason", 0x0110))
            for item in bad
        },
    )
