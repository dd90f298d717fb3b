"""What is disputed, from the books and not from whoever complains: a cleared record, a card's shadow, a switch's line.

Records are those of a cleared day's outcome files, by their number; the shadow balance of a card is its registered
opening and all that its records were paid. A bank card's transaction is an approved one of the switch's journal.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from jinka.app.issuer_host import read_issuer_file
from jinka.app.switch_config import read_switch_file
from jinka.clearing import Price, tariff_prices
from jinka.clearing.dispute import Original, Parties
from jinka.clearing.dispute_words import Machine, State
from jinka.codec.record import ATTESTED_DEBITS, CREDITS, DEBITS, IDENTITY, PASSBOOK
from jinka.kit import NotFound, Refused, Usage, make_id
from jinka.registry import Registry, Role
from jinka.store import database_at
from jinka.store.load_search import load_states
from jinka.store.switch_search import MOST, approved_transactions
from jinka.switch.kinds import CASH, CASH_ADVICE, KINDS, Side
from jinka.tariff import Tariff

CREDIT_CARD, DEBIT_CARD = "credit", "debit"
_WANTED = (*IDENTITY, "record_id", "gross_fare", "product", "business_date", "issuer", "operator", "outcome", "reason",
           "subsidy", "payer", "at_risk")  # fmt: skip
_UNCONFIRMED, _PAID, _VOID = "UNCONFIRMED", "PAID", "VOID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An original with its parties, the most that may be claimed of it, and what a right fare moves beside."""

    original: Original
    parties: Parties
    claim: int
    subsidy: int = 0


def record_row(outcomes: Path, number: int) -> Mapping[str, Any]:
    """One cleared record; `NotFound` when there is none of that number."""
    rows = _read(outcomes, [("record_id", "=", number)])
    if not rows:
        raise NotFound(f"no record {number}", where=str(outcomes), fix="see record_id in the outcomes")
    return rows[0]


def record_original(row: Mapping[str, Any]) -> Original:
    """The original of a cleared record: its id is what the TAC binds, whatever number the record has."""
    return Original(
        id=make_id("jinka.dispute.record", *(row[name] for name in IDENTITY)),
        amount=row["amount"],
        date=row["business_date"],
        sort=f"type {row['txn_type']:02X}",
        title=f"#{row['record_id']} ******{row['card_no'].hex()[-4:]} {row['operator']}",
    )


def of_record(
    machine: Machine,
    row: Mapping[str, Any],
    registry: Registry,
    right: tuple[int, str] | None,
    scheme: str = "",
    *,
    tariff: Tariff,
) -> Found:
    """A record as a dispute's original. ``right``: gross fare and product that ``tariff`` should have found.

    Raises `Refused` when such a dispute cannot be about such a record.
    """
    load = row["txn_type"] in CREDITS
    wanted = {
        Machine.TORN_TAP: (_UNCONFIRMED, False),
        Machine.UNCONFIRMED_LOAD: (_UNCONFIRMED, True),
        Machine.LOST_EXIT: (_PAID, False),
        Machine.WRONG_FARE: (_PAID, False),
    }[machine]
    if (row["outcome"], load) != wanted or (row["outcome"] == _PAID and row["at_risk"]):
        what = f"record {row['record_id']} is {row['outcome']} ({row['reason']}), a {'load' if load else 'debit'}"
        raise Refused(what, where="record", fix=f"a {machine.title[0]} is about {wanted[0]}")
    scheme = scheme or _one(registry, Role.SCHEME)
    original = record_original(row)
    payer = row["payer"]
    claim, subsidy = row["amount"], 0
    if machine in (Machine.LOST_EXIT, Machine.WRONG_FARE):
        claim, subsidy, payer = _repriced(row, registry, right, tariff)
    parties = Parties(
        claimant=row["issuer"], respondent=row["operator"], scheme=scheme, government=payer if subsidy else ""
    )
    return Found(original=original, parties=parties, claim=claim, subsidy=subsidy)


