"""The system prompt: who speaks, the brand's policies, and the catalogue of templates."""

from collections.abc import Iterator
from functools import lru_cache

from prompts.pack import Pack
from prompts.template import Action, Slot, SlotType, Template

SECTIONS = {Action.REPLY: "Reply with:", Action.CLARIFY: "Clarify with:", Action.HANDOFF: "Hand off with:"}


@lru_cache(maxsize=64)
def system_prompt(pack: Pack) -> str:
    """The system message: byte-identical for a pack version, because every replica caches it as a prefix."""
    return "\n\n".join([pack.system, *pack.policies, *_sections(pack)])


def catalogue_line(template: Template) -> str:
    """One template as the engine reads it: `- cancel_order(order_id?): wants to cancel an order`."""
    return f"- {template.id}({','.join(map(_slot, template.asked))}): {template.when}"


def _sections(pack: Pack) -> Iterator[str]:
    """The catalogue, one block per action."""
    for action, title in SECTIONS.items():
        lines = [catalogue_line(template) for template in pack.offered if template.action is action]
        if lines:
            yield "\n".join([title, *lines])


def _slot(slot: Slot) -> str:
    """`?` marks what may be null, `=a|b` a closed list, `~` free text of the engine's own."""
    choices = f"={'|'.join(slot.choices)}" if slot.type is SlotType.CHOICE else ""
    return f"{slot.name}{'~' if slot.type is SlotType.GENERATED else ''}{'?' if slot.optional else ''}{choices}"
