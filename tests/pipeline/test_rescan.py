"""A scan too poor to keep is sent to review at once, with the words for the clerk."""

from pathlib import Path

import pytest
import tifffile

from digitizer import wiring
from digitizer.config import Settings
from digitizer.film import QualitySettings
from digitizer.model.reasons import Code
from digitizer.model.records import Sheet
from digitizer.model.states import State
from digitizer.pipeline.ingest import Arrival, open_batch, take
from digitizer.pipeline.scans import prepare, read
from digitizer.pipeline.services import Services
from digitizer.rehearsal.population import draw_scan


@pytest.fixture
def cut_off(tmp_path: Path) -> Path:
    """Return a film of which the right third lay beyond the bed."""
    pixels = draw_scan((11, 5)).raster.pixels
    path = tmp_path / "film.tif"
    tifffile.imwrite(
        path,
        pixels[:, : int(pixels.shape[1] * 0.7)],
        resolution=(100, 100),
        resolutionunit="INCH",
    )
    return path


def taken(services: Services, path: Path) -> Sheet:
    """Take a file in, prepare and read it; return its film."""
    batch = open_batch(services, "b", str(path.parent))
    scan = take(services, batch, Arrival(path=path, source=path.name, box=None, jacket="J"))
    prepare(services, scan.id)
    read(services, scan.id)
    with services.ledger.reading() as view:
        (film,) = view.sheets(scan_id=scan.id)
    return film


def test_a_film_cut_off_waits_for_a_rescan_before_its_jacket_is_closed(
    tmp_path: Path, cut_off: Path
) -> None:
    """The reason names the edge; the film goes on from here when a person says so."""
    film = taken(wiring.services(Settings(data_dir=tmp_path / "data")), cut_off)
    assert (film.state, film.resume) == (State.REVIEW, State.READ)
    (why,) = [one for one in film.reasons if one.code is Code.RESCAN_PROPOSED]
    assert why.text == "Cut off at the right edge. Scan it again."


def test_a_site_says_what_is_worth_a_rescan(tmp_path: Path, cut_off: Path) -> None:
    """What is not in its list only informs."""
    settings = Settings(data_dir=tmp_path / "data", quality=QualitySettings(rescan_for=()))
    film = taken(wiring.services(settings), cut_off)
    assert film.state is State.READ
    assert "film_cut_off" in film.quality.flags
