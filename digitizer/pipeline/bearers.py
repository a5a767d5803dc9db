"""What sheets say of whose they are."""

import json
from collections.abc import Iterable
from dataclasses import replace

from digitizer import identity, reading
from digitizer.model.film import SheetKind
from digitizer.model.older import OldHeader
from digitizer.model.reading import FieldSource, Reading, Testimony
from digitizer.model.records import Sheet
from digitizer.pipeline.services import Services

__all__ = ["ROW_TOLD", "label_of", "testimony_of"]

ROW_TOLD = "row_told"
"""Event of a jacket that an index file speaks for; the row's words lie in the vault."""


def label_of(services: Services, sheets: Iterable[Sheet]) -> Testimony | None:
    """Return what speaks for a jacket: its labels together, else the row of an index file.

    What a person says lies in the wrong jacket is left out.
    """
    own = [one for one in sheets if not one.misfiled]
    labels = [one for one in own if one.kind is SheetKind.LABEL]
    if labels:
        return testimony_of(services, labels, FieldSource.LABEL)
    return _told_by_row(services, own[0].jacket_id) if own else None


def _told_by_row(services: Services, jacket_id: str) -> Testimony | None:
    with services.ledger.reading() as view:
        told = [one for one in view.events(jacket_id) if one.name == ROW_TOLD]
    if not told:
        return None
    words = services.vault.path(str(told[0].payload["row"])).read_text("utf-8")
    said = identity.testimony_of_header(OldHeader(**json.loads(words)))
    fields = {name: replace(field, source=FieldSource.LABEL) for name, field in said.fields.items()}
    return replace(said, fields=fields)


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
