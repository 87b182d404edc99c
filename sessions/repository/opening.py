"""How conversations begin, are found and are listed."""

from collections.abc import Sequence

from sqlalchemy import Select, and_, false, or_, select

from sessions.columns import now
from sessions.errors import NotFound
from sessions.identifiers import CONVERSATION, CUSTOMER_TOKEN, PERSON_TOKEN, digest, new_id, new_secret
from sessions.models import Conversation, PersonSession, Site
from sessions.principal import Customer, Person, Principal, Scope, Server, Staff
from sessions.repository.part import Part
from sessions.repository.searching import Search, narrowed
from sessions.vocabulary import ConversationState, WebhookKind


class Opening(Part):
    async def open(
        self,
        site_key: str,
        locale: str,
        pack: str,
        pack_version: str,
        *,
        id: str | None = None,
        token: str | None = None,
        subject: str | None = None,
    ) -> tuple[Conversation, str]:
        """Begin a conversation. Raises NotFound for an unknown or disabled site.

        Also returns the customer's token, of which only the hash is kept. `token` is for callers that can derive
        it again: at least 128 secret bits, to which the prefix is added.
        """
        site = await self.session.get(Site, site_key)
        if site is None or not site.enabled:
            raise NotFound("no such site")
        raw = new_secret(CUSTOMER_TOKEN) if token is None else CUSTOMER_TOKEN + token
        conversation = Conversation(
            id=id or new_id(CONVERSATION),
            site_key=site_key,
            token_hash=digest(raw),
            subject=subject,
            locale=locale,
            state=ConversationState.BOT,
            pack=pack,
            pack_version=pack_version,
        )
        self.session.add(conversation)
        self.tx.touch(conversation.id, listed=True)
        self.tx.announce(conversation, WebhookKind.CONVERSATION_OPENED, {"locale": locale, "subject": subject})
        return conversation, raw

    async def by_tokens(self, raw: Sequence[str], *, unproved: bool = False) -> Customer | None:
        """The customer who holds these tokens, conversations' or a person's; unknown ones are passed over.

        None when all are unknown. What was begun without a proof, on a site that takes proved persons only, is found
        only if `unproved`: by whoever is about to prove who they are.
        """
        hashes = [digest(token) for token in raw]
        proved = [digest(token) for token in raw if token.startswith(PERSON_TOKEN)]
        person = await self._person(proved) if proved else None
        begun = select(Conversation.id).where(Conversation.token_hash.in_(hashes))
        if not unproved:
            begun = begun.join(Site, Site.key == Conversation.site_key).where(Site.identity_required.is_(False))
        ids = set(await self.session.scalars(begun))
        if person is not None:
            ids |= (await self.of_person(person)).conversation_ids
        return Customer(frozenset(ids), person) if ids or person else None

    async def of_person(self, person: Person) -> Customer:
        """The person, with all their conversations on their site."""
        theirs = select(Conversation.id).where(
            Conversation.subject == person.subject, Conversation.site_key == person.site_key
        )
        return Customer(frozenset(await self.session.scalars(theirs)), person)

    async def _person(self, hashes: Sequence[str]) -> Person | None:
        going_on = (PersonSession.token_hash.in_(hashes), PersonSession.expires_at > now())
        found = await self.session.scalar(select(PersonSession).where(*going_on))
        return found and Person(found.site_key, found.subject)

    async def get(self, principal: Principal, conversation_id: str) -> Conversation:
        """Raises NotFound."""
        return await self.log.seen(principal, conversation_id)

    async def list(
        self,
        principal: Principal,
        *,
        state: ConversationState | None = None,
        search: Search | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Sequence[Conversation]:
        """The principal's conversations, newest first. `after` is the id of the last one that was read.

        Raises NotFound when `after` is none of the principal's.
        """
        wanted = visible_to(principal).order_by(Conversation.created_at.desc(), Conversation.id.desc()).limit(limit)
        wanted = narrowed(wanted, search or Search(state=state))
        if after is not None:
            last = await self.log.seen(principal, after)
            older = Conversation.created_at < last.created_at
            as_old = and_(Conversation.created_at == last.created_at, Conversation.id < last.id)
            wanted = wanted.where(or_(older, as_old))
        return (await self.session.scalars(wanted)).all()


def visible_to(principal: Principal) -> Select[tuple[Conversation]]:
    """The conversations that exist for the principal; says in SQL what `principal.sees` says of one."""
    wanted = select(Conversation)
    match principal:
        case Customer(conversation_ids):
            return wanted.where(Conversation.id.in_(conversation_ids))
        case Staff(scopes=scopes, sites=sites):
            if Scope.AGENT not in scopes:
                return wanted.where(false())
            return wanted if sites is None else wanted.where(Conversation.site_key.in_(sites))
        case Server():
            return wanted
