"""What the widget's page knows of its site before the visitor does anything."""

from dataclasses import dataclass
from typing import Any

from chat.services import Services


@dataclass(frozen=True)
class Welcome:
    """`origins` may frame the page. `told` is JSON for it: brand, greetings by language, limits; None for no site."""

    title: str
    origins: list[str]
    told: dict[str, Any] | None


NOBODY = Welcome("Chat", [], None)
"""An unknown site, one that is disabled and one that may be framed nowhere are answered alike."""


async def welcome(services: Services, key: str) -> Welcome:
    async with services.store.read() as repo:
        site = await repo.sites.get(key)
    if site is None or not site.enabled or not site.allowed_origins:
        return NOBODY
    pack = services.packs.named(site.pack)
    greetings = {}
    for locale in services.locales(pack):
        greeting = pack.greeting_for(locale)
        greetings[locale] = {"greeting": greeting.text, "starters": list(greeting.quick_replies)}
    told = {
        "site": site.key,
        "brand": pack.brand,
        "greetings": greetings,
        "languages": list(greetings),
        "max_chars": services.settings.message_max_chars,
    }
    return Welcome(pack.brand, site.allowed_origins, told)
