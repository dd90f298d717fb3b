"""A meter that is fed by card: it credits a purchase order once and answers with its readings.

CJ/T 166 has such cards without their layout; the records, their names and the order of things here are Jinka's own.
The meter proves itself to the card and the card to the meter by one secured reading (class 04: a MAC both ways under
the card's maintenance key, which the meter's module derives), so a copy of what can be read from a card is no card.
A recorded session could be played again, and gains nothing: an order is credited once, by the one meter it names.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from jinka.codec.fields import decode_field
from jinka.kit import Refused, Usage
from jinka.profile.records import RecordSpec
from jinka.terminal.entitlement import write_records
from jinka.terminal.link import ApduLink, ChipRefused, ask, ask_exactly
from jinka.terminal.maintenance import MacProvider
from jinka.terminal.reading import read_public, select

ORDER, ORDER_AMOUNT, ORDER_METER = "order number", "order amount", "order meter"
CREDITED, READING, LEFT, OWED = "credited order", "reading", "left", "owed"
_MAC = 4


class MeterState(Enum):
    """What the valve or the relay does."""

    CLOSED = "closed"
    OPEN = "open"
    EMERGENCY = "open on emergency credit"
    REMOVED = "taken out"


class MeterEvent(Enum):
    CREDIT = "credit"
    USED_UP = "used up"
    EMERGENCY = "emergency credit called"
    REMOVED = "taken out"


# Where no row stands, the event is refused.
TRANSITIONS: Mapping[tuple[MeterState, MeterEvent], MeterState] = {
    (MeterState.CLOSED, MeterEvent.CREDIT): MeterState.OPEN,
    (MeterState.CLOSED, MeterEvent.EMERGENCY): MeterState.EMERGENCY,
    (MeterState.OPEN, MeterEvent.CREDIT): MeterState.OPEN,
    (MeterState.OPEN, MeterEvent.USED_UP): MeterState.CLOSED,
    (MeterState.EMERGENCY, MeterEvent.CREDIT): MeterState.OPEN,
    (MeterState.EMERGENCY, MeterEvent.USED_UP): MeterState.CLOSED,
    (MeterState.CLOSED, MeterEvent.REMOVED): MeterState.REMOVED,
    (MeterState.OPEN, MeterEvent.REMOVED): MeterState.REMOVED,
    (MeterState.EMERGENCY, MeterEvent.REMOVED): MeterState.REMOVED,
}


class MeterRefused(Refused):
    """The meter does not take the card, or does not do it; ``reason`` is its code."""

    def __init__(self, reason: str, number: int) -> None:
        super().__init__(reason, where=f"meter {number}")
        self.reason = reason


@dataclass(slots=True)
class CardMeter:
    """One meter. Quantities are litres or watt-hours; ``emergency`` is the most that it lends, once an order."""

    number: int
    emergency: int = 0
    state: MeterState = MeterState.CLOSED
    bound: bytes = b""  # the card of its first insertion
    last_order: int = 0
    reading: int = 0
    left: int = 0
    owed: int = 0

    def insert(self, link: ApduLink, macs: MacProvider, *, aid: bytes, records: Sequence[RecordSpec]) -> int:
        """Take the card: what is credited, 0 for an order that was credited before; the answer is on the card then.

        Raises `MeterRefused` (COPIED_CARD, OTHER_CARD, OTHER_METER) and changes nothing. The meter keeps the order
        before it writes its answer: a card that is pulled away is answered at its next insertion.
        """
        self._require_in_place()
        by_name = {spec.name: spec for spec in records}
        select(link, aid)
        card_no = read_public(link).card_no
        if self.bound and card_no != self.bound:
            raise MeterRefused("OTHER_CARD", self.number)
        said = {
            name: self._proven(link, macs, card_no, by_name[name])
            for name in (ORDER, ORDER_AMOUNT, ORDER_METER)
        }
        if said[ORDER_METER] and said[ORDER_METER] != self.number:
            raise MeterRefused("OTHER_METER", self.number)
        credited = 0
        if said[ORDER_METER] and said[ORDER] > self.last_order:
            credited = said[ORDER_AMOUNT]
            self._credit(credited, said[ORDER])
            self.bound = card_no
        answer = {CREDITED: self.last_order, READING: self.reading, LEFT: self.left, OWED: self.owed}
        write_records(
            link, macs, aid=aid, card_no=card_no, records=records,
            values={name: str(value) for name, value in answer.items()},
        )  # fmt: skip
        return credited

    def draw(self, amount: int) -> int:
        """What flows of ``amount`` before the meter closes."""
        self._require_in_place()
        if self.state is MeterState.CLOSED:
            return 0
        lent = self.state is MeterState.EMERGENCY
        flows = min(amount, self.emergency - self.owed if lent else self.left)
        self.reading += flows
        if lent:
            self.owed += flows
        else:
            self.left -= flows
        if (self.owed >= self.emergency) if lent else not self.left:
            self._become(MeterEvent.USED_UP)
        return flows

    def call_emergency(self) -> int:
        """Open on what the meter lends until the next order: how much there is. Raises `MeterRefused`."""
        self._require_in_place()
        if self.owed >= self.emergency:
            raise MeterRefused("NO_EMERGENCY_CREDIT", self.number)
        self._become(MeterEvent.EMERGENCY)
        return self.emergency - self.owed

    def replaced_by(self, number: int) -> CardMeter:
        """A new meter takes over reading, rest, debt, card and last order; this one is taken out."""
        heir = CardMeter(
            number=number, emergency=self.emergency, state=self.state, bound=self.bound, last_order=self.last_order,
            reading=self.reading, left=self.left, owed=self.owed,
        )  # fmt: skip
        self._become(MeterEvent.REMOVED)
        self.left = 0
        return heir

    def _credit(self, amount: int, order: int) -> None:
        """What was lent is taken back first; an order that does not cover it leaves the rest owed."""
        repaid = min(self.owed, amount)
        self.owed -= repaid
        self.left += amount - repaid
        self.last_order = order
        if self.left:
            self._become(MeterEvent.CREDIT)

    def _become(self, event: MeterEvent) -> None:
        try:
            self.state = TRANSITIONS[self.state, event]
        except KeyError:
            raise MeterRefused(f"NOT_WHEN_{self.state.name}", self.number) from None

    def _require_in_place(self) -> None:
        if self.state is MeterState.REMOVED:
            raise MeterRefused("TAKEN_OUT", self.number)

    def _proven(self, link: ApduLink, macs: MacProvider, card_no: bytes, spec: RecordSpec) -> int:
        """A record's number, read so that both sides prove the key."""
        size = spec.length + 2
        try:
            rand4 = ask_exactly(link, "get challenge", bytes.fromhex("0084000004"), 4)
            head = bytes((0x04, 0xB2, spec.number, (spec.fid & 0x1F) << 3 | 0x04, _MAC))
            raw = ask(
                link, f"read {spec.name}", head + macs.message_mac(card_no, rand4, head) + bytes((size,))
            )
            body, mac = raw[:-_MAC], raw[-_MAC:]
            if not hmac.compare_digest(macs.message_mac(card_no, rand4, body), mac):
                raise MeterRefused("COPIED_CARD", self.number)
            if len(body) != size or body[:2] != bytes((spec.number, spec.length)):
                raise MeterRefused("NO_ORDER", self.number)
            return int(decode_field(spec.coding, body[2:]) or 0)
        except (ChipRefused, Usage):
            raise MeterRefused("COPIED_CARD", self.number) from None
