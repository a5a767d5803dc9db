"""What is given up is told by content: an older word was given by place, and holds no more."""

import sqlalchemy as sa
from alembic import op

revision = "0009_given_up"
down_revision = "0008_older"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Call the hash of places what it is now: as one of content it fits nothing."""
    source = sa.table("old_source", sa.column("body"))
    old, new = '"places_sha256":', '"entries_sha256":'
    op.execute(sa.update(source).values(body=sa.func.replace(source.c.body, old, new)))
