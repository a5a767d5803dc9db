"""Optical density: a monotone curve from pixel values, and captures that store density itself.

Optical density is -log10 of the transmitted part of the light. The curve runs through the measured
steps of a certified tablet: between them it interpolates, beyond them it goes on straight.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from digitizer.model.density import DensityCurve, StepResult
from digitizer.model.instance import DensityScale, Rendered, Window
from digitizer.model.raster import Polarity, Raster

if TYPE_CHECKING:
    from scipy.interpolate import PchipInterpolator

__all__ = [
    "NOISE_LIMIT_OD",
    "UnfitSteps",
    "drift",
    "fit_curve",
    "in_density",
    "od_of",
    "step_results",
    "uniformity",
    "usable_range",
    "value_of",
]

NOISE_LIMIT_OD = 0.02
"""Noise of one pixel up to which a density is usable: ISO 14096-1 asks a digitizer to tell steps of
0.02 apart on its reference film."""
_ROUNDING = 12**-0.5
"""Standard deviation that rounding to whole values leaves. A step that is all one value shows no
spread, and densities within that value are not told apart all the same."""
_LEAST_STEPS = 6
_DARKEST = 0.5
"""Taken for the value 0 where a logarithm is needed: half of the least step."""
_PER_THOUSANDTH = 16
"""Stored values per thousandth of optical density: 65536 of them span OD 4.096 (DESIGN §6)."""
_MOST = 65535
_FIELD_CELLS = 16
_FIELD_RIM = 0.06
"""Part of the bed at its rim that is left out: lids, rulers and the ends of the lamp."""

Vector = NDArray[np.float64]


class UnfitSteps(ValueError):
    """The measured steps are no calibration; the text says why."""


def fit_curve(values: Sequence[float], densities: Sequence[float]) -> DensityCurve:
    """Fit the curve through measured steps, over the value or its logarithm, whichever fits better.

    Parameters
    ----------
    values : sequence of float
        Mean pixel values of the steps; those that do not go on rising (or falling) with density
        are left out, for there the scanner has come to its end.
    densities : sequence of float
        Their certified optical densities.

    Raises
    ------
    UnfitSteps
        Fewer than six steps can be told apart.

    References
    ----------
    Fritsch and Carlson, Monotone piecewise cubic interpolation, SIAM J. Numer. Anal. 17 (1980).
    """
    value, density = _distinct(values, densities)
    curves = [_through(value, density, logarithmic=one) for one in (True, False)]
    return min(curves, key=lambda curve: float(np.square(_left_out(curve)).mean()))


def _distinct(values: Sequence[float], densities: Sequence[float]) -> tuple[Vector, Vector]:
    """Return the longest run of steps, from the lightest on, whose values go one way."""
    order = np.argsort(densities)
    density = np.asarray(densities, dtype=np.float64)[order]
    value = np.asarray(values, dtype=np.float64)[order]
    way = np.sign(value[-1] - value[0])
    kept = [0]
    for n in range(1, len(value)):
        if (value[n] - value[kept[-1]]) * way > 0 and density[n] > density[kept[-1]]:
            kept.append(n)
        elif n < len(value) // 2:
            # The light end is saturated: begin behind it.
            kept = [n]
    if len(kept) < _LEAST_STEPS:
        raise UnfitSteps(
            f"Only {len(kept)} steps can be told apart; a calibration needs {_LEAST_STEPS} or more."
        )
    return value[kept], density[kept]


def _through(value: Vector, density: Vector, *, logarithmic: bool) -> DensityCurve:
    order = np.argsort(value)
    return DensityCurve(
        values=tuple(float(one) for one in value[order]),
        densities=tuple(float(one) for one in density[order]),
        logarithmic=logarithmic,
    )


def _abscissa(curve: DensityCurve, values: Vector) -> Vector:
    return np.log10(np.maximum(values, _DARKEST)) if curve.logarithmic else values


def _interpolator(curve: DensityCurve) -> "PchipInterpolator":
    at = _abscissa(curve, np.array(curve.values))
    return _monotone(at, np.array(curve.densities), extrapolate=False)


def _monotone(at: Vector, density: Vector, *, extrapolate: bool = True) -> "PchipInterpolator":
    # Imported where it is used: it takes a third of a second, and few commands need it.
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(at, density, extrapolate=extrapolate)


def od_of(curve: DensityCurve, values: NDArray[np.generic]) -> Vector:
    """Return the optical densities that pixel values stand for.

    Beyond the first and the last step the curve goes on straight, with the slope between the two
    steps at that end: a guess that the usable range of the profile does not vouch for.

    Parameters
    ----------
    curve : DensityCurve
    values : ndarray
        Pixel values as stored in the file.
    """
    at = _abscissa(curve, np.asarray(values, dtype=np.float64))
    knots = _abscissa(curve, np.array(curve.values))
    inside = _interpolator(curve)(np.clip(at, knots[0], knots[-1]))
    density = np.array(curve.densities)
    first, last = ((density[n + 1] - density[n]) / (knots[n + 1] - knots[n]) for n in (0, -2))
    below, above = np.minimum(at - knots[0], 0), np.maximum(at - knots[-1], 0)
    return np.asarray(inside + below * first + above * last, dtype=np.float64)


def value_of(curve: DensityCurve, density: float) -> float:
    """Return the pixel value that stands for a density between the first and the last step."""
    at = _abscissa(curve, np.array(curve.values))
    fine = np.linspace(at[0], at[-1], 4096)
    found = np.asarray(_interpolator(curve)(fine))
    order = np.argsort(found)
    place = float(np.interp(density, found[order], fine[order]))
    return 10**place if curve.logarithmic else place


def _left_out(curve: DensityCurve) -> Vector:
    """Return, for each inner knot, what the curve without it says less what the knot says."""
    at = _abscissa(curve, np.array(curve.values))
    density = np.array(curve.densities)
    misses = []
    for n in range(1, len(at) - 1):
        others = np.arange(len(at)) != n
        misses.append(float(_monotone(at[others], density[others])(at[n]) - density[n]))
    return np.array(misses)


def step_results(
    curve: DensityCurve,
    values: Sequence[float],
    spreads: Sequence[float],
    densities: Sequence[float],
) -> tuple[StepResult, ...]:
    """Return what each step shows of the curve: its residual when left out, and its noise.

    Noise is that of one pixel, and no less than rounding leaves.

    Parameters
    ----------
    curve : DensityCurve
        Fitted to these steps.
    values, spreads : sequence of float
        Mean and standard deviation of the pixel values inside each step.
    densities : sequence of float
    """
    missed = dict(zip(curve.densities[1:-1], _left_out(curve), strict=True))
    results = []
    at, told = _abscissa(curve, np.array(curve.values)), np.array(curve.densities)
    slopes = np.abs(np.diff(told) / np.diff(at))
    # The steeper of both sides: noise is not to look smaller than it is.
    steeper = np.maximum(np.append(slopes, 0), np.insert(slopes, 0, 0))
    if curve.logarithmic:
        steeper /= np.maximum(np.array(curve.values), _DARKEST) * np.log(10)
    slope_at = dict(zip(curve.densities, steeper, strict=True))
    for value, spread, density in zip(values, spreads, densities, strict=True):
        results.append(
            StepResult(
                density=density,
                value=value,
                spread=spread,
                noise_od=float(slope_at[density]) * max(spread, _ROUNDING)
                if density in slope_at
                else None,
                residual_od=missed.get(density),
            )
        )
    return tuple(sorted(results, key=lambda one: one.density))


def usable_range(steps: Sequence[StepResult]) -> tuple[float, float]:
    """Return the densities between which one pixel's noise stays within :data:`NOISE_LIMIT_OD`.

    From the lightest step that holds on to where the noise, rising steadily from one step to the
    next, crosses the limit; the two are equal where no step holds.
    """
    told = [one for one in steps if one.noise_od is not None]
    good = [one.noise_od <= NOISE_LIMIT_OD for one in told if one.noise_od is not None]
    if not any(good):
        return (told[0].density, told[0].density) if told else (0.0, 0.0)
    first = good.index(True)
    last = first
    while last + 1 < len(good) and good[last + 1]:
        last += 1
    high = told[last].density
    if last + 1 < len(told):
        ends = told[last], told[last + 1]
        noise = [np.log(max(one.noise_od or 0.0, 1e-9)) for one in ends]
        part = (np.log(NOISE_LIMIT_OD) - noise[0]) / (noise[1] - noise[0])
        high += float(part) * (ends[1].density - ends[0].density)
    return told[first].density, round(high, 3)


def drift(before: DensityCurve, now: DensityCurve, density: float) -> float | None:
    """Return by how much the value that meant a density before now means another.

    None where either curve does not reach it.
    """
    if not all(min(one.densities) <= density <= max(one.densities) for one in (before, now)):
        return None
    return float(od_of(now, np.array([value_of(before, density)]))[0] - density)


def uniformity(raster: Raster, curve: DensityCurve) -> float:
    """Return the peak-to-peak optical density over the bed of a scan of an even field.

    Medians of 16 by 16 cells: dust and noise do not count.
    """
    rows, columns = raster.pixels.shape[:2]
    y, x = int(rows * _FIELD_RIM), int(columns * _FIELD_RIM)
    field = raster.pixels[y : rows - y, x : columns - x]
    cells = [
        float(np.median(cell))
        for band in np.array_split(field, _FIELD_CELLS)
        for cell in np.array_split(band, _FIELD_CELLS, axis=1)
    ]
    return float(np.ptp(od_of(curve, np.array(cells))))


def in_density(rendered: Rendered, curve: DensityCurve) -> Rendered:
    """Return a capture that tells optical density, with no value of the scanner lost.

    Density itself is stored where different values of the scanner stay different: with 16 stored
    values to a thousandth, or as many as the span leaves room for. A scanner that is linear in
    light has more values at its bright end than any such scale; its own values are stored then,
    with a table from each to its density (Modality LUT, PS3.3 C.11.1).

    Parameters
    ----------
    rendered : Rendered
        Grey, in the scanner's own values.
    curve : DensityCurve
        Of that scanner, for its bits and polarity.

    Returns
    -------
    Rendered
        Dark film has high values (MONOCHROME1); the window is in thousandths of density.
    """
    every = np.arange(1 << rendered.bits)
    density = od_of(curve, every) * 1000.0
    seen = np.bincount(rendered.pixels.ravel(), minlength=every.size) > 0
    if rendered.padding is not None:
        seen[rendered.padding] = False
    used = every[seen]
    window = _window_in(rendered.window, density)
    for scale in _scales(density[used]):
        stored = np.rint((density - scale.intercept) / scale.slope)
        inside = stored[used]
        if inside.min() < 0 or inside.max() >= _MOST or len(np.unique(inside)) < len(used):
            continue
        padding = None
        table = np.clip(stored, 0, _MOST).astype(np.uint16)
        if rendered.padding is not None:
            padding = int(inside.max()) + 1
            table[rendered.padding] = padding
        return replace(
            rendered,
            pixels=table[rendered.pixels],
            bits=16,
            polarity=Polarity.MONOCHROME1,
            padding=padding,
            window=window,
            density=scale,
        )
    table = np.clip(np.rint(density), 0, _MOST).astype(np.uint16)
    return replace(
        rendered,
        polarity=Polarity.MONOCHROME1,
        window=window,
        density=DensityScale(table=table),
    )


def _scales(density: Vector) -> tuple[DensityScale, ...]:
    """Return the scales to try: the plain one, then the finest that spans these thousandths."""
    intercept = float(min(0, np.floor(density.min())))
    plain = DensityScale(slope=1 / _PER_THOUSANDTH, intercept=intercept)
    lowest = float(np.floor(density.min()))
    finest = max((float(density.max()) - lowest) / (_MOST - 1), 1e-3)
    return plain, DensityScale(slope=float(f"{finest * (1 + 1e-5):.8g}"), intercept=lowest)


def _window_in(window: Window | None, density: Vector) -> Window | None:
    if window is None:
        return None
    ends = np.clip([window.center - window.width / 2, window.center + window.width / 2],
                   0, density.size - 1)  # fmt: skip
    low, high = np.sort(np.interp(ends, np.arange(density.size), density))
    return Window(center=round(float(low + high) / 2, 1), width=round(max(high - low, 2.0), 1))
