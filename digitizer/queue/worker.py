"""Who a worker is, and whether it still lives: its host, process id and that process's start."""

import socket

import psutil

__all__ = ["is_dead", "worker_name"]


def worker_name() -> str:
    """Return the name under which this process takes leases."""
    process = psutil.Process()
    return f"{socket.gethostname()}:{process.pid}:{process.create_time():.2f}"


def is_dead(name: str) -> bool:
    """Tell whether a worker of this host is gone; of other hosts nothing can be told.

    A process id is given out again: the same one with another start is another process.
    """
    parts = name.rsplit(":", 2)
    if len(parts) != 3 or parts[0] != socket.gethostname() or not parts[1].isdecimal():
        return False
    try:
        process = psutil.Process(int(parts[1]))
        gone = process.status() == psutil.STATUS_ZOMBIE
        return gone or f"{process.create_time():.2f}" != parts[2]
    except psutil.NoSuchProcess:
        return True
