"""`repo.accounts`: the demo bank's book."""

from collections.abc import Sequence

from sqlalchemy import select

from sessions.models import DemoAccount
from sessions.repository.part import Part


class Accounts(Part):
    async def get(self, account_number: str) -> DemoAccount | None:
        """An account by its number, digits only."""
        return await self.session.get(DemoAccount, account_number)

    async def list(self) -> Sequence[DemoAccount]:
        """Every account, by number."""
        return (await self.session.scalars(select(DemoAccount).order_by(DemoAccount.account_number))).all()

    async def put(self, account: DemoAccount) -> None:
        """Add an account or replace the one with its number."""
        await self.session.merge(account)
