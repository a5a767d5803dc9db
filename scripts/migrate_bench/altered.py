"""Every instance of the archive beside the file it came of, element by element, by pydicom alone.

Nothing of the product is used here: what it says of itself is what is in question.
"""

import hashlib
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from orthanc_server import Orthanc
from pydicom import Dataset, dcmread

from migrate_bench.truth import Truth

__all__ = ["MAY_CHANGE", "differing", "untouched"]

MAY_CHANGE = frozenset(
    ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex",
     "OtherPatientIDs", "OtherPatientNames", "OtherPatientIDsSequence", "AccessionNumber",
     "SpecificCharacterSet", "OriginalAttributesSequence")
)  # fmt: skip
"""What identity and the rules that are built in may change; nothing else may be another."""
_PIXELS, _PADDING = 0x7FE00010, 0xFFFCFFFC


def untouched(target: Orthanc, truth: Truth, stored: int) -> list[str]:
    """Compare what the archive holds with the files, and whose it is there with the truth.

    Parameters
    ----------
    target : Orthanc
    truth : Truth
    stored : int
        How many instances the reconciliation says are stored.
    """
    failures = []
    seen: Counter[str] = Counter()
    recoded = altered = wrong = 0
    for key in target.rest("/instances"):
        url = f"http://127.0.0.1:{target.http_port}/instances/{key}/file"
        with urlopen(url, timeout=30) as answer:
            came = dcmread(BytesIO(answer.read()))
        uid = str(came.SOPInstanceUID)
        seen[uid] += 1
        bearers = [_read(truth.folder / one["path"]) for one in truth.bearers.get(uid, ())]
        if not bearers:
            failures.append(f"{uid} is none of the old archive")
            continue
        owner = truth.studies[str(came.StudyInstanceUID)]["patient"]
        bears = f"{came.get('IssuerOfPatientID', '')}:{came.get('PatientID', '')}"
        if bears != owner:
            wrong += 1
            failures.append(f"{uid}: in the archive under {bears}, and it is of {owner}")
        found = min((differing(one, came) for one in bearers), key=len)
        if found:
            altered += 1
            failures.append(f"{uid}: altered: {', '.join(found)}")
        elif not any(one.get("PixelData") == came.get("PixelData") for one in bearers):
            recoded += 1  # the same values, written in another order of bytes
    twice = sum(count > 1 for count in seen.values())
    print(f"archive: {sum(seen.values())} instances, {twice} twice, {wrong} under a wrong patient, "
          f"{altered} altered, {recoded} with other bytes and the same values")  # fmt: skip
    if twice:
        failures.append(f"{twice} instances are in the archive twice")
    if sum(seen.values()) != stored:
        failures.append(f"{stored} are said to be stored, {sum(seen.values())} are in the archive")
    return failures


def _read(path: Path) -> Dataset:
    return dcmread(path, force=True)


def differing(stored: Dataset, came: Dataset) -> list[str]:
    """Name the elements that are other in a copy than in the file, but those that may change."""
    names = []
    for tag in sorted({*stored.keys(), *came.keys()}):
        one, other = stored.get(tag), came.get(tag)
        if tag.element == 0 or tag == _PADDING:
            continue  # the length of a group need not be told, and padding says nothing
        keyword = (one or other).keyword
        if keyword in MAY_CHANGE:
            continue
        if one is None or other is None:
            if not (one or other).is_empty:
                names.append(keyword or str(tag))
        elif tag == _PIXELS:
            if one.value != other.value and not _same_picture(stored, came):
                names.append(keyword)
        elif one.value != other.value and not (one.is_empty and other.is_empty):
            names.append(keyword or str(tag))
    return names


def _same_picture(stored: Dataset, came: Dataset) -> bool:
    return _decoded(stored) == _decoded(came)


def _decoded(dataset: Dataset) -> tuple[Any, ...]:
    pixels = dataset.pixel_array
    return pixels.shape, hashlib.sha256(pixels.tobytes()).hexdigest()
