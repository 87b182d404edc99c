import pytest

from prompts import Action, Pack, Template
from prompts.probes import probes


@pytest.mark.parametrize(
    ("when", "first"),
    [
        ("wants to cancel an order", "I want to cancel an order"),
        ("wants money back", "I want money back"),
        ("asks where an order is or when it arrives", "where an order is or when it arrives?"),
        ("asks about the state of a refund", "the state of a refund?"),
        ("says thanks, or ok", "thanks"),
        ("was charged twice or too much", "I was charged twice or too much"),
        ("is unhappy with the shop or its service and no other line fits", "I am unhappy with the shop or its service"),
        ("an order is overdue", "an order is overdue"),
    ],
)
def test_a_when_line_is_spoken_in_the_first_person(when: str, first: str) -> None:
    assert probes(Template(id="x", when=when, bodies={}))[0] == first


def test_what_no_customer_would_say_is_no_probe() -> None:
    assert probes(Template(id="x", when="writes in a language other than English", bodies={})) == []


def test_examples_come_first_and_nothing_twice() -> None:
    template = Template(id="x", when="wants money back", bodies={}, examples=("give it back", "I want money back"))
    assert probes(template) == ["give it back", "I want money back", "I would like money back, please"]


def test_nearly_every_template_of_the_demo_shop_has_probes(demo: Pack) -> None:
    silent = [each.id for each in demo.offered if not probes(each)]
    assert set(silent) <= {"clarify", "other_language", "small_talk", "order_details"}
    assert any(each.action is Action.HANDOFF for each in demo.offered if probes(each))
