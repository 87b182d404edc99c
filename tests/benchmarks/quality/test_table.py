from backend.training.catalogues import shop
from backend.training.evaluation.cases import Asked, Case
from backend.training.evaluation.exam import marked
from backend.training.evaluation.floors import Example
from benchmarks.quality.asking import Turn
from benchmarks.quality.sets import HeldOut
from benchmarks.quality.table import report, rows
from tests.backend.evaluation.test_beside import words
from tests.benchmarks.quality.engines import said

PACK = shop().pack
EXAMPLES = [Example("thank you", "thanks"), Example("goodbye", "goodbye")]


def held(name: str, *asked: tuple[str, str]) -> HeldOut:
    return HeldOut(name, [Case([Asked(text, frozenset({template}))], PACK) for text, template in asked], EXAMPLES)


def answered(each: HeldOut, took_ms: float, *raw: str) -> list[list[Turn]]:
    return [[Turn(marked(case.turns[0], text, PACK, ""), took_ms)] for case, text in zip(each.cases, raw, strict=True)]


ONE, TWO = held("one", ("thanks", "thanks"), ("bye", "goodbye")), held("two", ("see you", "goodbye"))


def measured(encoded: bool = True) -> str:
    found = []
    for arm, took in (("plain", 900.0), ("ours", 300.0)):
        answers = {
            "one": answered(ONE, took, said("thanks"), said("thanks")),
            "two": answered(TWO, took * 2, said("goodbye")),
        }
        found += rows(arm, 1, [ONE, TWO], answers, words if encoded else None)
    return report(found)


def test_time_and_accuracy_stand_side_by_side_and_sources_apart() -> None:
    table = measured().splitlines()
    assert table[0] == (
        "|  | customers | mean ms | median ms | one: reply / template / valid, % | two: reply / template / valid, % |"
    )
    assert table[2] == "| vLLM, plain | 1 | 1200 | 900 | 50.0 / 50.0 / 100.0 | 100.0 / 100.0 / 100.0 |"
    assert table[3].startswith("| ours: guided JSON, template fill, pinned | 1 | 400 | 300 |")


def test_floors_stand_below_the_arms() -> None:
    table = measured()
    assert "| floor: one answer to all |  |  |  | 50.0 / 50.0 | 0.0 / 0.0 |" in table
    assert "| turns |  |  |  | 2 | 1 |" in table


def test_without_the_encoder_replies_are_not_compared() -> None:
    assert "| - / 50.0 / 100.0 | - / 100.0 / 100.0 |" in measured(encoded=False)
