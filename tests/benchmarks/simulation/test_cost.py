from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from benchmarks.simulation.cost import (
    Cost,
    Pace,
    Sample,
    attended,
    fit,
    load,
    load_samples,
    save,
    save_samples,
    token_ms,
    ttft_ms,
)

TRUE = Cost(
    request_ms=10, step_ms=4, prefill_ms=0.2, attention_ms=0.1, decode_ms=2, context_ms=0.5, text_ms=3, beside=1.4
)


def samples() -> list[Sample]:
    cases = product((50, 200, 700), (0, 320, 960), (0, 4), (False, True))
    return [_timed(Sample(new, cached, decoding, 0, beside)) for new, cached, decoding, beside in cases]


def paces() -> list[Pace]:
    cases = product((1, 2, 4, 8), (100, 900), (False, True))
    empty = [Pace(decoding, 0, context, beside) for decoding, context, beside in cases]
    return [replace(pace, token_ms=token_ms(TRUE, pace)) for pace in empty]


def _timed(sample: Sample) -> Sample:
    return replace(sample, ttft_ms=ttft_ms(TRUE, sample))


def test_the_fit_finds_the_model_that_made_the_times(tmp_path: Path) -> None:
    fitted = fit(samples(), paces())
    assert vars(fitted.cost) == pytest.approx(vars(TRUE), rel=1e-6)
    assert fitted.prefill_error < 1e-6 and fitted.decode_error < 1e-6
    assert abs(fitted.ttft_p50_bias) < 1e-6 and abs(fitted.ttft_p95_bias) < 1e-6
    save(fitted, tmp_path / "cost.json", {"replicas": 2})
    assert load(tmp_path / "cost.json") == fitted.cost


def test_a_few_samples_that_met_something_else_do_not_move_the_fit() -> None:
    spoiled = [replace(s, ttft_ms=s.ttft_ms * 5) if n % 7 == 1 else s for n, s in enumerate(samples())]
    assert vars(fit(spoiled, paces()).cost) == pytest.approx(vars(TRUE), rel=0.05)


def test_the_error_is_that_of_samples_which_took_no_part() -> None:
    wrong = [replace(s, ttft_ms=s.ttft_ms * 2) if n % 3 == 0 else s for n, s in enumerate(samples())]
    fitted = fit(wrong, paces())
    assert fitted.prefill_error == pytest.approx(0.5, rel=1e-3)
    assert fitted.ttft_p50_bias == pytest.approx(-0.5, rel=1e-3)


def test_samples_are_kept_for_another_fit(tmp_path: Path) -> None:
    save_samples(samples(), paces(), tmp_path / "samples.json", {"replicas": 2})
    assert load_samples(tmp_path / "samples.json") == (samples(), paces(), {"replicas": 2})


def test_no_coefficient_is_negative() -> None:
    shrinking = [Sample(new, 0, 0, 200 - new / 10) for new in (10, 20, 300, 400, 500, 600)]
    cost = fit(shrinking, [Pace(1, 5.0), Pace(1, 5.0), Pace(2, 5.0)]).cost
    assert min(vars(cost).values()) >= 0


def test_attention_looks_at_what_stands_before() -> None:
    assert attended(100, 1000) == pytest.approx(105.0)
