"""The OpenAI-compatible endpoint: any client, placed and kept on a replica as conversations are.

asked       what a request may hold
tenants     whose request it is, and whose cache it uses
pins        where a session's prefix is
completion  the way of one request, over as many attempts as it takes
reply       its answer on the wire, streamed or whole
trace       its spans and counts
"""

from chat.inference.completion import Completion
from chat.inference.inference import Inference

__all__ = ["Completion", "Inference"]
