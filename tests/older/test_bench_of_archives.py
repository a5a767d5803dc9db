"""The bench of older archives fails where a promise is broken: it cannot pass by not looking."""

import io
import sys
from pathlib import Path
from typing import Any

import pydicom
import pytest
from old_instances import an_instance
from pydicom import Dataset

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from migrate_bench.altered import differing
from migrate_bench.memory import Memory
from migrate_bench.proof import decided
from migrate_bench.truth import Truth


def read(**values: Any) -> Dataset:
    return pydicom.dcmread(io.BytesIO(an_instance(**values)))


def a_report(finding: str) -> Dataset:
    report = read(Modality="SR")
    item = Dataset()
    item.TextValue = finding
    report.ContentSequence = [item]
    return report


def test_a_report_that_reads_otherwise_is_altered() -> None:
    """It has no Pixel Data to be compared by."""
    assert differing(a_report("normal"), a_report("normal")) == []
    assert differing(a_report("normal"), a_report("fracture")) == ["ContentSequence"]


def test_identity_may_change_and_nothing_else() -> None:
    """Neither the picture nor what is said of it, nor is anything added."""
    one = read()
    assert differing(one, read(PatientID="1", PatientName="DOE^JOHN", AccessionNumber="2")) == []
    assert differing(one, read(StudyDescription="OTHER")) == ["StudyDescription"]
    assert differing(one, read(seed=5)) == ["PixelData"]
    assert differing(one, read(StudyComments="ADDED")) == ["StudyComments"]


def test_a_wrong_reason_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """So does a study that waits where nothing is wrong."""
    true = {"patient": None, "fault": "reused_number", "expect": "review", "code": "header_differs"}
    right = {"patient": "GEN:1", "fault": "", "expect": "auto", "code": ""}
    truth = Truth({"1.2": true, "1.3": right}, {}, Path())

    def told(code: str, state: str) -> list[str]:
        held = {"issuer": None, "patient_id": None, "state": "review"}
        return decided(
            [
                {"study_instance_uid": "1.2", "reasons": [{"code": code}], **held},
                {"study_instance_uid": "1.3", "reasons": [], **held, "state": state},
            ],
            truth,
        )

    assert told("header_differs", "verified") == []
    (failure,) = told("not_in_index", "verified")
    assert "held for not_in_index instead of header_differs" in failure
    (failure,) = told("header_differs", "review")
    assert "wait that should go by themselves" in failure
    assert "1 of 1 that should go by themselves wait" in capsys.readouterr().out


def test_memory_that_nobody_saw_fails() -> None:
    """A run that is long enough is judged, or it says that it was not looked at."""
    grown = Memory(seen=[(1000, 0, 100 << 20), (20_000, 0, 200 << 20)])
    (failure,) = grown.judged()
    assert "2.00 of what it was" in failure
    (failure,) = Memory(seen=[(20_000, 0, 200 << 20)]).judged()
    assert "nobody looked" in failure
    assert Memory(seen=[(1000, 0, 1 << 20), (6000, 0, 1 << 20)]).judged() == []
    assert Memory(seen=[(300, 0, 1 << 20)]).judged() == []
