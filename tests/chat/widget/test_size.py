"""What a visitor has to load, as it comes over the wire."""

import re
from urllib.parse import urljoin

import pytest

from chat.widget.files import LOCALES
from tests.chat.conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOADER_BYTES = 4_000
PAGE_BYTES = 25_000


async def wire_bytes(api: Api, path: str) -> tuple[int, str]:
    """How many bytes the body has on the wire, and what is in it."""
    async with api.client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status_code == 200, path
        raw = b"".join([part async for part in answer.aiter_raw()])
        declared = int(answer.headers["content-length"])
    assert declared == len(raw)
    return len(raw), (await api.client.get(path)).text


async def test_the_loader_is_small(api: Api) -> None:
    size, _ = await wire_bytes(api, "/widget.js")
    assert size <= LOADER_BYTES


@pytest.mark.parametrize("locale", LOCALES)
async def test_all_parts_of_the_page_together_are_small(api: Api, locale: str) -> None:
    """Everything that the page names, or that what it names imports: each part once, each compressed by itself."""
    todo, seen, total = [f"/widget?site=demo&locale={locale}"], set(), 0
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        size, text = await wire_bytes(api, path)
        total += size
        named = re.findall(r'(?:href|src)="([^"#]+)"|from "(\./[^"]+)"', text)
        todo += [urljoin(path, first or second) for first, second in named]
    assert any(path.endswith(f"{locale}.json") for path in seen)
    assert {"main.js", "tail.js", "widget.css"} <= {path.rpartition("/")[2] for path in seen}
    assert total <= PAGE_BYTES


async def test_a_part_keeps_its_address_for_ever_and_a_changed_one_gets_another(api: Api) -> None:
    html = (await api.client.get("/widget?site=demo")).text
    [main] = re.findall(r'src="([^"]+main\.js)"', html)
    answer = await api.client.get(f"/{main}")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert (await api.client.get(f"/{main}".replace("main.js", "../main.js"))).status_code == 404
    assert (await api.client.get("/widget.js")).headers["cache-control"] == "public, max-age=600"
