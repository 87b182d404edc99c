"""Help with a conversation of another help desk, of which we know what it hands over and nothing else."""

from dataclasses import asdict, replace
from uuid import uuid4

from backend.placement import Pin
from chat.ahead import ahead_of
from chat.assist.brief import Brief, fitting, salt_of, up_to_the_customer
from chat.assist.desk import offered
from chat.assist.suggesting import suggestions
from chat.assist.summing import summed_up
from chat.errors import Missing
from chat.idempotency import Answer, Once, write
from chat.pins import Known, pin_key
from chat.schemas.assist import Foreign, Speaker
from chat.services import Services
from chat.turns.answering import MAX_TOKENS
from prompts import Line, LineRole, assemble, folding, prompt_form
from sessions import Repository, Staff


async def assist(services: Services, agent: Staff, asked: Foreign, *, once: Once | None = None) -> Answer:
    """Suggestions and a summary for a transcript. Raises Missing for a site that is not the agent's, Away."""
    brief = await _brief(services, agent, asked)
    found = await suggestions(services, brief)
    summary = await summed_up(services, brief, [], [])

    async def work(repo: Repository) -> Answer:
        return {"data": await offered(services, repo, agent, brief, found), "next": None, "summary": asdict(summary)}

    return await write(services.store, once, work)


async def _brief(services: Services, agent: Staff, asked: Foreign) -> Brief:
    if agent.sites is not None and asked.site not in agent.sites:
        raise Missing("There is no such site.", field="site")
    async with services.store.read() as repo:
        site = await repo.sites.get(asked.site)
    if site is None or not site.enabled:
        raise Missing("There is no such site.", field="site")
    key = f"{site.key} {asked.conversation or uuid4().hex}"
    pack = services.packs.begun(site, key)
    room = services.settings.max_model_len - max(MAX_TOKENS, folding.FOLD_ROOM)
    lines = fitting(pack, [_line(each.role, each.text) for each in asked.transcript], room)
    brief = Brief(
        site_key=site.key,
        pack=pack,
        locale=pack.locale_for(asked.locale, services.locales(pack)),
        asked=up_to_the_customer(lines),
        lines=tuple(lines),
        salt=salt_of(services, site),
        pin=None,
        base_seq=len(asked.transcript),
        key=key,
    )
    return await _pinned(services, brief, pin_key(b"foreign", key.encode()) if asked.conversation else None)


def _line(role: Speaker, text: str) -> Line:
    """Whoever is not the customer spoke for the company: our engine has not written it."""
    if role is Speaker.CUSTOMER:
        return Line(LineRole.CUSTOMER, prompt_form(text))
    return Line(LineRole.AGENT, text)


async def _pinned(services: Services, brief: Brief, session: bytes | None) -> Brief:
    """On the replica where the conversation was, else on the one that suits best now, from now on.

    One without a name will not come again: its place is not remembered.
    """
    known = await services.pins.get(session) if session else Known(None)
    ahead = ahead_of(brief.key, known.pin, brief.pack, brief.salt, assemble(brief.pack, brief.asked))
    order = services.replicas.choose(ahead).order
    chosen = next((each for each in services.replicas.snapshot() if order and each.id == order[0]), None)
    if chosen is None or chosen.boot_id is None:
        return replace(brief, pin=known.pin)
    pin = Pin(chosen.id, chosen.boot_id, ahead.prompt_tokens, brand=ahead.brand)
    if session:
        await services.pins.put(session, pin, known)
    return replace(brief, pin=pin)
