"""Structured log lines on standard error: JSON, with scan id, stage and attempt, no patient data.

Patient data may be logged at DEBUG only, and only through ``extra={"patient": ...}``: the formatter
drops that key above DEBUG.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

__all__ = ["JsonFormatter", "bound", "configure"]

_context: ContextVar[dict[str, Any] | None] = ContextVar("digitizer_log_context", default=None)
_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message"}


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Add fields (``stage``, ``subject``, ``attempt`` ...) to every line logged inside."""
    token = _context.set({**(_context.get() or {}), **fields})
    try:
        yield
    finally:
        _context.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON; patient data only at DEBUG."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(_context.get() or {}),
        }
        for key, value in record.__dict__.items():
            if key not in _STANDARD and (key != "patient" or record.levelno <= logging.DEBUG):
                line[key] = value
        if record.exc_info and record.exc_info[1] is not None:
            line |= _error(record.exc_info[1])
        return json.dumps(line, default=str)


def _error(error: BaseException) -> dict[str, Any]:
    """Tell where an error came from; its words may hold a name, so they appear at DEBUG only."""
    frames = traceback.extract_tb(error.__traceback__)
    told: dict[str, Any] = {
        "error": type(error).__name__,
        "traceback": [f"{one.filename}:{one.lineno} {one.name}" for one in frames],
    }
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        told["words"] = str(error)
    return told


def configure(level: str = "WARNING") -> None:
    """Log to standard error in JSON lines; libraries that would log identities are kept quiet.

    Their warnings too, which go past the log otherwise: pydicom quotes the values it wonders at.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for noisy in ("py.warnings", "pydicom", "RapidOCR", "PIL", "tifffile"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    # What goes wrong on a line is told by those who asked, in their words.
    told = logging.ERROR if level == "DEBUG" else logging.CRITICAL
    logging.getLogger("pynetdicom").setLevel(told)
