"""Fees as tables: who pays whom how much of what, per record or by volume, since when, for which merchants.

A fee line has a rate in parts per million, marginal bands by volume, a fixed part for each record, a floor and a cap,
and tax in it or on top. A line is computed exactly and rounded half up once: per record, or on the total of a day or
month. What is split among payers and payees is split by the largest remainder, ties by id, so nothing is lost. Of the
lines with one code the first that matches counts: exceptions stand before the rule.

A line by the month is the difference of two running totals, so the days of a month add up to the month's fee exactly.
The forms follow public price lists (`fees_china`); their file is `fees_file`. Pure, and no refunds of fees here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from jinka.kit import Usage

PPM = 1_000_000


class FeeParty(Enum):
    """Who pays or earns a fee: (value, Chinese title)."""

    OPERATOR = ("operator", "商户（运营方）")
    ACQUIRER = ("acquirer", "收单机构")
    ISSUER = ("issuer", "发卡机构")
    SWITCH = ("switch", "清算网络")
    SCHEME = ("scheme", "卡组织")


class Per(Enum):
    """What a line is computed on: (value, Chinese title). Floors and caps are per this."""

    RECORD = ("record", "每笔")
    DAY = ("day", "每日合计")
    MONTH = ("month", "每月累计")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """What lines ask of an operator: its sector, its region (GB/T 2260), its category (ISO 18245, four digits)."""

    sector: str = ""
    region: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeMatch:
    """Which records a line is for; what is empty asks nothing. Regions match by prefix: 44 is all of Guangdong."""

    products: frozenset[str] = frozenset()
    sectors: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ()
    categories: tuple[tuple[str, str], ...] = ()  # from, to, both inclusive

    def fits(self, product: str, merchant: Merchant) -> bool:
        return (
            (not self.products or product in self.products)
            and (not self.sectors or merchant.sector in self.sectors)
            and (not self.regions or merchant.region.startswith(self.regions))
            and (not self.categories or any(a <= merchant.category <= b for a, b in self.categories))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeLine:
    """One line of a price list. Amounts in minor units; ``bands`` are (up to this volume, ppm), the last one open.

    ``payers`` and ``payees`` are weights. Lines of one code are told apart by ``variant``. In force from ``begins``
    until the day before ``ends``.
    """

    code: str
    title_en: str
    title_zh: str
    variant: str = ""  # tells lines of one code apart
    payers: Mapping[FeeParty, int]
    payees: Mapping[FeeParty, int]
    per: Per = Per.DAY
    bands: tuple[tuple[int | None, int], ...] = ((None, 0),)
    fixed: int = 0
    floor: int = 0
    cap: int | None = None
    tax_ppm: int = 0
    tax_included: bool = True
    match: FeeMatch = field(default_factory=FeeMatch)
    begins: dt.date = dt.date.min
    ends: dt.date = dt.date.max

    def __post_init__(self) -> None:
        where = f"fees.{self.name}"
        for name, weights in (("payers", self.payers), ("payees", self.payees)):
            if not weights or min(weights.values()) < 0 or not sum(weights.values()):
                raise Usage("nobody is named", where=f"{where}.{name}", fix="a weight for each party")
        limits = [limit for limit, _ in self.bands]
        closed = [limit for limit in limits if limit is not None]
        if not limits or limits[-1] is not None or len(closed) != len(limits) - 1:
            raise Usage("the last band, and only it, must be open", where=f"{where}.bands")
        if closed != sorted(set(closed)) or (closed and closed[0] <= 0):
            raise Usage(f"limits {closed} do not rise", where=f"{where}.bands")
        if not all(0 <= rate <= PPM for _, rate in self.bands) or not 0 <= self.tax_ppm <= PPM:
            raise Usage("a rate is 0 to 100 %", where=where)
        if min(self.fixed, self.floor) < 0 or (self.cap is not None and self.cap < self.floor):
            raise Usage("fixed part, floor or cap below zero, or cap below floor", where=where)
        if self.begins >= self.ends:
            raise Usage("ends before it begins", where=f"{where}.until")

    @property
    def name(self) -> str:
        """Code and variant: one line of a price list through all its prices."""
        return f"{self.code}/{self.variant}" if self.variant else self.code

    def exact(self, volume: int, count: int) -> int:
        """The fee in millionths of a minor unit on a volume of so many records, between floor and cap."""
        fee, below = self.fixed * count * PPM, 0
        for limit, rate in self.bands:
            upper = volume if limit is None else min(limit, volume)
            if upper > below:
                fee += (upper - below) * rate
                below = upper
        fee = max(fee, self.floor * PPM) if count else 0
        return fee if self.cap is None else min(fee, self.cap * PPM)

    def rounded(self, volume: int, count: int) -> int:
        """`exact`, rounded half up to minor units."""
        return (self.exact(volume, count) + PPM // 2) // PPM

    def of_record(self, amount: int) -> int:
        """The fee on one record, where the line is per record."""
        return self.rounded(amount, 1)

    def taxed(self, fee: int) -> tuple[int, int]:
        """What is paid for ``fee``, and how much of it is tax, rounded half up."""
        if self.tax_included:
            whole = PPM + self.tax_ppm
            return fee, (2 * fee * self.tax_ppm + whole) // (2 * whole)
        tax = (fee * self.tax_ppm + PPM // 2) // PPM
        return fee + tax, tax


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeShare:
    """What ``payer`` pays ``payee`` by the line ``code``; ``tax`` is the part of ``amount`` that is tax."""

    code: str
    payer_is: FeeParty
    payer: str
    payee: str
    amount: int
    tax: int


# Of a line's name and its payers: the volume and the number of records of the month so far.
Volumes = Mapping[tuple[str, tuple[str, ...]], tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeSchedule:
    """All lines of a scheme. ``merchants`` are facts of operators, ``earlier`` the month's volumes before this day."""

    scheme: str  # earns the scheme's fees and bears the risk account
    switch: str = ""
    lines: tuple[FeeLine, ...] = ()
    merchants: Mapping[str, Merchant] = field(default_factory=lambda: MappingProxyType({}))
    earlier: Volumes = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        named = {party for line in self.lines for party in (*line.payers, *line.payees)}
        if FeeParty.SWITCH in named and not self.switch:
            raise Usage("a line names the switch", where="fees.switch", fix="say which participant it is")
        last: dict[str, FeeLine] = {}
        for line in sorted(self.lines, key=lambda line: (line.name, line.begins)):
            before = last.get(line.name)
            if before is not None and line.begins < before.ends:
                raise Usage(
                    f"two prices from {line.begins}",
                    where=f"fees.{line.name}",
                    fix="end the older one there, or tell them apart by a variant",
                )
            last[line.name] = line

    def on(self, date: dt.date) -> FeeSchedule:
        """The lines that are in force on a day."""
        return replace(self, lines=tuple(line for line in self.lines if line.begins <= date < line.ends))

    def for_record(self, product: str, operator: str) -> tuple[FeeLine, ...]:
        """The lines that apply to an operator's records of a product: of each code the first that matches."""
        merchant = self.merchants.get(operator, _NOBODY)
        found: dict[str, FeeLine] = {}
        for line in self.lines:
            if line.code not in found and line.match.fits(product, merchant):
                found[line.code] = line
        return tuple(found.values())

    @property
    def per_record(self) -> bool:
        """Whether some line needs to know each record's amount."""
        return any(line.per is Per.RECORD for line in self.lines)


_NOBODY = Merchant()
