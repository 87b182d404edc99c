"""Puts the widget's pages and files on the application."""

from fastapi import FastAPI

from chat.widget import routes
from chat.widget.files import CHECK_FILES, PAGE_FILES, SHOP_FILES


def mount(app: FastAPI) -> FastAPI:
    """`/widget.js`, `/widget`, `/widget/check`, `/demo-shop` and the files that they name."""
    app.include_router(routes.router)
    for files in (PAGE_FILES, SHOP_FILES, CHECK_FILES):
        app.mount(f"/{files.path}", files.application())
    return app
