"""The application's metrics. Labels are closed sets or names from packs and settings, never customers' values."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from telemetry.machine import MachineCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

WAIT_BUCKETS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 15, 30)
PROMPT_BUCKETS_TOKENS = (128, 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 8192, 16384, 32768)


class Metrics:
    """Every metric of one application, in a registry of its own so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        self.registry.register(MachineCollector())
        self._make_turns()
        self._make_tokens()
        self._make_replies()
        self._make_inference()
        self._make_people()
        self._make_replicas()
        self._make_spans()

    def _make_turns(self) -> None:
        self.turns = self._counter("turns", "Turns that ended, by outcome (done, stopped, failed).", "outcome")
        self.turn_failures = self._counter("turn_failures", "Failed turns by error code.", "code")
        self.turns_running = self._gauge("turns_running", "Turns that this process owns now.")
        self.turns_waiting = self._gauge("turns_waiting", "Accepted turns that nobody has claimed.")
        self.queue_seconds = self._histogram("turn_queue_seconds", "From acceptance of a turn to its claim.")
        self.first_text_seconds = self._histogram("first_text_seconds", "From acceptance to the first visible text.")
        self.reply_seconds = self._histogram("reply_seconds", "From acceptance to the whole reply.")
        self.attempts = self._counter("attempts", "Attempts to have the engine answer, by outcome.", "outcome")
        self.placements = self._counter("placements", "Choices of a replica, by reason.", "reason")
        self.predicted_cached_tokens = self._counter(
            "placement_predicted_cached_tokens", "Prompt tokens expected in the chosen replica's cache.", "reason"
        )
        self.placed_cached_tokens = self._counter(
            "placement_cached_tokens", "Prompt tokens that the chosen replica had in its cache.", "reason"
        )
        self.prefills = self._counter(
            "prefills", "Prefixes looked at while people think (prefilled, warm, busy, failed).", "outcome"
        )

    def _make_tokens(self) -> None:
        self.prompt_tokens = self._counter("prompt_tokens", "Prompt tokens of customers' turns.")
        self.cached_prompt_tokens = self._counter(
            "cached_prompt_tokens", "Prompt tokens of customers' turns that the replica had in its cache."
        )
        self.completion_tokens = self._counter("completion_tokens", "Tokens written for customers' turns.")
        self.prompt_tokens_by_turn = self._counter(
            "prompt_tokens_by_turn", "Prompt tokens by the turn's place in its conversation.", "turn"
        )
        self.cached_prompt_tokens_by_turn = self._counter(
            "cached_prompt_tokens_by_turn", "Cached prompt tokens by the turn's place in its conversation.", "turn"
        )
        self.prompt_length_tokens = self._histogram(
            "prompt_length_tokens", "Length of the prompts.", buckets=PROMPT_BUCKETS_TOKENS
        )

    def _make_replies(self) -> None:
        self.templates = self._counter("templates", "Replies by site and template.", "site", "template")
        self.invalid_replies = self._counter(
            "invalid_replies", "Engine outputs that were refused, by reason.", "reason"
        )
        self.replies_reset = self._counter("replies_reset", "Replies of which shown text was taken back.")
        self.annotations_cut = self._counter("annotations_cut", "Replies whose part for the staff was cut off.")
        self.lookups = self._counter("lookups", "Lookups by name and outcome.", "name", "outcome")

    def _make_inference(self) -> None:
        self.inference_requests = self._counter(
            "inference_requests",
            "Requests to the OpenAI endpoint, by outcome (done, stopped, failed, refused).",
            "outcome",
        )
        self.inference_first_token_seconds = self._histogram(
            "inference_first_token_seconds", "From a request to the OpenAI endpoint to its first output."
        )
        self.inference_prompt_tokens = self._counter("inference_prompt_tokens", "Prompt tokens of the OpenAI endpoint.")
        self.inference_cached_prompt_tokens = self._counter(
            "inference_cached_prompt_tokens", "Prompt tokens of the OpenAI endpoint that the replica had in its cache."
        )
        self.inference_completion_tokens = self._counter(
            "inference_completion_tokens", "Tokens written for the OpenAI endpoint."
        )

    def _make_people(self) -> None:
        self.rejected = self._counter("rejected", "Requests that were refused, by limit or reason.", "reason")
        self.handoffs = self._counter("handoffs", "Conversations handed to people, by reason.", "reason")
        self.feedback = self._counter(
            "feedback", "Thumbs on replies (up, down), by site and template.", "value", "site", "template"
        )
        self.handoff_offers = self._counter("handoff_offers", "Offers of a human by the bot, by reason.", "reason")
        self.suggestions = self._counter(
            "suggestions",
            "Replies suggested to agents: shown, and what became of them, by site and template.",
            "outcome",
            "site",
            "template",
        )
        self.webhook_deliveries = self._counter(
            "webhook_deliveries", "Tries to call a program back, by outcome (delivered, retry, dead, gone).", "outcome"
        )
        self.open_streams = self._gauge("open_streams", "Event streams that are open now.", "kind")

    def _make_replicas(self) -> None:
        self.replica_state = self._gauge("replica_state", "1 for the state that a replica is in.", "replica", "state")
        self.replica_pins = self._gauge("replica_pins", "Open conversations that are pinned to a replica.", "replica")
        self.replica_inflight = self._gauge("replica_inflight", "Attempts of this process on a replica.", "replica")
        self.replica_waiting = self._gauge("replica_waiting", "Requests in a replica's own queue.", "replica")
        self.replica_kv_usage = self._gauge("replica_kv_usage_ratio", "Share of its cache that is in use.", "replica")

    def _make_spans(self) -> None:
        self.dropped_spans = self._counter(
            "dropped_spans", "Spans that did not reach a destination (store, otlp), by reason.", "destination", "reason"
        )
        self.received_spans = self._counter("received_spans", "Spans that replicas sent to the built-in receiver.")

    def count_usage(self, turn_index: int, *, prompt_tokens: int, cached_tokens: int, completion_tokens: int) -> None:
        """Count the tokens of one reply; `turn_index` is 1 for a conversation's first turn."""
        turn = turn_bucket(turn_index)
        self.prompt_tokens.inc(prompt_tokens)
        self.cached_prompt_tokens.inc(cached_tokens)
        self.completion_tokens.inc(completion_tokens)
        self.prompt_tokens_by_turn.labels(turn).inc(prompt_tokens)
        self.cached_prompt_tokens_by_turn.labels(turn).inc(cached_tokens)
        self.prompt_length_tokens.observe(prompt_tokens)

    def count_placement(self, reason: str, predicted_tokens: int, cached_tokens: int) -> None:
        """Hold what the policy expected of its choice against what the engine reported."""
        self.predicted_cached_tokens.labels(reason).inc(predicted_tokens)
        self.placed_cached_tokens.labels(reason).inc(cached_tokens)

    def render(self) -> bytes:
        """Everything in Prometheus' text format; its media type is `CONTENT_TYPE`."""
        return generate_latest(self.registry)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"pindesk_{name}", about, labels, registry=self.registry)

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(f"pindesk_{name}", about, labels, registry=self.registry)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...] = WAIT_BUCKETS_S) -> Histogram:
        return Histogram(f"pindesk_{name}", about, buckets=buckets, registry=self.registry)


def turn_bucket(turn_index: int) -> str:
    """Label of a turn's place in its conversation: 1, 2, 3, 4-7 or 8+."""
    if turn_index <= 3:
        return str(max(turn_index, 1))
    return "4-7" if turn_index <= 7 else "8+"
