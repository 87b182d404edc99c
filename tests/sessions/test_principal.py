import pytest

from sessions import Customer, Principal, Scope, Server, Staff
from sessions.principal import sees

AGENT, OPERATOR = frozenset({Scope.AGENT}), frozenset({Scope.OPERATOR})


@pytest.mark.parametrize(
    ("principal", "seen"),
    [
        (Customer(frozenset({"cnv_1", "cnv_2"})), True),
        (Customer(frozenset({"cnv_2"})), False),
        (Customer(frozenset()), False),
        (Staff("a", AGENT, None), True),
        (Staff("a", AGENT, frozenset({"demo"})), True),
        (Staff("a", AGENT, frozenset({"other"})), False),
        (Staff("a", AGENT, frozenset()), False),
        (Staff("a", OPERATOR, None), False),
        (Staff("a", AGENT | OPERATOR, None), True),
        (Staff("a", frozenset(), None), False),
        (Server(), True),
    ],
)
def test_who_sees_a_conversation(principal: Principal, seen: bool) -> None:
    assert sees(principal, "cnv_1", "demo") is seen
