"""What would be changed and what would be refused, shown before anything is sent (a dry run)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pydicom.uid import UID

from digitizer import dicom, identity
from digitizer.errors import ArchiveUnreachable, BadScan
from digitizer.model.identity import ExamRecord, PatientRecord
from digitizer.model.older import OldInstance, OldStudy, Source, SourceKind
from digitizer.model.states import State
from digitizer.pipeline.older.originals import original
from digitizer.pipeline.older.picture_exam import own_study_uid
from digitizer.pipeline.older.picture_plan import plan_rows
from digitizer.pipeline.services import Services

__all__ = ["plan_source"]

_EXAMPLES = 3
_PAGE = 200
_REMEDY = (
    "Have the archive's team allow it before the start; until then these instances wait in review."
)


def plan_source(services: Services, source: Source, *, every: bool = False) -> dict[str, Any]:
    """Apply the rules and today's index to what is in hand; nothing is written and nothing sent.

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
    kinds = Counter[tuple[str, str]]()
    studies = looked_at = 0
    for study in _studies(services, source):
        studies += 1
        with services.ledger.reading() as view:
            rows = view.old_instances(study_id=study.id)
        kinds.update((row.sop_class_uid, row.transfer_syntax_uid) for row in rows)
        for old in _originals(services, source, rows, every=every):
            looked_at += 1
            outcome = dicom.apply_rules(old.header, services.coercions)
            if outcome.rejected:
                rejected[outcome.rejected] += 1
                continue
            found = (*outcome.changes, *_identity(services, source, study, outcome.header))
            for change in found:
                key = (change.rule, change.tag)
                counts[key] += 1
                pair = (change.before, change.after)
                kept = changes.setdefault(key, [])
                if pair not in kept and len(kept) < _EXAMPLES:
                    kept.append(pair)
            for tag, value in dicom.violations(outcome.header):
                uncovered[tag] += 1
                examples.setdefault(tag, value)
    refused = _refused(services, kinds)
    return {
        "source": source.name,
        "studies": studies,
        "looked_at": looked_at,
        "rules": [table.version for table in services.coercions],
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


def _originals(
    services: Services, source: Source, rows: tuple[OldInstance, ...], *, every: bool
) -> Iterator[dicom.OldFile]:
    usable = [row for row in rows if row.state not in (State.REJECTED, State.QUARANTINED)]
    for row in usable if every else usable[:1]:
        try:
            yield dicom.examine(original(services, source, row))
        except BadScan:
            continue  # told in its own list when it is to be sent


def _identity(
    services: Services, source: Source, study: OldStudy, header: dicom.Header
) -> tuple[dicom.Change, ...]:
    """Return what the index would change, where the study is decided or would be by itself."""
    patient: PatientRecord | None
    exam: ExamRecord | None
    if study.decision is not None:
        patient, exam = study.decision.patient, study.decision.exam
    else:
        verdict = identity.decide_header(
            dicom.header_of(header),
            own_study_uid(source, study),
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
