"""Puts the page on the application, with the Gradio defaults that a public page must not have turned off."""

import gradio as gr
from fastapi import FastAPI

from chat.browser.assets import Assets
from chat.browser.blocks import build_page
from chat.browser.gate import Gate
from chat.services import Services


def mount(app: FastAPI, services: Services) -> FastAPI:
    """Mount the browser chat at `/`; every route of `app` comes before it. Call it last."""
    assets = Assets.load()
    app.mount(assets.path, assets.application())
    gr.mount_gradio_app(
        app,
        build_page(services, assets),
        path="/",
        theme=_theme(),
        head=assets.head(),
        footer_links=[],
        run_history=False,  # would keep every call's texts in the visitor's browser
        show_error=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        max_file_size=0,
        favicon_path=str(assets.favicon),
    )
    mounted = app.router.routes[-1]
    mounted.app = Gate(mounted.app)
    return app


def _theme() -> gr.themes.Base:
    """The system's fonts, nothing from elsewhere, and a quiet page in our colours while Gradio still loads."""
    theme = gr.themes.Base(font=("system-ui", "sans-serif"), font_mono=("ui-monospace", "monospace"))
    theme.custom_css = '[data-testid="status-tracker"] { display: none !important; }'
    return theme.set(
        body_background_fill="#f7f6f3", body_background_fill_dark="#141513", body_text_color="#1f2421",
        body_text_color_dark="#e9ebe7",
    )  # fmt: skip
