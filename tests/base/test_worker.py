"""Whether a worker lives, told by its name."""

import os
import socket
import subprocess
import sys

import psutil
import pytest

from digitizer.queue.worker import is_dead, worker_name

NAME = "from digitizer.queue.worker import worker_name; print(worker_name(), flush=True); input()"


def test_a_worker_lives_until_it_ends() -> None:
    """A process knows itself as living, another as well; ended or waited for, it is dead."""
    assert not is_dead(worker_name())
    with subprocess.Popen(
        [sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        name = other.stdout.readline().strip()
        assert name.split(":")[1] == str(other.pid)
        assert not is_dead(name)
        other.kill()
        # Ended and not yet waited for: a zombie.
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(name)
    assert is_dead(name)


def test_a_number_given_out_again_is_another_process() -> None:
    """The same process id with another start is somebody else."""
    host, pid, started = worker_name().rsplit(":", 2)
    assert is_dead(f"{host}:{pid}:{int(started) - 1}")


def test_a_clock_that_is_set_kills_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time at which the machine seems to have started moves with its clock."""
    name = worker_name()
    booted = psutil.boot_time()
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: booted + 3600.0)
    assert not is_dead(name)


@pytest.mark.parametrize("name", ["", "somebody", "HOST:x:1", "elsewhere:1:1"])
def test_of_others_nothing_is_told(name: str) -> None:
    """A name of another host, or of no worker, is not called dead."""
    assert not is_dead(name.replace("HOST", socket.gethostname()))


def test_a_name_of_another_form_is_left_to_its_lease() -> None:
    """A worker of an earlier version, named by its start as a time of day, may still live."""
    assert not is_dead(f"{socket.gethostname()}:{os.getpid()}:1764280000.12")
