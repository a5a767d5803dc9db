"""Commands for batches: status, batch, retry, export."""

import csv
import io
import sys
from collections.abc import Iterator
from typing import Any

import click

from digitizer.cli.base import Root, Session, Verb, json_option, login, pass_session, print_json
from digitizer.cli.orders import ORDER_COMMANDS
from digitizer.cli.words import batch_words, status_words
from digitizer.errors import UnknownRecord, UsageError
from digitizer.model.states import HOLDS, State
from digitizer.pipeline import report, review
from digitizer.pipeline.budget import standing
from digitizer.pipeline.older.reconcile import source_json
from digitizer.pipeline.orders import orders_in
from digitizer.pipeline.rollers import worn_scanners
from digitizer.pipeline.services import Services
from digitizer.pipeline.spreadsheet import safe_cell
from digitizer.service.lock import DataFolderLock

__all__ = ["COMMANDS", "batch"]


@click.command(cls=Verb)
@json_option
@pass_session
def status(session: Session, as_json: bool) -> int:
    """Show where everything is."""
    with session.services.ledger.reading() as view:
        orders = orders_in(view)
        batches = [
            {
                "batch": batch.name,
                "closed": batch.closed,
                "mode": orders.mode(batch.id).value,
                **_counts(view.counts(batch.id)),
            }
            for batch in view.batches()
        ]
        urgent = [
            {"box": one.box, "jacket": one.name, "batch_id": one.batch_id}
            for one in view.urgent_jackets()
        ]
        may_start = view.may_start()
        tasks = view.tasks()
        total = _counts(view.counts())
        worn = [one for one in worn_scanners(view) if one.needs_cleaning]
        older = [source_json(view, source) for source in view.old_sources()]
    budget = standing(session.services)
    owner = DataFolderLock(session.settings.data_dir).owner()
    document = {
        "running": str(owner) if owner else None,
        "mode": orders.mode().value,
        "order": orders.json(),
        "urgent_jackets": urgent,
        "counts": total,
        "expected_wrong": budget["expected_wrong"],
        "budget": budget,
        "due": len(tasks),
        "may_start": may_start,
        "waiting": [
            {"stage": task.stage.value, "id": task.subject, "reason": task.reason.text}
            for task in tasks
            if task.reason is not None
        ][:100],
        "batches": batches,
        "older_archives": older,
        "clean_rollers": [{"scanner": one.scanner, "columns": one.columns} for one in worn],
    }
    if as_json:
        print_json(document)
    else:
        print(status_words(document))
    return 0


def _counts(counts: dict[str, dict[State, int]]) -> dict[str, dict[str, int]]:
    return {kind: {state.value: n for state, n in of.items()} for kind, of in counts.items()}


batch = Root(name="batch", help="List batches, or show one.")


@batch.command(name="list")
@json_option
@pass_session
def batch_list(session: Session, as_json: bool) -> int:
    """List all batches."""
    with session.services.ledger.reading() as view:
        orders = orders_in(view)
        rows: list[dict[str, Any]] = [
            {
                "batch": one.name,
                "mode": orders.mode(one.id).value,
                "root": one.root,
                "created_at": one.created_at.isoformat(),
                "closed": one.closed,
                "counts": _counts(view.counts(one.id)),
            }
            for one in view.batches()
        ]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            scans = sum(row["counts"]["scans"].values())
            mode = "" if row["mode"] == "running" else f", {row['mode']}"
            print(f"{row['batch']}: {scans} scans, {'closed' if row['closed'] else 'open'}{mode}")
    return 0


@batch.command(name="show")
@click.argument("name")
@json_option
@pass_session
def batch_show(session: Session, name: str, as_json: bool) -> int:
    """Show one batch."""
    document = _document(session, name)
    if as_json:
        print_json(document)
    else:
        print(batch_words(document))
    return 0


def _document(session: Session, name: str) -> dict[str, Any]:
    document = report.batch_json(session.services.ledger, name)
    if document is None:
        raise UnknownRecord(
            f"There is no batch {name}.", remedy="`digitizer batch list` shows the names."
        )
    return document


@click.command(cls=Verb)
@click.option(
    "--state",
    type=click.Choice(sorted(state.value for state in HOLDS)),
    help="Only what is held in this state.",
)
@click.option("--batch", "name", help="Only this batch.")
@click.option("--as", "user", help="Who asks; your login name by default.")
@click.argument("ids", nargs=-1)
@pass_session
def retry(
    session: Session, state: str | None, name: str | None, user: str | None, ids: tuple[str, ...]
) -> int:
    """Go on with what is held: by id, by state, by batch, or all that waits or is quarantined."""
    services = session.services
    chosen = dict.fromkeys(ids or _held_ids(services, state, name))
    started = review.retry(services, chosen, user=user or login())
    print(f"{len(started)} of {len(chosen)} set going.")
    # Of all that is held it is the number that tells.
    for one in dict.fromkeys(ids):
        if one not in started:
            print(f"  {one}: not held, on hold (`digitizer review release`), or never taken in.")
    return 0


def _held_ids(services: Services, state: str | None, name: str | None) -> Iterator[str]:
    wanted = {state} if state else {State.WAITING.value, State.QUARANTINED.value}
    with services.ledger.reading() as view:
        if name is not None and view.batch_named(name) is None:
            raise UnknownRecord(f"There is no batch {name}.")
        batches = [one for one in view.batches() if name in (None, one.name)]
        for one in batches:
            for scan in view.scans(batch_id=one.id):
                if scan.state.value in wanted:
                    yield scan.id
            for sheet in view.sheets(batch_id=one.id):
                if sheet.state.value in wanted:
                    yield sheet.id


@click.command(cls=Verb)
@click.argument("name", metavar="BATCH")
@click.option("--csv", "as_csv", is_flag=True, help="One row a film.")
@json_option
@pass_session
def export(session: Session, name: str, as_csv: bool, as_json: bool) -> int:
    """Write a batch out as CSV (the default) or JSON."""
    if as_csv and as_json:
        raise UsageError("Choose --csv or --json, not both.")
    document = _document(session, name)
    if as_json:
        print_json(document)
        return 0
    sys.stdout.write(_csv(document))
    return 0


_COLUMNS = [
    "batch",
    "box",
    "jacket",
    "source",
    "kind",
    "scan_state",
    "film",
    "page",
    "film_state",
    "reasons",
    "patient_id",
    "issuer",
    "accession_number",
    "decided_by",
    "posterior",
    "study_instance_uid",
    "sop_instance_uids",
]


def _csv(document: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for scan in document["scans"]:
        head = [document["batch"], scan["box"], scan["jacket"], scan["source"], scan["kind"]]
        for film in scan["films"] or [None]:
            told = film or scan
            row = [*head, scan["state"]]
            row += [film["id"], film["page"], film["state"]] if film else ["", "", ""]
            row.append(" ".join(one["code"] for one in told["reasons"]))
            row += [
                (film or {}).get(key)
                for key in (
                    "patient_id", "issuer", "accession_number", "decided_by", "posterior",
                    "study_instance_uid",
                )
            ]  # fmt: skip
            row.append(" ".join(told["sop_instance_uids"]))
            writer.writerow([safe_cell(cell) for cell in row])
    return out.getvalue()


for ordering in ORDER_COMMANDS:
    batch.add_command(ordering)

COMMANDS: tuple[click.Command, ...] = (status, batch, retry, export)
