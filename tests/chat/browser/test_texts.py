"""The interface's strings."""

import re
from typing import Any

from chat.browser.assets import HERE
from chat.browser.texts import load_texts
from chat.parts import TALK


def flat(strings: dict[str, Any], path: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in strings.items():
        found |= flat(value, f"{path}{key}.") if isinstance(value, dict) else {f"{path}{key}": value}
    return found


def test_every_locale_says_the_same_things() -> None:
    texts = {locale: flat(strings) for locale, strings in load_texts().items()}
    english = texts["en"]
    assert next(iter(texts)) == "en" and "zh" in texts
    for locale, strings in texts.items():
        assert strings.keys() == english.keys(), locale
        for key, text in strings.items():
            assert text.strip(), (locale, key)
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[key])), (locale, key)


def test_every_text_that_the_page_names_exists() -> None:
    known = flat(load_texts()["en"])
    markup = (HERE / "desk.html").read_text("utf-8")
    named = set(re.findall(r'data-(?:text|label|placeholder)="([^"]+)"', markup))
    for module in [*(HERE / "page").glob("*.js"), *TALK.glob("*.js")]:
        named |= set(re.findall(r'say\("([\w.]+)"', module.read_text("utf-8")))
    assert named - known.keys() == set()
    assert len(named) > 25


def test_the_markup_is_no_template() -> None:
    """Gradio would run what looks like one."""
    markup = (HERE / "desk.html").read_text("utf-8")
    assert not re.search(r"\$\{|\{\{|`", markup)
