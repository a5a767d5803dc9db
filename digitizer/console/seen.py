"""Who saw what: pictures and headers that are asked for by their own address leave a trace too."""

from datetime import timedelta

from digitizer.console.access import Person
from digitizer.console.site import Site
from digitizer.pipeline.changes import event

__all__ = ["note_seen"]

_AGAIN = timedelta(minutes=15)
"""A page asks for a film's picture many times; one event in this time tells that it was seen."""
_MOST_KEPT = 10_000


def note_seen(site: Site, person: Person, subject: str, what: str) -> None:
    """Record that a person saw a film or scan, once in a while for each session.

    Parameters
    ----------
    site : Site
    person : Person
    subject : str
        Id of the film or scan, which exists.
    what : str
        What of it was seen, for the audit trail.
    """
    now, key = site.services.clock.now(), (person.session.key, subject)
    before = site.seen.get(key)
    if before is not None and now - before < _AGAIN:
        return
    with site.services.ledger.transaction() as tx:
        tx.record(event(subject, "viewed", person.name, page=what))
    if len(site.seen) >= _MOST_KEPT:
        # Forgetting only means that something is recorded twice.
        site.seen.clear()
    site.seen[key] = now
