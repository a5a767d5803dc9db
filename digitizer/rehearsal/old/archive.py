"""A made-up old archive on the disk: an old PACS' files, discs, an image of one, a storage folder.

Everything comes of one seed. ``truth.json`` says of each study whose it is and what is wrong with
it, and of each file what it is and what was done to it.
"""

import hashlib
import json
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from random import Random

from pydicom import Dataset, dcmread
from pydicom.uid import UID

from digitizer.rehearsal.exams import write_tables
from digitizer.rehearsal.old.kinds import Kind, encoded, instance_of
from digitizer.rehearsal.old.media import damage, lettered, write_disc, write_image
from digitizer.rehearsal.old.plan import Planned, Says, plan_studies

__all__ = ["MadeArchive", "make_archive"]

_ON_DISCS, _IN_STORAGE = 0.08, 0.12
_OF_A_DISC = 6
"""Studies on one disc."""


@dataclass(slots=True)
class MadeArchive:
    """What was made, and what is true of it.

    Attributes
    ----------
    studies, files : list of dict
        As they stand in ``truth.json``.
    """

    out: Path
    studies: list[dict[str, object]] = field(default_factory=list)
    files: list[dict[str, object]] = field(default_factory=list)

    def paths(self, place: str) -> list[Path]:
        """Return the files of a place (``pacs``, ``discs``, ``storage``), the listed ones only."""
        return [self.out / str(one["path"]) for one in self.files if one["place"] == place]


def make_archive(out: Path, *, studies: int, seed: int) -> MadeArchive:
    """Make an old archive of about ten times as many instances as studies.

    Four in five studies are the old PACS' (``pacs/``, to be loaded into one), the others on discs
    (``discs/``, the first of them as ``disc.iso`` as well) and in a storage folder (``storage/``).
    """
    out = out.resolve()
    rng = Random(seed)
    planned, people, exams = plan_studies(rng, studies, seed)
    out.mkdir(parents=True, exist_ok=True)
    write_tables(out, people, exams, [])
    made = MadeArchive(out)
    for one in planned:
        where = rng.random()
        place = "discs" if where < _ON_DISCS else "storage"
        place = place if where < _ON_DISCS + _IN_STORAGE else "pacs"
        made.studies.append(_truth_of(one, place))
        _write_study(made, rng, one, place)
    _press_discs(made)
    damage(made.out, made.files, rng)
    (out / "truth.json").write_text(
        json.dumps({"seed": seed, "studies": made.studies, "files": made.files}, indent=1)
    )
    return made


def _truth_of(one: Planned, place: str) -> dict[str, object]:
    owner = one.owner
    return {
        "study": one.uid,
        "place": place,
        "modality": one.kind.modality,
        "patient": f"{owner.issuer}:{owner.patient_id}" if owner else None,
        "accession": one.exam.accession if one.owner else None,
        "fault": one.fault,
        "expect": one.expect,
        "code": one.code,
    }


def _write_study(made: MadeArchive, rng: Random, one: Planned, place: str) -> None:
    number = 0
    for at, kind in enumerate((one.kind, *one.beside), 1):
        syntax = rng.choice(kind.syntaxes)
        series = f"2.25.{rng.getrandbits(120)}"
        for _ in range(rng.randint(*kind.count)):
            number += 1
            says = one.others if one.others and number % 2 == 0 else one.says
            dataset = _instance(rng, one, kind, says, series, at, number)
            content = encoded(dataset, syntax)
            _keep(made, place, one, number, dataset, syntax, content)


def _instance(
    rng: Random, one: Planned, kind: Kind, says: Says, series: str, at: int, number: int
) -> Dataset:
    dataset = instance_of(kind, rng)
    dataset.SOPInstanceUID = UID(f"2.25.{rng.getrandbits(120)}")
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = UID(one.uid), UID(series)
    dataset.SeriesNumber, dataset.InstanceNumber = at, number
    dataset.SeriesDescription, dataset.StudyID = f"{kind.modality} {at}", str(one.number)
    dataset.AccessionNumber = one.accession
    dataset.StudyDate, dataset.StudyTime = one.study_date, f"{7 + one.number % 12:02d}1500"
    dataset.StudyDescription = one.exam.description
    dataset.PatientBirthDate, dataset.PatientSex = says.birth_date, says.sex
    dataset.PatientID, dataset.IssuerOfPatientID = says.patient_id, says.issuer
    # The bytes of the name are written as they are to be, whatever the header declares.
    declared = {"latin-1": "ISO_IR 100", "utf-8": "ISO_IR 192"}[one.written]
    dataset.SpecificCharacterSet = declared
    dataset.PatientName = says.name
    if one.fault == "burned_in":
        dataset.BurnedInAnnotation = "YES"
        _burn_in(dataset)
    return dataset


def _burn_in(dataset: Dataset) -> None:
    """Write another patient's name into the picture."""
    if dataset.get("BitsAllocated") == 8 and dataset.get("SamplesPerPixel") == 1:
        dataset.PixelData = lettered(dataset, "FERRARI GIOVANNI")


def _keep(
    made: MadeArchive,
    place: str,
    one: Planned,
    number: int,
    dataset: Dataset,
    syntax: UID,
    content: bytes,
) -> None:
    content = _misdeclared(one, content)
    folder = f"{place}/{one.number:05d}"
    if place == "discs":
        folder = f"discs/raw/{one.number:05d}"
    path = made.out / folder / f"{number:04d}.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    made.files.append(
        {
            "place": place,
            "path": path.relative_to(made.out).as_posix(),
            "study": one.uid,
            "sop_instance": str(dataset.SOPInstanceUID),
            "sop_class": str(dataset.SOPClassUID),
            "syntax": str(syntax),
            "pixels": _pixels(content),
            "fault": "",
        }
    )


def _misdeclared(one: Planned, content: bytes) -> bytes:
    """Change what the header declares of its letters, and nothing else: byte for byte."""
    if one.charset == "ISO_IR 192":
        return content
    declared = {"latin-1": b"ISO_IR 100", "utf-8": b"ISO_IR 192"}[one.written]
    said = (one.charset or "").encode().ljust(len(declared))
    return content.replace(declared, said, 1)


def _pixels(content: bytes) -> str:
    """Return the hash of Pixel Data as it is encoded; empty where there is none."""
    data = dcmread(BytesIO(content)).get("PixelData")
    return hashlib.sha256(data).hexdigest() if data is not None else ""


def _press_discs(made: MadeArchive) -> None:
    """Put what is meant for discs onto discs, each with its DICOMDIR, the first as an image too."""
    mine = [one for one in made.files if one["place"] == "discs"]
    studies = list(dict.fromkeys(str(one["study"]) for one in mine))
    for start in range(0, len(studies), _OF_A_DISC):
        some = set(studies[start : start + _OF_A_DISC])
        disc = made.out / "discs" / f"DISC{start // _OF_A_DISC + 1:03d}"
        write_disc(made.out, disc, [one for one in mine if one["study"] in some])
    raw = made.out / "discs" / "raw"
    for path in sorted(raw.rglob("*"), reverse=True) if raw.exists() else ():
        path.rmdir() if path.is_dir() else path.unlink()
    if raw.exists():
        raw.rmdir()
    first = made.out / "discs" / "DISC001"
    if first.exists():
        write_image(first, made.out / "disc.iso")
