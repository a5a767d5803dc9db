"""What a person can still read of a printed line: how well its signs can be told apart in the scan.

An observer is thought of who knows typeface, place, size and blur, and has to tell which sign it
is (the ideal observer of Pelli, Burns, Farell and Moore-Page 2006, "Feature detection and letter
identification", Vision Research 46). No engine is asked. Marks beside the ink confuse no one here:
only what covers ink, or took it away, counts. Nor does it matter how much like another sign a worn
one looks, as long as what tells them apart is seen above the noise: that asks more of a reader
than a person would.
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
deviate of 0.001. People use about a tenth of what a letter's contrast energy, its square, offers
(Pelli and others 2006), so they need 6.2 / sqrt(0.1) of it.
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
        By the place of a sign in the text: what is left of the difference between its picture and
        that of the sign it is most easily taken for, in standard deviations of the noise (the ideal
        observer's d'). 0 where it looks as much like the other.
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
        lost = seen[:, window] - np.float32(usual) * whole[:, window]
        apart[at] = min(
            _apart(own - _sign(printed, at, rival, room, blur_px)[0], lost, usual) / noise
            for rival in _rivals(printed.text[at])
        )
    return {at: float(told) for at, told in apart.items()}


def _apart(difference: Picture, lost: Picture, usual: float) -> float:
    """Return how far what is seen lies from a rival's picture, towards the sign's own.

    ``lost`` is what is seen beside the line with the ink that is usual in it: what is lost evenly
    is faint, what is lost in places makes one sign another.
    """
    length = max(float(np.linalg.norm(difference)), 1e-6)
    return max(0.0, usual * length + float((lost * difference).sum()) / length)


def _rivals(sign: str) -> str:
    return next((one.replace(sign, "") for one in _ALPHABETS if sign in one), "")


def _sign(printed: Printed, at: int, sign: str, room: int, blur_px: float) -> tuple[Picture, slice]:
    """Return the picture of a sign at a place of the line, and its columns in the padded line."""
    mask, first = sign_of_line(printed.text, at, sign, printed.face, printed.cap_px, room)
    return _blurred(mask, blur_px), slice(first + room, first + room + mask.shape[1])


def _blurred(mask: Picture, blur_px: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur_px), np.float32)
