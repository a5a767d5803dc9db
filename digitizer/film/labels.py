"""What a patch on a film must be like to be a label, or a corner folded over.

Paper and card add their density to the film's, and paper lit from above is brighter than any film.
Both are bounded by straight, sharp sides with right corners, laid by hand; blocks, masks, tiles and
shutters have a picture of their own, lie along the film and mostly bear text.

What this decides: whether a patch hides what lies below. What it never does: look for patches
(:mod:`digitizer.film.patches`), or for what a fold leaves besides (:mod:`digitizer.film.folds`).
"""

from digitizer.film.folds import is_mirrored_corner
from digitizer.film.patches import Patch

__all__ = ["BY_HAND_DEG", "hides", "is_plate"]

# Print: part of a patch that strokes take.
_BLANK = 0.04
"""Part of a patch that strokes take at most where nothing is printed; text takes a third."""
_DENSE_BLANK = 0.1
"""The same of what is dense, where a scanner's own noise looks like strokes, and of what is mottled
as paper. Parts of flashed blocks had 0.11 and more on fourteen drawn films."""
_LITTLE_PRINT = 0.2
"""The same where something is: words on a label. Text of a block that shows through counts too, so
that dense covers may have twice as much."""
_LETTER = 0.3
"""Part of a marker's plate that its letter takes at most, a quarter on four drawn films; text that
shows through a label took a half."""
_FAINT_PRINT = 1.7
"""Of :attr:`Patch.lined` where faint lines stand on paper on which no stroke is seen: sixteen blank
drawn labels had 0.7 to 1.0, three faint blocks 2.5 and more."""

# The picture on both sides of a border, correlated.
_GOES_ON = 0.6
"""Correlation of the picture on both sides of a border from which on it goes on below."""
_SEEMS_TO = 0.35
"""The same where the border is askew as well."""
_SURELY_GOES_ON = 0.9

# How far it is turned against the film.
BY_HAND_DEG = 0.65
"""What is printed or flashed on a film lies along it; what was stuck on, mostly not."""
_FOLDED_DEG = 1.5
"""The edges of a corner folded at 45 degrees lie along the film, as its block does."""
_FAR_ASKEW_DEG = 8.0

# What it takes away, in natural log light.
_LINED = 0.1
"""What a cover takes away at least, in natural log light: within a frame of lines it is as bright
as without."""
_STANDS_OUT = 0.35
_LAYER = 0.9
"""Natural log light: a layer of film with its picture, 0.4 OD."""
_DENSE = 2.2
"""Natural log light, 0.95 OD: more than a sticker of a film's own takes away from clear film. What
is denser and clearly askew was stuck on, whatever is printed on it: blocks as dark are flashed, and
lie along the film."""

# How bright a place is, in natural log light.
_BRIGHTEST = -0.7
"""Natural log light below the brightest on the film, 0.3 OD: paper lit from above is among it."""
_CLEAREST = -0.3
"""The same for paper that lies straight: a blank sticker of the film's own is darker."""
_BRIGHTER = 0.4
"""Natural log light by which a place below a cover may be brighter than the clearest film less what
the cover takes away: the fibres of paper vary by 0.06 OD, three times that being 0.41."""
_UNLIT = -2.3
"""Natural log light, 1 OD below the brightest: what is darker speaks against no cover, since flare
and noise are a part of it, and since what the film has clearest may lie below the cover."""

# Part of the outline that is seen.
_CLOSED, _DENSE_CLOSED = 0.7, 0.58
"""Part of the outline that must be seen of what lies straight."""
_BRIGHT_CLOSED, _OPEN_CLOSED = 0.65, 0.5
"""The same of paper lit from above that lies askew, and where its fourth side is beyond the rim."""
_WHOLE_CORNER = 0.45
"""Part of the outline, a half at most, that is seen of two sides from their corner on: a side that
is shorter than any label's is believed only as one of them. Of 48 drawn covers of which two sides
are all that tells (seed 2002) one has less, of seven pairs of lines that met by chance (seeds 973,
2001 and 2003) five."""

