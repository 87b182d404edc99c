"""The Gradio page as it is built, without a browser."""

import asyncio
from pathlib import Path

import gradio as gr
from gradio.queueing import Queue

from chat.assembly import build
from chat.browser.assets import Assets
from chat.browser.blocks import build_page
from tests.chat.conftest import make_settings


async def test_the_page_leaves_the_processor_alone_while_nobody_asks(tmp_path: Path) -> None:
    """Also that Gradio still has the private setting."""
    page = build_page(build(make_settings(tmp_path)), Assets.load())
    looks = await looks_in_100_ms(page)
    assert 1 <= looks <= 20
    assert await looks_in_100_ms(gr.Blocks().queue()) > looks


async def looks_in_100_ms(page: gr.Blocks) -> int:
    looks = 0

    class Watched(Queue):
        def __len__(self) -> int:
            nonlocal looks
            looks += 1
            return super().__len__()

    queue = page._queue
    queue.__class__ = Watched
    working = asyncio.create_task(queue.start_processing())
    await asyncio.sleep(0.1)
    queue.stopped = True
    await working
    return looks
