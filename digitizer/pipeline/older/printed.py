"""The report of an older archive on paper: what came over, what did not and why, to be signed."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from digitizer.model.older import OldInstance, OldStudy, Source
from digitizer.model.reasons import CODES, Code
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.lists import listed, why
from digitizer.pipeline.older.reconcile import source_json
from digitizer.pipeline.older.release import GIVEN_UP, MISSING
from digitizer.pipeline.paper import Paper
from digitizer.pipeline.services import Services

__all__ = ["printed_source"]

_MOST_ROWS = 2000
"""Rows of one list on paper; the rest is in the CSV, and the report says how many."""


def printed_source(
    services: Services, source: Source, *, by: str, most_rows: int = _MOST_ROWS
) -> bytes:
    """Return the report of an older archive as PDF; who had it printed is in the audit trail.

    Of each list the first rows are printed, and how many there are.
    """
    with services.ledger.transaction() as tx:
        # Before anybody holds it: it may name patients.
        tx.record(event(source.id, "report_printed", by))
    with services.ledger.reading() as view:
        told = source_json(view, source)
        held = view.old_studies(source_id=source.id, states=(State.REVIEW, State.WAITING))
        ended = view.old_studies(
            source_id=source.id, states=(State.REJECTED,), code=Code.REJECTED_BY_PERSON
        )
    paper = Paper(f"Older archive: {source.name}", made_at=services.clock.now(), by=by)
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
        ("that the archive has otherwise than they were sent", told["differing"]),
        (f"{MISSING}, and not there", told["missing"]),
        ("rows of the index file that cannot be taken", told["rows_refused"]),
    ]
    paper.table(
        ("", "Instances"),
        [row for row in rows if row[1] is not None],
        widths=(4, 1),
        numbers=(1,),
    )
    paper.table(("Studies", ""), list(told["studies"].items()), widths=(4, 1), numbers=(1,))
    paper.text(
        f"Pictures read for writing that names another patient: {told['pictures']['read']}, of "
        f"which it does in {told['pictures']['naming_another']}."
    )
    _release(paper, told)
    _studies(paper, "Studies that are held", held, most_rows)
    _studies(paper, "Studies that people rejected", ended, most_rows)
    _lists(paper, services, source, most_rows)
    paper.signature(
        "What is said above to be verified was compared with the originals. "
        "What is not verified stays where it is.",
        ("For the migration", "For the archive"),
    )
    return paper.pdf()


def _release(paper: Paper, told: dict[str, Any]) -> None:
    paper.heading("What may be released, and what not")
    reasons = told["against_release"]
    if reasons:
        paper.text(f"May not be released: {'; '.join(reasons)}.")
    else:
        paper.text("May be released: all that was found is verified, or refused for the reasons "
                   "listed.")  # fmt: skip
    for one in told["given_up"]:
        paper.text(
            f"{one['by']} does without {GIVEN_UP[one['list']]} ({one['count']}), since "
            f"{datetime.fromisoformat(one['at']).astimezone():%Y-%m-%d}: {one['reason']}"
            + ("" if one["holds"] else ". It does not hold any more: the list has changed since.")
        )
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


def _studies(paper: Paper, title: str, studies: Sequence[OldStudy], most_rows: int) -> None:
    paper.heading(title)
    if not studies:
        paper.text("None.")
        return
    paper.table(
        ("Study", "Patient number in the header", "Why"),
        [
            (
                one.study_instance_uid,
                one.header.patient_id,
                "; ".join(why.text for why in one.reasons),
            )
            for one in studies[:most_rows]
        ],
        widths=(3, 2, 4),
    )
    if len(studies) > most_rows:
        paper.text(f"Only the first {most_rows} of {len(studies)} are printed; `migrate studies "
                   "--csv` has all.", small=True)  # fmt: skip


def _lists(paper: Paper, services: Services, source: Source, most_rows: int) -> None:
    for name, title in (
        ("refused", "Files and instances that were refused"),
        ("differing", "Instances that the archive has otherwise than they were sent"),
        ("colliding", "Instances that bear the UID of another with other content"),
        ("held", "Instances that the archive does not take as they are"),
        ("open_duplicates", "Copies of instances that are not verified"),
        ("renamed", "Instances that go into the archive under another UID, after a collision"),
        ("missing", f"{MISSING.capitalize()}, and not there"),
        ("rows_refused", "Rows of the index file that cannot be taken"),
    ):
        rows = list(islice(listed(services, source, name), most_rows + 1))
        paper.heading(title)
        if not rows:
            paper.text("None.")
            continue
        paper.table(
            ("Place", "Why"),
            [(row.place, _why_here(row)) for row in rows[:most_rows]],
            widths=(3, 4),
        )
        if len(rows) > most_rows:
            paper.text(f"Only the first {most_rows} are printed; the CSV has all.", small=True)


def _told(told: dict[str, Any]) -> int | str | None:
    """Return how many instances the source says it has; None where it is none that tells."""
    if told["told"]["studies"] is None:
        return None
    count = told["told"]["instances"]
    return "not told" if count is None else int(count)


def _why_here(row: OldInstance) -> str:
    """Say why, without names: paper is left lying about. The CSV has them."""
    return CODES[row.code].text if row.code is Code.NAMES_ANOTHER else why(row)


def _words(code: str) -> str:
    known = {one.value: one for one in Code}
    return CODES[known[code]].text.rstrip(".") if code in known else code
