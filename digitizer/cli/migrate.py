"""Commands that bring older digital archives over: migrate add, run, show, review and the rest."""

import shlex
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from digitizer.cli.base import (
    FINISHED_WITH_HOLDS,
    Root,
    Session,
    json_option,
    note,
    pass_session,
    print_csv,
    print_json,
    progress_bars,
)
from digitizer.cli.ingest import workplace
from digitizer.cli.migrate_plan import MIGRATE_PLAN_COMMANDS
from digitizer.cli.migrate_studies import MIGRATE_STUDY_COMMANDS, as_user, code_named
from digitizer.cli.older_pictures import index_words, picture_options
from digitizer.cli.older_words import settings_lines, source_words
from digitizer.errors import UnknownRecord, UsageError
from digitizer.model.older import Keep, OldInstance, Source, SourceKind
from digitizer.model.states import HOLDS, State
from digitizer.pipeline.older import lists, reconcile
from digitizer.pipeline.older.columns import INSTANCE_COLUMNS, instance_rows
from digitizer.pipeline.older.giving_up import give_up
from digitizer.pipeline.older.pace import read_pace
from digitizer.pipeline.older.release import GIVEN_UP
from digitizer.pipeline.older.sources import (
    add_source,
    change_source,
    pause_source,
    source_named,
    stock_again,
)
from digitizer.pipeline.services import Services

__all__ = ["COMMANDS"]

migrate = Root(name="migrate", help="Bring older digital archives over: discs, folders, old PACS.")


@migrate.command(name="add")
@click.argument("place")
@click.option("--name", help="Name of the older archive; that of the folder or peer by default.")
@click.option(
    "--kind", type=click.Choice(["disc", "storage", "pacs", "pictures"]), help="What it is."
)
@click.option("--keep", type=click.Choice([one.value for one in Keep]),
              help="Where originals stay: copied into the vault, or at their place; by default the "
              "vault, for a storage its place.")  # fmt: skip
