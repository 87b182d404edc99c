"""Whether a process of ours serves, as its own HTTP endpoint tells."""

from dataclasses import dataclass
from enum import StrEnum

import httpx

from chat.settings import Settings


class Phase(StrEnum):
    LOADING = "loading"
    WARMING = "warming"
    READY = "ready"


@dataclass(frozen=True)
class Health:
    """`reason` is what the server itself gives for not being ready, empty where it gives none."""

    phase: Phase
    reason: str = ""


class Probe:
    """Asks replicas (`/health`) and `web` (`/readyz`)."""

    def __init__(self, settings: Settings) -> None:
        self._client = httpx.Client(timeout=2, trust_env=False)
        host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
        self.web_url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"

    def replica(self, url: str) -> Health:
        """Loading until the engine answers; a loaded engine that hangs still answers, which is web's matter."""
        try:
            return Health(Phase.READY if self._client.get(f"{url}/health").is_success else Phase.LOADING)
        except httpx.HTTPError:
            return Health(Phase.LOADING)

    def web(self) -> Health:
        """Loading until the server answers, warming until it calls itself ready."""
        try:
            answer = self._client.get(f"{self.web_url}/readyz")
        except httpx.HTTPError:
            return Health(Phase.LOADING)
        if answer.is_success:
            return Health(Phase.READY)
        return Health(Phase.WARMING, _reason(answer))

    def close(self) -> None:
        self._client.close()


def _reason(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("reason") or body.get("detail") or "") if isinstance(body, dict) else ""
