"""`jinka bench clear`: records a second from Parquet to posted positions with every TAC checked, beside a plain loop.

Timed: read the records and the registry from Parquet, verify every TAC from the issuer's root, classify, judge the
chains, price, write the sorted outcomes, net, post to the SQLite ledger and settle. The peer does the heart of it
(read, TAC by `cryptography`, duplicates, totals) one record at a time on a sample. The records are made by a process
of their own, so that the peak of memory is the clearing's. Medians of the runs.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import random
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq

from jinka.clearing import (
    ClearingParams,
    ClearingTables,
    DayResult,
    FeeTable,
    Outcome,
    Price,
    Reason,
    clear_day,
)
from jinka.codec import Algorithm
from jinka.crypto import diversify, mac4, tac_key
from jinka.crypto.bulk import warm_up
from jinka.keys import KeyStore, Purpose, SoftKeyService, hold_ceremony, open_store
from jinka.kit import JinkaError, Usage
from jinka.registry import Registry
from jinka.settlement import BusinessDay, post_day, post_opening, post_settlement, settlement_orders
from jinka.sim.parties import GOVERNMENT, ISSUER, SCHEME
from jinka.sim.records import HOLDER, SHARE_PERCENT, ZONE, Roots, make_records
from jinka.store import ROW_GROUP_ROWS, DuckEngine, SqlLedger, open_database

RUNS = 3
WRONG_SHARE = 0.01
_DATE = dt.date(2018, 9, 1)
_PEER_RECORDS = 20_000
_VERSIONS = (1, 2, 3)
_FEES = FeeTable(scheme=SCHEME, scheme_bp=10, issuer_bp=20, acquirer_bp=15)


class _Seeded:
    """Randomness for keys that protect nothing."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 keys of a benchmark

    def token_bytes(self, count: int) -> bytes:
        return self._rng.randbytes(count)


