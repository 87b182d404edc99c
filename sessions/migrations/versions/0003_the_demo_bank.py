"""The demo bank's book."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "demo_account",
        sa.Column("account_number", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("pin", sa.String(), nullable=False),
        sa.Column("date_of_birth", sa.Date(), nullable=False),
        sa.Column("maiden_name", sa.String(), nullable=False),
        sa.Column("pet_name", sa.String(), nullable=False),
        sa.Column("balance", sa.String(), nullable=False),
        sa.Column("report_number", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("account_number", name="pk_demo_account"),
    )


def downgrade() -> None:
    op.drop_table("demo_account")
