"""The issuer's hosts of the passbook: unloads and overdraft limits authorised, concluded once (JR/T 0025.1).

An authorisation waits under card and online counter until the card's last word comes, at once or when a torn card is
seen again. MAC1 proves that the card still stands at that counter, so a new question takes the place of the old one;
a counter that was concluded is never authorised again. What waits and what is concluded is the caller's to keep.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, MutableMapping
from typing import Protocol, TypeVar

from jinka.codec import Algorithm, TransactionType
from jinka.codec.clearing import ClearingRecord
from jinka.keys import KeyService, Purpose
from jinka.kit import Refused

WAITING_MAX = 100_000
_Place = tuple[bytes, int]  # card, online counter
_Asked = TypeVar("_Asked")


class PassbookQuestion(Protocol):
    """What the terminal's requests for unload and limit have in common."""

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
    def mac1(self) -> bytes: ...
    @property
    def mac1_data(self) -> bytes: ...
    @property
    def mac2_data(self) -> bytes: ...
    @property
    def terminal_id(self) -> bytes: ...
    @property
    def moment(self) -> bytes: ...


class UnloadQuestion(PassbookQuestion, Protocol):
    """What a counter asks for an unload (`jinka.terminal.UnloadRequest` is one)."""

    @property
    def amount(self) -> int: ...
    @property
    def balance(self) -> int: ...
    @property
    def mac3_data(self) -> bytes: ...


class LimitQuestion(PassbookQuestion, Protocol):
    """What a counter asks for a new limit (`jinka.terminal.LimitRequest` is one)."""

    @property
    def new_limit(self) -> int: ...
    @property
    def new_balance(self) -> int: ...
    @property
    def tac_algorithm(self) -> Algorithm: ...
    @property
    def tac_version(self) -> int: ...
    @property
    def tac_data(self) -> bytes: ...


class UnloadHost:
    """Authorises unloads. ``concluded`` holds, by card and online counter, the records whose MAC3 was right.

    It may be given, and then it keeps what is put in (`MutableMapping`) before `conclude` returns.
    """

    def __init__(
        self, keys: KeyService, concluded: MutableMapping[_Place, ClearingRecord] | None = None
    ) -> None:
        self._keys = keys
        self.waiting: dict[_Place, UnloadQuestion] = {}
        self.concluded: MutableMapping[_Place, ClearingRecord] = {} if concluded is None else concluded

    def authorise(self, request: UnloadQuestion) -> bytes:
        """Return MAC2; `Refused` for a wrong MAC1, more than the balance, or a counter that was used."""
        if not 0 < request.amount <= request.balance:
            raise Refused("more than the card holds", where="unload.amount", fix="unload less")
        _require_type(request.mac2_data[4], TransactionType.UNLOAD)
        mac2 = _authorised(self._keys, Purpose.UNLOAD, request, self.waiting, self.concluded)
        self.waiting[request.card_no, request.online_counter] = request
        return mac2

    def conclude(self, record: ClearingRecord) -> None:
        """Take the card's MAC3 (the record's ``tac``) for what was authorised; again is harmless. Raises `Refused`."""
        request = _asked(record, self.waiting, self.concluded)
        if request is None:
            return
        told = (record.amount, record.balance, *_where(record))
        if told != (request.amount, request.balance - request.amount, *_origin(request)):
            raise Refused("not what was authorised", where="unload", fix="send the record as it was made")
        self._keys.check_online_mac(
            Purpose.UNLOAD,
            algorithm=request.algorithm,
            version=request.key_version,
            factor8=request.factor8,
            session_seed=(request.rand4, request.online_counter),
            data=request.mac3_data,
            mac4=record.tac or b"",
        )
        self.concluded[record.card_no, record.counter] = record
        del self.waiting[record.card_no, record.counter]


class LimitHost:
    """Authorises overdraft limits up to what each card may have (``most`` by card number; others get none)."""

    def __init__(
        self,
        keys: KeyService,
        *,
        most: Mapping[bytes, int],
        concluded: MutableMapping[_Place, ClearingRecord] | None = None,
    ) -> None:
        self._keys, self._most = keys, most
        self.waiting: dict[_Place, LimitQuestion] = {}
        self.concluded: MutableMapping[_Place, ClearingRecord] = {} if concluded is None else concluded

    def authorise(self, request: LimitQuestion) -> bytes:
        """Return MAC2; `Refused` for a wrong MAC1, more credit than the card may have, or a counter that was used."""
        if not 0 <= request.new_limit <= self._most.get(request.card_no, 0):
            raise Refused("more credit than this card may have", where="limit", fix="agree on a lower limit")
        _require_type(request.mac2_data[3], TransactionType.OVERDRAFT_LIMIT)
        mac2 = _authorised(self._keys, Purpose.OVERDRAFT, request, self.waiting, self.concluded)
        self.waiting[request.card_no, request.online_counter] = request
        return mac2

    def conclude(self, record: ClearingRecord) -> None:
        """Take the card's TAC for what was authorised; again is harmless. Raises `Refused`."""
        request = _asked(record, self.waiting, self.concluded)
        if request is None:
            return
        told = (record.amount, record.balance, *_where(record))
        if told != (request.new_limit, request.new_balance, *_origin(request)):
            raise Refused("not what was authorised", where="limit", fix="send the record as it was made")
        self._keys.check_tac(
            algorithm=request.tac_algorithm,
            version=request.tac_version,
            factor8=request.factor8,
            data=request.tac_data,
            mac4=record.tac or b"",
        )
        self.concluded[record.card_no, record.counter] = record
        del self.waiting[record.card_no, record.counter]


def _authorised(
    keys: KeyService,
    purpose: Purpose,
    request: PassbookQuestion,
    waiting: Mapping[_Place, object],
    concluded: Mapping[_Place, object],
) -> bytes:
    place = (request.card_no, request.online_counter)
    if place in concluded:
        raise Refused("the counter was used", where=purpose.value, fix="present the card again")
    if place not in waiting and len(waiting) >= WAITING_MAX:
        raise Refused(f"{WAITING_MAX} wait already", where=purpose.value, fix="settle what is torn first")
    seed = (request.rand4, request.online_counter)
    keys.check_online_mac(
        purpose,
        algorithm=request.algorithm,
        version=request.key_version,
        factor8=request.factor8,
        session_seed=seed,
        data=request.mac1_data,
        mac4=request.mac1,
    )
    return keys.make_online_mac2(
        purpose,
        algorithm=request.algorithm,
        version=request.key_version,
        factor8=request.factor8,
        session_seed=seed,
        data=request.mac2_data,
    )


def _asked(
    record: ClearingRecord, waiting: Mapping[_Place, _Asked], concluded: Mapping[_Place, ClearingRecord]
) -> _Asked | None:
    """What the record answers; None when the same answer was taken before."""
    place = (record.card_no, record.counter)
    known = concluded.get(place)
    if known is not None:
        if known.tac is None or not hmac.compare_digest(known.tac, record.tac or b"") or known != record:
            raise Refused("concluded with another answer", where="host", fix="ask the issuer")
        return None
    request = waiting.get(place)
    if request is None:
        raise Refused("nothing was authorised for this card and counter", where="host", fix="ask the issuer")
    return request


def _where(record: ClearingRecord) -> tuple[bytes, bytes]:
    return record.terminal_id, record.local_date + record.local_time


def _origin(request: PassbookQuestion) -> tuple[bytes, bytes]:
    return request.terminal_id, request.moment


def _require_type(found: int, wanted: TransactionType) -> None:
    if found != wanted:
        raise Refused(f"type {found:02X}", where="host", fix=f"{wanted:02X}")
