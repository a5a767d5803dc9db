"""Memory of a command and its workers, by how far they are."""

from dataclasses import dataclass, field

import psutil

__all__ = ["FLAT", "MARKS", "PAGES", "Memory", "family", "mib"]

MARKS = (1000, 2000, 5000, 10_000, 18_000)
"""Instances stored at which memory is told."""
FLAT = 1.15
PAGES = 64 << 20
"""SQLite's cache of the ledger's pages, which fills up as the ledger grows."""


@dataclass
class Memory:
    """Resident memory of a process and its children: instances stored, all together, the most."""

    seen: list[tuple[int, int, int]] = field(default_factory=list)

    def sample(self, pid: int, stored: int) -> None:
        """Look at a process and all that it started."""
        total = most = 0
        for one in family(pid):
            try:
                size = one.memory_info().rss
            except psutil.Error:
                continue
            total, most = total + size, max(most, size)
        self.seen.append((stored, total, most))


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all that it started."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def mib(size: int) -> str:
    """Write a size in words."""
    return f"{size / 2**20:.0f} MiB"
