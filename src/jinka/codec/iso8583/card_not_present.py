"""Field 61 of a payment without the card: the value that is printed on it, as a tagged sub-element.

UnionPay's members use field 61 for the cardholder's authentication, but no text of its layout is public; the tag 92 is
that of MasterCard's private data for the same value. So the layout (tag 2 digits, length 2 digits, value) is Jinka's
own: agree on it with the peer. A card value is never kept (PCI DSS 4.0, 3.3.1).
"""

from __future__ import annotations

from jinka.kit import Usage

FIELD = 61
_HEAD = "9203"


def write_card_value(value: str) -> str:
    """Field 61 with a card value of three digits."""
    if not (len(value) == 3 and value.isascii() and value.isdigit()):
        raise Usage("not a card value", where="card_value", fix="three digits")
    return _HEAD + value


def read_card_value(text: str) -> str:
    """The card value of field 61; empty where it carries something else."""
    value = text[len(_HEAD) :]
    found = text.startswith(_HEAD) and len(value) == 3 and value.isascii() and value.isdigit()
    return value if found else ""
