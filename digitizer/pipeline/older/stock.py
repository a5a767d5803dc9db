"""Looking through an older archive, part by part, going on where it was left (DESIGN §4).

Files are looked at in a fixed order, and the last one is written down with what was found: killed
at any moment, it goes on behind it. Nothing of a source of files is decided before all of it has
been looked through, since a study may lie anywhere in it; a peer tells its studies whole.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from digitizer import dicom
from digitizer.errors import BadScan
from digitizer.model.older import OldInstance, Source, SourceKind
from digitizer.model.reasons import Code
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.looking import DAMAGED_LIST, DISC_LIST, Looked, look, unusable
from digitizer.pipeline.older.originals import PACK_BYTES, kept, original
from digitizer.pipeline.older.peer_stock import stock_peer
from digitizer.pipeline.older.picture_stock import stock_pictures
from digitizer.pipeline.older.writing import write
from digitizer.pipeline.services import Services
from digitizer.ports import FileSource, Transaction

__all__ = ["stock"]

_AT_ONCE_S = 60.0
"""After so long the rest is left to another turn: a lease must not run out over it."""
_FILES = 250
"""Files of one transaction."""
_CLOSED_IMAGE = "An image of a disc that cannot be opened: what it holds is not known."


def stock(services: Services, source_id: str) -> list[tuple[Stage, str]]:
    """Look through as much as fits into a turn; the rest is due at once."""
    with services.ledger.reading() as view:
        source = view.get(Source, source_id)
    if source.stocked:
        # Killed behind its end, and before it was taken off: the next asking is not this one's.
        return _ended(services, source_id)
    until = services.clock.now() + timedelta(seconds=_AT_ONCE_S)
    match source.kind:
        case SourceKind.PACS:
            done = stock_peer(services, source, until)
        case SourceKind.PICTURES:
            done = stock_pictures(services, source, until)
        case _:
            done = _files(services, source, until)
    if done:
        return _ended(services, source_id)
    with services.ledger.transaction() as tx:
        tx.schedule(Stage.OLD_STOCK, source_id)
        tx.unschedule(Stage.OLD_STOCK, source_id)
    return [(Stage.OLD_STOCK, source_id)]


def _ended(services: Services, source_id: str) -> list[tuple[Stage, str]]:
    with services.ledger.transaction() as tx:
        tx.unschedule(Stage.OLD_STOCK, source_id)
        tx.schedule(Stage.OLD_FEED, source_id)
    return [(Stage.OLD_FEED, source_id)]


def _files(services: Services, source: Source, until: datetime) -> bool:
    """Look through files; tell whether the end was reached."""
    files = services.sources.files(source)
    waiting: list[tuple[Looked, bytes]] = []
    size = 0
    for place in files.files(source.cursor):
        looked, content = _looked(source, files, place)
        waiting.append((looked, content))
        size += len(content)
        if len(waiting) >= _FILES or size >= PACK_BYTES:
            source = _written(services, source, waiting)
            waiting, size = [], 0
            if services.clock.now() >= until:
                return False
    source = _written(services, source, waiting)
    _compare_lists(services, source, files)
    with services.ledger.transaction() as tx:
        ended = replace(tx.get(Source, source.id), stocked=True, trouble="")
        tx.save(ended, event(source.id, "stocked", files=_count(tx, source.id)))
    return True


def _count(tx: Transaction, source_id: str) -> int:
    tally = tx.old_tally(source_id)
    return sum(n for (_, code), (n, _) in tally.items() if code != Code.FILE_MISSING.value)


def _looked(source: Source, files: FileSource, place: str) -> tuple[Looked, bytes]:
    try:
        content = files.read(place)
    except BadScan as error:
        return Looked(instance=unusable(OldInstance(source_id=source.id, place=place), error)), b""
    looked = look(source, place, content)
    if looked.instance.code is Code.NO_INSTANCE and not looked.listed and files.is_image(place):
        # What is in it was not seen: it must not be thrown away with what is no picture.
        closed = BadScan("corrupt_file", _CLOSED_IMAGE)
        return Looked(instance=unusable(looked.instance, closed)), content
    return looked, content


def _written(services: Services, source: Source, files: list[tuple[Looked, bytes]]) -> Source:
    """Keep originals and write some files down, with the place to go on from."""
    if not files:
        return source
    # Viewers and documents too: what a disc held besides its pictures is kept with them.
    wanted = [(one.instance, content) for one, content in files if content]
    placed = {row.place: row for row, _ in kept(services, source, wanted)}
    looked = [
        replace(one, instance=placed.get(one.instance.place, one.instance)) for one, _ in files
    ]
    with services.ledger.transaction() as tx:
        write(services, tx, source, looked)
        named = {listed.place for one in looked for listed in one.listed}
        known = {row.place for row in tx.old_instances_at(source.id, named)}
        tx.write_old_instances(
            OldInstance(
                source_id=source.id, place=place, state=State.REJECTED, code=Code.FILE_MISSING
            )
            for place in sorted(named - known)
        )
        current = replace(tx.get(Source, source.id), cursor=looked[-1].instance.place)
        return tx.save(current, event(source.id, "looked_through", files=len(files)))


def _compare_lists(services: Services, source: Source, files: FileSource) -> None:
    """Compare the discs' own lists with what is there: missing files, and files not named."""
    with services.ledger.transaction() as tx:
        missing = tx.old_instances(
            source_id=source.id, states=(State.REJECTED,), code=Code.FILE_MISSING
        )
        # Copied from a disc, names may have come in other capitals.
        there = [row.place for row in missing if files.has(row.place)]
        tx.forget_old_instances(source.id, there)
    with services.ledger.reading() as view:
        lists = [
            row
            for state, code in (
                (State.REJECTED, Code.NO_INSTANCE),
                (State.QUARANTINED, Code.TRUNCATED_FILE),
            )
            for row in view.old_instances(source_id=source.id, states=(state,), code=code)
            if row.note in (DISC_LIST, DAMAGED_LIST)
        ]
    damaged = {row.place.rpartition("/")[0] for row in lists if row.note == DAMAGED_LIST}
    folders: dict[str, dict[str, str]] = {}
    for row in lists:
        # Several lists of one folder are one: what any of them names is named.
        named = folders.setdefault(row.place.rpartition("/")[0], {})
        try:
            content = original(services, source, row)
            for one in dicom.listed_files(content, row.place):
                named[one.place.upper()] = one.sop_instance_uid
        except BadScan:
            # It was readable when it was looked at; without it, nothing is said of what it names.
            folders.pop(row.place.rpartition("/")[0], None)
    for folder, named in folders.items():
        # What a damaged list does not name it may have named.
        unnamed = "" if folder in damaged else "The disc's own list does not name it."
        _note_unlisted(services, source, folder, named, unnamed)


def _note_unlisted(
    services: Services, source: Source, folder: str, named: dict[str, str], unnamed: str
) -> None:
    """Note at each instance beside a disc's list where the list names it not, or as another."""
    with services.ledger.transaction() as tx:
        changed = []
        for one in _beside(tx, source, f"{folder}/" if folder else ""):
            told = named.get(one.place.upper())
            note = "" if told is not None else unnamed
            if told and told != one.sop_instance_uid:
                note = "The disc's own list names another instance for this file."
            if note and not one.note:
                changed.append(replace(one, note=note))
        tx.write_old_instances(changed)


def _beside(tx: Transaction, source: Source, prefix: str) -> Iterator[OldInstance]:
    after = prefix
    while rows := tx.old_instances(source_id=source.id, after=after, limit=1000):
        for row in rows:
            if not row.place.startswith(prefix):
                return
            if row.sop_instance_uid:
                yield row
        after = rows[-1].place
