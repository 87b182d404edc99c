"""New lines of a transcript."""

from sessions.identifiers import MESSAGE, new_id
from sessions.models import Conversation, Message
from sessions.vocabulary import Role


def new_line(
    conversation: Conversation,
    role: Role,
    content: str,
    *,
    prompt_text: str | None = None,
    turn_id: str | None = None,
    quick_replies: list[str] | None = None,
    staff: bool = False,
) -> Message:
    """A message without a seq: `Log.append` gives it that of its event."""
    return Message(
        id=new_id(MESSAGE),
        conversation_id=conversation.id,
        seq=0,
        turn_id=turn_id,
        role=role,
        staff=staff,
        content=content,
        prompt_text=prompt_text,
        quick_replies=quick_replies or [],
    )
