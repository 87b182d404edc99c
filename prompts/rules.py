"""What a pack must obey beyond the form of its files. Each rule yields the mistakes that it finds.

`load_pack` refuses a pack with a mistake, so that the application never meets one.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from urllib.parse import urlsplit

from prompts.characters import one_line
from prompts.errors import BodyError
from prompts.pack import OPTIONAL_NOTICES, Notice, Pack
from prompts.rehearsal import refusals
from prompts.render import render
from prompts.template import Kind, Slot, SlotType, Template

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_UNSPACED_LANGUAGES = frozenset({"zh", "ja", "th", "lo", "km", "my"})


@dataclass(frozen=True)
class Mistake:
    """A broken rule: the file and the keys to find its line by, `body_line` within a text if it is known."""

    file: str
    keys: tuple[str, ...]
    message: str
    remedy: str
    body_line: int = 0


Found = Iterator[Mistake]


def mistakes(pack: Pack) -> Found:
    """Every broken rule. Texts are rehearsed where nothing else is wrong: others could not be rendered."""
    structural = list(_structural(pack))
    yield from structural
    spoilt = {mistake.file for mistake in structural}
    if "pack.toml" in spoilt:
        return
    yield from _greeting(pack)
    for template in pack.templates.values():
        if _file(template) not in spoilt:
            yield from _texts(pack, template)


def _structural(pack: Pack) -> Found:
    """The rules about keys and references."""
    yield from _header(pack)
    for template in pack.templates.values():
        for rule in TEMPLATE_RULES:
            yield from rule(pack, template)


def _file(template: Template) -> str:
    return f"templates/{template.id}.toml"


def _locales(pack: Pack, file: str, key: str, texts: Mapping[str, object]) -> Found:
    """A localised table has every locale of the pack and no other."""
    for locale in sorted(set(pack.locales) - texts.keys()):
        yield Mistake(file, (key,), f"{key} has no text for locale {locale}.", f"Add {locale} to [{key}].")
    for locale in sorted(texts.keys() - set(pack.locales)):
        remedy = f"List {locale} in `locales` of pack.toml, or remove the text."
        yield Mistake(file, (key, locale), f"{key} has a text for {locale}, which the pack does not list.", remedy)


def _header(pack: Pack) -> Found:
    """pack.toml: locales and notices."""
    if pack.locale not in pack.locales:
        yield Mistake("pack.toml", ("locale",), "The default locale is not in `locales`.", "Add it.")
    localised = {"greeting": pack.greeting} | ({"starters": pack.starters} if pack.starters else {})
    for key, texts in (localised | pack.values).items():
        yield from _locales(pack, "pack.toml", key, texts)
    for name in Notice:
        notice = pack.templates.get(name)
        if notice is None and name in OPTIONAL_NOTICES:
            continue
        if notice is None or not notice.hidden or notice.slots or notice.lookup:
            message = f"The notice {name} is missing, or is not hidden and without slots."
            yield Mistake(f"templates/{name}.toml", (), message, "Write it with `hidden = true` and a body.")
    for name, lookup in pack.lookups.items():
        if lookup.url is not None and (wrong := _url_mistake(lookup.url, lookup.args)):
            yield Mistake("pack.toml", ("lookups", name, "url"), *wrong)
    if not pack.offered:
        yield Mistake("pack.toml", (), "Every template is hidden.", "Add one that the engine may choose.")


def _url_mistake(url: str, args: Sequence[str]) -> tuple[str, str] | None:
    """Message and remedy for an address that could not be asked."""
    try:
        named = {name for _, name, _, _ in Formatter().parse(url) if name is not None}
        if urlsplit(url.format(**dict.fromkeys(named, "1"))).scheme not in ("http", "https"):
            return "The address is not one of http or https.", "Write the whole address."
    except (ValueError, LookupError, AttributeError) as error:
        return f"The address cannot be read: {error}.", "Write an argument as {its_name}, and no other braces."
    if unknown := sorted(named - set(args)):
        return f"The address names {unknown[0]}, which is no argument.", "List it in `args`, or remove it."
    return None


def _named(pack: Pack, template: Template) -> Found:
    """Names are lower-case identifiers, and one name means one thing."""
    if not _NAME.fullmatch(template.id):
        yield Mistake(_file(template), (), "The file's name is no template id.", "Use a-z, 0-9 and _ only.")
    constants = pack.constants(pack.locale) if pack.locale in pack.locales else {}
    for slot in template.slots:
        if not _NAME.fullmatch(slot.name):
            yield Mistake(_file(template), ("slots", slot.name), "This is no slot name.", "Use a-z, 0-9 and _ only.")
        if slot.name in constants or (slot.type is not SlotType.FACT and slot.name in _facts(pack, template)):
            message = f"{slot.name} is also the name of a fact or of a value of the pack."
            yield Mistake(_file(template), ("slots", slot.name), message, "Rename the slot.")


def _when(pack: Pack, template: Template) -> Found:
    """What the engine may choose says when, in its own words."""
    if template.hidden:
        return
    if not template.when.strip():
        yield Mistake(_file(template), ("when",), "The engine is not told when to use it.", "Write a `when` line.")
    twins = [other.id for other in pack.offered if other.when.strip().casefold() == template.when.strip().casefold()]
    if template.when.strip() and twins[0] != template.id:
        message = f"Its `when` line is the same as that of {twins[0]}, so one of them is never reached."
        yield Mistake(_file(template), ("when",), message, "Say what tells them apart.")


def _reached(pack: Pack, template: Template) -> Found:
    """A hidden template is a notice or somebody's fall-back."""
    fallbacks = {name for other in pack.templates.values() if other.lookup for name in other.fallbacks}
    if template.hidden and template.id not in fallbacks | set(Notice):
        message = "It is hidden and no lookup falls back to it, so it is never reached."
        yield Mistake(_file(template), ("hidden",), message, "Name it in a [lookup], or remove `hidden`.")


