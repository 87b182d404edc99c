from benchmarks.live import moves
from benchmarks.turns import Served


def row(talk: int, index: int, due_s: float, replica: str, moved: bool = False) -> Served:
    return Served(talk, index, due_s, replica, 50.0, 90.0, 640, 576, False, moved)


ROWS = [
    row(1, 1, 1.0, "r0"),
    row(1, 2, 5.0, "r1", moved=True),
    row(2, 1, 6.0, "r1"),
    row(1, 3, 11.0, "r2", moved=True),
    row(2, 2, 12.0, "r1"),
    row(3, 1, 13.0, "r2"),
    row(4, 1, 14.0, "r0"),
]


def test_moves_are_counted_before_and_after_the_middle_and_so_is_what_the_new_replica_took() -> None:
    before, after = moves.counted(ROWS, 10.0)
    assert before == moves.Half(following=1, moved=1, turns=3, newcomers=0, first=2, newcomers_first=0)
    assert after == moves.Half(following=2, moved=1, turns=4, newcomers=2, first=2, newcomers_first=1)
    assert moves.said([(before, after), (before, after)]) == (
        "left their pin: 2 of 2 turns in the first half, 2 of 4 in the second; "
        "the new replica answered 4 of 8 turns, 2 of 4 first ones"
    )


def test_nothing_is_said_where_nobody_told_who_answered() -> None:
    rows = [each._replace(replica="") for each in ROWS]
    assert moves.said([moves.counted(rows, 10.0)]) == "" and moves.said([]) == ""


def test_a_run_without_a_newcomer_is_silent_about_one() -> None:
    rows = [each for each in ROWS if each.replica != "r2"]
    assert (
        moves.said([moves.counted(rows, 10.0)])
        == "left their pin: 1 of 1 turns in the first half, 0 of 1 in the second"
    )
