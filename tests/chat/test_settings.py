import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.durations import format_duration, parse_duration
from chat.keys import ensure_keys, keys_file, missing_keys
from chat.settings import Settings, SettingsError, get_settings
from tests.parts import ROOT


def _printed(tmp_path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chat.settings"]
    return subprocess.run(
        command, env={"PYTHONPATH": str(ROOT)} | env, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("100ms", timedelta(milliseconds=100)),
        ("10s", timedelta(seconds=10)),
        ("1.5h", timedelta(minutes=90)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(days=14)),
        ("7", timedelta(seconds=7)),
        ("PT10S", timedelta(seconds=10)),
    ],
)
def test_durations_are_read_as_people_write_them(
    written: str, meant: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINDESK_RETENTION", written)
    assert get_settings().retention == meant


@given(st.integers(min_value=1, max_value=10**9))
def test_a_written_duration_reads_back(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


def test_the_environment_wins_over_dotenv_and_both_over_the_keys_file(tmp_path: Path) -> None:
    var_dir = tmp_path / "data"
    var_dir.mkdir()
    (var_dir / "keys.env").write_text("PINDESK_AGENT_KEY=from-keys\nPINDESK_LOCALE=keys\nPINDESK_MODEL=keys\n")
    (tmp_path / ".env").write_text("PINDESK_VAR_DIR=data\nPINDESK_LOCALE=dotenv\nPINDESK_MODEL=dotenv\n")
    printed = _printed(tmp_path, PINDESK_LOCALE="environment").stdout
    assert "PINDESK_LOCALE = environment" in printed
    assert "PINDESK_MODEL = dotenv" in printed
    assert "PINDESK_AGENT_KEY = ***" in printed
    assert "PINDESK_DATABASE_URL = sqlite:///data/pindesk.db" in printed


def test_every_setting_is_printed_with_its_explanation_and_no_secret(tmp_path: Path) -> None:
    printed = _printed(
        tmp_path,
        PINDESK_DATABASE_URL="postgresql://pindesk:hunter2@db/pindesk",
        PINDESK_REPLICAS="http://user:hunter2@a:8000,http://b:8000/",
        PINDESK_ENGINE_ARGS="--api-key hunter2 --seed=1",
        PINDESK_SECRET="hunter2",
    ).stdout
    assert "hunter2" not in printed
    assert "postgresql://pindesk:***@db/pindesk" in printed
    assert "PINDESK_ENGINE_ARGS = --api-key *** --seed=1" in printed
    for name, field in Settings.model_fields.items():
        assert f"PINDESK_{name.upper()} = " in printed
        assert field.description
        assert field.description in printed


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PINDESK_PORT", "eighty", "PINDESK_PORT: input should be a valid integer"),
        ("PINDESK_PORT", "70000", "PINDESK_PORT: input should be less than or equal to 65535"),
        ("PINDESK_LEASE", "10 parsecs", "PINDESK_LEASE: '10 parsecs' is not a duration such as"),
        ("PINDESK_REPLICAS", "10.0.0.7:8000", "PINDESK_REPLICAS: '10.0.0.7:8000' is not an HTTP root"),
        ("PINDESK_REPLICAS", "http://a:8000/v1", "(without /v1)"),
        ("PINDESK_ENGINE", "tpu", "PINDESK_ENGINE: input should be 'auto', 'cpu' or 'gpu'"),
        ("PINDESK_ENGINE_ARGS", "--seed '1", "PINDESK_ENGINE_ARGS: No closing quotation"),
        ("PINDESK_SITE_LIMIT", "many", "PINDESK_SITE_LIMIT: 'many' is not a rate such as 20/minute"),
        ("PINDESK_PORT", "8102", "choose another PINDESK_REPLICA_PORT"),
    ],
)
def test_a_bad_setting_is_named_in_one_sentence(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        get_settings()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_source_says_where_the_replicas_are(tmp_path: Path) -> None:
    assert Settings(replicas_file=tmp_path / "replicas").replica_urls == []
    with pytest.raises(ValueError, match="PINDESK_REPLICAS and PINDESK_REPLICAS_DNS"):
        Settings(replicas="http://a:8000", replicas_dns="http://vllm:8000")


def test_replicas_elsewhere_replace_ours() -> None:
    assert Settings().replica_urls == ["http://127.0.0.1:8101", "http://127.0.0.1:8102"]
    assert Settings(replicas="http://a:8000, http://b:8000/").replica_urls == ["http://a:8000", "http://b:8000"]


def test_engine_arguments_are_split_as_by_a_shell() -> None:
    assert Settings(engine_args="--a 'b c' --d=1").engine_argv == ["--a", "b c", "--d=1"]


def test_keys_are_made_once_and_read_by_every_later_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINDESK_AGENT_KEY", "chosen-by-the-operator")
    first = ensure_keys(get_settings())
    file = keys_file(first)
    assert missing_keys(first) == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "PINDESK_AGENT_KEY" not in file.read_text()
    second = get_settings()
    assert second.agent_key.get_secret_value() == "chosen-by-the-operator"
    assert second.operator_key == first.operator_key
    assert second.inference_key == first.inference_key
    assert second.secret == first.secret
    assert len({second.operator_key, second.inference_key, second.secret}) == 3


def test_a_key_that_another_process_made_meanwhile_is_kept() -> None:
    early = get_settings()
    made = ensure_keys(get_settings())
    assert ensure_keys(early).operator_key == made.operator_key