def _repriced(
    row: Mapping[str, Any], registry: Registry, right: tuple[int, str] | None, tariff: Tariff
) -> tuple[int, int, str]:
    """What was charged too much, what the subsidy would have been more, and who bears it."""
    if right is None:
        raise Usage("the right fare is not named", where="fare", fix="give --gross and --product")
    gross, product = right
    payers = {Role.GOVERNMENT: _one(registry, Role.GOVERNMENT)}
    price = tariff_prices(tariff, payers)([(product, gross)]).get((product, gross))
    if price is None:
        raise Refused(f"the tariff has no {product} for {gross}", where="fare", fix="see jinka tariff")
    _require_right(row, registry, price)
    claim, subsidy = row["amount"] - price.charge, price.subsidy - row["subsidy"]
    if claim <= 0:
        raise Refused(
            f"{row['amount']} was charged and {price.charge} is right",
            where="fare",
            fix="nothing is to return",
        )
    bearers = {name for name in (price.payer, row["payer"]) if name}
    if len(bearers) > 1:
        raise Refused("two bear the subsidies", where="fare", fix="have an officer post it")
    return claim, subsidy, "".join(bearers)


def _require_right(row: Mapping[str, Any], registry: Registry, price: Price) -> None:
    """A product that somebody subsidises needs a card of a class that has a right to it."""
    if not price.subsidy:
        return
    mine = registry.cards.filter(pc.equal(registry.cards["card_no"], row["card_no"]))
    if not set(mine["holder"].to_pylist()) & set(price.holders):
        raise Refused(
            "the card's class has no right to that product", where="fare", fix="register the class first"
        )


def shadow_balance(
    outcomes: Path, registry: Registry, card_no: bytes, disputed: Mapping[bytes, State]
) -> tuple[int, str, int]:
    """The balance that a card must have, its issuer, and how many records say so. The passbook is not part of it.

    ``disputed``: how disputes of records stand, by original. What a torn tap may have taken counts as taken unless the
    card showed otherwise; a load that nobody confirmed counts when the card showed it.
    """
    mine = registry.cards.filter(pc.equal(registry.cards["card_no"], card_no)).to_pylist()
    if not mine:
        raise NotFound(f"no card ******{card_no.hex()[-4:]}", where="card", fix="check its number")
    moves = dict.fromkeys(CREDITS, 1) | dict.fromkeys((*DEBITS, *ATTESTED_DEBITS), -1)
    rows = [
        row
        for row in _read(outcomes, [("card_no", "=", card_no)])
        if row["txn_type"] not in PASSBOOK and _moved(row, disputed.get(record_original(row).id))
    ]
    balance = mine[0]["opening_balance"] + sum(moves.get(row["txn_type"], 0) * row["amount"] for row in rows)
    return balance, mine[0]["issuer"], len(rows)


def _moved(row: Mapping[str, Any], disputed: State | None) -> bool:
    if row["outcome"] != _UNCONFIRMED:
        return bool(row["outcome"] == _PAID and not row["at_risk"])
    if row["txn_type"] in CREDITS:
        return disputed is State.LOAD_CONFIRMED
    return disputed is not State.REJECTED


def of_dead_card(
    outcomes: Path,
    registry: Registry,
    card_no: bytes,
    *,
    on: dt.date,
    returned: int,
    disputed: Mapping[bytes, State],
    scheme: str = "",
) -> Found:
    """A card's shadow balance as an original; ``returned`` was refunded by earlier disputes of it."""
    balance, issuer, _ = shadow_balance(outcomes, registry, card_no, disputed)
    left = balance - returned
    if left <= 0:
        raise Refused("its shadow account is empty", where="card", fix="nothing is to return")
    original = Original(
        id=card_id(card_no, on),
        amount=left,
        date=on,
        sort="balance",
        title=f"******{card_no.hex()[-4:]}",
    )
    scheme = scheme or _one(registry, Role.SCHEME)
    parties = Parties(claimant=issuer, respondent=issuer, scheme=scheme)
    return Found(original=original, parties=parties, claim=left)


