import pytest

from prompts import Notice, Pack


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("zh", "zh"),
        ("zh-CN", "zh"),
        ("ZH_hans", "zh"),
        ("fr", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_nearest_locale_is_found(demo: Pack, wanted: str | None, found: str) -> None:
    assert demo.locale_for(wanted) == found


@pytest.mark.parametrize(
    ("languages", "offered"), [(["en"], ("en",)), (["zh-Hans", "EN"], ("en", "zh")), (["fr"], ("en",)), ([], ("en",))]
)
def test_a_locale_is_offered_only_if_the_model_speaks_it(
    demo: Pack, languages: list[str], offered: tuple[str, ...]
) -> None:
    assert demo.offered_locales(languages) == offered


@pytest.mark.parametrize("name", Notice)
@pytest.mark.parametrize("locale", ["en", "zh"])
def test_every_notice_is_spoken_in_every_locale(demo: Pack, name: Notice, locale: str) -> None:
    notice = demo.notice(name, locale)
    assert notice.text
    assert "{{" not in notice.text
    assert notice.quick_replies == demo.templates[name].quick_replies.get(locale, ())


def test_a_notice_may_print_the_brands_values(demo: Pack) -> None:
    assert "Monday to Saturday" in demo.notice(Notice.HANDOFF_REQUESTED, "en").text
    assert "周一至周六" in demo.notice(Notice.HANDOFF_REQUESTED, "zh").text


def test_the_greeting_comes_with_quick_replies(demo: Pack) -> None:
    greeting = demo.greeting_for("en-US")
    assert demo.brand in greeting.text
    assert 2 <= len(greeting.quick_replies) <= 3


def test_the_greeting_may_print_the_brands_values(demo: Pack) -> None:
    greeting = {"en": "{{ brand }} is here {{ opening_hours }}.", "zh": "x"}
    told = demo.model_copy(update={"greeting": greeting}).greeting_for("en").text
    assert told == "Lumen & Loom is here Monday to Saturday, 9 am to 6 pm."
