"""Instances that keep a study from being filed as it is: they name somebody else, or each other."""

import re
from collections.abc import Iterable

from digitizer import dicom, identity
from digitizer.errors import BadScan, SourceUnreachable
from digitizer.model.identity import PatientRecord
from digitizer.model.older import OldHeader, OldInstance, OldStudy, Source
from digitizer.model.states import State
from digitizer.pipeline.older.decide import ruled_header
from digitizer.pipeline.older.originals import original
from digitizer.pipeline.services import Services

__all__ = ["named_in", "referring", "strangers"]

_MOST_BYTES = 256 << 20
"""Of originals that are read for one look: a page is not to read gigabytes."""


def strangers(
    services: Services, study: OldStudy, rows: Iterable[OldInstance], patient: PatientRecord
) -> dict[str, str]:
    """Return whom those instances name whose headers are not this patient's, by place.

    By record number, name and birth date, see :func:`digitizer.identity.names`. Copies are looked
    at too: where a first is left out, one of them would take its place.

    Raises
    ------
    BadScan
        An original cannot be read any more.
    """
    with services.ledger.reading() as view:
        source = view.get(Source, study.source_id)
    headers = ((row.place, ruled_header(services, source, row)[0]) for row in rows)
    return {
        place: f"It names {_who(header)}."
        for place, header in headers
        if not identity.names(header, source.issuer, patient)
    }


def _who(header: OldHeader) -> str:
    number = ":".join(part for part in (header.issuer, header.patient_id) if part)
    told = (header.name.replace("^", " ").strip(), number, header.birth_date)
    return ", ".join(one for one in told if one) or "nobody"


def named_in(
    services: Services, study: OldStudy, rows: Iterable[OldInstance]
) -> dict[str, OldHeader]:
    """Return what each instance's header says after the rules, by place, for a person to compare.

    Nothing of a study whose files name one patient, nor of an original that cannot be read, nor
    beyond some hundred megabytes of them.
    """
    if not study.others:
        return {}
    with services.ledger.reading() as view:
        source = view.get(Source, study.source_id)
    found: dict[str, OldHeader] = {}
    left = _MOST_BYTES
    for row in rows:
        left -= row.size
        if left < 0:
            break
        try:
            found[row.place], _ = ruled_header(services, source, row)
        except (BadScan, SourceUnreachable, OSError, ValueError, AttributeError):
            # An odd value ends no page: this one is asked about by itself.
            continue
    return found


def referring(services: Services, study: OldStudy, uids: frozenset[str]) -> int:
    """Count the instances of a study that may name one of these instances, but are none of them.

    Key objects, reports, presentation states and reference pictures would mean the other bearer of
    the UID, once the one that they mean goes under another.
    """
    if not uids:
        return 0
    any_of = b"|".join(re.escape(uid.encode()) for uid in sorted(uids))
    named = re.compile(rb"(?<![0-9.])(?:" + any_of + rb")(?![0-9.])")
    with services.ledger.reading() as view:
        source = view.get(Source, study.source_id)
        rows = view.old_instances(study_id=study.id)
    others = (
        row for row in rows if row.state is not State.REJECTED and row.sop_instance_uid not in uids
    )
    return sum(
        bool(named.search(dicom.examine(original(services, source, row)).data)) for row in others
    )