def bench_clear(records: int = 1_000_000, *, threads: int = 2, runs: int = RUNS) -> dict[str, Any]:
    """Return the figures as a dictionary that JSON can hold. Raises `JinkaError` if a wrong TAC is missed."""
    if not 1000 <= records <= 200_000_000:
        raise Usage(f"{records} records", where="bench clear", fix="1,000 to 200,000,000")
    with tempfile.TemporaryDirectory(prefix="jinka-bench-") as name:
        folder = Path(name)
        child = multiprocessing.get_context("spawn").Process(target=_make, args=(folder, records))
        child.start()
        child.join()
        if child.exitcode:
            raise JinkaError("the records could not be made", where="bench clear")
        warm_up()
        keys = SoftKeyService(_store(), region="440300")
        seconds = []
        for run in range(runs):
            start = time.perf_counter()
            result = _clear(folder, keys, threads, run)
            seconds.append(time.perf_counter() - start)
        rejected = {row.reason: row.count for row in result.by_reason if row.outcome is not Outcome.PAID}
        if result.records != records or rejected != {Reason.WRONG_TAC: int(records * WRONG_SHARE)}:
            raise JinkaError(f"not exactly the wrong TACs were found: {rejected}", where="bench clear")
        sample = min(_PEER_RECORDS, records)
        peer_seconds = median(_peer(folder, _roots(_store()), sample) for _ in range(runs))
        rate, peer_rate = records / median(seconds), sample / peer_seconds
        return {
            "bench": "clear",
            "records": records,
            "distinct_cards": _cards(records),
            "threads": threads,
            "seconds": [round(value, 3) for value in seconds],
            "rate_per_s": round(rate),
            "peer": "a loop over dicts with `cryptography`, one record at a time: TAC, duplicates, totals only",
            "peer_records": sample,
            "peer_rate_per_s": round(peer_rate),
            "ratio": round(rate / peer_rate, 1),
            "wrong_injected": int(records * WRONG_SHARE),
            "wrong_found": rejected[Reason.WRONG_TAC],
            "judged_cards": result.judged_cards,
            "paid": sum(row.count for row in result.by_reason if row.outcome is Outcome.PAID),
            "position_sum": sum(result.positions.values()),
            "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


def _cards(records: int) -> int:
    return max(1, records // 2)


def _store() -> KeyStore:
    ceremony = hold_ceremony(
        issuer=ISSUER, date="2018-09-01", custodians=("A", "B", "C"), randomness=_Seeded(2018), simulated=True
    )
    return open_store(ceremony.sealed, list(ceremony.shares))


def _roots(store: KeyStore) -> Roots:
    return {(kind, v): store.root(Purpose.TAC, kind, v) for kind in Algorithm for v in _VERSIONS}


def _make(folder: Path, records: int) -> None:
    made = make_records(
        records,
        cards=_cards(records),
        seed=2018,
        roots=_roots(_store()),
        date=_DATE,
        wrong_share=WRONG_SHARE,
    )
    pq.write_table(
        made.records,
        folder / "records.parquet",
        compression="zstd",
        compression_level=1,
        row_group_size=ROW_GROUP_ROWS,
    )
    for name in Registry.SCHEMAS:
        pq.write_table(getattr(made.registry, name), folder / f"{name}.parquet")


def _explain(pairs: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], Price]:
    return {
        pair: Price(
            charge=pair[1] * SHARE_PERCENT // 100,
            subsidy=pair[1] - pair[1] * SHARE_PERCENT // 100,
            payer=GOVERNMENT,
            holders=(HOLDER,),
        )
        for pair in pairs
    }


def _clear(folder: Path, keys: SoftKeyService, threads: int, run: int) -> DayResult:
    params = ClearingParams(
        business_date=_DATE,
        window_from=dt.datetime.combine(_DATE, dt.time()),
        window_to=dt.datetime.combine(_DATE + dt.timedelta(days=1), dt.time()),
        purse_limit=1_000_000,
        zone=ZONE,
    )
    with DuckEngine(threads=threads, memory_limit="6GB", spill=folder / "spill") as engine:
        tables = ClearingTables(
            records=engine.parquet([folder / "records.parquet"]),
            **{name: engine.parquet([folder / f"{name}.parquet"]) for name in Registry.SCHEMAS},
        )
        result = clear_day(
            engine,
            tables,
            params,
            keys=keys,
            explain=_explain,
            fees=_FEES,
            out=str(folder / "outcomes"),
        )
        opening = int(
            engine.collect(tables.cards.aggregate(total=tables.cards.opening_balance.sum()))["total"][
                0
            ].as_py()
        )
    database = open_database(folder / f"ledger-{run}.db")
    try:
        ledger, day = SqlLedger(database), BusinessDay(date=_DATE, zone=ZONE)
        found = post_opening(ledger, day, [(ISSUER, opening)])[1]
        found += post_day(ledger, day, result.net, issuer=ISSUER)[1]
        orders = settlement_orders(day, result.net, issuer=ISSUER)
        found += post_settlement(ledger, day, orders, issuer=ISSUER)[1]
    finally:
        database.dispose()
    if found:
        raise JinkaError(found[0].what, where=found[0].where)
    return result


def _peer(folder: Path, roots: Roots, count: int) -> float:
    """Seconds that a straightforward loop takes for the heart of the work."""
    start = time.perf_counter()
    file = pq.ParquetFile(folder / "records.parquet")
    rows = file.read_row_group(file.num_row_groups - 1).slice(0, count).to_pylist()
    seen: set[tuple[object, ...]] = set()
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        algorithm = Algorithm(row["algorithm"])
        root = roots[algorithm, row["key_version"]]
        key = tac_key(algorithm, diversify(algorithm, root, row["card_no"][2:]))
        data = row["amount"].to_bytes(4, "big") + bytes([row["txn_type"]]) + row["terminal_id"]
        if row["counter_kind"]:
            data = row["balance"].to_bytes(4, "big") + row["counter"].to_bytes(2, "big") + data
        else:
            data += row["terminal_serial"].to_bytes(4, "big")
        if mac4(algorithm, key, data + row["local_date"] + row["local_time"]) != row["tac"]:
            continue
        identity = (
            row["card_no"],
            row["terminal_id"],
            row["terminal_serial"],
            row["local_time"],
            row["amount"],
        )
        if identity not in seen:
            seen.add(identity)
            totals[row["operator"], row["product"]] += row["amount"]
    return time.perf_counter() - start
