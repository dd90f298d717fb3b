"""Currencies and their minor units (ISO 4217): amounts are whole minor units, text only at borders.

The table has the currencies that a merchant here is likely to meet; another one is a line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jinka.kit import Usage, check_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """``numeric`` is the code of messages and payment codes, ``exponent`` the digits after the point."""

    code: str
    numeric: str
    exponent: int


CURRENCIES: Mapping[str, Currency] = MappingProxyType(
    {
        code: Currency(code=code, numeric=numeric, exponent=exponent)
        for code, numeric, exponent in (
            ("CNY", "156", 2), ("HKD", "344", 2), ("MOP", "446", 2), ("TWD", "901", 2), ("USD", "840", 2),
            ("EUR", "978", 2), ("GBP", "826", 2), ("SGD", "702", 2), ("THB", "764", 2), ("JPY", "392", 0),
            ("KRW", "410", 0), ("VND", "704", 0), ("KWD", "414", 3), ("BHD", "048", 3),
        )
    }
)  # fmt: skip
_BY_NUMERIC = {found.numeric: found for found in CURRENCIES.values()}
_AMOUNT = re.compile(r"([0-9]{1,13})(?:\.([0-9]*))?", re.ASCII)


def currency_of(code: str, *, where: str = "currency") -> Currency:
    """By its letters or its number; `Usage` for one that is not in the table."""
    found = CURRENCIES.get(code) or _BY_NUMERIC.get(code)
    if found is None:
        raise Usage("not a currency of this gateway", where=where, fix=", ".join(CURRENCIES))
    return found


def to_text(amount_minor: int, currency: Currency) -> str:
    """``2372`` minor units of CNY are ``23.72``, of JPY ``2372``."""
    check_minor(amount_minor, where="amount")
    if not currency.exponent:
        return str(amount_minor)
    whole, rest = divmod(amount_minor, 10**currency.exponent)
    return f"{whole}.{rest:0{currency.exponent}d}"


def from_text(text: str, currency: Currency, *, where: str = "amount") -> int:
    """The inverse; `Usage` for more digits after the point than the currency has, unless they are zeros."""
    found = _AMOUNT.fullmatch(text)
    rest = (found[2] or "") if found else ""
    if found is None or rest[currency.exponent :].strip("0"):
        raise Usage(
            f"not an amount in {currency.code}",
            where=where,
            fix=f"{currency.exponent} digits after the point",
        )
    minor = int(found[1] + rest[: currency.exponent].ljust(currency.exponent, "0"))
    return check_minor(minor, where=where)
