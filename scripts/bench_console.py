"""How long the console's pages take with very many scans and instances in the ledger (SQLite).

.venv/bin/python scripts/bench_console.py [SCANS]
"""

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from console_site import Browser, Console
from hand_clock import HandClock
from large_ledger import fill, fill_older

from digitizer import config
from digitizer.console import Site
from digitizer.model.users import Role

PAGES = (
    "/migration",
    "/migration/figures",
    "/migration/equipment",
    "/migration/batches",
    "/migration/boxes",
    "/api/v1/orders",
    "/api/v1/scanners",
    "/api/v1/archives",
    "/work",
    "/work?state=quarantined",
    "/work?state=review&code=film_silent",
    "/work?batch=batch%200010",
    "/work?box=BOX-007",
    "/review",
    "/jackets/j10",
    "/older",
    "/older/sources/old",
    "/older/sources/old?state=review",
    "/older/sources/old/instances?list=found",
    "/older/sources/old/instances?list=refused",
    "/older/studies/st7",
    "/films/h10007",
    "/feed",
    "/settings",
    "/users",
    "/metrics",
)
TIMES = 9


def main(scans: int) -> None:
    """Fill a ledger, ask for each page several times, print the medians, retry a tenth of all."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site.of(config.load(data_dir=Path(folder), environ={}))
        now = datetime.now(UTC)
        fill(f"sqlite:///{folder}/ledger.sqlite", scans, quarantined=scans // 10, now=now)
        fill_older(site.services, studies=scans // 50, each=50)
        console = Console(site, HandClock(now))
        console.add("bench", *Role)
        browser = console.sign_in("bench")
        print(
            f"{scans:,} scans and as many old instances; median of {TIMES}, milliseconds: "
            "time on the wall, processor time"
        )
        for path in PAGES:
            print(f"{path:40} {_median(browser, path)}")
        print(f"retrying {scans // 10:,} in one action: {_retry(browser):.0f} s of processor time")


def _median(browser: Browser, path: str) -> str:
    took = []
    for _ in range(TIMES):
        wall, spent = time.perf_counter(), time.process_time()
        assert browser.get(path).status_code < 400, path
        took.append((time.perf_counter() - wall, time.process_time() - spent))
    walls, cpus = (sorted(column)[TIMES // 2] for column in zip(*took, strict=True))
    return f"{1000 * walls:6.0f} {1000 * cpus:6.0f}"


def _retry(browser: Browser) -> float:
    spent = time.process_time()
    done = browser.post("/work/retry", which="all", query="state=quarantined")
    while "Done." not in browser.get(done.headers["location"]).text:
        time.sleep(0.5)
    return time.process_time() - spent


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
