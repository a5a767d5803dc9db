"""A large folder looked through, killed half way."""

import hashlib
import time
from io import BytesIO
from pathlib import Path

from orthanc_server import free_port
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from migrate_bench.memory import FLAT, PAGES, mib
from migrate_bench.site import Site, kill, opened_target

__all__ = ["walk"]

_LOOK_S = 1.0


def walk(folder: Path, count: int) -> list[str]:
    """Look through an archive's own storage, killed half way: what it takes, and in what memory."""
    storage = folder / "walked"
    _fill(storage, count)
    port = free_port()
    with opened_target(folder / "target-walk", port) as target:
        site = Site(folder / "data-walk", target, port)
        # No study is started at any hour: the folder is looked through, that is all.
        site.name(str(storage), "storage", "walked", "--pace", "00-24:0")
        found = seconds = 0.0
        for share in (0.5, 1.0):
            started, before, running = time.monotonic(), found, site.start()
            while found < share * count or (share == 1.0 and not site.told()["stocked"]):
                assert running.poll() is None, f"migrate run ended: {running.returncode}"
                time.sleep(_LOOK_S)
                found = site.told()["found"]
                site.memory.sample(running.pid, int(found))
            seconds += time.monotonic() - started
            print(f"walked: {found - before:.0f} files more in {time.monotonic() - started:.0f} s")
            kill(running)
        told = site.told()
    seen = [one for one in site.memory.seen if one[0]]
    first = max((size for at, _, size in seen if at <= count / 5), default=0)
    last = max((size for at, _, size in seen if at >= 0.9 * count), default=0)
    print(f"walked: {told['found']} of {count} files, {count / seconds:.0f} a second with a kill "
          f"and two starts; memory of the largest process {mib(first)} in the first fifth, "
          f"{mib(last)} in the last tenth")  # fmt: skip
    failures = [] if told["found"] == count else [f"walked: {told['found']} of {count} found"]
    if not (first and last):
        failures.append("walked: nobody looked at the memory in the first fifth, or near the end")
    elif last > FLAT * first + PAGES:
        failures.append(f"walked: memory {mib(last)} after {mib(first)}")
    return failures


def _fill(storage: Path, count: int) -> None:
    """Write small instances, ten to a study, under hashed names as archives keep them."""
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    marks = {"SOPInstanceUID": "1.2.3.1", "SeriesInstanceUID": "1.2.3.2",
             "StudyInstanceUID": "1.2.3.3", "PatientID": "4"}  # fmt: skip
    width = 20
    for keyword, mark in marks.items():
        setattr(dataset, keyword, mark.ljust(width, "0"))
    dataset.PatientName, dataset.StudyDate, dataset.Modality = "DOE^JANE", "20030405", "CT"
    dataset.Rows = dataset.Columns = 8
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.SamplesPerPixel, dataset.PixelRepresentation, dataset.HighBit = 1, 0, 7
    dataset.PhotometricInterpretation, dataset.PixelData = "MONOCHROME2", bytes(64)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    template = out.getvalue()
    for number in range(count):
        content = template
        values = number, number // 10, number // 10, number // 40
        for mark, value in zip(marks.values(), values, strict=True):
            new = mark + str(value + 1).rjust(width - len(mark), "0")
            content = content.replace(mark.ljust(width, "0").encode(), new.encode())
        name = hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()
        path = storage / name[:2] / name[2:4] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
