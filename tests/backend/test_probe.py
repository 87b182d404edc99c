import pytest

from backend.probe import Probe, ProbeFailed, Vitals, parse_vitals
from tests.scripted_engine import ScriptedEngine

METRICS = """\
# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.79524054125e+09
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="pindesk"} 2.0
vllm:num_requests_running{engine="1",model_name="pindesk"} 1.0
vllm:num_requests_waiting{engine="0",model_name="pindesk"} 4.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="pindesk",reason="capacity"} 9.0
vllm:kv_cache_usage_perc{engine="0",model_name="pindesk"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="pindesk"} 0.75
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.001",model_name="pindesk"} 0.0
"""


def test_vitals_sum_the_engines_behind_one_server() -> None:
    assert parse_vitals(METRICS) == Vitals("1795240541.25", running=3, waiting=4, kv_usage=0.75)


def test_metrics_without_a_boot_are_no_vitals() -> None:
    with pytest.raises(ProbeFailed, match="process_start_time_seconds"):
        parse_vitals("vllm:num_requests_running 1.0\n")


async def test_a_live_replica_answers_every_question(scripted: ScriptedEngine) -> None:
    probe = Probe()
    scripted.waiting = 3
    assert await probe.vitals(scripted.url) == Vitals(scripted.boot_id, running=0, waiting=3, kv_usage=0.0)
    assert await probe.served_model(scripted.url) == "pindesk"
    await probe.proof_of_life(scripted.url, "pindesk")
    assert scripted.probes[0].body["max_tokens"] == 1
    await probe.close()


async def test_a_closed_port_is_told_from_a_slow_answer(scripted: ScriptedEngine) -> None:
    probe = Probe(timeout_s=0.1, proof_timeout_s=0.1)
    scripted.mute = True
    with pytest.raises(ProbeFailed) as slow:
        await probe.vitals(scripted.url)
    await scripted.stop()
    with pytest.raises(ProbeFailed) as closed:
        await probe.vitals(scripted.url)
    assert (slow.value.refused, closed.value.refused) == (False, True)
    await probe.close()


async def test_a_hung_engine_gives_no_proof_of_life(scripted: ScriptedEngine) -> None:
    probe = Probe(proof_timeout_s=0.1)
    scripted.mute_probes = True
    await probe.vitals(scripted.url)
    with pytest.raises(ProbeFailed):
        await probe.proof_of_life(scripted.url, "pindesk")
    await probe.close()
