"""What the pages have in common: modules that several of them load, and the way in which their files are served."""

from pathlib import Path

PARTS = Path(__file__).parent
TALK = PARTS / "talk"
"""What the browser chat and the widget have in common: both show a customer's conversation."""
