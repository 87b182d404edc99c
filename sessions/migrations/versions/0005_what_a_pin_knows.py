"""What a pin knows of its prefix; replicas that are asked to drain."""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    with op.batch_alter_table("conversation") as conversation:
        conversation.add_column(sa.Column("pin_brand", sa.String(), nullable=True))
        conversation.add_column(sa.Column("pin_misses", sa.Integer(), nullable=False, server_default="0"))
        conversation.add_column(sa.Column("pin_moved", sa.String(), nullable=True))
    op.create_table(
        "drain",
        sa.Column("replica", sa.String(), nullable=False),
        sa.Column("boot_id", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("replica", name="pk_drain"),
    )


def downgrade() -> None:
    op.drop_table("drain")
    with op.batch_alter_table("conversation") as conversation:
        for column in ("pin_moved", "pin_misses", "pin_brand"):
            conversation.drop_column(column)
