"""How well fields are read at a site is estimated from its own films."""

from pathlib import Path

import pytest
from jackets import Site, an_exam, somebody

from digitizer.errors import UsageError
from digitizer.pipeline.weights import estimate_weights

JANE = somebody("4711822", "OKONKWO^JANE", "1931-04-02")
JOAN = somebody("4711823", "OKONKWO^JOAN", "1931-04-02")
LABEL = ["OKONKWO, JANE", "MRN 4711822", "DOB 04/02/1931"]
FULL = [*LABEL, "ACC R78-01234"]
MISREAD = ["OKONKWO, JANE", "MRN 4711922", "DOB 04/02/1931", "ACC R78-01234"]
EXAM = an_exam("R78-01234", "4711822", "1978-03-12", "CHEST", None)


def test_misread_numbers_show(tmp_path: Path) -> None:
    """Every second film bears its number with one character wrong."""
    site = Site.at(tmp_path / "data", [JANE, JOAN], [EXAM])
    site.jacket("J1", LABEL, *[FULL, MISREAD] * 20)
    found = estimate_weights(site.services)
    assert site.film("J1-f2").decision is not None
    number = found["fields"]["patient_id"]["m"]
    assert number["agrees"] == pytest.approx(0.5, abs=0.1)
    assert number["similar"] == pytest.approx(0.5, abs=0.1)
    assert found["fields"]["given_name"]["u"]["disagrees"] > 0.5
    assert found["pairs"] >= 80


def test_an_empty_site_has_nothing_to_estimate_from(tmp_path: Path) -> None:
    """It says so."""
    with pytest.raises(UsageError, match="no films"):
        estimate_weights(Site.at(tmp_path / "data", [JANE], []).services)
