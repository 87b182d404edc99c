"""What a chat completion request may hold: an allow-list, and the reasons for what is refused.

The engine is shared. A field that another request would have to pay for, or that would tell one site of another, is
not passed on; a field that is not known here is not passed on either.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chat.errors import ApiError

MOST_CHOICES = 4
MOST_LOGPROBS = 20

_SALT = "the server sets it, one for each site, so that no site learns what another has cached"
_TURNS = "the server sets it: customers' turns come first"
_TEMPLATE = "the model's own chat template is used, because a prefix is shared only where it is written the same"
_GRAMMAR = "a grammar is compiled inside the engine that everybody shares; only approved packs bring one"
_TOOLS = "tools are grammars, which only approved packs bring"
_COSTLY = "it multiplies what one request costs"

REFUSED: Mapping[str, str] = {
    "cache_salt": _SALT,
    "priority": _TURNS,
    **dict.fromkeys(
        ("chat_template", "chat_template_kwargs", "add_generation_prompt", "continue_final_message"), _TEMPLATE
    ),
    **dict.fromkeys(("structured_outputs", "guided_json", "guided_regex", "guided_choice", "guided_grammar"), _GRAMMAR),
    **dict.fromkeys(("guided_decoding_backend", "guided_whitespace_pattern", "structural_tag"), _GRAMMAR),
    **dict.fromkeys(("tools", "tool_choice", "functions", "function_call", "parallel_tool_calls"), _TOOLS),
    **dict.fromkeys(("best_of", "use_beam_search"), _COSTLY),
    "prompt_logprobs": "the engine then computes the whole prompt again",
}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TextPart(_Model):
    type: Literal["text"]
    text: str


class Message(_Model):
    """A line of the conversation. Members that a client copied from a reply may stay where they are empty."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None


class ResponseFormat(_Model):
    type: Literal["text"]


class StreamOptions(_Model):
    include_usage: bool = False


class ChatRequest(_Model):
    """Every field that is taken. The first few are the server's to obey, the rest goes to the engine as it came."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None

    n: Annotated[int, Field(ge=1, le=MOST_CHOICES)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    min_tokens: Annotated[int, Field(ge=0)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=-1)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    seed: int | None = None
    ignore_eos: bool | None = None
    logit_bias: Annotated[dict[str, float], Field(max_length=300)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=MOST_LOGPROBS)] | None = None


# Of English as of Chinese: `prompts.tokens` weighs each character, which for a long prompt takes milliseconds.
_TOKENS_PER_BYTE = 0.42

_OURS = frozenset(
    {"model", "messages", "stream", "stream_options", "response_format", "user", "metadata"}
)  # fmt: skip
_NAMES = frozenset().union(
    *(kind.model_fields for kind in (ChatRequest, Message, TextPart, ResponseFormat, StreamOptions))
)
_SPOKEN = ("role", "content", "name")


@dataclass(frozen=True)
class Asked:
    """A request that may be passed on. `options` are the engine's, by name."""

    model: str
    messages: list[dict[str, Any]]
    stream: bool
    include_usage: bool
    options: dict[str, Any]

    @property
    def system(self) -> str:
        """What the conversations of a brand begin with: the messages before the first that is not the system's."""
        return "\n".join(map(_text, takewhile(_is_system, self.messages)))

    @property
    def sizes(self) -> tuple[int, int]:
        """About how many tokens the system prompt and the whole prompt have; the policy learns by how much it errs."""
        whole = sum(len(_text(line).encode()) for line in self.messages)
        return round(len(self.system.encode()) * _TOKENS_PER_BYTE), round(whole * _TOKENS_PER_BYTE)

    @property
    def opening(self) -> str:
        """The system prompt and the first message of the user: what tells one conversation from another."""
        lines = iter(self.messages)
        begun = []
        for line in lines:
            begun.append(line)
            if line["role"] == "user":
                break
        return json.dumps(begun, ensure_ascii=False)


def read(body: bytes) -> Asked:
    """Raises ApiError (400) that names the field and the reason."""
    given = _parsed(body)
    if not isinstance(given, dict):
        raise ApiError("The body is not a JSON object.", code="invalid_body")
    _refuse(given)
    given["messages"] = _spoken(given.get("messages"))
    try:
        request = ChatRequest.model_validate(given)
    except ValidationError as fault:
        raise _unusable(fault) from fault
    options = {name: value for name, value in given.items() if name not in _OURS and value is not None}
    usage = request.stream_options is not None and request.stream_options.include_usage
    return Asked(request.model, given["messages"], bool(request.stream), usage, options)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return _forgivingly_parsed(body)


def _forgivingly_parsed(body: bytes) -> Any:
    """With NaN and its like, which are no JSON, so that the field that holds one can be named."""
    try:
        given = json.loads(body)
        # An escape may write half a character, which no engine could be sent.
        json.dumps(given, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as fault:
        raise ApiError("The body is not JSON.", code="invalid_json") from fault
    return given


def _refuse(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if name in REFUSED and value is not None:
            raise ApiError(f"{name} is not taken: {REFUSED[name]}.", code="field_refused", field=name)
    for name in given.keys() & REFUSED.keys():
        del given[name]
    form = given.get("response_format")
    if isinstance(form, dict) and form.get("type") in ("json_object", "json_schema"):
        raise ApiError(f"response_format is not taken: {_GRAMMAR}.", code="field_refused", field="response_format")


def _spoken(messages: Any) -> Any:
    """The messages without the empty members of a reply that a client sends back as it got it."""
    if not isinstance(messages, list):
        return messages
    return [_without_empty(line) if isinstance(line, dict) else line for line in messages]


def _without_empty(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name in _SPOKEN or value not in (None, [], "")}


def _is_system(line: Mapping[str, Any]) -> bool:
    return line["role"] in ("system", "developer")


def _text(line: Mapping[str, Any]) -> str:
    content = line["content"]
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content)


def _unusable(fault: ValidationError) -> ApiError:
    first = fault.errors(include_url=False, include_input=False)[0]
    is_extra = first["type"] == "extra_forbidden"
    # Among the names stand those of the types that were tried.
    field = ".".join(str(part) for part in first["loc"] if is_extra or isinstance(part, int) or part in _NAMES)
    match first["type"]:
        case "extra_forbidden":
            return ApiError(f"{field} is not a field that is taken here.", code="unknown_field", field=field)
        case "missing":
            return ApiError(f"{field} is missing.", code="missing_field", field=field)
    return ApiError(f"{field}: {first['msg']}.", code="invalid_field", field=field)
