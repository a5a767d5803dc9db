"""Commands that run things: serve, doctor, scanners, scan."""

import signal
import threading
from contextlib import ExitStack
from types import FrameType

import click

from digitizer import config, wiring
from digitizer.cli.base import Session, Verb, json_option, note, pass_session, print_json
from digitizer.pipeline.ingest import close_batch, open_batch
from digitizer.scan.sane import list_scanners
from digitizer.service.console import (
    console_address,
    console_child,
    console_port,
    port_is_free,
)
from digitizer.service.doctor import run_checks
from digitizer.service.runtime import Runtime
from digitizer.service.scanning import scan_in
from digitizer.service.supervisor import Supervisor
from digitizer.service.watching import watch_batch

__all__ = ["COMMANDS"]


@click.command(cls=Verb)
@pass_session
def serve(session: Session) -> int:
    """Run everything: broker, workers, watch folder, embedded archive if used, console."""
    stop = threading.Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked)
    with ExitStack() as stack:
        runtime = stack.enter_context(Runtime(session.settings, session.config))
        stack.enter_context(_console(runtime))
        watcher = None
        if runtime.settings.watch.folder is not None:
            watcher = threading.Thread(
                target=watch_batch(
                    runtime.services,
                    runtime.settings.watch,
                    wiring.decoder(runtime.settings),
                    stop,
                ).run,
                name="watch",
            )
            watcher.start()
        archive = runtime.settings.archive
        note(f"Working on {session.settings.data_dir}. Archive {archive.ae_title} at "
             f"{archive.host}:{archive.port}. Stop with Ctrl-C.")  # fmt: skip
        stop.wait()
        note("Stopping.")
        if watcher is not None:
            watcher.join()
    return 0


def _console(runtime: Runtime) -> Supervisor:
    """Return what keeps the console running, also where its port is not free yet."""
    console = runtime.settings.console
    port = console_port(console)
    note(f"Console at {console_address(console, port)}")
    if not port_is_free(console.host, port):
        note(f"Port {port} is taken by another program: the console comes up when it is free. "
             "DIGITIZER_CONSOLE__PORT chooses another.")  # fmt: skip
    with runtime.services.ledger.reading() as view:
        if not view.users():
            note("Nobody has an account yet: `digitizer users add NAME --role lead`.")
    return Supervisor([console_child(runtime.environment, port)])


@click.command(cls=Verb)
@json_option
@pass_session
def doctor(session: Session, as_json: bool) -> int:
    """Check every needed program, folder, port and service; say what to do."""
    loaded = session.loaded
    checks = run_checks(loaded.settings)
    values = {
        key: {"value": shown, "origin": loaded.origins[key]}
        for key, shown in config.effective(loaded.settings).items()
    }
    if as_json:
        print_json(
            {
                "checks": [
                    {"name": c.name, "ok": c.ok, "detail": c.detail, "remedy": c.remedy}
                    for c in checks
                ],
                "settings": values,
            }
        )
    else:
        for check in checks:
            print(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.detail}")
            if not check.ok:
                print(f"     {check.remedy}")
        for key, one in values.items():
            print(f"     {key} = {one['value']}  ({one['origin']})")
    return 0 if all(check.ok or not check.needed for check in checks) else 5


@click.command(cls=Verb)
@json_option
@pass_session
def scanners(session: Session, as_json: bool) -> int:
    """List the scanners that SANE finds."""
    found = list_scanners()
    if as_json:
        print_json(
            [
                {"device": s.device, "vendor": s.vendor, "model": s.model, "type": s.type}
                for s in found
            ]
        )
    else:
        for scanner in found:
            print(f"{scanner.device}: {scanner.vendor} {scanner.model} ({scanner.type})")
        if not found:
            print("No scanner found. Is it switched on and connected?")
    return 0


@click.command(cls=Verb)
@click.option("--device", required=True, help="Device, as `digitizer scanners` lists it.")
@click.option("--batch", "name", help="Batch the scans go into.")
@click.option("--jacket", help="Jacket the scans belong to.")
@click.option("--profile", default="film", help="film, film-feeder or label.")
@click.option("--source", help="The scanner's source, where the profile's is not its name.")
@click.option("--serial", default="", help="Serial number of the scanner, as it was calibrated.")
@pass_session
def scan(
    session: Session,
    device: str,
    name: str | None,
    jacket: str | None,
    profile: str,
    source: str | None,
    serial: str,
) -> int:
    """Scan one sheet, or the feeder, and take the scans in."""
    services = session.services
    name = name or f"scan-{services.clock.now().astimezone():%Y-%m-%d}"
    batch = open_batch(services, name, str(session.settings.data_dir / "scanned"))
    scanned = scan_in(
        services,
        session.settings.data_dir,
        batch,
        device=device,
        profile=profile,
        jacket=jacket,
        source=source,
        serial=serial,
        taken=lambda page: note(f"taken in: {page.name}"),
    )
    close_batch(services, batch.id)
    print(f"{scanned} scanned.")
    return 0


COMMANDS: tuple[click.Command, ...] = (
    serve,
    doctor,
    scanners,
    scan,
)
