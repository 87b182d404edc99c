import json
from pathlib import Path

import pytest

from chat.languages import model_languages
from chat.settings import Settings, SettingsError
from tests.chat.conftest import make_settings, serving


def settings(model: Path, **fields: object) -> Settings:
    return Settings(model=str(model), **fields)


def test_the_models_own_card_says_which_languages_it_speaks(tmp_path: Path) -> None:
    (tmp_path / "pindesk.json").write_text(json.dumps({"languages": ["en", "zh"]}))
    assert model_languages(settings(tmp_path)) == ("en", "zh")
    assert model_languages(settings(tmp_path, languages="zh, en")) == ("zh", "en")


def test_of_another_model_nothing_is_assumed(tmp_path: Path) -> None:
    assert model_languages(settings(tmp_path)) == ()
    assert model_languages(settings(Path("some/model-from-a-hub"), languages="en")) == ("en",)


@pytest.mark.parametrize("card", ["no json", "[]", '{"language": "en"}', '{"languages": 7}'])
def test_a_card_that_says_nothing_is_refused(tmp_path: Path, card: str) -> None:
    (tmp_path / "pindesk.json").write_text(card)
    with pytest.raises(SettingsError, match="PINDESK_LANGUAGES"):
        model_languages(settings(tmp_path))


@pytest.mark.parametrize(
    ("languages", "wanted", "locale"),
    [
        ("en,zh", "zh-CN", "zh"),
        ("en,zh", "de", "en"),
        ("en", "zh", "en"),
        ("zh", "en", "zh"),
        ("fr", "zh", "en"),
    ],
)
async def test_a_conversation_gets_a_locale_only_if_the_model_speaks_it(
    tmp_path: Path, languages: str, wanted: str, locale: str
) -> None:
    async with serving(make_settings(tmp_path, languages=languages)) as api:
        opened = (await api.call("POST", "/conversations", json={"site": "demo", "locale": wanted})).json()
        assert opened["greeting"] == api.services.packs.named("demo-shop").greeting[locale]
        listed = (await api.call("GET", "/conversations", opened["token"])).json()["data"]
        assert [each["locale"] for each in listed] == [locale]
