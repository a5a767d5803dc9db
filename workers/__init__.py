"""Celery workers: thin tasks around the pipeline."""
