"""The grey lock as a terminal sees it: a lock in force, the claim that settles it, and what the card last did.

JR/T 0025.9; layouts as in `jinka.profile.GreySpec`. A claim is a value: whoever holds it, at whatever station, can
release the card with it, and the record is the pump's that gave the fuel. No key is here; the PSAM made the GMAC.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jinka.codec import Algorithm
from jinka.codec.clearing import ClearingRecord
from jinka.codec.record import CounterKind, RecordState
from jinka.terminal.link import ApduLink, ask_exactly

READ_PROOF = bytes.fromhex("E0CA00001E")
CLEAR_PROOF = bytes.fromhex("E0CA01001E")
NOT_GREY, GREY, TAC_UNREAD = 0x00, 0x01, 0x10


@dataclass(frozen=True, slots=True, kw_only=True)
class LockProof:
    """GET LOCK PROOF: what is locked, or what released it last. ``value`` is the amount, or MAC2 while grey."""

    state: int
    type: int
    purse: int
    balance: int
    counter: int
    terminal_id: bytes
    moment: bytes
    value: bytes
    mac: bytes

    @property
    def amount(self) -> int:
        """The amount of a release."""
        return int.from_bytes(self.value, "big")


def read_proof(card: ApduLink) -> LockProof:
    """Ask the card; raises `ChipRefused` for one without a grey lock."""
    raw = ask_exactly(card, "get lock proof", READ_PROOF, 30)
    return LockProof(
        state=raw[0],
        type=raw[1],
        purse=raw[2],
        balance=int.from_bytes(raw[3:7], "big"),
        counter=int.from_bytes(raw[7:9], "big"),
        terminal_id=raw[9:15],
        moment=raw[15:22],
        value=raw[22:26],
        mac=raw[26:],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GreyHold:
    """A card that this pump locked. ``certain`` is False when the card went away before it answered.

    ``gtac`` is the card's word to its issuer that it was locked here with this balance; empty while not certain.
    """

    card_no: bytes
    card_len: int
    issuer: str
    key_version: int
    algorithm: Algorithm
    balance: int
    counter: int
    serial: bytes
    moment: bytes
    locked_at: dt.datetime
    terminal_id: bytes
    psam_id: bytes
    station: str
    operator: str
    acquirer: str
    profile: str
    profile_version: int
    zone: str
    product: str
    lock_type: int
    gtac: bytes = b""
    certain: bool = True
    most_fen: int = 0  # what the card may buy at a time; 0 for any

    @property
    def most(self) -> int:
        """What may flow: never more than the balance, nor than the card may buy at a time."""
        return min(self.balance, self.most_fen or self.balance)

    @property
    def gtac_data(self) -> bytes:
        """balance 4 | counter 2 | type 1 | terminal 6 | serial 4 | date 4 | time 3: what the GTAC binds."""
        seen = self.balance.to_bytes(4, "big") + self.counter.to_bytes(2, "big")
        return seen + bytes((self.lock_type,)) + self.terminal_id + self.serial + self.moment

    def locked_by(self, proof: LockProof) -> bool:
        """Whether the lock that the card shows is this one."""
        shown = (proof.terminal_id, proof.counter, proof.moment)
        return proof.state == GREY and shown == (self.terminal_id, self.counter, self.moment)

    def __repr__(self) -> str:
        return f"GreyHold(******{self.card_no.hex()[-4:]}, counter {self.counter}, certain={self.certain})"


@dataclass(frozen=True, slots=True, kw_only=True)
class GreyClaim:
    """What releases a hold: the amount and the PSAM's GMAC for it."""

    hold: GreyHold
    amount: int
    gmac: bytes

    def debit(self, purse: int, moment: bytes) -> bytes:
        """DEBIT FOR UNLOCK in the name of the pump that gave the fuel."""
        hold = self.hold
        data = (
            self.amount.to_bytes(4, "big")
            + hold.counter.to_bytes(2, "big")
            + hold.terminal_id
            + hold.serial
            + moment
            + self.gmac
        )
        return bytes((0xE0, 0x7E, 0x08, purse, len(data))) + data + b"\x04"

    def record(self, txn_type: int, moment: bytes, business_date: dt.date) -> ClearingRecord:
        """The clearing record before the card's TAC is known, for the business day on which it comes to be."""
        hold = self.hold
        return ClearingRecord(
            state=RecordState.UNCONFIRMED,
            card_no=hold.card_no,
            card_len=hold.card_len,
            profile=hold.profile,
            profile_version=hold.profile_version,
            txn_type=txn_type,
            amount=self.amount,
            balance=hold.balance - self.amount,
            gross_fare=self.amount,
            product=hold.product,
            counter=hold.counter,
            counter_kind=CounterKind.OFFLINE,
            terminal_id=hold.terminal_id,
            terminal_serial=int.from_bytes(hold.serial, "big"),
            psam_id=hold.psam_id,
            local_date=moment[:4],
            local_time=moment[4:],
            zone=hold.zone,
            business_date=business_date,
            issuer=hold.issuer,
            acquirer=hold.acquirer,
            operator=hold.operator,
            line=None,
            stop=hold.station,
            key_version=hold.key_version,
            algorithm=hold.algorithm,
            tac=None,
        )
