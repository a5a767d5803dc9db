"""Log lines: JSON, with their context, and no patient in them."""

import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from digitizer import log


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Lend the root logger, and give it back as it was."""
    logger = logging.getLogger()
    before = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:], level = before
    logger.setLevel(level)


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(capsys.readouterr().err.splitlines()[-1])
    return line


def test_a_line_carries_what_is_bound(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stage and subject stand in every line logged inside, and not after."""
    log.configure("INFO")
    with log.bound(stage="wrap", subject="f1"):
        logging.getLogger("digitizer.x").info("done", extra={"n": 3})
    line = last_line(capsys)
    assert (line["message"], line["stage"], line["subject"], line["n"]) == ("done", "wrap", "f1", 3)
    logging.getLogger("digitizer.x").info("after")
    assert "stage" not in last_line(capsys)


@pytest.mark.parametrize(("level", "told"), [("INFO", False), ("DEBUG", True)])
def test_a_patient_is_named_at_debug_only(
    root: logging.Logger, capsys: pytest.CaptureFixture[str], level: str, told: bool
) -> None:
    """The same record, one level up, has no patient."""
    log.configure("DEBUG")
    number = logging.getLevelNamesMapping()[level]
    logging.getLogger("digitizer.x").log(number, "matched", extra={"patient": "DOE^JANE"})
    assert ("patient" in last_line(capsys)) == told


@pytest.mark.parametrize(("level", "told"), [("WARNING", False), ("DEBUG", True)])
def test_an_error_is_told_without_its_words(
    root: logging.Logger, capsys: pytest.CaptureFixture[str], level: str, told: bool
) -> None:
    """A library's message may quote what it choked on; its place in the code never does."""
    log.configure(level)
    try:
        raise ValueError("no date in DOE^JANE")
    except ValueError:
        logging.getLogger("digitizer.x").exception("stage failed")
    line = last_line(capsys)
    assert line["error"] == "ValueError"
    assert "test_log.py" in line["traceback"][-1]
    assert ("DOE^JANE" in json.dumps(line)) == told


def test_what_a_library_warns_of_is_not_told(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its words may quote a header; they reach standard error neither as a line nor as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        log.configure("WARNING")
        warnings.warn("Invalid value for VR PN: 'DOE^JANE'", UserWarning, stacklevel=1)
        assert "DOE" not in capsys.readouterr().err
        logging.captureWarnings(False)
