"""Memory of a command and its workers, by how far they are."""

from dataclasses import dataclass, field

import psutil

__all__ = ["FLAT", "PAGES", "Memory", "family", "mib"]

MARKS = (1000, 2000, 5000, 10_000, 18_000)
"""Instances stored at which memory is told."""
JUDGED_FROM = 5 * MARKS[0]
"""Instances from which on it is judged: with fewer, starting up is all there is to see."""
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

    def judged(self) -> list[str]:
        """Print the memory on the way; returns what is wrong with it."""
        most = {at: self._most_around(at) for at in MARKS}
        told = ", ".join(f"{mib(size)} at {at}" for at, size in most.items() if size)
        last = max((stored for stored, _, _ in self.seen), default=0)
        end = max((size for stored, _, size in self.seen if stored >= 0.9 * last), default=0)
        total = max((size for _, size, _ in self.seen), default=0)
        print(f"memory of the largest process by instances stored: {told}; {mib(end)} in the last "
              f"tenth, up to {last}; all together at most {mib(total)}")  # fmt: skip
        first = most[MARKS[0]]
        if last < JUDGED_FROM:
            print(f"  not judged: {last} instances are too few to tell")
            return []
        if not (first and end):
            return [f"memory: nobody looked around {MARKS[0]} instances, or near the end"]
        if end > FLAT * first:
            return [f"memory: {end / first:.2f} of what it was at {MARKS[0]} (aim: {FLAT})"]
        return []

    def _most_around(self, mark: int) -> int:
        """Return what the largest process took around a count of instances."""
        near = [size for stored, _, size in self.seen if abs(stored - mark) <= mark // 5]
        return max(near, default=0)


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
