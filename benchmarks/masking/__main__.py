"""Precision, recall and time of `telemetry.masking` on `messages.txt`: `python -m benchmarks.masking`."""

import re
import time
from collections import Counter
from pathlib import Path

from telemetry.masking import Found, Kind, find

MESSAGES = Path(__file__).with_name("messages.txt")
REPEATS = 20

_MARK = re.compile(r"\{\{(?P<kind>[^|]+)\|(?P<value>[^}]+)\}\}")


def marked(line: str) -> tuple[str, set[Found]]:
    """The message without its marks, and where the marks stood."""
    text, at, found = "", 0, set()
    for match in _MARK.finditer(line):
        text += line[at : match.start()]
        found.add(Found(len(text), len(text) + len(match["value"]), Kind(match["kind"])))
        text, at = text + match["value"], match.end()
    return text + line[at:], found


def messages() -> list[tuple[str, set[Found]]]:
    lines = MESSAGES.read_text("utf-8").splitlines()
    return [marked(line) for line in lines if line and not line.startswith("#")]


def main() -> None:
    right, missed, wrong = Counter[Kind](), Counter[Kind](), Counter[Kind]()
    listed = messages()
    for text, meant in listed:
        found = set(find(text))
        for counter, finds in ((right, found & meant), (missed, meant - found), (wrong, found - meant)):
            counter.update(each.kind for each in finds)
        for each in sorted(found ^ meant, key=lambda each: each.start):
            told = "not found" if each in meant else "found wrongly"
            print(f"{told}: {each.kind} {text[each.start : each.end]!r} in {text!r}")
    print("\n| kind | precision | recall | marked |\n|---|---|---|---|")
    for kind in (kind for kind in Kind if kind is not Kind.NAME):
        print(_row(str(kind), right[kind], missed[kind], wrong[kind]))
    print(_row("all", right.total(), missed.total(), wrong.total()))
    print(f"\n{len(listed)} messages, {_ms_per_message(listed):.2f} ms each")


def _row(kind: str, right: int, missed: int, wrong: int) -> str:
    precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
    return f"| {kind} | {precision:.1%} | {recall:.1%} | {right + missed} |"


def _ms_per_message(listed: list[tuple[str, set[Found]]]) -> float:
    began = time.perf_counter()
    for _ in range(REPEATS):
        for text, _meant in listed:
            find(text)
    return (time.perf_counter() - began) * 1000 / REPEATS / len(listed)


if __name__ == "__main__":
    main()
