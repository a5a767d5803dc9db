"""Naming an older archive, so that it is looked through; setting it going, and halting it."""

from collections.abc import Mapping
from dataclasses import replace

from digitizer.errors import UnknownRecord, UsageError
from digitizer.model.older import Keep, Source, SourceKind
from digitizer.model.records import Stage
from digitizer.pipeline.changes import event
from digitizer.pipeline.ingest import identifier
from digitizer.pipeline.services import Services

__all__ = ["add_source", "change_source", "pause_source", "source_named", "stock_again"]


def add_source(
    services: Services,
    name: str,
    kind: SourceKind,
    place: str,
    *,
    user: str,
    keep: Keep = Keep.PLACE,
    issuer: str = "",
    options: dict[str, str] | None = None,
) -> Source:
    """Add an older archive, or go on with the one of that name; looking through it is made due.

    Raises
    ------
    UsageError
        Another one has that name.
    """
    with services.ledger.transaction() as tx:
        source = tx.old_source_named(name)
        if source is None:
            source = Source(
                id=identifier("old source", name),
                name=name,
                kind=kind,
                place=place,
                added_at=services.clock.now(),
                keep=Keep.VAULT if kind is not SourceKind.FOLDER else keep,
                issuer=issuer,
                options=options or {},
            )
            tx.add(source, event(source.id, "added", user, kind=kind.value, keep=source.keep.value))
        elif (source.kind, source.place) != (kind, place):
            raise UsageError(
                f"There is an older archive {name} already: {source.place}.",
                remedy="Give this one another name with --name.",
            )
        elif (issuer and issuer != source.issuer) or (options and options != source.options):
            raise UsageError(
                f"{name} was added with another issuer or other options, which stay as they are.",
                remedy="`digitizer migrate change` changes them.",
            )
        stage = Stage.OLD_FEED if source.stocked else Stage.OLD_STOCK
        tx.schedule(stage, source.id)
    services.waker.wake([(stage, source.id)])
    return source


def source_named(services: Services, name: str) -> Source:
    """Look an older archive up; raises :class:`~digitizer.errors.UnknownRecord`."""
    with services.ledger.reading() as view:
        source = view.old_source_named(name)
    if source is None:
        raise UnknownRecord(
            f"There is no older archive {name}.", remedy="`digitizer migrate list` shows the names."
        )
    return source


def change_source(
    services: Services,
    name: str,
    *,
    user: str,
    issuer: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Source:
    """Change how a source is brought over; what is decided already stays as it is.

    Parameters
    ----------
    services : Services
    name : str
    user : str
    issuer : str or None
        None leaves the one that it has.
    options : mapping or None
        Options to be set; an empty value takes one away.

    Raises
    ------
    UsageError
        An option of pictures but their pace: the index file is read with those they came with.
    SettingsError
        An option is garbled.
    """
    source = source_named(services, name)
    if source.kind is SourceKind.PICTURES and options and set(options) != {"pace"}:
        raise UsageError(
            "The options of a folder of pictures stay as they are.",
            remedy="Add it under another name with --name; what was brought over is known.",
        )
    with services.ledger.transaction() as tx:
        before = tx.get(Source, source.id)
        told = {
            key: value for key, value in (before.options | dict(options or {})).items() if value
        }
        after = replace(before, issuer=before.issuer if issuer is None else issuer, options=told)
        if after.kind is SourceKind.PACS:
            services.sources.peer(after)
        saved = tx.save(after, event(source.id, "changed", user, issuer=after.issuer, options=told))
        stage = Stage.OLD_FEED if saved.stocked else Stage.OLD_STOCK
        tx.schedule(stage, source.id)
    services.waker.wake([(stage, source.id)])
    return saved


def pause_source(services: Services, name: str, *, user: str, paused: bool) -> Source:
    """Start no more of a source's studies, or go on; what is under way comes to its end."""
    source = source_named(services, name)
    with services.ledger.transaction() as tx:
        changed = replace(tx.get(Source, source.id), paused=paused)
        saved = tx.save(changed, event(source.id, "paused" if paused else "resumed", user))
        tx.schedule(Stage.OLD_FEED, source.id)
    services.waker.wake([(Stage.OLD_FEED, source.id)])
    return saved


def stock_again(services: Services, name: str, *, user: str) -> Source:
    """Look a source through once more: for what came or changed since."""
    source = source_named(services, name)
    with services.ledger.transaction() as tx:
        changed = replace(tx.get(Source, source.id), stocked=False, cursor="", checked_at=None)
        saved = tx.save(changed, event(source.id, "stock_again", user))
        tx.schedule(Stage.OLD_STOCK, source.id)
    services.waker.wake([(Stage.OLD_STOCK, source.id)])
    return saved
