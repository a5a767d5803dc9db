"""An old PACS is emptied, asked of Orthanc and of dcmqrscp alike: what is there comes, as it is."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from dcmqrscp_server import Dcmqrscp, dcmqrscp_program
from orthanc_server import Orthanc, free_port, orthanc_program
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file

from digitizer.errors import SettingsError, SourceUnreachable
from digitizer.model.older import Ending, Source, SourceKind
from digitizer.older.offers import every_class
from digitizer.older.pacs import OldPacs
from digitizer.older.peers import read_pacs
from digitizer.rehearsal.old.bad_line import BadLine

KINDS = (
    "CT_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm",
    "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "JPGExtended.dcm",
    "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_jpeg_gdcm.dcm", "image_dfl.dcm", "reportsi.dcm", "rtplan.dcm",
    "ExplVR_BigEnd.dcm",
)  # fmt: skip
RETIRED_ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6"
MIXED = "2.25.7000"
TITLE = "DIGITIZER"


def instance(name: str, study: str, number: int) -> Dataset:
    dataset = dcmread(str(get_testdata_file(name)))
    dataset.StudyInstanceUID = study
    dataset.SeriesInstanceUID = f"{study}.{sum(map(ord, dataset.Modality))}"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{study}.0.{number}"
    dataset.InstanceNumber = number
    dataset.StudyDate, dataset.StudyTime, dataset.SpecificCharacterSet = "20010203", "1011", "ISO_IR 100"  # fmt: skip  # noqa: E501
    dataset.PatientID, dataset.PatientName, dataset.AccessionNumber = "P7", "Müller^Jörg", "A7"
    if name == "ExplVR_BigEnd.dcm":
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = RETIRED_ULTRASOUND
    return dataset


def small_study(number: int) -> Dataset:
    """One instance; every seventh study has no date."""
    dataset = instance("MR_small.dcm", f"2.25.{8000 + number}", 1)
    dataset.PatientID, dataset.PatientName = f"N{number}", f"Åberg^{number}"
    day = f"{1 + number % 28:02d}" if number % 3 else "01"
    dataset.StudyDate = f"2005{1 + number % 3:02d}{day}" if number % 7 else ""
    dataset.StudyTime = f"{number % 24:02d}{number % 60:02d}00" if number % 5 else ""
    return dataset


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All instances that the old archives hold, by SOP Instance UID."""
    folder = tmp_path_factory.mktemp("held")
    files = {}
    mixed = [instance(name, MIXED, number) for number, name in enumerate(KINDS, 1)]
    for dataset in [*mixed, *(small_study(number) for number in range(45))]:
        path = folder / f"{dataset.SOPInstanceUID}.dcm"
        dataset.save_as(path)
        files[str(dataset.SOPInstanceUID)] = path
    return files


@dataclass(frozen=True)
class Old:
    """A running archive; ``listen_port`` is entered in it for us."""

    title: str
    host: str
    port: int
    listen_port: int
    server: Orthanc | Dcmqrscp

    def at(self, port: int) -> "Old":
        return replace(self, port=port)

    def pacs(self, **options: str) -> OldPacs:
        source = Source(
            id="old",
            name="old",
            kind=SourceKind.PACS,
            place=f"{self.title}@{self.host}:{self.port}",
            added_at=datetime.now(UTC),
            options={"timeout": "10", **options},
        )
        return OldPacs(read_pacs(source, TITLE))

    def moving(self) -> OldPacs:
        return self.pacs(retrieve="move", listen_port=str(self.listen_port))


