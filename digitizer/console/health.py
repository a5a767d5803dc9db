"""Is it alive, is it ready, and figures for monitoring: without login and without patient data."""

import shutil

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from digitizer.console.site import Site, site_of
from digitizer.errors import DigitizerError
from digitizer.model.records import WorkMode
from digitizer.pipeline.orders import orders_in
from digitizer.queue.broker import broker_trouble
from digitizer.service.lock import DataFolderLock

__all__ = ["PUBLIC", "router"]

PUBLIC = ("/healthz", "/readyz", "/metrics")
router = APIRouter()
_LEAST_FREE = 1 << 30


@router.get("/healthz")
async def alive() -> Response:
    """Answer as long as the process does."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def ready(request: Request) -> Response:
    """Tell whether what the console needs is there; 503 with the reasons when it is not."""
    site = site_of(request)
    checks = {"ledger": _ledger(site), "broker": _broker(site), "disk": _disk(site)}
    good = all(words == "ok" for words in checks.values())
    return JSONResponse({"ready": good, "checks": checks}, 200 if good else 503)


def _ledger(site: Site) -> str:
    try:
        site.overview.by_state()
    except DigitizerError as error:
        return error.message
    return "ok"


def _broker(site: Site) -> str:
    url = site.settings.broker_url
    if not url:
        return "ok" if DataFolderLock(site.settings.data_dir).owner() else "nothing runs the line"
    return broker_trouble(url) or "ok"


def _disk(site: Site) -> str:
    folder = site.settings.data_dir
    free = shutil.disk_usage(folder if folder.exists() else folder.parent).free
    return "ok" if free > _LEAST_FREE else "less than 1 GiB is free"


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Return counts, ages and free space in the Prometheus text format."""
    registry = CollectorRegistry()
    registry.register(_Figures(site_of(request)))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")


class _Figures(Collector):
    """Reads the figures from the ledger each time they are asked for."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> list[GaugeMetricFamily]:
        """Return one family a figure."""
        site = self._site
        now = site.services.clock.now()
        count = GaugeMetricFamily("digitizer_sheets", "Sheets and unread scans.", labels=["state"])
        age = GaugeMetricFamily(
            "digitizer_oldest_seconds", "Age of the longest in a state.", labels=["state"]
        )
        for one in site.overview.by_state():
            count.add_metric([one.state.value], one.count)
            if one.oldest is not None:
                age.add_metric([one.state.value], max(0.0, (now - one.oldest).total_seconds()))
        with site.services.ledger.reading() as view:
            tasks, pending = view.task_counts(), view.pending_commitments()
            mode = orders_in(view).mode()
        due = GaugeMetricFamily("digitizer_tasks", "Stages that are due.", labels=["stage"])
        for stage, count_of_stage in tasks.items():
            due.add_metric([stage.value], count_of_stage)
        flow = site.overview.flow()
        wrong = GaugeMetricFamily(
            "digitizer_expected_wrong", "Expected wrong filings among those by itself."
        )
        wrong.add_metric([], flow.expected_wrong)
        waits = GaugeMetricFamily("digitizer_commitments_pending", "Unanswered commitments.")
        waits.add_metric([], pending)
        free = GaugeMetricFamily("digitizer_disk_free_bytes", "Free room of the data folder.")
        free.add_metric([], shutil.disk_usage(site.settings.data_dir).free)
        return [count, age, due, wrong, waits, free, _mode(mode), *_archives(site)]


def _mode(mode: WorkMode) -> GaugeMetricFamily:
    held = GaugeMetricFamily("digitizer_work_held", "Whether all work is paused (2) or drains (1).")
    held.add_metric([], {WorkMode.PAUSED: 2, WorkMode.DRAINING: 1}.get(mode, 0))
    return held


def _archives(site: Site) -> list[GaugeMetricFamily]:
    """Return how archives answered to what they were asked, and what was read back from them."""
    asked = GaugeMetricFamily(
        "digitizer_commitments", "Commitments by their outcome.", labels=["archive", "outcome"]
    )
    read = GaugeMetricFamily(
        "digitizer_read_backs", "Instances read back.", labels=["archive", "outcome"]
    )
    for one in site.overview.archives():
        for outcome in ("pending", "promised", "refused", "late"):
            asked.add_metric([one.archive, outcome], getattr(one, outcome))
        for outcome in ("agreed", "differed"):
            read.add_metric([one.archive, outcome], getattr(one, outcome))
    return [asked, read]
