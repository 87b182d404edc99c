"""What the application itself says in a conversation: texts of its pack that need no engine."""

from chat.services import Services
from prompts import Notice
from sessions import Conversation, Repository, Role, Server


async def notify(services: Services, repo: Repository, conversation: Conversation, notice: Notice) -> None:
    """Add the notice to the transcript, as a line of the system in the conversation's language."""
    pack = await services.packs.get(conversation.pack, conversation.pack_version)
    said = pack.notice(notice, conversation.locale)
    await repo.conversations.say(Server(), conversation.id, Role.SYSTEM, said.text, list(said.quick_replies))