@pytest.fixture(scope="module", params=["orthanc", "dcmqrscp"])
def old(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    held: dict[str, Path],
) -> Iterator[Old]:
    folder, port = tmp_path_factory.mktemp("old"), free_port()
    with ExitStack() as stack:
        server: Orthanc | Dcmqrscp
        if request.param == "orthanc":
            if orthanc_program() is None:
                pytest.skip("Orthanc is not installed")
            server = stack.enter_context(Orthanc(folder, port, TITLE))
            for path in held.values():
                url = f"http://127.0.0.1:{server.http_port}/instances"
                urlopen(Request(url, data=path.read_bytes(), method="POST"), timeout=10).close()
        else:
            if dcmqrscp_program() is None:
                pytest.skip("dcmqrscp is not installed")
            classes = {str(dcmread(path).SOPClassUID) for path in held.values()}
            server = Dcmqrscp(folder / "qr", {TITLE: port}, sorted(classes))
            server.hold(list(held.values()))
            stack.enter_context(server)
        yield Old(server.ae_title, server.host, server.dicom_port, port, server)


def stock(pacs: OldPacs) -> list[str]:
    return [one.study_instance_uid for part, _ in pacs.studies("") for one in part]


def came(contents: Iterator[bytes]) -> dict[str, Dataset]:
    datasets = [dcmread(BytesIO(content)) for content in contents]
    return {str(one.SOPInstanceUID): one for one in datasets}


def test_the_stock_is_whole_past_a_silent_cap(old: Old, held: dict[str, Path]) -> None:
    """Every study is told once, dated or not, by a peer that tells 20 at most and does not say."""
    studies = sorted({name.rsplit(".", 2)[0] for name in held})
    with BadLine(old.host, old.port, cap=20) as line:
        assert sorted(stock(old.at(line.port).pacs())) == studies
        assert line.capped > 20


def test_years_are_asked_for(old: Old) -> None:
    """``from`` and ``to`` bound what is told."""
    assert stock(old.pacs(**{"from": "1999", "to": "2001"})) == [MIXED]
    assert MIXED not in stock(old.pacs(**{"from": "2002"}))


def test_what_a_study_is_told_with(old: Old) -> None:
    """The header is told as it stands, in its own letters."""
    told = [one for part, _ in old.pacs(to="2001").studies("") for one in part]
    (study,) = [one for one in told if one.study_instance_uid == MIXED]
    header = study.header
    assert (header.patient_id, header.name, header.accession_number) == ("P7", "Müller^Jörg", "A7")
    assert study.instances in (len(KINDS), None)  # dcmqrscp counts nothing


def test_everything_comes_as_it_is_stored(old: Old, held: dict[str, Path]) -> None:
    """C-GET brings every kind of instance, retired ones too, compressed ones as they are."""
    pacs = old.pacs()
    listed = pacs.instances(MIXED)
    assert len(listed) == len(KINDS)
    found = came(pacs.fetch(MIXED, listed))
    assert found.keys() == {one.sop_instance_uid for one in listed}
    for uid, dataset in found.items():
        stored = dcmread(held[uid])
        own = stored.file_meta.TransferSyntaxUID
        told = dataset.file_meta.TransferSyntaxUID
        # dcmqrscp writes what is uncompressed anew, in the syntax that it likes best.
        assert told == own or (isinstance(old.server, Dcmqrscp) and not own.is_encapsulated)
        if told == own:
            assert dataset.get("PixelData") == stored.get("PixelData")
        elif "PixelData" in stored:
            assert (dataset.pixel_array == stored.pixel_array).all()


def test_classes_told_of_the_study_as_a_whole(old: Old, held: dict[str, Path]) -> None:
    """Orthanc tells those, and those of each instance where it is asked; dcmqrscp tells neither."""
    pacs = old.pacs()
    tells = isinstance(old.server, Orthanc)
    own = {name: str(dcmread(path).SOPClassUID) if tells else "" for name, path in held.items()}
    assert {one.sop_class_uid for one in pacs.instances(MIXED)} == {""}
    listed = pacs.instances(MIXED, each_class=True)
    each = {one.sop_instance_uid: one.sop_class_uid for one in listed}
    assert each == {one: own[one] for one in held if one.startswith(f"{MIXED}.")}


CLASSES_IN_STUDY = bytes((0x08, 0x00, 0x62, 0x00))
"""SOP Classes in Study (0008,0062) as it stands in a question."""


