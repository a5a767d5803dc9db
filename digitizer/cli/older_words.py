"""Older archives in words, for people at a terminal."""

import shlex
from datetime import datetime
from typing import Any

from digitizer.pipeline.wording import counted

__all__ = ["plan_words", "settings_lines", "source_words", "study_words", "where_words"]


def source_words(document: dict[str, Any]) -> str:
    """Say where everything of an older archive is."""
    lines = [f"{document['source']} ({document['place']})"]
    lines += settings_lines(document)
    lines += _told_lines(document)
    refused = sum(document["refused"].values())
    lines += [
        f"  found      {document['found']}{'' if document['stocked'] else ' so far'}",
        f"  refused    {refused}{_parts(document['refused'])}",
        f"  taken      {document['taken']}",
        f"  filed      {document['filed']}",
        f"  stored     {document['stored']} ({document['already_there']} were there already)",
        f"  committed  {document['committed']}",
        f"  verified   {document['verified']}",
    ]
    if document["differing"]:
        lines.append(f"  differing  {document['differing']} that the archive has otherwise")
    if document["missing"]:
        lines.append(f"  missing    {counted(document['missing'], 'file')} that a list names")
    if document["films"]:
        films = document["films"]
        lines.append(f"  films      in batch {films['batch']}{_parts(films['scans'])}")
    if document["rows_refused"]:
        lines.append(f"  rows of the index file that cannot be taken: {document['rows_refused']}")
    if document["colliding"]:
        lines.append(f"  colliding  {document['colliding']} with others of the same UID")
    if document["held"]:
        lines.append(f"  held       {document['held']} that the archive does not take as they are")
    lines.append(f"  studies   {_parts(document['studies']).strip(' ()')}")
    if document["review"]:
        lines.append(f"  in review {_parts(document['review']).strip(' ()')}")
    if document["waiting"]:
        lines.append(f"  waiting   {_parts(document['waiting']).strip(' ()')}")
    lines += _release_lines(document)
    if document["trouble"]:
        lines.append(f"  Looking through it has stopped: {document['trouble']}")
    if not document["balanced"]:
        lines.append("  These numbers do not add up: please report it.")
    return "\n".join(lines)


def _release_lines(document: dict[str, Any]) -> list[str]:
    """Say what a person does without, and what speaks against releasing the source."""
    lines = [
        f"  given up   {one['count']} of the list {one['list'].replace('_', ' ')} by {one['by']}: "
        f"{one['reason']}{'' if one['holds'] else ' (the list has changed since)'}"
        for one in document["given_up"]
    ]
    against = document["against_release"]
    told = f"no: {'; '.join(against)}" if against else "it may be"
    return [*lines, f"  released   {told}"]


def _told_lines(document: dict[str, Any]) -> list[str]:
    """Say what the source says that it has, and what was read in its pictures."""
    told, pictures, lines = document["told"], document["pictures"], []
    if told["studies"] is not None:
        unknown = told["instances"] is None
        number = "no number of instances" if unknown else counted(told["instances"], "instance")
        lines.append(f"  told       {counted(told['studies'], 'study')}, {number}")
    if document["gone"]:
        gone = counted(document["gone"], "study")
        lines.append(f"  gone       {gone} that it does not tell any more")
    if pictures["read"]:
        lines.append(
            f"  pictures   {pictures['read']} read for a name burnt in, of which "
            f"{pictures['naming_another']} name somebody else"
        )
    return lines


def settings_lines(document: dict[str, Any]) -> list[str]:
    """Say how a source is brought over, where that was told."""
    options = [f"{key}={value}" for key, value in document["options"].items()]
    issuer = [f"issuer {document['issuer']}"] if document["issuer"] else []
    told = ", ".join((*issuer, *options, *(["paused"] if document["paused"] else [])))
    return [f"  {told}"] if told else []


def _parts(counts: dict[str, int]) -> str:
    told = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in counts.items())
    return f" ({told})" if told else ""


