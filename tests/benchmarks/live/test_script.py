from benchmarks.live.script import Writer, common
from benchmarks.traffic import Shape

SHAPE = Shape(1.0, 60.0, brands=5, think_median_s=4.0, replies_reused=False, reply_tokens=13)


def test_every_prompt_begins_with_the_whole_of_the_one_before() -> None:
    writer = Writer()
    for script in writer.scripts(SHAPE, 1):
        tokens = [writer.tokens(messages) for messages in script.prompts]
        assert [len(each) for each in tokens] == list(script.talk.prompt_tokens)
        for before, after, shared in zip(tokens, tokens[1:], script.talk.shared_tokens[1:], strict=False):
            assert after[:shared] == before


def test_brands_share_no_block_and_are_as_long_as_asked_for() -> None:
    writer = Writer()
    brands = [writer.tokens([{"role": "system", "content": writer.brand(n, 600)}], answering=False) for n in range(40)]
    assert all(570 <= len(tokens) <= 640 for tokens in brands)
    assert max(common(one, other) for n, one in enumerate(brands) for other in brands[:n]) < 32


def test_the_same_seed_says_the_same() -> None:
    one, two = Writer().scripts(SHAPE, 3), Writer().scripts(SHAPE, 3)
    assert one == two and len({script.session for script in one}) == len(one)
