"""`jinka bench ledger`: transfers a second on each engine, beside plain SQL, one statement after another.

Calls of 8,190 transfers, each call one durable transaction, between 10,000 accounts drawn at random. ``limited``: every
debit account must not exceed its credits. ``linked``: chains of two. ``two_phase``: calls of holds, then calls that
post them. The transfers are made before the clock starts. The peer does the least that a program would: insert the
transfer and add to two balances, one transaction for a call, with no check but the engine's unique id. ``--prefill``
measures once more in a database that has grown, since ids come in no order and an index over them is met everywhere.
"""

from __future__ import annotations

import math
import random
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinka.app.own_postgres import own_postgres
from jinka.kit import JinkaError, NotFound, Usage, make_id
from jinka.ledger import (
    MAX_BATCH,
    Account,
    AccountFlag,
    Transfer,
    TransferFlag,
    TransferResult,
    batches,
)
from jinka.store import PlainSql, SqlLedger, database_at, open_database, without_flush

_ACCOUNTS = 10_000
_KINDS = ("simple", "limited", "linked", "two_phase")
_PEER_S = 4.0  # the peer stops at the first call after so long
_BANK = Account(id=make_id("bench.bank"), ledger=156, code=1)
_FUNDS = 10**12
_Calls = dict[str, list[Sequence[Transfer]]]


