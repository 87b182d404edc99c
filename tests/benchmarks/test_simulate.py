from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from benchmarks import simulate
from benchmarks.simulation import cost
from benchmarks.simulation.cost import Cost, Pace, Sample
from benchmarks.simulation.scenarios import scenarios
from benchmarks.traffic import Shape

TRUE = Cost(request_ms=5, step_ms=8, prefill_ms=0.2, attention_ms=0.1, decode_ms=0.3, beside=1.2)


def test_a_fit_without_replicas_takes_the_samples_of_the_last_time(tmp_path: Path) -> None:
    cases = product((20, 200, 600), (0, 320, 640), (0, 2), (False, True))
    samples = [Sample(new, cached, decoding, 0, beside) for new, cached, decoding, beside in cases]
    paces = [Pace(*case) for case in product((1, 2, 4), (0,), (100, 800), (False, True))]
    samples = [replace(sample, ttft_ms=cost.ttft_ms(TRUE, sample)) for sample in samples]
    paces = [replace(pace, token_ms=cost.token_ms(TRUE, pace)) for pace in paces]
    cost.save_samples(samples, paces, tmp_path / "samples.json", {"measured_at": "monday"})
    said = simulate.fit([], tmp_path / "samples.json", tmp_path / "cost.json")
    assert f"{len(samples) + len(paces)} samples" in said and "time to first token 0.0%, decoding 0.0%" in said
    assert vars(cost.load(tmp_path / "cost.json")) == pytest.approx(vars(TRUE), abs=1e-6)
    assert '"measured_at": "monday"' in (tmp_path / "cost.json").read_text()


def test_the_committed_model_is_what_its_samples_give(tmp_path: Path) -> None:
    simulate.fit([], cost.SAMPLES, tmp_path / "cost.json")
    assert vars(cost.load(tmp_path / "cost.json")) == pytest.approx(vars(cost.load()), rel=1e-6)


def test_every_arm_has_a_row_with_the_cpu_it_took() -> None:
    shape = Shape(conversations_per_s=0.9, seconds=30, brands=5, think_median_s=4)
    rows = simulate.run(scenarios(2, shape)[:1], ["ours", "oracle"], [1, 2], workers=1)
    assert [(row["arm"], row["seed"]) for row in rows] == [("ours", 1), ("ours", 2), ("oracle", 1), ("oracle", 2)]
    assert all(row["cpu_s"] >= 0 and row["turns"] for row in rows)
    assert "oracle" in simulate.report(rows) and "CPU s" in simulate.report(rows)
