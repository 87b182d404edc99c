"""The operator's figures as the API gives them: periods in a time zone, sites, refusals, the audit of a drain."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chat.figures import Period, by_template, spans_of
from sessions import Scope, TemplateOutcomes, TemplateReplies
from tests.chat.conftest import Api

AT = datetime(2026, 11, 26, 17, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def database_url(on_both_databases: str | None) -> str | None:
    return on_both_databases


def test_today_is_the_hours_of_the_operators_day() -> None:
    spans = spans_of(Period.TODAY, ZoneInfo("Asia/Kolkata"), AT)
    assert len(spans) == 24
    assert spans[0].begins == datetime(2026, 11, 25, 18, 30, tzinfo=UTC)
    assert spans[-1].ends == datetime(2026, 11, 26, 18, 30, tzinfo=UTC)
    assert all(a.ends == b.begins and a.ends - a.begins == timedelta(hours=1) for a, b in itertools.pairwise(spans))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
def test_days_may_be_shorter_or_longer(day: str, hours: int) -> None:
    at = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    assert len(spans_of(Period.TODAY, ZoneInfo("Europe/Berlin"), at)) == hours
    [span] = [each for each in spans_of(Period.WEEK, ZoneInfo("Europe/Berlin"), at) if each.begins <= at < each.ends]
    assert span.ends - span.begins == timedelta(hours=hours)


def test_several_days_are_days_and_the_last_is_today() -> None:
    for period, days in ((Period.WEEK, 7), (Period.MONTH, 30)):
        spans = spans_of(period, ZoneInfo("America/New_York"), AT)
        assert len(spans) == days
        assert spans[-1].begins == datetime(2026, 11, 26, 5, tzinfo=UTC)
        assert spans[-1].begins <= AT < spans[-1].ends


def test_what_was_only_suggested_has_a_row_too() -> None:
    replied = [TemplateReplies("demo", "a", 5, 2, 1)]
    suggested = [TemplateOutcomes("demo", "a", 4, 1, 1, 1, 0), TemplateOutcomes("demo", "b", 2, 0, 0, 0, 2)]
    first, second = by_template(replied, suggested)
    assert (first.replies, first.up, first.down, first.suggested, first.rejected) == (5, 2, 1, 4, 1)
    assert (second.template, second.replies, second.suggested, second.withdrawn) == ("b", 0, 2, 2)


@pytest.mark.asyncio(loop_scope="module")
async def test_figures_are_of_todays_conversations(api: Api) -> None:
    before = (await api.call("GET", "/operator/figures", api.keys["operator"])).json()
    assert (before["resolution_rate"], before["cached_share"], before["first_text"]) == (None, None, None)
    one = await api.open()
    await api.open()
    await api.post(one, "Where is my order 10234?")
    await api.call("POST", f"{one.path}/handoff", one.token)
    await api.call("POST", f"{one.path}/close", one.token)
    answer = await api.call("GET", "/operator/figures?site=demo&zone=Asia/Kolkata", api.keys["operator"])
    told = answer.json()
    assert (told["conversations"], told["handed_off"], told["ended"], told["resolved"]) == (1, 1, 1, 0)
    assert (told["handoff_rate"], told["resolution_rate"]) == (1.0, 0.0)
    assert sum(slot["conversations"] for slot in told["slots"]) == 1 and len(told["slots"]) == 24
    assert {site["key"] for site in told["sites"]} >= {"demo", "other"}
    other = (await api.call("GET", "/operator/figures?site=other", api.keys["operator"])).json()
    assert other["conversations"] == 0


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("site=nobody", 404, None),
        ("zone=Nowhere/None", 422, "zone"),
        ("zone=../../etc/passwd", 422, "zone"),
        ("zone=%00", 422, "zone"),
        ("zone=Europe", 422, "zone"),
        ("period=year", 422, "period"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(api: Api, query: str, status: int, field: str | None) -> None:
    answer = await api.call("GET", f"/operator/figures?{query}", api.keys["operator"])
    assert (answer.status_code, answer.json().get("field")) == (status, field)


@pytest.mark.asyncio(loop_scope="module")
async def test_operators_of_a_site_see_that_one_only(api: Api) -> None:
    async with api.services.store.begin() as repo:
        key = await repo.sites.add_key(Scope.OPERATOR, ["other"], "operator of other")
    one = await api.open("demo")
    await api.post(one, "hello")
    told = (await api.call("GET", "/operator/figures", key)).json()
    assert (told["conversations"], [site["key"] for site in told["sites"]]) == (0, ["other"])
    assert (await api.call("GET", "/operator/figures?site=demo", key)).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_draining_and_its_end_are_in_the_audit_log(api: Api) -> None:
    for method in ("POST", "DELETE"):
        assert (await api.call(method, "/replicas/r0/drain", api.keys["operator"])).status_code == 200
    told = (await api.call("GET", "/audit?limit=2", api.keys["operator"])).json()["data"]
    assert [(each["action"], each["about"]) for each in told] == [
        ("replica.undrained", "r0"),
        ("replica.drained", "r0"),
    ]
