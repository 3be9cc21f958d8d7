"""The table of entries, and triggers that keep it append-only on SQLite.

`REPLACE` would delete without firing a delete trigger, so the insert trigger stops it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TRIGGERS = """
CREATE TRIGGER entries_no_{name} BEFORE {event} ON entries {when}
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
"""
_TAKEN = "WHEN EXISTS (SELECT 1 FROM entries WHERE number >= NEW.number)"


def upgrade() -> None:
    """Make the table; on SQLite refuse to change, remove or overwrite a row."""
    op.create_table(
        "entries",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    if op.get_context().dialect.name == "sqlite":
        op.execute(_TRIGGERS.format(name="update", event="UPDATE", when=""))
        op.execute(_TRIGGERS.format(name="delete", event="DELETE", when=""))
        op.execute(_TRIGGERS.format(name="replace", event="INSERT", when=_TAKEN))
