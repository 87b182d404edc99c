"""The demo bank's book."""

from datetime import date

from sqlmodel import Field

from sessions.models.base import Base


class DemoAccount(Base, table=True):
    """What identifies the holder, and what the bank then tells. `balance` is written with its currency.

    Invented people with invented secrets: a real bank would keep neither a PIN nor an answer in readable form.
    """

    __tablename__ = "demo_account"

    account_number: str = Field(primary_key=True)
    full_name: str
    pin: str
    date_of_birth: date
    maiden_name: str
    pet_name: str
    balance: str
    report_number: str
