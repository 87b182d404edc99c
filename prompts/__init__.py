"""What is said: packs, templates, the reply's schema, prompt assembly, rendering. Pure but for `load_pack`."""

from prompts.assemble import Line, LineRole, assemble, compact, prompt_form
from prompts.callables import check_callable, function_of
from prompts.catalogue import system_prompt
from prompts.errors import BodyError, InvalidReply, LookupConfigError, PackError, Problem, PromptsError, Ungrounded
from prompts.fill import Annotation, Fill, FilledReply, FilledSlot, LookupNeeded, ReplyDone, Shown, Step
from prompts.load import load_pack, pack_of
from prompts.lookup import LookupCall, LookupOutcome, LookupResult, checked_facts
from prompts.narrowing import turn_schema
from prompts.pack import Fact, FactType, Lookup, Notice, Pack, SpokenNotice
from prompts.recall import RECALLED, recall_refusal, recalled_in, speakable
from prompts.schema import ActionReason, Sentiment, reply_schema
from prompts.slots import candidates, grounded, lawful
from prompts.source import Files, content_hash, paths_of, read_files
from prompts.template import Action, Kind, Slot, SlotType, Template, TemplateLookup

__all__ = [
    "RECALLED",
    "Action",
    "ActionReason",
    "Annotation",
    "BodyError",
    "Fact",
    "FactType",
    "Files",
    "Fill",
    "FilledReply",
    "FilledSlot",
    "InvalidReply",
    "Kind",
    "Line",
    "LineRole",
    "Lookup",
    "LookupCall",
    "LookupConfigError",
    "LookupNeeded",
    "LookupOutcome",
    "LookupResult",
    "Notice",
    "Pack",
    "PackError",
    "Problem",
    "PromptsError",
    "ReplyDone",
    "Sentiment",
    "Shown",
    "Slot",
    "SlotType",
    "SpokenNotice",
    "Step",
    "Template",
    "TemplateLookup",
    "Ungrounded",
    "assemble",
    "candidates",
    "check_callable",
    "checked_facts",
    "compact",
    "content_hash",
    "function_of",
    "grounded",
    "lawful",
    "load_pack",
    "pack_of",
    "paths_of",
    "prompt_form",
    "read_files",
    "recall_refusal",
    "recalled_in",
    "reply_schema",
    "speakable",
    "system_prompt",
    "turn_schema",
]  # fmt: skip
