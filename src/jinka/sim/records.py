"""Valid clearing records in bulk, with the registry that admits them: for benchmarks and large tests.

Every card's counters rise by one, every balance follows from the one before, every TAC is real (`jinka.crypto.bulk`)
unless it is one of the few that are made wrong on purpose. All is drawn from the seed. Simulated: no chip was asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
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

PROFILE, ZONE, REGION = "cn.shenzhen.transit", "Asia/Shanghai", "4403"
PRODUCT, SHARE_PERCENT, HOLDER = "ordinary", 80, 1
LOAD_FEN, OPENING_FEN = 5_000, 100_000
_OPERATORS, _BATCH_ROWS = 10, 500
_FIRST_SECOND, _LAST_SECOND = 6 * 3600, 23 * 3600


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
    if not 0 < cards <= count:
        raise Usage(f"{cards} cards for {count} records", where="make_records", fix="1 <= cards <= count")
    random = np.random.default_rng(seed)
    card = np.sort(np.arange(count, dtype=np.int64) % cards)
    first = np.searchsorted(card, np.arange(cards))
    place = np.arange(count) - first[card]
    taps = np.bincount(card, minlength=cards)[card]
    slot = (_LAST_SECOND - _FIRST_SECOND) // int(taps.max())
    if slot < 1:
        raise Usage("more taps than seconds on one card", where="make_records", fix="more cards")
    second = _FIRST_SECOND + place * slot + random.integers(0, slot, count)
    load = (place == 0) & (card % load_every == load_every - 1)
    gross = np.where(load, LOAD_FEN, random.integers(2, 10, count) * 100)
    amount = np.where(load, LOAD_FEN, gross * SHARE_PERCENT // 100)
    moved = np.cumsum(np.where(load, amount, -amount))
    before = np.concatenate([[0], moved])[first[card]]
    loads = np.cumsum(load)
    loads_before = np.concatenate([[0], loads])[first[card]]
    counter = np.where(load, 0, 1 + place - (loads - loads_before))
    terminals = max(_OPERATORS + 1, min(10_000, count // 200))
    terminal = np.where(load, 0, random.integers(1, terminals, count))  # terminal 0 is the load agent's
    columns: dict[str, Any] = {
        "card": card, "second": second, "load": load, "gross": gross, "amount": amount, "counter": counter,
        "balance": OPENING_FEN + moved - before, "terminal": terminal,
    }  # fmt: skip
    order = np.lexsort((second, terminal))
    columns = {name: values[order] for name, values in columns.items()}
    wrong = np.sort(random.choice(count, int(count * wrong_share), replace=False))
    records = _table(columns, roots, date, wrong, sm4_every)
    return MadeRecords(records=records, registry=_registry(cards, terminals, sm4_every), wrong_ids=wrong)


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


def _table(columns: dict[str, Any], roots: Roots, date: dt.date, wrong: Ints, sm4_every: int) -> pa.Table:
    card, terminal, load = columns["card"], columns["terminal"], columns["load"]
    count = len(card)
    start = np.searchsorted(terminal, terminal)
    serial = np.where(load, 0, np.arange(count) - start + 1)
    number = (np.arange(count) - start) // _BATCH_ROWS
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
        "batch_seq": pa.array(((np.arange(count) - start) % _BATCH_ROWS).astype(np.uint32)),
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
    return pa.table([*made.values(), pa.array(np.arange(count, dtype=np.int64))], schema=schema)


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


def _registry(cards: int, terminals: int, sm4_every: int) -> Registry:
    operators = tuple(
        Participant(
            code=code, role=Role.OPERATOR, region=REGION, name_en=f"Operator {code}", name_zh=f"运营商 {code}"
        )
        for code in _operator_names()[1:]
    )
    parties = (*common_parties(REGION), *operators)
    numbers, all_cards = np.arange(terminals), np.arange(cards)
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
        cards=pa.table(
            [_fixed(_card_numbers(all_cards)), _words(np.zeros(cards), [ISSUER]), _words(np.zeros(cards), [PROFILE]),
             pa.array(np.ones(cards, np.uint16)), pa.array(np.full(cards, HOLDER, np.uint8)),
             pa.array(_algorithms(all_cards, sm4_every)), pa.array((all_cards % 3 + 1).astype(np.uint8)),
             pa.array(np.ones(cards, np.uint16)), pa.array(np.zeros(cards, np.uint16)),
             pa.array(np.full(cards, OPENING_FEN, np.int64)), pa.array(np.ones(cards, np.uint8))],
            schema=CARDS,
        ),
        listings=LISTINGS.empty_table(),
        acknowledgements=ACKNOWLEDGEMENTS.empty_table(),
    )  # fmt: skip


__all__ = ["GOVERNMENT", "MadeRecords", "make_records"]
