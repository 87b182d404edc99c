"""Why Pindesk cannot start."""


class StartError(Exception):
    """Starting is impossible or has failed; the message is one sentence with the remedy, then log lines if any."""
