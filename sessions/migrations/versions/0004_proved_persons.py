"""Persons whom their website has proved, and sites that take no others."""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("conversation", sa.Column("subject", sa.String(), nullable=True))
    op.create_index("ix_conversation_subject", "conversation", ["subject", "site_key"])
    op.add_column("site", sa.Column("identity_required", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.create_table(
        "person_session",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column(
            "site_key", sa.String(), sa.ForeignKey("site.key", name="fk_person_session_site_key"), nullable=False
        ),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_person_session"),
    )
    op.create_index("ix_person_session_expires_at", "person_session", ["expires_at"])
    op.create_table(
        "used_proof",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_used_proof"),
    )
    op.create_index("ix_used_proof_expires_at", "used_proof", ["expires_at"])


def downgrade() -> None:
    op.drop_table("used_proof")
    op.drop_table("person_session")
    op.drop_index("ix_conversation_subject", "conversation")
    op.drop_column("conversation", "subject")
    op.drop_column("site", "identity_required")
