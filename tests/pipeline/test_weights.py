"""How well fields are read at a site is estimated from its own films."""

from pathlib import Path

import pytest
from jackets import Site, an_exam, somebody

from digitizer.errors import UsageError
from digitizer.model.identity import Agreement
from digitizer.model.reading import FieldName
from digitizer.pipeline.weights import (
    adopt_weights,
    adopted_weights,
    drop_weights,
    estimate_weights,
)

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


def weighed(site: Site, film: str) -> tuple[str, float]:
    """Return the weights that a film was decided with, and what its best candidate weighed."""
    with site.services.ledger.reading() as view:
        told = next(one.payload for one in view.events(film) if "candidates" in one.payload)
    return told["weights"], told["candidates"][0]["weight"]


def test_weights_are_adopted_by_a_person_kept_and_dropped_again(tmp_path: Path) -> None:
    """A misread number then says more, for here they often are; a right one a little less."""
    site = Site.at(tmp_path / "data", [JANE, JOAN], [EXAM])
    site.jacket("J1", LABEL, *[FULL, MISREAD] * 20)
    with pytest.raises(UsageError, match="300 are needed"):
        adopt_weights(site.services, user="ann", reason_text="many are misread")
    with pytest.raises(UsageError, match="reason"):
        adopt_weights(site.services, user="ann", reason_text=" ", least=20)
    assert adopted_weights(site.services).name == ""
    weights = adopt_weights(site.services, user="ann", reason_text="many are misread", least=20)
    assert adopted_weights(site.services) == weights
    number = weights.film[FieldName.PATIENT_ID]
    assert number[Agreement.SIMILAR] == 3.0
    assert -1.5 < number[Agreement.AGREES] < -0.5
    # In a jacket without a label, so that nothing but the film is weighed.
    site.jacket("J2", [], FULL, MISREAD)
    (name, right), (_, wrong) = weighed(site, "J2-f1"), weighed(site, "J2-f2")
    assert name == weights.name == "adopted-1"
    drop_weights(site.services, user="ann", reason_text="the scanner is mended")
    site.jacket("J3", [], FULL, MISREAD)
    assert weighed(site, "J3-f1")[0] == "built-in"
    assert weighed(site, "J3-f1")[1] > right
    assert weighed(site, "J3-f2")[1] < wrong
    with site.services.ledger.reading() as view:
        kept = [(one.name, one.actor, one.payload["why"]) for one in view.events("weights")]
    assert kept == [
        ("weights_adopted", "ann", "many are misread"),
        ("weights_dropped", "ann", "the scanner is mended"),
    ]


def test_an_empty_site_has_nothing_to_estimate_from(tmp_path: Path) -> None:
    """It says so."""
    with pytest.raises(UsageError, match="no films"):
        estimate_weights(Site.at(tmp_path / "data", [JANE], []).services)
