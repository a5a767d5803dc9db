"""Discs and a storage folder brought over, killed on the way."""

from collections import Counter
from pathlib import Path

from orthanc_server import free_port

from migrate_bench.altered import untouched
from migrate_bench.faults import KILLED_AT
from migrate_bench.proof import decided
from migrate_bench.site import Site, kill, opened_target, wait_for
from migrate_bench.truth import Truth

__all__ = ["files"]


def files(folder: Path, made: Path) -> list[str]:
    """Bring discs and a storage folder over, killed on the way; every planted fault in its list."""
    failures: list[str] = []
    port = free_port()
    with opened_target(folder / "target-files", port) as target:
        site = Site(folder / "data-files", target, port)
        site.index(made)
        both, stored = Truth({}, {}, made), 0
        for place, kind in (("discs", "disc"), ("storage", "storage")):
            truth = Truth.read(made, place)
            both.studies |= truth.studies
            both.bearers |= truth.bearers
            site.name(str(made / place), kind, place)
            for share in KILLED_AT:
                running = site.start()
                before = site.look(running)
                wait_for(site, running, before + int(len(truth.files) * share))
                kill(running)
            site.run()
            told, planted = site.told(), truth.planted
            stored += told["stored"]
            there = [path for path in (made / place).rglob("*") if path.is_file()]
            lists = sum(path.name == "DICOMDIR" for path in there)
            refused = Counter(told["refused"])
            expected = {
                "found": (told["found"], len(there)),
                "missing": (told["missing"], planted["missing"]),
                "truncated": (refused["truncated_file"], planted["truncated"]),
                "duplicates": (refused["duplicate"], planted["duplicate"]),
                "no instance": (
                    refused["no_instance"] + refused["empty_file"], planted["junk"] + lists
                ),
                "colliding": (told["colliding"], planted["collision"]),
                "found are taken or refused": (
                    told["found"], told["taken"] + sum(refused.values())
                ),
                "balanced": (told["balanced"], True),
                "settled": (told["settled"], True),
                "stored are verified": (told["stored"], told["verified"]),
            }  # fmt: skip
            numbers = {what: is_ for what, (is_, _) in expected.items() if is_ is not True}
            print(f"{place}: planted {dict(planted)}; {numbers}; filed {told['filed']}, stored "
                  f"{told['stored']}; studies {told['studies']}, review {told['review']}; killed "
                  f"{len(KILLED_AT)} times")  # fmt: skip
            failures += [
                f"{place}: {what}: {is_} instead of {be}"
                for what, (is_, be) in expected.items()
                if is_ != be
            ]
            failures += decided(site.studies(), truth)
        failures += untouched(target, both, stored)
    return failures
