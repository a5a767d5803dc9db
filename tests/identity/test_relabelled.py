"""A jacket whose label was stuck over another patient's: nothing of it goes to the older one."""

from datetime import date

import pytest

from digitizer import reading
from digitizer.engines import EngineSheetReader
from digitizer.identity import PaperCase, PolicySettings, decide_paper
from digitizer.model.identity import Outcome
from digitizer.model.reading import FieldSource
from digitizer.model.reasons import Code
from digitizer.rehearsal.people import CITY, Person
from digitizer.rehearsal.specimens import draw_relabelled

RULES = reading.ReadingRules()
OLDER = Person("4711822", CITY, "OKONKWO", "JANE", "", "", date(1931, 4, 2), "F")
"""In the index, as in conftest."""
NEWER = Person("9155302", CITY, "BRANDT", "THEODOR", "", "", date(1908, 11, 17), "M")
"""Not in the index."""


def decided(said, index):
    paper = PaperCase(id="label", testimony=said, label=said, record=None)
    return decide_paper(paper, index, PolicySettings())


@pytest.fixture(scope="module")
def labels():
    """Testimonies of drawn labels, over and under each other."""
    reader = EngineSheetReader()
    drawn = [draw_relabelled((41, n), (OLDER, []), (NEWER, []), wear=0.3) for n in range(9, 12)]
    return [
        reading.testimony(reader.read_label(one.pixels), FieldSource.LABEL, RULES) for one in drawn
    ]


def test_a_label_over_another_is_not_filed_to_the_older_one(labels, index):
    """Whom the newer one names is not in the index; the older one may still say all of itself."""
    verdicts = [decided(said, index) for said in labels]
    assert {one.outcome for one in verdicts} == {Outcome.REVIEW}
    alone = (Code.SEVERAL_IDENTITIES,)
    assert alone in [tuple(one.code for one in verdict.reasons) for verdict in verdicts]


def test_the_older_label_by_itself_is_filed(index):
    """So that it is the newer one that holds it."""
    lines = ("OKONKWO, JANE", "MRN 4711822", "DOB 04/02/1931")
    said = reading.testimony_of_lines(lines, (), FieldSource.LABEL, RULES)
    verdict = decided(said, index)
    assert verdict.outcome is Outcome.AUTO
    assert verdict.patient.patient_id == OLDER.patient_id