def test_classes_told_with_the_stock_are_asked_for_no_more(old: Old, held: dict[str, Path]) -> None:
    """A question less for each study; what the peer does not tell is asked for as before."""
    told = {
        one.study_instance_uid: one.classes for part, _ in old.pacs().studies("") for one in part
    }
    own = {str(dcmread(path).SOPClassUID) for name, path in held.items() if name.startswith(MIXED)}
    assert set(told[MIXED]) == (own if isinstance(old.server, Orthanc) else set())
    with BadLine(old.host, old.port, breaks_over=CLASSES_IN_STUDY) as line:
        assert len(old.at(line.port).pacs().instances(MIXED, classes=tuple(own))) == len(KINDS)
        assert not line.aborted


def test_a_stock_of_a_peer_that_breaks_off_over_classes(old: Old) -> None:
    """All is told as without them, and they are asked for no more."""
    with BadLine(old.host, old.port, breaks_over=CLASSES_IN_STUDY) as line:
        assert set(stock(old.at(line.port).pacs())) == set(stock(old.pacs()))
        assert line.aborted == 2


def test_a_peer_that_breaks_off_over_the_classes_of_a_study(old: Old) -> None:
    """It is asked for those of each instance, and over the others no more."""
    with BadLine(old.host, old.port, breaks_over=CLASSES_IN_STUDY) as line:
        pacs = old.at(line.port).pacs()
        for _ in range(2):
            listed = pacs.instances(MIXED)
            assert len(listed) == len(KINDS)
            assert all(one.sop_class_uid for one in listed) == isinstance(old.server, Orthanc)
        # One association may break; a second one says that it does so.
        assert line.aborted == 2


IMAGE_LEVEL = b"IMAGE "
"""Query/Retrieve Level (0008,0052) as it stands in a question about instances."""


def test_a_whole_study_comes_without_a_list(old: Old, held: dict[str, Path]) -> None:
    """The same comes as with a list of it, by C-GET and by C-MOVE, and no instance is asked about.

    dcmqrscp, which tells no classes, uses the first syntax of a class: for it the list is needed.
    """
    own = {str(dcmread(path).SOPClassUID) for name, path in held.items() if name.startswith(MIXED)}
    wanted = {name for name in held if name.startswith(f"{MIXED}.")}
    with BadLine(old.host, old.port, breaks_over=IMAGE_LEVEL) as line:
        for pacs in (old.at(line.port).pacs(), old.at(line.port).moving()):
            ending = Ending()
            found = came(pacs.fetch_whole(MIXED, tuple(own), ending)).keys()
            assert found == wanted or (isinstance(old.server, Dcmqrscp) and set() < found < wanted)
            assert ending.given == (len(wanted) if found == wanted else None)
        assert not line.aborted


@pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning")
def test_what_cannot_be_fetched_whole_is_left_to_the_list(old: Old) -> None:
    """Too many classes for an association, and a peer that is away, are no errors here."""
    ending = Ending()
    assert list(old.pacs().fetch_whole(MIXED, every_class(), ending)) == []
    assert list(old.at(free_port()).pacs().fetch_whole(MIXED, every_class()[:1], ending)) == []
    assert ending.given is None


def test_classes_that_are_not_all_of_a_study(old: Old, held: dict[str, Path]) -> None:
    """What comes is not called whole; some break off over the others."""
    names = [name for name in held if name.startswith(f"{MIXED}.")]
    some = {str(dcmread(held[name]).SOPClassUID) for name in names} - {RETIRED_ULTRASOUND}
    for pacs in (old.pacs(), *([] if isinstance(old.server, Orthanc) else [old.moving()])):
        ending = Ending()
        came(pacs.fetch_whole(MIXED, tuple(some), ending))
        assert ending.given is None


def test_some_of_a_study(old: Old) -> None:
    """What is asked for by name comes, and nothing else."""
    pacs = old.pacs()
    two = pacs.instances(MIXED)[:2]
    assert came(pacs.fetch(MIXED, two)).keys() == {one.sop_instance_uid for one in two}


