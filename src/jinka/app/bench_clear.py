"""`jinka bench clear`: records a second from Parquet to posted positions with every TAC checked, beside a plain loop.

Timed: read the records and the registry from Parquet, verify every TAC from the issuer's root, classify, judge the
chains, price, write the sorted outcomes, net, post to the SQLite ledger and settle. The peer does the heart of it
(read, TAC by `cryptography`, duplicates, totals) one record at a time on a sample. Each size is a process of its own,
and so is the making of its records, so that the peak of memory is the clearing's alone. Medians of the runs.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq

from jinka.app.bench_merkle import measure_tree
from jinka.app.keyring import open_keys, unlock_store
from jinka.app.make_records import DATE, RecordFolder, make_record_files
from jinka.app.workspace import Workspace
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
from jinka.keys import Purpose, SoftKeyService
from jinka.kit import JinkaError, Refused, Usage
from jinka.registry import Registry
from jinka.settlement import BusinessDay, post_day, post_opening, post_settlement, settlement_orders
from jinka.sim.parties import GOVERNMENT, ISSUER, SCHEME
from jinka.sim.records import HOLDER, SHARE_PERCENT, ZONE
from jinka.store import DuckEngine, SqlLedger, open_database

RUNS = 3
WRONG_SHARE = 0.01
CARDS_MAX = 20_000_000
_MANY = 5_000_000  # records beyond which one run has to do
_PEER_RECORDS = 20_000
_BYTES_EACH = 320  # on the disk for a record: it, its outcome, and what goes there beyond the limit of memory
_FEES = FeeTable(scheme=SCHEME, scheme_bp=10, issuer_bp=20, acquirer_bp=15)


def bench_clear(
    records: Sequence[int] = (1_000_000,),
    *,
    cards: int | None = None,
    threads: int = 2,
    runs: int = RUNS,
    memory_mib: int = 5_120,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Return the figures as a dictionary that JSON can hold. Raises `JinkaError` if a wrong TAC is missed.

    ``memory_mib`` is DuckDB's share: the batches under way, the verdicts of judged cards and Python come on top.
    """
    for count in records:
        if not 1000 <= count <= 200_000_000:
            raise Usage(f"{count} records", where="bench clear", fix="1,000 to 200,000,000")
    rows = []
    for count in records:
        with tempfile.TemporaryDirectory(prefix="jinka-bench-", dir=folder) as name:
            free, needed = shutil.disk_usage(name).free, count * _BYTES_EACH
            if free < needed:
                what = f"{count:,} records take up to {needed >> 30} GiB on the disk, {free >> 30} are free"
                raise Refused(what, where=name, fix="name a folder with --dir")
            asked = (Path(name), count, cards or max(1, min(count // 2, CARDS_MAX)), threads)
            _alone(_make, *asked[:3])
            row = _alone(_measure, *asked, runs if count <= _MANY else 1, memory_mib)
            rows.append(row | {"merkle_tree": _alone(measure_tree, Path(name) / "outcomes", threads)})
    if len(rows) == 1:
        return {"bench": "clear", **rows[0]}
    return {"bench": "clear", "sizes": rows}


def _alone(work: Any, *arguments: Any) -> Any:
    """Run it in a process of its own, whose peak of memory is nobody else's."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _make(folder: Path, records: int, cards: int) -> None:
    make_record_files(folder, records=records, cards=cards, bad=WRONG_SHARE)


def _measure(
    folder: Path, records: int, cards: int, threads: int, runs: int, memory_mib: int
) -> dict[str, Any]:
    warm_up()
    keys = open_keys(Workspace(folder), "440300")
    seconds, cpu = [], []
    for run in range(runs):
        start, used = time.perf_counter(), time.process_time()
        result = _clear(folder, keys, threads, memory_mib, run)
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    rejected = {row.reason: row.count for row in result.by_reason if row.outcome is not Outcome.PAID}
    if result.records != records or rejected != {Reason.WRONG_TAC: int(records * WRONG_SHARE)}:
        raise JinkaError(f"not exactly the wrong TACs were found: {rejected}", where="bench clear")
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sample = min(_PEER_RECORDS, records)
    peer_seconds = median(_peer(folder, sample) for _ in range(runs))
    rate, peer_rate = records / median(seconds), sample / peer_seconds
    return {
        "records": records,
        "distinct_cards": cards,
        "threads": threads,
        "seconds": [round(value, 3) for value in seconds],
        "rate_per_s": round(rate),
        "cpu_us_each": round(median(cpu) / records * 1e6, 2),
        "peer": "a loop over dicts with `cryptography`, one record at a time: TAC, duplicates, totals only",
        "peer_records": sample,
        "peer_rate_per_s": round(peer_rate),
        "ratio": round(rate / peer_rate, 1),
        "wrong_injected": int(records * WRONG_SHARE),
        "wrong_found": rejected[Reason.WRONG_TAC],
        "judged_cards": result.judged_cards,
        "paid": sum(row.count for row in result.by_reason if row.outcome is Outcome.PAID),
        "position_sum": sum(result.positions.values()),
        "peak_rss_mib": peak_mib,
    }


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


def _clear(folder: Path, keys: SoftKeyService, threads: int, memory_mib: int, run: int) -> DayResult:
    made = RecordFolder(path=folder)
    params = ClearingParams(
        business_date=DATE,
        window_from=dt.datetime.combine(DATE, dt.time()),
        window_to=dt.datetime.combine(DATE + dt.timedelta(days=1), dt.time()),
        purse_limit=1_000_000,
        zone=ZONE,
    )
    with DuckEngine(threads=threads, memory_limit=f"{memory_mib}MiB", spill=folder / "spill") as engine:
        tables = ClearingTables(
            records=engine.parquet(made.records),
            **{name: engine.parquet([made.registry(name)]) for name in Registry.SCHEMAS},
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
        ledger, day = SqlLedger(database), BusinessDay(date=DATE, zone=ZONE)
        found = post_opening(ledger, day, [(ISSUER, opening)])[1]
        found += post_day(ledger, day, result.net, issuer=ISSUER)[1]
        orders = settlement_orders(day, result.net, issuer=ISSUER)
        found += post_settlement(ledger, day, orders, issuer=ISSUER)[1]
    finally:
        database.dispose()
    if found:
        raise JinkaError(found[0].what, where=found[0].where)
    return result


def _peer(folder: Path, count: int) -> float:
    """Seconds that a straightforward loop takes for the heart of the work."""
    store = unlock_store(Workspace(folder)).store
    roots = {(kind, v): store.root(Purpose.TAC, kind, v) for kind in Algorithm for v in (1, 2, 3)}
    start = time.perf_counter()
    file = pq.ParquetFile(RecordFolder(path=folder).records[-1])
    rows = file.read_row_group(0).slice(0, count).to_pylist()
    count = len(rows)
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
