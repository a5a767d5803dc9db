"""A look at the signs of numbers on paper by a small network that knows worn print.

Recognisers of whole lines are trained on whole print: of a 9 whose bowl lost its ink each makes a
3, and surely. This one was trained on nothing but drawn numbers that are worn, blotted, folded and
stamped across, in faces of which none is used in rehearsals (``scripts/train_figures.py``). It is
told where another engine found a sign, and says only what that is.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from hashlib import sha256
from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.engines.rapid import ReadLine
from digitizer.engines.twice import numbers
from digitizer.model.reading import Doubt

__all__ = ["Figures", "Seen"]

Grey = NDArray[np.uint8]
Seen = tuple[tuple[str, float], ...]
"""What a sign may be if it is a figure, and then if it is a letter: each with its chance by that of
the likeliest of the kind, that first."""

_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The network's classes but the first, which is the room between signs, and the last, a hyphen."""
_MODEL = "figures.onnx"
_ROWS, _STEP = 40, 4
"""Height of a line the network was trained on, and how many columns it tells one sign of."""
_BESIDE = 0.9
"""Widths of a sign that are cut out with a number beyond its first and its last."""
_AWAY = 0.35
"""The same by which a sign usually stands beside where the other engine saw it."""
_LEAST_STEPS, _MOST_STEPS = 6, 400
"""Steps of a piece of a line: a number of thirty signs takes two hundred."""
_LEAST_CHANCE = 1e-6
_LEAST_TOLD = 0.01


class Figures:
    """The network, one thread; loaded when first asked."""

    @property
    def version(self) -> str:
        """What tells one state of the network from another."""
        return sha256(_model()).hexdigest()[:12]

    def of_numbers(self, strip: Grey, read: ReadLine) -> tuple[Doubt, ...]:
        """Tell what the signs of the numbers of an upright line may be, dates left out.

        Parameters
        ----------
        strip : ndarray of uint8, (rows, columns)
        read : ReadLine
            What RapidOCR read of it.
        """
        found: list[Doubt] = []
        for first, last in numbers(read.text):
            places = [at for at in range(first, last) if read.text[at].isalnum()]
            seen = self.look(strip, [read.middles[at] for at in places])
            found += map(Doubt, places, seen)
        return tuple(found)

    def look(self, strip: Grey, middles: Sequence[float]) -> list[Seen]:
        """Tell what the signs of a number may be.

        Parameters
        ----------
        strip : ndarray of uint8, (rows, columns)
            An upright line with the number, as :func:`digitizer.engines.strips.cut` gives it.
        middles : sequence of float
            Column of the middle of each letter and digit of the number, from the left.

        Returns
        -------
        list of tuple
            For each sign; none where they do not stand in the strip side by side, or are too many.
        """
        places = np.asarray(middles, np.float64)
        width = float(np.mean(np.diff(places))) if len(places) > 1 else strip.shape[0] / 2
        first = max(0, int(places[0] - _BESIDE * width))
        last = min(strip.shape[1], int(places[-1] + _BESIDE * width))
        scale = _ROWS / strip.shape[0]
        stand = (places >= 0).all() and (places <= strip.shape[1]).all()
        if not stand or not 2 * len(places) <= (last - first) * scale / _STEP <= _MOST_STEPS:
            return []
        chances = self._chances(strip[:, first:last], scale)
        step = _STEP / scale
        steps = _standing(chances[:, 0], (places - first) / step - 0.5, width / step)
        seen = []
        for at in steps:
            here = chances[max(at - 1, 0) : at + 2, 1 : 1 + len(_SIGNS)].sum(axis=0)
            seen.append((*_told(here, 0, 10), *_told(here, 10, len(_SIGNS))))
        return seen

    def _chances(self, piece: Grey, scale: float) -> NDArray[np.float32]:
        """Return the chances of the classes, shape (steps, classes), along a piece of a line."""
        # Trained on dark print; most of a line is its ground.
        dark = 255 - piece if np.median(piece) < 127 else piece
        low, high = np.quantile(dark, (0.005, 0.995))
        even = np.clip(
            (dark.astype(np.float32) - low) * (255 / max(float(high - low), 1.0)), 0, 255
        )
        columns = round(piece.shape[1] * scale)
        shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(even, (columns, _ROWS), interpolation=shrink)
        batch = np.ones((1, 1, _ROWS, max(_LEAST_STEPS, -(-columns // _STEP)) * _STEP), np.float32)
        batch[0, 0, :, :columns] = small / 127.5 - 1
        chances = self._session.run(None, {"line": batch})[0][0]
        return np.asarray(chances, np.float32)

    @cached_property
    def _session(self) -> Any:
        # Takes long to import: commands and workers that read nothing do without.
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(_model(), options, providers=["CPUExecutionProvider"])


@cache
def _model() -> bytes:
    return resources.files("digitizer.engines").joinpath(_MODEL).read_bytes()


def _standing(room: NDArray[np.float32], middles: NDArray[np.float64], width: float) -> list[int]:
    """Return the steps in which the signs of a number are seen, with room between each two.

    Of all such steps the likeliest (Viterbi 1967): another engine tells the middles roughly only.

    Parameters
    ----------
    room : ndarray of float32, (steps,)
        Chance that no sign stands there.
    middles : ndarray of float64, (signs,)
        Where the other engine saw the signs, in steps.
    width : float
        From one sign to the next, in steps.
    """
    count = len(room)
    # The most room between two steps, none between neighbours.
    between = np.full((count, count), _LEAST_CHANCE)
    for first in range(count - 2):
        between[first, first + 2 :] = np.maximum.accumulate(room[first + 1 : -1])
    apart = np.where(np.tri(count, dtype=bool), -np.inf, np.log(np.maximum(between, _LEAST_CHANCE)))
    signs = np.log(np.maximum(1 - room, _LEAST_CHANCE))
    away = (np.arange(count) - middles[:, None]) / (_AWAY * width)
    here = signs - 0.5 * away**2
    best, came = here[0], []
    for one in here[1:]:
        ways = best[:, None] + apart
        came.append(ways.argmax(axis=0))
        best = ways.max(axis=0) + one
    found = [int(best.argmax())]
    for before in reversed(came):
        found.append(int(before[found[-1]]))
    return found[::-1]


def _told(chances: NDArray[np.float32], first: int, last: int) -> Seen:
    """Return the chances of the signs of one kind beside the likeliest of it, that first.

    So a figure and a letter are both called possible: which of the two stands there is no question
    to the network.
    """
    own = chances[first:last] / max(float(chances[first:last].max()), 1e-9)
    return tuple(
        (_SIGNS[first + one], round(float(own[one]), 3))
        for one in np.argsort(-own, kind="stable")
        if own[one] >= _LEAST_TOLD
    )
