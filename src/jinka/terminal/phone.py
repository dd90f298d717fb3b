"""A phone's wallet: a tokenised card in the phone signs what is to be paid, and the screen shows it as a code.

The card is real and seen only as an `ApduLink`; its number is a token of the issuer's, bound to this device by the
card's own keys. The wallet runs the contactless kernel (JR/T 0025.12), asks for an online cryptogram, and puts it into
a code of EMV QRCPS Consumer-Presented Mode 1.1, with the amount and the date that the chip signed in the transparent
template. The counter makes a code pay once. Unlocking the phone stands for the holder's verification; it is not here.
"""

from __future__ import annotations

import datetime as dt

from jinka.codec import parse
from jinka.codec.emv_qr import Application, ConsumerCode, consumer_code
from jinka.codec.emv_tags import Tag
from jinka.kit import MAX_MINOR, Randomness, Refused
from jinka.terminal.emv_data import AidData, EmvDevice, Sale
from jinka.terminal.link import ApduLink
from jinka.terminal.qpboc import QpbocTerminal

_OWN = (
    Tag.AIP, Tag.AMOUNT, Tag.COUNTER, Tag.CRYPTOGRAM, Tag.DATE, Tag.ISSUER_DATA, Tag.UNPREDICTABLE,
)  # fmt: skip


class PhoneWallet:
    """Shows codes of the card in a phone. ``aid`` may be the beginning of the card's."""

    __slots__ = ("_reader",)

    def __init__(self, aid: bytes, randomness: Randomness) -> None:
        application = AidData(
            aid=aid, contactless_limit_fen=MAX_MINOR, contactless_floor_fen=0, contactless_cvm_fen=MAX_MINOR
        )
        self._reader = QpbocTerminal(EmvDevice(aids=(application,)), randomness)

    def present(self, link: ApduLink, amount_fen: int, at: dt.datetime) -> str:
        """The text of a code that pays this amount once; raises `Refused` when the card will not."""
        asked = _Asked()
        outcome = self._reader.tap(link, Sale(amount_fen=amount_fen, at=at, forced_online=True), asked)
        if not asked.request:
            raise Refused(
                f"the card gave no online cryptogram: {outcome.status.value}", where=outcome.step or "card",
                fix="renew the card in the phone",
            )  # fmt: skip
        values = {tag: value for tag, value, _ in parse(asked.request)} | dict(outcome.data)
        found = Application(
            aid=values[Tag.AID],
            values={int(tag): values[tag] for tag in (Tag.TRACK2, Tag.SEQUENCE) if tag in values},
            own={int(tag): values[tag] for tag in _OWN},
        )
        return consumer_code(ConsumerCode(applications=(found,)))


class _Asked:
    """Keeps the request; the issuer will be asked by the merchant's gateway, so nobody answers here."""

    def __init__(self) -> None:
        self.request = b""

    def authorise(self, request: bytes) -> bytes | None:
        """Keep it."""
        self.request = request
        return None
