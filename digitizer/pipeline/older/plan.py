"""What would be changed and what would be refused, shown before anything is sent (a dry run)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydicom.uid import UID

from digitizer import dicom, identity
from digitizer.errors import ArchiveUnreachable, BadScan
from digitizer.model.identity import ExamRecord, PatientRecord
from digitizer.model.older import OldStudy, Source, SourceKind
from digitizer.model.records import Decision
from digitizer.model.states import ENDS, State
from digitizer.pipeline.older.originals import original
from digitizer.pipeline.older.picture_exam import has_own_study
from digitizer.pipeline.older.picture_plan import plan_rows
from digitizer.pipeline.services import Services

__all__ = ["CHANGE_COLUMNS", "change_rows", "plan_source"]

_EXAMPLES = 3
_PAGE = 200
_REMEDY = (
    "Have the archive's team allow it before the start; until then these instances wait in review."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """One instance in hand, and what is decided of its study."""

    study_instance_uid: str
    place: str
    old: dicom.OldFile
    decision: Decision | None


@dataclass(slots=True)
class _Stock:
    """What was gone through, counted on the way."""

    studies: int = 0
    not_fetched: int = 0
    looked_at: int = 0
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """What would become of the header of an instance."""

    seen: _Seen
    changes: tuple[dicom.Change, ...] = ()
    uncovered: tuple[tuple[str, str], ...] = ()
    rejected: str = ""


CHANGE_COLUMNS = (
    "study_instance_uid", "place", "sop_instance_uid", "rule", "tag", "before", "after"
)  # fmt: skip
"""Of the table of all changes; what no rule covers, or a rule refuses, stands there as well."""


def plan_source(services: Services, source: Source, *, every: bool = False) -> dict[str, Any]:
    """Apply the rules and today's index to what is in hand; nothing is written and nothing sent.

    What is in hand is what was looked through. A folder that was not is gone through here.

    Parameters
    ----------
    services : Services
    source : Source
    every : bool
        Look at every instance; else at the first of each study.
    """
    changes: dict[tuple[str, str], list[tuple[str, str]]] = {}
    counts = Counter[tuple[str, str]]()
    rejected, uncovered = Counter[str](), Counter[str]()
    examples: dict[str, str] = {}
    stock = _Stock()
    for one in _planned(services, source, stock, every=every):
        if one.rejected:
            rejected[one.rejected] += 1
        for change in one.changes:
            key = (change.rule, change.tag)
            counts[key] += 1
            pair = (change.before, change.after)
            kept = changes.setdefault(key, [])
            if pair not in kept and len(kept) < _EXAMPLES:
                kept.append(pair)
        for tag, value in one.uncovered:
            uncovered[tag] += 1
            examples.setdefault(tag, value)
    kinds = stock.kinds
    refused = _refused(services, kinds)
    return {
        "source": source.name,
        "stocked": source.stocked,
        "studies": stock.studies,
        "not_fetched": stock.not_fetched,
        "looked_at": stock.looked_at,
        "rules": [table.version for table in services.coercions()],
        "changes": [
            {
                "rule": rule,
                "tag": tag,
                "instances": counts[rule, tag],
                "examples": [{"before": before, "after": after} for before, after in pairs],
            }
            for (rule, tag), pairs in sorted(changes.items())
        ],
        "rejected": dict(rejected.most_common()),
        "uncovered": [
            {"tag": tag, "instances": n, "example": examples[tag]}
            for tag, n in uncovered.most_common()
        ],
        "archive_refuses": [
            {
                "sop_class_uid": sop_class,
                "transfer_syntax_uid": syntax,
                "kind": UID(sop_class).name,
                "encoding": UID(syntax).name,
                "instances": kinds[sop_class, syntax],
                "remedy": _REMEDY,
            }
            for sop_class, syntax in sorted(refused or ())
        ],
        "archive_asked": refused is not None,
        "index": (
            plan_rows(services, source, every=every) if source.kind is SourceKind.PICTURES else None
        ),
    }


def change_rows(
    services: Services, source: Source, *, every: bool = False
) -> Iterator[tuple[str, ...]]:
    """Yield each change of each instance as :data:`CHANGE_COLUMNS`; see :func:`plan_source`."""
    for one in _planned(services, source, _Stock(), every=every):
        seen = one.seen
        uid = dicom.text_of(seen.old.header, "SOPInstanceUID")
        instance = (seen.study_instance_uid, seen.place, uid)
        if one.rejected:
            yield (*instance, f"refused: {one.rejected}", "", "", "")
        for change in one.changes:
            yield (*instance, change.rule, change.tag, change.before, change.after)
        for tag, value in one.uncovered:
            yield (*instance, "covered by no rule", tag, value, value)


def _planned(
    services: Services, source: Source, stock: _Stock, *, every: bool
) -> Iterator[_Planned]:
    if source.stocked or source.kind is not SourceKind.FOLDER:
        found = _in_ledger(services, source, stock, every=every)
    else:
        found = _in_folder(services, source, stock, every=every)
    for seen in found:
        stock.looked_at += 1
        outcome = dicom.apply_rules(seen.old.header, services.coercions())
        if outcome.rejected:
            yield _Planned(seen=seen, rejected=outcome.rejected)
            continue
        yield _Planned(
            seen=seen,
            changes=(*outcome.changes, *_identity(services, source, seen, outcome.header)),
            uncovered=(*outcome.illegal, *dicom.violations(outcome.header)),
        )


def _in_ledger(
    services: Services, source: Source, stock: _Stock, *, every: bool
) -> Iterator[_Seen]:
    """Yield what was looked through and is still to be sent, by study."""
    for study in _studies(services, source):
        with services.ledger.reading() as view:
            rows = view.old_instances(study_id=study.id)
        to_send = [row for row in rows if row.state in (State.READ, State.REVIEW)]
        if study.state in ENDS or (rows and not to_send):
            continue
        stock.studies += 1
        stock.not_fetched += not rows
        stock.kinds.update((row.sop_class_uid, row.transfer_syntax_uid) for row in to_send)
        for row in to_send if every else to_send[:1]:
            try:
                old = dicom.examine(original(services, source, row))
            except BadScan:
                continue  # told in its own list when it is to be sent
            yield _Seen(
                study_instance_uid=study.study_instance_uid,
                place=row.place,
                old=old,
                decision=study.decision,
            )


def _in_folder(
    services: Services, source: Source, stock: _Stock, *, every: bool
) -> Iterator[_Seen]:
    """Yield what lies in a folder; what is damaged is told when it is looked through."""
    files = services.sources.files(source)
    studies = set[str]()
    for place in files.files(""):
        try:
            content = files.read(place)
            if dicom.is_directory(content):
                continue
            old = dicom.examine(content)
        except BadScan:
            continue
        stock.kinds[dicom.text_of(old.header, "SOPClassUID"), str(old.syntax)] += 1
        uid = dicom.text_of(old.header, "StudyInstanceUID")
        if uid in studies and not every:
            continue
        studies.add(uid)
        stock.studies = len(studies)
        yield _Seen(study_instance_uid=uid, place=place, old=old, decision=None)


def _refused(services: Services, kinds: Iterable[tuple[str, str]]) -> set[tuple[str, str]] | None:
    """Return what the archive does not take; None when it cannot be asked now."""
    try:
        return set(services.archive.refusals(tuple(kinds)))
    except ArchiveUnreachable:
        return None


def _studies(services: Services, source: Source) -> Iterator[OldStudy]:
    after = ""
    while True:
        with services.ledger.reading() as view:
            page = view.old_studies(source_id=source.id, after=after, limit=_PAGE)
        if not page:
            return
        yield from page
        after = page[-1].id


def _identity(
    services: Services, source: Source, seen: _Seen, header: dicom.Header
) -> tuple[dicom.Change, ...]:
    """Return what the index would change, where the study is decided or would be by itself."""
    patient: PatientRecord | None
    exam: ExamRecord | None
    if seen.decision is not None:
        patient, exam = seen.decision.patient, seen.decision.exam
    else:
        verdict = identity.decide_header(
            dicom.header_of(header),
            seen.study_instance_uid if has_own_study(source) else "",
            source.issuer,
            services.index,
            services.policy,
        )
        patient, exam = verdict.patient, verdict.exam
    if patient is None:
        return ()
    adoption = dicom.Adoption(
        patient=patient, exam=exam, source=source.name, at=services.clock.now()
    )
    return dicom.identity_changes(header, adoption)
