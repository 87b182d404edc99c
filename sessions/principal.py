"""Who asks. Every call of the repository that touches a conversation takes one of these.

A row that its principal may not see does not exist for it: the repository raises NotFound.
"""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a key of the staff may do."""

    AGENT = "agent"
    OPERATOR = "operator"
    INFERENCE = "inference"


@dataclass(frozen=True)
class Person:
    """Who a site says somebody is; `subject` is the site's own id for them."""

    site_key: str
    subject: str


@dataclass(frozen=True)
class Customer:
    """Whoever holds the tokens of these conversations, or is the person whose they are."""

    conversation_ids: frozenset[str]
    person: Person | None = None


@dataclass(frozen=True)
class Staff:
    """An agent, an operator or a program of the company. `sites` None means every site.

    `account_id` is None for whoever comes with a key.
    """

    name: str
    scopes: frozenset[Scope]
    sites: frozenset[str] | None
    account_id: str | None = None


@dataclass(frozen=True)
class Server:
    """Our own background work; sees everything."""


Principal = Customer | Staff | Server


def sees(principal: Principal, conversation_id: str, site_key: str) -> bool:
    """Whether a conversation exists for the principal; of the staff, agents read conversations."""
    match principal:
        case Customer(conversation_ids):
            return conversation_id in conversation_ids
        case Staff(scopes=scopes, sites=sites):
            return Scope.AGENT in scopes and (sites is None or site_key in sites)
        case Server():
            return True


def is_customer(principal: Principal) -> bool:
    return isinstance(principal, Customer)
