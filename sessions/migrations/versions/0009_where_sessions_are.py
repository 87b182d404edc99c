"""Where sessions of the OpenAI endpoint are."""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    is_postgres = op.get_context().dialect.name == "postgresql"
    op.create_table(
        "session_pin",
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("replica", sa.String(), nullable=False),
        sa.Column("boot_id", sa.String(), nullable=False),
        sa.Column("cached_tokens", sa.Integer(), nullable=False),
        sa.Column("brand", sa.String(), nullable=True),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("session", name="pk_session_pin"),
        # What a crash loses are hints, and every request writes one.
        prefixes=["UNLOGGED"] if is_postgres else [],
    )
    op.create_index("ix_session_pin_at", "session_pin", ["at"])


def downgrade() -> None:
    op.drop_table("session_pin")
