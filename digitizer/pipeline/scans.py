"""The two stages of a scan: find its sheets, read them."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from digitizer.model.film import Quality, ScanKind, SheetKind
from digitizer.model.instance import TilePolicy
from digitizer.model.reading import NO_FIELDS
from digitizer.model.reasons import CODES, Code, Reason, reason
from digitizer.model.records import Jacket, JacketState, Scan, Sheet, Stage
from digitizer.model.states import ENDS, HOLDS, State
from digitizer.pipeline.changes import event, held, moved, reason_payload
from digitizer.pipeline.examine import FoundSheet, PageFindings, find_on_page, read_sheet, scan_kind
from digitizer.pipeline.ingest import identifier
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["complaint", "prepare", "read", "schedule_decision"]


def prepare(services: Services, scan_id: str) -> list[tuple[Stage, str]]:
    """Decode every page, find the sheets, and write them down with their geometry and quality."""
    with services.ledger.reading() as view:
        scan = view.get(Scan, scan_id)
    path = services.vault.path(scan.sha256 or "")
    pages = [
        find_on_page(services.decoder, path, page, services.quality)
        for page in range(services.decoder.pages(path))
    ]
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        scan = tx.get(Scan, scan_id)
        tx.unschedule(Stage.PREPARE, scan_id)
        there = {sheet.id for sheet in tx.sheets(scan_id=scan_id)}
        found = [sheet for page in pages for sheet in page.sheets]
        for index, one in enumerate(found):
            sheet = _new_sheet(scan, one, index, now)
            if sheet.id not in there:
                tx.add(sheet, event(sheet.id, "found", page=one.page, kind=one.kind.value))
        kind = scan_kind([page.kind for page in pages])
        quality = pages[0].quality if pages else Quality()
        if not found and kind is ScanKind.BLANK:
            _hold_blank(services, tx, scan, pages)
            return schedule_decision(services, tx, scan.jacket_id)
        prepared = moved(scan, State.PREPARED, now, kind=kind, quality=quality)
        tx.save(prepared, event(scan_id, "prepared", sheets=len(found), kind=kind))
        tx.schedule(Stage.READ, scan_id)
    return [(Stage.READ, scan_id)]


def _new_sheet(scan: Scan, found: FoundSheet, index: int, now: datetime) -> Sheet:
    return Sheet(
        id=identifier("sheet", scan.id, str(found.page), str(index)),
        scan_id=scan.id,
        jacket_id=scan.jacket_id,
        batch_id=scan.batch_id,
        kind=found.kind,
        page=found.page,
        index=index,
        changed_at=now,
        geometry=found.geometry,
        quality=found.quality,
        state=State.PREPARED,
    )


def _hold_blank(services: Services, tx: Transaction, scan: Scan, pages: list[PageFindings]) -> None:
    reasons = (reason(Code.BLANK),)
    changed = held(
        scan,
        State.REVIEW,
        reasons,
        services.clock.now(),
        kind=ScanKind.BLANK,
        quality=pages[0].quality,
    )
    tx.save(changed, event(scan.id, "review", reasons=reason_payload(reasons)))


def read(services: Services, scan_id: str) -> list[tuple[Stage, str]]:
    """Read the scan's sheets; what they say of kind and orientation is settled here.

    Of a scan that was read before, only the sheets whose corners were set by hand since; what is
    decided is never read again.
    """
    with services.ledger.reading() as view:
        scan = view.get(Scan, scan_id)
        again = State.READ in (scan.state, scan.resume)
        sheets = [one for one in view.sheets(scan_id=scan_id) if _to_read(one, again=again)]
    path = services.vault.path(scan.sha256 or "")
    results = [_read_one(services, path, sheet) for sheet in sheets]
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        tx.unschedule(Stage.READ, scan_id)
        scan = tx.get(Scan, scan_id)
        for sheet, _ in results:
            written = tx.save(
                sheet,
                event(
                    sheet.id,
                    "read",
                    engines=services.reader.versions,
                    fields={name.value: field.source.value for name, field in sheet.fields.items()},
                    reasons=reason_payload(sheet.reasons),
                ),
            )
            poor = _rescan(services, sheet)
            if poor:
                # At once, not with its jacket: the film is to be fed again before it is put away.
                asked = held(written, State.REVIEW, (*sheet.reasons, *poor), now)
                tx.save(asked, event(sheet.id, "review", reasons=reason_payload(asked.reasons)))
        if again:
            if scan.state is not State.READ:
                # It waited for the disk, say, with the sheet that was to be read again.
                tx.save(moved(scan, State.READ, now), event(scan_id, "read", kind=scan.kind))
            return schedule_decision(services, tx, scan.jacket_id)
        kind = scan_kind([kind for _, kind in results]) if results else scan.kind
        first = results[0][0] if results else None
        fields = first.fields if first and first.kind is not SheetKind.FILM else NO_FIELDS
        if kind is ScanKind.SEPARATOR:
            _finish_separator(services, tx, scan, [sheet for sheet, _ in results])
        else:
            changed = moved(scan, State.READ, now, kind=kind, fields=fields)
            tx.save(changed, event(scan_id, "read", kind=kind))
        return schedule_decision(services, tx, scan.jacket_id)


def _to_read(sheet: Sheet, *, again: bool) -> bool:
    if again:
        return sheet.state is State.PREPARED
    return sheet.decision is None and sheet.state not in ENDS


def _rescan(services: Services, sheet: Sheet) -> tuple[Reason, ...]:
    """Say why a film should be scanned again, while it is still at hand."""
    if sheet.kind is not SheetKind.FILM:
        return ()
    told = []
    for flag in sheet.quality.flags:
        if flag in services.quality.rescan_for:
            told.append(complaint(sheet.quality, flag))
    return (reason(Code.RESCAN_PROPOSED, " ".join(told)),) if told else ()


def complaint(quality: Quality, flag: str) -> str:
    """Return in a clerk's words what is wrong with a scan, where, and what to do."""
    about = CODES[Code(flag)]
    return f"{_where(quality, flag) or about.text} {about.remedy}".strip()


