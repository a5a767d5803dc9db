"""An old PACS brought over into an archive, beside movescu and storescu on the same peers.

Makes an old archive with known truth, loads its PACS part into one Orthanc, and brings it over
into another with ``digitizer migrate``: once on a good line for the time it takes, beside dcmtk's
movescu and storescu on the same files and peers; once on a bad line (C-FIND capped at 100, every
200th association aborted, the peer away for a minute, the command and its workers killed) for what
comes of it. Its discs and its storage folder are brought over too, killed on the way, and a large
folder is walked. Then every instance of the new archive is compared with the file it was made from,
and every study with the truth.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from migrate_bench.faults import faults  # noqa: E402
from migrate_bench.files import files  # noqa: E402
from migrate_bench.site import TITLE, load  # noqa: E402
from migrate_bench.speed import speed  # noqa: E402
from migrate_bench.truth import Truth  # noqa: E402
from migrate_bench.walk import walk  # noqa: E402
from orthanc_server import Orthanc, free_port  # noqa: E402

from digitizer.rehearsal.old import make_archive  # noqa: E402

# Else every message of theirs waits for the acknowledgement of the one before, 40 ms on Linux.
os.environ["TCP_NODELAY"] = "1"  # dcmtk, Orthanc in it, on either side


STUDIES = 3100
"""A fifth of them is on discs and in a storage folder; the rest is what was promised, or more."""
PROMISED = (2000, 20_000)
"""Studies and instances of the old PACS."""


def main() -> int:
    """Bring an old PACS over; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--studies", type=int, default=STUDIES, help="four in five of them are the old PACS'"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--made", type=Path, help="an archive made before")
    parser.add_argument(
        "--only", choices=("speed", "faults", "files", "walk"), help="one part of it"
    )
    parser.add_argument("--away", type=float, default=60.0, help="seconds that the peer is away")
    parser.add_argument("--files", type=int, default=20_000, help="in the folder to be walked")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="digitizer-migrate-"))
    failures: list[str] = []
    try:
        made = given.made or folder / "made"
        if given.only in (None, "walk"):
            failures += walk(folder, given.files)
        if given.made is None and given.only != "walk":
            make_archive(made, studies=given.studies, seed=given.seed)
        if given.only in (None, "files"):
            failures += files(folder, made)
        if given.only not in ("files", "walk"):
            truth = Truth.read(made)
            print(f"{len(truth.studies)} studies, {len(truth.files)} instances at the old PACS")
            if given.studies >= STUDIES and not _is_whole(truth):
                failures.append("the old PACS has fewer studies or instances than promised")
            listen, reports = free_port(), free_port()
            with Orthanc(folder / "old", listen, TITLE) as old:
                load(old, truth)
                if given.only != "faults":
                    failures += speed(folder, old, listen, reports, truth)
                if given.only != "speed":
                    failures += faults(folder, old, truth, given.away)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


def _is_whole(truth: Truth) -> bool:
    studies, instances = PROMISED
    return len(truth.studies) >= studies and len(truth.files) >= instances


if __name__ == "__main__":
    sys.exit(main())
