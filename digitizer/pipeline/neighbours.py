"""The jackets fed before and behind one that is decided, as far as they are read."""

from collections.abc import Iterable
from dataclasses import dataclass

from digitizer.model.film import SheetKind
from digitizer.model.identity import Neighbour
from digitizer.model.reading import FieldSource
from digitizer.model.reasons import Code
from digitizer.model.records import Jacket, JacketState, Sheet
from digitizer.model.states import State
from digitizer.pipeline.bearers import label_of, testimony_of
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["Beside", "beside", "neighbours_of"]


@dataclass(frozen=True, slots=True)
class Beside:
    """A jacket beside another, and its sheets.

    Attributes
    ----------
    asks_for_next : bool
        It lies before and is decided, and holds films that contradict it: they may be of the
        jacket behind, which is read only now.
    """

    jacket: Jacket
    before: bool
    sheets: tuple[Sheet, ...]
    asks_for_next: bool


def beside(tx: Transaction, jacket: Jacket) -> tuple[Beside, ...]:
    """Return the jackets fed before and behind."""
    jackets = [one for one in tx.jackets(jacket.batch_id) if one.name]
    here = next((at for at, one in enumerate(jackets) if one.id == jacket.id), None)
    found: list[Beside] = []
    for at, before in () if here is None else ((here - 1, True), (here + 1, False)):
        if 0 <= at < len(jackets):
            sheets = tx.sheets(jacket_id=jackets[at].id)
            decided = jackets[at].state is JacketState.DECIDED
            asks = before and decided and _contradicting(sheets)
            found.append(Beside(jackets[at], before, sheets, asks))
    return tuple(found)


def _contradicting(sheets: Iterable[Sheet]) -> bool:
    return any(
        sheet.kind is SheetKind.FILM
        and sheet.state is State.REVIEW
        and any(one.code is Code.FILM_CONTRADICTS_JACKET for one in sheet.reasons)
        for sheet in sheets
    )


def neighbours_of(services: Services, near: Iterable[Beside]) -> tuple[Neighbour, ...]:
    """Return what the jackets beside say."""
    return tuple(_neighbour(services, one) for one in near)


def _neighbour(services: Services, one: Beside) -> Neighbour:
    sheets = [sheet for sheet in one.sheets if not sheet.misfiled]
    films = [sheet for sheet in sheets if sheet.kind is SheetKind.FILM]
    return Neighbour(
        name=one.jacket.name,
        before=one.before,
        label=label_of(services, sheets),
        films=tuple(testimony_of(services, [sheet], FieldSource.FILM) for sheet in films),
    )