# Mottle of paper, in natural log light.
_MOTTLED = 0.011
"""Mottle of paper, in natural log light: four drawn labels had 0.015 and more, clear windows of two
films 0.006 at most."""
_SURELY_MOTTLED = 2 * _MOTTLED
"""The same from which on it is paper although a few words stand on it."""

_SHADED = 0.1
"""Spread of natural log light, its mottle smoothed away, that a picture has and paper has not:
sixteen drawn labels had 0.045 at most, clear film beside a block with bones on it 0.28."""

# Sizes.
_SHORT_ARM_MM = 10.5
_LEAST_ARM_MM, _ARM_MM, _LONG_ARM_MM = 12.0, 16.0, 20.0
"""Least lengths of two sides that tell a patch by themselves, and of two that lie anyhow."""
_SHORTEST_SIDE_MM = 25.0
_SMALLEST_MM2 = 850.0
"""Labels of the trade measure 38 x 25 mm and more, the plates of side markers less."""
_LARGEST_STRAIGHT_MM2, _LONGEST_STRAIGHT_MM = 15540.0, 158.0
"""A postcard, 148 x 105 mm: what is larger and lies straight is a picture of many on the sheet;
what is longer, by more than a centimetre, a border of the field."""


def hides(patch: Patch) -> bool:
    """Tell a label or a folded corner from what belongs to the film."""
    return _is_dark_cover(patch) if patch.dark else _is_paper_lit_from_above(patch)


def is_plate(patch: Patch) -> bool:
    """Tell what is too small for a label: the plates of side markers, which bear a letter."""
    if patch.area_mm2 >= _SMALLEST_MM2:
        return False
    if len(patch.sides) == 4:
        return 0.5 < patch.closed < 1.15
    return patch.ends_inside and _BLANK < patch.strokes < _LETTER


def _is_dark_cover(patch: Patch) -> bool:
    least = _LEAST_ARM_MM if patch.height > _LAYER else _ARM_MM
    if patch.askew_deg > _FOLDED_DEG and patch.arm_mm > least and is_mirrored_corner(patch):
        return True
    return patch.height > _LINED and _is_label(patch) and not _is_lit_inside(patch)


def _is_lit_inside(patch: Patch) -> bool:
    """Tell whether a place inside is brighter than film can be below what darkens the sides.

    Paper and card take away what they take all over: no place below them is brighter than the
    clearest film less that much. Letters of a block and of a marker's plate are, and so is the
    picture between two lines that meet by chance.
    """
    return patch.brightest > max(patch.clearest + _BRIGHTER - patch.height, _UNLIT)


def _is_label(patch: Patch) -> bool:
    """Tell a label, dark against the film, by its outline and by what stands on it."""
    by_hand = patch.askew_deg > BY_HAND_DEG
    if not by_hand and patch.lengths.max() > _LONGEST_STRAIGHT_MM * patch.pitch:
        return False
    if len(patch.sides) == 2:
        return _is_corner_of_cover(patch)
    if not 0.5 < patch.closed < 1.15:
        return False
    if len(patch.sides) == 3 and patch.area_mm2 < _SMALLEST_MM2 / 2 and not patch.at_rim:
        return False
    if by_hand:
        if patch.askew_deg > _FOLDED_DEG and patch.height > _DENSE:
            return True
        most = (1.75 if patch.at_rim else 1.0) * _LITTLE_PRINT
        return patch.continues > _SEEMS_TO or patch.strokes < most
    if patch.area_mm2 > _LARGEST_STRAIGHT_MM2:
        return False
    closed = _DENSE_CLOSED if patch.height > _DENSE else _CLOSED
    whole = patch.closed > closed or patch.at_rim
    if whole and (_is_blank(patch) or _is_dimmed(patch)):
        return True
    return patch.continues > _GOES_ON and patch.strokes < 2 * _LITTLE_PRINT


