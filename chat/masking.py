"""What of a conversation's texts its reader may see.

Customers see their own words. The staff see how to reach a customer, and not what pays or proves an identity
(`AGENT_KINDS`): nobody needs a card's number to help. The engine reads what was written.
"""

from typing import Any, TypeVar

from pydantic import BaseModel

from sessions import Principal, Staff
from telemetry.masking import AGENT_KINDS, mask_values

Model = TypeVar("Model", bound=BaseModel)


def for_staff(seen: Model) -> Model:
    """A response with every text in it masked as the staff may see it."""
    return type(seen).model_validate(mask_values(seen.model_dump(), AGENT_KINDS))


def payload_for(reader: Principal, payload: dict[str, Any]) -> dict[str, Any]:
    """An event's payload as this reader may see it."""
    return mask_values(payload, AGENT_KINDS) if isinstance(reader, Staff) else payload
