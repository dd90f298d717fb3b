"""What players print of a person: a name's first character, a number's last four; the card and the rules see it all.

A third party's journey may be played on cards of real people, and pages are kept for years. It masks what
`RecordSpec.personal` names, and nothing that a declaration does not call personal.
"""

from __future__ import annotations

from jinka.profile.records import RecordSpec
from jinka.profile.spec import PersonalDatum

_SHOWN = 4  # of a number, as on receipts


def masked_name(name: str) -> str:
    """The first character."""
    return name[:1] + "*" * (len(name) - 1)


def masked_number(number: str) -> str:
    """The last four."""
    return "*" * (len(number) - _SHOWN) + number[-_SHOWN:]


def shown_value(spec: RecordSpec, value: str) -> str:
    """A record's value as it may be printed."""
    match spec.personal:
        case None | PersonalDatum.HOLDER_CLASS:
            return value
        case PersonalDatum.NAME:
            return masked_name(value)
        case _:
            return masked_number(value)
