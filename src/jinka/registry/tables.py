"""The registry's tables as Arrow schemas, the form in which clearing reads them.

``status`` is 1 for active; anything else counts as unregistered. Local times are the card's BCD, joined to one
14-digit string ``YYYYMMDDhhmmss``, so that they compare as text with what the record carries.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

PARTICIPANTS = pa.schema(
    [
        pa.field("code", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("region", pa.string(), nullable=False),
        pa.field("name_en", pa.string(), nullable=False),
        pa.field("name_zh", pa.string(), nullable=False),
    ]
)

TERMINALS = pa.schema(
    [
        pa.field("terminal_id", pa.binary(6), nullable=False),
        pa.field("device", pa.string(), nullable=False),  # the operator's own number of the device
        pa.field("operator", pa.string(), nullable=False),
        pa.field("acquirer", pa.string(), nullable=False),
        pa.field("line", pa.string()),
        pa.field("stop", pa.string()),  # where it stands; none for a validator in a bus
        pa.field("status", pa.uint8(), nullable=False),
    ]
)

PSAMS = pa.schema(
    [
        pa.field("psam_id", pa.binary(10), nullable=False),
        pa.field("terminal_id", pa.binary(6), nullable=False),
        pa.field("status", pa.uint8(), nullable=False),
    ]
)

CARDS = pa.schema(
    [
        pa.field("card_no", pa.binary(10), nullable=False),
        pa.field("issuer", pa.string(), nullable=False),
        pa.field("profile", pa.string(), nullable=False),
        pa.field("profile_version", pa.uint16(), nullable=False),
        pa.field(
            "holder", pa.uint8(), nullable=False
        ),  # class of the holder, as file 0016 of the card has it
        pa.field("algorithm", pa.uint8(), nullable=False),
        pa.field("key_version", pa.uint8(), nullable=False),  # of the TAC key
        pa.field("opening_counter", pa.uint16(), nullable=False),  # offline, at the start of the business day
        pa.field("opening_online", pa.uint16(), nullable=False),
        pa.field("opening_balance", pa.int64(), nullable=False),
        pa.field("status", pa.uint8(), nullable=False),
    ]
)

# A card is blocked at a terminal from the later of `effective_from` and that terminal's acknowledgement.
LISTINGS = pa.schema(
    [
        pa.field("list_version", pa.uint32(), nullable=False),
        pa.field("card_no", pa.binary(10), nullable=False),
        pa.field("effective_from", pa.string(), nullable=False),
    ]
)

ACKNOWLEDGEMENTS = pa.schema(
    [
        pa.field("terminal_id", pa.binary(6), nullable=False),
        pa.field("list_version", pa.uint32(), nullable=False),
        pa.field("acknowledged_at", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """One consistent state of all tables."""

    participants: pa.Table
    terminals: pa.Table
    psams: pa.Table
    cards: pa.Table
    listings: pa.Table
    acknowledgements: pa.Table

    SCHEMAS = {  # noqa: RUF012 a constant of the class, not a field
        "participants": PARTICIPANTS,
        "terminals": TERMINALS,
        "psams": PSAMS,
        "cards": CARDS,
        "listings": LISTINGS,
        "acknowledgements": ACKNOWLEDGEMENTS,
    }
