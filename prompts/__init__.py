"""What is said: packs, templates, the reply's schema, prompt assembly, rendering. Pure but for `load_pack`."""

from prompts.assemble import Line, LineRole, assemble, compact, prompt_form
from prompts.catalogue import system_prompt
from prompts.errors import BodyError, InvalidReply, PackError, Problem, PromptsError, Ungrounded
from prompts.load import load_pack
from prompts.pack import Fact, FactType, Lookup, Notice, Pack, SpokenNotice
from prompts.schema import ActionReason, Sentiment, reply_schema
from prompts.template import Action, Kind, Slot, SlotType, Template, TemplateLookup

__all__ = [
    "Action", "ActionReason", "BodyError", "Fact", "FactType", "InvalidReply", "Kind", "Line", "LineRole",
    "Lookup", "Notice", "Pack", "PackError", "Problem", "PromptsError", "Sentiment", "Slot", "SlotType",
    "SpokenNotice", "Template", "TemplateLookup", "Ungrounded", "assemble", "compact", "load_pack",
    "prompt_form", "reply_schema", "system_prompt",
]  # fmt: skip
