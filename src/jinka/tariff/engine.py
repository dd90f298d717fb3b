"""A tariff: an ordered list of products, of which the first that applies prices the tap.

The same declaration prices one tap at a terminal (`Tariff.price`) and explains a cleared record (`Tariff.explain`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from jinka.kit import Usage
from jinka.registry import Role
from jinka.tariff.facts import Charge, HolderClass, Mode, PaidRide, RideFacts, TapKind
from jinka.tariff.rules import AmountOff, Rule, Share

ENTRY_PRODUCT = "entry"


class Transfer(Enum):
    """Whether a product is for transfers, for first rides, or for both."""

    ONLY = "only"
    NEVER = "never"
    ANY = "any"


class Days(Enum):
    """On which days a product is sold: what a rest day is, the calendar says."""

    ANY = "any"
    WORK = "work"
    REST = "rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One way to pay: whom it is for and when, its rule, and who bears the discount (None: the operator itself)."""

    code: str
    title_en: str
    title_zh: str
    modes: tuple[Mode, ...]
    holders: tuple[HolderClass, ...]
    transfer: Transfer
    rule: Rule
    borne_by: Role | None = None
    days: Days = Days.ANY
    month_from: int = 0  # sold once this much was spent in the month, before the ride

    def subsidy(self, gross_fen: int) -> int:
        """What somebody else pays the operator for one ride: the amount off, or the whole discount of a share."""
        if self.borne_by is None:
            return 0
        undiscounted = self.rule.base.price(gross_fen) if isinstance(self.rule, AmountOff) else gross_fen
        return undiscounted - self.rule.price(gross_fen)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRule:
    """When a ride counts as a transfer: within a time of the last paid ride, on another line, between these modes."""

    within: dt.timedelta
    pairs: frozenset[tuple[Mode, Mode]]

    def grants(self, last: PaidRide | None, mode: Mode, line: int, boarded_at: dt.datetime) -> bool:
        """Tell whether boarding ``line`` at ``boarded_at`` after ``last`` is a transfer."""
        if last is None or (last.mode, mode) not in self.pairs or last.line == line:
            return False
        return dt.timedelta(0) <= boarded_at - last.at <= self.within


class Period(Enum):
    """What a cap adds up."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """Nobody spends more in the period: the ride that reaches it costs the rest, those after it nothing.

    Its code is the product of such a ride, whose gross fare is then what was left. Needs a card that keeps count.
    """

    code: str
    title_en: str
    title_zh: str
    period: Period
    most_fen: int
    modes: tuple[Mode, ...] = ()  # all when empty
    holders: tuple[HolderClass, ...] = ()

    def left(self, facts: RideFacts) -> int | None:
        """What may still be charged; None where the cap does not apply."""
        if (self.modes and facts.mode not in self.modes) or (
            self.holders and facts.holder not in self.holders
        ):
            return None
        spent = facts.spent_today if self.period is Period.DAY else facts.spent_month
        return max(0, self.most_fen - spent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """Products in the order in which they are tried, caps, and the transfer rule. Implements `facts.Pricer`."""

    name: str
    products: tuple[Product, ...]
    transfer: TransferRule
    gross_max_fen: int  # no ride costs more: a gross fare beyond it is explained by nothing
    caps: tuple[Cap, ...] = ()

    def price(self, facts: RideFacts) -> Charge:
        """Price one tap. An entry costs nothing; `Usage` when no product fits the holder and the mode."""
        if facts.kind is TapKind.ENTRY:
            return Charge(0, ENTRY_PRODUCT)
        return self.charge(facts, facts.gross_fare)

    def charge(self, facts: RideFacts, gross: int) -> Charge:
        """The charge of a ride of this gross fare: the first product that fits, down to what a cap leaves."""
        product = self.select(
            facts.mode, facts.holder, self.is_transfer(facts),
            rest_day=facts.rest_day, spent_month=facts.spent_month,
        )  # fmt: skip
        amount, by = product.rule.price(gross), None
        for cap in self.caps:
            left = cap.left(facts)
            if left is not None and left < amount:
                amount, by = left, cap.code
        if by is not None:
            return Charge(amount, by, gross=amount)
        return Charge(amount, product.code, gross=None if gross == facts.gross_fare else gross)

    def is_transfer(self, facts: RideFacts) -> bool:
        """A bus ride is judged when boarding; a metro ride by the time of its entry, when that is on the card."""
        state = facts.state
        if state is None:
            return False
        if facts.kind is TapKind.EXIT and state.kind is TapKind.ENTRY:
            return self.transfer.grants(state.before, facts.mode, state.line, state.at)
        return self.transfer.grants(state.last_paid, facts.mode, facts.line, facts.at)

    def select(
        self,
        mode: Mode,
        holder: HolderClass,
        is_transfer: bool,
        *,
        rest_day: bool = False,
        spent_month: int = 0,
    ) -> Product:
        """Return the first product for this mode, holder, kind of ride, kind of day and what was spent before."""
        unwanted = Transfer.NEVER if is_transfer else Transfer.ONLY
        closed = Days.WORK if rest_day else Days.REST
        for product in self.products:
            if product.transfer is unwanted or product.days is closed or spent_month < product.month_from:
                continue
            if mode in product.modes and holder in product.holders:
                return product
        raise Usage(
            f"no product for {mode.name}, {holder.name}", where=f"tariff {self.name}", fix="declare one"
        )

    def explain(self, mode: Mode, gross_fen: int, charged_fen: int) -> list[Product]:
        """Return every product whose rule turns this gross fare into this charge; empty when none does."""
        return [p for p in self.products if mode in p.modes and p.rule.price(gross_fen) == charged_fen]

    def counts(self, mode: Mode) -> bool:
        """Whether what is spent in this mode decides later prices, so that cards have to keep count of it."""
        by_month = any(product.month_from and mode in product.modes for product in self.products)
        return by_month or any(not cap.modes or mode in cap.modes for cap in self.caps)

    def product(self, code: str) -> Product:
        """Find a product by its code."""
        for product in self.products:
            if product.code == code:
                return product
        raise Usage(f"no product {code!r}", where=f"tariff {self.name}")

    def price_table(self, pairs: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The charge for each (product, gross fare) that occurs, so that bulk engines can join on it.

        Pairs of an unknown product, or of a fare that the tariff cannot ask, are absent. What a cap left is its fare.
        """
        capped = {cap.code for cap in self.caps}
        return {
            pair: pair[1] for pair in set(pairs) if pair[0] in capped and 0 <= pair[1] <= self.gross_max_fen
        } | {
            (code, gross): 0 if code == ENTRY_PRODUCT else self.product(code).rule.price(gross)
            for code, gross in set(pairs)
            if 0 <= gross <= self.gross_max_fen
            and (code == ENTRY_PRODUCT or any(p.code == code for p in self.products))
        }


def full_price(
    name: str, *, title_en: str, title_zh: str, gross_max_fen: int, modes: tuple[Mode, ...] = ()
) -> Tariff:
    """A tariff of one product, named as the tariff: everybody pays what the till asks, in any mode or in these."""
    product = Product(
        code=name, title_en=title_en, title_zh=title_zh, modes=modes or tuple(Mode), holders=tuple(HolderClass),
        transfer=Transfer.ANY, rule=Share(100),
    )  # fmt: skip
    never = TransferRule(within=dt.timedelta(0), pairs=frozenset())
    return Tariff(name=name, products=(product,), transfer=never, gross_max_fen=gross_max_fen)
