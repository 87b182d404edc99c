"""The functions that packs name for their lookups: `module:function`, called as `await function(store, **args)`."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any

from prompts.errors import LookupConfigError
from prompts.pack import Lookup

Source = Callable[..., Awaitable[Mapping[str, Any] | None]]


def function_of(path: str) -> Source:
    """The function. Raises LookupConfigError if there is none; what importing its module raises counts as that."""
    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, SyntaxError, AttributeError, ValueError) as error:
        raise LookupConfigError(f"The lookup {path!r} is not a function that can be imported.") from error


def check_callable(lookup: Lookup) -> None:
    """Raises LookupConfigError if the lookup names a function that is not there, or does not take its arguments."""
    if lookup.callable is None:
        return
    function = function_of(lookup.callable)
    if not inspect.iscoroutinefunction(function):
        raise LookupConfigError(f"The lookup {lookup.callable!r} is no `async def` function.")
    try:
        inspect.signature(function).bind(None, **dict.fromkeys(lookup.args, ""))
    except TypeError as error:
        raise LookupConfigError(f"The lookup {lookup.callable!r} does not take its arguments: {error}.") from error
