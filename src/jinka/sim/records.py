"""Valid clearing records in bulk, with the registry that admits them: for benchmarks and large tests.

Every card's counters rise by one, every balance follows from the one before, every TAC is real (`jinka.crypto.bulk`)
unless it is one of the few that are made wrong on purpose. All is drawn from the seed. Simulated: no chip was asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jinka.codec import RECORD_SCHEMA, Algorithm, CounterKind, RecordState, TransactionType
from jinka.crypto import bulk
from jinka.kit import Usage
from jinka.registry import (
    ACKNOWLEDGEMENTS,
    CARDS,
    LISTINGS,
    PARTICIPANTS,
    PSAMS,
    TERMINALS,
    Participant,
    Registry,
    Role,
)
from jinka.sim.parties import ACQUIRER, GOVERNMENT, ISSUER, LOAD_AGENT, common_parties

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Roots = Mapping[tuple[Algorithm, int], bytes]  # the issuer's TAC roots by algorithm and key version

PROFILE, ZONE, REGION = "jinka.made.purse", "Asia/Shanghai", "4403"
PRODUCT, SHARE_PERCENT, HOLDER = "ordinary", 80, 1
LOAD_FEN, OPENING_FEN = 5_000, 100_000
RECORDS = pa.schema([*RECORD_SCHEMA, pa.field("record_id", pa.int64(), nullable=False)])
_OPERATORS, _BATCH_ROWS = 10, 500
_FIRST_SECOND, _LAST_SECOND = 6 * 3600, 23 * 3600
_BLOCK_CARDS = 1 << 20
_COMPACT = {
    "card": np.int32, "second": np.int32, "load": np.bool_, "gross": np.int32, "amount": np.int32,
    "counter": np.uint16, "balance": np.int32, "terminal": np.int16,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeRecords:
    """Records in intake order with ``record_id``, their registry, and the ids of those with a wrong TAC."""

    records: pa.Table
    registry: Registry
    wrong_ids: Ints


def make_records(
    count: int,
    *,
    cards: int,
    seed: int,
    roots: Roots,
    date: dt.date,
    wrong_share: float = 0.01,
    sm4_every: int = 5,
    load_every: int = 10,
) -> MadeRecords:
    """Make ``count`` records of ``cards`` cards: each ``sm4_every``-th is SM4, each ``load_every``-th loaded."""
    made = RecordMaker(
        count, cards=cards, seed=seed, roots=roots, date=date, wrong_share=wrong_share, sm4_every=sm4_every,
        load_every=load_every,
    )  # fmt: skip
    return MadeRecords(records=made.records(0, count), registry=made.registry(), wrong_ids=made.wrong_ids)


class RecordMaker:
    """The same records part by part: what is held of each is 25 bytes. Parameters as for `make_records`."""

    def __init__(
        self,
        count: int,
        *,
        cards: int,
        seed: int,
        roots: Roots,
        date: dt.date,
        wrong_share: float = 0.01,
        sm4_every: int = 5,
        load_every: int = 10,
    ) -> None:
        if not 0 < cards <= count:
            raise Usage(f"{cards} cards for {count} records", where="make_records", fix="1 <= cards <= count")
        self.count, self.cards = count, cards
        self._roots, self._date, self._sm4_every = roots, date, sm4_every
        self._terminals = max(_OPERATORS + 1, min(10_000, count // 200))
        random = np.random.default_rng(seed)
        columns: dict[str, list[npt.NDArray[Any]]] = {}
        for start in range(0, cards, _BLOCK_CARDS):
            block = self._block(start, min(start + _BLOCK_CARDS, cards), random, load_every)
            for name, values in block.items():
                columns.setdefault(name, []).append(values.astype(_COMPACT[name]))
        held = {name: np.concatenate(columns.pop(name)) for name in list(columns)}
        # In the order of intake: terminal by terminal, by time.
        order = np.argsort(held["terminal"].astype(np.int64) << 17 | held["second"], kind="stable")
        self._columns = {name: held.pop(name)[order] for name in list(held)}
        del order
        self._first = np.searchsorted(self._columns["terminal"], np.arange(self._terminals + 1))
        self.wrong_ids = np.sort(random.choice(count, int(count * wrong_share), replace=False))

    def _block(
        self, start: int, stop: int, random: np.random.Generator, load_every: int
    ) -> dict[str, npt.NDArray[Any]]:
        """The taps of some cards, card by card."""
        numbers = np.arange(start, stop, dtype=np.int64)
        taps_of = self.count // self.cards + (numbers < self.count % self.cards)
        card, count = np.repeat(numbers, taps_of), int(taps_of.sum())
        first = np.repeat(np.cumsum(taps_of) - taps_of, taps_of)
        place = np.arange(count) - first
        most = self.count // self.cards + (self.count % self.cards > 0)
        slot = (_LAST_SECOND - _FIRST_SECOND) // most
        if slot < 1:
            raise Usage("more taps than seconds on one card", where="make_records", fix="more cards")
        second = _FIRST_SECOND + place * slot + random.integers(0, slot, count)
        load = (place == 0) & (card % load_every == load_every - 1)
        gross = np.where(load, LOAD_FEN, random.integers(2, 10, count) * 100)
        amount = np.where(load, LOAD_FEN, gross * SHARE_PERCENT // 100)
        moved = np.cumsum(np.where(load, amount, -amount))
        before = np.concatenate([[0], moved])[first]
        loads = np.cumsum(load)
        loads_before = np.concatenate([[0], loads])[first]
        # Terminal 0 is the load agent's.
        terminal = np.where(load, 0, random.integers(1, self._terminals, count))
        return {
            "card": card, "second": second, "load": load, "gross": gross, "amount": amount,
            "counter": np.where(load, 0, 1 + place - (loads - loads_before)),
            "balance": OPENING_FEN + moved - before, "terminal": terminal,
        }  # fmt: skip

    def records(self, start: int, stop: int) -> pa.Table:
        """The records of these numbers, as they come in."""
        columns: dict[str, Any] = {name: values[start:stop] for name, values in self._columns.items()}
        columns |= {name: column.astype(np.int64) for name, column in columns.items() if name != "load"}
        columns["place"] = np.arange(start, stop) - self._first[columns["terminal"]]
        wrong = self.wrong_ids[(self.wrong_ids >= start) & (self.wrong_ids < stop)] - start
        return _table(columns, self._roots, self._date, wrong, self._sm4_every, start)

    def registry(self, *, with_cards: bool = True) -> Registry:
        """What admits the records. Of many cards `cards_in_parts` makes less at a time."""
        return _registry(self.cards if with_cards else 0, self._terminals, self._sm4_every)

    def cards_in_parts(self, rows: int) -> Iterator[pa.Table]:
        """The registry's cards, at most ``rows`` at a time."""
        for start in range(0, self.cards, rows):
            yield _card_table(np.arange(start, min(start + rows, self.cards)), self._sm4_every)


