"""What an engine would write, and playing it through a fill."""

from collections.abc import Iterable, Mapping

from prompts import Fill, LookupNeeded, LookupOutcome, Shown, Step, compact

SHIPPED = {"status": "shipped", "product": "Linen curtain", "eta": "2026-11-24", "carrier": "Parcel Post"}


def reply(template: str, slots: Mapping[str, object] | None = None, action: str = "reply", **tail: object) -> str:
    """A whole reply in the engine's bytes."""
    staff = {"demand": "wants help", "sentiment": "neutral", "action_reason": "answered"} | tail
    return compact({"action": action, "template": template, "slots": slots or {}, **staff})


def play(
    fill: Fill,
    chunks: Iterable[str],
    outcome: LookupOutcome = LookupOutcome.FOUND,
    answer: Mapping[str, object] | None = SHIPPED,
) -> list[Step]:
    """Feeds the chunks and answers lookups at once; checks that what is visible is what was shown."""
    steps: list[Step] = []
    for chunk in chunks:
        for step in fill.feed(chunk):
            steps.append(step)
            if isinstance(step, LookupNeeded):
                steps += fill.provide(outcome, answer)
    fill.end()
    assert fill.visible == "".join(step.text for step in steps if isinstance(step, Shown))
    return steps
