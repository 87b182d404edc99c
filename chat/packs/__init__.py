"""Which versions of packs are spoken, to whom.

folders     the packs on this machine's disk, read again when they change
releases    which of the released versions a new conversation gets
packs       the versions that this process holds
__main__    `python -m chat.packs`: list, roll back, recall
"""

from chat.packs.folders import FOLDER
from chat.packs.packs import Packs, UnknownPack

__all__ = ["FOLDER", "Packs", "UnknownPack"]
