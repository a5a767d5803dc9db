"""What posteriors may claim follows from what was measured, class by class."""

import pytest

from digitizer.identity import Caps, EvidenceClass, ExamEvidence, PolicySettings


def counts(**classes: tuple[int, int]) -> dict[str, dict[str, int]]:
    return {kind: {"wrong": wrong, "filed": filed} for kind, (wrong, filed) in classes.items()}


def test_a_class_is_capped_at_the_upper_bound_of_its_own_rate() -> None:
    """The rule of three, nearly; and less for one in which something went wrong."""
    caps = Caps.of({"patient": counts(number=(0, 100_000), tied=(2, 100_000)), "exam": counts(number=(0, 1000))})  # fmt: skip # noqa: E501
    assert 1 - caps.patient["number"] < 3 / 100_000
    assert 1 - caps.patient["tied"] == pytest.approx(6.3e-5, rel=0.01)


def test_a_class_that_was_not_measured_claims_less_than_all_together() -> None:
    """Half of what the others were measured is believed of it."""
    caps = Caps.of({"patient": counts(number=(0, 100_000)), "exam": counts(number=(0, 1000))})
    assert 1 - caps.patient["accession"] == pytest.approx(3 / 50_000, rel=0.01)
    assert 1 - caps.exam["minted"] == pytest.approx(3 / 500, rel=0.01)


def test_nothing_measured_claims_nothing() -> None:
    """No film was ever filed so."""
    caps = Caps.of({"patient": counts(number=(0, 0)), "exam": counts(number=(0, 0))})
    assert set(caps.patient.values()) == {0.0}


def test_the_caps_of_the_product_allow_what_the_default_budget_asks() -> None:
    """Each class of evidence may be filed; with what was measured kept beside it."""
    caps, policy = Caps.measured(), PolicySettings()
    assert set(caps.patient) == {kind.value for kind in EvidenceClass}
    assert set(caps.exam) == {kind.value for kind in ExamEvidence}
    assert min(caps.patient.values()) >= policy.least_posterior
    assert max(caps.patient.values()) < 1
