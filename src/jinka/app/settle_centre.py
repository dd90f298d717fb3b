"""`jinka settle` on a centre's folder: the orders of a round, proven by its books, and what its bank has to show.

The orders are those of ``rounds/DAY/settled.json`` that this centre instructs: what it pays its neighbours and what
goes between it and its own participants. What a neighbour pays is the neighbour's order and is not written here
(`jinka.settlement.centre_orders`). A file that was changed pays nobody: references and the ledger prove each order.

A bank's answers are held against what is instructed and what is expected, of all settled rounds up to the one that is
asked for: a statement of a centre's account shows payments of several.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

from jinka.app.centre_config import CentreConfig, read_config
from jinka.app.centre_files import RoundFiles
from jinka.app.cleared_books import cleared_books
from jinka.app.key_folder import KeyFolder
from jinka.app.settle_file import SETTLE_FILE, SettleFile, invented_details, read_settle_file
from jinka.kit import NotFound, Usage
from jinka.ledger import LedgerEngine
from jinka.node import write_durable
from jinka.registry import Participant, Role
from jinka.settlement import BusinessDay, SettlementOrder, require_booked
from jinka.settlement.centre_orders import centre_order_of
from jinka.settlement.centre_posting import centre_name

_ROLES = {"issuer": Role.ISSUER, "gov": Role.GOVERNMENT, "scheme": Role.SCHEME, "op": Role.OPERATOR}


class CentreRound:
    """A settled round of a centre's folder, the last one by default, opened for its orders."""

    def __init__(self, folder: Path, parties: Path | None, round_: dt.date | None) -> None:
        self.books = cleared_books(folder)
        config = read_config(folder)
        if round_ not in (None, *self.books.rounds):
            what = f"round {round_} is not settled"
            raise NotFound(what, where=str(folder), fix="see jinka centre status")
        self._code, date = config.around.code, round_ or self.books.rounds[-1]
        self.day = BusinessDay(date=date, zone=config.zone)
        self.database = self.books.database
        self.out = folder / "settlement" / date.isoformat()
        path = parties or folder / SETTLE_FILE
        if parties is None and not path.exists() and _is_simulated(folder):
            write_durable(path, invented_details(parties_of(config)).encode())
        self.settings: SettleFile = read_settle_file(path)

    @property
    def settle_on(self) -> dt.date:
        return self.settings.settles_on(self.day.date)

    def orders(self, ledger: LedgerEngine) -> list[SettlementOrder]:
        """What the round instructs, each order as its reference and the ledger prove it."""
        return self._proven(ledger, self.day, ("orders",))

    def awaited(self, ledger: LedgerEngine) -> list[tuple[BusinessDay, list[SettlementOrder]]]:
        """What statements have to show by now: of each round what is instructed, and what neighbours instruct."""
        days = [replace(self.day, date=date) for date in self.books.rounds if date <= self.day.date]
        return [(day, self._proven(ledger, day, ("orders", "expected"))) for day in days]

    def _proven(
        self, ledger: LedgerEngine, day: BusinessDay, kinds: tuple[str, ...]
    ) -> list[SettlementOrder]:
        files = RoundFiles(self.books.folder, day.date)
        try:
            noted = files.noted("settled") or {}
            rows = [
                (str(row["reference"]), str(row["debtor"]), str(row["creditor"]), int(row["amount"]))
                for kind in kinds
                for row in noted[kind]
            ]
        except (ValueError, KeyError, TypeError, RecursionError):
            where = str(files.path("settled.json"))
            raise Usage("holds no orders that can be read", where=where, fix="restore it") from None
        orders = [
            centre_order_of(
                day, centre=self._code, reference=reference, debtor=payer, creditor=payee, amount=amount
            )
            for reference, payer, payee, amount in rows
        ]
        require_booked(ledger, day, orders, issuer=self.settings.issuer)
        return orders


def _is_simulated(folder: Path) -> bool:
    """By the signed records of its keys."""
    room = KeyFolder(folder)
    return room.records.exists() and room.minutes()[-1].simulated


def parties_of(config: CentreConfig) -> list[Participant]:
    """Whose books a simulated centre keeps, its neighbours among them; above the cities it holds funds of its own."""
    around, region = config.around, config.region
    issuer = around.code if config.city is None else config.city.issuer
    found = {issuer: Role.ISSUER}
    for code in around.participants - {issuer}:
        found[code] = _ROLES.get(code.partition(".")[0], Role.ACQUIRER)
    for code in (*around.children, *([around.parent] if around.parent else [])):
        found[centre_name(code)] = Role.ACQUIRER  # an institution, as a bank sees it
    return [
        Participant(code=code, role=role, region=region, name_en=code, name_zh=code)
        for code, role in sorted(found.items())
    ]
