"""A film set right by hand goes on from that step: read again, rendered anew, wrapped as set."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from pydicom import dcmread

from digitizer import film, wiring
from digitizer.config import Settings
from digitizer.errors import StaleRecord, UsageError
from digitizer.ledger import SqlPatientIndex
from digitizer.model.identity import PatientRecord, PersonName
from digitizer.model.instance import Window
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Scan, Sheet, Stage
from digitizer.model.states import State
from digitizer.pipeline.adjust import Adjustment, adjust
from digitizer.pipeline.changes import event, held
from digitizer.pipeline.ingest import Arrival, close_jacket, open_batch, take
from digitizer.pipeline.jacket import decide
from digitizer.pipeline.review import accept
from digitizer.pipeline.scans import prepare, read
from digitizer.pipeline.wrap import wrap

ANNA = PatientRecord(
    patient_id="A100200", issuer="MERCY", name=PersonName(family="MARTINEZ", given="ANNA")
)


def test_a_film_set_by_hand(tmp_path: Path) -> None:
    """A turn at once, corners with a new reading, and after it is wrapped nothing any more."""
    services = wiring.services(Settings(data_dir=tmp_path / "data"))
    assert isinstance(services.index, SqlPatientIndex)
    services.index.import_patients([ANNA])
    bed = np.full((700, 600), 60000, np.uint16)
    rng = np.random.default_rng(7)
    bed[100:600, 100:500] = rng.integers(9000, 30000, (500, 400), np.uint16)
    path = tmp_path / "film.tif"
    tifffile.imwrite(path, bed, resolution=(100, 100), resolutionunit="INCH")
    batch = open_batch(services, "b", str(tmp_path))
    scan = take(services, batch, Arrival(path=path, source="film.tif", box=None, jacket="J"))
    prepare(services, scan.id)
    read(services, scan.id)
    close_jacket(services, scan.jacket_id)
    decide(services, scan.jacket_id)

    def now() -> Sheet:
        with services.ledger.reading() as view:
            (one,) = view.sheets(scan_id=scan.id)
            return one

    before = now()
    assert before.state is State.REVIEW
    assert Code.ORIENTATION_UNKNOWN in {one.code for one in before.reasons}
    turned = adjust(
        services, before.id, Adjustment(turn_deg=90, mirrored=True), user="ann",
        reason_text="the heart", version=before.version,
    )  # fmt: skip
    assert turned.state is State.REVIEW
    assert Code.ORIENTATION_UNKNOWN not in {one.code for one in turned.reasons}
    assert turned.geometry is not None
    assert (turned.geometry.turn_deg, turned.geometry.mirrored) == (90, True)
    with pytest.raises(StaleRecord):
        adjust(services, before.id, Adjustment(turn_deg=0), user="ann", version=before.version)
    with pytest.raises(UsageError, match="Nothing was changed"):
        adjust(services, before.id, Adjustment(turn_deg=90), user="ann")
    with pytest.raises(UsageError, match="outside of the scan's values"):
        adjust(services, before.id, Adjustment(window=Window(1e9, 5)), user="ann")
    box = [(150.0, 150.0), (450.0, 150.0), (450.0, 550.0), (150.0, 550.0)]
    cut = adjust(
        services, before.id, Adjustment(corners=box, window=Window(20000, 9000)), user="ann"
    )
    assert (cut.state, cut.decision) == (State.PREPARED, None)
    # The reviewer's page is gone: nobody decides it while it is read.
    with pytest.raises(UsageError, match="It is prepared"):
        adjust(services, before.id, Adjustment(turn_deg=0), user="ann")
    with services.ledger.reading() as view:
        assert view.task(Stage.READ, scan.id) is not None
        told = view.events(before.id)[-1]
    assert (told.name, told.actor, told.payload["read_again"]) == ("adjusted", "ann", True)
    assert told.payload["after"]["corners"][0] != told.payload["before"]["corners"][0]
    # The disk was full when it was to be read again: the scan waited, and goes on.
    with services.ledger.transaction() as tx:
        full = (reason(Code.DISK_FULL),)
        waiting = held(tx.get(Scan, scan.id), State.WAITING, full, services.clock.now())
        tx.save(waiting, event(scan.id, "waiting"))
    read(services, scan.id)
    with services.ledger.reading() as view:
        assert view.get(Scan, scan.id).state is State.READ
    decide(services, scan.jacket_id)
    again = now()
    assert again.state is State.REVIEW
    assert again.geometry is not None
    assert film.as_scanned(again.geometry) == tuple(box)
    assert (again.geometry.turn_deg, again.geometry.mirrored) == (90, True)
    assert Code.ORIENTATION_UNKNOWN not in {one.code for one in again.reasons}
    accept(
        services, again.id, user="ann", patient_id="A100200", accession_number="", undo_window_s=0
    )
    wrap(services, again.id)
    with services.ledger.reading() as view:
        (capture,) = view.captures(again.id)
    made = dcmread(BytesIO(services.vault.path(capture.sha256).read_bytes()))
    assert (made.WindowCenter, made.WindowWidth) == (20000, 9000)
    wanted = np.rot90(bed[146:554, 146:454], -1)[:, ::-1]
    shown = made.pixel_array
    middle = shown[20:-20, 20:-20]
    assert abs(shown.shape[0] - wanted.shape[0]) <= 2
    rows, columns = ((a - b) // 2 for a, b in zip(wanted.shape, middle.shape, strict=True))
    assert np.array_equal(
        middle, wanted[rows : rows + middle.shape[0], columns : columns + middle.shape[1]]
    )
    with pytest.raises(UsageError, match="wrapped already"):
        adjust(services, again.id, Adjustment(turn_deg=0), user="ann")
