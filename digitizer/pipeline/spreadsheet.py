"""Cells of the CSV files that people open in a spreadsheet."""

__all__ = ["safe_cell"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(cell: object) -> object:
    """Keep a spreadsheet from taking a name that begins like a formula for one; None is empty."""
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return "" if cell is None else cell
