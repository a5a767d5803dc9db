"""What was promised, compared with the truth and with what is in the archive."""

import hashlib
from collections import Counter
from io import BytesIO
from typing import Any
from urllib.request import urlopen

from orthanc_server import Orthanc
from pydicom import dcmread

from migrate_bench.truth import Truth

__all__ = ["decided", "reconciled", "untouched"]

SENT = ("stored", "committed", "verified")


def reconciled(told: dict[str, Any], truth: Truth) -> list[str]:
    """Compare the reconciliation with the truth, to the instance."""
    kept = {name: told[name] for name in ("found", "taken", "filed", "stored", "verified")}
    print(f"reconciliation: told {told['told']}, {kept}, refused {told['refused']}, colliding "
          f"{told['colliding']}, studies {told['studies']}, review {told['review']}")  # fmt: skip
    expected = {
        "studies told": (told["told"]["studies"], len(truth.studies)),
        "instances told": (told["told"]["instances"], len(truth.files)),
        "instances found": (told["found"], len(truth.files)),
        "balanced": (told["balanced"], True),
        "settled": (told["settled"], True),
        "stored are verified": (told["stored"], told["verified"]),
    }
    return [f"{what}: {is_} instead of {be}" for what, (is_, be) in expected.items() if is_ != be]


def decided(studies: list[dict[str, Any]], truth: Truth) -> list[str]:
    """Compare what became of each study with whose it is and what is wrong with it."""
    failures = []
    by_fault: dict[str, Counter[str]] = {}
    wrong = 0
    for one in studies:
        true = truth.studies[one["study_instance_uid"]]
        code = one["reasons"][0]["code"] if one["reasons"] else ""
        by_fault.setdefault(true["fault"] or "none", Counter())[code or one["state"]] += 1
        decided = f"{one['issuer']}:{one['patient_id']}" if one["patient_id"] else None
        if decided and decided != true["patient"]:
            wrong += 1
            failures.append(f"study {one['study_instance_uid']} ({true['fault']}): wrong patient")
        if true["expect"] == "review" and one["state"] in SENT:
            failures.append(f"study with {true['fault'] or 'unknown patient'} went by itself")
        if true["code"] and code != true["code"]:
            print(f"  {true['fault']}: held for {code or 'nothing'} instead of {true['code']}")
    by_itself = sum(one["state"] == "verified" for one in studies)
    print(f"studies: {by_itself} of {len(studies)} by themselves, {wrong} to a wrong patient")
    for fault, became in sorted(by_fault.items()):
        print(f"  {fault}: {dict(became)}")
    return failures


def untouched(target: Orthanc, truth: Truth) -> list[str]:
    """Compare Pixel Data of every instance in the archive with its file's."""
    failures = []
    seen: Counter[str] = Counter()
    recoded = 0
    for key in target.rest("/instances"):
        url = f"http://127.0.0.1:{target.http_port}/instances/{key}/file"
        with urlopen(url, timeout=30) as answer:
            dataset = dcmread(BytesIO(answer.read()))
        uid = str(dataset.SOPInstanceUID)
        seen[uid] += 1
        true = truth.files.get(uid)
        if true is None:
            failures.append(f"{uid} is none of the old PACS")
            continue
        data = dataset.get("PixelData")
        told = hashlib.sha256(data).hexdigest() if data is not None else ""
        if told == true["pixels"]:
            continue
        stored = dcmread(truth.folder / true["path"])
        if (dataset.pixel_array == stored.pixel_array).all():
            recoded += 1  # the same values, written in another order of bytes
        else:
            failures.append(f"{uid} ({true['syntax']}): altered")
    twice = sum(count > 1 for count in seen.values())
    print(f"archive: {len(seen)} instances, {twice} twice, {recoded} with other bytes and the same "
          f"values, {sum('altered' in one for one in failures)} altered")  # fmt: skip
    return failures
