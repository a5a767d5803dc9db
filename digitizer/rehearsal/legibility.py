"""What a person can still read of a printed line: how well its signs can be told apart in the scan.

An observer is thought of who knows typeface, place, size and blur, and has to tell which sign it
is (the ideal observer of Pelli, Burns, Farell and Moore-Page 2006, "Feature detection and letter
identification", Vision Research 46). How strong the ink of a sign is, and where it lost some, the
observer does not know: each sign is held against what is seen at the strength that fits it best,
and the one that fits best is taken. So an even loss makes a sign faint, while an 8 that lost more
than half of what makes it no 3 looks like a 3. No engine is asked. Marks beside the ink confuse no
one here: only what covers ink, or took it away, counts.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.rehearsal.typography import line, sign_of_line

__all__ = ["LEGIBLE", "Printed", "contrasts_of_line"]

Picture = NDArray[np.float32]

LEGIBLE = 20.0
"""Least contrast of a sign that a person reads.

Between two signs the ideal observer errs once in a thousand at a d' of 6.2, twice the normal
deviate of 0.001: what is seen then lies half of d' beyond where both fit alike. People use about a
tenth of what a letter's contrast energy, its square, offers (Pelli and others 2006), so they need
6.2 / sqrt(0.1) of it.
"""
_ALPHABETS = ("0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
"""A sign is told from others of its kind: what kind stands where, a number's form tells."""


@dataclass(frozen=True, slots=True)
class Printed:
    """How a line was printed: in which face, with capitals of what height in pixels."""

    text: str
    face: str
    cap_px: float


def contrasts_of_line(
    printed: Printed, ink: Picture, *, blur_px: float, noise: float
) -> dict[int, float]:
    """Tell of each letter and digit of a line how well it can be told from all others.

    Parameters
    ----------
    printed : Printed
    ink : ndarray of float32, (rows, columns)
        The contrast that the line's ink has left in the scan without its noise, where the line's
        mask lies (:func:`digitizer.rehearsal.typography.line`).
    blur_px : float
        Standard deviation of the scan's blur.
    noise : float
        Standard deviation of the scan's noise, in units of the contrast.

    Returns
    -------
    dict
        By the place of a sign in the text: twice how far what is seen lies on its side of where
        the sign that it is most easily taken for fits as well, in standard deviations of the noise;
        of a sign that lost nothing the ideal observer's d'. 0 where it looks more like the other.
    """
    room = int(np.ceil(0.5 * printed.cap_px + 3 * blur_px))
    edge = ((0, 0), (room, room))
    whole = np.pad(line(printed.text, printed.face, printed.cap_px), edge)
    whole, seen = _blurred(whole, blur_px), np.pad(ink, edge)
    gains: list[float] = []
    apart: dict[int, float] = {}
    places = [at for at, sign in enumerate(printed.text) if _rivals(sign)]
    for at in places:
        own, window = _sign(printed, at, printed.text[at], room, blur_px)
        gains.append(float((seen[:, window] * own).sum() / (own * whole[:, window]).sum()))
    usual = max(float(np.median(gains)), 0.0) if gains else 0.0
    for at in places:
        own, window = _sign(printed, at, printed.text[at], room, blur_px)
        # Its neighbours are read as well: their usual ink is taken off.
        left = seen[:, window] - np.float32(usual) * (whole[:, window] - own)
        apart[at] = min(
            _apart(left, own, _sign(printed, at, rival, room, blur_px)[0]) / noise
            for rival in _rivals(printed.text[at])
        )
    return {at: float(told) for at, told in apart.items()}


def _apart(left: Picture, own: Picture, rival: Picture) -> float:
    """Return twice how far what is seen lies on a sign's own side of where a rival fits as well.

    At the strength that fits it best a picture t explains (seen . t / |t|)² of what is seen.
    """
    apart = own / np.linalg.norm(own) - rival / np.linalg.norm(rival)
    length = max(float(np.linalg.norm(apart)), 1e-6)
    return max(0.0, 2 * float((left * apart).sum()) / length)


def _rivals(sign: str) -> str:
    return next((one.replace(sign, "") for one in _ALPHABETS if sign in one), "")


def _sign(printed: Printed, at: int, sign: str, room: int, blur_px: float) -> tuple[Picture, slice]:
    """Return the picture of a sign at a place of the line, and its columns in the padded line."""
    mask, first = sign_of_line(printed.text, at, sign, printed.face, printed.cap_px, room)
    return _blurred(mask, blur_px), slice(first + room, first + room + mask.shape[1])


def _blurred(mask: Picture, blur_px: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur_px), np.float32)
