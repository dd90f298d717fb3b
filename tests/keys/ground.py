"""Shared ground of the key tests: seeded randomness, a ceremony, and records with TACs made one by one."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pyarrow as pa

from jinka.codec import RECORD_SCHEMA, Algorithm, TransactionType
from jinka.crypto import diversify, mac4, tac_key
from jinka.keys import Ceremony, KeyStore, Purpose, SoftKeyService, hold_ceremony, open_store

ISSUER = "issuer.szt"
REGION = "440300"
CUSTODIANS = ("Zhao", "Qian", "Sun")


class Dice:
    """Seeded randomness."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = random.Random(seed)

    def token_bytes(self, count: int) -> bytes:
        return self.rng.randbytes(count)


def held(seed: int = 0, *, simulated: bool = True, issuer: str = ISSUER) -> Ceremony:
    return hold_ceremony(
        issuer=issuer, date="2018-09-01", custodians=CUSTODIANS, randomness=Dice(seed), simulated=simulated
    )


def store_of(ceremony: Ceremony) -> KeyStore:
    return open_store(ceremony.sealed, list(ceremony.shares[:2]))


def service(seed: int = 0, *, simulated: bool = True, threads: int = 1) -> SoftKeyService:
    ceremony = held(seed, simulated=simulated)
    return SoftKeyService.open(ceremony.sealed, list(ceremony.shares[1:]), region=REGION, threads=threads)


def row(seed: int, **changes: Any) -> dict[str, Any]:
    """One record as a dictionary, without a TAC."""
    dice = random.Random(seed)
    loaded = dice.random() < 0.2
    types = (
        [TransactionType.ED_LOAD, TransactionType.EP_LOAD]
        if loaded
        else [TransactionType.EP_PURCHASE, TransactionType.CAPP_PURCHASE, TransactionType.UNLOAD]
    )
    return {
        "batch": bytes(16),
        "batch_seq": seed,
        "state": 0,
        "card_no": bytes.fromhex(f"{dice.randrange(10**18):020d}"),
        "card_len": 18,
        "profile": "transit.shenzhen",
        "profile_version": 1,
        "txn_type": int(dice.choice(types)),
        "amount": dice.choice([0, 1, 250, 2**32 - 1]),
        "balance": dice.choice([0, 5000, 2**32 - 1]),
        "gross_fare": 300,
        "product": "full",
        "counter": dice.randrange(2**16),
        "counter_kind": int(loaded),
        "terminal_id": dice.randbytes(6),
        "terminal_serial": 0 if loaded else dice.randrange(2**32),
        "psam_id": bytes(10),
        "local_date": bytes.fromhex("20180901"),
        "local_time": bytes.fromhex(f"{dice.randrange(24):02d}1530"),
        "zone": "Asia/Shanghai",
        "business_date": dt.date(2018, 9, 1),
        "issuer": ISSUER,
        "acquirer": "acq.szt",
        "operator": "op.sz.bus",
        "line": None,
        "stop": None,
        "key_version": dice.randrange(1, 4),
        "algorithm": int(dice.choice(list(Algorithm))),
        "tac": None,
    } | changes


def right_tac(store: KeyStore, record: dict[str, Any]) -> bytes:
    """The TAC of one record, by the scalar steps of `jinka.crypto`; the layout is written out here once more."""
    algorithm = Algorithm(record["algorithm"])
    root = store.root(Purpose.TAC, algorithm, record["key_version"])
    key = tac_key(algorithm, diversify(algorithm, root, record["card_no"][2:]))
    amount, kind = record["amount"].to_bytes(4, "big"), bytes([record["txn_type"]])
    when = record["local_date"] + record["local_time"]
    if record["txn_type"] in (1, 2):
        head = record["balance"].to_bytes(4, "big") + record["counter"].to_bytes(2, "big")
        return mac4(algorithm, key, head + amount + kind + record["terminal_id"] + when)
    serial = record["terminal_serial"].to_bytes(4, "big")
    return mac4(algorithm, key, amount + kind + record["terminal_id"] + serial + when)


def signed(store: KeyStore, seed: int, **changes: Any) -> dict[str, Any]:
    record = row(seed, **changes)
    return record | {"tac": right_tac(store, record)}


def batch_of(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=RECORD_SCHEMA)