def _bcd(numbers: npt.NDArray[Any], width: int) -> Bytes:
    """Numbers as ``(N, width)`` BCD bytes, right-justified."""
    out = np.empty((len(numbers), width), np.uint8)
    rest = numbers.astype(np.int64)
    for i in range(width - 1, -1, -1):
        rest, pair = np.divmod(rest, 100)
        out[:, i] = pair // 10 * 16 + pair % 10
    return out


def _card_numbers(cards: npt.NDArray[Any]) -> Bytes:
    return np.concatenate([np.zeros((len(cards), 2), np.uint8), _bcd(cards + 4403 * 10**12, 8)], axis=1)


def _algorithms(cards: npt.NDArray[Any], sm4_every: int) -> npt.NDArray[np.uint8]:
    sm4 = cards % sm4_every == sm4_every - 1 if sm4_every else np.zeros(len(cards), np.bool_)
    return np.where(sm4, int(Algorithm.SM4), int(Algorithm.TDES)).astype(np.uint8)


def _fixed(matrix: Bytes) -> pa.Array:
    data = pa.py_buffer(np.ascontiguousarray(matrix))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(matrix.shape[1]), len(matrix), [None, data])


def _words(codes: npt.NDArray[Any], words: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(words)).cast(pa.string())


def _operator_names() -> list[str]:
    return [LOAD_AGENT] + [f"op.sz.{n:02d}" for n in range(1, _OPERATORS + 1)]


