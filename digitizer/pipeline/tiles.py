"""The pictures of a sheet of many as instances of their own, beside that of the whole sheet."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from digitizer import dicom
from digitizer.film import Tile
from digitizer.model.instance import CaptureOrder, MadeInstance, TilePolicy, TileSource, Uids

__all__ = ["make_tiles"]

_SERIES = "Digitized film, single pictures"


def make_tiles(
    tiles: Sequence[Tile],
    order: CaptureOrder,
    whole: MadeInstance,
    policy: TilePolicy,
    mint: Callable[[str], str],
) -> Iterator[tuple[CaptureOrder, MadeInstance]]:
    """Make what the site wants of the pictures: frames of one instance, or a series, or nothing.

    Pictures that no multi-frame class may hold (inverse, calibrated, without a resolution) become a
    series in any case.

    Parameters
    ----------
    tiles : sequence of Tile
        In the order in which they shall be seen.
    order, whole : CaptureOrder, MadeInstance
        Of the whole sheet, to which every instance refers.
    policy : TilePolicy
    mint : callable
        Returns the UID for a purpose: ``series``, ``frames``, or ``picture`` with row and column.
    """
    if policy not in (TilePolicy.MULTIFRAME, TilePolicy.SERIES) or not tiles:
        return
    series = mint("series")
    rows, columns = max(one.row for one in tiles), max(one.column for one in tiles)

    def order_of(purpose: str, number: int, part: str) -> CaptureOrder:
        return replace(
            order,
            uids=Uids(order.uids.study, series, mint(purpose)),
            instance_number=number,
            series_number=order.series_number + 1,
            series_description=_SERIES,
            cut_from=TileSource(whole.sop_class_uid, order.uids.sop, part),
        )

    if policy is TilePolicy.MULTIFRAME and dicom.frames_class(tiles[0].rendered) is not None:
        own = order_of("frames", 1, f"{len(tiles)} pictures cut from a sheet of {rows} x {columns}")
        labels = [f"ROW {one.row} COL {one.column}" for one in tiles]
        yield own, dicom.make_frames(own, [one.rendered for one in tiles], labels)
        return
    for number, one in enumerate(tiles, start=1):
        part = (
            f"picture in row {one.row}, column {one.column} cut from a sheet of {rows} x {columns}"
        )
        own = order_of(f"picture:{one.row}:{one.column}", number, part)
        yield own, dicom.make_film(own, one.rendered)