def bench_ledger(
    transfers: int = 163_800, engines: Sequence[str] = ("sqlite", "postgres"), prefill: int = 0
) -> dict[str, Any]:
    """Return the figures as a dictionary that JSON can hold. Raises `JinkaError` if an engine loses a fen."""
    if not 1_000 <= transfers <= 50_000_000:
        raise Usage(f"{transfers} transfers", where="bench ledger", fix="1,000 to 50,000,000")
    if not 0 <= prefill <= 1_000_000_000:
        raise Usage(f"a prefill of {prefill}", where="bench ledger", fix="0 to 1,000,000,000")
    if unknown := set(engines) - {"sqlite", "postgres"}:
        raise Usage(f"no engine {min(unknown)}", where="bench ledger", fix="sqlite or postgres")
    made = time.perf_counter()
    calls = {kind: _calls(kind, transfers) for kind in _KINDS}
    made_us = (time.perf_counter() - made) / (transfers * len(_KINDS)) * 1e6
    results = {name: _bench_engine(name, calls, prefill) for name in engines}
    return {
        "bench": "ledger",
        "transfers": transfers,
        "prefill": prefill,
        "accounts": _ACCOUNTS,
        "events_per_call": MAX_BATCH,
        "made_us_per_transfer": round(made_us, 2),
        "aims_per_s": {
            "sqlite": {"simple": 100_000, "limited": 30_000, "linked": 30_000},
            "postgres": 50_000,
        },
        "results": results,
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _bench_engine(name: str, calls: _Calls, prefill: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jinka-bench-")))
        server = None
        if name == "postgres":
            try:
                server = stack.enter_context(own_postgres())
            except NotFound as error:
                return {"absent": str(error)}
        for kind in (*_KINDS, "unflushed", "peer"):
            where = server.make_database(kind) if server else folder / f"{kind}.db"
            database = open_database(where)
            try:
                limited = kind == "limited"
                ledger = SqlLedger(database)
                _open_accounts(ledger, limited=limited)
                if kind == "peer":
                    send = PlainSql(database).create_transfers
                    figures[kind] = _timed(calls["simple"], send, most_s=_PEER_S)
                elif kind == "unflushed":
                    with without_flush(database) as unflushed:
                        figures[kind] = _timed(calls["simple"], SqlLedger(unflushed).create_transfers)
                else:
                    figures[kind] = _timed(calls[kind], ledger.create_transfers)
                    _prove(ledger, calls[kind])
            finally:
                database.dispose()
        if prefill:
            figures["grown"] = _bench_grown(
                server.make_database("grown") if server else folder, calls, prefill
            )
    peer = figures["peer"]["rate_per_s"]
    flush_ms = figures["simple"]["ms_per_call"] - figures.pop("unflushed")["ms_per_call"]
    figures["peer"]["what"] = "plain SQL: one insert and two updates a transfer, one transaction a call"
    for kind in _KINDS:
        figures[kind]["ratio"] = round(figures[kind]["rate_per_s"] / peer, 1)
    return figures | {"flush_ms_per_call": round(flush_ms, 1)}


def _bench_grown(where: Path | str, calls: _Calls, prefill: int) -> dict[str, Any]:
    """The same calls where ``prefill`` transfers are already, in the ledger and in the peer's tables."""
    figures: dict[str, Any] = {"what": f"in a database that has {prefill} transfers"}
    with database_at(where / "grown.db" if isinstance(where, Path) else where) as database:
        ledger = SqlLedger(database)
        _open_accounts(ledger, limited=False)
        filled = sum(_fill(ledger.create_transfers, prefill))
        for kind in ("simple", "linked", "two_phase"):
            figures[kind] = _timed(calls[kind], ledger.create_transfers)
        _prove(ledger, [call for kind in ("simple", "linked", "two_phase") for call in calls[kind]], filled)
        peer = PlainSql(database).create_transfers
        _fill(peer, prefill)
        figures["peer"] = _timed(calls["simple"], peer, most_s=_PEER_S)
    for kind in ("simple", "linked", "two_phase"):
        figures[kind]["ratio"] = round(figures[kind]["rate_per_s"] / figures["peer"]["rate_per_s"], 1)
    return figures


def _fill(send: Callable[[Sequence[Transfer]], Sequence[TransferResult]], count: int) -> list[int]:
    """Post transfers with ids drawn at random, without a clock; the sum of each call."""
    draw = random.Random(1994)  # noqa: S311 a benchmark
    ids = [_account(n) for n in range(_ACCOUNTS)]
    sums = []
    for start in range(0, count, MAX_BATCH):
        call = []
        for _ in range(min(MAX_BATCH, count - start)):
            debit, credit = draw.sample(ids, 2)
            call.append(
                Transfer(
                    id=draw.randbytes(16),
                    debit_account=debit,
                    credit_account=credit,
                    amount=1,
                    ledger=156,
                    code=1,
                )
            )
        send(call)
        sums.append(len(call))
    return sums


def _open_accounts(ledger: SqlLedger, *, limited: bool) -> None:
    flags = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS if limited else AccountFlag.NONE
    accounts = [Account(id=_account(n), ledger=156, code=1, flags=flags) for n in range(_ACCOUNTS)]
    ledger.create_accounts([_BANK])
    for start in range(0, _ACCOUNTS, MAX_BATCH):
        ledger.create_accounts(accounts[start : start + MAX_BATCH])
    if limited:
        funds = [_move(f"fund{n}", _BANK.id, account.id, _FUNDS) for n, account in enumerate(accounts)]
        for call in batches(funds):
            ledger.create_transfers(call)


def _account(number: int) -> bytes:
    return make_id("bench.account", number)


def _move(name: str, debit: bytes, credit: bytes, amount: int) -> Transfer:
    id_ = make_id("bench.transfer", name)
    return Transfer(id=id_, debit_account=debit, credit_account=credit, amount=amount, ledger=156, code=1)


def _calls(kind: str, count: int) -> list[Sequence[Transfer]]:
    draw = random.Random(2018)  # noqa: S311 a benchmark
    ids = [_account(n) for n in range(_ACCOUNTS)]
    made: list[Transfer] = []
    for n in range(count if kind != "two_phase" else count // 2):
        debit = draw.randrange(_ACCOUNTS)
        credit = (debit + draw.randrange(1, _ACCOUNTS)) % _ACCOUNTS
        transfer = _move(f"{kind}{n}", ids[debit], ids[credit], draw.randrange(1, 10_000))
        if kind == "linked" and n % 2 == 0 and n + 1 < count:
            transfer = replace(transfer, flags=TransferFlag.LINKED)
        if kind == "two_phase":
            transfer = replace(transfer, flags=TransferFlag.PENDING)
        made.append(transfer)
    if kind != "two_phase":
        return batches(made)
    posts = [
        replace(t, id=make_id("bench.post", t.id), pending_id=t.id, flags=TransferFlag.POST_PENDING)
        for t in made
    ]
    pairs = zip(batches(made), batches(posts), strict=True)
    return [call for pair in pairs for call in pair]


def _timed(
    calls: Sequence[Sequence[Transfer]],
    send: Callable[[Sequence[Transfer]], Sequence[TransferResult]],
    *,
    most_s: float = math.inf,
) -> dict[str, Any]:
    count = sent = 0
    cpu, started = time.process_time(), time.perf_counter()
    for sent, call in enumerate(calls, 1):  # noqa: B007
        if set(send(call)) != {TransferResult.CREATED}:
            raise JinkaError("a transfer was not created", where="bench ledger")
        count += len(call)
        if time.perf_counter() - started > most_s:
            break
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    return {
        "transfers": count,
        "rate_per_s": round(count / seconds),
        "ms_per_call": round(seconds / sent * 1e3, 1),
        "client_cpu_us_per_transfer": round(cpu / count * 1e6, 1),
    }


def _prove(ledger: SqlLedger, calls: Sequence[Sequence[Transfer]], filled: int = 0) -> None:
    """A call sent again posts nothing, debits equal credits, and both are what was sent."""
    if set(ledger.create_transfers(calls[-1])) != {TransferResult.EXISTS}:
        raise JinkaError("a call that was sent again was not known", where="bench ledger")
    funds = ledger.balances([_BANK.id])[_BANK.id].debits_posted
    balances = ledger.balances([_account(n) for n in range(_ACCOUNTS)]).values()
    debits = sum(balance.debits_posted for balance in balances)
    credits_ = sum(balance.credits_posted for balance in balances)
    sent = filled + sum(t.amount for call in calls for t in call if not t.flags & TransferFlag.PENDING)
    if not debits == sent == credits_ - funds:
        raise JinkaError(f"sent {sent}, debited {debits}, credited {credits_}", where="bench ledger")
