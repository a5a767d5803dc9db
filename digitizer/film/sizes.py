"""Film sizes of the trade, and what a measured size says of a sheet."""

from digitizer.model.units import SizeMm

__all__ = [
    "CUT_MM",
    "FED_MM",
    "STANDARD_SIZES_MM",
    "is_film_side",
    "is_film_size",
    "is_longer_than_any",
    "is_two_sheets",
    "lacking",
    "lacking_across",
    "lacking_along",
    "may_be_framed",
    "may_be_whole",
]

STANDARD_SIZES_MM = (
    (130, 180), (180, 240), (203.2, 254), (240, 300), (254, 304.8), (279.4, 355.6), (300, 400),
    (350, 350), (350, 430), (355.6, 431.8), (355.6, 914.4), (150, 300), (200, 400), (355.6, 355.6),
    (165.1, 215.9), (127, 177.8), (127, 304.8), (152.4, 304.8), (178, 430), (177.8, 431.8),
    (100, 100), (31, 41), (27, 54), (57, 76), (76.2, 101.6), (101.6, 127),
)  # fmt: skip
"""Film sizes of the trade, the short side first, in millimetres: general, mammography, panoramic,
long spine, photofluorography, dental, small sheet film."""

_TOLERANCE_MM = 6.0
CUT_MM, _BEYOND_MM = 0.8, 2.5
"""How far a sheet whose edges are measured may differ from its size, and how far beyond it one may
seem where another's rim was taken for its own."""
FED_MM = 2.5
"""What a film lacks at most that was fed beyond the frame at one side: of 76 drawn ones 2.3."""
_AS_WIDE_MM = 1.2
"""How much longer a film may seem between two sides of which one is not known well."""
_SHORTER_MM, _LONGER_MM = (-2.0, -4.5, -8.5), (2.0, 1.0, 1.0)
"""By how much a film may seem shorter or longer than it is where none, one or both of two opposite
sides lie beyond the frame. The widest film that lies 0.7 degrees askew lacks four millimetres on
either side where its corners are all beyond the frame (see ``_DEEPEST_MM``)."""
_SURELY_SHORTER_MM = (-2.0, -2.5, -8.5)
"""The same where the frame is as large as some film too: of thirteen drawn films fed beyond it at
one side none lacked more than 1.9, two fields lacked 3.5 to the size of a smaller film."""
_LITTLE_MM = 10.0
"""What a film nearly all of which shows lacks at most along its sides."""
_DEEPEST_MM = 6.5
"""How far a film's corner lies beyond the frame at most where nothing is cut off: 5.3 mm for the
widest film fed 0.7 degrees askew, and what it was fed too far."""
_ROOM_MM = 7.0
"""Room that a frame cropped to a film leaves it both sides together, but for a hair's breadth."""
_PROPORTION = 0.02
"""How far the proportion of a film may seem off: six millimetres of 300."""
_LONGEST_MM = 440.0
"""Longest usual sheet, 431.8 mm (17 in), with some room; spine films are listed besides."""


def is_film_size(size: SizeMm, tolerance: float = _TOLERANCE_MM) -> bool:
    """Tell whether a size is one of the trade, either way up.

    Parameters
    ----------
    size : SizeMm
    tolerance : float
        Millimetres by which each side may differ.
    """
    short, long = sorted((size.width, size.height))
    return any(
        abs(short - one[0]) < tolerance and abs(long - one[1]) < tolerance
        for one in STANDARD_SIZES_MM
    )


def may_be_whole(
    size: SizeMm,
    hidden: tuple[int, int],
    wedges_mm: tuple[float, float] = (0.0, 0.0),
    *,
    surely: bool = False,
) -> bool:
    """Tell whether a sheet of which some sides lie beyond the frame may be a whole film.

    Parameters
    ----------
    size : SizeMm
        Of what shows.
    hidden : tuple of int
        How many sides, 0 to 2, do not show across (left, right) and down (top, bottom).
    wedges_mm : tuple of float
        How much more the one end of such a side lies beyond the frame than the other.
    surely : bool
        Whether something else speaks against it, so that little may lack.
    """
    shorter = _SURELY_SHORTER_MM if surely else _SHORTER_MM
    shown_mm = (size.width, size.height)
    return any(
        all(_fits(*along, shorter) for along in zip(shown_mm, way, hidden, wedges_mm, strict=True))
        for one in STANDARD_SIZES_MM
        for way in (one, one[::-1])
    )


def may_be_framed(frame: SizeMm, between: tuple[float | None, float | None] = (None, None)) -> bool:
    """Tell whether a frame was cropped to a film, a little into it or a little beyond.

    Parameters
    ----------
    frame : SizeMm
        Size of the whole scan.
    between : tuple of float or None
        Millimetres across and down between edges that show within it, where two do: as far apart
        as the film's own they are its own.
    """
    return any(
        all(
            _SHORTER_MM[2] <= shown - whole <= _ROOM_MM
            and (edges is None or abs(edges - whole) > CUT_MM)
            for shown, edges, whole in zip((frame.width, frame.height), between, way, strict=True)
        )
        for one in STANDARD_SIZES_MM
        for way in (one, one[::-1])
    )


