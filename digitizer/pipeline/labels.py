"""Which jackets are to get a barcode, and what it says."""

from collections.abc import Sequence

from digitizer.errors import UsageError
from digitizer.model.identity import JacketLabel, JacketRecord
from digitizer.pipeline.services import Services

__all__ = ["labels_of"]


def labels_of(
    services: Services, *, box: str, names: Sequence[str], most: int
) -> list[JacketLabel]:
    """Return the labels of a box of the jacket list, or of jackets named one by one.

    A jacket of the list bears the barcode that the list gives it, else its own name; scanned at the
    feeding desk, either stands for the jacket.

    Parameters
    ----------
    services : Services
    box : str
        All jackets of this box of the list; empty: those named.
    names : sequence of str
        ``JACKET`` or ``BOX/JACKET``, on the list or not.
    most : int
        No more are taken.

    Raises
    ------
    UsageError
        Nothing is named, the list has no such box, or there are too many.
    """
    if not box and not names:
        raise UsageError("Nothing is named.", remedy="Give a box of the jacket list, or names.")
    listed = services.index.jackets_of_box(box) if box else ()
    if box and not listed:
        raise UsageError(f"The jacket list has no box {box[:80]}.", remedy="Name the jackets.")
    labels = [_label(one) for one in listed] + [_named(services, name) for name in names]
    if len(labels) > most:
        raise UsageError(f"These are more than {most} jackets.", remedy="Print them in parts.")
    return labels


def _label(record: JacketRecord) -> JacketLabel:
    text = f"{record.box} / {record.jacket}" if record.box else record.jacket
    return JacketLabel(code=record.barcode or record.jacket, text=text)


def _named(services: Services, name: str) -> JacketLabel:
    box, slash, jacket = name.partition("/")
    box, jacket = (box.strip(), jacket.strip()) if slash else ("", name.strip())
    if not jacket:
        raise UsageError("A jacket has no name.", remedy="Give JACKET or BOX/JACKET, one a line.")
    record = services.index.jacket(jacket, box or None)
    return _label(record or JacketRecord(jacket=jacket, box=box))
