"""The demo shop's order book."""

from datetime import date

from sqlmodel import Field

from sessions.models.base import Base


class DemoOrder(Base, table=True):
    """`amount` is written as the shop shows it, with its currency; `eta` is None where none is known."""

    __tablename__ = "demo_order"

    order_id: str = Field(primary_key=True)
    status: str
    product: str
    amount: str
    placed_on: date
    eta: date | None = None
    carrier: str | None = None
