"""What the parts of the repository share."""

from sessions.repository.log import Log
from sessions.repository.transaction import Transaction


class Part:
    """One subject of the repository, inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.session = tx.session
        self.log = Log(tx)
