import sys
from pathlib import Path

from benchmarks.live.fleet import BenchReplica, revive
from tests.processes import ServerProcess, free_port


def server(folder: Path, name: str) -> ServerProcess:
    port = free_port()
    argv = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    return ServerProcess(argv, {}, f"http://127.0.0.1:{port}", "/", folder / f"{name}.log")


def test_what_a_run_has_killed_serves_again_and_the_others_are_left_alone(tmp_path: Path) -> None:
    replicas = [server(tmp_path, "one"), server(tmp_path, "other")]
    try:
        revive(replicas)
        killed, spared = (replica.pid for replica in replicas)
        replicas[0].kill()
        revive(replicas)
        assert replicas[0].alive() and replicas[0].pid != killed
        assert replicas[1].pid == spared
    finally:
        for replica in replicas:
            replica.kill()


def test_a_replica_signs_with_its_number(tmp_path: Path) -> None:
    argv = BenchReplica(2, tmp_path, 74)._argv
    assert (
        argv[argv.index("--fingerprint-value") + 1] == "r2"
        and argv[argv.index("--num-gpu-blocks-override") + 1] == "74"
    )
