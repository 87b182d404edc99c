"""The install check: each fault of an installation is named, with what puts it right."""

import pytest

from chat.widget.check.findings import Asked, Verdict, look
from chat.widget.check.policy import refusals
from sessions import Site
from tests.chat.conftest import Api

SERVER = "https://chat.example"
SITE = Site(
    key="lamps", name="Lamps", pack="demo-shop", allowed_origins=["https://lamps.example", "https://*.lamp.shop"]
)


def bad(asked: Asked, site: Site | None = SITE) -> list[str]:
    return [finding.title for finding in look(site, asked) if finding.verdict is Verdict.BAD]


def test_a_good_installation_has_nothing_bad() -> None:
    policy = f"default-src 'self'; script-src 'self' {SERVER}; frame-src {SERVER}"
    assert bad(Asked("lamps", SERVER, page="https://lamps.example/contact", policy=policy)) == []


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("http://lamps.example/", "loaded over http"),
        ("https://lamps.example:8443/", "another port"),
        ("https://www.lamps.example/", "www."),
        ("https://lamps.example.evil.example/", "not in the site's list"),
        ("https://lamp.shop/", "not in the site's list"),
    ],
)
def test_an_origin_that_looks_right_and_is_not(page: str, words: str) -> None:
    [finding] = [each for each in look(SITE, Asked("lamps", SERVER, page=page)) if each.verdict is Verdict.BAD]
    assert words in finding.text
    assert finding.remedy.startswith("python -m chat.sites set lamps --origin https://lamps.example --origin ")


@pytest.mark.parametrize("page", ["https://de.lamp.shop/", "https://a.b.lamp.shop"])
def test_a_wildcard_allows_what_browsers_let_it_allow(page: str) -> None:
    assert bad(Asked("lamps", SERVER, page=page)) == []


@pytest.mark.parametrize(
    "page", ["lamps.example", "javascript:alert(1)", "https://", "https://[", "file:///etc/passwd"]
)
def test_what_is_no_address_is_said_so(page: str) -> None:
    assert bad(Asked("lamps", SERVER, page=page)) == [f"{page!r} is not the address of a web page"]


def test_mixed_content() -> None:
    assert bad(Asked("lamps", "http://chat.example", page="https://lamps.example")) == ["Mixed content"]
    assert bad(Asked("lamps", "http://localhost:8080", page="https://lamps.example")) == []


def test_unknown_disabled_and_closed_sites() -> None:
    assert bad(Asked("lamp", SERVER), None) == ["Unknown site key 'lamp'"]
    off = Site(key="off", name="Off", pack="demo-shop", allowed_origins=[], enabled=False)
    assert bad(Asked("off", SERVER), off) == ["The site is switched off"]
    off.enabled = True
    assert bad(Asked("off", SERVER), off) == ["No website is allowed"]


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        ("", []),
        ("img-src 'self'", []),
        ("default-src 'self'", ["script-src", "frame-src"]),
        ("script-src 'self'; frame-src https://chat.example", ["script-src"]),
        ("script-src https://chat.example/widget.js; child-src 'none'", ["child-src"]),
        ("script-src 'nonce-abc' 'strict-dynamic' https://chat.example; frame-src *", ["script-src"]),
        ("script-src https:; frame-src https://*.example", []),
        ("script-src chat.example; frame-src chat.example:443", []),
        ("script-src chat.example:8443; frame-src http://chat.example", ["script-src"]),
        ("Content-Security-Policy: frame-src 'none', frame-src https://chat.example", ["frame-src"]),
        ("FRAME-SRC 'NONE'", ["frame-src"]),
        ("frame-src https://chat.example:*", []),
        ("frame-src https://chat.example:port ;;; x", ["frame-src"]),
    ],
)
def test_policies_of_the_website(policy: str, refused: list[str]) -> None:
    assert [name for name, _ in refusals(policy, SERVER)] == refused


@pytest.mark.asyncio(loop_scope="module")
async def test_the_page_says_it_and_shows_what_was_asked_as_text(api: Api) -> None:
    asked = {
        "site": "demo",
        "page": '"><script>alert(1)</script>',
        "policy": "</textarea><script>",
        "saw": "frame_blocked",
    }
    answer = await api.client.get("/widget/check", params=asked)
    assert answer.status_code == 200
    assert "<script>" not in answer.text and "&lt;script&gt;alert(1)" in answer.text
    assert "What the page itself reported" in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "Unknown site key" in (await api.client.get("/widget/check?site=nobody")).text
    assert (await api.client.get("/widget/check")).status_code == 200
