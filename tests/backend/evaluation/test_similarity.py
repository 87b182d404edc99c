"""Similarity, with a toy encoder and, where `make eval` installed it, with the real one."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.training.evaluation.similarity import PACKAGE, Elsewhere, Encode, alike, by_chance, cosines
from tests.backend.evaluation.test_beside import words
from tests.parts import ENGINE_PYTHON


@pytest.fixture(scope="module")
def encode() -> Iterator[Encode]:
    if not list(ENGINE_PYTHON.parents[1].glob(f"lib/*/site-packages/{PACKAGE}")):
        pytest.skip(f"{PACKAGE} is not installed (make eval)")
    elsewhere = Elsewhere(ENGINE_PYTHON)
    yield elsewhere
    elsewhere.close()


def test_cosines_are_of_pairs() -> None:
    assert cosines(words, [("a b", "a b"), ("a b", "c d"), ("a b", "a c")]) == pytest.approx([1, 0, 0.5])
    assert cosines(words, []) == []


def test_alike_begins_at_the_published_cosine() -> None:
    assert alike(words, [("a " * 17 + "b", "a"), ("a b", "a")]) == [True, False]


def test_chance_is_the_similarity_of_different_texts() -> None:
    assert by_chance(words, ["a", "b", "b"]) == pytest.approx(0)
    assert math.isnan(by_chance(words, ["a", "a"]))


def test_an_environment_without_the_encoder_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="make eval"):
        Elsewhere(tmp_path / "python")


def test_the_real_encoder_knows_what_is_alike(encode: Encode) -> None:
    near, far = cosines(
        encode,
        [
            ("Could I have your full name, please?", "May I have your full name, please?"),
            ("Could I have your full name, please?", "The parcel is on its way."),
        ],
    )
    assert near > 0.85 > 0.4 > far
    assert encode(["one", "two", "one"]).shape == (3, 384)
