"""What became of a purchase whose last answer was lost: the card's log tells (JR/T 0025.5, transaction log).

It holds for contactless purchases and for those by contact that a card may have paid with its cryptogram. A card that
no longer has the record, or whose log has no random number, cannot tell.
"""

from __future__ import annotations

from enum import Enum

from jinka.codec import TlvError, find
from jinka.codec.dol import split_dol
from jinka.codec.emv_tags import Tag
from jinka.terminal import emv_selection as selection
from jinka.terminal.emv_data import EmvOutcome
from jinka.terminal.link import ApduLink, CardRemoved

_LOG_MAX = 30


class Torn(Enum):
    """What became of a purchase whose answer was lost."""

    PAID = "paid"
    NOT_PAID = "not paid"
    UNKNOWN = "unknown"


def settle(link: ApduLink, torn: EmvOutcome) -> Torn:
    """Ask a card whether the torn purchase is in its log: same random number, amount and date.

    Other purchases may have come after it, so the whole log is read. When it is full and everything in it is younger
    than the torn purchase, it cannot tell.
    """
    try:
        records, full = _log(link, torn.data.get(Tag.AID, b""))
    except (CardRemoved, TlvError):
        return Torn.UNKNOWN
    if any(not all(tag in record for tag in _TELLING) for record in records):
        return Torn.UNKNOWN
    if any(all(record[tag] == torn.data.get(tag) for tag in _TELLING) for record in records):
        return Torn.PAID
    return Torn.NOT_PAID if not full or _reaches_back(records, torn) else Torn.UNKNOWN


_TELLING = (Tag.UNPREDICTABLE, Tag.AMOUNT, Tag.DATE)


def _log(link: ApduLink, aid: bytes) -> tuple[list[dict[int, bytes]], bool]:
    """(the card's records, newest first, whether it has no room for more); `TlvError` when it has no log to read."""
    select = b"\x00\xa4\x04\x00" + bytes((len(aid),)) + aid + b"\x00"
    chosen = selection.send(link, select)
    entry = find(chosen.data, 0x6F, 0xA5, Tag.ISSUER_OWN, Tag.LOG_ENTRY) or b""
    if not aid or chosen.sw != 0x9000 or len(entry) != 2:
        raise TlvError("no log", where="select")
    form = selection.send(link, b"\x80\xca\x9f\x4f\x00")
    most = min(entry[1], _LOG_MAX)
    found: list[dict[int, bytes]] = []
    for number in range(1, most + 1):
        record = selection.send(link, bytes((0x00, 0xB2, number, entry[0] << 3 | 4, 0x00)))
        if record.sw == 0x6A83:
            return found, False
        if record.sw != 0x9000:
            raise TlvError(f"SW {record.sw:04X}", where="log")
        found.append(split_dol(form.data[3:], record.data))
    return found, True


def _reaches_back(records: list[dict[int, bytes]], torn: EmvOutcome) -> bool:
    """Whether the log holds something older than the torn purchase: by the card's counter, or else by the day."""
    tag = Tag.COUNTER if Tag.COUNTER in torn.data else Tag.DATE
    return any(record.get(tag, b"\xff") < torn.data[tag] for record in records)
