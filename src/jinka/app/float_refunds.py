"""Refunds at a folder's float: a card's shadow, its list and its disputes are looked up, the tables decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from jinka.app.dispute_originals import card_id
from jinka.app.float_office import FloatOffice, float_office, holders_of
from jinka.app.float_sleep import woken
from jinka.app.reached import require_reached
from jinka.clearing.dispute_words import Machine
from jinka.kit import NotFound, Refused, Usage, parse_date
from jinka.registry import Registry, Role
from jinka.settlement.float_acts import DeedKind
from jinka.settlement.float_refund import (
    CardWorth,
    Reading,
    Refund,
    ask,
    determine,
    end,
    pay,
    refunds_of,
)
from jinka.settlement.float_rules import RefundKind, masked
from jinka.store.shadow import SqlFloat


class RefundDesk:
    """The refunds of one folder."""

    def __init__(self, office: FloatOffice) -> None:
        self._office = office

    def listed(self) -> list[Refund]:
        return refunds_of(self._office.books.deeds(), self._office.rules.refunds)

    def ask(self, kind_word: str, card: bytes, *, on: dt.date, actor: str, reading: Reading | None) -> Refund:
        """Ask for a refund of a card; a returned card's needs its reading. Raises `Refused`."""
        require_reached(on)
        kinds = {kind.value[0]: kind for kind in RefundKind}
        if kind_word not in kinds:
            raise Usage(f"no such kind: {kind_word!r}", where="kind", fix=", ".join(kinds))
        kind, office = kinds[kind_word], self._office
        office.books.do(woken(office.books.deeds(), card, on=on))
        worth = self.worth(card)
        deeds = ask(
            kind, worth, office.rules.refunds[kind], on=on, actor=actor,
            is_named=worth.holder in office.rules.named_classes, listed_on=listed_everywhere(office.registry, card),
            reading=reading, earlier=self.listed(),
        )  # fmt: skip
        office.books.do(deeds)
        return self.listed()[-1]

    def determine(self, text: str, *, on: dt.date, actor: str) -> Refund:
        """Post what is owed to the holder; raises `Refused` before its time."""
        require_reached(on)
        refund = self.find(text)
        deeds = determine(
            refund, self.worth(refund.card), self._office.rules.refunds[refund.kind], on=on, actor=actor
        )
        self._office.books.do(deeds)
        return self.find(refund.id)

    def pay(self, text: str, *, on: dt.date, actor: str) -> Refund:
        """Pay it out of the customers' money."""
        require_reached(on)
        refund = self.find(text)
        self._office.books.do([pay(refund, self._office.issuer, on=on, actor=actor)])
        return self.find(refund.id)

    def end(self, text: str, *, withdrawn: bool, on: dt.date, actor: str, reason: str) -> Refund:
        """Reject it, or withdraw it because the card was found."""
        refund = self.find(text)
        kind = DeedKind.WITHDRAWN if withdrawn else DeedKind.REJECTED
        self._office.books.do([end(refund, kind, on=on, actor=actor, reason=reason)])
        return self.find(refund.id)

    def find(self, text: str) -> Refund:
        """The refund whose id begins so; raises `NotFound`, and `Usage` when several do."""
        fits = [each for each in self.listed() if len(text) >= 4 and each.id.startswith(text.lower())]
        if not fits:
            raise NotFound(f"no refund {text[:40]}", where="refund", fix="see jinka float show")
        if len(fits) > 1:
            raise Usage(f"{len(fits)} refunds begin so", where="refund", fix="give more digits of its id")
        return fits[0]

    def worth(self, card: bytes) -> CardWorth:
        """What the shadow says of a card; `NotFound` when none is registered."""
        with self._office.shadows.opened() as shadows:
            at = shadows.engine.arrow("wanted", pa.table({"w_card": pa.array([card], pa.binary(10))}))
            rows = shadows.engine.collect(
                shadows.cards.inner_join(at, [("card_no", "w_card")]).drop("w_card")
            ).to_pylist()
        if not rows:
            raise NotFound(f"no card {masked(card)}", where="card", fix="check its number")
        [row] = rows
        return CardWorth(
            card=card, issuer=row["issuer"], holder=holders_of(self._office.registry, [card])[card],
            shown=row["shown"], paid=row["paid"], offline=row["off_end"], online=row["on_end"],
            deposit=self._deposit(card), disputed=self._disputed(card),
        )  # fmt: skip

    def _deposit(self, card: bytes) -> int:
        """What the holder paid for the card itself and has not had back."""
        deeds = self._office.books.deeds()
        each = sum(int(deed.detail) for deed in deeds if deed.kind is DeedKind.DEPOSIT)
        return each + sum(deed.deposit for deed in deeds if deed.card == card)

    def _disputed(self, card: bytes) -> int:
        """What disputes of this dead card returned or may return."""
        return sum(
            each.reserved
            for each in self._office.disputes.listed()
            if each.machine is Machine.DEAD_CARD and each.original.id == card_id(card, each.original.date)
        )


@contextmanager
def refund_desk(folder: Path) -> Iterator[RefundDesk]:
    """The refunds of a cleared day's folder, alone in it."""
    with float_office(folder) as office:
        yield RefundDesk(office)


def refunded(books: SqlFloat, card: bytes) -> int:
    """What refunds determined for a card: disputes of it may not return that again."""
    return sum(
        deed.amount for deed in books.deeds() if deed.kind is DeedKind.DETERMINED and deed.card == card
    )


def listed_everywhere(registry: Registry, card: bytes) -> dt.date | None:
    """The day since which every active terminal of an operator has a list that names the card; None when one has not.

    Lists are cumulative: who acknowledged a later one has those before it.
    """
    mine = registry.listings.filter(pc.equal(registry.listings["card_no"], card)).to_pylist()
    if not mine:
        return None
    first = min(mine, key=lambda row: row["list_version"])
    agents = _agents(registry)
    heard: dict[bytes, str] = {}
    for row in registry.acknowledgements.to_pylist():
        if row["list_version"] >= first["list_version"]:
            at = row["acknowledged_at"]
            heard[row["terminal_id"]] = min(heard.get(row["terminal_id"], at), at)
    moments = [first["effective_from"]]
    for row in registry.terminals.to_pylist():
        if row["status"] == 1 and row["operator"] not in agents:
            if row["terminal_id"] not in heard:
                return None
            moments.append(heard[row["terminal_id"]])
    last = max(moments)
    return parse_date(f"{last[:4]}-{last[4:6]}-{last[6:8]}", where="listings")


def _agents(registry: Registry) -> frozenset[str]:
    roles: Mapping[str, str] = dict(
        zip(registry.participants["code"].to_pylist(), registry.participants["role"].to_pylist(), strict=True)
    )
    return frozenset(code for code, role in roles.items() if role == Role.LOAD_AGENT.value)


def card_number(text: str) -> bytes:
    """A card's number from its digits; raises `Usage`."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and 0 < len(digits) <= 20):
        raise Usage("not a card number", where="card", fix="its digits, at most 20")
    return bytes.fromhex(digits.rjust(20, "0"))


def reading_of(balance_fen: int | None, offline: int | None, online: int | None) -> Reading | None:
    """A reading, when one was given; raises `Refused` for half of one."""
    said = (balance_fen, offline, online)
    if balance_fen is None or offline is None or online is None:
        if any(each is not None for each in said):
            raise Refused("half a reading", where="card", fix="give --balance, --offline and --online")
        return None
    return Reading(balance_fen=balance_fen, offline=offline, online=online)
