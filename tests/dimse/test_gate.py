"""The reactor of an association stands still while an answer is awaited elsewhere."""

import threading
import time

from digitizer.dimse.gate import Gate


def test_nothing_passes_a_closed_gate() -> None:
    """Once ``clear`` has returned the reactor takes no turn until ``set``, however often asked."""
    turns, ended = 0, threading.Event()

    def react() -> None:
        nonlocal turns
        while not ended.is_set():
            gate.wait()
            turns += 1

    reactor = threading.Thread(target=react, daemon=True)
    gate = Gate(reactor)
    reactor.start()
    passed = 0
    for _ in range(100):
        gate.clear()
        before = turns
        time.sleep(0)  # gives the reactor the chance that it must not have
        assert turns == before
        gate.set()
        passed += 1
    ended.set()
    gate.set()
    reactor.join(5)
    assert not reactor.is_alive()
    assert turns > 0
    assert passed == 100


def test_a_reactor_that_is_gone_holds_nobody_up() -> None:
    """Closing the gate of a dead reactor returns at once."""
    reactor = threading.Thread(target=lambda: None)
    reactor.start()
    reactor.join()
    start = time.monotonic()
    Gate(reactor).clear()
    assert time.monotonic() - start < 0.5
