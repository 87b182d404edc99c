"""What an idle conversation costs the process: `python -m benchmarks.memory --url http://127.0.0.1:8080`.

Opens conversations on a running Pindesk, whose limits must allow it, and reads the server's resident memory before and
after. Beside that, what the placement policy keeps of conversations that had turns, counted by `tracemalloc`.
"""

import argparse
import asyncio
import gc
import json
import tracemalloc
from itertools import pairwise

import httpx

from backend.placement import Ahead, Pin, ReplicaState, Snapshot, Used
from backend.routing import Policy
from benchmarks.client import Customer

CACHE_TOKENS = 350_000  # of a 13M model in 1 GiB


def policy_bytes(conversations: int, brands: int = 40) -> float:
    """Bytes that the policy holds for each conversation after two turns of all of them."""
    replicas = [Snapshot(f"r{number}", "", ReplicaState.READY, "boot") for number in range(2)]
    policy = Policy()
    for replica in replicas:
        policy.observe(replica.id, "boot", 0, 0, CACHE_TOKENS)
    gc.collect()
    tracemalloc.start()
    before, now_s = tracemalloc.get_traced_memory()[0], 0.0
    for turn in range(2):
        for number in range(conversations):
            now_s += 0.05
            pin = Pin("r0", "boot", 900, f"brand {number % brands}", idle_s=60) if turn else None
            ahead = Ahead(f"brand {number % brands}", 600, 900, pin, key=f"cnv_{number:022d}")
            ranking = policy.rank(ahead, replicas, now_s)
            job = policy.begin(ranking.order[0], ahead, ranking, now_s)
            policy.first_token(job, now_s)
            policy.end(job, now_s, Used(900, 576, 40))
    del job, ranking, ahead, pin
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return held / conversations


async def process_bytes(url: str, conversations: int, batches: int = 3) -> list[int]:
    """Growth of the server's resident memory for each opened conversation, batch by batch.

    In the first ones pools, caches and the allocator's arenas fill; the last tells what a conversation costs.
    """
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
        held = [await _resident(http)]
        for _ in range(batches):
            for _ in range(conversations):
                await Customer.open(http)
            held.append(await _resident(http))
    return [round((after - before) / conversations) for before, after in pairwise(held)]


async def _resident(http: httpx.AsyncClient) -> float:
    lines = (await http.get("/metrics")).text.splitlines()
    return float(next(line for line in lines if line.startswith("process_resident_memory_bytes ")).split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--url", help="leave out to count the policy alone")
    parser.add_argument("--conversations", type=int, default=2000)
    given = parser.parse_args()
    told: dict[str, object] = {f"policy, {count} conversations": round(policy_bytes(count)) for count in (1000, 10_000)}
    if given.url:
        told["process"] = asyncio.run(process_bytes(given.url, given.conversations))
    print(json.dumps({"bytes for each idle conversation": told}))


if __name__ == "__main__":
    main()
