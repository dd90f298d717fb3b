"""The issuer's host that releases grey cards online (JR/T 0025.9, CJ/T 304): the pumps' claims, paid once.

A station sends what its cards owe (`take`): the card's GTAC proves lock and balance, so a station can invent no lock
and claim no more than the card held; that this much was filled is the station's word, as with any purchase. A card that
comes to any counter is debited what is claimed for its lock, or not released while nothing is claimed. The pump's
record, with the card's MAC3 in the place of a TAC, goes into ``concluded``: no TAC key can check it afterwards, so the
clearing takes it on this host's word (`jinka.clearing`, attested records). Keeping the values is the caller's.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from typing import Protocol

from jinka.codec import Algorithm
from jinka.codec.clearing import ClearingRecord
from jinka.codec.record import CounterKind
from jinka.keys import KeyService, Purpose
from jinka.kit import Refused

CLAIMS_MAX = 1_000_000
_Lock = tuple[bytes, int]  # card, offline counter
_Place = tuple[bytes, int]  # card, online counter


class LockClaim(Protocol):
    """What a pump's hold says of the lock (`jinka.terminal.GreyHold` is one)."""

    @property
    def card_no(self) -> bytes: ...
    @property
    def key_version(self) -> int: ...
    @property
    def algorithm(self) -> Algorithm: ...
    @property
    def balance(self) -> int: ...
    @property
    def counter(self) -> int: ...
    @property
    def gtac(self) -> bytes: ...
    @property
    def gtac_data(self) -> bytes: ...


class PumpClaim(Protocol):
    """What a pump claims (`jinka.terminal.GreyClaim` is one)."""

    @property
    def hold(self) -> LockClaim: ...
    @property
    def amount(self) -> int: ...
    def record(self, txn_type: int, moment: bytes, business_date: dt.date) -> ClearingRecord: ...


class ReleaseQuestion(Protocol):
    """What a terminal asks (`jinka.terminal.ReleaseRequest` is one)."""

    @property
    def card_no(self) -> bytes: ...
    @property
    def algorithm(self) -> Algorithm: ...
    @property
    def key_version(self) -> int: ...
    @property
    def factor8(self) -> bytes: ...
    @property
    def rand4(self) -> bytes: ...
    @property
    def online_counter(self) -> int: ...
    @property
    def offline_counter(self) -> int: ...
    @property
    def balance(self) -> int: ...
    @property
    def type(self) -> int: ...
    @property
    def moment(self) -> bytes: ...
    @property
    def mac1(self) -> bytes: ...
    @property
    def mac1_data(self) -> bytes: ...
    def mac2_data(self, amount: int) -> bytes: ...
    def mac3_data(self, amount: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Authorised:
    request: ReleaseQuestion
    claim: PumpClaim
    business_date: dt.date


class ReleaseHost:
    """``claims`` by card and offline counter; ``concluded`` the pumps' records by card and online counter."""

    def __init__(
        self,
        keys: KeyService,
        business_date: dt.date,
        concluded: MutableMapping[_Place, ClearingRecord] | None = None,
    ) -> None:
        self._keys = keys
        self.business_date = business_date
        self.claims: dict[_Lock, PumpClaim] = {}
        self.waiting: dict[_Place, _Authorised] = {}
        self.concluded: MutableMapping[_Place, ClearingRecord] = {} if concluded is None else concluded
        self._settled = {(r.card_no, r.terminal_id, r.terminal_serial) for r in self.concluded.values()}

    def take(self, claim: PumpClaim) -> None:
        """Keep a station's claim; the same again is harmless. `Refused` for a false GTAC or another amount."""
        hold, where = claim.hold, "release.claim"
        if not 0 <= claim.amount <= hold.balance:
            raise Refused("more than the card held", where=where, fix="claim what was filled")
        self._keys.check_tac(
            algorithm=hold.algorithm,
            version=hold.key_version,
            factor8=hold.card_no[2:],
            data=hold.gtac_data,
            mac4=hold.gtac,
        )
        if _lock_of(claim) in self._settled:
            return  # released already: its record says so
        known = self.claims.get((hold.card_no, hold.counter))
        # An online release leaves the offline counter where it was, so another lock may stand under the same one.
        if known is not None and known.hold.gtac_data == hold.gtac_data and known.amount != claim.amount:
            raise Refused(f"claimed before as {known.amount}", where=where, fix="send the first claim")
        if known is None and len(self.claims) >= CLAIMS_MAX:
            raise Refused(
                f"{CLAIMS_MAX} claims are open", where=where, fix="clear the stations' records first"
            )
        self.claims[hold.card_no, hold.counter] = claim

    def release(self, request: ReleaseQuestion) -> tuple[int, bytes]:
        """Return (amount, MAC2); `Refused` for a wrong MAC1, or while no pump has claimed this lock."""
        self._check(request, request.mac1_data, request.mac1)
        if (request.card_no, request.online_counter) in self.concluded:
            raise Refused("the counter was used", where="release", fix="present the card again")
        claim = self.claims.get((request.card_no, request.offline_counter))
        if claim is None or claim.hold.balance != request.balance:
            raise Refused("no pump has claimed this lock yet", where="release", fix="come back later")
        self.waiting[request.card_no, request.online_counter] = _Authorised(
            request, claim, self.business_date
        )
        mac2 = self._keys.make_online_mac2(
            Purpose.UNLOAD,
            algorithm=request.algorithm,
            version=request.key_version,
            factor8=request.factor8,
            session_seed=(request.rand4, request.online_counter),
            data=request.mac2_data(claim.amount),
        )
        return claim.amount, mac2

    def released(self, card_no: bytes, online_counter: int, mac3: bytes) -> None:
        """Check MAC3 and pay the claim; again is harmless. Raises `Refused`."""
        place = (card_no, online_counter)
        known = self.concluded.get(place)
        if known is not None:
            if known.tac is None or not hmac.compare_digest(known.tac, mac3):
                raise Refused("concluded with another answer", where="release", fix="ask the issuer")
            return
        asked = self.waiting.get(place)
        if asked is None:
            raise Refused("nothing was authorised for this card", where="release", fix="ask the issuer")
        request, claim = asked.request, asked.claim
        self._check(request, request.mac3_data(claim.amount), mac3)
        record = claim.record(request.type, request.moment, asked.business_date)
        self.concluded[place] = replace(
            record.confirmed(mac3), counter=online_counter, counter_kind=CounterKind.ONLINE
        )
        self._settled.add(_lock_of(claim))
        del self.waiting[place]
        if self.claims.get((card_no, request.offline_counter)) is claim:
            del self.claims[card_no, request.offline_counter]

    def paid_offline(self, record: ClearingRecord) -> None:
        """A station's cleared record shows that the card paid at a pump after all: its claim is done with."""
        claim = self.claims.get((record.card_no, record.counter))
        if claim is not None and _lock_of(claim) == (
            record.card_no,
            record.terminal_id,
            record.terminal_serial,
        ):
            del self.claims[record.card_no, record.counter]

    def _check(self, request: ReleaseQuestion, data: bytes, mac: bytes) -> None:
        self._keys.check_online_mac(
            Purpose.UNLOAD,
            algorithm=request.algorithm,
            version=request.key_version,
            factor8=request.factor8,
            session_seed=(request.rand4, request.online_counter),
            data=data,
            mac4=mac,
        )


def _lock_of(claim: PumpClaim) -> tuple[bytes, bytes, int]:
    """Card, terminal and serial: a terminal gives each serial once."""
    made = claim.record(0, bytes(7), dt.date.min)
    return made.card_no, made.terminal_id, made.terminal_serial
