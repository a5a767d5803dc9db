"""The reactor of an association stands still while an answer is awaited elsewhere."""

import threading
import time

from digitizer.dimse.gate import Gate


def test_nothing_passes_a_gate_before_it_is_opened() -> None:
    """Once ``clear`` has returned the reactor takes no turn, also after ``set``."""
    turns = 0

    def react() -> None:
        nonlocal turns
        while not gate.is_set():
            gate.wait()
            turns += 1

    reactor = threading.Thread(target=react, daemon=True)
    gate = Gate(reactor)
    reactor.start()
    for _ in range(100):
        gate.clear()
        gate.set()
        time.sleep(0)  # gives the reactor the chance that it must not have
        assert turns == 0
    gate.open()
    reactor.join(5)
    assert not reactor.is_alive()
    assert turns == 1
    gate.clear()  # holds nobody up any more


def test_a_reactor_that_is_gone_holds_nobody_up() -> None:
    """Closing the gate of a dead reactor returns at once."""
    reactor = threading.Thread(target=lambda: None)
    reactor.start()
    reactor.join()
    start = time.monotonic()
    Gate(reactor).clear()
    assert time.monotonic() - start < 0.5
