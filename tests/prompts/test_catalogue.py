from prompts import Pack, Slot, SlotType, Template, load_pack, system_prompt
from prompts.catalogue import catalogue_line
from tests.prompts.conftest import DEMO


def test_the_system_prompt_is_who_policies_and_catalogue(demo: Pack) -> None:
    who, *policies, reply, clarify, handoff = system_prompt(demo).split("\n\n")
    assert demo.brand in who
    assert "{{" not in who
    assert policies == list(demo.policies)
    assert reply.startswith("Reply with:\n- cancel_order(order_id?): ")
    assert clarify.startswith("Clarify with:\n- clarify(): ")
    assert handoff.startswith("Hand off with:\n- contact_human_agent(): ")


def test_hidden_templates_are_not_in_it(demo: Pack) -> None:
    hidden = [template.id for template in demo.templates.values() if template.hidden]
    assert hidden
    assert not any(f"- {name}(" in system_prompt(demo) for name in hidden)


def test_it_is_the_same_at_every_reading(demo: Pack) -> None:
    first = system_prompt(demo)
    system_prompt.cache_clear()
    assert system_prompt(load_pack(DEMO)).encode() == first.encode()


def test_packs_that_differ_anywhere_have_prompts_of_their_own(demo: Pack) -> None:
    other = demo.model_copy(update={"templates": {"thanks": demo.templates["thanks"]}})
    assert system_prompt(other) != system_prompt(demo)


def test_a_line_tells_what_each_slot_takes() -> None:
    slots = (
        Slot(name="order_id", type=SlotType.COPIED),
        Slot(name="size", type=SlotType.CHOICE, choices=("s", "m"), optional=True),
        Slot(name="summary", type=SlotType.GENERATED),
        Slot(name="status", type=SlotType.FACT),
    )
    template = Template(id="swap", when="wants another size", slots=slots, bodies={"en": "x"})
    assert catalogue_line(template) == "- swap(order_id,size?=s|m,summary~): wants another size"
