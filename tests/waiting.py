"""Waiting for what another process does: looking often, never longer than needed."""

import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["wait_until"]


def wait_until(what: Callable[[], Any], patience_s: float = 120.0) -> Any:
    """Return the first true answer; fail when none comes."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        threading.Event().wait(0.05)
    raise AssertionError("what was waited for did not happen")
