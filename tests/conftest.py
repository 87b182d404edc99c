"""Fixtures and plugins of every test; the developer's own settings stay out of the tests."""

import os
from pathlib import Path

# Before anything reads a setting: nothing that this shell or a .env here sets reaches a test.
for _name in [name for name in os.environ if name.startswith("PINDESK_")]:
    if not _name.startswith(("PINDESK_TEST_", "PINDESK_REQUIRE")):
        del os.environ[_name]
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from chat.settings import Settings  # noqa: E402

Settings.model_config["env_file"] = None

# An example that waits for its turn on a busy machine is not a slow example.
settings.register_profile("pindesk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pindesk")

pytest_plugins = ["pytester", "tests.parts", "tests.replicas", "tests.system", "tests.browser", "tests.postgres"]


@pytest.fixture(autouse=True)
def own_var_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings made in a test keep their data in that test's folder, not in this checkout's."""
    monkeypatch.setenv("PINDESK_VAR_DIR", str(tmp_path / "var"))
