"""The fixtures of the real system do what they say."""

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.system import System

if TYPE_CHECKING:
    from playwright.async_api import Browser


@pytest.mark.engine
@pytest.mark.timeout(300)
async def test_a_killed_web_comes_back_with_its_conversations(system: System) -> None:
    async with httpx.AsyncClient(base_url=f"{system.url}/api/v1") as client:
        opened = (await client.post("/conversations", json={"site": "demo"})).json()
        system.kill_web()
        with pytest.raises(httpx.HTTPError):
            await client.get("/livez")
    system.restart_web()
    async with httpx.AsyncClient(base_url=f"{system.url}/api/v1") as client:
        path = f"/conversations/{opened['id']}/messages"
        messages = await client.get(path, headers={"Authorization": f"Bearer {opened['token']}"})
        assert messages.json() == {"data": [], "next": None}
        listing = await client.get("/agent/conversations", headers={"Authorization": f"Bearer {system.keys.agent}"})
        assert [conversation["id"] for conversation in listing.json()["data"]] == [opened["id"]]


@pytest.mark.browser
async def test_the_browser_runs_scripts_on_a_page(chromium: "Browser") -> None:
    page = await chromium.new_page()
    await page.set_content("<p id=target></p><script>target.textContent = 6 * 7</script>")
    assert await page.text_content("#target") == "42"
