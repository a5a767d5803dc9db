"""The Celery application's settings and the waker that speaks to it.

Settings follow what was measured of Celery 5.7 on Redis: late acknowledgement with requeueing of
a lost worker's task, prefetch of one, and no cancelling of running tasks when the broker goes away
(that leaves their messages unacknowledged for ever). None of it is relied on: the ledger's leases
and the reaper keep the guarantees, a message is only a wake-up call.
"""

import base64
import json
import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from digitizer.model.records import Stage

__all__ = ["QUEUES", "CeleryWaker", "make_app", "task_name"]

logger = logging.getLogger(__name__)

QUEUES: Mapping[Stage, str] = MappingProxyType(
    {
        Stage.PREPARE: "imaging",
        Stage.READ: "reading",
        Stage.DECIDE: "reading",
        Stage.WRAP: "imaging",
        Stage.STORE: "archive",
        Stage.COMMIT: "archive",
        Stage.VERIFY: "archive",
        Stage.OLD_STOCK: "older",
        Stage.OLD_FEED: "older",
        Stage.OLD_TAKE: "older",
        Stage.OLD_DECIDE: "older",
        Stage.OLD_STORE: "archive",
        Stage.OLD_COMMIT: "archive",
        Stage.OLD_VERIFY: "archive",
    }
)
"""Which queue a stage waits in."""
_BUSY = 100
"""Messages beyond which a queue is not looked through."""


def task_name(stage: Stage) -> str:
    """Return the Celery task of a stage."""
    return f"digitizer.{stage.value}"


_STAGES = {task_name(stage): stage for stage in QUEUES}


def make_app(broker_url: str, visibility_timeout_s: float = 3600.0) -> Celery:
    """Make the Celery application for a broker; nothing is connected yet."""
    app = Celery("digitizer", broker=broker_url)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_max_tasks_per_child=2000,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"visibility_timeout": visibility_timeout_s},
        task_routes={task_name(stage): {"queue": queue} for stage, queue in QUEUES.items()},
        task_default_queue="imaging",
        timezone="UTC",
    )
    return app


class CeleryWaker:
    """Implements :class:`digitizer.ports.Waker`: one message for each due stage.

    A broker that does not answer is no failure of the stage that is done: the reaper finds what was
    not announced.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app

    def wake(self, tasks: Iterable[tuple[Stage, str]]) -> None:
        """Announce due work; at most a warning when the broker is away."""
        for stage, subject in tasks:
            try:
                self._app.send_task(
                    task_name(stage),
                    args=[subject],
                    queue=QUEUES[stage],
                    retry=False,
                    ignore_result=True,
                )
            except (OperationalError, RedisError, OSError) as error:
                logger.warning("broker unreachable", extra={"error": type(error).__name__})
                return

    def announced(self) -> frozenset[tuple[Stage, str]] | None:
        """Return what is announced and taken by nobody yet; None where that is too much to tell.

        When the broker does not answer it is nothing.
        """
        try:
            with self._app.connection_for_read() as connection:
                client = connection.default_channel.client
                messages = [
                    message
                    for queue in sorted(set(QUEUES.values()))
                    for message in client.lrange(queue, 0, _BUSY)
                ]
        except (OperationalError, RedisError, OSError):
            return frozenset()
        if len(messages) > _BUSY:
            return None
        found = map(_announces, messages)
        return frozenset(one for one in found if one is not None)


def _announces(message: bytes) -> tuple[Stage, str] | None:
    """Return what a message on Redis announces; None for one that is not ours."""
    try:
        found = json.loads(message)
        arguments = json.loads(base64.b64decode(found["body"]))[0]
        return _STAGES[found["headers"]["task"]], str(arguments[0])
    except (ValueError, KeyError, IndexError, TypeError):
        return None