def _operator_of(terminals: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.where(terminals == 0, 0, 1 + terminals % _OPERATORS)


def _table(
    columns: dict[str, Any], roots: Roots, date: dt.date, wrong: Ints, sm4_every: int, start: int
) -> pa.Table:
    card, terminal, load, place = (columns[name] for name in ("card", "terminal", "load", "place"))
    count = len(card)
    serial, number = np.where(load, 0, place + 1), place // _BATCH_ROWS
    batch = np.zeros((count, 16), np.uint8)
    batch[:, 4:8] = (number + 1).astype(">u4").view(np.uint8).reshape(count, 4)
    batch[:, 10:] = _bcd(terminal, 6)
    day = np.frombuffer(bytes.fromhex(date.strftime("%Y%m%d")), np.uint8)
    clock = columns["second"]
    values = {
        "card_no": _card_numbers(card),
        "terminal_id": _bcd(terminal + 10**6, 6),
        "local_date": np.broadcast_to(day, (count, 4)),
        "local_time": _bcd(clock // 3600 * 10_000 + clock // 60 % 60 * 100 + clock % 60, 3),
        "serial": serial.astype(np.uint32),
        "type": np.where(load, int(TransactionType.EP_LOAD), int(TransactionType.CAPP_PURCHASE)).astype(
            np.uint8
        ),
        "algorithm": _algorithms(card, sm4_every),
        "version": (card % 3 + 1).astype(np.uint8),
    }
    tacs = _tacs(columns, values, roots)
    tacs[wrong] ^= 0x01
    offsets = pa.py_buffer(np.arange(0, 4 * count + 1, 4, dtype=np.int32))
    psams = np.where(load[:, None], 0, _bcd(terminal, 10)).astype(np.uint8)

    def same(word: str) -> pa.Array:
        return _words(np.zeros(count, np.int32), [word])

    made = {
        "batch": _fixed(batch),
        "batch_seq": pa.array((place % _BATCH_ROWS).astype(np.uint32)),
        "state": pa.array(np.full(count, int(RecordState.CONFIRMED), np.uint8)),
        "card_no": _fixed(values["card_no"]),
        "card_len": pa.array(np.full(count, 16, np.uint8)),
        "profile": same(PROFILE),
        "profile_version": pa.array(np.ones(count, np.uint16)),
        "txn_type": pa.array(values["type"]),
        "amount": pa.array(columns["amount"]),
        "balance": pa.array(columns["balance"]),
        "gross_fare": pa.array(columns["gross"]),
        "product": _words(load, [PRODUCT, "load"]),
        "counter": pa.array(columns["counter"].astype(np.uint16)),
        "counter_kind": pa.array(
            np.where(load, int(CounterKind.ONLINE), int(CounterKind.OFFLINE)).astype(np.uint8)
        ),
        "terminal_id": _fixed(values["terminal_id"]),
        "terminal_serial": pa.array(values["serial"]),
        "psam_id": _fixed(psams),
        "local_date": _fixed(values["local_date"]),
        "local_time": _fixed(values["local_time"]),
        "zone": same(ZONE),
        "business_date": pa.array(np.full(count, np.datetime64(date, "D"))),
        "issuer": same(ISSUER),
        "acquirer": same(ACQUIRER),
        "operator": _words(_operator_of(terminal), _operator_names()),
        "line": _words(terminal % 97, [f"{n:03d}" for n in range(97)]),
        "stop": pa.nulls(count, pa.string()),
        "key_version": pa.array(values["version"]),
        "algorithm": pa.array(values["algorithm"]),
        "tac": pa.Array.from_buffers(
            pa.binary(), count, [None, offsets, pa.py_buffer(np.ascontiguousarray(tacs))]
        ),
    }
    schema = pa.schema([*RECORD_SCHEMA, pa.field("record_id", pa.int64(), nullable=False)])
    return pa.table(
        [*made.values(), pa.array(np.arange(start, start + count, dtype=np.int64))], schema=schema
    )


def _tacs(columns: dict[str, Any], values: dict[str, Any], roots: Roots) -> Bytes:
    """The TACs of all rows, group by group of algorithm, version and kind."""
    out = np.zeros((len(values["type"]), 4), np.uint8)
    for (algorithm, version), root in roots.items():
        mine = (values["algorithm"] == int(algorithm)) & (values["version"] == version)
        block, make = (8, bulk.tdes_tacs) if algorithm is Algorithm.TDES else (16, bulk.sm4_tacs)
        for load in (False, True):
            rows = np.flatnonzero(mine & (columns["load"] == load))
            if not len(rows):
                continue
            shared = {
                "amount": columns["amount"][rows],
                "txn_type": values["type"][rows],
                "terminal_id": values["terminal_id"][rows],
                "date": np.ascontiguousarray(values["local_date"][rows]),
                "time": values["local_time"][rows],
                "block": block,
            }
            if load:
                messages = bulk.load_messages(
                    balance=columns["balance"][rows],
                    counter=columns["counter"][rows].astype(np.uint16),
                    **shared,
                )
            else:
                messages = bulk.purchase_messages(terminal_serial=values["serial"][rows], **shared)
            factors = np.ascontiguousarray(values["card_no"][rows][:, 2:])
            out[rows] = make(root, factors, messages)
    return out


def _card_table(numbers: Ints, sm4_every: int) -> pa.Table:
    count = len(numbers)
    return pa.table(
        [_fixed(_card_numbers(numbers)), _words(np.zeros(count), [ISSUER]), _words(np.zeros(count), [PROFILE]),
         pa.array(np.ones(count, np.uint16)), pa.array(np.full(count, HOLDER, np.uint8)),
         pa.array(_algorithms(numbers, sm4_every)), pa.array((numbers % 3 + 1).astype(np.uint8)),
         pa.array(np.ones(count, np.uint16)), pa.array(np.zeros(count, np.uint16)),
         pa.array(np.full(count, OPENING_FEN, np.int64)), pa.array(np.ones(count, np.uint8))],
        schema=CARDS,
    )  # fmt: skip


def _registry(cards: int, terminals: int, sm4_every: int) -> Registry:
    operators = tuple(
        Participant(
            code=code, role=Role.OPERATOR, region=REGION, name_en=f"Operator {code}", name_zh=f"运营商 {code}"
        )
        for code in _operator_names()[1:]
    )
    parties = (*common_parties(REGION), *operators)
    numbers = np.arange(terminals)
    ids, active = _fixed(_bcd(numbers + 10**6, 6)), pa.array(np.ones(terminals, np.uint8))
    return Registry(
        participants=pa.Table.from_pylist(
            [{"code": p.code, "role": p.role.value, "region": p.region, "name_en": p.name_en, "name_zh": p.name_zh}
             for p in parties],
            schema=PARTICIPANTS,
        ),
        terminals=pa.table(
            [ids, pa.array([f"T{n}" for n in numbers]), _words(_operator_of(numbers), _operator_names()),
             _words(np.zeros(terminals), [ACQUIRER]), pa.nulls(terminals, pa.string()),
             pa.nulls(terminals, pa.string()), active],
            schema=TERMINALS,
        ),
        psams=pa.table([_fixed(_bcd(numbers, 10)), ids, active], schema=PSAMS),
        cards=_card_table(np.arange(cards), sm4_every),
        listings=LISTINGS.empty_table(),
        acknowledgements=ACKNOWLEDGEMENTS.empty_table(),
    )  # fmt: skip


__all__ = ["GOVERNMENT", "MadeRecords", "RecordMaker", "make_records"]
