"""What each kind of fault does to one record.

A change gets the draw, a forger, the day's limits and the record as a row; it alters the row in place.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from jinka.codec import RecordState, digits_to_bcd
from jinka.sim.faults import Fault

Row = dict[str, Any]
HALF_FARE = "half"  # the product by which the Shenzhen tariff charges half the fare


class Forger(Protocol):
    """What somebody with a cloned card and a dishonest terminal can do."""

    def tac(self, row: Row) -> bytes:
        """A valid TAC for a changed record, made with the card's own key."""
        ...

    def seal_batch(self, *, terminal_id: bytes, header: bytes, digest32: bytes) -> bytes:
        """Seal a batch with the terminal's own key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a change has to know of the day: the purse's limit and the operators that occur."""

    purse_limit: int
    operators: tuple[str, ...]


def _forged_tac(draw: random.Random, _forger: Forger, _limits: Limits, row: Row) -> None:
    true = row["tac"] or bytes(4)
    row["tac"] = bytes(a ^ b for a, b in zip(true.ljust(4, b"\0"), draw.randbytes(3) + b"\x01", strict=True))


def _truncated_tac(draw: random.Random, _forger: Forger, _limits: Limits, row: Row) -> None:
    row["tac"] = (row["tac"] or b"")[: draw.randrange(4)]


def _changed_amount(draw: random.Random, _forger: Forger, _limits: Limits, row: Row) -> None:
    row["amount"] += draw.randrange(1, 500)


def _unknown_operator(_draw: random.Random, _forger: Forger, _limits: Limits, row: Row) -> None:
    row["operator"] = "op.nobody"


def _foreign_operator(draw: random.Random, _forger: Forger, limits: Limits, row: Row) -> None:
    row["operator"] = draw.choice([other for other in limits.operators if other != row["operator"]])


def _unknown_psam(draw: random.Random, _forger: Forger, _limits: Limits, row: Row) -> None:
    row["psam_id"] = digits_to_bcd(f"99{draw.randrange(10**18):018d}", 10)


def _unknown_card(draw: random.Random, _forger: Forger, _limits: Limits, row: Row) -> None:
    row["card_no"] = digits_to_bcd(f"3109999{draw.randrange(10**12):012d}", 10)


def _date_outside(draw: random.Random, forger: Forger, _limits: Limits, row: Row) -> None:
    year = int(row["local_date"][:2].hex()) - draw.randrange(1, 9)
    row["local_date"] = bytes.fromhex(f"{year:04d}") + row["local_date"][2:]
    row["tac"] = forger.tac(row)


def _amount_beyond(draw: random.Random, forger: Forger, limits: Limits, row: Row) -> None:
    row["amount"] = limits.purse_limit + draw.randrange(1, 10**6)
    row["tac"] = forger.tac(row)


def _balance_break(draw: random.Random, _forger: Forger, _limits: Limits, row: Row) -> None:
    row["balance"] += draw.randrange(1, 5_000)


def _counter_break(draw: random.Random, _forger: Forger, _limits: Limits, row: Row) -> None:
    row["counter"] += draw.randrange(1_000, 20_000)


def _torn(_draw: random.Random, _forger: Forger, _limits: Limits, row: Row) -> None:
    row["state"], row["tac"] = int(RecordState.UNCONFIRMED), None


def _false_subsidy(_draw: random.Random, _forger: Forger, _limits: Limits, row: Row) -> None:
    """The operator claims the other half of what the card paid; no TAC binds product and gross fare."""
    row["product"], row["gross_fare"] = HALF_FARE, 2 * row["amount"]


Change = Callable[[random.Random, Forger, Limits, Row], None]

CHANGES: dict[Fault, Change] = {
    Fault.FOREIGN_OPERATOR: _foreign_operator,
    Fault.UNKNOWN_OPERATOR: _unknown_operator,
    Fault.UNKNOWN_PSAM: _unknown_psam,
    Fault.UNKNOWN_CARD: _unknown_card,
    Fault.DATE_OUTSIDE: _date_outside,
    Fault.AMOUNT_BEYOND: _amount_beyond,
    Fault.CHANGED_AMOUNT: _changed_amount,
    Fault.FORGED_TAC: _forged_tac,
    Fault.TRUNCATED_TAC: _truncated_tac,
    Fault.BALANCE_BREAK: _balance_break,
    Fault.COUNTER_BREAK: _counter_break,
    Fault.TORN_RESOLVED: _torn,
    Fault.TORN_OPEN: _torn,
    Fault.FALSE_SUBSIDY: _false_subsidy,
    Fault.FORGED_LOAD: _forged_tac,
}
# Those that have a record rejected, in the order in which several are put onto one record: what makes a TAC anew
# comes before what breaks it, and a foreign operator before an unknown one.
APPLIED_IN = tuple(CHANGES)[: tuple(CHANGES).index(Fault.BALANCE_BREAK)]
