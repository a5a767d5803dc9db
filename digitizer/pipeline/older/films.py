"""Pictures of an index file that are scans of films: fed like any other scan.

The row speaks as the jacket's label does, a jacket for each patient and exam of the index file. The
film must still prove itself by its own block (DESIGN §5).
"""

import hashlib
import json
import re
from dataclasses import asdict, replace

from digitizer.errors import BadRow
from digitizer.model.older import OldInstance, PictureRow, Source
from digitizer.model.reasons import Code
from digitizer.model.records import Scan
from digitizer.model.states import ENDS, State
from digitizer.pipeline.bearers import ROW_TOLD
from digitizer.pipeline.changes import event
from digitizer.pipeline.ingest import Arrival, close_batch, open_batch, take
from digitizer.pipeline.older.films_told import SETTLED, films_batch
from digitizer.pipeline.older.looking import Looked
from digitizer.pipeline.older.wrapping import PictureFile, exam_key, row_sha256
from digitizer.pipeline.report import scan_state
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["close_films", "film_row", "follow_films", "take_film"]

_KEPT = (State.STORED, State.COMMITTED, State.VERIFIED, *ENDS, State.QUARANTINED)
_PAGE = 500


def film_row(source: Source, rows: tuple[PictureRow, ...]) -> PictureRow | None:
    """Return the one row of a file that is the scan of a film; None where it is a picture.

    Raises
    ------
    BadRow
        Its pages are said to be of several, or to be a film in part.
    """
    all_films = source.options.get("films") == "yes"
    if not all_films and not any(row.film for row in rows):
        return None
    said = {(row.header, row.film or all_films) for row in rows}
    if len(said) > 1:
        raise BadRow(rows[-1].line, "pages of films that differ must be files of their own")
    return rows[0]


def take_film(services: Services, file: PictureFile, row: PictureRow) -> Looked:
    """Take a film in as a scan; its jacket is that of the row's patient and exam."""
    source = file.source
    batch = open_batch(services, films_batch(source), source.place, box=source.name)
    arrival = Arrival(path=file.path, source=file.place, box=source.name, jacket=_jacket(file, row))
    scan = take(services, batch, arrival)
    words, _ = services.vault.put(json.dumps(asdict(row.header), sort_keys=True).encode())
    with services.ledger.transaction() as tx:
        told = [one.payload.get("row") for one in tx.events(scan.jacket_id) if one.name == ROW_TOLD]
        if words not in told:
            tx.record(event(scan.jacket_id, ROW_TOLD, row=words, line=row.line))
    instance = OldInstance(
        source_id=source.id,
        place=file.place,
        state=State.READ,
        code=Code.FILM_SCAN,
        note=scan.id,
        size=len(file.content),
        sha256=file.sha256,
        data_sha256=row_sha256(file.sha256, row.page or 1, row),
    )
    return Looked(instance=instance)


def _jacket(file: PictureFile, row: PictureRow) -> str:
    """Return a name for the jacket: the record number, and what sets exams and people apart."""
    parts = [*row.header.identity, exam_key(file.source, file.place, row.header)]
    mark = hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:8]
    number = re.sub(r"[^A-Za-z0-9-]", "_", row.header.patient_id) or "nobody"
    return f"{number} {mark}"


def close_films(services: Services, source: Source) -> None:
    """Close the batch of a source's films, all being taken: its jackets are decided."""
    with services.ledger.reading() as view:
        batch = view.batch_named(films_batch(source))
    if batch is not None:
        close_batch(services, batch.id)


def follow_films(services: Services, source: Source) -> int:
    """Write down how far a source's films are; return how many are still under way."""
    busy, after = 0, ""
    while True:
        with services.ledger.transaction() as tx:
            rows = tx.old_instances(
                source_id=source.id,
                states=(State.READ, State.STORED, State.COMMITTED),
                code=Code.FILM_SCAN,
                after=after,
                limit=_PAGE,
            )
            if not rows:
                return busy
            after = rows[-1].place
            changed = []
            for row in rows:
                state, now = _now(tx, row)
                busy += state not in SETTLED
                if now != row:
                    changed.append(now)
            tx.write_old_instances(changed)


def _now(tx: Transaction, row: OldInstance) -> tuple[State, OldInstance]:
    """Return the state of a film's scan, and its row as it then is."""
    scan = tx.get(Scan, row.note)
    state = scan_state(scan, tx.sheets(scan_id=scan.id))
    if state not in _KEPT:
        # Under way, or before a person: it was taken.
        return state, replace(row, state=State.READ)
    if state in (State.STORED, State.COMMITTED, State.VERIFIED):
        return state, replace(row, state=state)
    code = scan.reasons[0].code if scan.reasons else Code.REJECTED_BY_PERSON
    ended = State.REJECTED if state is State.SUPERSEDED else state
    return state, replace(row, state=ended, code=code)