def _localised(pack: Pack, template: Template) -> Found:
    """Texts exist in every locale."""
    tables = {"body": template.bodies, "lead": template.leads, "quick_replies": template.quick_replies}
    for key, texts in tables.items():
        if texts or key == "body":
            yield from _locales(pack, _file(template), key, texts)


def _slots(pack: Pack, template: Template) -> Found:
    """A slot's keys fit its type."""
    for slot in template.slots:
        wrong = _slot_mistake(pack, template, slot)
        if wrong:
            yield Mistake(_file(template), ("slots", slot.name), *wrong)


def _slot_mistake(pack: Pack, template: Template, slot: Slot) -> tuple[str, str] | None:
    """Message and remedy for a slot that breaks a rule."""
    if slot.type is not SlotType.COPIED and (slot.kind is not Kind.TEXT or slot.pattern is not None):
        return "Only copied slots have a kind or a pattern.", "Remove it."
    if any(choice != one_line(choice) or not choice or "|" in choice for choice in slot.choices):
        return "A choice is empty, or holds a line break, a double blank, a hidden character or a bar.", "Correct it."
    if len(set(slot.choices)) < len(slot.choices):
        return "A choice comes twice.", "Remove one."
    if slot.type is SlotType.GENERATED and not pack.limits.generated:
        return "The pack forbids generated slots.", "Make it copied, or set `generated = true` in [limits]."
    if slot.type is SlotType.FACT and slot.name not in _facts(pack, template):
        return "No lookup of this template gives this fact.", "Declare it in [lookups.<name>.facts] of pack.toml."
    if slot.pattern is not None:
        try:
            re.compile(slot.pattern)
        except re.error as error:
            return f"The pattern does not compile: {error}.", "Correct the regular expression."
    return None


def _lookup(pack: Pack, template: Template) -> Found:
    """A lookup exists, its arguments are slots, and its fall-backs can speak in the template's place."""
    if template.lookup is None:
        return
    file, lookup = _file(template), pack.lookups.get(template.lookup.name)
    if lookup is None:
        message = f"pack.toml has no lookup {template.lookup.name}."
        yield Mistake(file, ("lookup", "name"), message, f"Add [lookups.{template.lookup.name}].")
        return
    sure = {slot.name for slot in template.asked if slot.type in (SlotType.COPIED, SlotType.CHOICE)}
    for arg in lookup.args:
        if arg not in sure:
            message = f"The lookup needs {arg}, which is no copied slot or choice of this template."
            yield Mistake(file, ("lookup", "name"), message, f"Add {arg} to [slots].")
    for key, name in _fallbacks(template).items():
        wrong = _fallback_mistake(pack, template, name)
        if wrong:
            yield Mistake(file, ("lookup", key), *wrong)


