"""What was promised, compared with the truth."""

from collections import Counter
from typing import Any

from migrate_bench.truth import Truth

__all__ = ["decided", "reconciled"]

SENT = ("stored", "committed", "verified")
BY_ITSELF = 0.8
"""Of the studies with nothing wrong in them, how many must go by themselves at least: the others
are such as the index itself makes doubtful."""


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
    wrong = expected = 0
    waiting: Counter[str] = Counter()
    for one in studies:
        true = truth.studies[one["study_instance_uid"]]
        codes = [why["code"] for why in one["reasons"]]
        code = codes[0] if codes else ""
        by_fault.setdefault(true["fault"] or "none", Counter())[code or one["state"]] += 1
        decided = f"{one['issuer']}:{one['patient_id']}" if one["patient_id"] else None
        if decided and decided != true["patient"]:
            wrong += 1
            failures.append(f"study {one['study_instance_uid']} ({true['fault']}): wrong patient")
        if true["expect"] == "review" and one["state"] in SENT:
            failures.append(f"study with {true['fault'] or 'unknown patient'} went by itself")
        if true["code"] and true["code"] not in codes:
            failures.append(
                f"study {one['study_instance_uid']} ({true['fault']}): held for "
                f"{code or 'nothing'} instead of {true['code']}"
            )
        if true["expect"] == "auto" and one["study_instance_uid"] not in truth.colliding:
            expected += 1
            if one["state"] not in SENT:
                waiting[code or one["state"]] += 1
    by_itself = sum(one["state"] == "verified" for one in studies)
    print(f"studies: {by_itself} of {len(studies)} by themselves, {wrong} to a wrong patient")
    print(f"  {sum(waiting.values())} of {expected} that should go by themselves wait: "
          f"{dict(waiting)}")  # fmt: skip
    if sum(waiting.values()) > (1 - BY_ITSELF) * expected:
        failures.append(f"{sum(waiting.values())} of {expected} wait that should go by themselves")
    for fault, became in sorted(by_fault.items()):
        print(f"  {fault}: {dict(became)}")
    return failures
