"""The bank's counter: money back out of a passbook, and a new overdraft limit (JR/T 0025.1, unload and update).

Both are online, under keys that the issuer alone has: the terminal carries the card's MAC1 to the authority, MAC2 back,
and the card's last word (MAC3 of an unload, TAC of a limit) to the authority again, which then takes it as concluded.
Cash is handed out when `unload` returns a confirmed record, never before. The passbook opens with the holder's PIN.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from jinka.codec import Algorithm, TransactionType
from jinka.codec.clearing import ClearingRecord
from jinka.codec.record import CounterKind, RecordState
from jinka.kit import Refused, Usage, bcd_date, bcd_time
from jinka.terminal import torn
from jinka.terminal.link import ApduLink, CardRemoved, ask_exactly
from jinka.terminal.reading import PublicData, card_algorithm, read_public, select, verify_pin
from jinka.terminal.torn import Unresolved

UNLOAD_PRODUCT, LIMIT_PRODUCT = "unload", "overdraft limit"
_AMOUNT_MAX, _LIMIT_MAX = 0xFFFFFFFF, 0xFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What both requests hold. ``key_version`` is that of the session's key, ``tac_version`` that of the TAC key."""

    card_no: bytes
    algorithm: Algorithm
    key_version: int
    tac_algorithm: Algorithm
    tac_version: int
    rand4: bytes
    online_counter: int
    balance: int
    terminal_id: bytes
    moment: bytes  # date 4 | time 3, BCD
    mac1: bytes

    @property
    def factor8(self) -> bytes:
        """The factor of the card's keys."""
        return self.card_no[2:]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnloadRequest(_Question):
    """The card's answer to INITIALIZE FOR UNLOAD with what it was asked."""

    amount: int

    @property
    def mac1_data(self) -> bytes:
        """balance 4 | amount 4 | type 1 | terminal 6."""
        return self.balance.to_bytes(4, "big") + self.mac2_data[:11]

    @property
    def mac2_data(self) -> bytes:
        """amount 4 | type 1 | terminal 6 | date 4 | time 3."""
        kind = bytes((TransactionType.UNLOAD,))
        return self.amount.to_bytes(4, "big") + kind + self.terminal_id + self.moment

    @property
    def mac3_data(self) -> bytes:
        """new balance 4 | online counter before 2 | what MAC2 binds."""
        left = (self.balance - self.amount).to_bytes(4, "big")
        return left + self.online_counter.to_bytes(2, "big") + self.mac2_data


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRequest(_Question):
    """The card's answer to INITIALIZE FOR UPDATE with the limit that is wanted. ``balance`` includes the old limit."""

    old_limit: int
    new_limit: int

    @property
    def new_balance(self) -> int:
        """What can be spent with the new limit."""
        return self.balance - self.old_limit + self.new_limit

    @property
    def mac1_data(self) -> bytes:
        """balance 4 | old limit 3 | type 1 | terminal 6."""
        return self.balance.to_bytes(4, "big") + self.old_limit.to_bytes(3, "big") + self._head

    @property
    def mac2_data(self) -> bytes:
        """new limit 3 | type 1 | terminal 6 | date 4 | time 3."""
        return self.new_limit.to_bytes(3, "big") + self._head + self.moment

    @property
    def tac_data(self) -> bytes:
        """new balance 4 | online counter before 2 | what MAC2 binds."""
        return self.new_balance.to_bytes(4, "big") + self.online_counter.to_bytes(2, "big") + self.mac2_data

    @property
    def _head(self) -> bytes:
        return bytes((TransactionType.OVERDRAFT_LIMIT,)) + self.terminal_id


class UnloadAuthority(Protocol):
    """The issuer's host for unloads."""

    def authorise(self, request: UnloadRequest) -> bytes:
        """Check MAC1 and return MAC2, 4 bytes; raises `Refused`."""
        ...

    def conclude(self, record: ClearingRecord) -> None:
        """Check the MAC3 that the confirmed record carries, and book it once. Raises `Refused`."""
        ...


