"""Who and what is admitted to the scheme: participants, terminals, PSAMs, cards, their lists; and who granted a number.

Plain values and Arrow schemas; storing them is the business of `store`. Numbers follow ISO/IEC 7812 (issuers),
JR/T 0025 PSAM (terminal number of 6 bytes, PSAM serial of 10 bytes) and GB/T 2260 (regions).
"""

from jinka.registry.parties import Participant, Role
from jinka.registry.registration import (
    STEPS,
    Act,
    Deed,
    Kind,
    Registration,
    State,
    asks_for_parent,
    check_application,
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

__all__ = [
    "ACKNOWLEDGEMENTS",
    "CARDS",
    "LISTINGS",
    "PARTICIPANTS",
    "PSAMS",
    "STEPS",
    "TERMINALS",
    "Act",
    "Deed",
    "Kind",
    "Participant",
    "Registration",
    "Registry",
    "Role",
    "State",
    "asks_for_parent",
    "check_application",
    "check_parent",
    "checked_value",
    "parent_of",
    "reach",
]
