"""People whom their website has proved, and the proofs that have been used."""

from datetime import datetime

from sqlmodel import Field

from sessions.columns import Moment, now
from sessions.models.base import Base


class PersonSession(Base, table=True):
    """Whoever holds the token is the site's person `subject`, until `expires_at`. Only the token's hash is kept."""

    __tablename__ = "person_session"

    token_hash: str = Field(primary_key=True)
    site_key: str = Field(foreign_key="site.key")
    subject: str
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment, index=True)


class UsedProof(Base, table=True):
    """A signed identity that has been shown, by the hash of its site and `jti`; kept until it has expired anyway."""

    __tablename__ = "used_proof"

    hash: str = Field(primary_key=True)
    expires_at: datetime = Field(sa_type=Moment, index=True)
