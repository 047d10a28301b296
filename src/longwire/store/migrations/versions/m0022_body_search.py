"""The words of kept bodies, where the operator allows an index of them."""

from alembic import op

revision = "0022"
down_revision = "0021"
OLDEST_PROGRAM = "0012"


def upgrade() -> None:
    """Make it, empty: bodies that are kept already are not opened for it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE bodies_index "
            "USING fts5(text, tokenize = 'unicode61 remove_diacritics 0')"
        )
        return
    op.execute(
        "CREATE TABLE bodies_index (id BIGINT NOT NULL CONSTRAINT pk_bodies_index PRIMARY KEY, "
        "text TEXT NOT NULL, words TSVECTOR NOT NULL)"
    )
    op.execute("CREATE INDEX ix_bodies_index_words ON bodies_index USING gin (words)")


def downgrade() -> None:
    """Drop it again."""
    op.execute("DROP TABLE bodies_index")
