"""What the demo bank's model is to write where a STAR wizard picked a template."""

from backend.training.star import StarTurn, templates_of
from backend.training.targets import REASONS, demand, sentiment
from prompts import ActionReason, Pack, compact

SUBJECTS = {"bank_balance": "Wants to know the balance", "bank_fraud_report": "Reports a fraud"}
# What the general replies of STAR mean in the shop's words.
GENERAL = {"hello": "greeting", "goodbye_1": "goodbye", "anything_else": "thanks"}


def bank_reply(pack: Pack, turn: StarTurn, said: str) -> str:
    """The gold reply to a turn. `said` is all that the customer wrote so far: slots hold nothing else."""
    label = templates_of(turn)[0]
    template, intent = pack.templates[label], GENERAL.get(label, label)
    asks = ActionReason.MISSING_DETAIL if "_ask_" in f"_{label}" else ActionReason.ANSWERED
    known = {key: value for key, value in turn.known.items() if value in said}
    line = SUBJECTS.get(turn.task) if intent not in REASONS else None
    return compact(
        {
            "action": template.action.value,
            "template": label,
            "slots": {slot.name: known.get(slot.name) for slot in template.asked},
            "demand": line or demand(intent, {}, template.when),
            "sentiment": sentiment(intent, turn.text).value,
            "action_reason": REASONS.get(intent, asks).value,
        }
    )
