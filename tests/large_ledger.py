"""A ledger of very many films and old instances, written past the use-cases."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ledger_records import NOON, batch, happened, jacket, scan, sheet
from sqlalchemy import create_engine, insert

from digitizer.ledger import tables
from digitizer.ledger.codec import encode
from digitizer.ledger.records import columns_of
from digitizer.ledger.standing_rows import _of_scan, _of_sheet
from digitizer.model.film import ScanKind
from digitizer.model.older import OldHeader, OldInstance, OldStudy, Source, SourceKind
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Scan, Sheet
from digitizer.model.states import State
from digitizer.pipeline.services import Services

_PER_BATCH, _PER_JACKET = 2000, 8
_AT_ONCE = 5000
_HELD = (Code.AMBIGUOUS, Code.FILM_SILENT, Code.EXAM_UNKNOWN, Code.BELOW_THRESHOLD)


def fill(url: str, scans: int, *, quarantined: int, now: datetime) -> None:
    """Write so many scans: those that cannot be used, one in ten in review, the rest verified."""
    engine = create_engine(url)
    scan_body, sheet_body = encode(_scan(0, now)), encode(_sheet(0, now))
    with engine.begin() as connection:
        for batch_number in range(-(-scans // _PER_BATCH)):
            one = batch(f"b{batch_number}", f"batch {batch_number:04}")
            _write(connection, tables.batch, [_row(one, batch_number, encode(one))])
        jackets = [
            jacket(
                f"j{number}",
                f"J{number:06}",
                batch_id=f"b{number * _PER_JACKET // _PER_BATCH}",
                box=f"BOX-{number // 200:03}",
                position=number,
            )
            for number in range(-(-scans // _PER_JACKET))
        ]
        rows = [_row(one, number, encode(one)) for number, one in enumerate(jackets)]
        _write(connection, tables.jacket, rows)
        for some in _chunks(scans):
            _write_some(connection, some, quarantined, now, (scan_body, sheet_body))
    engine.dispose()


def fill_older(services: Services, *, studies: int, each: int) -> None:
    """Write an older archive: one in ten studies in review, one in ten instances refused."""
    now = services.clock.now()
    source = Source(
        id="old", name="old PACS", kind=SourceKind.FOLDER, place="/nowhere", added_at=now,
        stocked=True,
    )  # fmt: skip
    with services.ledger.transaction() as tx:
        tx.add(source, happened("old"))
        for number in range(studies):
            asked = number % 10 == 7
            study = OldStudy(
                id=f"st{number}", source_id="old", study_instance_uid=f"1.2.{number}",
                changed_at=now, header=OldHeader(patient_id=str(number), modality="CT"),
                state=State.REVIEW if asked else State.VERIFIED, resume=State.RECEIVED,
                reasons=(reason(Code.HEADER_DIFFERS),) if asked else (),
            )  # fmt: skip
            tx.add(study, happened(study.id))
            tx.write_old_instances(_of_study(study, each))


def _of_study(study: OldStudy, count: int) -> Iterator[OldInstance]:
    for number in range(count):
        refused = number % 10 == 9
        yield OldInstance(
            source_id=study.source_id,
            place=f"{study.id}/{number:04}",
            study_id=study.id,
            sop_instance_uid=f"{study.study_instance_uid}.{number}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            size=500_000,
            state=State.REJECTED if refused else study.state,
            code=Code.NO_INSTANCE if refused else None,
        )


def _write_some(
    connection: Any, some: range, quarantined: int, now: datetime, bodies: tuple[str, str]
) -> None:
    scan_rows, sheet_rows, standings, events = [], [], [], []
    for number in some:
        bad = number < quarantined
        one = _scan(number, now, bad=bad)
        body = encode(one) if bad else bodies[0].replace('"s0', f'"s{number}')
        scan_rows.append(_row(one, number, body))
        if bad:
            standings.append(_of_scan(one))
        else:
            film = _sheet(number, now)
            body = bodies[1].replace('"h0', f'"h{number}').replace('"s0', f'"s{number}')
            sheet_rows.append(_row(film, number, body))
            filed = {} if film.state is State.REVIEW else {"decided_by": "auto", "doubt": 1e-6}
            standings.append(_of_sheet(film) | filed)
        at = (now - timedelta(seconds=number % 200_000)).isoformat(timespec="microseconds")
        events += [
            (f"{'s' if name == 'received' else 'h'}{number}", sequence, at, name)
            for sequence, name in enumerate(("received", "prepared", "read", "verified"))
        ]
    for table, rows in (
        (tables.scan, scan_rows),
        (tables.sheet, sheet_rows),
        (tables.standing, standings),
    ):
        _write(connection, table, rows)
    # Four for each scan: written row by row they would take longer than all else.
    connection.exec_driver_sql(
        "INSERT INTO event (subject, sequence, at, name, actor, payload, hash) "
        f"VALUES (?, ?, ?, ?, 'system', '{{}}', '{'0' * 64}')",
        events,
    )


def _write(connection: Any, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _row(record: Any, serial: int, body: str) -> dict[str, Any]:
    return {**columns_of(record), "version": 0, "serial": serial, "body": body}


def _chunks(count: int) -> Iterator[range]:
    for start in range(0, count, _AT_ONCE):
        yield range(start, min(start + _AT_ONCE, count))


def _scan(number: int, now: datetime, *, bad: bool = False) -> Scan:
    return scan(
        f"s{number}",
        batch_id=f"b{number // _PER_BATCH}",
        jacket_id=f"j{number // _PER_JACKET}",
        source=f"s{number}.tif",
        position=number,
        received_at=NOON,
        changed_at=now - timedelta(seconds=number),
        kind=ScanKind.FILM,
        state=State.QUARANTINED if bad else State.READ,
        resume=State.RECEIVED if bad else None,
        reasons=(reason(Code.TRUNCATED_FILE),) if bad else (),
    )


def _sheet(number: int, now: datetime) -> Sheet:
    held = number % 10 == 0
    return sheet(
        f"h{number}",
        scan_id=f"s{number}",
        batch_id=f"b{number // _PER_BATCH}",
        jacket_id=f"j{number // _PER_JACKET}",
        changed_at=now - timedelta(seconds=number),
        state=State.REVIEW if held else State.VERIFIED,
        reasons=(reason(_HELD[number // 10 % len(_HELD)]),) if held else (),
        posterior=(number % 997) / 997,
    )
