"""What sheets say of whose they are."""

from collections.abc import Iterable

from digitizer import reading
from digitizer.model.reading import FieldSource, Reading, Testimony
from digitizer.model.records import Sheet
from digitizer.pipeline.services import Services

__all__ = ["testimony_of"]


def testimony_of(services: Services, sheets: Iterable[Sheet], source: FieldSource) -> Testimony:
    """Return what some sheets say, taken together, as people have put it right."""
    sheets = tuple(sheets)
    together = Reading(
        lines=tuple(line for sheet in sheets for line in sheet.reading.lines),
        barcodes=tuple(code for sheet in sheets for code in sheet.reading.barcodes),
    )
    said = reading.testimony(together, source, services.rules)
    right = {name: value for sheet in sheets for name, value in sheet.corrections.items()}
    return reading.amended(said, right)
