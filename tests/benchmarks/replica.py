"""A replica for the benchmarks' own tests."""

import json

import httpx

from prompts import compact

REPLY = {
    "action": "reply",
    "template": "thanks",
    "slots": {},
    "demand": "says thanks",
    "sentiment": "neutral",
    "action_reason": "answered",
}


class Replica:
    """As much of a replica as the benchmark asks."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/v1/models":
                return httpx.Response(200, json={"data": [{"id": "pindesk", "max_model_len": 4096}]})
            case "/version":
                return httpx.Response(200, json={"version": "0.32.0"})
            case "/tokenize":
                return httpx.Response(200, json={"count": len(json.loads(request.content)["prompt"].split())})
        body = json.loads(request.content)
        self.bodies.append(body)
        text = compact(REPLY) if "structured_outputs" in body else "so many words " * 30
        pieces = [text[at : at + 5] for at in range(0, len(text), 5)][: body["max_tokens"]]
        chunks = [{"choices": [{"delta": {"content": piece}, "token_ids": [1]}]} for piece in pieces]
        usage = {"completion_tokens": len(pieces), "prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 96}}
        chunks.append({"choices": [], "usage": usage})
        sent = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        return httpx.Response(200, text=sent, headers={"Content-Type": "text/event-stream"})
