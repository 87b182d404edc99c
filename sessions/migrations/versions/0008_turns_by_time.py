"""Turns by the time when they were posted, for the operator's figures."""

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_index("ix_turn_created_at", "turn", ["created_at"])


def downgrade() -> None:
    op.drop_index("ix_turn_created_at", "turn")
