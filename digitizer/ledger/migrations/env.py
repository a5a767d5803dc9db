"""Alembic's entry: the connection is given by :func:`digitizer.ledger.migrate.migrate`."""

from alembic import context

from digitizer.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
