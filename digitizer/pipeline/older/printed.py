"""The report of an older archive on paper: what came over, what did not and why, to be signed."""

from itertools import islice
from typing import Any

from digitizer.model.older import OldStudy, Source
from digitizer.model.reasons import CODES, Code
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.reconcile import listed, source_json, why
from digitizer.pipeline.paper import Paper
from digitizer.pipeline.services import Services

__all__ = ["printed_source"]

_MISSING = "named by a disc's own list, an index file or the old PACS"

_MOST_ROWS = 2000
"""Rows of one list on paper; the rest is in the CSV, and the report says how many."""


def printed_source(services: Services, source: Source, *, by: str) -> bytes:
    """Return the report of an older archive as PDF; who had it printed is in the audit trail."""
    with services.ledger.transaction() as tx:
        # Before anybody holds it: it may name patients.
        tx.record(event(source.id, "report_printed", by))
    with services.ledger.reading() as view:
        told = source_json(view, source)
        held = view.old_studies(source_id=source.id, states=(State.REVIEW, State.WAITING))
    paper = Paper(f"Older archive: {source.name}", made_at=services.clock.now(), by=by)
    open_studies = sum(n for state, n in told["studies"].items() if state not in _ENDED)
    left = told["taken"] - told["verified"]
    paper.text(
        f"{source.place}. {told['found']} files or instances found, {told['verified']} verified: "
        "read back from the archive and found equal to what was sent."
    )
    paper.heading("Where everything is")
    rows = [
        ("told by the source itself", _told(told)),
        ("found", told["found"]),
        *((f"refused: {_words(code)}", n) for code, n in told["refused"].items()),
        ("taken", told["taken"]),
        ("filed to a patient", told["filed"]),
        ("stored", told["stored"]),
        ("of these, in the archive already", told["already_there"]),
        ("committed", told["committed"]),
        ("verified", told["verified"]),
        (f"{_MISSING}, and not there", told["missing"]),
        ("rows of the index file that cannot be taken", told["rows_refused"]),
    ]
    paper.table(
        ("", "Instances"),
        [row for row in rows if row[1] is not None],
        widths=(4, 1),
        numbers=(1,),
    )
    paper.table(("Studies", ""), list(told["studies"].items()), widths=(4, 1), numbers=(1,))
    _release(paper, told, open_studies, left)
    paper.heading("Studies that are held")
    if held:
        paper.table(
            ("Study", "Patient number in the header", "Why"),
            [
                (one.study_instance_uid, one.header.patient_id, _why(one))
                for one in held[:_MOST_ROWS]
            ],
            widths=(3, 2, 4),
        )
    else:
        paper.text("None.")
    _lists(paper, services, source)
    paper.signature(
        "What is said above to be verified was compared with the originals. "
        "What is not verified stays where it is.",
        ("For the migration", "For the archive"),
    )
    return paper.pdf()


_DAMAGED = frozenset(
    ("truncated_file", "corrupt_file", "empty_file", "too_large", "unsupported_format",
     "password_protected")
)  # fmt: skip
_ENDED = frozenset(
    state.value for state in (State.VERIFIED, State.REJECTED, State.DUPLICATE, State.QUARANTINED)
)


def _release(paper: Paper, told: dict[str, Any], open_studies: int, left: int) -> None:
    paper.heading("What may be released, and what not")
    reasons = []
    if not told["stocked"]:
        reasons.append("it has not been looked through to its end")
    if open_studies:
        reasons.append(f"{open_studies} studies are under way or wait for a person")
    if left:
        reasons.append(f"{left} instances that were taken are not verified")
    if told["open_duplicates"]:
        reasons.append(f"{told['open_duplicates']} copies are of instances that are not verified")
    if told["told"]["instances"] is not None and told["told"]["instances"] != told["found"]:
        reasons.append(
            f"the source says it has {told['told']['instances']} instances, {told['found']} came"
        )
    if told["trouble"]:
        reasons.append(f"looking through it has stopped: {told['trouble']}")
    reasons += _unseen(told)
    if reasons:
        paper.text(f"May not be released: {'; '.join(reasons)}.")
    else:
        paper.text("May be released: all that was found is verified, or refused for the reasons "
                   "listed.")  # fmt: skip
    if told["gone"]:
        paper.text(
            f"Studies that the source told before, and when it was last asked did not: "
            f"{told['gone']}. What came of them is counted above."
        )
    beside = told["refused"].get("no_instance")
    if beside:
        paper.text(
            f"Files that are no DICOM instances, and are not brought over: {beside}. The list of "
            "what was refused says which, and which of them are kept in the vault."
        )


def _unseen(told: dict[str, Any]) -> list[str]:
    """Return what is not there, or there and not seen, in words."""
    reasons = []
    if told["missing"]:
        reasons.append(f"{told['missing']} files or instances {_MISSING} are not there")
    if told["rows_refused"]:
        reasons.append(f"{told['rows_refused']} rows of the index file cannot be taken")
    counts = told["refused"]
    if counts.get("no_row"):
        reasons.append(f"no row of the index file tells whose {counts['no_row']} pictures are")
    if counts.get("link_outside"):
        reasons.append(f"{counts['link_outside']} links lead out of it and were not followed")
    damaged = sum(n for code, n in counts.items() if code in _DAMAGED)
    if damaged:
        reasons.append(f"files that are damaged, and only here: {damaged}")
    return reasons


def _lists(paper: Paper, services: Services, source: Source) -> None:
    for name, title in (
        ("refused", "Files and instances that were refused"),
        ("colliding", "Instances that bear the UID of another with other content"),
        ("held", "Instances that the archive does not take as they are"),
        ("renamed", "Instances that go into the archive under another UID, after a collision"),
        ("missing", f"{_MISSING.capitalize()}, and not there"),
        ("rows_refused", "Rows of the index file that cannot be taken"),
    ):
        rows = list(islice(listed(services, source, name), _MOST_ROWS + 1))
        paper.heading(title)
        if not rows:
            paper.text("None.")
            continue
        paper.table(
            ("Place", "Why"),
            [(row.place, why(row)) for row in rows[:_MOST_ROWS]],
            widths=(3, 4),
        )
        if len(rows) > _MOST_ROWS:
            paper.text(f"Only the first {_MOST_ROWS} are printed; the CSV has all.", small=True)


def _told(told: dict[str, Any]) -> int | str | None:
    """Return how many instances the source says it has; None where it is none that tells."""
    if told["told"]["studies"] is None:
        return None
    count = told["told"]["instances"]
    return "not told" if count is None else int(count)


def _why(study: OldStudy) -> str:
    return "; ".join(one.text for one in study.reasons)


def _words(code: str) -> str:
    known = {one.value: one for one in Code}
    return CODES[known[code]].text.rstrip(".") if code in known else code
