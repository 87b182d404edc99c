"""The summary of a company's own file, with an encoder that compares words."""

from backend.training.catalogues import shop
from backend.training.evaluation.dataset import Dataset, read
from backend.training.evaluation.exam import marked
from benchmarks.quality.asking import Turn
from benchmarks.quality.own import summary
from tests.backend.evaluation.test_beside import words
from tests.benchmarks.quality.engines import said

PACK = shop().pack
FILE = b"""\
{"turns": [{"role": "customer", "text": "where is 10234"}], "template": "track_order", "slots": {"order_id": "10234"}}
{"turns": [{"role": "customer", "text": "where is my parcel"}], "template": "track_order", "demand": "Wants it"}
{"turns": [{"role": "customer", "text": "ta"}, {"role": "agent", "text": "You are welcome!"}]}
oops
"""


def told(raw: list[str], encoded: bool = True) -> list[str]:
    dataset = read(FILE.splitlines(), PACK)
    answers = [
        [Turn(marked(case.turns[0], text, PACK, case.turns[0].text), 100.0 * (at + 1))]
        for at, (case, text) in enumerate(zip(dataset.cases, raw, strict=True))
    ]
    return summary(dataset, answers, words if encoded else None)


RAW = [said("track_order", order_id="10234"), said("thanks"), "nonsense"]


def test_what_is_right_is_counted_over_what_the_file_tells() -> None:
    lines = told(RAW)
    assert lines[0].startswith("skipped line 4: ")
    assert lines[1] == "3 conversations, 1 lines skipped, 3 replies"
    assert "whole reply: mean 200 ms, median 200 ms" in lines
    assert "valid JSON: 66.7 % of 3" in lines
    assert any(line.startswith("template right: 50.0 % of 2 (floors: ") for line in lines)
    assert "slots right: 100.0 % of 1" in lines
    assert any(line.startswith("reply alike: 33.3 % of 3 ") for line in lines)
    assert any(line.startswith("demand alike: 100.0 % of 1") for line in lines)


def test_floors_copy_from_the_file_without_the_line_itself() -> None:
    [template] = [line for line in told(RAW) if line.startswith("template right")]
    assert template.endswith("the commonest answer 100.0 %, the most similar line's 100.0 %)")


def test_without_the_encoder_nothing_is_compared_and_that_is_said() -> None:
    lines = told(RAW, encoded=False)
    assert lines[-1] == "replies and demands: not compared, the encoder is missing (make eval)"


def test_a_file_without_a_conversation_is_told() -> None:
    assert summary(Dataset([], []), [], None) == ["0 conversations, 0 lines skipped, 0 replies"]