def test_moving(old: Old) -> None:
    """C-MOVE brings the same to our own port, which is closed again after it."""
    pacs = old.moving()
    for study in ("2.25.8003", MIXED):
        listed = pacs.instances(study)
        found = came(pacs.fetch(study, listed))
        # dcmqrscp proposes what is uncompressed only, unless it is told otherwise.
        plain = {"2.25.8003.0.1"} if study != MIXED else {f"{MIXED}.0.{one}" for one in (1, 3, 4)}
        wanted = {one.sop_instance_uid for one in listed}
        assert plain <= found.keys() <= wanted
        if isinstance(old.server, Orthanc):
            assert found.keys() == wanted


def test_a_destination_that_nobody_knows(old: Old) -> None:
    """The commonest mistake of C-MOVE is told with its remedy."""
    pacs = old.pacs(retrieve="move", listen_port=str(free_port()), move_to="NOBODY")
    with pytest.raises(SourceUnreachable, match="NOBODY"):
        list(pacs.fetch(MIXED, old.pacs().instances(MIXED)))


def test_a_destination_entered_with_another_port(old: Old) -> None:
    """An archive that sends elsewhere, or to a closed port, is told of as well."""
    pacs = old.pacs(retrieve="move", listen_port=str(free_port()))
    with pytest.raises(SourceUnreachable):
        list(pacs.fetch(MIXED, old.pacs().instances(MIXED)))


def test_associations_that_break(old: Old) -> None:
    """What came before the break came; asked again for the rest, everything has come."""
    with BadLine(
        old.host, old.port, abort_every=3 if isinstance(old.server, Dcmqrscp) else 2
    ) as line:
        pacs = old.at(line.port).pacs()
        listed = _patiently(lambda: pacs.instances(MIXED))
        missing = {one.sop_instance_uid: one for one in listed}
        for _ in range(30):
            try:
                for content in pacs.fetch(MIXED, list(missing.values())):
                    missing.pop(str(dcmread(BytesIO(content)).SOPInstanceUID))
            except SourceUnreachable:
                continue
            break
        assert not missing
        assert line.aborted


def _patiently(ask):  # type: ignore[no-untyped-def]
    for _ in range(9):
        try:
            return ask()
        except SourceUnreachable:
            continue
    raise AssertionError("it never answered")


def test_a_peer_that_is_away_for_a_while(old: Old) -> None:
    """A stock that is broken off goes on from its cursor when the peer is back."""
    dated = {"from": "2000"}
    with BadLine(old.host, old.port, cap=20) as line:
        parts = old.at(line.port).pacs(**dated).studies("")
        found, resume = list[str](), ""
        for part, cursor in parts:
            found += [one.study_instance_uid for one in part]
            resume = cursor
            if len(found) > 5:
                break
        line.go_away(3600)
        with pytest.raises(SourceUnreachable):
            list(parts)
        line.go_away(0)
        rest = old.at(line.port).pacs(**dated).studies(resume)
        found += [one.study_instance_uid for part, _ in rest for one in part]
    assert set(found) == set(stock(old.pacs(**dated)))


@pytest.mark.parametrize(
    ("place", "options"),
    [
        ("OLDPACS", {}),
        ("OLDPACS@host:0", {}),
        ("AN AE TITLE TOO LONG@host:104", {}),
        ("OLD@host:104", {"retrieve": "push"}),
        ("OLD@host:104", {"retrieve": "move"}),
        ("OLD@host:104", {"from": "last year"}),
        ("OLD@host:104", {"our_ae": "SEVENTEEN SIGNS !"}),
    ],
)
def test_garbled_options_are_refused(place: str, options: dict[str, str]) -> None:
    """A place or an option that cannot be meant is an error of the settings."""
    source = Source(id="x", name="x", kind=SourceKind.PACS, place=place, added_at=datetime.now(UTC), options=options)  # fmt: skip  # noqa: E501
    with pytest.raises(SettingsError):
        read_pacs(source, TITLE)
