"""Reading a reply's schema: what it lets each slot hold."""

from collections.abc import Mapping
from typing import Any

from prompts.schema import templates_in

Allowed = list[str | None] | None
"""The values that are listed; None if anything may be written."""


def slots_of(schema: Mapping[str, Any]) -> dict[str, dict[str, Allowed]]:
    """Each template's slots, and what each may hold."""
    return {
        template: {name: _allowed(own, schema["$defs"]) for name, own in _slots(branch).items()}
        for branch in schema["anyOf"]
        for template in templates_in(branch)
    }


def _slots(branch: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return branch["properties"]["slots"]["properties"]


def _allowed(own: Mapping[str, Any], shared: Mapping[str, Any]) -> Allowed:
    if "$ref" not in own:
        return own.get("enum")
    listed, *null = shared[own["$ref"].rsplit("/", 1)[1]]["anyOf"]
    return [*listed["enum"], *(None for _ in null)]
