"""What the demo bank promises beyond the rules that every pack obeys."""

import re

import pytest

from prompts import Action, Pack, SlotType, load_pack
from prompts.check import PACKS
from prompts.rehearsal import combinations
from prompts.render import render

# The names that STAR gives what its agents say in the tasks bank_balance and bank_fraud_report.
STAR = {
    "hello", "ask_name", "bank_ask_account_number", "bank_ask_pin", "bank_ask_dob", "bank_ask_mothers_maiden_name",
    "bank_ask_childhood_pets_name", "bank_inform_cannot_authenticate", "bank_inform_balance", "bank_ask_fraud_details",
    "bank_inform_fraud_report_submitted", "anything_else", "goodbye_1", "out_of_scope",
}  # fmt: skip


@pytest.fixture(scope="module")
def bank() -> Pack:
    return load_pack(PACKS / "bank")


def test_the_templates_are_stars_and_those_that_every_brand_needs(bank: Pack) -> None:
    offered = {template.id for template in bank.offered}
    assert offered >= STAR | {"clarify", "other_language", "contact_human_agent", "handoff"}


def test_no_secret_is_spoken(bank: Pack) -> None:
    secret = {"pin", "date_of_birth", "maiden_name", "pet_name", "account_number"}
    printed = {name for template in bank.templates.values() for name in secret if f"{{{{ {name}" in str(template)}
    assert printed == set()


def test_nothing_is_told_before_the_customer_is_identified(bank: Pack) -> None:
    for template in bank.offered:
        if template.lookup is None:
            continue
        args = bank.lookups[template.lookup.name].args
        assert {slot.name for slot in template.asked} == set(args)
        for values in combinations(bank, template, "en"):
            text = render(template.bodies["en"], values)
            asks = text.startswith("For that I still need ")
            assert asks is any(values[arg] is None for arg in args), text


def test_texts_are_clean(bank: Pack) -> None:
    for template in bank.templates.values():
        for values in combinations(bank, template, "en"):
            text = template.leads.get("en", "") + render(template.bodies["en"], values)
            assert not re.search(r"  |\n| [,.!?;:]|[{}]|None|True|False", text), text
            assert text[-1] in ".?", text


def test_slots_are_copies(bank: Pack) -> None:
    assert {slot.type for template in bank.offered for slot in template.asked} == {SlotType.COPIED}


def test_what_clarifies_and_what_hands_off(bank: Pack) -> None:
    by_action = {action: {t.id for t in bank.offered if t.action is action} for action in Action}
    assert by_action[Action.CLARIFY] == {"clarify", "other_language", "out_of_scope"}
    assert by_action[Action.HANDOFF] == {"contact_human_agent", "handoff"}
