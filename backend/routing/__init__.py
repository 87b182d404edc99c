"""The placement policy: pure, the same objects in the server and in the simulator. Costs are milliseconds.

policy      the way of a decision
memory      what is remembered of requests and replicas
decide      where one request goes, given what it would cost everywhere
worth       what a pin is worth
brands      which replicas hold a brand's prefix
prefill     what a prefill costs, learned
pace        how fast a replica writes, learned
mirror      what a replica still has in cache, by our own account
limit       how much a replica takes at once, found
"""

from backend.routing.brands import BrandSets, brand_key
from backend.routing.decide import Rules
from backend.routing.limit import InflightLimit
from backend.routing.memory import Job, PolicySettings
from backend.routing.mirror import CacheMirror
from backend.routing.policy import Policy
from backend.routing.prefill import PrefillModel
from backend.routing.worth import Fate, Worth, worth

__all__ = [
    "BrandSets",
    "CacheMirror",
    "Fate",
    "InflightLimit",
    "Job",
    "Policy",
    "PolicySettings",
    "PrefillModel",
    "Rules",
    "Worth",
    "brand_key",
    "worth",
]
