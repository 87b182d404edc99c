import pytest

from backend.placement import Ahead, Used
from backend.routing.sizes import BrandSizes


def test_a_brand_is_as_long_as_the_engine_counts_from_its_first_turn_on() -> None:
    sizes, ahead = BrandSizes(), Ahead("brand", 800, 1000)
    assert (sizes.prefix_tokens(ahead), sizes.prompt_tokens(ahead)) == (800, 1000), "as estimated"
    sizes.learn(ahead, Used(750, 0, 20), None)
    assert (sizes.prefix_tokens(ahead), sizes.prompt_tokens(ahead)) == (600, 750)
    sizes.learn(ahead, Used(750, 576, 20), 576)
    assert sizes.prefix_tokens(ahead) == 576, "what a first turn found is better than any estimate"


def test_a_brand_that_nobody_has_spoken_to_yet_errs_like_the_others() -> None:
    sizes = BrandSizes()
    for number, counted in enumerate((740, 750, 760)):
        sizes.learn(Ahead(f"brand {number}", 800, 1000), Used(counted, 0, 20), None)
    fresh = Ahead("another", 800, 1000)
    assert sizes.prompt_tokens(fresh) == 750
    assert sizes.prefix_tokens(fresh) == 600
    assert sizes.prompt_tokens(Ahead("brand 0", 800, 1000)) == 740, "its own count comes first"


def test_one_odd_turn_does_not_change_what_many_have_taught() -> None:
    sizes, ahead = BrandSizes(), Ahead("brand", 800, 1000)
    for _ in range(20):
        sizes.learn(ahead, Used(750, 0, 20), None)
    sizes.learn(ahead, Used(1500, 0, 20), None)
    assert sizes.prompt_tokens(ahead) == pytest.approx(900, abs=1)


def test_what_has_no_brand_or_no_estimate_teaches_nothing() -> None:
    sizes = BrandSizes()
    sizes.learn(Ahead("", 0, 100), Used(300, 0, 5), None)
    sizes.learn(Ahead("brand", 0, 0), Used(300, 0, 5), None)
    assert sizes.prompt_tokens(Ahead("another", 0, 100)) == 100
