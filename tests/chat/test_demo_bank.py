"""The demo bank: who is let in, and what a conversation with it gives."""

from collections.abc import AsyncIterator, Mapping
from datetime import date
from pathlib import Path

import pytest

from chat.demo_bank import account_by_answers, account_by_pin, is_day
from chat.lookups import Lookups, check_lookups
from chat.packs import FOLDER
from prompts import Fill, LookupNeeded, compact, load_pack
from sessions import Store, seed_demo, upgrade

BY_PIN = {"full_name": "maya  lindqvist", "account_number": "8431 0276", "pin": "4821"}
BY_ANSWERS = {
    "full_name": "Maya Lindqvist",
    "date_of_birth": "14 March 1988",
    "maiden_name": "OKAFOR",
    "pet_name": "biscuit",
}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path}/bank.db"
    await upgrade(url)
    store = Store(url)
    async with store.begin() as repo:
        await seed_demo(repo)
    yield store
    await store.close()


async def test_both_ways_lead_to_the_same_account_and_tell_no_secret(store: Store) -> None:
    by_pin, by_answers = await account_by_pin(store, **BY_PIN), await account_by_answers(store, **BY_ANSWERS)
    assert by_pin == by_answers == {"balance": "$2,418.60", "report_number": "TW-310276"}


@pytest.mark.parametrize("wrong", [{"pin": "4822"}, {"account_number": "84310277"}, {"full_name": "Maya Lindquist"}])
async def test_one_wrong_part_of_three_keeps_the_account_shut(store: Store, wrong: Mapping[str, str]) -> None:
    assert await account_by_pin(store, **BY_PIN | wrong) is None


@pytest.mark.parametrize(
    "wrong", [{"date_of_birth": "15 March 1988"}, {"maiden_name": "Okoro"}, {"pet_name": "Rex"}, {"full_name": "M L"}]
)
async def test_one_wrong_answer_of_four_keeps_the_account_shut(store: Store, wrong: Mapping[str, str]) -> None:
    assert await account_by_answers(store, **BY_ANSWERS | wrong) is None


@pytest.mark.parametrize("written", ["1988-03-14", "14/03/1988", "3/14/88", "March 14th, 1988", "14. MAR 1988"])
def test_a_day_is_known_however_it_is_written(written: str) -> None:
    assert is_day(date(1988, 3, 14), written)


@pytest.mark.parametrize("written", ["14 March", "14 April 1988", "1988", "3/15/1988", "", "14 3 1988 1988"])
def test_another_day_or_half_a_day_is_not(written: str) -> None:
    assert not is_day(date(1988, 3, 14), written)


@pytest.mark.parametrize(
    ("pin", "says"), [("4821", "Your current balance is $2,418.60."), ("4822", "I cannot find an account")]
)
async def test_a_balance_is_told_from_the_book_alone(store: Store, pin: str, says: str) -> None:
    pack = load_pack(FOLDER / "bank")
    check_lookups(pack)
    slots = {"full_name": "Maya Lindqvist", "account_number": "84310276", "pin": pin}
    fill = Fill(pack, "en", ["I'm Maya Lindqvist", "84310276", f"it is {pin}"])
    steps = fill.feed(compact({"action": "reply", "template": "bank_inform_balance", "slots": slots}))
    [needed] = [step for step in steps if isinstance(step, LookupNeeded)]
    lookups = Lookups(store)
    answer = await lookups.run(pack, needed.call)
    await lookups.close()
    fill.provide(answer.outcome, answer.facts)
    assert fill.visible.startswith("Thank you. Let me look at your account. ")
    assert says in fill.visible
