"""What happened to a study of an older archive, and the reasons that people gave."""

from collections.abc import Iterable

from digitizer.model.records import Event

__all__ = ["history_json"]


def history_json(events: Iterable[Event]) -> list[dict[str, str]]:
    """Return the events of a study in their order: when, what, by whom, and why.

    Why is what a person gave as the reason, or what the study was held for; where the machine goes
    on with what a person decided, the reason stays that person's.
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
    held_for = " ".join(str(reason["text"]) for reason in one.payload.get("reasons", ()))
    return held_for or ("" if one.actor == "auto" else str(one.payload.get("reason", "")))
