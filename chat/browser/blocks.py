"""The Gradio page: one custom component, its calls, and the generator that keeps it up to date."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import gradio as gr
from pydantic import ValidationError

from chat.browser import actions
from chat.browser.assets import Assets
from chat.browser.bridge import exposed
from chat.browser.tail import Followers, follow
from chat.browser.texts import load_texts
from chat.browser.view import View
from chat.services import Services

SITE = "demo"

QUEUE_LOOK_S = 0.01


def build_page(services: Services, assets: Assets) -> gr.Blocks:
    with gr.Blocks(title="Chat", analytics_enabled=False, fill_width=True, fill_height=True) as page:
        # The template is constant and names none of its values: Gradio evaluates templates as code, so a text that a
        # template names would be run. Texts reach the page's modules as `props.value`, which make text nodes of them.
        desk = gr.HTML(
            html_template=assets.template,
            js_on_load=assets.on_load(),
            apply_default_css=False,
            server_functions=_calls(services),
            site=SITE,
            texts=load_texts(),
        )
        # The tail must not wait for another visitor's: Gradio's default is one call of an event at a time.
        desk.follow(
            _follower(services),
            outputs=desk,
            concurrency_limit=None,
            trigger_mode="multiple",
            show_progress="hidden",
            api_visibility="private",
        )
    page.queue(api_open=False, default_concurrency_limit=None)
    # Gradio looks into its queue 1,000 times a second, which takes 5 % of a core from everybody else; there is no
    # public setting. Only a page that begins to follow its log waits there.
    page._queue.sleep_when_free = QUEUE_LOOK_S
    return page


def _calls(services: Services) -> list[Callable[..., Awaitable[Any]]]:
    known = {
        "begin": (actions.Begin, actions.begin),
        "conversations": (actions.Tokens, actions.list_conversations),
        "open": (actions.Open, actions.open_conversation),
        "send": (actions.Send, actions.send),
        "stop": (actions.OfTurn, actions.stop),
        "retry": (actions.OfTurn, actions.retry),
        "vote": (actions.Vote, actions.vote),
        "painted": (actions.Seen, actions.painted),
        "human": (actions.InConversation, actions.ask_for_human),
    }
    return [exposed(name, services, body, action) for name, (body, action) in known.items()]


def _follower(services: Services) -> Callable[..., AsyncIterator[View]]:
    followers = Followers()

    async def following(event: gr.EventData, request: gr.Request) -> AsyncIterator[View]:
        """Follow the conversation that the event names; without one, leave the one before."""
        try:
            wanted = actions.InConversation.model_validate(event._data)
        except ValidationError:
            followers.leave(request.session_hash)
            return
        views = follow(services, followers, request.session_hash, wanted.conversation_id, wanted.token)
        async with aclosing(views):
            async for view in views:
                yield view

    return following
