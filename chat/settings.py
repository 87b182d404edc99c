"""The one settings class: `PINDESK_*` variables, then `.env`, then the keys made on the first start.

`python -m chat.settings` prints every effective value and what it does; secrets are masked.
"""

import re
import shlex
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from limits import parse_many
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from chat.durations import Duration, format_duration
from chat.origins import parse_origin

PREFIX = "PINDESK_"
KEYS_FILE = "keys.env"
SHIPPED_PACKS = Path(__file__).parents[1] / "prompts" / "packs"


class EngineKind(StrEnum):
    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


class SettingsError(Exception):
    """A setting cannot be used; the message names it, the fault and the remedy in one sentence."""


def _split_list(value: object) -> object:
    if not isinstance(value, str):
        return value
    return [item.strip() for item in value.split(",") if item.strip()]


def _http_root(url: str) -> str:
    root = url.rstrip("/")
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", root) or root.endswith("/v1"):
        raise ValueError(f"{url!r} is not an HTTP root such as http://10.0.0.7:8000 (without /v1)")
    return root


def _rate(text: str) -> str:
    try:
        parse_many(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a rate such as 20/minute") from error
    return text


def _shell_words(text: str) -> str:
    shlex.split(text)
    return text


Rate = Annotated[str, AfterValidator(_rate)]
HttpRoot = Annotated[str, AfterValidator(_http_root)]
Origin = Annotated[str, AfterValidator(parse_origin)]
Port = Annotated[int, Field(ge=0, le=65535)]


def _about(explanation: str, default: Any = ..., **constraints: Any) -> Any:
    return Field(default, description=explanation, **constraints)


class Settings(BaseSettings):
    """Every setting of Pindesk, each with its default and its explanation."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", validate_default=True
    )

    host: str = _about("Address that the web server listens on.", "127.0.0.1")
    port: Port = _about("Port of the web server.", 8080)
    public_url: HttpRoot | None = _about("Address under which browsers reach the server, if it is another one.", None)
    var_dir: Path = _about("Folder for the database, the keys and the logs.", Path("var"))
    packs_dir: Path = _about("Folder of the packs; an edit in it is live at once.", SHIPPED_PACKS)
    database_url: str = Field(
        default_factory=lambda data: f"sqlite:///{data['var_dir']}/pindesk.db",
        description="Database: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
    )

    replicas: Annotated[list[HttpRoot], NoDecode, BeforeValidator(_split_list)] = _about(
        "vLLM servers that run elsewhere, separated by commas; with it, none is started here.", []
    )
    replicas_file: Path | None = _about(
        "File that names such servers, one HTTP root a line; a change in it is live within seconds.", None
    )
    replicas_dns: HttpRoot | None = _about(
        "HTTP root whose host name stands for all of them, such as a headless service; looked up again and again.", None
    )
    model: str = _about("Folder or name of the chat model that the replicas serve.", "backend/starter_model")
    languages: Annotated[list[str], NoDecode, BeforeValidator(_split_list)] = _about(
        "Languages that the model speaks, separated by commas; unset takes the model's own list.", []
    )
    engine: EngineKind = _about("Build of vLLM: cpu, gpu, or auto (gpu where an NVIDIA GPU is found).", EngineKind.AUTO)
    engine_args: Annotated[str, AfterValidator(_shell_words)] = _about(
        "Further arguments for vLLM, passed on unchanged.", ""
    )
    engine_python: Path = _about("Python of the engine's environment.", Path(".venv/engine/bin/python"))
    replica_port: Port = _about("Port of the first replica; each further one takes the next.", 8101)
    replica_count: int = _about("Replicas of the Procfile that are started.", 2, ge=1)
    max_model_len: int = _about("Context of the model in tokens.", 4096, ge=256)
    kv_cache_gib: int = _about("Memory for cached prefixes, in GiB for each CPU replica.", 1, ge=1)

    agent_key: SecretStr | None = _about("API key with scope agent.", None)
    operator_key: SecretStr | None = _about("API key with scope operator.", None)
    inference_key: SecretStr | None = _about("API key with scope inference.", None)
    secret: SecretStr | None = _about("Key that signs browser state and separates the sites' caches.", None)

    login_limit: Rate = _about("Attempts to sign in, for one account and from one address.", "10/minute;60/hour")
    session_idle: Duration = _about("How long a session of the staff lasts without a call.", timedelta(hours=2))
    session_longest: Duration = _about("How long a session of the staff lasts at most.", timedelta(hours=12))
    embed_origins: Annotated[list[Origin], NoDecode, BeforeValidator(_split_list)] = _about(
        "Origins of help desks that may show the agent panel in a frame, separated by commas.", []
    )
    oidc_issuer: HttpRoot | None = _about("OpenID Connect provider by which the staff signs in.", None)
    oidc_client_id: str | None = _about("Client id of this server at the provider.", None)
    oidc_client_secret: SecretStr | None = _about("Client secret at the provider; unset for a public client.", None)
    oidc_name: str = _about("What the provider is called on the sign-in page.", "your company account")

    otlp_port: Port = _about("Loopback port of the built-in trace receiver.", 4319)
    trace_retention: Duration = _about("How long traces are kept.", timedelta(days=7))
    trace_share: float = _about(
        "Share of ordinary turns whose traces stay, 0 to 1; failed, slow and moved turns always do.", 1.0, ge=0, le=1
    )
    slow_turn: Duration = _about("A turn that takes longer counts as slow.", timedelta(seconds=2))
    retention: Duration | None = _about("How long conversations are kept; unset keeps them for ever.", None)
    audit_retention: Duration = _about("How long entries of the audit log are kept.", timedelta(days=365))

    connect_timeout: Duration = _about("Longest wait for a connection to a replica.", timedelta(seconds=1))
    first_token_timeout: Duration = _about("Longest wait for a replica's first token.", timedelta(seconds=8))
    stall_timeout: Duration = _about("Longest pause within a replica's stream.", timedelta(seconds=5))
    turn_timeout: Duration = _about("Longest time for a turn with all its attempts.", timedelta(seconds=30))
    lease: Duration = _about("How long a server owns a turn without renewing its claim.", timedelta(seconds=10))
    max_attempts: int = _about("Attempts for a turn before the customer is told.", 3, ge=1)
    flush_interval: Duration = _about("Pause between two commits of streamed text.", timedelta(milliseconds=100))

    message_max_chars: int = _about("Longest customer message in characters.", 2000, ge=1)
    conversation_limit: Rate = _about("Customer messages in one conversation.", "20/minute")
    address_limit: Rate = _about("Customer messages, and signed identities, from one address.", "60/minute")
    site_limit: Rate = _about("Customer messages on one site.", "600/minute")
    open_limit: Rate = _about("New conversations from one address.", "30/minute")
    session_headers: Annotated[list[str], NoDecode, BeforeValidator(_split_list)] = _about(
        "Headers that name a session of the OpenAI endpoint, the first one present counts.", ["X-Session-Id"]
    )
    session_pins: int = _about("Sessions and foreign conversations whose replica is remembered.", 100_000, ge=1)
    trusted_proxies: Annotated[list[str], NoDecode, BeforeValidator(_split_list)] = _about(
        "Addresses of proxies whose X-Forwarded-For is believed, separated by commas.", []
    )

    webhook_timeout: Duration = _about("Longest wait for a program that is called back.", timedelta(seconds=10))
    webhook_private_targets: bool = _about(
        "Whether webhooks may go to private and loopback addresses, and without TLS.", False
    )

    log_level: str = _about("debug, info, warning or error.", "info", pattern="^(debug|info|warning|error)$")
    locale: str = _about("Language of the interface where the browser asks for none that exists.", "en")

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if not self.runs_elsewhere and self.port in range(self.replica_port, self.replica_port + self.replica_count):
            raise ValueError("PINDESK_PORT lies among the replicas' ports: choose another PINDESK_REPLICA_PORT")
        return self

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        if self.oidc_issuer is not None and self.oidc_client_id is None:
            raise ValueError("PINDESK_OIDC_ISSUER is set: set PINDESK_OIDC_CLIENT_ID, too")
        return self

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        named = [name for name in ("replicas", "replicas_file", "replicas_dns") if getattr(self, name)]
        if len(named) > 1:
            given = " and ".join(f"{PREFIX}{name.upper()}" for name in named)
            raise ValueError(f"{given} both say where the replicas are: set one of them")
        return self

    @property
    def runs_elsewhere(self) -> bool:
        """Whether the replicas are none of ours to start."""
        return bool(self.replicas or self.replicas_file or self.replicas_dns)

    @property
    def replica_urls(self) -> list[str]:
        """HTTP roots of the replicas that are known from the start, ours or elsewhere."""
        if self.runs_elsewhere:
            return self.replicas
        return [f"http://127.0.0.1:{self.replica_port + index}" for index in range(self.replica_count)]

    @property
    def engine_argv(self) -> list[str]:
        """`engine_args` as the shell would split them."""
        return shlex.split(self.engine_args)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, _KeysFileSource(settings_cls)


class _KeysFileSource(DotEnvSettingsSource):
    """`keys.env` in whichever `var_dir` the sources before it settled on."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls, env_file=None)

    def __call__(self) -> dict[str, Any]:
        var_dir = Path(self.current_state.get("var_dir") or Settings.model_fields["var_dir"].default)
        self.env_file = var_dir / KEYS_FILE
        self.env_vars = self._load_env_vars()
        return super().__call__()


def get_settings() -> Settings:
    """Read the settings; raises `SettingsError` with one sentence when one of them cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [_fault(item) for item in error.errors() if item["type"] != "default_factory_not_called"]
        raise SettingsError("; ".join(faults)) from error


def _fault(item: Any) -> str:
    message = item["msg"].removeprefix("Value error, ")
    if not item["loc"]:
        return message
    name = f"{PREFIX}{str(item['loc'][0]).upper()}"
    if item["type"] == "value_error":
        return f"{name}: {message}"
    return f"{name}: {message[:1].lower()}{message[1:]}, but it is {shown(item['input'])}"


_URL_PASSWORD = re.compile(r"(://[^/@\s:]*:)[^/@\s]+@")
_SECRET_ARGUMENT = re.compile(r"(--[\w-]*(?:key|token|secret|password)[ =])\S+", re.IGNORECASE)


def shown(value: object) -> str:
    """Write a setting's value for a person, without the secrets in it."""
    match value:
        case None:
            return "(unset)"
        case SecretStr():
            return "***"
        case timedelta():
            return format_duration(value)
        case list():
            return ",".join(map(shown, value)) or "(unset)"
    return _SECRET_ARGUMENT.sub(r"\1***", _URL_PASSWORD.sub(r"\1***@", str(value))) or "(unset)"


def main() -> int:
    try:
        settings = get_settings()
    except SettingsError as error:
        print(error)
        return 1
    for name, field in Settings.model_fields.items():
        print(f"{PREFIX}{name.upper()} = {shown(getattr(settings, name))}\n    {field.description}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
