"""Accounts of the staff with their sessions, the audit log, who is there, suggestions, waiting conversations."""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_staff()
    _create_suggestions()
    with op.batch_alter_table("conversation") as table:
        table.add_column(sa.Column("waiting_since", MOMENT, nullable=True))
        table.add_column(sa.Column("offered_at", MOMENT, nullable=True))
        table.add_column(sa.Column("leaving", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("contact", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("conversation") as table:
        for column in ("contact", "leaving", "offered_at", "waiting_since"):
            table.drop_column(column)
    for table_name in ("suggestion", "presence", "audit_entry", "staff_session", "account"):
        op.drop_table(table_name)


def _create_staff() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("sites", sa.JSON(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("disabled_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("login", name="uq_account_login"),
        sa.UniqueConstraint("name", name="uq_account_name"),
        sa.UniqueConstraint("subject", name="uq_account_subject"),
    )
    op.create_table(
        "staff_session",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column(
            "account_id",
            sa.String(),
            sa.ForeignKey("account.id", name="fk_staff_session_account_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column(
            "parent",
            sa.String(),
            sa.ForeignKey("staff_session.hash", name="fk_staff_session_parent", ondelete="CASCADE"),
            nullable=True,
        ),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_staff_session"),
    )
    op.create_index("ix_staff_session_account_id", "staff_session", ["account_id"])
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
    op.create_table(
        "presence",
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sites", sa.JSON(), nullable=True),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("stream", name="pk_presence"),
    )


def _create_suggestions() -> None:
    op.create_table(
        "suggestion",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column(
            "conversation_id",
            sa.String(),
            sa.ForeignKey("conversation.id", name="fk_suggestion_conversation_id", ondelete="CASCADE"),
            nullable=True,
        ),
        sa.Column("site_key", sa.String(), sa.ForeignKey("site.key", name="fk_suggestion_site_key"), nullable=False),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("pack_version", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("slots", sa.JSON(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("base_seq", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_suggestion"),
    )
    op.create_index("ix_suggestion_conversation_id", "suggestion", ["conversation_id"])
    op.create_index("ix_suggestion_created_at", "suggestion", ["created_at"])
