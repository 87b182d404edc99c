import socket
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path

import httpx
import pytest

from chat.settings import EngineKind, Settings
from chat.start import engine, machine, preflight, replica
from chat.start.errors import StartError
from chat.start.health import Health, Phase, Probe
from chat.start.preflight import check_machine, check_model, needed_memory_bytes
from chat.start.procfile import Process, read_procfile, select_processes
from chat.start.replica import replica_config, replica_environment
from chat.start.supervisor import Program
from chat.start.supervisord_conf import render_conf, socket_path
from chat.start.watch import Watch
from tests.parts import ROOT
from tests.processes import free_port

LOADING, READY = Health(Phase.LOADING), Health(Phase.READY)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer_config.json", "model.safetensors"):
        (folder / name).write_text("{}")
    return folder


@pytest.fixture
def settings(model: Path, tmp_path: Path) -> Settings:
    python = tmp_path / "python"
    python.touch()
    ports = {"port": free_port(), "otlp_port": free_port(), "replica_port": free_port(), "replica_count": 1}
    return Settings(model=str(model), engine_python=python, engine=EngineKind.CPU, **ports)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_the_procfile_lists_two_replicas_and_web() -> None:
    processes = read_procfile(ROOT / "Procfile")
    assert [(process.name, process.replica) for process in processes] == [
        ("replica-0", 0),
        ("replica-1", 1),
        ("web", None),
    ]


@pytest.mark.parametrize(
    ("asked", "started"),
    [
        ({}, ["replica-0", "replica-1", "web"]),
        ({"replica_count": 1}, ["replica-0", "web"]),
        ({"replicas": "http://a:8000"}, ["web"]),
        ({"replicas_dns": "http://vllm:8000"}, ["web"]),
    ],
)
def test_only_the_replicas_that_are_asked_for_start(asked: dict[str, object], started: list[str]) -> None:
    chosen = select_processes(read_procfile(ROOT / "Procfile"), Settings(**asked))
    assert [process.name for process in chosen] == started


def test_more_replicas_than_the_procfile_lists_are_refused() -> None:
    with pytest.raises(StartError, match="PINDESK_REPLICA_COUNT is 3: add a line"):
        select_processes(read_procfile(ROOT / "Procfile"), Settings(replica_count=3))


@pytest.mark.parametrize("line", ["web python", "web:", "web: python 'x"])
def test_a_malformed_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "Procfile").write_text(f"# processes\n\n{line}\n")
    with pytest.raises(StartError, match="Procfile, line 3"):
        read_procfile(tmp_path / "Procfile")


def test_a_folder_without_a_procfile_is_not_a_checkout(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="in the folder of its checkout"):
        read_procfile(tmp_path / "Procfile")


def test_a_fit_machine_passes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "free_memory_bytes", lambda: 64 * machine.GIB)
    check_machine(settings)


@pytest.mark.parametrize("name", ["port", "otlp_port", "replica_port"])
def test_a_taken_port_is_named_with_its_setting(settings: Settings, taken_port: int, name: str) -> None:
    with pytest.raises(StartError, match=f"Port {taken_port} on 127.0.0.1 is taken: .* PINDESK_{name.upper()} "):
        check_machine(settings.model_copy(update={name: taken_port}))


def test_replicas_elsewhere_need_neither_model_nor_engine_nor_ports(settings: Settings, taken_port: int) -> None:
    changes = {"replicas": ["http://a:8000"], "model": "/nowhere", "replica_port": taken_port}
    check_machine(settings.model_copy(update=changes | {"engine_python": Path("/nowhere")}))


