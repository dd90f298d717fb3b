"""Lists of blocked cards (which card was blocked at which terminal, and since when), and risk rules as data.

No I/O: lists are expressions over tables that the caller gives, rules judge values. The lists are the ones of JT/T 978
(blacklists that terminals load). A card is blocked from the later of two times: when its entry takes effect, and when
the terminal acknowledged the list. Rules (velocity, distance, lists, fallback, first use) serve the issuer's host.
"""

from jinka.risk.lists import blocked_at, listing_status, new_listings
from jinka.risk.rules import Action, Activity, CardFacts, Rule, RuleSet, read_rules

__all__ = [
    "Action",
    "Activity",
    "CardFacts",
    "Rule",
    "RuleSet",
    "blocked_at",
    "listing_status",
    "new_listings",
    "read_rules",
]
