"""Whether the processes serve, as their own HTTP endpoints tell."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx

from chat.settings import Settings


class Phase(StrEnum):
    LOADING = "loading"
    WARMING = "warming"
    READY = "ready"


@dataclass(frozen=True)
class Health:
    """`reason` says in words why a service that has loaded is not ready; empty where nobody says."""

    phase: Phase
    reason: str = ""


# What `web` calls a replica that answers its health check; one that customers are sent to counts as ready.
_REASONS = {"starting": "loaded", "down": "loaded", "warming": "warming prompts", "draining": "draining"}


class Probe:
    """Asks replicas (`/health`) and `web` (`/readyz`, and how far it has warmed each replica)."""

    def __init__(self, settings: Settings) -> None:
        self._client = httpx.Client(timeout=2, trust_env=False)
        self._operator_key = settings.operator_key.get_secret_value() if settings.operator_key else ""
        self._states: dict[str, str] = {}
        self._web = Health(Phase.LOADING)
        self._web_has_answered = False
        host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
        self.web_url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"

    def look(self, with_states: bool) -> None:
        """Ask `web` once for all services; without states a replica that answers counts as ready."""
        self._web = self._ask_web()
        self._web_has_answered |= self._web.phase != Phase.LOADING
        self._states = self._ask_states() if with_states and self._web.phase != Phase.LOADING else {}

    def web(self) -> Health:
        """Loading until the server answers, warming until it calls itself ready."""
        return self._web

    def replica(self, url: str) -> Health:
        """Loading until the engine answers, warming until `web` sends customers to it."""
        answer = self._get(f"{url}/health")
        if answer is None or not answer.is_success:
            return Health(Phase.LOADING)
        state = self._states.get(url, "ready" if self._web_has_answered else "starting")
        reason = _REASONS.get(state)
        return Health(Phase.WARMING, reason) if reason else Health(Phase.READY)

    def close(self) -> None:
        self._client.close()

    def _ask_web(self) -> Health:
        answer = self._get(f"{self.web_url}/readyz")
        if answer is None:
            return Health(Phase.LOADING)
        if answer.is_success:
            return Health(Phase.READY)
        return Health(Phase.WARMING, str(_json_object(answer).get("detail", "")))

    def _ask_states(self) -> dict[str, str]:
        answer = self._get(f"{self.web_url}/api/v1/replicas", Authorization=f"Bearer {self._operator_key}")
        replicas = _json_object(answer).get("data", []) if answer is not None and answer.is_success else []
        return {replica["url"]: replica["state"] for replica in replicas}

    def _get(self, url: str, **headers: str) -> httpx.Response | None:
        try:
            return self._client.get(url, headers=headers)
        except httpx.HTTPError:
            return None


def _json_object(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
