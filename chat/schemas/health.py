"""The answer of a healthy process."""

from pydantic import BaseModel


class Health(BaseModel):
    status: str = "ok"
