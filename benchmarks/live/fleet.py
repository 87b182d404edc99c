"""Replicas of the benchmark's own: in development mode, to reset their caches, which are as small as wanted."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp

from backend.replica import ReplicaConfig, command
from tests.parts import ENGINE_PYTHON, GPU_ENGINE, MODEL
from tests.processes import ServerProcess, free_port

SHORT_CONTEXT = 1536  # a cache must hold one prompt of the longest kind, and the fewest blocks are few
LOADED_WITHIN_S = 200


class BenchReplica(ServerProcess):
    """One vLLM server that sends its spans nowhere. It signs its replies (`system_fingerprint`): r0, r1, ..."""

    def __init__(self, number: int, folder: Path, blocks: int | None) -> None:
        args = ["--max-model-len", str(SHORT_CONTEXT)]
        args += ["--fingerprint-mode", "custom", "--fingerprint-value", f"r{number}"]
        args += ["--num-gpu-blocks-override", str(blocks)] if blocks else []
        cpu, port = not GPU_ENGINE.exists(), free_port()
        config = ReplicaConfig(f"r{number}", str(MODEL), port, ENGINE_PYTHON, cpu, engine_args=tuple(args))
        argv, env = command(config)
        env |= {"VLLM_SERVER_DEV_MODE": "1"}
        super().__init__(argv, env, f"http://127.0.0.1:{port}", "/health", folder / f"replica-{number}.log")


@contextmanager
def fleet(folder: Path, count: int, blocks: int | None) -> Iterator[list[BenchReplica]]:
    """`count` loaded replicas with so many blocks of cache each (None: what 1 GiB holds); they end with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    replicas = [BenchReplica(number, folder.resolve(), blocks) for number in range(count)]
    with ExitStack() as stack:
        for replica in replicas:
            stack.callback(replica.kill)
        revive(replicas)
        yield replicas


def revive(replicas: Sequence[ServerProcess]) -> None:
    """Start those that do not run, such as one that a run has killed, and wait until all have loaded."""
    for replica in replicas:
        if not replica.alive():
            replica.start()
    for replica in replicas:
        replica.wait_ready(LOADED_WITHIN_S)


async def reset(urls: Sequence[str]) -> None:
    """Empty the prefix caches; the engine does it only while nothing is in use."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as http:
        await asyncio.gather(*(_reset(http, url) for url in urls))


async def _reset(http: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(30):
        while not await _resting(http, url):
            await asyncio.sleep(0.2)
    async with http.post(f"{url}/reset_prefix_cache") as response:
        response.raise_for_status()


async def answered(urls: Sequence[str]) -> list[float] | None:
    """How many requests each has answered since its boot; None when one does not say."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as http:
            return [sum(await _metric(http, url, "vllm:request_success_total")) for url in urls]
    except (aiohttp.ClientError, TimeoutError):
        return None


async def _resting(http: aiohttp.ClientSession, url: str) -> bool:
    return not any(await _metric(http, url, "vllm:num_requests_running", "vllm:num_requests_waiting"))


async def _metric(http: aiohttp.ClientSession, url: str, *names: str) -> list[float]:
    async with http.get(f"{url}/metrics") as response:
        text = await response.text()
    return [float(line.split()[-1]) for line in text.splitlines() if line.startswith(names)]
