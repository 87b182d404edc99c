"""`repo.suggestions`: what agents were offered to say, and what they made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from sessions.columns import now
from sessions.errors import Conflict, NotFound
from sessions.models import Message, Suggestion
from sessions.principal import Scope, Staff
from sessions.repository.figures import Span
from sessions.repository.part import Part
from sessions.vocabulary import Role, SuggestionOutcome


@dataclass(frozen=True)
class TemplateOutcomes:
    """What became of a template's suggestions on a site. `open` ones were shown and nothing has followed yet."""

    site: str
    template: str
    shown: int
    accepted: int
    edited: int
    rejected: int
    withdrawn: int

    @property
    def open(self) -> int:
        return self.shown - self.accepted - self.edited - self.rejected - self.withdrawn


class Suggestions(Part):
    async def offer(
        self, agent: Staff, conversation_id: str | None, base_seq: int, suggestions: Sequence[Suggestion]
    ) -> list[Suggestion]:
        """Store what an agent is shown now; what is still open in the conversation is withdrawn and returned.

        Raises NotFound, Conflict `suggestion_overtaken` when somebody has spoken since `base_seq`.
        """
        withdrawn = []
        if conversation_id is not None:
            await self.log.locked(agent, conversation_id)
            if await self.overtaken(conversation_id, base_seq):
                raise Conflict("suggestion_overtaken", "The conversation has gone on since.")
            withdrawn = await self._settle(conversation_id, SuggestionOutcome.WITHDRAWN)
        self.session.add_all(suggestions)
        return withdrawn

    async def overtaken(self, conversation_id: str, base_seq: int) -> bool:
        """Whether customer, bot or an agent has said something after `base_seq`."""
        spoken = (Role.CUSTOMER, Role.ASSISTANT, Role.AGENT)
        later = select(Message.id).where(
            Message.conversation_id == conversation_id,
            Message.seq > base_seq,
            Message.role.in_(spoken),
            Message.staff.is_(False),
        )
        return await self.session.scalar(later.limit(1)) is not None

    async def use(self, agent: Staff, conversation_id: str, suggestion_id: str, said: str) -> list[Suggestion]:
        """An agent says an open suggestion, or something made of it; the others beside it are rejected.

        Returns all that are decided now. Raises NotFound, Conflict `suggestion_overtaken` or `suggestion_settled`.
        """
        await self.log.locked(agent, conversation_id)
        suggestion = await self.session.get(Suggestion, suggestion_id, with_for_update=True)
        if suggestion is None or suggestion.conversation_id != conversation_id:
            raise NotFound("no such suggestion")
        gone_on = await self.overtaken(conversation_id, suggestion.base_seq)
        if suggestion.outcome == SuggestionOutcome.WITHDRAWN or (suggestion.outcome is None and gone_on):
            raise Conflict("suggestion_overtaken", "The conversation has gone on since this was suggested.")
        if suggestion.outcome is not None:
            raise Conflict("suggestion_settled", "This suggestion has been used or rejected.")
        _decide(suggestion, agent, _outcome_of(suggestion, said))
        await self.session.flush()
        return [suggestion, *await self.pass_over(agent, conversation_id)]

    async def pass_over(self, agent: Staff, conversation_id: str) -> list[Suggestion]:
        """The agent says something else: what is still open is decided now and returned.

        It is rejected, or withdrawn if the conversation had gone on before. The conversation is locked.
        """
        still_open = Suggestion.outcome.is_(None) & (Suggestion.conversation_id == conversation_id)
        newest = await self.session.scalar(select(func.max(Suggestion.base_seq)).where(still_open))
        if newest is None:
            return []
        gone_on = await self.overtaken(conversation_id, newest)
        outcome = SuggestionOutcome.WITHDRAWN if gone_on else SuggestionOutcome.REJECTED
        return await self._settle(conversation_id, outcome, agent.name)

    async def decide(self, agent: Staff, suggestion_id: str, said: str | None) -> tuple[str | None, Suggestion]:
        """What became of a suggestion, as the agent's page tells it: None means rejected. Raises NotFound.

        Returns its outcome before and the suggestion; one that is decided already stays as it is.
        """
        suggestion = await self.session.get(Suggestion, suggestion_id, with_for_update=True)
        if suggestion is None or not _sees(agent, suggestion.site_key):
            raise NotFound("no such suggestion")
        before = suggestion.outcome
        if before is None:
            _decide(suggestion, agent, SuggestionOutcome.REJECTED if said is None else _outcome_of(suggestion, said))
        return before, suggestion

    async def by_template(
        self, operator: Staff, *, site: str | None = None, span: Span | None = None
    ) -> list[TemplateOutcomes]:
        """The counts of the operator's sites, templates in their order; with `span`, of what was suggested then."""
        counted = select(Suggestion.site_key, Suggestion.template, Suggestion.outcome, func.count())
        if operator.sites is not None:
            counted = counted.where(Suggestion.site_key.in_(operator.sites))
        if site is not None:
            counted = counted.where(Suggestion.site_key == site)
        if span is not None:
            counted = counted.where(Suggestion.created_at >= span.begins, Suggestion.created_at < span.ends)
        grouped = counted.group_by(Suggestion.site_key, Suggestion.template, Suggestion.outcome)
        counts: dict[tuple[str, str], dict[str | None, int]] = {}
        for site_key, template, outcome, number in await self.session.execute(grouped):
            counts.setdefault((site_key, template), {})[outcome] = number
        return [_outcomes(*key, counts[key]) for key in sorted(counts)]

    async def _settle(
        self, conversation_id: str, outcome: SuggestionOutcome, agent: str | None = None
    ) -> list[Suggestion]:
        still_open = Suggestion.outcome.is_(None) & (Suggestion.conversation_id == conversation_id)
        found = list(await self.session.scalars(select(Suggestion).where(still_open).with_for_update()))
        for suggestion in found:
            suggestion.outcome, suggestion.agent, suggestion.decided_at = outcome, agent, now()
        return found


def _decide(suggestion: Suggestion, agent: Staff, outcome: SuggestionOutcome) -> None:
    suggestion.outcome, suggestion.agent, suggestion.decided_at = outcome, agent.name, now()


def _outcome_of(suggestion: Suggestion, said: str) -> SuggestionOutcome:
    kept = said.strip() == suggestion.content.strip()
    return SuggestionOutcome.ACCEPTED if kept else SuggestionOutcome.EDITED


def _sees(staff: Staff, site_key: str) -> bool:
    return Scope.AGENT in staff.scopes and (staff.sites is None or site_key in staff.sites)


def _outcomes(site: str, template: str, counts: dict[str | None, int]) -> TemplateOutcomes:
    decided = {outcome.value: counts.get(outcome, 0) for outcome in SuggestionOutcome}
    return TemplateOutcomes(site=site, template=template, shown=sum(counts.values()), **decided)
