"""`repo.turns`: from the customer's message to the end of the reply."""

from sessions.repository.accepting import Accepting
from sessions.repository.claiming import Claiming
from sessions.repository.history import History
from sessions.repository.replying import Replying


class Turns(Accepting, Claiming, Replying, History):
    """What customers do with turns, who answers them, what is written meanwhile, what the engine reads."""
