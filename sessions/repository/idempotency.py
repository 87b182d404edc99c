"""`repo.idempotency`: what calls with an `Idempotency-Key` were answered."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete

from sessions.columns import now
from sessions.models import IdempotentAnswer
from sessions.repository.part import Part

KEPT = timedelta(hours=24)


class Idempotency(Part):
    async def find(self, scope: str, key: str) -> IdempotentAnswer | None:
        """The answer that the key got in the last 24 hours. In a writing transaction, equal calls wait here."""
        await self.tx.wait_alone(f"{scope}\n{key}")
        found = await self.session.get(IdempotentAnswer, (scope, key))
        return found if found and found.created_at > now() - KEPT else None

    async def keep(
        self,
        scope: str,
        key: str,
        body_hash: str,
        response: dict[str, Any],
        *,
        status: int = 200,
        conversation_id: str | None = None,
    ) -> None:
        """Remember an answer; one about a conversation goes when the conversation goes."""
        await self.session.merge(
            IdempotentAnswer(
                scope=scope,
                key=key,
                body_hash=body_hash,
                status=status,
                response=response,
                conversation_id=conversation_id,
            )
        )

    async def expire(self) -> None:
        """Forget what is older than 24 hours."""
        await self.session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.created_at <= now() - KEPT))
