"""Numbers of things in words."""

__all__ = ["counted"]


def counted(number: int, what: str) -> str:
    """Return ``1 study``, ``2 studies``: a number and what it counts."""
    if number == 1:
        return f"1 {what}"
    return f"{number} {what[:-1]}ies" if what.endswith("y") else f"{number} {what}s"