def _is_blank(patch: Patch) -> bool:
    """Tell whether nothing is printed on a patch."""
    return patch.strokes < (_DENSE_BLANK if patch.height > _DENSE else _BLANK)


def _is_dimmed(patch: Patch) -> bool:
    """Tell whether all that stands on a dense patch is as much darker as its ground is.

    Letters that are flashed on dark ground are nearly clear film; what shows through paper and card
    is darker than clear film by all that these take away.
    """
    dim = patch.brightest < patch.clearest + _BRIGHTER - patch.height
    printed = patch.strokes > 2 * _LITTLE_PRINT and patch.continues < _GOES_ON
    return dim and patch.height > _DENSE and not printed


def _is_corner_of_cover(patch: Patch) -> bool:
    """Tell a label, dark against the film, of which two sides show."""
    blank = _is_blank(patch)
    small = patch.area_mm2 < _SMALLEST_MM2 and not patch.at_rim
    if (
        (small and patch.height < _DENSE)
        or patch.arm_mm < _SHORT_ARM_MM
        or patch.height < _STANDS_OUT
    ):
        return False
    if patch.arm_mm < _SHORTEST_SIDE_MM and patch.closed < _WHOLE_CORNER:
        return False
    if patch.continues > _SURELY_GOES_ON and patch.height > _LAYER:
        return True
    clear = patch.askew_deg > _FOLDED_DEG and patch.height > _DENSE
    if patch.arm_mm < (_SHORT_ARM_MM if clear else _LEAST_ARM_MM if blank else _ARM_MM):
        return False
    if clear and patch.at_rim and patch.arm_mm > _ARM_MM:
        return True
    if patch.askew_deg > _FAR_ASKEW_DEG:
        return patch.arm_mm > _LONG_ARM_MM and patch.height > _LAYER
    if patch.askew_deg < BY_HAND_DEG:
        most = (2.0 if patch.at_rim and patch.height > _DENSE else 0.5) * _LITTLE_PRINT
        long = patch.arm_mm > 2 * _ARM_MM and patch.strokes < most
        goes_on = long and patch.continues > _GOES_ON
        if patch.arm_mm > 2 * _ARM_MM and _is_dimmed(patch):
            return patch.at_rim or patch.continues > _GOES_ON
        return (patch.at_rim and blank) or (
            goes_on and (patch.at_rim or blank or patch.height > _LAYER)
        )
    most = (2.0 if clear else 1.75 if patch.at_rim else 1.0) * _LITTLE_PRINT
    return patch.continues > _SEEMS_TO or patch.strokes < most


def _is_paper_lit_from_above(patch: Patch) -> bool:
    if patch.level < _BRIGHTEST or patch.shading > _SHADED:
        return False
    if patch.strokes < _BLANK and patch.lined > _FAINT_PRINT:
        return False
    paper = patch.level > _CLEAREST and patch.mottle > _MOTTLED
    by_hand = patch.askew_deg > BY_HAND_DEG
    surely = _LITTLE_PRINT if by_hand else _DENSE_BLANK
    few = patch.strokes < (surely if patch.mottle > _SURELY_MOTTLED else _BLANK)
    if paper and few and patch.height > _STANDS_OUT:
        # What is as mottled and no larger than a label is paper wherever two of its sides meet.
        small = patch.area_mm2 < _LARGEST_STRAIGHT_MM2 and patch.mottle > _SURELY_MOTTLED
        two_tell = patch.at_rim or by_hand or small
        two = len(patch.sides) == 2
        told = two_tell if two else 0.5 < patch.closed < 1.15
        if patch.arm_mm > _ARM_MM and told:
            return True
    if not by_hand:
        return False
    if len(patch.sides) == 2:
        return (
            (patch.at_rim or patch.askew_deg > 1.5)
            and patch.arm_mm > _LONG_ARM_MM
            and patch.strokes < _LITTLE_PRINT / 2
        )
    least = _OPEN_CLOSED if patch.at_rim else _BRIGHT_CLOSED
    return least < patch.closed < 1.15 and patch.strokes < 1.5 * _LITTLE_PRINT
