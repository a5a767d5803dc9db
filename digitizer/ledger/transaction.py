"""One transaction of the ledger: rows, their events and their tasks, together or not at all."""

from digitizer.ledger.film_queries import FilmQueries
from digitizer.ledger.older_queries import OlderQueries
from digitizer.ledger.tasks import Tasks

__all__ = ["SqlTransaction"]


class SqlTransaction(FilmQueries, OlderQueries, Tasks):
    """Implements :class:`digitizer.ports.Transaction`."""
