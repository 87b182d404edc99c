"""Which languages the served model speaks: what is offered is the part of a pack's locales that it does."""

import json
from pathlib import Path

from chat.settings import Settings, SettingsError

CARD = "pindesk.json"
"""Beside the weights of a model that was made for Pindesk: `{"languages": ["en"]}`."""


def model_languages(settings: Settings) -> tuple[str, ...]:
    """The setting, else what the model's own card says; empty when nobody says anything.

    Raises SettingsError for a card that cannot be read.
    """
    card = Path(settings.model) / CARD
    if settings.languages or not card.is_file():
        return tuple(settings.languages)
    try:
        return tuple(map(str, json.loads(card.read_text(encoding="utf-8"))["languages"]))
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{card} does not list `languages`: correct it, or set PINDESK_LANGUAGES.") from error
