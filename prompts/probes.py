"""What a customer might say who should get a template: its `examples`, and its `when` line turned into speech."""

import re
from collections.abc import Iterator

from prompts.template import Template

_SPEECH: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), forms)
    for pattern, forms in (
        (r"wants to (.+)", ("I want to {}", "I would like to {}, please", "Can you help me to {}?")),
        (r"wants (.+)", ("I want {}", "I would like {}, please")),
        (r"asks for (.+)", ("Do you have {}?", "I am looking for {}")),
        (r"asks (?:about )?(.+)", ("{}?", "Can you tell me {}?")),
        (r"(?:only )?says (.+)", ("{}",)),
        (r"is (.+)", ("I am {}",)),
        (r"((?:was|received|forgot|cannot|needs|lost) .+)", ("I {}",)),
    )
)
_NOT_SPEECH = re.compile(r"(writes|chats|only gives|the message) ")


def probes(template: Template) -> list[str]:
    """The probes of a template, none twice; none at all for a line that cannot be spoken."""
    return list(dict.fromkeys([*template.examples, *_spoken(template.when)]))


def _spoken(when: str) -> Iterator[str]:
    """Only the first of several alternatives is spoken: `, or` joins what a person would not say at once."""
    line = re.split(r", (?:or|and) | and no other ", when)[0]
    if _NOT_SPEECH.match(line):
        return
    for pattern, forms in _SPEECH:
        if found := pattern.fullmatch(line):
            yield from (form.format(found[1]) for form in forms)
            return
    yield line
