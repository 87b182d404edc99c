"""`repo.persons`: customers whom their website has proved."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from sessions.columns import now
from sessions.errors import Conflict
from sessions.identifiers import CUSTOMER_TOKEN, PERSON_TOKEN, digest, new_secret
from sessions.models import Conversation, PersonSession, UsedProof
from sessions.principal import Person, Principal
from sessions.repository.part import Part

SESSION = timedelta(hours=12)
"""How long one proof is good for; then the website is asked again."""


class Persons(Part):
    async def use_proof(self, site_key: str, jti: str, expires_at: datetime) -> bool:
        """Use a proof up; False when it has been used before."""
        hashed = digest(f"{site_key}\n{jti}")
        await self.tx.wait_alone(hashed)
        if await self.session.get(UsedProof, hashed) is not None:
            return False
        self.session.add(UsedProof(hash=hashed, expires_at=expires_at))
        return True

    async def begin(self, person: Person, token: str | None = None) -> str:
        """Begin a session and return its token, this once.

        `token` is for callers that can derive it again: at least 128 secret bits, to which the prefix is added.
        """
        raw = new_secret(PERSON_TOKEN) if token is None else PERSON_TOKEN + token
        self.session.add(
            PersonSession(
                token_hash=digest(raw), site_key=person.site_key, subject=person.subject, expires_at=now() + SESSION
            )
        )
        return raw

    async def attach(self, principal: Principal, conversation_id: str, person: Person) -> Conversation:
        """Make the conversation the person's; the token with which it was begun opens nothing any more.

        Raises NotFound, Conflict `identity_mismatch` when it is somebody else's.
        """
        conversation = await self.log.locked(principal, conversation_id)
        if conversation.subject not in (None, person.subject):
            raise Conflict("identity_mismatch", "The conversation belongs to another person.")
        if conversation.subject is None:
            conversation.subject, conversation.token_hash = person.subject, digest(new_secret(CUSTOMER_TOKEN))
            self.log.touch(conversation, listed=True)
        return conversation

    async def forget(self, person: Person) -> None:
        """End the sessions of a person of whom no conversation is left."""
        left = select(Conversation.id).where(*_of(person)).limit(1)
        if await self.session.scalar(left) is None:
            mine = (PersonSession.site_key == person.site_key, PersonSession.subject == person.subject)
            await self.session.execute(delete(PersonSession).where(*mine))

    async def expire(self) -> None:
        """Forget sessions that are over, and proofs that have expired anyway."""
        for kind in (PersonSession, UsedProof):
            await self.session.execute(delete(kind).where(kind.expires_at <= now()))


def _of(person: Person) -> tuple[object, object]:
    return Conversation.site_key == person.site_key, Conversation.subject == person.subject
