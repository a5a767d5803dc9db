"""Who a worker is, and whether it still lives: its host, process id and that process's start.

The start is counted from that of the machine, in ticks, as the kernel keeps it. As a time of day it
would be another after the clock was set, and every worker would be taken for dead.
"""

import os
import socket
from pathlib import Path

__all__ = ["is_dead", "worker_name"]

_STATE, _STARTED = 0, 19
"""Fields of /proc/PID/stat after the program's name, which may hold anything (man 5 proc)."""
_GONE = frozenset("ZXx")
"""States of a process that has ended and of which only the number is left."""


def worker_name() -> str:
    """Return the name under which this process takes leases."""
    return f"{socket.gethostname()}:{os.getpid()}:{_stat(os.getpid())[_STARTED]}"


def is_dead(name: str) -> bool:
    """Tell whether a worker of this host is gone; of other hosts nothing can be told.

    A process id is given out again: the same one with another start is another process.
    """
    parts = name.rsplit(":", 2)
    if len(parts) != 3 or parts[0] != socket.gethostname():
        return False
    if not (parts[1].isdecimal() and parts[2].isdecimal()):
        return False
    try:
        found = _stat(int(parts[1]))
    except PermissionError:
        return False
    except (FileNotFoundError, ProcessLookupError):
        return True
    return found[_STATE] in _GONE or found[_STARTED] != parts[2]


def _stat(pid: int) -> list[str]:
    """Return what the kernel tells of a process."""
    return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
