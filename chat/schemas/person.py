"""Signed identities and what they are changed for."""

from typing import Annotated

from pydantic import BaseModel, Field

from chat.schemas.conversation import SignedIdentity
from chat.schemas.request import KEY_PATTERN, RequestBody


class NewSession(RequestBody):
    site: Annotated[str, Field(pattern=KEY_PATTERN)]
    identity: SignedIdentity


class NewProof(RequestBody):
    identity: SignedIdentity


class Proved(BaseModel):
    """The token is shown this once. It opens all of the person's conversations on the site, for twelve hours."""

    token: str


class Attached(Proved):
    id: str
