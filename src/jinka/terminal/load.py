"""The load terminal: cash in, balance up, by the issuer's leave (JR/T 0025.1, INITIALIZE and CREDIT FOR LOAD).

The load key is the issuer's alone; the terminal carries MAC1 to the authority and MAC2 back to the card.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from jinka.codec import TransactionType
from jinka.codec.clearing import ClearingRecord
from jinka.codec.load import LoadRequest
from jinka.codec.record import CounterKind, RecordState
from jinka.kit import Refused, Usage, bcd_date, bcd_time
from jinka.terminal import torn
from jinka.terminal.link import ApduLink, CardRemoved, ask, ask_exactly
from jinka.terminal.reading import PublicData, card_algorithm, read_public, select, verify_pin
from jinka.terminal.torn import Unresolved

LOAD_PRODUCT = "load"
PASSBOOK, PURSE = 0x01, 0x02
_TYPES = {PASSBOOK: TransactionType.ED_LOAD, PURSE: TransactionType.EP_LOAD}
_AMOUNT_MAX = 0xFFFFFFFF


class LoadAuthority(Protocol):
    """The issuer's host."""

    def authorise(self, request: LoadRequest) -> bytes:
        """Check MAC1 and return MAC2, 4 bytes; raises `Refused`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDevice:
    """A load terminal's data; it has a number but no PSAM. ``purse`` 02, or 01 for a passbook."""

    terminal_id: bytes
    aid: bytes
    profile: str
    profile_version: int
    key_index: int
    zone: str
    operator: str
    acquirer: str
    issuers: Mapping[bytes, str]
    purse: int = PURSE


class LoadTerminal:
    """A counter or machine where cards are loaded."""

    __slots__ = ("_device", "business_date")

    def __init__(self, device: LoadDevice, business_date: dt.date) -> None:
        self._device, self.business_date = device, business_date

    def load(
        self, card: ApduLink, amount: int, at: dt.datetime, authority: LoadAuthority, *, pin: bytes = b""
    ) -> ClearingRecord:
        """Add ``amount``; the record is unconfirmed when the card went away at the last step. A passbook needs a PIN.

        Raises `Refused` (the authority's, or `ChipRefused` by the card) and `CardRemoved` before anything was paid.
        """
        if not 0 < amount <= _AMOUNT_MAX:
            raise Usage(f"a load of {amount}", where="load.amount", fix="1 to 2^32-1")
        device = self._device
        select(card, device.aid)
        public = read_public(card)
        issuer = device.issuers.get(public.issuer)
        if issuer is None:
            raise Refused("a card of an unknown issuer", where="load", fix="register the issuer")
        if pin:
            verify_pin(card, pin)
        amount4 = amount.to_bytes(4, "big")
        begin = (
            bytes((0x80, 0x50, 0x00, device.purse, 0x0B, device.key_index))
            + amount4
            + device.terminal_id
            + b"\x10"
        )
        opened = ask_exactly(card, "initialize for load", begin, 16)
        request = LoadRequest(
            card_no=public.card_no,
            algorithm=card_algorithm(opened[7], "initialize for load"),
            key_version=opened[6],
            rand4=opened[8:12],
            online_counter=opened[4] << 8 | opened[5],
            balance=int.from_bytes(opened[:4], "big"),
            amount=amount,
            terminal_id=device.terminal_id,
            local_date=bcd_date(at),
            local_time=bcd_time(at),
            mac1=opened[12:],
            txn_type=_TYPES[device.purse],
        )
        mac2 = authority.authorise(request)
        record = self._record(request, public, issuer)
        finish = b"\x80\x52\x00\x00\x0b" + request.local_date + request.local_time + mac2 + b"\x04"
        try:
            tac = ask(card, "credit for load", finish)
        except CardRemoved:
            return record
        return record.confirmed(tac) if len(tac) == 4 else record

    def _record(self, request: LoadRequest, public: PublicData, issuer: str) -> ClearingRecord:
        """The record before the card's answer: unconfirmed, without a TAC."""
        device, amount = self._device, request.amount
        return ClearingRecord(
            state=RecordState.UNCONFIRMED,
            card_no=public.card_no,
            card_len=public.card_len,
            profile=device.profile,
            profile_version=device.profile_version,
            txn_type=request.txn_type,
            amount=amount,
            balance=request.balance + amount,
            gross_fare=amount,
            product=LOAD_PRODUCT,
            counter=request.online_counter,
            counter_kind=CounterKind.ONLINE,
            terminal_id=device.terminal_id,
            terminal_serial=0,
            psam_id=bytes(10),
            local_date=request.local_date,
            local_time=request.local_time,
            zone=device.zone,
            business_date=self.business_date,
            issuer=issuer,
            acquirer=device.acquirer,
            operator=device.operator,
            line=None,
            stop=None,
            key_version=public.key_version,
            algorithm=public.algorithm,
            tac=None,
        )

    def question(self, card: ApduLink, challenge6: bytes, *, pin: bytes = b"") -> bytes:
        """The card's answer to INITIALIZE FOR LOAD over nothing, 16 bytes: its MAC1 binds the authority's challenge.

        It ends whatever load was begun on the card, and tells the authority by its counter whether one was carried out.
        """
        if len(challenge6) != 6:
            raise Usage("a challenge has 6 bytes", where="load.question", fix="ask the authority for one")
        select(card, self._device.aid)
        if pin:
            verify_pin(card, pin)
        head = bytes((0x80, 0x50, 0x00, self._device.purse, 0x0B, self._device.key_index))
        return ask_exactly(card, "initialize for load", head + bytes(4) + challenge6 + b"\x10", 16)

    def resolve(
        self, card: ApduLink, unconfirmed: ClearingRecord, *, pin: bytes = b""
    ) -> ClearingRecord | Unresolved:
        """Settle a torn load: the confirmed record, or why there is none."""
        return torn.resolve(card, self._device.aid, self._device.key_index, unconfirmed, pin=pin)
