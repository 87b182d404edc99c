"""Rendering approved texts, node by node, so that the part before an unknown value can already be shown.

A body is plain text with `{{ name }}` and `{% if %}`. Values are data: they are never compiled, and nothing is
escaped, because every surface writes text nodes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from prompts.errors import BodyError

FILTERS = frozenset({"capitalize", "lower", "title", "trim", "upper"})
_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.If, nodes.Const, nodes.List, nodes.Tuple,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter,
)  # fmt: skip


class _Pending(Exception):
    """A value that is not known yet was needed."""


@dataclass(frozen=True)
class Rendered:
    """What can be shown so far; `whole` is False while a value is missing."""

    text: str
    whole: bool


def _printable(value: object) -> object:
    """Refuses to print what is not text for a customer."""
    if value is None or isinstance(value, bool):
        raise BodyError(f"A body prints {value!r}.")
    return value


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    autoescape=False,
    finalize=_printable,
    trim_blocks=True,
    lstrip_blocks=True,
    loader=None,
)


def names_in(source: str) -> frozenset[str]:
    """The values that a body uses. Raises `BodyError` for what bodies must not contain."""
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateError as error:
        raise BodyError(f"{error.message}", getattr(error, "lineno", 1)) from error
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _NODES) or (isinstance(node, nodes.Filter) and node.name not in FILTERS):
            raise BodyError(f"{type(node).__name__} is not allowed in a body", node.lineno)
    return frozenset(name.name for name in tree.find_all(nodes.Name))


@lru_cache(maxsize=4096)
def _compiled(source: str) -> Template:
    """`source` compiled once; raises `BodyError` for what bodies must not contain."""
    names_in(source)
    return _ENVIRONMENT.from_string(source)


def render_prefix(source: str, values: Mapping[str, object], pending: Iterable[str] = ()) -> Rendered:
    """The text up to the first use of a `pending` name, without blanks at either end.

    When a pending name becomes known, the text can only grow. Raises `BodyError` if a name is neither in
    `values` nor pending, or if null is printed.
    """
    unknown = {name: StrictUndefined(name=name, exc=_Pending) for name in pending}
    pieces: list[str] = []
    try:
        for piece in _compiled(source).generate({**values, **unknown}):
            pieces.append(piece)
    except _Pending:
        return Rendered("".join(pieces).strip(), whole=False)
    except (UndefinedError, TypeError) as error:
        raise BodyError(str(error)) from error
    return Rendered("".join(pieces).strip(), whole=True)


def render(source: str, values: Mapping[str, object]) -> str:
    """The whole text of a body. Raises `BodyError` as `render_prefix` does."""
    return render_prefix(source, values).text
