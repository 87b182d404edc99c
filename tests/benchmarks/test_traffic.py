from dataclasses import replace

import numpy as np
import pytest

from benchmarks.traffic import Conversation, Shape, cacheable_tokens, conversations, plans, popularity

SHAPE = Shape(conversations_per_s=2.0, seconds=500.0, brands=10, think_median_s=5.0)


def test_a_prompt_only_grows_and_begins_with_what_was_shared() -> None:
    for talk in conversations(SHAPE, 1):
        assert list(talk.prompt_tokens) == sorted(talk.prompt_tokens)
        assert all(shared < prompt for shared, prompt in zip(talk.shared_tokens, talk.prompt_tokens, strict=True))
        assert talk.shared_tokens[0] == SHAPE.brand_tokens
        assert list(talk.due_s) == sorted(talk.due_s) and talk.due_s[-1] < SHAPE.seconds


def test_a_reply_that_is_not_the_engines_own_is_not_shared() -> None:
    talk = next(t for t in conversations(replace(SHAPE, replies_reused=False), 1) if len(t.due_s) > 1)
    assert talk.shared_tokens[1] == talk.prompt_tokens[0]
    assert talk.prompt_tokens[1] > talk.prompt_tokens[0] + SHAPE.reply_tokens


def test_seeds_differ_and_repeat() -> None:
    assert plans(SHAPE, 1) == plans(SHAPE, 1) != plans(SHAPE, 2)


def test_a_burst_multiplies_the_rate_and_leaves_the_rest_alone() -> None:
    begins = np.array([plan.due_s[0] for plan in plans(replace(SHAPE, burst=(200.0, 300.0, 4.0)), 3)])
    inside = ((begins >= 200) & (begins < 300)).sum() / 100
    outside = ((begins < 200) | (begins >= 300)).sum() / 400
    assert inside == pytest.approx(8.0, rel=0.2) and outside == pytest.approx(2.0, rel=0.2)


def test_popularity_is_zipfs() -> None:
    weights = popularity(4, 1.0)
    assert weights.sum() == pytest.approx(1) and weights[0] == pytest.approx(4 * weights[3])


def test_cacheable_is_what_was_there_before_in_whole_blocks() -> None:
    first = Conversation(0, 7, 100, [0.0, 9.0], [120, 200], [100, 130], [10, 10])
    second = Conversation(1, 7, 100, [1.0], [130], [100], [10])
    assert cacheable_tokens([second, first]) == {0: [0, 128], 1: [96]}
    assert cacheable_tokens([first], warm_brands=[7]) == {0: [96, 128]}
