"""A scan too poor to keep is sent to review at once, with the words for the clerk."""

from pathlib import Path

import pytest
import tifffile
from film_phantoms import DPI, Laid, scan

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


@pytest.fixture
def touching(tmp_path: Path) -> Path:
    """Return two films in one scan that touch each other, one a little askew."""
    first = Laid(600, 700, 450, 600, 0.3, seed=1)
    other = Laid(420, 640, 948, 590, -1.3, seed=2)
    raster = scan([first, other], (1200, 1600))
    path = tmp_path / "films.tif"
    tifffile.imwrite(path, raster.pixels, resolution=(DPI, DPI), resolutionunit="INCH")
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


def test_two_films_in_one_outline_wait_to_be_laid_apart(tmp_path: Path, touching: Path) -> None:
    """They are one capture so far, and no software should say which of them it is."""
    film = taken(wiring.services(Settings(data_dir=tmp_path / "data")), touching)
    assert (film.state, film.resume) == (State.REVIEW, State.READ)
    assert film.geometry is not None
    assert film.geometry.skew_deg is None
    (why,) = [one for one in film.reasons if one.code is Code.RESCAN_PROPOSED]
    told = "Two films lie in one outline, side by side or over each other; or a film is folded."
    assert f"{told} Lay films apart, unfold a folded one, and scan again." in why.text


def test_a_film_alone_is_not_taken_for_two(tmp_path: Path) -> None:
    """The same bed with one of the two goes on."""
    raster = scan([Laid(600, 700, 450, 600, 0.3, seed=1)], (1200, 900))
    path = tmp_path / "film.tif"
    tifffile.imwrite(path, raster.pixels, resolution=(DPI, DPI), resolutionunit="INCH")
    film = taken(wiring.services(Settings(data_dir=tmp_path / "data")), path)
    assert "double_feed" not in film.quality.flags


def test_a_site_says_what_is_worth_a_rescan(tmp_path: Path, cut_off: Path) -> None:
    """What is not in its list only informs."""
    settings = Settings(data_dir=tmp_path / "data", quality=QualitySettings(rescan_for=()))
    film = taken(wiring.services(settings), cut_off)
    assert film.state is State.READ
    assert "film_cut_off" in film.quality.flags
