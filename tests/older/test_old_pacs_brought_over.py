"""A made-up old PACS on a bad line comes over to the instance, and nothing to a wrong patient."""

import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import pydicom
import pytest
from old_town import OldSite
from orthanc_server import Orthanc, free_port, orthanc_program
from pydicom.uid import JPEGBaseline8Bit

from digitizer import dicom
from digitizer.index.csv import read_exams, read_patients
from digitizer.ledger import SqlPatientIndex
from digitizer.model.older import OldStudy, Source, SourceKind
from digitizer.model.reasons import Code
from digitizer.model.states import State
from digitizer.pipeline.older import reconcile
from digitizer.pipeline.older.plan import plan_source
from digitizer.pipeline.older.sources import add_source
from digitizer.rehearsal.old import BadLine, MadeArchive, make_archive

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"
)


@dataclass(frozen=True)
class Brought:
    """What became of it."""

    made: MadeArchive
    site: OldSite
    line: BadLine
    source: Source

    @property
    def truth(self) -> dict[str, dict[str, Any]]:
        return {str(one["study"]): one for one in self.made.studies if one["place"] == "pacs"}

    @property
    def files(self) -> dict[str, dict[str, Any]]:
        return {str(one["sop_instance"]): one for one in self.made.files if one["place"] == "pacs"}


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brought]:
    if orthanc_program() is None:
        pytest.skip("Orthanc is not installed")
    folder = tmp_path_factory.mktemp("brought")
    made = make_archive(folder / "made", studies=14, seed=52)
    with ExitStack() as stack:
        old = stack.enter_context(Orthanc(folder / "old", free_port(), "FIRST"))
        for path in made.paths("pacs"):
            url = f"http://127.0.0.1:{old.http_port}/instances"
            urlopen(Request(url, data=path.read_bytes(), method="POST"), timeout=10).close()
        line = BadLine(old.host, old.dicom_port, cap=10, abort_every=9)
        stack.enter_context(line)
        site = stack.enter_context(OldSite.at(folder / "site"))
        index = site.services.index
        assert isinstance(index, SqlPatientIndex)
        assert not index.import_patients(read_patients(made.out / "patients.csv")).refused
        assert not index.import_exams(read_exams(made.out / "exams.csv")).refused
        source = add_source(
            site.services, "old", SourceKind.PACS, f"ORTHANC@127.0.0.1:{line.port}", user="ann",
            issuer="CITYGEN", options={"timeout": "10"},
        )  # fmt: skip
        site.work(source, patience_s=200.0)
        yield Brought(made, site, line, source)


def test_it_reconciles_to_the_instance(brought: Brought) -> None:
    """What the peer says, what came, what was stored and what was read back are the same."""
    with brought.site.services.ledger.reading() as view:
        told = reconcile.source_json(view, view.get(Source, brought.source.id))
    assert told["told"] == {"studies": len(brought.truth), "instances": len(brought.files)}
    assert told["found"] == told["taken"] == len(brought.files)
    assert told["balanced"]
    assert told["settled"]
    # The archive takes no JPEG baseline: such a study is held, what it took is told.
    with brought.site.services.ledger.reading() as view:
        half = [
            row
            for study in view.old_studies(source_id=brought.source.id, code=Code.KIND_REFUSED)
            for row in view.old_instances(study_id=study.id)
            if row.state is State.STORED
        ]
    assert told["stored"] == told["verified"] + len(half) > 50
    assert brought.line.aborted
    assert brought.line.capped


def test_the_plan_names_what_the_archive_refuses(brought: Brought) -> None:
    """By kind and encoding, with how many there are and what can be done."""
    lossy = Counter(
        (str(one["sop_class"]), str(one["syntax"]))
        for one in brought.files.values()
        if one["syntax"] == JPEGBaseline8Bit
    )
    assert lossy
    document = plan_source(brought.site.services, brought.source)
    assert document["archive_asked"]
    assert {
        (one["sop_class_uid"], one["transfer_syntax_uid"]): one["instances"]
        for one in document["archive_refuses"]
    } == lossy
    assert all("before the start" in one["remedy"] for one in document["archive_refuses"])


def test_nothing_goes_to_a_wrong_patient(brought: Brought) -> None:
    """Studies that are right go by themselves; those whose fault hides whose they are do not."""
    for study in brought.site.studies():
        true = brought.truth[study.study_instance_uid]
        if study.decision is not None:
            assert f"{study.issuer}:{study.patient_id}" == true["patient"]
        if true["expect"] == "review":
            assert study.state is State.REVIEW
        if true["code"]:
            assert study.code == true["code"]
    by_itself = {one.study_instance_uid for one in brought.site.studies(State.VERIFIED)}
    refused = {
        one.study_instance_uid
        for one in brought.site.studies(State.REVIEW)
        if one.code == Code.KIND_REFUSED
    }
    right = {uid for uid, one in brought.truth.items() if one["expect"] == "auto"} - refused
    assert len(by_itself & right) >= 0.8 * len(right)


def test_no_picture_is_altered(brought: Brought) -> None:
    """Pixel Data in the archive is that of the file it was made from, byte for byte.

    What is not compressed, and is taken in another syntax only, has the same values.
    """
    seen = 0
    for study in brought.site.studies(State.VERIFIED):
        for uid, content in _kept(brought.site, study).items():
            dataset, true = pydicom.dcmread(io.BytesIO(content)), brought.files[uid]
            data = dataset.get("PixelData")
            seen += 1
            if true["syntax"] == str(dataset.file_meta.TransferSyntaxUID):
                assert true["pixels"] == (hashlib.sha256(data).hexdigest() if data else "")
            else:
                stored = pydicom.dcmread(brought.made.out / true["path"])
                assert not stored.file_meta.TransferSyntaxUID.is_encapsulated
                if data is not None:
                    assert (stored.pixel_array == dataset.pixel_array).all()
    assert seen > 50


def _kept(site: OldSite, study: OldStudy) -> dict[str, bytes]:
    """Return what the archive keeps of a study, by SOP Instance UID."""
    assert study.decision is not None
    uid = study.decision.study_instance_uid
    with site.services.ledger.reading() as view:
        rows = view.old_instances(study_id=study.id)
    kinds = sorted({(row.sop_class_uid, row.transfer_syntax_uid) for row in rows})
    found: dict[str, bytes] = {}
    for plain in (False, True):
        if len(found) < len(rows):
            for one in site.services.archive.retrieve_all(uid, kinds, plain=plain):
                found.setdefault(one.sop_instance_uid, dicom.part10(one))
    assert found.keys() == {row.outgoing_uid for row in rows}
    return found
