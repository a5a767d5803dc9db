"""Waking the next stage through Celery: JSON messages that carry ids only."""

from digitizer.queue.waker import QUEUES, CeleryWaker, make_app, task_name

__all__ = ["QUEUES", "CeleryWaker", "make_app", "task_name"]
