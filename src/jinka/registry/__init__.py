"""Who and what is admitted to the scheme: participants, terminals, PSAMs, cards, their lists; who granted a number; and
what an issue of cards or devices has to rest on.

Plain values and Arrow schemas; storing them is the business of `store`. Numbers follow ISO/IEC 7812 (issuers),
JR/T 0025 PSAM (terminal number of 6 bytes, PSAM serial of 10 bytes) and GB/T 2260 (regions).
"""

from jinka.registry.card_fees import FEE_RULES, FeeRule, Fees, check_fees, fee_rule, highest_fees
from jinka.registry.entries import ENTRY_STEPS, Entry, EntryAct, EntryDeed, EntryState
from jinka.registry.issue_rules import (
    RULE_SETS,
    Granted,
    Held,
    Item,
    MissingGrants,
    Need,
    Order,
    Party,
    RuleSet,
    check_issue,
)
from jinka.registry.parties import Participant, Role
from jinka.registry.registration import (
    GRANTS,
    STEPS,
    Act,
    Deed,
    Kind,
    Registration,
    State,
    asks_for_neighbours,
    asks_for_parent,
    check_application,
    check_free,
    check_parent,
    checked_value,
    parent_of,
    reach,
)
from jinka.registry.tables import (
    ACKNOWLEDGEMENTS,
    CARDS,
    LISTINGS,
    PARTICIPANTS,
    PSAMS,
    TERMINALS,
    Registry,
)
from jinka.registry.terms import Terms

__all__ = [
    "ACKNOWLEDGEMENTS",
    "CARDS",
    "ENTRY_STEPS",
    "FEE_RULES",
    "GRANTS",
    "LISTINGS",
    "PARTICIPANTS",
    "PSAMS",
    "RULE_SETS",
    "STEPS",
    "TERMINALS",
    "Act",
    "Deed",
    "Entry",
    "EntryAct",
    "EntryDeed",
    "EntryState",
    "FeeRule",
    "Fees",
    "Granted",
    "Held",
    "Item",
    "Kind",
    "MissingGrants",
    "Need",
    "Order",
    "Participant",
    "Party",
    "Registration",
    "Registry",
    "Role",
    "RuleSet",
    "State",
    "Terms",
    "asks_for_neighbours",
    "asks_for_parent",
    "check_application",
    "check_fees",
    "check_free",
    "check_issue",
    "check_parent",
    "checked_value",
    "fee_rule",
    "highest_fees",
    "parent_of",
    "reach",
]