def test_too_little_memory_or_disk_is_told_in_figures(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "free_memory_bytes", lambda: 2 * machine.GIB)
    with pytest.raises(StartError, match=r"3\.5 GiB of memory are needed and 2\.0 GiB are free: .*PINDESK_REPLICA"):
        check_machine(settings)
    monkeypatch.setattr(preflight, "free_disk_bytes", lambda folder: machine.GIB // 10)
    with pytest.raises(StartError, match=r"1 GiB of disk are needed and 0\.1 GiB are free .*PINDESK_VAR_DIR"):
        check_machine(settings)


def test_memory_grows_with_replicas_and_their_cache_and_is_the_gpus_matter_on_a_gpu(settings: Settings) -> None:
    one = needed_memory_bytes(settings)
    two = needed_memory_bytes(settings.model_copy(update={"replica_count": 2, "kv_cache_gib": 3}))
    assert two - one == int(1.5 * machine.GIB) + (2 * 3 - 1) * machine.GIB + 2
    assert needed_memory_bytes(settings.model_copy(update={"engine": EngineKind.GPU})) == machine.GIB


@pytest.mark.parametrize("missing", ["backend/no_such_model", "./model", "/srv/model"])
def test_a_missing_model_folder_is_told(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(StartError, match=f"The model folder {missing} is missing: set PINDESK_MODEL"):
        check_model(missing)


def test_a_folder_that_is_no_model_is_told_and_a_models_name_is_left_to_vllm(model: Path) -> None:
    check_model("Qwen/Qwen3-8B")
    (model / "config.json").unlink()
    (model / "model.safetensors").unlink()
    with pytest.raises(StartError, match=r"lacks config\.json, \*\.safetensors: set PINDESK_MODEL"):
        check_model(str(model))


def test_a_missing_engine_is_told(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(StartError, match="run `make engine`"):
        check_machine(settings.model_copy(update={"engine_python": tmp_path / "none"}))


def test_memory_within_a_container_is_its_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("400\n")
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    assert machine.free_memory_bytes() == 600
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.free_memory_bytes() > 600


def test_auto_means_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "gpu_count", lambda: 0)
    assert engine.engine_kind(Settings()) == EngineKind.CPU
    monkeypatch.setattr(engine, "gpu_count", lambda: 2)
    assert engine.engine_kind(Settings()) == EngineKind.GPU
    assert engine.engine_kind(Settings(engine="cpu")) == EngineKind.CPU


def test_a_replica_is_configured_from_the_settings() -> None:
    config = replica_config(Settings(engine="cpu", engine_args="--seed 7", otlp_port=4400, replica_port=9000), 1)
    assert (config.id, config.port, config.cpu) == ("r1", 9001, True)
    assert config.otlp_endpoint == "http://127.0.0.1:4400/v1/traces"
    assert config.engine_args == ("--seed", "7")


@pytest.mark.parametrize(("kind", "steps"), [("cpu", [replica.CPU_NICENESS]), ("gpu", [])])
def test_a_replica_on_the_cpu_gives_way_to_web(kind: str, steps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    given, started = [], []
    monkeypatch.setattr(replica, "get_settings", lambda: Settings(engine=kind))
    monkeypatch.setattr("sys.argv", ["replica", "0"])
    monkeypatch.setattr("os.nice", given.append)
    monkeypatch.setattr("os.execve", lambda *command: started.append(command))
    replica.main()
    assert given == steps
    assert len(started) == 1


@pytest.mark.parametrize(
    ("gpus", "device", "shared"),
    [(1, {}, ("--gpu-memory-utilization", "0.45")), (2, {"CUDA_VISIBLE_DEVICES": "1"}, ())],
)
def test_replicas_spread_over_gpus_or_share_one(
    gpus: int, device: dict[str, str], shared: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(replica, "gpu_count", lambda: gpus)
    assert replica_environment(1, EngineKind.GPU) == device
    assert replica_config(Settings(engine="gpu"), 1).engine_args == shared


def test_the_configuration_names_every_process_and_survives_percent_signs(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path / "100%")
    conf = RawConfigParser()
    conf.read_string(render_conf([Process("replica-0", "vllm"), Process("web", "python 'a b'")], settings, tmp_path))
    assert conf["program:web"]["command"].endswith("-m chat.start.tie python 'a b'")
    assert conf["program:web"]["stdout_logfile"] == str(tmp_path / "100%%/log/web.log")
    assert int(conf["program:web"]["priority"]) > int(conf["program:replica-0"]["priority"])
    assert int(conf["program:web"]["stopwaitsecs"]) > settings.turn_timeout.total_seconds()


def test_a_deep_checkout_gets_a_short_socket(tmp_path: Path) -> None:
    assert socket_path(Settings(var_dir=Path("/srv/var"))) == Path("/srv/var/supervisor.sock")
    deep = socket_path(Settings(var_dir=tmp_path / ("x" * 100)))
    assert len(bytes(deep)) < 100
    assert deep != socket_path(Settings(var_dir=tmp_path / ("y" * 100)))


def _observe(watch: Watch, *seen: tuple[Health, str, int]) -> list[str]:
    lines = [watch.observe(health, Program("replica-0", state, pid)) for health, state, pid in seen]
    return [line for line in lines if line]


def test_each_change_is_one_line() -> None:
    warming = Health(Phase.WARMING, "warming prompts: 1 of 2")
    watch = Watch("web", "var/log/web.log")
    lines = _observe(
        watch,
        (LOADING, "STARTING", 10),
        (LOADING, "STARTING", 10),
        (Health(Phase.WARMING), "STARTING", 10),
        (warming, "RUNNING", 10),
        (READY, "RUNNING", 10),
        (READY, "RUNNING", 10),
    )
    assert lines == ["web: loading", "web: not ready yet", "web: warming prompts: 1 of 2", "web: ready"]


def test_a_death_is_told_and_a_stop_by_hand_is_none() -> None:
    watch = Watch("replica 1 of 2", "a.log")
    assert _observe(watch, (READY, "RUNNING", 10), (LOADING, "STARTING", 11), (READY, "RUNNING", 11)) == [
        "replica 1 of 2: ready",
        "replica 1 of 2: died, starting again (a.log)",
        "replica 1 of 2: ready",
    ]
    assert _observe(watch, (LOADING, "STOPPING", 11), (LOADING, "STOPPED", 0), (LOADING, "STARTING", 12)) == [
        "replica 1 of 2: stopped",
        "replica 1 of 2: loading",
    ]


def test_three_deaths_before_the_first_service_give_up_and_later_ones_never() -> None:
    deaths = [(LOADING, "BACKOFF" if pid == 0 else "STARTING", pid) for pid in (1, 0, 2, 0, 3, 0)]
    with pytest.raises(StartError, match=r"replica 1 of 2 keeps failing: its log, a\.log, says why\."):
        _observe(Watch("replica 1 of 2", "a.log"), *deaths)
    served = Watch("replica 1 of 2", "a.log")
    assert len(_observe(served, (READY, "RUNNING", 9), *deaths, *deaths)) == 2


def test_a_replica_elsewhere_is_waited_for() -> None:
    watch = Watch("replica 1 of 1 at http://a:8000", "")
    assert watch.observe(LOADING, None) == "replica 1 of 1 at http://a:8000: waiting for its answer"
    assert watch.observe(READY, None) == "replica 1 of 1 at http://a:8000: ready"


def _probe(settings: Settings, monkeypatch: pytest.MonkeyPatch, answers: dict[str, httpx.Response]) -> Probe:
    def answer(request: httpx.Request) -> httpx.Response:
        if str(request.url) not in answers:
            raise httpx.ConnectError("nothing listens", request=request)
        return answers[str(request.url)]

    probe = Probe(settings)
    monkeypatch.setattr(probe, "_client", httpx.Client(transport=httpx.MockTransport(answer)))
    return probe


def test_a_loaded_replica_waits_for_web_to_warm_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"http://a:8000/health": httpx.Response(200)}
    probe = _probe(Settings(port=8080), monkeypatch, answers)
    probe.look(with_states=True)
    assert (probe.web(), probe.replica("http://b:8000")) == (LOADING, LOADING)
    assert probe.replica("http://a:8000") == Health(Phase.WARMING, "loaded")
    answers["http://127.0.0.1:8080/readyz"] = httpx.Response(503, json={"detail": "No replica is ready."})
    for state, health in [("warming", Health(Phase.WARMING, "warming prompts")), ("suspect", READY), ("ready", READY)]:
        listing = {"data": [{"url": "http://a:8000", "state": state}], "next": None}
        answers["http://127.0.0.1:8080/api/v1/replicas"] = httpx.Response(200, json=listing)
        probe.look(with_states=True)
        assert probe.replica("http://a:8000") == health
    assert probe.web() == Health(Phase.WARMING, "No replica is ready.")


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "http://127.0.0.1:8080"), ("::1", "http://[::1]:8080"), ("10.0.0.7", "http://10.0.0.7:8080")],
)
def test_the_address_that_is_told_can_be_opened(host: str, address: str) -> None:
    assert Probe(Settings(host=host)).web_url == address
