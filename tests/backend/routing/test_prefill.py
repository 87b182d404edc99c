import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.routing.prefill import PrefillModel


def taught(model: PrefillModel, seed: int, count: int, truth: tuple[float, ...], replica_id: str = "") -> PrefillModel:
    """A model after `count` turns of a machine of these coefficients, with a tenth of noise."""
    source = random.Random(seed)
    base, per_thousand, attention, crowd = truth
    for _ in range(count):
        new, held, decoding = source.randint(20, 2500), source.randrange(0, 3000, 32), source.randint(0, 6)
        ms = base + per_thousand * new / 1000 + attention * new / 1000 * (held + new / 2) / 1000 + crowd * decoding
        model.learn(ms * source.uniform(0.9, 1.1), new, held, decoding, replica_id)
    return model


MACHINES = [(20.0, 1400.0, 90.0, 12.0), (8.0, 35.0, 2.0, 0.5), (40.0, 250.0, 0.0, 4.0)]


@pytest.mark.parametrize("truth", MACHINES)
def test_a_machine_is_learned_within_a_hundred_turns(truth: tuple[float, ...]) -> None:
    model = taught(PrefillModel(), 1, 100, truth)
    for new, held, decoding in [(50, 1000, 0), (600, 0, 2), (2000, 0, 0), (200, 2500, 4)]:
        base, per_thousand, attention, crowd = truth
        ms = base + per_thousand * new / 1000 + attention * new / 1000 * (held + new / 2) / 1000 + crowd * decoding
        assert model.ms(new, held, decoding) == pytest.approx(ms, rel=0.2, abs=10)


def test_a_machine_that_changes_is_learned_again() -> None:
    model = taught(taught(PrefillModel(), 1, 200, MACHINES[0]), 2, 200, MACHINES[2])
    assert model.ms(1000) == pytest.approx(40 + 250, rel=0.25)


def test_one_wild_measurement_moves_little() -> None:
    model = taught(PrefillModel(), 1, 100, MACHINES[0])
    before = model.ms(600)
    model.learn(60_000, 600, 0, 0)
    assert model.ms(600) == pytest.approx(before, rel=0.2)


def test_equal_replicas_stay_equal_and_a_slower_one_is_told_from_them() -> None:
    model = PrefillModel()
    for seed in range(40):
        taught(model, seed, 5, MACHINES[0], "r0")
        taught(model, seed + 100, 5, MACHINES[0], "r1")
        taught(model, seed + 200, 2, tuple(2 * each for each in MACHINES[0]), "r2")
    assert model.ms(600, replica_id="r0") == model.ms(600, replica_id="r1")
    assert model.ms(600, replica_id="r2") > 1.4 * model.ms(600, replica_id="r0")


@given(
    st.lists(
        st.tuples(st.floats(0.1, 1e5), st.integers(1, 20_000), st.integers(0, 20_000), st.integers(0, 50)), max_size=40
    ),
    st.integers(1, 5000),
    st.integers(0, 5000),
)
def test_more_to_compute_never_costs_less(
    measured: list[tuple[float, int, int, int]], new_tokens: int, cached_tokens: int
) -> None:
    model = PrefillModel()
    for took_ms, new, cached, decoding in measured:
        model.learn(took_ms, new, cached, decoding)
    assert 0 < model.ms(new_tokens, cached_tokens) <= model.ms(new_tokens + 100, cached_tokens)
    assert model.ms(new_tokens, cached_tokens) <= model.ms(new_tokens, cached_tokens, decoding=3)
