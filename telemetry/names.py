"""Names of spans, events and attributes, and the list of attributes that may leave the process.

`gen_ai.*` follows the OpenTelemetry GenAI conventions (open-telemetry/semantic-conventions-genai), which are still
moving: a renamed key changes here and nowhere else. A key that is missing from `ALLOWED_ATTRIBUTES` is neither stored
nor exported.
"""

from enum import StrEnum

# Spans of a turn, in the order in which they start.
TURN = "turn"
STORE = "store"
ASSEMBLE = "assemble"
FOLD = "fold"  # only where the history was too long
ROUTE = "route"
CHAT = "chat"  # written "chat {model}", see `chat_span`
LLM_REQUEST = "llm_request"  # the engine's own
COMMIT = "commit"  # store the turn's end; inside the attempt that wrote it
SETTLE = "settle"  # store what the staff and the pin learn from the reply
PAINT = "paint"

# Timed events of a turn.
CLAIMED = "claimed"  # a server has taken the turn
MASK = "mask"  # the message was searched for personal data: what kinds, never what
FIRST_TEXT = "first_text"
RESET = "reset"
REPLY_DONE = "reply_done"
INVALID_REPLY = "invalid_reply"

# Timed events of an attempt.
REQUEST = "request"  # sent to the engine
FIRST_TOKEN = "first_token"
TEMPLATE_KNOWN = "template_known"
LOOKUP = "lookup"  # answered
VALIDATED = "validated"  # the JSON up to the end of its slots is lawful
RENDERED = "rendered"  # the whole text is there
EXCEPTION = "exception"

# GenAI conventions.
OPERATION_NAME = "gen_ai.operation.name"
PROVIDER_NAME = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
REQUEST_STREAM = "gen_ai.request.stream"
OUTPUT_TYPE = "gen_ai.output.type"
CONVERSATION_ID = "gen_ai.conversation.id"
CONVERSATION_COMPACTED = "gen_ai.conversation.compacted"
PROMPT_NAME = "gen_ai.prompt.name"  # the reply template's id
PROMPT_VERSION = "gen_ai.prompt.version"  # the pack's version
RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons"
RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
USAGE_CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
ERROR_TYPE = "error.type"
EXCEPTION_TYPE = "exception.type"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"

# Ours.
SITE = "pindesk.site"
PACK = "pindesk.pack"
TURN_ID = "pindesk.turn.id"
TURN_INDEX = "pindesk.turn.index"
TURN_OUTCOME = "pindesk.turn.outcome"
TURN_ATTEMPTS = "pindesk.turn.attempts"
TURN_QUEUE_MS = "pindesk.turn.queue_ms"
TTFV_MS = "pindesk.turn.ttfv_ms"
ACTION = "pindesk.reply.action"
ACTION_REASON = "pindesk.reply.action_reason"
ATTEMPT = "pindesk.attempt.number"
ATTEMPT_OUTCOME = "pindesk.attempt.outcome"
REPLICA = "pindesk.replica.id"
BOOT_ID = "pindesk.replica.boot_id"
PLACEMENT = "pindesk.placement.reason"
PLACEMENT_CANDIDATES = "pindesk.placement.candidates"  # replica ids, best first
PLACEMENT_COSTS_MS = "pindesk.placement.costs_ms"  # one for each candidate
PREDICTED_CACHED_TOKENS = "pindesk.placement.predicted_cached_tokens"
PIN_REPLICA = "pindesk.pin.replica"
PIN_AGE_S = "pindesk.pin.age_s"
PIN_MOVED = "pindesk.pin.moved"
PROMPT_MESSAGES = "pindesk.prompt.messages"
PROMPT_CHARACTERS = "pindesk.prompt.characters"
MESSAGE_CHARACTERS = "pindesk.message.characters"
LOOKUP_NAME = "pindesk.lookup.name"
LOOKUP_OUTCOME = "pindesk.lookup.outcome"
INVALID_REASON = "pindesk.reply.invalid_reason"
MASK_KINDS = "pindesk.mask.kinds"
PAINT_MS = "pindesk.paint.since_click_ms"

