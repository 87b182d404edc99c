"""Parts that a machine may lack: `engine`, `browser`, `postgres`, `prometheus`.

A test carries the marks of the parts that it needs. Where one is missing the test is skipped with the reason; a part
named in PINDESK_REQUIRE turns each such skip into a failure.
"""

import importlib.util
import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE_PYTHON = ROOT / ".venv/engine/bin/python"
GPU_ENGINE = ROOT / ".venv/engine/.gpu"
MODEL = Path(os.environ.get("PINDESK_TEST_MODEL", ROOT / "backend/starter_model"))
POSTGRES_PROGRAMS = Path("/usr/lib/postgresql")

REQUIRED = pytest.StashKey[frozenset[str]]()
MISSING = pytest.StashKey[str]()


def missing_engine() -> str | None:
    """Why no real vLLM can serve here; None when it can."""
    if os.environ.get("PINDESK_TEST_REPLICAS"):
        return None
    if not ENGINE_PYTHON.is_file():
        return "the engine's environment is missing (make engine)"
    if not any(MODEL.glob("*.safetensors")):
        return f"{MODEL} holds no weights"
    return None


def missing_browser() -> str | None:
    """Why no browser can be driven here; None when one can."""
    if chromium_path() is None:
        return "chromium is not installed"
    return None if importlib.util.find_spec("playwright") else "playwright is not installed"


def missing_postgres() -> str | None:
    """Why no PostgreSQL can be started here; None when one can."""
    if os.environ.get("PINDESK_TEST_POSTGRES_URL") or shutil.which("initdb"):
        return None
    return None if any(POSTGRES_PROGRAMS.glob("*/bin/initdb")) else "PostgreSQL's server programs are not installed"


def missing_prometheus() -> str | None:
    """Why no Prometheus can be started here; None when one can."""
    absent = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    return f"{' and '.join(absent)} not installed (Debian's package prometheus)" if absent else None


def chromium_path() -> str | None:
    return shutil.which("chromium")


PARTS: dict[str, Callable[[], str | None]] = {
    "engine": missing_engine,
    "browser": missing_browser,
    "postgres": missing_postgres,
    "prometheus": missing_prometheus,
}


def pytest_configure(config: pytest.Config) -> None:
    names = frozenset(filter(None, os.environ.get("PINDESK_REQUIRE", "").replace(" ", "").split(",")))
    if unknown := names - PARTS.keys():
        raise pytest.UsageError(f"PINDESK_REQUIRE names no such part: {', '.join(sorted(unknown))}")
    config.stash[REQUIRED] = names


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for name, missing in PARTS.items():
        if item.get_closest_marker(name) and (reason := missing()):
            item.stash[MISSING] = name
            pytest.skip(f"{name}: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # A test of two parts that lacks the one is no failure of the other.
    missing = item.stash.get(MISSING, None)
    needed = {missing} if missing else {name for name in PARTS if item.get_closest_marker(name)}
    named = needed & item.config.stash[REQUIRED]
    if named and report.skipped and not hasattr(report, "wasxfail"):
        _fail(report, named)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    # A module that skips itself while it is read has told nobody its marks: any part may be the reason.
    report = yield
    if report.skipped and collector.config.stash[REQUIRED]:
        _fail(report, collector.config.stash[REQUIRED])
    return report


def _fail(report: pytest.TestReport | pytest.CollectReport, named: set[str] | frozenset[str]) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"PINDESK_REQUIRE names {', '.join(sorted(named))}. {reason}"
