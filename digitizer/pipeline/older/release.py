"""What speaks against releasing an older archive: the one list that the report goes by."""

from typing import Any

from digitizer.model.older import SourceKind
from digitizer.model.states import State

__all__ = ["DAMAGED", "GIVEN_UP", "MISSING", "against_release"]

DAMAGED = frozenset(
    ("truncated_file", "corrupt_file", "empty_file", "too_large", "unsupported_format",
     "password_protected")
)  # fmt: skip
"""Codes of files that are damaged, and only here."""
MISSING = "named by a disc's own list, an index file or the old PACS"
"""What is not there is known by these alone."""
GIVEN_UP = {
    "damaged": "files that are damaged, and only here",
    "missing": f"files or instances {MISSING}, and not there",
    "rows_refused": "rows of the index file that cannot be taken",
    "no_row": "pictures without a row of the index file",
    "link_outside": "links that lead out of it",
    "names_another": "instances left out because they name another patient than their study",
}
"""Lists that a person may do without, and what stands in them."""
_ENDED = frozenset(
    state.value for state in (State.VERIFIED, State.REJECTED, State.DUPLICATE, State.QUARANTINED)
)


def against_release(told: dict[str, Any]) -> list[str]:
    """Return why an older archive may not be released, in words; nothing where it may.

    Parameters
    ----------
    told : dict
        Its reconciliation so far, see :func:`digitizer.pipeline.older.reconcile.source_json`.
    """
    refused: dict[str, int] = told["refused"]
    without = {one["list"] for one in told["given_up"] if one["holds"]}
    lost = {
        "damaged": told["damaged"],
        "missing": told["missing"],
        "rows_refused": told["rows_refused"],
        "no_row": refused.get("no_row", 0),
        "link_outside": refused.get("link_outside", 0),
        "names_another": refused.get("names_another", 0),
    }
    counted = (
        ("studies under way or waiting for a person",
         sum(n for state, n in told["studies"].items() if state not in _ENDED)),
        ("instances taken and not verified", told["taken"] - told["verified"]),
        ("instances otherwise in the archive than they were sent", told["differing"]),
        ("copies of instances that are not verified", told["open_duplicates"]),
        *((GIVEN_UP[name], n) for name, n in lost.items() if name not in without),
    )  # fmt: skip
    said = told["told"]["instances"]
    is_asked = told["kind"] != SourceKind.PACS.value or told["asked_again"]
    return [
        *([] if told["stocked"] else ["it has not been looked through to its end"]),
        *([] if is_asked else ["it has not been asked once more for what changed meanwhile"]),
        *([f"looking through it has stopped: {told['trouble']}"] if told["trouble"] else []),
        *(
            [f"instances the source says it has: {said}, that came: {told['found']}"]
            if said not in (None, told["found"])
            else []
        ),
        *(f"{what}: {n}" for what, n in counted if n),
    ]
