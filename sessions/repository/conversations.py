"""`repo.conversations`: everything about a conversation but its turns."""

from sessions.repository.desk import Desk
from sessions.repository.opening import Opening
from sessions.repository.pins import Pins
from sessions.repository.records import Records


class Conversations(Opening, Desk, Records, Pins):
    """Opening and finding, who answers, export and removal, pins."""
