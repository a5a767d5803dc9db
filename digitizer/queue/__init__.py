"""Waking the next stage through Celery: JSON messages that carry ids only."""
