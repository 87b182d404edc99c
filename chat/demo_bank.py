"""The demo bank's two ways to its book: by PIN, or by three answers. Neither tells which part was wrong."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from sessions import DemoAccount, Store

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


async def account_by_pin(store: Store, *, full_name: str, account_number: str, pin: str) -> Mapping[str, Any] | None:
    """The account, if number, holder and PIN fit."""
    async with store.read() as repo:
        account = await repo.accounts.get(re.sub(r"\D", "", account_number))
    if account is None or not _same(account.full_name, full_name) or account.pin != pin:
        return None
    return _told(account)


async def account_by_answers(
    store: Store, *, full_name: str, date_of_birth: str, maiden_name: str, pet_name: str
) -> Mapping[str, Any] | None:
    """The account whose holder gives these answers."""
    async with store.read() as repo:
        accounts = await repo.accounts.list()
    for account in accounts:
        answers = ((account.full_name, full_name), (account.maiden_name, maiden_name), (account.pet_name, pet_name))
        if all(_same(kept, given) for kept, given in answers) and is_day(account.date_of_birth, date_of_birth):
            return _told(account)
    return None


def is_day(day: date, written: str) -> bool:
    """True if a customer may have meant `day`: by number or name of the month, in either order."""
    folded = written.casefold()
    named = [at for at, name in enumerate(_MONTHS, 1) if name in folded]
    numbers = [int(number) for number in re.findall(r"\d+", folded)]
    return any(sorted([*named, *numbers]) == sorted([day.day, day.month, year]) for year in (day.year, day.year % 100))


def _same(kept: str, given: str) -> bool:
    return " ".join(kept.casefold().split()) == " ".join(given.casefold().split())


def _told(account: DemoAccount) -> Mapping[str, Any]:
    """Only what the pack may say: a secret never leaves the book."""
    return {"balance": account.balance, "report_number": account.report_number}
