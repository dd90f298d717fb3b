"""`jinka settle`: a cleared day's orders to payment messages, and a bank's files back to them.

The orders are those of the day's report, each proven by its reference and by the ledger's own transfer, so a report
that was changed pays nobody. Files are written durably, named by their message id; writing them again changes nothing.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinka.app.cleared_books import cleared_books, is_centre
from jinka.app.settle_centre import CentreRound
from jinka.app.settle_file import SETTLE_FILE, SettleFile, invented_details, read_settle_file
from jinka.app.workspace import Workspace
from jinka.kit import Finding, Refused, Usage
from jinka.ledger import LedgerEngine
from jinka.node import FolderLock, file_errors, write_durable
from jinka.registry import Participant, Role
from jinka.settlement import BusinessDay, SettlementOrder, finish_orders, order_of, require_booked
from jinka.settlement.iso20022 import (
    Answer,
    OrderMessage,
    Reconciliation,
    Transfer,
    plan_messages,
    read_answer,
    reconcile,
    uetr,
    write_message,
)
from jinka.settlement.iso20022.xml_read import SIZE_MAX
from jinka.store import SqlLedger, database_at, load_registry

FORMATS = {"pacs009": (Transfer.PACS_009,), "pacs008": (Transfer.PACS_008,), "iso20022": tuple(Transfer)}
CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One file: its message, how many orders it holds, and their sum."""

    path: Path
    message: str
    orders: int
    total: int

    def as_dict(self) -> dict[str, str | int]:
        return {
            "file": str(self.path),
            "message": self.message,
            "orders": self.orders,
            "total_minor": self.total,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What came of it; ``findings`` are lines that could not be read, and what the ledger refused."""

    done: Reconciliation
    findings: tuple[Finding, ...]
    posted: bool

    @property
    def clean(self) -> bool:
        return not self.done.breaks and not self.findings

    def as_dict(self) -> dict[str, Any]:
        return {
            "orders": [
                result.order.as_row()
                | {"state": result.state.value[0], "since": result.since, "reason": result.reason}
                for result in self.done.results
            ],
            "moved_minor": self.done.moved,
            "matched_minor": self.done.matched,
            "unmatched_minor": self.done.unmatched,
            "breaks": [found.as_row() for found in self.done.breaks],
            "findings": [finding.as_dict() for finding in self.findings],
            "posted": self.posted,
        }


class _Day:
    """A cleared day's folder, opened for its orders."""

    def __init__(self, folder: Path, parties: Path | None) -> None:
        self.books = cleared_books(folder)
        self.workspace = Workspace(folder)
        simulated = self.workspace.read_options().get("simulated") is True
        self.day = BusinessDay(date=self.books.first, zone=self.books.zone)
        self.database = self.books.database
        path = parties or folder / SETTLE_FILE
        if parties is None and simulated and not path.exists():
            write_durable(path, invented_details(self._participants()).encode())
        self.settings: SettleFile = read_settle_file(path)

    @property
    def out(self) -> Path:
        return self.workspace.folder / "settlement"

    @property
    def settle_on(self) -> dt.date:
        return self.settings.settles_on(self.day.date)

    def orders(self, ledger: LedgerEngine) -> list[SettlementOrder]:
        """The day's orders, each as its reference and the ledger prove it."""
        path = self.workspace.report / "day.json"
        with file_errors(path):
            raw = path.read_bytes()
        try:
            rows = [
                (str(row["number"]), str(row["payer"]), str(row["payee"]), row["amount_fen"])
                for row in json.loads(raw)["orders"]
            ]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Usage(
                "holds no orders that can be read", where=str(path), fix="clear the day again"
            ) from None
        orders = [
            order_of(self.day, reference=number, debtor=payer, creditor=payee, amount=amount)
            for number, payer, payee, amount in rows
        ]
        require_booked(ledger, self.day, orders, issuer=self.settings.issuer)
        return orders

    def awaited(self, ledger: LedgerEngine) -> list[tuple[BusinessDay, list[SettlementOrder]]]:
        """What a statement has to show."""
        return [(self.day, self.orders(ledger))]

    def _participants(self) -> list[Participant]:
        with database_at(self.database) as database:
            rows = load_registry(database).participants.to_pylist()
        return [Participant(**row | {"role": Role(row["role"])}) for row in rows]


def write_orders(
    folder: Path,
    form: str,
    *,
    parties: Path | None,
    settle_on: dt.date | None,
    out: Path | None,
    round_: dt.date | None = None,
) -> tuple[list[Written], int]:
    """Write the day's orders in ``form``; returns the files, and how many orders another form would take.

    In a centre's folder they are those of ``round_``, its last settled one by default.
    A message's time of creation is midnight of the day it settles on, not the time at which this runs: the same day
    gives the same bytes.
    """
    if form not in (*FORMATS, CSV):
        raise Usage(f"no such format: {form}", where="--format", fix=", ".join((*FORMATS, CSV)))
    with file_errors(folder):
        day = _opened(folder, parties, round_)
        return _write_orders(day, form, settle_on, out or day.out)


def _opened(folder: Path, parties: Path | None, round_: dt.date | None) -> _Day | CentreRound:
    if is_centre(folder):
        return CentreRound(folder, parties, round_)
    if round_ is not None:
        raise Usage("a day has no rounds", where="--round", fix="leave it out")
    return _Day(folder, parties)


def _write_orders(
    day: _Day | CentreRound, form: str, asked: dt.date | None, out: Path
) -> tuple[list[Written], int]:
    book, on = day.settings.book, asked or day.settle_on
    if on < day.day.date:
        raise Usage("before the business date", where="--date", fix=f"{day.day.date} or later")
    with database_at(day.database) as database:
        orders = day.orders(SqlLedger(database))
    if form == CSV:
        path = out / "orders.csv"
        write_durable(path, _csv(orders))
        return [Written(path=path, message=CSV, orders=len(orders), total=sum(o.amount for o in orders))], 0
    created = dt.datetime.combine(on, dt.time(), ZoneInfo(day.day.zone))
    planned = {_file_name(message): message for message in plan_messages(orders, book)}
    stale = sorted(path.name for path in out.glob("pacs.*.xml") if path.name not in planned)
    if stale:  # the same orders in other messages: whoever sends the whole folder would order them twice
        fix = "move what was sent with other bank details out of the folder"
        raise Refused("holds other messages of these orders", where=str(out / stale[0]), fix=fix)
    written = []
    for name, message in planned.items():
        if message.kind in FORMATS[form]:
            write_durable(out / name, write_message(message, book, created_at=created, settle_on=on))
            kind = message.kind.message_name
            written.append(
                Written(path=out / name, message=kind, orders=len(message.orders), total=message.total)
            )
    return written, len(orders) - sum(each.orders for each in written)


def _file_name(message: OrderMessage) -> str:
    return f"{message.kind.message_name}-{message.id}.xml"


def reconcile_files(
    folder: Path,
    files: Sequence[Path],
    *,
    parties: Path | None,
    due_on: dt.date | None,
    as_of: dt.date | None,
    posting: bool,
    round_: dt.date | None = None,
) -> Reconciled:
    """Hold a bank's files against the day's orders; with ``posting`` the ledger follows what the statements show.

    In a centre's folder they are those of its rounds up to ``round_``, the last settled one by default.

    Files that were posted are kept in the day's folder and read again with the new ones: a return is understood by the
    booking that an earlier statement showed. Raises `Refused` for a file that is none of a bank's answers.
    """
    with file_errors(folder):
        day = _opened(folder, parties, round_)
    answers: list[Answer] = []
    findings: list[Finding] = []
    contents = {path: statement_bytes(path) for path in files}
    kept = folder / "settlement" / "answers"
    known = {hashlib.sha256(content).digest() for content in contents.values()}
    for path in sorted(kept.glob("*.xml")):
        if hashlib.sha256(content := statement_bytes(path)).digest() not in known:
            contents[path] = content
    for path, content in contents.items():
        found, unread = read_answer(content, where=path.name)
        answers += found
        findings += unread
    with file_errors(folder), FolderLock(day.books.lock), database_at(day.database) as database:
        ledger = SqlLedger(database)
        awaited = day.awaited(ledger)
        done = reconcile(
            [order for _, orders in awaited for order in orders],
            answers,
            book=day.settings.book,
            funds=day.settings.funds,
            due_on=due_on or day.settle_on,
            as_of=as_of,
        )
        if posting:
            for content in contents.values():  # first, so that the next run knows what this one posts upon
                write_durable(kept / f"{hashlib.sha256(content).hexdigest()}.xml", content)
            for of, orders in awaited:
                references = {order.reference for order in orders}
                results = [each for each in done.results if each.order.reference in references]
                findings += finish_orders(ledger, of, results, issuer=day.settings.issuer)
            day.books.note("settlement_reconciled", breaks=len(done.breaks), findings=len(findings))
    return Reconciled(done=done, findings=tuple(findings), posted=posting)


def statement_bytes(path: Path) -> bytes:
    """A bank's file, bounded; raises `Refused`."""
    with file_errors(path):
        if path.stat().st_size > SIZE_MAX:
            raise Refused(f"larger than {SIZE_MAX} bytes", where=str(path), fix="ask for it in parts")
        return path.read_bytes()


def _csv(orders: Sequence[SettlementOrder]) -> bytes:
    text = io.StringIO()
    rows = [order.as_row() | {"uetr": uetr(order.reference)} for order in orders]
    table = csv.DictWriter(text, list(rows[0]) if rows else ["reference"], lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode("utf-8-sig")
