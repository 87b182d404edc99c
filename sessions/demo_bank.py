"""The demo bank: a second brand on the same replicas, and its book of invented people."""

from datetime import date

from sessions.models import DemoAccount, Site
from sessions.repository import Repository

SITE_KEY = "bank"
PACK = "bank"

# account, holder, PIN, date of birth, mother's maiden name, childhood pet, balance, number of a fraud report
_ACCOUNTS = (
    ("84310276", "Maya Lindqvist", "4821", date(1988, 3, 14), "Okafor", "Biscuit", "$2,418.60", "TW-310276"),
    ("84310277", "Theo Marchetti", "9047", date(1975, 11, 2), "Halloran", "Captain", "$12,905.15", "TW-310277"),
    ("84310278", "Ines Aguado", "3316", date(1994, 7, 30), "Petrov", "Nutmeg", "$86.42", "TW-310278"),
    ("84310279", "Samuel Oyelaran", "7758", date(1969, 1, 21), "Whitcombe", "Rex", "$40,112.00", "TW-310279"),
)


async def seed_bank(repo: Repository, origins: list[str]) -> None:
    """Make what is missing of the bank's site and its accounts; changes nothing that is there."""
    if await repo.sites.get(SITE_KEY) is None:
        await repo.sites.add(Site(key=SITE_KEY, name="Tidewell Bank", allowed_origins=origins, pack=PACK))
    for row in _ACCOUNTS:
        if await repo.accounts.get(row[0]) is None:
            await repo.accounts.put(_account(*row))


def _account(
    account_number: str, full_name: str, pin: str, date_of_birth: date, maiden_name: str, pet_name: str, balance: str,
    report_number: str,
) -> DemoAccount:  # fmt: skip
    return DemoAccount(
        account_number=account_number,
        full_name=full_name,
        pin=pin,
        date_of_birth=date_of_birth,
        maiden_name=maiden_name,
        pet_name=pet_name,
        balance=balance,
        report_number=report_number,
    )
