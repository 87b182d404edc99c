"""The browser chat at `/`: a Gradio page over the same services as the HTTP API."""

from chat.browser.mount import mount

__all__ = ["mount"]
