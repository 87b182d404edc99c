from pathlib import Path

import pytest

from benchmarks.simulation.cost import Cost, Pace, Sample, attended, fit, load, save, ttft_ms

TRUE = Cost(request_ms=10, step_ms=4, prefill_ms=0.2, attention_ms=0.1, decode_ms=2)


def samples() -> list[Sample]:
    cases = [(new, cached, decoding) for new in (50, 200, 700) for cached in (0, 320, 960) for decoding in (0, 4)]
    return [Sample(*case, ttft_ms(TRUE, Sample(*case, 0))) for case in cases]


def test_the_fit_finds_the_model_that_made_the_times(tmp_path: Path) -> None:
    fitted = fit(samples(), [Pace(n, 4.0 + 2.0 * n) for n in (1, 2, 4, 8, 1, 2, 4, 8)])
    assert vars(fitted.cost) == pytest.approx(vars(TRUE), rel=1e-6)
    assert fitted.prefill_error < 1e-6 and fitted.decode_error < 1e-6
    save(fitted, tmp_path / "cost.json", {"replicas": 2})
    assert load(tmp_path / "cost.json") == fitted.cost


def test_the_error_is_that_of_samples_which_took_no_part() -> None:
    wrong = [Sample(s.new_tokens, s.cached_tokens, s.decoding, s.ttft_ms * 2) for s in samples()[::3]]
    right = [sample for number, sample in enumerate(samples()) if number % 3]
    mixed = [wrong.pop(0) if number % 3 == 0 else right.pop(0) for number in range(len(samples()))]
    assert fit(mixed, [Pace(1, 6.0), Pace(1, 6.0), Pace(4, 12.0)]).prefill_error == pytest.approx(0.5, rel=1e-3)


def test_no_coefficient_is_negative() -> None:
    shrinking = [Sample(new, 0, 0, 200 - new / 10) for new in (10, 20, 300, 400, 500, 600)]
    cost = fit(shrinking, [Pace(1, 5.0), Pace(1, 5.0), Pace(2, 5.0)]).cost
    assert min(vars(cost).values()) >= 0


def test_attention_looks_at_what_stands_before() -> None:
    assert attended(100, 1000) == pytest.approx(105.0)
