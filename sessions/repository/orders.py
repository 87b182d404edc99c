"""`repo.orders`: the demo shop's order book."""

from collections.abc import Sequence

from sqlalchemy import select

from sessions.models import DemoOrder
from sessions.repository.part import Part


class Orders(Part):
    async def get(self, order_id: str) -> DemoOrder | None:
        """An order by the number that a customer writes, with or without the `#`."""
        return await self.session.get(DemoOrder, order_id.strip().lstrip("#").upper())

    async def list(self) -> Sequence[DemoOrder]:
        """Every order, by number."""
        return (await self.session.scalars(select(DemoOrder).order_by(DemoOrder.order_id))).all()

    async def put(self, order: DemoOrder) -> None:
        """Add an order or replace the one with its number."""
        await self.session.merge(order)
