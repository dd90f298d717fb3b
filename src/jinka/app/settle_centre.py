"""`jinka settle orders` on a centre's folder: the orders of one round, proven by its books.

The orders are those of ``rounds/DAY/settled.json`` that this centre instructs: what it pays its neighbours and what
goes between it and its own participants. What a neighbour pays is the neighbour's order and is not written here
(`jinka.settlement.centre_orders`). A file that was changed pays nobody: references and the ledger prove each order.

What it does not do: a bank's answers are not held against a centre's orders, and expectations not against statements.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from jinka.app.centre_config import FILE, CentreConfig, read_config
from jinka.app.centre_files import RoundFiles, days_of
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


def is_centre(folder: Path) -> bool:
    """Whether a folder is a centre's of a federation, not a city's day."""
    return (folder / FILE).is_file()


class CentreRound:
    """A settled round of a centre's folder, the last one by default, opened for its orders."""

    def __init__(self, folder: Path, parties: Path | None, round_: dt.date | None) -> None:
        config = read_config(folder)
        over = [day for day in days_of(folder) if RoundFiles(folder, day).noted("settled") is not None]
        if not over or round_ not in (None, *over):
            what = "no round is settled" if round_ is None else f"round {round_} is not settled"
            raise NotFound(what, where=str(folder), fix="see jinka centre status")
        self._path = RoundFiles(folder, round_ or over[-1])
        self._code = config.around.code
        self.day = BusinessDay(date=self._path.date, zone=config.zone)
        self.database = folder / "centre.db"
        self.out = folder / "settlement" / self.day.date.isoformat()
        path = parties or folder / SETTLE_FILE
        if parties is None and not path.exists() and _is_simulated(folder):
            write_durable(path, invented_details(parties_of(config)).encode())
        self.settings: SettleFile = read_settle_file(path)

    @property
    def settle_on(self) -> dt.date:
        return self.settings.settles_on(self.day.date)

    def orders(self, ledger: LedgerEngine) -> list[SettlementOrder]:
        """What the round instructs, each order as its reference and the ledger prove it."""
        try:
            rows = [
                (str(row["reference"]), str(row["debtor"]), str(row["creditor"]), int(row["amount"]))
                for row in (self._path.noted("settled") or {})["orders"]
            ]
        except (ValueError, KeyError, TypeError, RecursionError):
            where = str(self._path.path("settled.json"))
            raise Usage("holds no orders that can be read", where=where, fix="restore it") from None
        orders = [
            centre_order_of(
                self.day, centre=self._code, reference=reference, debtor=payer, creditor=payee, amount=amount
            )
            for reference, payer, payee, amount in rows
        ]
        require_booked(ledger, self.day, orders, issuer=self.settings.issuer)
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
