"""The Celery application. A task takes an id and calls ``advance``; all else is elsewhere."""

from celery import Celery
from celery.signals import setup_logging, worker_process_init

from digitizer import config, log, wiring
from digitizer.model.records import Stage
from digitizer.pipeline.advance import advance
from digitizer.pipeline.stages import STAGES
from digitizer.queue.waker import make_app, task_name

__all__ = ["app"]

wiring.load_adapters()
settings = config.load().settings
app: Celery = make_app(wiring.broker_url(settings))


@setup_logging.connect
def _log(**_: object) -> None:
    log.configure(settings.log_level)


@worker_process_init.connect
def _begin(**_: object) -> None:
    """Prepare a process: one thread of computing, and associations kept between tasks."""
    wiring.settle_process()
    wiring.keep_associations()


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


@app.task(name=task_name(Stage.OLD_STOCK))
def old_stock(source_id: str) -> None:
    """Look through a part of an older archive."""
    _run(Stage.OLD_STOCK, source_id)


@app.task(name=task_name(Stage.OLD_FEED))
def old_feed(source_id: str) -> None:
    """Set studies of an older archive going."""
    _run(Stage.OLD_FEED, source_id)


@app.task(name=task_name(Stage.OLD_TAKE))
def old_take(study_id: str) -> None:
    """Fetch an older study from its peer."""
    _run(Stage.OLD_TAKE, study_id)


@app.task(name=task_name(Stage.OLD_DECIDE))
def old_decide(study_id: str) -> None:
    """Decide whose an older study is."""
    _run(Stage.OLD_DECIDE, study_id)


@app.task(name=task_name(Stage.OLD_STORE))
def old_store(study_id: str) -> None:
    """Send an older study."""
    _run(Stage.OLD_STORE, study_id)


@app.task(name=task_name(Stage.OLD_COMMIT))
def old_commit(study_id: str) -> None:
    """Ask for storage commitment of an older study."""
    _run(Stage.OLD_COMMIT, study_id)


@app.task(name=task_name(Stage.OLD_VERIFY))
def old_verify(study_id: str) -> None:
    """Read an older study back."""
    _run(Stage.OLD_VERIFY, study_id)
