"""Versions of packs, recalled templates, folded histories."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "pack_version",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("rollout", sa.Integer(), nullable=False),
        sa.Column("first_served_at", MOMENT, nullable=False),
        sa.Column("released_at", MOMENT, nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("name", "version", name="pk_pack_version"),
    )
    op.create_table(
        "recall",
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("pack", "template", name="pk_recall"),
    )
    op.create_table(
        "fold",
        sa.Column(
            "conversation_id",
            sa.String(),
            sa.ForeignKey("conversation.id", name="fk_fold_conversation_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by_engine", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_fold"),
    )


def downgrade() -> None:
    for table in ("fold", "recall", "pack_version"):
        op.drop_table(table)
