"""m and u are found again from pairs whose truth nobody tells."""

from random import Random

import pytest

from digitizer.identity.estimation import Pattern, estimate
from digitizer.model.identity import Agreement
from digitizer.model.reading import FieldName

LEVELS = (Agreement.AGREES, Agreement.SIMILAR, Agreement.DISAGREES)
M = {
    FieldName.PATIENT_ID: (0.90, 0.08, 0.02),
    FieldName.FAMILY_NAME: (0.85, 0.13, 0.02),
    FieldName.BIRTH_DATE: (0.93, 0.05, 0.02),
}
U = {
    FieldName.PATIENT_ID: (0.01, 0.09, 0.90),
    FieldName.FAMILY_NAME: (0.30, 0.05, 0.65),
    FieldName.BIRTH_DATE: (0.05, 0.05, 0.90),
}


def pairs(count: int, share: float) -> list[Pattern]:
    rng = Random(5)
    made = []
    for _ in range(count):
        chances = M if rng.random() < share else U
        made.append(
            {
                name: rng.choices(LEVELS, levels)[0]
                for name, levels in chances.items()
                if rng.random() > 0.2
            }
        )
    return made


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_m_u_and_the_share_of_matches_are_found_again(share: float) -> None:
    """Within what chance allows, a fifth of the fields unread."""
    found = estimate((one, None) for one in pairs(20_000, share))
    assert found.share == pytest.approx(share, abs=0.02)
    for name in M:
        for at, how in enumerate(LEVELS):
            assert found.m[name][how] == pytest.approx(M[name][at], abs=0.03)
            assert found.u[name][how] == pytest.approx(U[name][at], abs=0.03)
    assert found.bits(FieldName.PATIENT_ID, Agreement.AGREES) == pytest.approx(6.5, abs=1.0)


def test_nothing_to_learn_from_is_told() -> None:
    """No pairs, or pairs of which nothing was read."""
    with pytest.raises(ValueError, match="nothing"):
        estimate([({}, None), ({FieldName.SEX: Agreement.MISSING}, True)])
