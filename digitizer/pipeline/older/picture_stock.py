"""Looking through a folder of pictures: each file by its row, each row by its file.

Files without a row and rows without a file are listed; rows that cannot be taken as well, with the
line and the reason. The file itself goes into the vault under its hash, untouched.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice

from digitizer.errors import BadRow, BadScan
from digitizer.model.older import OldInstance, OldStudy, PictureRow, Source
from digitizer.model.reasons import Code
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.films import close_films, film_row, take_film
from digitizer.pipeline.older.looking import Looked, unusable
from digitizer.pipeline.older.originals import PACK_BYTES, kept
from digitizer.pipeline.older.picture_rivals import hold_firsts
from digitizer.pipeline.older.steps import SENT, reopen
from digitizer.pipeline.older.wrapping import PictureFile, page_place, row_sha256, wrapped
from digitizer.pipeline.older.writing import with_others, write
from digitizer.pipeline.services import Services
from digitizer.ports import PictureSource, Transaction

__all__ = ["INDEX_FILE", "stock_pictures"]

INDEX_FILE = "The index file, or its mapping."
"""Note at the row of the index file."""
_TOO_LATE = "The file or its row has changed since it was sent."
_AT_ONCE = 250
_OF_ROWS = (Code.FILE_MISSING, Code.ROW_REFUSED)
"""Codes of entries that stand for rows of the index file, not for files."""


def stock_pictures(services: Services, source: Source, until: datetime) -> bool:
    """Look through files, going on behind the last one; tell whether the end was reached."""
    folder = services.sources.pictures(source)
    if not source.cursor:
        _forget_rows(services, source)
    waiting: list[tuple[Looked, bytes]] = []
    size = 0
    for place in folder.files(source.cursor):
        for one, content in _looked(services, source, folder, place):
            waiting.append((one, content))
            size += len(content)
        late = services.clock.now() >= until
        if len(waiting) >= _AT_ONCE or size >= PACK_BYTES or late:
            source = _written(services, source, waiting, place)
            waiting, size = [], 0
            if late:
                return False
    source = _written(services, source, waiting, source.cursor)
    _write_rows(services, source, folder)
    close_films(services, source)
    with services.ledger.transaction() as tx:
        files = sum(
            n for (_, code), (n, _) in tx.old_tally(source.id).items() if code not in _OF_ROWS
        )
        ended = replace(tx.get(Source, source.id), stocked=True)
        tx.save(ended, event(source.id, "stocked", files=files))
    return True


def _looked(
    services: Services, source: Source, folder: PictureSource, place: str
) -> Iterator[tuple[Looked, bytes]]:
    """Yield what becomes of a file, page by page; nothing where all of it is known."""
    row = OldInstance(source_id=source.id, place=place, state=State.REJECTED)
    try:
        content = folder.read(place)
    except BadScan as error:
        yield Looked(instance=unusable(row, error)), b""
        return
    row = replace(row, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    if folder.is_index(place):
        yield Looked(instance=replace(row, code=Code.NO_INSTANCE, note=INDEX_FILE)), b""
        return
    try:
        rows = folder.rows_of(place)
    except BadRow as error:
        yield Looked(instance=replace(row, code=Code.NO_ROW, note=error.message)), b""
        return
    if not rows:
        yield Looked(instance=replace(row, code=Code.NO_ROW)), b""
        return
    try:
        film = film_row(source, rows)
    except BadRow as error:
        yield Looked(instance=replace(row, code=Code.NO_ROW, note=error.message)), b""
        return
    if _is_settled(services, source, place, row.sha256, rows):
        return
    address, _ = services.vault.put(content)
    file = PictureFile(
        source=source,
        place=place,
        content=content,
        sha256=row.sha256,
        path=services.vault.path(address),
        rows=rows,
        trusts_resolution=folder.trusts_resolution,
    )
    if film is not None:
        yield take_film(services, file, film), b""
        return
    try:
        # All pages, or none: a file is whole, or it is damaged.
        yield from list(wrapped(services, file))
    except BadScan as error:
        # A row says that it is a picture: that it is none is never passed over.
        bad = replace(row, state=State.QUARANTINED, code=Code(error.code), note=error.message)
        yield Looked(instance=bad), b""


def _is_settled(
    services: Services, source: Source, place: str, sha256: str, rows: tuple[PictureRow, ...]
) -> bool:
    """Tell whether a file and its rows are known as they are; note it where they changed too late.

    What was sent is not made anew of another row or file. Where the row names another patient now,
    its study is asked about.
    """
    pages = {row.page or 1: row for row in rows}
    places = {page_place(place, page): page for page in pages} | {place: min(pages)}
    with services.ledger.reading() as view:
        known = view.old_instances_at(source.id, places)
    same, changed = 0, []
    for one in known:
        page = places[one.place]
        hashes = {row_sha256(sha256, n, pages[page]) for n in (page, 0)}
        if one.sha256 == sha256 and one.data_sha256 in hashes:
            same += 1
        elif one.state in SENT or one.code is Code.FILM_SCAN:
            changed.append(one)
    if changed:
        with services.ledger.transaction() as tx:
            for one in changed:
                tx.record(event(source.id, "changed_too_late", sop=one.outgoing_uid))
            tx.write_old_instances(
                replace(one, note=_TOO_LATE) for one in changed if one.code is not Code.FILM_SCAN
            )
            for one in changed:
                _ask_whose(services, tx, one, pages[places[one.place]])
    return bool(changed) or same >= len(pages)


def _ask_whose(services: Services, tx: Transaction, one: OldInstance, row: PictureRow) -> None:
    """Have a study decided anew when the row of a picture of it that was sent names another."""
    if not one.study_id:
        return
    study = tx.get(OldStudy, one.study_id)
    asked = with_others(study, [row.header])
    if asked != study:
        opened = reopen(services, tx, asked, Stage.OLD_DECIDE)
        tx.save(opened, event(study.id, "named_otherwise", sop=one.outgoing_uid))


def _written(
    services: Services, source: Source, files: list[tuple[Looked, bytes]], cursor: str
) -> Source:
    """Keep the instances and write them down, with the place to go on from."""
    wanted = [(one.instance, content) for one, content in files if content]
    placed = {row.place: row for row, _ in kept(services, source, wanted)}
    looked = [
        replace(one, instance=placed.get(one.instance.place, one.instance)) for one, _ in files
    ]
    with services.ledger.transaction() as tx:
        rows = write(services, tx, source, looked)
        hold_firsts(tx, rows)
        current = replace(tx.get(Source, source.id), cursor=cursor)
        return tx.save(current, event(source.id, "looked_through", files=len(files)))


def _forget_rows(services: Services, source: Source) -> None:
    """Forget what an earlier look said of rows: the index file may have been corrected since."""
    with services.ledger.transaction() as tx:
        for code in _OF_ROWS:
            gone = tx.old_instances(source_id=source.id, code=code)
            tx.forget_old_instances(source.id, [row.place for row in gone])


def _write_rows(services: Services, source: Source, folder: PictureSource) -> None:
    """List the rows that name no file, and those that cannot be taken."""
    entries = _row_entries(source, folder)
    while some := list(islice(entries, _AT_ONCE)):
        with services.ledger.transaction() as tx:
            there = {row.place for row in tx.old_instances_at(source.id, [r.place for r in some])}
            tx.write_old_instances(
                {row.place: row for row in some if row.place not in there}.values()
            )


def _row_entries(source: Source, folder: PictureSource) -> Iterator[OldInstance]:
    for row in folder.without_file():
        place = row.place if row.page is None else page_place(row.place, row.page)
        yield OldInstance(
            source_id=source.id,
            place=place,
            state=State.REJECTED,
            code=Code.FILE_MISSING,
            note=f"Line {row.line} of the index file names it.",
        )
    for bad in folder.refused():
        yield OldInstance(
            source_id=source.id,
            place=f"index//{bad.line}",
            state=State.REJECTED,
            code=Code.ROW_REFUSED,
            note=bad.message,
            sha256=bad.said_sha256,
        )
