"""From here on entries are RFC 8785, and PostgreSQL refuses changes too.

The table stays as it is, and no older entry is touched: the form of an entry shows in its text.
The step exists so that a version that knows only the older form refuses the ledger, instead of
calling newer entries changed.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FUNCTION = """
CREATE FUNCTION ledger_refuses() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$
"""
_TRIGGER = """
CREATE TRIGGER entries_no_{name} BEFORE {event} ON entries
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses()
"""


def upgrade() -> None:
    """On PostgreSQL refuse to change or remove a row, as SQLite does since 0001."""
    if op.get_context().dialect.name == "postgresql":
        op.execute(_FUNCTION)
        for name in ("update", "delete", "truncate"):
            op.execute(_TRIGGER.format(name=name, event=name.upper()))
