"""The exceptions of `prompts`.

PromptsError          the root.
  PackError           a pack's files hold mistakes; carries every `Problem` found.
  LookupConfigError   a pack names a function for a lookup that could not be called.
  BodyError           an approved text is malformed or cannot be rendered with the values at hand.
  InvalidReply        the engine's output is not a lawful reply of this pack.
    Ungrounded        a copied value stands nowhere in the customer's own words.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One mistake in a pack: where it is, what is wrong, what to do. `line` is 1-based, 0 for a whole file."""

    file: str
    line: int
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} Remedy: {self.remedy}"


class PromptsError(Exception):
    """Root of every exception raised by `prompts`."""


class PackError(PromptsError):
    """A pack cannot be loaded; `problems` lists each mistake, `file`, `line` and `remedy` are the first one's."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
        self.file, self.line, self.remedy = problems[0].file, problems[0].line, problems[0].remedy


class LookupConfigError(PromptsError):
    """A pack names a function that cannot be imported, or that does not take the lookup's arguments."""


class BodyError(PromptsError):
    """An approved text is malformed, or prints a value that is missing or null; `line` is the text's own, 1-based."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


class InvalidReply(PromptsError):
    """The engine's output breaks the schema or names a value it must not; `reason` is a short sentence for logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Ungrounded(InvalidReply):
    """The value of copied slot `slot` does not occur in the customer's own words."""

    def __init__(self, slot: str) -> None:
        super().__init__(f"The value of slot {slot} does not occur in the customer's words.")
        self.slot = slot
