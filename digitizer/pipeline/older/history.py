"""What happened to a study of an older archive, and the reasons that people gave."""

from collections.abc import Iterable

from digitizer.model.records import Event

__all__ = ["history_json"]


def history_json(events: Iterable[Event]) -> list[dict[str, str]]:
    """Return the events of a study in their order: when, what, by whom, and why.

    Why is what a person gave as the reason, or what the study was held for.
    """
    return [
        {
            "at": one.at.isoformat() if one.at else "",
            "what": one.name,
            "by": one.actor,
            "why": _why(one),
        }
        for one in events
    ]


def _why(one: Event) -> str:
    held_for = (str(reason["text"]) for reason in one.payload.get("reasons", ()))
    return str(one.payload.get("reason") or " ".join(held_for))