def card_id(card_no: bytes, on: dt.date) -> bytes:
    """The original of what a card held on a day."""
    return make_id("jinka.dispute.card", card_no, on.isoformat())


def of_switch(
    switch_file: Path, date: dt.date, trace: str, terminal: str, *, credit: bool, scheme: str
) -> Found:
    """A bank card's transaction, from the journal of the switch that passed it on. Raises `Refused`, `NotFound`."""
    with database_at(read_switch_file(switch_file).database) as database:
        found = approved_transactions(database, date.isoformat(), trace, terminal)
    debits = [each for each in found if KINDS[each.kind].side is Side.DEBIT]
    if not debits:
        raise NotFound(
            f"no approved debit {trace} on {date}", where=str(switch_file), fix="see jinka switch journal"
        )
    if len(debits) > 1 or len(found) == MOST:
        names = ", ".join(sorted({each.terminal for each in debits}))
        raise Refused(f"several have trace {trace}", where="trace", fix=f"name the --terminal: {names}")
    [one] = debits
    if one.source == one.target:
        raise Refused(f"{one.source} acquired and issued it", where="trace", fix="a bank settles with itself")
    cash = one.kind in (CASH.name, CASH_ADVICE.name)
    original = Original(
        id=make_id("jinka.dispute.switch", one.id),
        amount=one.amount_fen,
        date=date,
        sort=CASH.name if cash else CREDIT_CARD if credit else DEBIT_CARD,
        title=f"{one.kind} {one.trace} {one.terminal} {one.card}",
    )
    parties = Parties(claimant=one.target, respondent=one.source, scheme=scheme)
    return Found(original=original, parties=parties, claim=one.amount_fen)


def row_of(outcomes: Path, original: Original) -> Mapping[str, Any] | None:
    """The record that an original is, as it is cleared now; None when there is none any more."""
    number = re.match(r"#(\d+) ", original.title)
    rows = _read(outcomes, [("record_id", "=", int(number[1]))]) if number else []
    if not any(record_original(row).id == original.id for row in rows):  # taken in anew, in another order
        rows = _read(outcomes, [("amount", "=", original.amount)])
    return next((row for row in rows if record_original(row).id == original.id), None)


def decided_elsewhere(outcomes: Path, original: Original) -> bool:
    """Whether the clearing has paid or dropped a record that was unconfirmed when it was disputed."""
    row = row_of(outcomes, original)
    return row is not None and row["outcome"] in (_PAID, _VOID)


def host_word(outcomes: Path, original: Original, issuer_file: Path) -> dict[str, str]:
    """What the issuer's host knows of a disputed load: its id and state. Raises `NotFound`, and `Refused` for two."""
    row = row_of(outcomes, original)
    if row is None:
        raise NotFound("its record is not there any more", where="dispute", fix="clear the day again")
    with database_at(read_issuer_file(issuer_file).database) as database:
        found = load_states(
            database, txn_type=row["txn_type"], terminal_id=row["terminal_id"], local_date=row["local_date"],
            local_time=row["local_time"], amount_fen=row["amount"],
        )  # fmt: skip
    if not found:
        raise NotFound(
            "the issuer's host knows no such load", where=str(issuer_file), fix="name the card's issuer"
        )
    if len(found) > 1:
        raise Refused("two loads fit", where=str(issuer_file), fix="hand in the reading of the card")
    [(load, state)] = found
    return {"load": load.hex(), "state": state}


def _read(outcomes: Path, filters: list[tuple[str, str, Any]]) -> list[dict[str, Any]]:
    if not outcomes.exists():
        raise NotFound("no outcomes", where=str(outcomes), fix="run jinka day, or jinka clear")
    rows: list[dict[str, Any]] = pq.read_table(outcomes, columns=list(_WANTED), filters=filters).to_pylist()
    return rows


def _one(registry: Registry, role: Role) -> str:
    rows = registry.participants.to_pylist()
    codes = [row["code"] for row in rows if row["role"] == role.value]
    if len(codes) != 1:
        raise Refused(
            f"{len(codes)} participants are {role.value}", where="registry", fix="register exactly one"
        )
    return str(codes[0])
