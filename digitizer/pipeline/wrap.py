"""Making the capture: the pixels are rendered here, once, from the original scan."""

from dataclasses import replace
from datetime import date

from digitizer import __version__, dicom, film
from digitizer.model.film import SheetKind
from digitizer.model.identity import ExamRecord
from digitizer.model.instance import CaptureOrder, MadeInstance, Provenance, Rendered, Uids
from digitizer.model.reading import FieldName
from digitizer.model.records import Capture, Decision, Scan, Sheet, Stage
from digitizer.model.states import State
from digitizer.pipeline.calibrate import in_density
from digitizer.pipeline.changes import event, moved
from digitizer.pipeline.services import Services
from digitizer.pipeline.tiles import make_tiles
from digitizer.ports import Transaction

__all__ = ["capture_uid", "make_capture", "render_sheet", "scanner_of", "wrap"]


def wrap(services: Services, sheet_id: str) -> list[tuple[Stage, str]]:
    """Render the sheet and write its captures to the vault; their UIDs were in the ledger before.

    The capture of the whole sheet is the first; those of its pictures follow, where it has many and
    the site wants them.
    """
    with services.ledger.transaction() as tx:
        sheet = tx.get(Sheet, sheet_id)
        scan = tx.get(Scan, sheet.scan_id)
        if sheet.decision is None or sheet.state not in (State.APPROVED, State.WAITING):
            # The decision was taken back meanwhile.
            tx.unschedule(Stage.WRAP, sheet_id)
            return []
        sop = tx.uid(capture_uid(sheet))
    order = _order(services, scan, sheet, sheet.decision, sop)
    order, shown = render_sheet(services, scan, sheet, order)
    whole = make_capture(sheet, order, shown)
    captures = [_kept(services, sheet, order, whole)]

    def mint(purpose: str) -> str:
        with services.ledger.transaction() as tx:
            return tx.uid(f"{capture_uid(sheet)}:{order.uids.study}:{purpose}")

    if sheet.tiles is not None and sheet.geometry is not None:
        tiles = film.cut_tiles(shown, sheet.tiles, sheet.geometry)
        for one, made in make_tiles(tiles, order, whole, services.capture.tiles, mint):
            captures.append(_kept(services, sheet, one, made))
    now = services.clock.now()
    uids = tuple(one.sop_instance_uid for one in captures)
    with services.ledger.transaction() as tx:
        tx.unschedule(Stage.WRAP, sheet_id)
        for capture in captures:
            _write(tx, capture)
        wrapped = moved(
            sheet, State.WRAPPED, now, sop_instance_uid=uids[0], tile_uids=tuple(uids[1:])
        )
        said = event(sheet_id, "wrapped", sop_instance_uid=sop, sha256=captures[0].sha256)
        if uids[1:]:
            said = replace(said, payload={**said.payload, "tiles": list(uids[1:])})
        tx.save(wrapped, said)
        tx.schedule(Stage.STORE, sheet_id)
    return [(Stage.STORE, sheet_id)]


def capture_uid(sheet: Sheet) -> str:
    """Return the purpose under which a sheet's SOP Instance UID is minted and kept."""
    corrections = sum(1 for code in sheet.confirmed if code.startswith("corrected"))
    return f"sop:{sheet.id}:{corrections}"


def _kept(services: Services, sheet: Sheet, order: CaptureOrder, made: MadeInstance) -> Capture:
    """Put an instance into the vault; its row is still to be written."""
    address, size = services.vault.put(made.content)
    return Capture(
        sop_instance_uid=order.uids.sop,
        sop_class_uid=made.sop_class_uid,
        series_instance_uid=order.uids.series,
        study_instance_uid=order.uids.study,
        sheet_id=sheet.id,
        sha256=address,
        pixel_sha256=made.pixel_sha256,
        transfer_syntax_uid=made.transfer_syntax_uid,
        size=size,
        made_at=services.clock.now(),
    )


