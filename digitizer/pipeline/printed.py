"""The report of a batch or a box on paper: what was done, what differs, what may be released."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from digitizer import identity
from digitizer.model.reasons import CODES, Code
from digitizer.model.states import ENDS, WAY, State
from digitizer.pipeline.changes import event
from digitizer.pipeline.paper import Paper
from digitizer.pipeline.reckoning import (
    FilmLine,
    JacketLine,
    Reckoning,
    reckon_batch,
    reckon_box,
)
from digitizer.pipeline.services import Services

__all__ = ["printed_report"]

_ORDER = (*WAY, State.REVIEW, State.WAITING, State.QUARANTINED, *sorted(ENDS))
_HOURS = 48
"""A plot tells hours up to so many of them, days beyond."""
_MOST_DAYS, _FEWEST = 60, 12


def printed_report(
    services: Services, *, by: str, batch: str | None = None, box: str | None = None
) -> bytes:
    """Return the report of a batch, or of a box, as PDF; who had it printed is in the audit trail.

    Parameters
    ----------
    services : Services
    by : str
        Who asks.
    batch, box : str, optional
        Name; one of the two.

    Raises
    ------
    UnknownRecord
        There is none of that name.
    MissingService
        The type face is not installed.
    """
    found = reckon_batch(services, batch) if batch is not None else reckon_box(services, box or "")
    paper = Paper(f"Film migration: {found.title}", made_at=services.clock.now(), by=by)
    with services.ledger.transaction() as tx:
        # Before anybody holds it: it names patients.
        tx.record(event(found.subject, "report_printed", by, report=found.title))
    _counts(paper, found)
    _release(paper, found)
    _differences(paper, found.jackets)
    _decisions(paper, services, found)
    _quality(paper, found.lines)
    _throughput(paper, found.lines)
    _film_by_film(paper, found.jackets)
    _sign(paper, found)
    return paper.pdf()


def _counts(paper: Paper, found: Reckoning) -> None:
    films = Counter(one.state for one in found.lines if one.kind == "film")
    other = Counter(one.state for one in found.lines if one.kind != "film")
    verified = films[State.VERIFIED]
    kept = sum(n for state, n in films.items() if state not in ENDS)
    paper.text(
        f"{len(found.jackets)} jackets; {kept} films scanned, {verified} of them verified: read "
        "back from the archive and found equal to what was written."
    )
    paper.heading("Where everything is")
    rows = [
        (state.value, films[state], other[state]) for state in _ORDER if films[state] + other[state]
    ]
    paper.table(
        ("State", "Films", "Labels and other scans"), rows, widths=(3, 1, 1), numbers=(1, 2)
    )


def _free(jackets: Sequence[JacketLine]) -> list[JacketLine]:
    return [one for one in jackets if not one.keeps]


def _release(paper: Paper, found: Reckoning) -> None:
    free = _free(found.jackets)
    paper.heading("Jackets: what may be released, and what not")
    films = sum(one.films for one in free)
    paper.text(f"May be released: {len(free)} of {len(found.jackets)} jackets, {films} films.")
    rows = [
        (
            one.title,
            "" if one.expected is None else one.expected,
            one.films,
            one.count(State.VERIFIED),
            one.count(State.REVIEW, State.WAITING, State.QUARANTINED),
            f"no: {'; '.join(one.keeps)}" if one.keeps else "yes",
        )
        for one in found.jackets
    ]
    header = ("Jacket", "Expected", "Scanned", "Verified", "Held", "May be released")
    paper.table(header, rows, widths=(2.2, 1.1, 1.1, 1.1, 0.8, 3.2), numbers=(1, 2, 3, 4))


def _differences(paper: Paper, jackets: Sequence[JacketLine]) -> None:
    """Name film by film what a jacket that differs from the list holds, and all that has ended."""
    paper.heading("Differences, film by film")
    rows = []
    for one in jackets:
        differs = one.expected is not None and one.expected != one.films
        for line in one.lines:
            if differs or (line.state in ENDS and line.kind not in ("separator", "label")):
                counts = f"{one.films} of {one.expected}" if differs else ""
                rows.append((one.title, counts, line.source, _state_words(line)))
        if differs and not one.lines:
            rows.append((one.title, f"0 of {one.expected}", "", "never scanned"))
    if not rows:
        paper.text("None: every jacket of the list holds what the list expects.")
        return
    header = ("Jacket", "Scanned of expected", "Scan", "What became of it")
    paper.table(header, rows, widths=(1.6, 1, 2, 2.6))


def _state_words(line: FilmLine) -> str:
    kind = "" if line.kind == "film" else f"{line.kind}, "
    return f"{kind}{line.state.value}" + (f": {line.why}" if line.why else "")


def _decisions(paper: Paper, services: Services, found: Reckoning) -> None:
    paper.heading("Who decided")
    films = [one for one in found.lines if one.is_film]
    by = Counter(one.decided_by or "not decided" for one in films)
    words = {"auto": "with no hand (on proof that the film itself bears)"}
    rows = [(words.get(who, who), n) for who, n in by.most_common()]
    paper.table(("Decided by", "Films"), rows, widths=(5, 1), numbers=(1,))
    wrong, auto = sum(one.doubt for one in films), by["auto"]
    accepted = services.policy.budget_per_100k / 100_000 * auto
    paper.text(
        f"Wrong filings to expect among the {auto} films filed with no hand: {wrong:.5f}; accepted "
        f"by the site: {accepted:.5f}."
    )
    low, high = identity.interval(found.blind_wrong, found.blind_answered)
    measured = (
        f"{found.blind_wrong} wrong of {found.blind_answered} films looked at again blindly "
        f"(95 % interval {100 * low:.2f} to {100 * high:.2f} %)."
    )
    paper.text(
        measured if found.blind_answered else "None of its films was looked at again blindly."
    )


def _quality(paper: Paper, lines: Sequence[FilmLine]) -> None:
    paper.heading("Complaints about quality")
    films = [one for one in lines if one.is_film]
    told = Counter(flag for one in films for flag in set(one.flags))
    known = {one.value: one for one in Code}
    rows = [
        (CODES[known[flag]].text if flag in known else flag, n) for flag, n in told.most_common()
    ]
    if rows:
        paper.table(("Complaint", "Films"), rows, widths=(5, 1), numbers=(1,))
    else:
        paper.text("None.")


def _throughput(paper: Paper, lines: Sequence[FilmLine]) -> None:
    at = [
        one.changed_at.astimezone()
        for one in lines
        if one.is_film and one.state is State.VERIFIED and one.changed_at is not None
    ]
    paper.heading("Throughput")
    if not at:
        paper.text("No film is verified yet.")
        return
    hourly = max(at) - min(at) < timedelta(hours=_HOURS)
    step = timedelta(hours=1) if hourly else timedelta(days=1)
    first, last = _floor(min(at), hourly), _floor(max(at), hourly)
    slots = [
        first + n * step for n in range(min(int((last - first) / step) + 1, _HOURS + _MOST_DAYS))
    ]
    counted = Counter(_floor(one, hourly) for one in at)
    # Few bars are drawn as slim as many.
    slots += [slots[-1] + n * step for n in range(1, _FEWEST + 1 - len(slots))]
    labels = [f"{one:%H}" if hourly else f"{one:%d.%m.}" for one in slots]
    every = max(1, len(labels) // 24 + 1)
    shown = [label if n % every == 0 else "" for n, label in enumerate(labels)]
    unit = "hour" if hourly else "day"
    paper.bars(
        [counted[one] for one in slots],
        shown,
        f"Films verified in each {unit}, from {first:%Y-%m-%d %H:%M} on; {len(at)} in all",
    )


def _floor(at: datetime, hourly: bool) -> datetime:
    whole = at.replace(minute=0, second=0, microsecond=0)
    return whole if hourly else whole.replace(hour=0)


def _film_by_film(paper: Paper, jackets: Sequence[JacketLine]) -> None:
    paper.heading("Film by film")
    rows = [
        (
            jacket.name,
            line.source.rsplit("/", 1)[-1],
            f"{line.patient} {line.number}".strip(),
            f"{line.study_date} {line.accession_number}".strip(),
            line.decided_by,
            line.state.value if line.kind == "film" else f"{line.kind}, {line.state.value}",
        )
        for jacket in jackets
        for line in jacket.lines
    ]
    header = ("Jacket", "Scan", "Patient", "Exam", "Decided by", "State")
    paper.table(header, rows, widths=(1.4, 1.3, 2.2, 1.5, 1, 1.2))


def _sign(paper: Paper, found: Reckoning) -> None:
    free = _free(found.jackets)
    films = sum(one.films for one in free)
    paper.heading("Release")
    told = "No jacket of this report may be released."
    if free:
        told = f"The jackets marked so above ({len(free)}, of {films} films) may be released."
    paper.signature(told, ("Migration lead", "Records department"))
