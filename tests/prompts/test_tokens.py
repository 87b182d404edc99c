import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.tokens import estimated_tokens, head_of
from tests.prompts.conftest import DEMO

TEXTS = [
    "Where is my order 10234? I have been waiting for three weeks and nobody tells me anything. " * 5,
    "你好我的订单在哪里" * 50,
    "привет где мой заказ " * 30,
    "your reference 3f2a91-22-0417 and my card ends with 4417, IBAN GB29 NWBK 6016 1331 9268 19 " * 5,
    "!?#$%&" * 100,
    "😀" * 100,
    "मेरा ऑर्डर कहाँ है " * 30,
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_estimate_is_rather_too_high_than_too_low(text: str) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    file = DEMO.parents[2] / "backend" / "starter_model" / "tokenizer.json"
    if not file.is_file():
        pytest.skip("backend/starter_model holds no tokenizer")
    counted = len(tokenizers.Tokenizer.from_file(str(file)).encode(text).ids)
    assert counted * 0.95 <= estimated_tokens(text) <= counted * 3


@given(st.text(), st.integers(0, 100))
def test_the_head_is_the_longest_that_fits(text: str, most: int) -> None:
    head = head_of(text, most)
    assert text.startswith(head)
    assert estimated_tokens(head) <= most
    if head != text:
        assert estimated_tokens(text[: len(head) + 3]) >= most