@click.option("--issuer", default="", help="Who issued its record numbers, where it does not say.")
@click.option("--pace", default="", help="Studies an hour by the hour, as 07-19:60,19-07:.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="An option of its kind.")
@as_user
@pass_session
def add(
    session: Session,
    place: str,
    name: str | None,
    kind: str | None,
    keep: str | None,
    issuer: str,
    pace: str,
    sets: tuple[str, ...],
    user: str,
) -> int:
    """Name an older archive: a disc (kept in the vault), a storage folder, or AE@host:port."""
    read_pace(pace)
    options = dict(_option(one) for one in sets)
    if pace:
        options["pace"] = pace
    is_peer = kind == "pacs" or (kind is None and "@" in place and not Path(place).exists())
    if not is_peer:
        path = Path(place).resolve()
        if not path.exists():
            raise UsageError(
                f"There is no {place}.", remedy="Give a folder, a file, or AE@host:port."
            )
        place = str(path)
        name = name or path.name
    source_kind = SourceKind.PACS if is_peer else SourceKind.FOLDER
    if kind == "pictures":
        source_kind, options = SourceKind.PICTURES, picture_options(place, options)
    if is_peer:
        options = _checked(session, place, options)
    source = add_source(
        session.services,
        name or place.partition("@")[0],
        source_kind,
        place,
        user=user,
        keep=_keep(kind, keep, source_kind),
        issuer=issuer,
        options=options,
    )
    if keep and source.keep.value != keep:
        raise UsageError(
            f"{source.name} was added before with --keep {source.keep.value}, which stays so.",
            remedy="Give this one another name with --name.",
        )
    if kind == "pictures":
        print(index_words(session.services.sources.pictures(source)))
    named = shlex.quote(source.name)
    print(f"{source.name}: {source.place}. `digitizer migrate run {named}` brings it over.")
    return 0


def _keep(kind: str | None, told: str | None, source: SourceKind) -> Keep:
    """Return where the originals stay: as the site says, where there is a choice."""
    if told is None:
        return Keep.PLACE if kind == "storage" else Keep.VAULT
    if Keep(told) is Keep.PLACE and source is SourceKind.PACS:
        raise UsageError(
            "What an old PACS gives has no place of its own: it is kept in the vault.",
            remedy="Leave --keep away.",
        )
    if Keep(told) is Keep.PLACE and source is SourceKind.PICTURES:
        raise UsageError(
            "Pictures are kept in the vault, under the hash that their instances name.",
            remedy="Leave --keep away.",
        )
    return Keep(told)


@migrate.command(name="change")
@click.argument("name")
@click.option("--issuer", help="Who issued its record numbers, where it does not say.")
@click.option("--pace", help="Studies an hour by the hour, as 07-19:60,19-07:; empty for none.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="KEY= takes one away.")
@as_user
@pass_session
def change(
    session: Session,
    name: str,
    issuer: str | None,
    pace: str | None,
    sets: tuple[str, ...],
    user: str,
) -> int:
    """Change how an older archive is brought over; what is decided already stays."""
    options = _resolved(dict(_option(one) for one in sets))
    if pace is not None:
        read_pace(pace)
        options["pace"] = pace
    change_source(session.services, name, user=user, issuer=issuer, options=options)
    document = _document(session.services, name)
    print("\n".join([name, *settings_lines(document)]))
    return 0


def _checked(session: Session, place: str, options: dict[str, str]) -> dict[str, str]:
    """Check place and options of an old PACS before it is written down."""
    told = _resolved(options)
    tried = Source(
        id="", name="", kind=SourceKind.PACS, place=place, added_at=datetime.now(UTC), options=told
    )
    session.services.sources.peer(tried)
    return told


def _resolved(options: dict[str, str]) -> dict[str, str]:
    """Return options of an old PACS; none names a file relative to where we are just now."""
    files = ("tls_ca", "tls_certificate", "tls_key")
    return {
        key: str(Path(one).resolve()) if key in files and one else one
        for key, one in options.items()
    }


def _option(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"{text!r} is no option.", remedy="Write it as KEY=VALUE.")
    return key.strip(), value.strip()


@migrate.command(name="run")
@click.argument("name")
@click.option("--timeout", type=click.FloatRange(min=0), default=3600.0, help="Seconds to wait.")
@click.option("--again", is_flag=True, help="Look it through once more, for what came since.")
@click.option("--as", "user", default="system", help="Who asks.")
@json_option
@pass_session
def run(session: Session, name: str, timeout: float, again: bool, user: str, as_json: bool) -> int:
    """Bring an older archive over; killed and run again, it goes on."""
    deadline = time.monotonic() + timeout
    with workplace(session, run=True) as services:
        source = source_named(services, name)
        if again and source.stocked:
            stock_again(services, name, user=user)
        else:
            add_source(services, name, source.kind, source.place, user=user)
        in_time = _wait(services, name, deadline)
        document = _document(services, name)
    if as_json:
        print_json(document)
    else:
        print(source_words(document))
    if not in_time:
        paused = " It is paused: `migrate resume` lets it go on." if document["paused"] else ""
        note(f"Not finished within {timeout:g} seconds; run it again to go on.{paused}")
    held = {state.value for state in HOLDS} & set(document["studies"])
    return FINISHED_WITH_HOLDS if held or not document["settled"] else 0


def _wait(services: Services, name: str, deadline: float) -> bool:
    """Wait until nothing of a source is under way; False when the time is over before."""
    with progress_bars() as progress:
        bar = progress.add_task(name, total=None)
        while time.monotonic() < deadline:
            with services.ledger.reading() as view:
                source = view.old_source_named(name)
                assert source is not None, "it was just looked up"
                done = reconcile.settled(view, source) and not view.tasks(subjects=[source.id])
                states = view.old_studies_by_state(source.id)
            total = sum(states.values())
            progress.update(bar, total=total or None, completed=states.get(State.VERIFIED, 0))
            if done:
                return True
            time.sleep(0.25)
    return False


def _document(services: Services, name: str) -> dict[str, Any]:
    with services.ledger.reading() as view:
        source = view.old_source_named(name)
        if source is None:
            raise UnknownRecord(f"There is no older archive {name}.")
        return reconcile.source_json(view, source)


@migrate.command(name="list")
@json_option
@pass_session
def list_sources(session: Session, as_json: bool) -> int:
    """List the older archives."""
    with session.services.ledger.reading() as view:
        rows = [reconcile.source_json(view, source) for source in view.old_sources()]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            print(f"{row['source']}: {row['verified']} of {row['found']} instances verified")
            print("".join(f"{line}\n" for line in settings_lines(row)), end="")
    return 0


@migrate.command(name="show")
@click.argument("name")
@click.option("--instances", "wanted", metavar="LIST", help="List the instances behind a number.")
@click.option("--code", help="Only those of this reason.")
@click.option("--csv", "as_csv", is_flag=True, help="The instances as CSV.")
@json_option
@pass_session
def show(
    session: Session,
    name: str,
    wanted: str | None,
    code: str | None,
    as_csv: bool,
    as_json: bool,
) -> int:
    """Show where everything of an older archive is, or one of its lists."""
    services = session.services
    source = source_named(services, name)
    if wanted is None:
        document = _document(services, name)
        if as_json:
            print_json(document)
        else:
            print(source_words(document))
        return 0
    rows = lists.listed(services, source, wanted, code=code_named(code))
    _print_instances(services, rows, as_csv=as_csv, as_json=as_json)
    return 0


def _print_instances(
    services: Services, found: Iterable[OldInstance], *, as_csv: bool, as_json: bool
) -> None:
    cells = instance_rows(services, found)
    if as_csv:
        print_csv(INSTANCE_COLUMNS, cells)
        return
    rows = (dict(zip(INSTANCE_COLUMNS, one, strict=True)) for one in cells)
    if as_json:
        print_json(list(rows))
    else:
        for row in rows:
            print(f"{row['place']}: {row['state']}{_why(row)}")


def _why(row: dict[str, Any]) -> str:
    told = " ".join(filter(None, (row["code"], row["note"])))
    return f" ({told})" if told else ""


@migrate.command(name="give-up")
@click.argument("name")
@click.argument("what", type=click.Choice(list(GIVEN_UP)))
@click.option("--reason", "why", required=True, help="Why it cannot be had; the report prints it.")
@as_user
@pass_session
def give_up_list(session: Session, name: str, what: str, why: str, user: str) -> int:
    """Do without what stands in a list now, so that the rest may be released."""
    word = give_up(session.services, name, what, user=user, why=why)
    print(f"{name}: {user} does without {GIVEN_UP[what]}: {word.count}.")
    return 0


@migrate.command(name="pause")
@click.argument("name")
@as_user
@pass_session
def pause(session: Session, name: str, user: str) -> int:
    """Start no more studies; those under way come to their end."""
    pause_source(session.services, name, user=user, paused=True)
    print(f"{name} is paused.")
    return 0


@migrate.command(name="resume")
@click.argument("name")
@as_user
@pass_session
def resume(session: Session, name: str, user: str) -> int:
    """Go on after a pause."""
    pause_source(session.services, name, user=user, paused=False)
    print(f"{name} goes on.")
    return 0


for one in (*MIGRATE_PLAN_COMMANDS, *MIGRATE_STUDY_COMMANDS):
    migrate.add_command(one)

COMMANDS: tuple[click.Command, ...] = (migrate,)
