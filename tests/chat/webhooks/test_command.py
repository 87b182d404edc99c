"""`python -m chat.webhooks`: what an administrator can do, and what is shown only once."""

import asyncio
import re

import pytest

from chat.settings import get_settings
from chat.webhooks.__main__ import main
from sessions import Store, WebhookEndpoint

pytestmark = pytest.mark.usefixtures("command_log")

URL = "https://shop.example/hook"


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(argv) == 0
    return capsys.readouterr().out


def endpoints() -> list[WebhookEndpoint]:
    async def ask() -> list[WebhookEndpoint]:
        store = Store(get_settings().database_url)
        async with store.read() as repo:
            found = await repo.webhooks.endpoints()
        await store.close()
        return list(found)

    return asyncio.run(ask())


def test_an_endpoint_from_its_making_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys, "add", "demo", URL, "--kind", "reply.done")
    first = re.search(r"whsec_\S+", told)[0]
    (made,) = endpoints()
    assert (made.site_key, made.url, made.secrets, made.kinds, made.masked) == (
        "demo",
        URL,
        [first],
        ["reply.done"],
        True,
    )
    secrets = [first]
    for _ in range(2):
        secrets.insert(0, re.search(r"whsec_\S+", run(capsys, "rotate", made.id))[0])
        assert endpoints()[0].secrets == secrets[:2]
    run(capsys, "rotate", made.id, "--at-once")
    assert len(endpoints()[0].secrets) == 1
    run(capsys, "set", made.id, "--disable", "--unmasked")
    assert (endpoints()[0].disabled, endpoints()[0].masked) == ("by hand", False)
    run(capsys, "set", made.id, "--enable")
    assert (endpoints()[0].disabled, endpoints()[0].masked) == (None, False)
    listed = run(capsys, "list")
    assert made.id in listed
    assert "whsec" not in listed
    assert run(capsys, "log") == "nothing was to be delivered\n"
    run(capsys, "remove", made.id)
    assert endpoints() == []


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("add", "nowhere", URL), "webhooks: There is no site 'nowhere': see `python -m chat.sites list`.\n"),
        (("add", "demo", "http://127.0.0.1:8000/"), "webhooks: http://127.0.0.1:8000/ is not encrypted: use https, or"),
        (("rotate", "whe_none"), "webhooks: There is no webhook endpoint 'whe_none'.\n"),
        (("redeliver", "whd_none"), "webhooks: There is no webhook delivery 'whd_none'.\n"),
    ],
)
def test_a_mistake_is_one_sentence(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], told: str) -> None:
    assert main(argv) == 1
    assert capsys.readouterr().err.startswith(told)
