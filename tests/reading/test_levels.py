"""Quantiles by counting are those by sorting."""

import numpy as np
import pytest

from digitizer.reading import levels


@pytest.mark.parametrize(("kind", "most"), [(np.uint8, 255), (np.uint16, 65_535)])
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (7, 11), (90, 40)])
def test_levels_are_numpys_quantiles(kind: type, most: int, shape: tuple[int, int]) -> None:
    """Interpolated between neighbours, the ends included."""
    picture = np.random.default_rng(4).integers(0, most, shape, endpoint=True).astype(kind)
    shares = (0.0, 0.002, 0.5, 0.873, 1.0)
    assert levels(picture, *shares) == pytest.approx(np.quantile(picture, shares).tolist())
