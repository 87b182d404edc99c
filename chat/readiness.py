"""Whether this process can serve customers now."""

from backend.placement import ReplicaState, Snapshot
from chat.services import Services
from sessions import Unavailable

_SERVING = (ReplicaState.READY, ReplicaState.DRAINING, ReplicaState.SUSPECT)


async def unready(services: Services) -> str | None:
    """Why not, in one sentence; None when ready."""
    if services.streams.closed:
        return "The server is stopping."
    try:
        async with services.store.read() as repo:
            await repo.ping()
    except Unavailable:
        return "The database does not answer."
    return no_replica(services.replicas.snapshot())


def no_replica(replicas: list[Snapshot]) -> str | None:
    """Why no replica serves; None when one does."""
    if any(replica.state in _SERVING for replica in replicas):
        return None
    if not replicas:
        return "No replica is configured."
    return "No replica is ready: " + ", ".join(f"{replica.id} is {replica.state.value}" for replica in replicas) + "."
