"""The way of a turn: where sessions, prompts and backend meet.

runner      which turns this process answers: claims, leases, stopping
answering   one turn, from its claim to its end
folding     keeps its prompt within the engine's context
briefing    what its engine calls are made of
attempt     one of them: the engine's text in, what the customer reads out
shown       what the customer has already read, across attempts
flusher     the one writer of growing replies
trace       the turn's spans and counts
afterwards  those of a turn whose owner could not tell
"""

from chat.turns.afterwards import record_missing, trace_ended
from chat.turns.runner import TurnRunner

__all__ = ["TurnRunner", "record_missing", "trace_ended"]
