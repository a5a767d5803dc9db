"""Stripes on film after film ask for clean rollers; those of one film do not."""

from pathlib import Path

import numpy as np
import tifffile
from ledger_records import batch, happened, jacket, scan

from digitizer import wiring
from digitizer.config import Settings
from digitizer.model.film import Quality
from digitizer.model.records import Scan
from digitizer.pipeline.ingest import Arrival, open_batch, take
from digitizer.pipeline.rollers import wear_of, worn_scanners
from digitizer.pipeline.scans import prepare
from digitizer.rehearsal.population import draw_scan
from digitizer.service.doctor import run_checks

STRIPES = (300, 420, 555, 700)


def striped(*films: tuple[int, ...]) -> tuple[Scan, ...]:
    return tuple(scan(f"s{n}", quality=Quality(columns=one)) for n, one in enumerate(films))


def test_a_stripe_on_three_films_is_the_scanners_even_where_it_shifts_a_little() -> None:
    """On two films it may be the film's own."""
    wear = wear_of("A", striped((100, 500), (102, 700), (101,), (700,), ()))
    assert (wear.films, len(wear.columns)) == (5, 1)
    assert 100 <= wear.columns[0] <= 102
    assert not wear.needs_cleaning


def test_four_stripes_ask_for_clean_rollers() -> None:
    """Fewer may be elements that died."""
    assert wear_of("A", striped(*[STRIPES] * 3)).needs_cleaning
    assert not wear_of("A", striped(*[STRIPES[:3]] * 30)).needs_cleaning


def test_one_film_with_many_stripes_asks_for_nothing() -> None:
    """A film scratched along the feed is no dirty roller."""
    assert wear_of("A", striped(tuple(range(0, 900, 9)), (), ())).columns == ()


def test_each_scanner_is_looked_at_by_itself(tmp_path: Path) -> None:
    """And only its latest scans."""
    ledger = wiring.ledger(Settings(data_dir=tmp_path))
    with ledger.transaction() as tx:
        tx.add(batch(), happened("b1"))
        tx.add(jacket(), happened("j1"))
        for n in range(70):
            old = Quality(columns=STRIPES) if n < 8 else Quality()
            new = Quality(columns=STRIPES) if n > 60 else Quality()
            tx.add(scan(f"a{n}", scanner="A", quality=old), happened(f"a{n}"))
            tx.add(scan(f"b{n}", scanner="B", quality=new), happened(f"b{n}"))
    with ledger.reading() as view:
        worn = {one.scanner: one.needs_cleaning for one in worn_scanners(view)}
        assert worn == {"A": False, "B": True}
        assert [one.id for one in view.latest_scans("A", 2)] == ["a69", "a68"]


def test_ordinary_work_tells_the_doctor(tmp_path: Path) -> None:
    """Three films with the same stripes, taken in and prepared as any others."""
    settings = Settings(data_dir=tmp_path / "data")
    services = wiring.services(settings)
    pixels = draw_scan((3, 1, 4)).raster.pixels.copy()
    stripes = [pixels.shape[1] // 3 + 40 * n for n in range(5)]
    pixels[:, stripes] = np.iinfo(pixels.dtype).max // 2
    opened = open_batch(services, "b", str(tmp_path))
    for n in range(3):
        pixels[0, 0] = n
        path = tmp_path / f"{n}.tif"
        tifffile.imwrite(path, pixels, resolution=(100, 100), resolutionunit="INCH")
        arrival = Arrival(path=path, source=path.name, box=None, jacket="J", scanner="SN-7")
        prepare(services, take(services, opened, arrival).id)
    (check,) = [one for one in run_checks(settings) if one.name == "rollers of SN-7"]
    assert not check.ok
    assert check.remedy.startswith("Clean the rollers")
