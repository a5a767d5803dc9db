"""A sheet of many pictures on its way: the whole and its pictures, stored, committed, verified."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hand_clock import HandClock
from ledger_records import batch, happened, jacket, scan, sheet
from orthanc_server import free_port
from pydicom import Dataset, dcmread
from waiting import wait_until

from digitizer import film, wiring
from digitizer.archive.embedded import EmbeddedArchive
from digitizer.archive.listener import Listener
from digitizer.archive.reports import CommitmentReport
from digitizer.archive.settings import ArchiveSettings, ListenerSettings
from digitizer.config import Settings
from digitizer.errors import ArchiveUnreachable
from digitizer.model.identity import PatientRecord, PersonName
from digitizer.model.instance import StoredInstance, TilePolicy
from digitizer.model.records import CommitmentState, Decision, Sheet
from digitizer.model.states import State
from digitizer.pipeline.deliver import commit, commitment_answered, read_again, store, verify
from digitizer.pipeline.examine import find_on_page
from digitizer.pipeline.report import tiles_json
from digitizer.pipeline.services import Services
from digitizer.pipeline.settings import CaptureSettings
from digitizer.pipeline.wrap import wrap
from digitizer.rehearsal.population import draw_pictures_scan

SHEET = "h1"
SEED = (91, 2)

# pynetdicom drops the socket of a refused connection without closing it.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def settings(tmp_path: Path, policy: TilePolicy) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        archive=ArchiveSettings(host="127.0.0.1", port=free_port(), ae_title="KEEPER"),
        listener=ListenerSettings(port=free_port()),
        capture=CaptureSettings(tiles=policy),
    )


@pytest.fixture
def services(settings: Settings, tmp_path: Path) -> Services:
    """Return a place of work in which one sheet of many pictures is approved."""
    given = wiring.services(settings)
    path = tmp_path / "sheet.tif"
    raster = draw_pictures_scan(SEED).raster
    tifffile.imwrite(path, raster.pixels, resolution=(100, 100), resolutionunit="INCH")
    sha256, _ = given.vault.put(path.read_bytes())
    (found,) = find_on_page(given.decoder, given.vault.path(sha256), 0).sheets
    raster = given.decoder.decode(path, 0)
    tiles = film.find_tiles(film.reading_picture(raster, found.geometry), raster.dpi)
    assert tiles is not None
    decision = Decision(
        patient=PatientRecord(
            patient_id="1", issuer="H", name=PersonName(family="DOE", given="JANE")
        ),
        exam=None,
        study_date="1990-01-02",
        study_instance_uid="2.25.11",
        series_instance_uid="2.25.12",
        posterior=None,
        exam_posterior=None,
        decided_by="joan",
        decided_at=HandClock().at,
    )
    approved = sheet(state=State.APPROVED, geometry=found.geometry, tiles=tiles, decision=decision)
    with given.ledger.transaction() as tx:
        for record in (batch(), jacket(), scan(state=State.READ, sha256=sha256), approved):
            tx.add(record, happened(record.id))
    return given


def the_sheet(services: Services) -> Sheet:
    with services.ledger.reading() as view:
        return view.get(Sheet, SHEET)


def instances(services: Services) -> list[Dataset]:
    """Return what was made, the whole sheet first."""
    with services.ledger.reading() as view:
        made = {one.sop_instance_uid: one for one in view.captures(SHEET)}
    files = [made[uid].sha256 for uid in the_sheet(services).instance_uids]
    return [dcmread(BytesIO(services.vault.path(one).read_bytes())) for one in files]


def answer(services: Services, report: CommitmentReport) -> None:
    commitment_answered(
        services,
        transaction_uid=report.transaction_uid,
        from_ae=report.from_ae,
        succeeded=frozenset(report.succeeded),
        failed=dict(report.failed),
    )


def all_promised(services: Services) -> bool:
    with services.ledger.reading() as view:
        asked = view.commitments()
    return all(one.state is CommitmentState.SUCCESS for one in asked)


@pytest.mark.parametrize("policy", [TilePolicy.MULTIFRAME, TilePolicy.SERIES])
def test_a_sheet_is_verified_when_all_its_instances_are(
    services: Services, settings: Settings, policy: TilePolicy, tmp_path: Path
) -> None:
    """To the archive and back; pictures equal their part of the whole, in a series of their own."""
    wrap(services, SHEET)
    listener = settings.listener
    embedded = EmbeddedArchive(
        tmp_path / "archive",
        host=settings.archive.host,
        port=settings.archive.port,
        ae_title=settings.archive.ae_title,
        peers={listener.ae_title: (listener.host, listener.port)},
    )
    with embedded, Listener(listener, lambda report: answer(services, report)):
        store(services, SHEET)
        assert the_sheet(services).state is State.STORED
        commit(services, SHEET)
        wait_until(lambda: all_promised(services))
        commit(services, SHEET)
        verify(services, SHEET)
        differences = read_again(services)
    verified = the_sheet(services)
    assert verified.state is State.VERIFIED
    assert differences == dict.fromkeys(verified.instance_uids, ())
    whole, *parts = instances(services)
    shown = sum(verified.tiles.shown) if verified.tiles else 0
    pictures = [frame for one in parts for frame in np.atleast_3d(one.pixel_array.T).T]
    assert len(pictures) == shown
    assert len(parts) == (1 if policy is TilePolicy.MULTIFRAME else shown)
    assert {one.SeriesInstanceUID for one in parts} != {whole.SeriesInstanceUID}
    assert len({one.SeriesInstanceUID for one in parts}) == 1
    assert {one.StudyInstanceUID for one in parts} == {whole.StudyInstanceUID}
    assert {one.SourceImageSequence[0].ReferencedSOPInstanceUID for one in parts} == {
        whole.SOPInstanceUID
    }
    for picture in pictures:
        assert is_part(picture, whole.pixel_array)


def is_part(picture: Any, whole: Any) -> bool:
    """Tell whether a picture is somewhere in the whole, sample for sample."""
    rows, columns = picture.shape
    places = np.argwhere(whole[: -rows + 1, : -columns + 1] == picture[0, 0])
    return any(
        np.array_equal(whole[y : y + rows, x : x + columns], picture)
        for y, x in places
        if whole[y + rows - 1, x + columns - 1] == picture[-1, -1]
    )


@pytest.mark.parametrize("policy", [TilePolicy.OFF, TilePolicy.OFFER])
def test_the_whole_alone_is_stored_unless_a_site_wants_more(services: Services) -> None:
    """What was found is told all the same."""
    wrap(services, SHEET)
    wrapped = the_sheet(services)
    assert (len(wrapped.instance_uids), wrapped.tile_uids) == (1, ())
    told = tiles_json(wrapped.tiles, wrapped.geometry)
    assert told is not None
    assert len(told["boxes"]) == len(told["shown"]) == told["rows"] * told["columns"]


@pytest.mark.parametrize("policy", [TilePolicy.SERIES])
def test_wrapping_again_makes_the_same_instances(services: Services) -> None:
    """A worker that was killed before it could say so changes no UID."""
    before = services.ledger
    wrap(services, SHEET)
    first = the_sheet(services)
    with before.transaction() as tx:
        tx.save(replace(first, state=State.WAITING), happened(SHEET))
    wrap(services, SHEET)
    assert the_sheet(services).instance_uids == first.instance_uids
    with services.ledger.reading() as view:
        assert len(view.captures(SHEET)) == len(first.instance_uids)


class Counted:
    """The real way to the archive, which is switched off after some instances."""

    def __init__(self, services: Services, embedded: EmbeddedArchive, takes: int) -> None:
        self.sink, self.embedded, self.takes = services.archive, embedded, takes
        self.sent: list[Path] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sink, name)

    def store(self, path: Path) -> StoredInstance:
        if len(self.sent) == self.takes:
            self.embedded.__exit__(None, None, None)
        answer = self.sink.store(path)
        self.sent.append(path)
        return answer


@pytest.mark.parametrize("policy", [TilePolicy.SERIES])
def test_storing_goes_on_where_it_broke_off(
    services: Services, settings: Settings, tmp_path: Path
) -> None:
    """The sheet is stored when the last is taken, and none is sent twice."""
    wrap(services, SHEET)

    def archive() -> EmbeddedArchive:
        where = settings.archive
        return EmbeddedArchive(
            tmp_path / "archive",
            host=where.host,
            port=where.port,
            ae_title=where.ae_title,
            peers={},
        )

    first: Any = Counted(services, archive().__enter__(), 2)
    with pytest.raises(ArchiveUnreachable):
        store(replace(services, archive=first), SHEET)
    assert the_sheet(services).state is State.WRAPPED
    with archive() as embedded:
        again: Any = Counted(services, embedded, 1000)
        store(replace(services, archive=again), SHEET)
    sent = [*first.sent, *again.sent]
    assert the_sheet(services).state is State.STORED
    assert len(first.sent) == 2
    assert len(sent) == len(set(sent)) == len(the_sheet(services).instance_uids)