# What vLLM writes on `llm_request` (vllm/tracing/utils.py, class SpanAttributes, 0.32).
ENGINE_QUEUE_S = "gen_ai.latency.time_in_queue"
ENGINE_PREFILL_S = "gen_ai.latency.time_in_model_prefill"
ENGINE_DECODE_S = "gen_ai.latency.time_in_model_decode"
ENGINE_PROMPT_TOKENS = "gen_ai.usage.prompt_tokens"
ENGINE_COMPLETION_TOKENS = "gen_ai.usage.completion_tokens"

ENGINE_ATTRIBUTES = frozenset(
    {
        ENGINE_QUEUE_S,
        ENGINE_PREFILL_S,
        ENGINE_DECODE_S,
        ENGINE_PROMPT_TOKENS,
        ENGINE_COMPLETION_TOKENS,
        "gen_ai.latency.e2e",
        "gen_ai.latency.time_to_first_token",
        "gen_ai.latency.time_in_scheduler",
        "gen_ai.latency.time_in_model_forward",
        "gen_ai.latency.time_in_model_execute",
        "gen_ai.latency.time_in_model_inference",
        "gen_ai.request.id",
        "gen_ai.request.n",
        "gen_ai.request.temperature",
        "gen_ai.request.top_p",
        "gen_ai.response.model",
        "gen_ai.usage.num_sequences",
    }
)

OWN_ATTRIBUTES = frozenset(
    {
        OPERATION_NAME,
        PROVIDER_NAME,
        REQUEST_MODEL,
        REQUEST_MAX_TOKENS,
        REQUEST_STREAM,
        OUTPUT_TYPE,
        CONVERSATION_ID,
        CONVERSATION_COMPACTED,
        PROMPT_NAME,
        PROMPT_VERSION,
        RESPONSE_FINISH_REASONS,
        RESPONSE_TIME_TO_FIRST_CHUNK,
        USAGE_INPUT_TOKENS,
        USAGE_OUTPUT_TOKENS,
        USAGE_CACHE_READ_TOKENS,
        ERROR_TYPE,
        EXCEPTION_TYPE,
        SERVER_ADDRESS,
        SERVER_PORT,
        SITE,
        PACK,
        TURN_ID,
        TURN_INDEX,
        TURN_OUTCOME,
        TURN_ATTEMPTS,
        TURN_QUEUE_MS,
        TTFV_MS,
        ACTION,
        ACTION_REASON,
        ATTEMPT,
        ATTEMPT_OUTCOME,
        REPLICA,
        BOOT_ID,
        PLACEMENT,
        PLACEMENT_CANDIDATES,
        PLACEMENT_COSTS_MS,
        PREDICTED_CACHED_TOKENS,
        PIN_REPLICA,
        PIN_AGE_S,
        PIN_MOVED,
        PROMPT_MESSAGES,
        PROMPT_CHARACTERS,
        MESSAGE_CHARACTERS,
        LOOKUP_NAME,
        LOOKUP_OUTCOME,
        INVALID_REASON,
        MASK_KINDS,
        PAINT_MS,
    }
)

ALLOWED_ATTRIBUTES = OWN_ATTRIBUTES | ENGINE_ATTRIBUTES


class AttemptOutcome(StrEnum):
    """How a `chat` attempt ended; only a `FINISHED` one owes a span of the engine."""

    FINISHED = "finished"  # the engine's stream came to its end
    STOPPED = "stopped"  # closed by us: the customer stopped it, or the reply was refused
    FAILED = "failed"  # the engine or the way to it broke
    LOST = "lost"  # its server process died with it


def chat_span(model: str) -> str:
    """Name of an attempt's span: operation and model, as the conventions ask."""
    return f"{CHAT} {model}"


def is_chat_span(name: str) -> bool:
    return name == CHAT or name.startswith(f"{CHAT} ")
