"""Indices over kind and run, so that a page of a long ledger is found without reading all of it.

No entry and no other rule changes.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both; each holds all that a listing asks for."""
    op.create_index("entries_by_kind", "entries", ["kind", "number", "run"])
    op.create_index("entries_by_run", "entries", ["run", "number", "kind"])