def study_words(document: dict[str, Any]) -> str:
    """Show a study: what its header says beside what the index says."""
    header = document["header"]
    lines = [f"{document['id']}  {document['state']}  {document['study_instance_uid']}"]
    lines += [f"  {one['text']}" for one in document["reasons"]]
    for told in (header, *document["others"]):
        lines.append("  header: " + ", ".join(f"{k} {v}" for k, v in told.items() if v))
    for rank, one in enumerate(document["candidates"], start=1):
        agree = ", ".join(f"{name} {how}" for name, how in one["agreement"].items())
        lines.append(
            f"  {rank}. {one['name']} {one['birth_date']} "
            f"{one['issuer']}:{one['patient_id']} ({agree})"
        )
    for row in document["instances"]:
        why = _one_line(" ".join(filter(None, (row["code"], row["note"]))))
        named = row["names"] or {}
        who = [named[one] for one in ("name", "patient_id", "birth_date") if named.get(one)]
        whose = f" ({', '.join(who)})" if who else ""
        lines.append(f"  {row['place']}{whose}: {row['state']} {why}".rstrip())
    for one in document["history"]:
        at = datetime.fromisoformat(one["at"]).astimezone()
        why = f": {_one_line(one['why'])}" if one["why"] else ""
        lines.append(f"  {at:%Y-%m-%d %H:%M}  {one['what'].replace('_', ' ')}, {one['by']}{why}")
    return "\n".join(lines)


def _one_line(text: str) -> str:
    """Return text without line breaks: behind one it would look like words of ours."""
    return " ".join(text.split())


def plan_words(document: dict[str, Any]) -> str:
    """Show what would be changed, what no rule covers, and what the archive refuses."""
    looked_at = counted(document["looked_at"], "instance")
    lines = [f"{looked_at} of {counted(document['studies'], 'study')} looked at."]
    if not (document["stocked"] or document["looked_at"] or document["index"]):
        lines.append(
            f"It has not been looked through yet: `digitizer migrate run "
            f"{shlex.quote(document['source'])}` does that. With DIGITIZER_IDENTITY__SHADOW=true "
            "before it, all waits in review then, and nothing is sent."
        )
    if document["not_fetched"]:
        lines.append(f"Of {counted(document['not_fetched'], 'study')} nothing is here yet.")
    lines += _index_lines(document["index"]) if document["index"] else []
    for one in document["changes"]:
        lines.append(f"{one['rule']}: {one['tag']}, {counted(one['instances'], 'instance')}")
        lines += [f"  - {pair['before']!r}\n  + {pair['after']!r}" for pair in one["examples"]]
    if document["rejected"]:
        lines.append("Refused by a rule:")
        lines += [f"  {text}: {counted(n, 'instance')}" for text, n in document["rejected"].items()]
    if document["uncovered"]:
        lines.append("Not as DICOM has it, and covered by no rule:")
        for one in document["uncovered"]:
            number = counted(one["instances"], "instance")
            lines.append(f"  {one['tag']}: {number}, e.g. {one['example']!r}")
    for one in document["archive_refuses"]:
        lines.append(
            f"The archive refuses {one['kind']} in {one['encoding']}: "
            f"{counted(one['instances'], 'instance')}. {one['remedy']}"
        )
    if not document["archive_asked"]:
        lines.append("The archive does not answer: what it refuses is not known.")
    return "\n".join(lines)


def where_words(document: dict[str, Any]) -> str:
    """Say where everything of a patient is."""
    lines = [f"{document['issuer']}:{document['patient_id']}"]
    for one in document["films"]:
        lines.append(f"  {one['kind']} {one['id']}  {one['study_date']}  {one['state']}")
    for one in document["older_studies"]:
        open_ = "" if one["decided"] else f"  bears {one['patient_id']}, decided for nobody yet"
        lines.append(
            f"  {one['modality']} of {one['source']}  {one['study_date']}  {one['state']}  "
            f"{counted(one['instances'], 'instance')}{open_}"
        )
    if len(lines) == 1:
        lines.append("  Nothing is filed, and nothing found bears this number.")
    return "\n".join(lines)


def _index_lines(index: dict[str, Any]) -> list[str]:
    """Show what would become of the rows of an index file."""
    lines = [
        f"{index['rows']} rows, {index['films']} of them films that are still to be read. "
        f"Of {index['exams']} exams {index['by_itself']} would be filed by themselves, "
        f"{sum(index['review'].values())} asked about{_parts(index['review'])}."
    ]
    for one in index["decisions"]:
        who = f"{one['issuer']}:{one['patient_id']}" if one["patient_id"] else "nobody"
        why = "; ".join(reason["text"] for reason in one["reasons"])
        lines.append(f"  line {one['line']}, {one['file']}: {one['outcome']} {who} {why}".rstrip())
    lines += [f"  line {one['line']} is refused: {one['text']}" for one in index["rows_refused"]]
    lines += [f"  line {one['line']}: there is no {one['file']}" for one in index["files_missing"]]
    lines += [f"  {place} has no row" for place in index["files_without_row"]]
    return lines