class LimitAuthority(Protocol):
    """The issuer's host for overdraft limits."""

    def authorise(self, request: LimitRequest) -> bytes:
        """Check MAC1 and return MAC2, 4 bytes; raises `Refused`."""
        ...

    def conclude(self, record: ClearingRecord) -> None:
        """Check the TAC that the confirmed record carries, and know the new limit. Raises `Refused`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PassbookDevice:
    """What a counter is told when it is set up; it has a number but no PSAM. The indices are those of the keys."""

    terminal_id: bytes
    aid: bytes
    profile: str
    profile_version: int
    unload_key_index: int
    limit_key_index: int
    zone: str
    operator: str
    acquirer: str
    issuers: Mapping[bytes, str]
    purse: int = 1  # 2 where an application without a passbook lets its purse be unloaded


class PassbookTerminal:
    """A counter of the bank. Records are unconfirmed when the card went away at the last step: see `resolve_unload`."""

    __slots__ = ("_device", "business_date")

    def __init__(self, device: PassbookDevice, business_date: dt.date) -> None:
        self._device, self.business_date = device, business_date

    def unload(
        self, card: ApduLink, amount: int, at: dt.datetime, authority: UnloadAuthority, *, pin: bytes = b""
    ) -> ClearingRecord:
        """Take ``amount`` off the passbook. Hand out cash for a confirmed record only.

        Raises `Refused` (the authority's, or `ChipRefused` by the card) and `CardRemoved`; a refusal of MAC3 leaves
        the card debited and the issuer to find out why.
        """
        if not 0 < amount <= _AMOUNT_MAX:
            raise Usage(f"an unload of {amount}", where="unload.amount", fix="1 to 2^32-1")
        public, issuer = self._open(card, pin)
        kid = self._device.unload_key_index
        begin = bytes((0x80, 0x50, 0x05, self._device.purse, 0x0B, kid)) + amount.to_bytes(4, "big")
        step = "initialize for unload"
        opened = ask_exactly(card, step, begin + self._device.terminal_id + b"\x10", 16)
        request = UnloadRequest(
            card_no=public.card_no,
            algorithm=card_algorithm(opened[7], step),
            key_version=opened[6],
            tac_algorithm=public.algorithm,
            tac_version=public.key_version,
            rand4=opened[8:12],
            online_counter=int.from_bytes(opened[4:6], "big"),
            balance=int.from_bytes(opened[:4], "big"),
            terminal_id=self._device.terminal_id,
            moment=bcd_date(at) + bcd_time(at),
            mac1=opened[12:],
            amount=amount,
        )
        if amount > request.balance:  # before anything is computed from what the card says
            raise Refused("the card shows less than that", where="unload.amount", fix="unload less")
        mac2 = authority.authorise(request)
        record = self._record(
            request, public, issuer, TransactionType.UNLOAD, amount, request.balance - amount
        )
        finish = bytes((0x80, 0x54, 0x03, 0x00, 0x0B)) + request.moment + mac2 + b"\x04"
        return _finish(card, "debit for unload", finish, record, authority)

    def change_limit(
        self, card: ApduLink, new_limit: int, at: dt.datetime, authority: LimitAuthority, *, pin: bytes = b""
    ) -> ClearingRecord:
        """Set the overdraft limit; the record's amount is the new limit, and it is no claim on anybody.

        Raises as `unload`.
        """
        if not 0 <= new_limit <= _LIMIT_MAX:
            raise Usage(f"a limit of {new_limit}", where="change_limit.new_limit", fix="0 to 2^24-1")
        public, issuer = self._open(card, pin)
        begin = bytes((0x80, 0x50, 0x04, 0x01, 0x07, self._device.limit_key_index))
        step = "initialize for update"
        opened = ask_exactly(card, step, begin + self._device.terminal_id + b"\x13", 19)
        request = LimitRequest(
            card_no=public.card_no,
            algorithm=card_algorithm(opened[10], step),
            key_version=opened[9],
            tac_algorithm=public.algorithm,
            tac_version=public.key_version,
            rand4=opened[11:15],
            online_counter=int.from_bytes(opened[4:6], "big"),
            balance=int.from_bytes(opened[:4], "big"),
            terminal_id=self._device.terminal_id,
            moment=bcd_date(at) + bcd_time(at),
            mac1=opened[15:],
            old_limit=int.from_bytes(opened[6:9], "big"),
            new_limit=new_limit,
        )
        if not 0 <= request.new_balance <= _AMOUNT_MAX:
            raise Refused(
                "more of the old limit is used than that", where="change_limit", fix="ask for a higher"
            )
        mac2 = authority.authorise(request)
        kind = TransactionType.OVERDRAFT_LIMIT
        record = self._record(request, public, issuer, kind, new_limit, request.new_balance)
        body = new_limit.to_bytes(3, "big") + request.moment + mac2
        finish = bytes((0x80, 0x58, 0x00, 0x00, 0x0E)) + body + b"\x04"
        return _finish(card, "update overdraw limit", finish, record, authority)

    def resolve_unload(
        self, card: ApduLink, unconfirmed: ClearingRecord, authority: UnloadAuthority, *, pin: bytes = b""
    ) -> ClearingRecord | Unresolved:
        """Settle a torn unload: the record whose MAC3 the authority took, or why there is none."""
        return self._resolve(card, unconfirmed, self._device.unload_key_index, authority, pin)

    def resolve_limit(
        self, card: ApduLink, unconfirmed: ClearingRecord, authority: LimitAuthority, *, pin: bytes = b""
    ) -> ClearingRecord | Unresolved:
        """Settle a torn change of the limit, as `resolve_unload`."""
        return self._resolve(card, unconfirmed, self._device.limit_key_index, authority, pin)

    def _resolve(
        self,
        card: ApduLink,
        unconfirmed: ClearingRecord,
        kid: int,
        authority: UnloadAuthority | LimitAuthority,
        pin: bytes,
    ) -> ClearingRecord | Unresolved:
        found = torn.resolve(card, self._device.aid, kid, unconfirmed, pin=pin)
        if isinstance(found, ClearingRecord):
            authority.conclude(found)
        return found

    def _open(self, card: ApduLink, pin: bytes) -> tuple[PublicData, str]:
        select(card, self._device.aid)
        public = read_public(card)
        issuer = self._device.issuers.get(public.issuer)
        if issuer is None:
            raise Refused("a card of an unknown issuer", where="passbook", fix="register the issuer")
        if pin:
            verify_pin(card, pin)
        return public, issuer

    def _record(
        self,
        request: UnloadRequest | LimitRequest,
        public: PublicData,
        issuer: str,
        kind: TransactionType,
        amount: int,
        balance: int,
    ) -> ClearingRecord:
        device = self._device
        return ClearingRecord(
            state=RecordState.UNCONFIRMED,
            card_no=public.card_no,
            card_len=public.card_len,
            profile=device.profile,
            profile_version=device.profile_version,
            txn_type=kind.value,
            amount=amount,
            balance=balance,
            gross_fare=amount,
            product=UNLOAD_PRODUCT if kind is TransactionType.UNLOAD else LIMIT_PRODUCT,
            counter=request.online_counter,
            counter_kind=CounterKind.ONLINE,
            terminal_id=device.terminal_id,
            terminal_serial=0,
            psam_id=bytes(10),
            local_date=request.moment[:4],
            local_time=request.moment[4:],
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


def _finish(
    card: ApduLink,
    step: str,
    command: bytes,
    record: ClearingRecord,
    authority: UnloadAuthority | LimitAuthority,
) -> ClearingRecord:
    """The command that moves the money; without an answer the record stays unconfirmed."""
    try:
        answer = ask_exactly(card, step, command, 4)
    except CardRemoved:
        return record
    confirmed = record.confirmed(answer)
    authority.conclude(confirmed)
    return confirmed
