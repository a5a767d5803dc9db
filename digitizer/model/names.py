"""Names of files as text: on Linux a name is bytes, and not every one can be written down."""

import os

__all__ = ["as_text"]


def as_text(name: str) -> str:
    r"""Return a name as it can be written down: bytes that are no UTF-8 as ``\xNN``.

    Parameters
    ----------
    name : str
        As Python has it, each such byte half of a surrogate pair (PEP 383).
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    return name
