"""Field 58 of an online load of a purse (圈存): the card's and the issuer's words, as text in every dialect.

UnionPay's terminals tell loads by field 3 (60 from the account that belongs to the card, 62 from another card, 63 cash)
and have field 58 for purse data. No text of its layout is public, so the layout is Jinka's own, version 1: two
characters, then the parts of `LAYOUTS` in hexadecimal, side by side. JR/T 0025.1 for what the parts mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from jinka.kit import Usage, make_id

FIELD = 58
CARD_FIELD = 103  # the purse's number: where the money goes, and by it the message
CODES = frozenset({"60", "62", "63"})
_VERSION = "1"
_ID = ("load", 16)


class Word(Enum):
    """What is asked about a load."""

    AUTHORISE = "A"
    CONFIRM = "C"
    CHALLENGE = "Q"
    DISPROVE = "D"
    STATE = "S"


_QUESTION = (
    ("card_no", 10), ("txn_type", 1), ("algorithm", 1), ("key_version", 1), ("counter", 2), ("balance", 4),
    ("amount", 4), ("rand4", 4), ("mac1", 4), ("terminal_id", 6), ("local_date", 4), ("local_time", 3),
)  # fmt: skip
# (word, whether it is the answer) -> parts and their bytes
LAYOUTS: Mapping[tuple[Word, bool], tuple[tuple[str, int], ...]] = MappingProxyType(
    {
        (Word.AUTHORISE, False): _QUESTION,
        (Word.AUTHORISE, True): (_ID, ("mac2", 4)),
        (Word.CONFIRM, False): (_ID, ("tac", 4)),
        (Word.CONFIRM, True): (_ID, ("state", 1)),
        (Word.CHALLENGE, False): (_ID,),
        (Word.CHALLENGE, True): (_ID, ("challenge", 6)),
        (Word.DISPROVE, False): (_ID, ("answer", 16)),
        (Word.DISPROVE, True): (_ID, ("state", 1)),
        (Word.STATE, False): (_ID,),
        (Word.STATE, True): (_ID, ("state", 1)),
    }
)
# The byte of a state, by the word that `jinka.issuer.LoadState` has for it; 0 for a load that never came.
STATES: Mapping[str, int] = MappingProxyType(
    {"": 0, "asked": 1, "authorised": 2, "confirmed": 3, "voided": 4, "declined": 5}
)


def write_load(word: Word, parts: Mapping[str, bytes], *, answer: bool = False) -> str:
    """Field 58; raises `Usage` for parts that do not fit."""
    layout = LAYOUTS[word, answer]
    if {name: len(value) for name, value in parts.items()} != dict(layout):
        raise Usage("not the parts of this word", where=f"field {FIELD}", fix=", ".join(n for n, _ in layout))
    return _VERSION + word.value + b"".join(parts[name] for name, _ in layout).hex().upper()


def read_load(text: str, *, answer: bool = False) -> tuple[Word, dict[str, bytes]]:
    """The inverse; raises `Usage` for anything else."""
    try:
        word, data = Word(text[1:2]), bytes.fromhex(text[2:])
    except ValueError:
        raise Usage("not a load", where=f"field {FIELD}", fix="see LAYOUTS") from None
    layout = LAYOUTS[word, answer]
    if text[:1] != _VERSION or len(data) != sum(size for _, size in layout) or len(text) != 2 + 2 * len(data):
        raise Usage("not a load", where=f"field {FIELD}", fix=f"version {_VERSION}, see LAYOUTS")
    parts, at = dict[str, bytes](), 0
    for name, size in layout:
        parts[name] = data[at : at + size]
        at += size
    return word, parts


def load_id(*, card_no: bytes, txn_type: int, counter: int, rand4: bytes, mac1_data: bytes) -> bytes:
    """One INITIALIZE of one card is one load, however often it is sent: both sides know it by this."""
    return make_id("jinka.load", card_no, txn_type, counter, rand4, mac1_data)