def _fits(
    shown: float, whole: float, unseen: int, wedge: float, shorter: tuple[float, float, float]
) -> bool:
    """Tell whether a side may be as long, and no corner of it lies further beyond than laid."""
    if not shorter[unseen] <= shown - whole <= _LONGER_MM[unseen]:
        return False
    return not unseen or wedge + max(0.0, whole - shown) / unseen < _DEEPEST_MM


def lacking(size: SizeMm, most: float) -> tuple[float, float] | None:
    """Return what a sheet lacks in width and height to a size of the trade, or has over.

    Of several sizes the largest counts each way: too much is kept rather than too little.

    Parameters
    ----------
    size : SizeMm
        As far as it shows.
    most : float
        Millimetres that each may lack at most.

    Returns
    -------
    (float, float) or None
        In millimetres, negative where it is longer; None where none is near.
    """
    gaps = [
        (way[0] - size.width, way[1] - size.height)
        for one in STANDARD_SIZES_MM
        for way in (one, one[::-1])
    ]
    near = [one for one in gaps if min(one) > -_BEYOND_MM and max(one) <= most]
    within = [one for one in near if min(one) > -CUT_MM]
    if within:
        return max(one[0] for one in within), max(one[1] for one in within)
    return min(near, key=lambda one: abs(one[0]) + abs(one[1]), default=None)


def lacking_across(
    length: float, shown: float, most: float, *, hidden: float | None = None
) -> tuple[float, float] | None:
    """Return what a sheet lacks, between its sides and along them, that goes on beyond the frame.

    Of several sizes the largest counts, as of :func:`lacking`.

    Parameters
    ----------
    length : float
        Millimetres between the two sides that show.
    shown : float
        Millimetres of the sheet the other way: a film is as long at least, but for the width of a
        pixel or two.
    most : float
        How many millimetres may lack between the sides at most.
    hidden : float or None
        How many millimetres a rim may hide the other way, where rims look like the bed: then a film
        as wide speaks against others only where no more lacks to it than was fed too far.

    Returns
    -------
    (float, float) or None
        In millimetres, the other way also 0; None where a film is as wide, or none is near. A film
        as wide of which the frame shows only a part speaks against no other that lacks little
        both ways.
    """
    gaps = [
        (way[0] - length, max(0.0, way[1] - shown))
        for one in STANDARD_SIZES_MM
        for way in (one, one[::-1])
        if way[1] - shown > -_LONGER_MM[1]
    ]
    near = [one for one in gaps if 0 < one[0] <= most]
    as_wide = [one[1] for one in gaps if -_AS_WIDE_MM < one[0] < CUT_MM]
    if as_wide and min(as_wide) < (_LITTLE_MM if hidden is None else FED_MM):
        return None
    if as_wide:
        little = _LITTLE_MM if hidden is None else hidden
        near = [one for one in near if one[0] >= CUT_MM and one[1] < little]
    return max(near, key=lambda one: (one[0], -one[1]), default=None)


def lacking_along(length: float, shown: float, most: float) -> float | None:
    """Return what a sheet lacks along its sides, that goes on beyond the frame, to a film's size.

    Of several sizes the largest counts, as of :func:`lacking`.

    Parameters
    ----------
    length : float
        Millimetres between the two sides that show.
    shown : float
        Millimetres of the sheet the other way.
    most : float
        How many millimetres may lack that way at most.

    Returns
    -------
    float or None
        In millimetres, 0 where it seems longer by the width of a pixel or two; None where no film
        as wide is as long.
    """
    gaps = [
        way[1] - shown
        for one in STANDARD_SIZES_MM
        for way in (one, one[::-1])
        if abs(way[0] - length) < _AS_WIDE_MM and -_LONGER_MM[1] < way[1] - shown <= most
    ]
    return max(0.0, *gaps) if gaps else None


def is_film_side(length_mm: float) -> bool:
    """Tell whether two edges lie as far apart as those of a film of the trade, as well as cut."""
    return any(abs(length_mm - side) < CUT_MM for one in STANDARD_SIZES_MM for side in one)


def is_longer_than_any(size: SizeMm) -> bool:
    """Tell whether a sheet is longer than any film of the trade, and no spine film."""
    long = max(size.width, size.height)
    return long > _LONGEST_MM and not any(
        abs(long - one[1]) < _TOLERANCE_MM for one in STANDARD_SIZES_MM
    )


def is_two_sheets(size: SizeMm) -> bool:
    """Tell two sheets fed over each other: longer than any film, and as wide as one.

    Or of no film's proportion: their black rims may be lost in a dark bed. A resolution told
    wrongly makes a film longer too, and as much wider.
    """
    short, long = sorted((size.width, size.height))
    wide = any(abs(short - side) < _TOLERANCE_MM for one in STANDARD_SIZES_MM for side in one)
    stretched = any(
        abs(short / long * one[1] / one[0] - 1) < _PROPORTION for one in STANDARD_SIZES_MM
    )
    return is_longer_than_any(size) and (wide or not stretched)
