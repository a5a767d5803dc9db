"""On a bad line: capped answers, aborted associations, a peer that goes away, kills."""

from pathlib import Path

from orthanc_server import Orthanc, free_port

from digitizer.rehearsal.old import BadLine
from migrate_bench.altered import untouched
from migrate_bench.proof import decided, reconciled
from migrate_bench.site import Site, kill, kill_at, opened_target, wait_for
from migrate_bench.truth import Truth

__all__ = ["KILLED_AT", "faults"]

CAP, ABORT_EVERY = 100, 200
LEAST_CAP = 10
KILLED_ON = ("commitment_asked", "committed", "asked_again")
"""Events of the ledger on which it is killed as well: while it waits for a commitment, before it
reads back, and while it asks the old PACS once more."""
KILLED_AT = (0.07, 0.2)
"""Shares of the instances: early, so that one process goes a long way and shows its memory."""


def faults(folder: Path, old: Orthanc, truth: Truth, away: float) -> list[str]:
    """Bring it over on a bad line and compare; returns what is wrong."""
    port = free_port()
    # A small archive has fewer studies than either: both must happen there as well.
    cap = min(CAP, max(LEAST_CAP, len(truth.studies) // 3))
    abort_every = min(ABORT_EVERY, max(1, len(truth.studies) // 3))
    with (
        opened_target(folder / "target-faults", port) as target,
        BadLine("127.0.0.1", old.dicom_port, cap=cap, abort_every=abort_every) as line,
    ):
        site = Site(folder / "data-faults", target, port)
        site.index(truth.folder)
        site.add(line.port)
        kills = 0
        for share in KILLED_AT:
            running = site.start()
            wait_for(site, running, int(len(truth.files) * share))
            kill(running)
            kills += 1
            if kills == 1:
                line.go_away(away)
        failures = []
        for event in KILLED_ON:
            failures += kill_at(site, event)
            kills += 1
        site.run()
        told, studies = site.told(), site.studies()
        failures += [*reconciled(told, truth), *decided(studies, truth), *site.memory.judged()]
        failures += untouched(target, truth, told["stored"])
    print(f"line: {line.associations} associations, {line.aborted} aborted, {line.capped} answers "
          f"left out, away for {away:.0f} s; killed {kills} times")  # fmt: skip
    if not line.aborted:
        failures.append("no association was aborted")
    if not line.capped:
        failures.append("no answer was left out")
    return failures