def _fallback_mistake(pack: Pack, template: Template, name: str) -> tuple[str, str] | None:
    """Message and remedy if template `name` cannot take over from `template`."""
    fallback = pack.templates.get(name)
    if fallback is None or not fallback.hidden or fallback.lookup:
        return f"The fall-back {name} is missing, not hidden, or has a lookup itself.", f"Write templates/{name}.toml."
    if fallback.leads != template.leads:
        return f"The fall-back {name} does not share the lead.", "Give both the same [lead], in every locale."
    args = pack.lookups[template.lookup.name].args if template.lookup else ()
    given = {slot.name: slot.optional and slot.name not in args for slot in template.asked}
    for slot in fallback.slots:
        if slot.name not in given or (given[slot.name] and not slot.optional):
            return f"The fall-back {name} needs slot {slot.name}, which may be missing.", "Remove it there."
    return None


def _leads(pack: Pack, template: Template) -> Found:
    """A lead is plain text, and ends in a blank where the language has blanks."""
    for locale, lead in template.leads.items():
        if "{" in lead:
            yield Mistake(_file(template), ("lead", locale), "A lead is plain text.", "Remove the braces.")
        if locale.split("-")[0] not in _UNSPACED_LANGUAGES and lead == lead.rstrip():
            yield Mistake(_file(template), ("lead", locale), "The lead runs into the body.", "End it with a blank.")
    if template.lookup and not template.leads:
        message = "A template with a lookup has a lead, shown until the lookup answers."
        yield Mistake(_file(template), ("lookup",), message, "Add [lead].")


def _quick_replies(pack: Pack, template: Template) -> Found:
    """Quick replies are short and differ."""
    for locale, texts in template.quick_replies.items():
        if len(set(texts)) < len(texts) or not all(texts):
            yield Mistake(_file(template), ("quick_replies", locale), "A quick reply is empty or twice.", "Remove it.")
        if any("{" in text for text in texts):
            message = "A quick reply is plain text."
            yield Mistake(_file(template), ("quick_replies", locale), message, "Remove the braces.")
        for text in texts:
            if len(text) > pack.limits.quick_reply_max_chars:
                message = f'"{text}" is longer than {pack.limits.quick_reply_max_chars} characters.'
                yield Mistake(_file(template), ("quick_replies", locale), message, "Shorten it.")


def _greeting(pack: Pack) -> Found:
    """The greeting prints constants only; starters are plain text."""
    for locale in pack.locales:
        try:
            render(pack.greeting[locale], pack.constants(locale))
        except BodyError as error:
            message = f"The greeting cannot be rendered: {str(error).rstrip('.')}."
            yield Mistake("pack.toml", ("greeting", locale), message, "Print nothing but `brand` and [values].")
        if any("{" in text for text in pack.starters.get(locale, ())):
            yield Mistake("pack.toml", ("starters", locale), "A starter is plain text.", "Remove the braces.")


def _texts(pack: Pack, template: Template) -> Found:
    """Bodies render for every lawful combination of values, within the limit."""
    for locale in pack.locales:
        for refusal in refusals(pack, template, locale):
            yield Mistake(_file(template), ("body", locale), refusal.message, refusal.remedy, refusal.line)


def _facts(pack: Pack, template: Template) -> frozenset[str]:
    """The facts of a template's lookup, if it exists."""
    lookup = pack.lookups.get(template.lookup.name) if template.lookup else None
    return frozenset(lookup.facts) if lookup else frozenset()


def _fallbacks(template: Template) -> dict[str, str]:
    """The fall-backs of a template with a lookup, by their keys."""
    return {"not_found": template.lookup.not_found, "failed": template.lookup.failed} if template.lookup else {}


TEMPLATE_RULES: tuple[Callable[[Pack, Template], Found], ...] = (
    _named, _when, _reached, _localised, _slots, _lookup, _leads, _quick_replies,
)  # fmt: skip
