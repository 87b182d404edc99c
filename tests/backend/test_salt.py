from hypothesis import given
from hypothesis import strategies as st

from backend.salt import cache_salt

SITES = st.text(max_size=20)
EPOCHS = st.integers(0, 2**40)


@given(SITES, SITES, EPOCHS, EPOCHS)
def test_a_salt_belongs_to_one_site_and_epoch(site: str, other: str, epoch: int, later: int) -> None:
    same = (site, epoch) == (other, later)
    assert (cache_salt(b"key", site, epoch) == cache_salt(b"key", other, later)) is same


def test_a_salt_cannot_be_made_without_the_secret() -> None:
    assert cache_salt(b"one", "demo", 0) != cache_salt(b"two", "demo", 0)


def test_a_salt_is_plain_text_of_one_length() -> None:
    salt = cache_salt(b"key", "démo / ✓", 7)
    assert len(salt) == 43
    assert set(salt) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
