import pytest

from chat.packs import FOLDER
from prompts import Pack, load_pack


@pytest.fixture(scope="session")
def demo() -> Pack:
    """The pack that ships."""
    return load_pack(FOLDER / "demo-shop")
