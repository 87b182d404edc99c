from math import nan

from backend.training.evaluation.report import table

FIGURES = {
    "conversations_n": 2, "turns_n": 3, "template": 66.67, "floor_constant": 33.33, "floor_nearest": 50.0,
    "conversations": 50.0, "slots": nan, "reason": 100.0, "refused": 0.0, "invented": 1.25, "valid": 100.0,
}  # fmt: skip
ALIKE = {"reply": 90.0, "reply_floor_constant": 1.0, "reply_floor_nearest": 80.0, "reply_by_chance": 0.254}


def test_every_figure_stands_beside_its_floors() -> None:
    lines = table({"one": FIGURES, "two": FIGURES | ALIKE}).splitlines()
    assert lines[2] == "| one | 2 / 3 | 66.7 (33.3 / 50.0) | 50.0 |  | 100.0 |  |  | 0.0 | 1.2 | 100.0 |"
    assert "| 90.0 (1.0 / 80.0; 0.25) |" in lines[3]
    assert {line.count("|") for line in lines} == {12}
