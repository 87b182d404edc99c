"""What the page shows of a conversation, folded from its events. Pure.

The page is sent the whole view each time and not single events: Gradio sends only the difference, and a frame that
the browser skips costs nothing.
"""

from collections.abc import Mapping
from typing import Any

from sessions import ConversationState, Event, EventKind, Role

Line = dict[str, Any]
View = dict[str, Any]


class Transcript:
    """Fold events in order of seq with `apply`; `view` is JSON that shares nothing with later views.

    Lines have a `key` that stays the same from the first letter of a reply to its end.
    """

    def __init__(self, conversation_id: str, votes: Mapping[str, str]) -> None:
        self._id = conversation_id
        self._votes = votes
        self._seq = 0
        self._state = ConversationState.BOT
        self._agent: str | None = None
        self._lines: dict[str, Line] = {}
        self._live: dict[str, str] = {}
        self._retry: str | None = None
        self._typing_at: str | None = None

    def view(self) -> View:
        turn = next(iter(self._live), None)
        return {
            "conversation": self._id,
            "seq": self._seq,
            "state": self._state,
            "agent": self._agent,
            "lines": [dict(line) for line in self._lines.values()],
            "live": None if turn is None else {"turn": turn, "text": self._live[turn]},
            "busy": bool(self._live),
            "retry": self._retry if self._state in (ConversationState.BOT, ConversationState.WAITING) else None,
            "typing_at": self._typing_at,
        }

    def apply(self, event: Event) -> None:
        self._seq = event.seq
        payload, turn = event.payload, event.payload.get("turn_id")
        match event.kind:
            case EventKind.TURN_STARTED:
                self._started(turn, payload)
            case EventKind.REPLY_DELTA:
                self._live[turn] = self._live.get(turn, "") + payload["text"]
            case EventKind.REPLY_RESET:
                self._live[turn] = ""
            case EventKind.REPLY_DONE:
                self._live.pop(turn, None)
                self._add(f"reply:{turn}", payload["message"])
            case EventKind.TURN_STOPPED:
                self._stopped(turn, payload.get("reason"))
            case EventKind.TURN_FAILED:
                self._live.pop(turn, None)
                self._retry = turn
            case EventKind.MESSAGE:
                self._add(payload["message"]["id"], payload["message"])
            case EventKind.HANDOFF:
                self._state, self._agent = ConversationState(payload["state"]), payload.get("agent")
            case EventKind.TYPING:
                self._typed(event)
            case EventKind.CONVERSATION_CLOSED:
                self._state = ConversationState.CLOSED

    def _started(self, turn: str, payload: Mapping[str, Any]) -> None:
        """A turn that is tried again starts a second time."""
        self._live[turn] = ""
        self._retry = None
        self._lines.pop(f"stopped:{turn}", None)
        self._add(payload["client_turn_id"], payload["message"])

    def _stopped(self, turn: str, reason: str | None) -> None:
        """With a reason it was not the customer who stopped the turn, and there is nothing to try again."""
        self._live.pop(turn, None)
        if reason is None:
            self._retry = turn
            key = f"stopped:{turn}"
            self._lines[key] = {"key": key, "kind": "stopped", "text": ""}

    def _add(self, key: str, message: Mapping[str, Any]) -> None:
        role = message["role"]
        self._lines[key] = {
            "key": key,
            "kind": role,
            "id": message["id"],
            "text": message["content"],
            "at": message["created_at"],
            "quick_replies": message["quick_replies"],
            "by": self._agent if role == Role.AGENT else None,
            "vote": self._votes.get(message["id"]),
        }
        if role == Role.AGENT:
            self._typing_at = None

    def _typed(self, event: Event) -> None:
        if event.payload["role"] == Role.AGENT:
            self._typing_at = event.created_at.isoformat()
