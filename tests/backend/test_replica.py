import json
from pathlib import Path

import pytest

from backend.replica import ReplicaConfig, command


def config(**fields: object) -> ReplicaConfig:
    given = {"id": "r1", "model": "org/model", "port": 8102, "python": Path("engine/python"), "cpu": True}
    return ReplicaConfig(**given | fields)


def flag(argv: list[str], name: str) -> str:
    return argv[argv.index(name) + 1]


def test_it_is_the_module_and_not_the_broken_console_script() -> None:
    argv, _ = command(config())
    assert argv[:3] == ["engine/python", "-m", "vllm.entrypoints.openai.api_server"]


def test_the_engine_serves_what_the_client_relies_on() -> None:
    argv, env = command(config())
    assert flag(argv, "--served-model-name") == "pindesk"
    assert flag(argv, "--block-size") == "32"
    assert flag(argv, "--scheduling-policy") == "priority"
    assert {"--enable-prefix-caching", "--enable-prompt-tokens-details"} <= set(argv)
    guiding = json.loads(flag(argv, "--structured-outputs-config"))
    assert guiding == {"backend": "xgrammar", "disable_any_whitespace": True}
    assert env["VLLM_HTTP_TIMEOUT_KEEP_ALIVE"] == "75"


def test_the_cpu_settings_stay_off_a_gpu() -> None:
    argv, env = command(config(cpu=False))
    assert "--enforce-eager" not in argv
    assert not [name for name in env if name.startswith(("VLLM_CPU", "VLLM_ENABLE", "OMP"))]


def test_a_folder_is_served_without_the_network(tmp_path: Path) -> None:
    assert command(config(model=str(tmp_path)))[1]["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in command(config())[1]


def test_the_users_arguments_come_last_and_unchanged() -> None:
    argv, _ = command(config(engine_args=("--max-model-len", "8192", "--seed", "1")))
    assert argv[-4:] == ["--max-model-len", "8192", "--seed", "1"]


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:4319/v1/traces"])
def test_spans_are_sent_only_where_somebody_listens(endpoint: str | None) -> None:
    argv, env = command(config(otlp_endpoint=endpoint))
    assert ("--otlp-traces-endpoint" in argv) is (endpoint is not None)
    assert env.get("OTEL_SERVICE_NAME") == (endpoint and "r1")
    assert env.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") == (endpoint and "http/protobuf")
