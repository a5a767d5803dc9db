"""Waking the next stage through Celery: JSON messages that carry ids only."""

from digitizer.queue.waker import QUEUES, CeleryWaker, make_app, task_name
from digitizer.queue.worker import is_dead, worker_name

__all__ = ["QUEUES", "CeleryWaker", "is_dead", "make_app", "task_name", "worker_name"]
