"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)
ASSISTANT = sa.text("role = 'assistant'")
OPEN = sa.text("state IN ('queued', 'running')")
TABLES = (
    "idempotency",
    "event",
    "turn",
    "feedback",
    "message",
    "rating",
    "conversation",
    "demo_order",
    "api_key",
    "site",
)


def upgrade() -> None:
    _create_shops()
    _create_conversations()
    _create_messages()
    _create_turns()
    _create_log()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)


def _create_shops() -> None:
    op.create_table(
        "site",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("allowed_origins", sa.JSON(), nullable=False),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("pack_version", sa.String(), nullable=True),
        sa.Column("secrets", sa.JSON(), nullable=False),
        sa.Column("salt_epoch", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_site"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("sites", sa.JSON(), nullable=True),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("hash", name="uq_api_key_hash"),
    )
    op.create_table(
        "demo_order",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("amount", sa.String(), nullable=False),
        sa.Column("placed_on", sa.Date(), nullable=False),
        sa.Column("eta", sa.Date(), nullable=True),
        sa.Column("carrier", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("order_id", name="pk_demo_order"),
    )


def _create_conversations() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_key", sa.String(), sa.ForeignKey("site.key", name="fk_conversation_site_key"), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("pack_version", sa.String(), nullable=False),
        sa.Column("pin_replica", sa.String(), nullable=True),
        sa.Column("pin_boot_id", sa.String(), nullable=True),
        sa.Column("pin_cached_tokens", sa.Integer(), nullable=False),
        sa.Column("pin_at", sa.Float(), nullable=True),
        sa.Column("pin_version", sa.Integer(), nullable=False),
        sa.Column("demand", sa.Text(), nullable=True),
        sa.Column("sentiment", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_conversation"),
        sa.UniqueConstraint("token_hash", name="uq_conversation_token_hash"),
    )
    op.create_index("ix_conversation_created_at", "conversation", ["created_at", "id"])
    op.create_index("ix_conversation_state", "conversation", ["state", "created_at", "id"])
    op.create_index("ix_conversation_pin_replica", "conversation", ["pin_replica"])
    op.create_index("ix_conversation_site_key", "conversation", ["site_key"])
    op.create_index("ix_conversation_updated_at", "conversation", ["updated_at"])
    op.create_table(
        "rating",
        sa.Column(
            "conversation_id",
            sa.String(),
            sa.ForeignKey("conversation.id", name="fk_rating_conversation_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_rating"),
    )


def _create_messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column(
            "conversation_id",
            sa.String(),
            sa.ForeignKey("conversation.id", name="fk_message_conversation_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("turn_id", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("staff", sa.Boolean(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("prompt_text", sa.Text(), nullable=True),
        sa.Column("quick_replies", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
    )
    op.create_index("ix_message_conversation_id_seq", "message", ["conversation_id", "seq"], unique=True)
    op.create_index(
        "ix_message_reply", "message", ["turn_id"], unique=True, sqlite_where=ASSISTANT, postgresql_where=ASSISTANT
    )
    op.create_table(
        "feedback",
        sa.Column(
            "message_id",
            sa.String(),
            sa.ForeignKey("message.id", name="fk_feedback_message_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_feedback"),
    )


def _create_turns() -> None:
    op.create_table(
        "turn",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column(
            "conversation_id",
            sa.String(),
            sa.ForeignKey("conversation.id", name="fk_turn_conversation_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("client_turn_id", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("attempts_before", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=True),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
        sa.Column("prompt_seq", sa.Integer(), nullable=True),
        sa.Column("traceparent", sa.String(), nullable=True),
        sa.Column("trace_id", sa.String(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("reply_message_id", sa.String(), nullable=True),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("template", sa.String(), nullable=True),
        sa.Column("slots", sa.JSON(), nullable=True),
        sa.Column("lookup", sa.JSON(), nullable=True),
        sa.Column("demand", sa.Text(), nullable=True),
        sa.Column("sentiment", sa.String(), nullable=True),
        sa.Column("action_reason", sa.String(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("cached_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("replica", sa.String(), nullable=True),
        sa.Column("placement", sa.String(), nullable=True),
        sa.Column("ttfv_ms", sa.Float(), nullable=True),
        sa.Column("total_ms", sa.Float(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_turn"),
        sa.UniqueConstraint("conversation_id", "client_turn_id", name="uq_turn_conversation_id_client_turn_id"),
    )
    op.create_index("ix_turn_conversation_id_seq", "turn", ["conversation_id", "seq"], unique=True)
    op.create_index("ix_turn_open", "turn", ["created_at"], sqlite_where=OPEN, postgresql_where=OPEN)


def _create_log() -> None:
    op.create_table(
        "event",
        sa.Column(
            "conversation_id",
            sa.String(),
            sa.ForeignKey("conversation.id", name="fk_event_conversation_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("turn_id", sa.String(), nullable=True),
        sa.Column("staff", sa.Boolean(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "seq", name="pk_event"),
    )
    op.create_table(
        "idempotency",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("response", sa.JSON(), nullable=False),
        sa.Column(
            "conversation_id",
            sa.String(),
            sa.ForeignKey("conversation.id", name="fk_idempotency_conversation_id", ondelete="CASCADE"),
            nullable=True,
        ),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_conversation_id", "idempotency", ["conversation_id"])
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"])