def _where(quality: Quality, flag: str) -> str:
    """Say where on the scan something is wrong; empty where no place is known."""
    if flag == Code.FILM_CUT_OFF and quality.cut_off:
        return f"Cut off at the {' and the '.join(quality.cut_off)} edge."
    if flag in (Code.CLIPPED_LOW, Code.CLIPPED_HIGH) and quality.clipped_at:
        end = "Too dark" if flag == Code.CLIPPED_LOW else "Too bright"
        return f"{end} for the scanner: {', '.join(quality.clipped_at)}."
    return ""


def _read_one(services: Services, path: Path, sheet: Sheet) -> tuple[Sheet, ScanKind | None]:
    assert sheet.geometry is not None, "prepare writes the geometry of every sheet"
    found = FoundSheet(
        page=sheet.page,
        kind=sheet.kind,
        geometry=sheet.geometry,
        quality=sheet.quality,
    )
    result = read_sheet(
        services.decoder,
        services.reader,
        services.rules,
        path,
        found,
        services.quality,
        tiles=services.capture.tiles is not TilePolicy.OFF,
    )
    crops = tuple(services.vault.put(crop)[0] for crop in result.crops)
    reasons: tuple[Reason, ...] = () if sheet.adjusted_by else result.reasons
    if result.kind is None:
        reasons = (*reasons, reason(Code.KIND_UNKNOWN))
    kind = SheetKind.DOCUMENT if result.kind is ScanKind.DOCUMENT else sheet.kind
    kind = SheetKind.LABEL if result.kind is ScanKind.LABEL else kind
    changed = replace(
        sheet,
        kind=kind,
        state=State.READ,
        resume=None,
        changed_at=services.clock.now(),
        # What a person has set is not turned by what the text says.
        geometry=sheet.geometry if sheet.adjusted_by else result.geometry,
        quality=result.quality,
        reading=result.reading,
        fields=result.fields,
        crops=crops,
        fingerprint=result.fingerprint,
        tiles=result.tiles,
        reasons=reasons,
    )
    return changed, result.kind


def _finish_separator(services: Services, tx: Transaction, scan: Scan, sheets: list[Sheet]) -> None:
    """Reject a separator sheet: its work, to begin a new jacket, is done."""
    why = (reason(Code.SEPARATOR),)
    now = services.clock.now()
    for sheet in sheets:
        stored = tx.get(Sheet, sheet.id)
        ended = moved(stored, State.REJECTED, now, reasons=why)
        tx.save(ended, event(sheet.id, "rejected", reasons=reason_payload(why)))
    ended_scan = moved(scan, State.REJECTED, now, kind=ScanKind.SEPARATOR, reasons=why)
    tx.save(ended_scan, event(scan.id, "rejected", reasons=reason_payload(why)))


def schedule_decision(
    services: Services, tx: Transaction, jacket_id: str
) -> list[tuple[Stage, str]]:
    """Make the jacket's decision due: at once when it is closed, else when it has been quiet."""
    jacket = tx.get(Jacket, jacket_id)
    if jacket.state is not JacketState.OPEN:
        tx.schedule(Stage.DECIDE, jacket_id)
        return [(Stage.DECIDE, jacket_id)]
    quiet = timedelta(seconds=services.settings.jacket_quiet_s)
    tx.schedule(Stage.DECIDE, jacket_id, (jacket.last_scan_at or services.clock.now()) + quiet)
    return []


def busy(scan: Scan) -> bool:
    """Tell whether the scan's jacket must still wait for it."""
    return scan.state in (State.RECEIVED, State.PREPARED) or (
        scan.state is State.WAITING and scan.resume in (State.RECEIVED, State.PREPARED)
    )


def settled(state: State) -> bool:
    """Tell whether a state asks nothing more of the machine."""
    return state in HOLDS | ENDS
