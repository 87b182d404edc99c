"""What is said: brand prompts, questions and canned replies, the same bytes for every arm, their tokens counted.

A reply's place in the next prompt is taken by a fixed text: what an engine decodes may differ by a rounding between two
runs, and then the arms would not be asked the same. So what is decoded is not reused, only what was asked before.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Template
from tokenizers import Tokenizer

from benchmarks.traffic import Conversation, Plan, Shape, plans

STARTER_MODEL = Path(__file__).parents[2] / "backend/starter_model"

Messages = list[dict[str, str]]

_NOUNS = (
    "orders",
    "parcels",
    "returns",
    "refunds",
    "invoices",
    "deliveries",
    "addresses",
    "sizes",
    "vouchers",
    "receipts",
)
_RULES = (
    "Customers may ask about {0} within {n} days and get an answer about {1}.",
    "If {0} are late by more than {n} hours, offer {1} before anything else.",
    "Never promise {0} without {1}; the warehouse needs {n} hours.",
    "For {0} over {n} euros ask for the order number and check {1}.",
    "Staff handle {0} on weekdays; for {1} the limit is {n} pieces.",
)
_QUESTIONS = (
    "where is my order {n}?",
    "I would like to change the address of order {n} please.",
    "can you send me the invoice for {n} again, I cannot find it in my mail.",
    "what does it cost to return {n} pieces, and how long does the refund take?",
    "thanks, and when will the parcel with number {n} arrive at my place?",
    "ok, I wrote to you about {n} last week and nobody has answered yet.",
)
_REPLIES = (
    "Order {n} is on its way and should be with you tomorrow; the link to follow it is in your mail.",
    "Thank you. Which of the pieces of order {n} would you like to send back?",
    "The invoice of {n} is in your mail again. Please look into the folder for unwanted mail, too.",
)


@dataclass(frozen=True)
class Script:
    """A conversation with its words: `prompts[k]` is what turn k + 1 sends."""

    talk: Conversation
    prompts: Sequence[Messages]

    @property
    def session(self) -> str:
        """A name that shares no beginning with others', because some routers match names by prefix."""
        return f"{random.Random(self.talk.id).getrandbits(64):016x}"


class Writer:
    """Finds words for plans. Counts tokens as the engine does: by the model's own template and tokenizer."""

    def __init__(self, model: Path = STARTER_MODEL) -> None:
        self._tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        self._template = Template((model / "chat_template.jinja").read_text())
        self._brands: dict[int, str] = {}

    def scripts(self, shape: Shape, seed: int) -> list[Script]:
        return [self._script(plan, shape, random.Random(f"{seed} {plan.id}")) for plan in plans(shape, seed)]

    def brand(self, number: int, tokens: int) -> str:
        """A brand's system prompt, as long as asked for within a few tokens."""
        if number not in self._brands:
            chance = random.Random(f"brand {number}")
            text = f"{chance.getrandbits(40):010x} is the shop whose customers you answer, by templates only."
            while len(self._tokenizer.encode(text, add_special_tokens=False)) < tokens - 12:
                first, second = chance.sample(_NOUNS, 2)
                text += " " + chance.choice(_RULES).format(first, second, n=chance.randint(2, 400))
            self._brands[number] = text
        return self._brands[number]

    def tokens(self, messages: Messages, answering: bool = True) -> list[int]:
        text = self._template.render(messages=messages, add_generation_prompt=answering)
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def _script(self, plan: Plan, shape: Shape, chance: random.Random) -> Script:
        messages: Messages = [{"role": "system", "content": self.brand(plan.brand, shape.brand_tokens)}]
        brand = before = self.tokens(messages, answering=False)
        prompts, counts, shared = [], [], []
        for _ in plan.due_s:
            asked = chance.sample(_QUESTIONS, chance.randint(1, 3))
            question = " ".join(each.format(n=chance.randint(10_000, 99_999)) for each in asked)
            messages = [*messages, {"role": "user", "content": question}]
            now = self.tokens(messages)
            prompts.append(messages)
            counts.append(len(now))
            shared.append(common(before, now))
            before = now
            reply = chance.choice(_REPLIES).format(n=chance.randint(10_000, 99_999))
            messages = [*messages, {"role": "assistant", "content": reply}]
        replies = [shape.reply_tokens] * len(counts)
        talk = Conversation(plan.id, plan.brand, common(brand, before), plan.due_s, counts, shared, replies)
        return Script(talk, prompts)


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of the common beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