def _write(tx: Transaction, capture: Capture) -> None:
    """Write the row of a capture, or write it again when a try before this one came that far."""
    uid = capture.sop_instance_uid
    there = [one for one in tx.captures(capture.sheet_id) if one.sop_instance_uid == uid]
    if there:
        tx.save(replace(capture, version=there[0].version), event(uid, "made_again"))
    else:
        made = event(uid, "made", sha256=capture.sha256, pixels=capture.pixel_sha256)
        tx.add(capture, made)


def render_sheet(
    services: Services, scan: Scan, sheet: Sheet, order: CaptureOrder
) -> tuple[CaptureOrder, Rendered]:
    """Render a sheet from its scan in the vault, in optical density where that can be told."""
    raster = services.decoder.decode(services.vault.path(scan.sha256 or ""), sheet.page)
    assert sheet.geometry is not None, "prepare writes the geometry of every sheet"
    rendered = film.render(raster, sheet.geometry)
    if sheet.window is not None:
        rendered = replace(rendered, window=sheet.window)
    if sheet.kind is not SheetKind.FILM:
        return order, rendered
    with services.ledger.reading() as view:
        scanner = scanner_of(services, scan)
        profiles = view.profiles(scanner) if scanner else ()
    shown, profile = in_density(rendered, profiles)
    if profile is not None:
        calibrated = replace(order.provenance, last_calibration=profile.made_at.date())
        order = replace(order, provenance=calibrated)
    return order, shown


def make_capture(sheet: Sheet, order: CaptureOrder, shown: Rendered) -> MadeInstance:
    """Make the instance of a whole sheet."""
    return (dicom.make_film if sheet.kind is SheetKind.FILM else dicom.make_label)(order, shown)


def scanner_of(services: Services, scan: Scan) -> str:
    """Return the serial number of the digitizer a scan comes from; empty where none is told."""
    return scan.scanner or services.capture.device_serial


def _order(
    services: Services, scan: Scan, sheet: Sheet, decision: Decision, sop: str
) -> CaptureOrder:
    paper = sheet.kind is not SheetKind.FILM
    exam = None if paper else decision.exam
    return CaptureOrder(
        uids=Uids(decision.study_instance_uid, decision.series_instance_uid, sop),
        instance_number=scan.position + 1,
        made_at=services.clock.now(),
        patient=decision.patient,
        exam=exam,
        study_date=date.fromisoformat(decision.study_date) if decision.study_date else None,
        modality=_modality(services, exam, paper=paper),
        body_part=exam.body_part if exam else _said(sheet, FieldName.BODY_PART),
        laterality=exam.laterality if exam else _said(sheet, FieldName.LATERALITY),
        description=_description(exam, sheet),
        series_description="Film jacket" if paper else "Digitized film",
        barcode=sheet.reading.barcodes[0].text if sheet.reading.barcodes else "",
        compression=services.capture.compression,
        provenance=provenance(services, scan, sheet),
    )


def provenance(services: Services, scan: Scan, sheet: Sheet) -> Provenance:
    """Tell where the pixels and the identity of a sheet come from."""
    return Provenance(
        scan_sha256=scan.sha256 or "",
        scanned_at=scan.received_at,
        software_version=__version__,
        institution=services.capture.institution,
        device_manufacturer=services.capture.device_manufacturer,
        device_model=services.capture.device_model,
        device_serial=scanner_of(services, scan),
        read=sheet.fields,
        geometry=sheet.geometry,
        source=scan.source,
    )


def _modality(services: Services, exam: ExamRecord | None, *, paper: bool) -> str:
    if paper:
        return "OT"
    policy = services.capture.modality_of
    return (
        policy.get(exam.modality, services.capture.modality) if exam else services.capture.modality
    )


def _description(exam: ExamRecord | None, sheet: Sheet) -> str:
    if sheet.kind is not SheetKind.FILM:
        return "Film jacket"
    return exam.description if exam else _said(sheet, FieldName.DESCRIPTION)


def _said(sheet: Sheet, name: FieldName) -> str:
    field = sheet.fields.get(name)
    return sheet.corrections.get(name) or (field.value if field else "")
