"""Orders to a running switch, `jinka switch cut-over`, `exchange-keys` and `reconcile`; the sums of a business date.

An order goes to the Unix socket of each worker of the file's folder, which the owner of the process alone may use. The
sums are read from the journal, and need no key.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinka.app.switch_config import read_switch_file
from jinka.kit import NotFound, Refused, Usage, parse_date
from jinka.node.control_socket import Order, give_order
from jinka.node.switch_runner import SwitchRunner
from jinka.store import SwitchJournal, open_database
from jinka.switch import CutOver, ExchangeKey, Reconcile, peer_totals

SOCKET = "control"


def act_on(runner: SwitchRunner, order: Order) -> Order:
    """Do what an order says; in the switch's process."""
    act, board = order.get("act"), runner.core.board
    if act == "cut-over":
        date = str(order.get("date") or _next(board.business_date))
        if (
            not board.business_date
            < parse_date(date, where="date").isoformat()
            <= _next(board.business_date, 9)
        ):
            raise Usage(
                f"{date} does not follow {board.business_date}", where="date", fix="a day of the next nine"
            )
        runner.post(CutOver(business_date=date))
        return {"business_date": date}
    if act == "exchange-keys":
        peer, pin = str(order.get("peer")), order.get("pin") is True
        runner.post(ExchangeKey(peer=peer, pin=pin))
        return {"peer": peer, "key": "pin" if pin else "mac"}
    if act == "reconcile":
        peer = str(order.get("peer"))
        date = parse_date(str(order.get("date") or board.business_date), where="date").isoformat()
        runner.post(Reconcile(peer=peer, business_date=date))
        return {"peer": peer, "business_date": date}
    raise Usage(f"no order {act!r}", where="control", fix="cut-over, exchange-keys or reconcile")


def cut_over(path: Path, date: str) -> list[Order]:
    """End the business date in all workers."""
    return _tell_all(path, {"act": "cut-over", "date": date})


def exchange_keys(path: Path, peer: str, *, pin: bool) -> Order:
    """Offer a peer a new key."""
    return _tell_all(path, {"act": "exchange-keys", "peer": peer, "pin": pin})[0]


def reconcile(path: Path, peer: str, date: str) -> Order:
    """Send a peer our sums of a business date; the first worker does it for all."""
    return give_order(_sockets(path)[0], {"act": "reconcile", "peer": peer, "date": date})


def day_totals(path: Path, date: str) -> dict[str, Any]:
    """The sums of a business date by peer, as the journal has them now."""
    file = read_switch_file(path)
    wanted = parse_date(date, where="--date").isoformat()
    database = open_database(file.database)
    try:
        found = peer_totals(SwitchJournal(database, NoSealer()).counted(wanted))
    finally:
        database.dispose()
    peers = {name: asdict(totals) | {"net_fen": totals.net_fen} for name, totals in sorted(found.items())}
    return {"business_date": wanted, "peers": peers}


def _tell_all(path: Path, order: Order) -> list[Order]:
    return [give_order(one, order) for one in _sockets(path)]


def _sockets(path: Path) -> list[Path]:
    found = sorted(path.parent.glob(f".switch-*/{SOCKET}"))
    if not found:
        raise NotFound("no switch runs there", where=str(path.parent), fix="jinka switch serve")
    return found


def _next(business_date: str, days: int = 1) -> str:
    return (dt.date.fromisoformat(business_date) + dt.timedelta(days=days)).isoformat()


class NoSealer:
    """Reads open columns only."""

    def seal_image(self, plain: bytes, *, context: str) -> bytes:
        raise Refused(f"{len(plain)} bytes for {context}", where="switch journal")

    def open_image(self, blob: bytes, *, context: str) -> bytes:
        raise Refused(f"{len(blob)} bytes of {context}", where="switch journal")
