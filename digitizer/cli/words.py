"""What a person reads at the end of a command."""

from collections import Counter
from typing import Any

from digitizer.model.reasons import CODES, Code

__all__ = ["batch_words", "budget_words", "replay_words", "status_words"]


def batch_words(document: dict[str, Any]) -> str:
    """Say what became of a batch: states, reasons with their remedies, what to do next."""
    films = [film for scan in document["scans"] for film in scan["films"]]
    lines = [
        f"Batch {document['batch']}: {len(document['scans'])} scans, {len(films)} films"
        + ("." if document["settled"] else ", not settled yet."),
        "  scans: " + _states(document["counts"]["scans"]),
        "  films: " + _states(document["counts"]["films"]),
    ]
    lines += _reasons(document)
    lines += [
        f"  jacket {'/'.join(filter(None, (one['box'], one['jacket'])))}: "
        f"{one['films']} films scanned, {one['expected_films']} expected"
        for one in document["jackets"]
        if one["expected_films"] not in (None, one["films"])
    ]
    filed = [film for film in films if film["decided_by"] == "auto"]
    lines.append(
        f"  filed with no hand: {len(filed)}; expected wrong among them: "
        f"{document['expected_wrong']:.5f}"
    )
    return "\n".join(lines)


def _states(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "none"


def _reasons(document: dict[str, Any]) -> list[str]:
    count: Counter[str] = Counter()
    for scan in document["scans"]:
        for code in {one["code"] for one in scan["reasons"]}:
            count[code] += 1
    lines = []
    for code, n in count.most_common():
        told = CODES[Code(code)]
        lines.append(f"    {n:>4}  {told.text} {told.remedy}".rstrip())
    return ["  why:", *lines] if lines else []


def budget_words(document: dict[str, Any]) -> str:
    """Say what is expected and what was measured wrong of what was filed with no hand."""
    blind = document["blind"]
    low, high = blind["interval"]
    measured = "nothing looked at yet"
    if blind["answered"]:
        measured = (
            f"{blind['wrong']} wrong of {blind['answered']} looked at blindly "
            f"({100 * low:.2f} to {100 * high:.2f} %), "
            f"{blind['planted_found']} of {blind['planted']} planted ones found"
        )
    lines = [
        f"Filed with no hand: {document['filed']}; expected wrong "
        f"{document['expected_wrong']:.5f}, accepted {document['allowed']:.5f}; "
        f"measured: {measured}; {blind['open']} to be looked at."
    ]
    for one in document["classes"]:
        lines.append(
            f"  {one['class']}: {one['filed']} filed, expected wrong {one['expected_wrong']:.5f}, "
            f"confirmed wrong {one['confirmed_wrong']} ({one['text']})"
        )
        if one["stopped"]:
            lines.append(f"    stopped by {one['by']}: {one['why']}")
    return "\n".join(lines)


def status_words(document: dict[str, Any]) -> str:
    """Say where everything is."""
    lines = [f"Running: {document['running'] or 'nothing works on this data folder'}"]
    if document["order"]:
        told = document["order"]
        why = f": {told['reason']}" if told["reason"] else ""
        lines.append(f"All work is {told['mode']}, ordered by {told['by']}{why}")
    lines.append("scans: " + _states(document["counts"]["scans"]))
    lines.append("films: " + _states(document["counts"]["films"]))
    for one in document["batches"]:
        mode = "" if one["mode"] == "running" else f" ({one['mode']})"
        lines.append(f"  {one['batch']}{mode}: " + _states(one["scans"]))
    for one in document["older_archives"]:
        review = one["studies"].get("review", 0)
        lines.append(
            f"  {one['source']}: {one['verified']} of {one['found']} instances verified"
            + (f", {review} studies in review" if review else "")
        )
    if document["urgent_jackets"]:
        names = [
            "/".join(filter(None, (one["box"], one["jacket"])))
            for one in document["urgent_jackets"]
        ]
        lines.append("Urgent jackets: " + ", ".join(names))
    for one in document["clean_rollers"]:
        name = f"scanner {one['scanner']}" if one["scanner"] else "the scanner"
        lines.append(
            f"Clean the rollers of {name}: {len(one['columns'])} stripes on film after film."
        )
    lines.append(budget_words(document["budget"]))
    return "\n".join(lines)


_CHANGES = {
    "would_be_filed": "would be filed with no hand now",
    "would_be_asked": "was filed with no hand, would be asked about now",
    "other_patient": "would be filed to another patient now",
    "other_exam": "would be filed to another exam now",
    "other_reasons": "would be asked about for other reasons now",
}


def replay_words(document: dict[str, Any]) -> str:
    """Say what would be decided otherwise today."""
    wrong = document["expected_wrong"]
    lines = [
        f"Batch {document['batch']}: {document['sheets']} sheets decided again, "
        f"{document['changed']} otherwise; expected wrong {wrong['before']:.5f}, "
        f"now {wrong['after']:.5f}. Nothing was changed."
    ]
    for one in document["diff"]:
        lines.append(f"  {one['source']} ({one['id']}) {_CHANGES[one['change']]}")
        for when in ("before", "after"):
            lines.append(f"    {when}: {_decided(one[when])}")
        lines += [
            f"    {name}: {told['before'] or 'not read'} -> {told['after'] or 'not read'}"
            for name, told in one["fields"].items()
        ]
    return "\n".join(lines)


def _decided(told: dict[str, Any]) -> str:
    if told["decided_by"] is None:
        return "asked: " + "; ".join(one["text"] for one in told["reasons"])
    exam = told["accession_number"] or told["study_date"] or "no exam"
    return f"{told['patient_id']} ({told['issuer']}), {exam}, by {told['decided_by']}"
