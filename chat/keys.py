"""The keys of a first start: made where none is configured, kept in `keys.env` for every later start."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from chat.settings import KEYS_FILE, PREFIX, Settings

_KEYS = {"agent_key": "pdk_", "operator_key": "pdk_", "inference_key": "pdk_", "secret": ""}


def keys_file(settings: Settings) -> Path:
    return settings.var_dir / KEYS_FILE


def missing_keys(settings: Settings) -> list[str]:
    """Names of the key fields that neither the environment nor a file sets."""
    return [name for name in _KEYS if getattr(settings, name) is None]


def ensure_keys(settings: Settings) -> Settings:
    """Return the settings with every key set, making and storing those that nobody configured.

    The file is readable by its owner only and replaced in one step. Two processes that start at once agree on the keys.
    """
    if not missing_keys(settings):
        return settings
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    path = keys_file(settings)
    with _locked(settings.var_dir):
        stored = {name: value for name, value in dotenv_values(path).items() if value} if path.exists() else {}
        made = {name: stored.get(_variable(name)) or _new_key(name) for name in missing_keys(settings)}
        _write(path, stored | {_variable(name): value for name, value in made.items()})
    return settings.model_copy(update={name: SecretStr(value) for name, value in made.items()})


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _new_key(name: str) -> str:
    return _KEYS[name] + secrets.token_urlsafe(32)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, values: dict[str, str]) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
