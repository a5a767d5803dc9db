"""The Celery application. A task takes an id and calls ``advance``; all else is elsewhere."""

from celery import Celery
from celery.signals import setup_logging, worker_process_init

from digitizer import config, log, wiring
from digitizer.model.records import Stage
from digitizer.pipeline.advance import advance
from digitizer.pipeline.stages import STAGES
from digitizer.queue import make_app, task_name

__all__ = ["app"]

settings = config.load().settings
app: Celery = make_app(wiring.broker_url(settings))


@setup_logging.connect
def _log(**_: object) -> None:
    log.configure(settings.log_level)


@worker_process_init.connect
def _one_thread_each(**_: object) -> None:
    """Keep OpenCV and the engines to one thread a process: the pool is sized to the cores."""
    wiring.limit_threads()


def _run(stage: Stage, subject: str) -> None:
    advance(wiring.services(settings), stage, subject, STAGES)


@app.task(name=task_name(Stage.PREPARE))
def prepare(scan_id: str) -> None:
    """Find the sheets of a scan."""
    _run(Stage.PREPARE, scan_id)


@app.task(name=task_name(Stage.READ))
def read(scan_id: str) -> None:
    """Read the sheets of a scan."""
    _run(Stage.READ, scan_id)


@app.task(name=task_name(Stage.DECIDE))
def decide(jacket_id: str) -> None:
    """Decide the films of a jacket."""
    _run(Stage.DECIDE, jacket_id)


@app.task(name=task_name(Stage.WRAP))
def wrap(sheet_id: str) -> None:
    """Make the capture of a sheet."""
    _run(Stage.WRAP, sheet_id)


@app.task(name=task_name(Stage.STORE))
def store(sheet_id: str) -> None:
    """Send the capture of a sheet."""
    _run(Stage.STORE, sheet_id)


@app.task(name=task_name(Stage.COMMIT))
def commit(sheet_id: str) -> None:
    """Ask for storage commitment of a sheet's capture."""
    _run(Stage.COMMIT, sheet_id)


@app.task(name=task_name(Stage.VERIFY))
def verify(sheet_id: str) -> None:
    """Read the capture of a sheet back."""
    _run(Stage.VERIFY, sheet_id)
