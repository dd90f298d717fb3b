"""`jinka fees`: a price list read, and what a transaction costs by it."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from pathlib import Path

from jinka.app.windows import decoded
from jinka.clearing import FeeSchedule, read_fees
from jinka.clearing.net import PaidGroup, net
from jinka.kit import NotFound
from jinka.node import file_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What one transaction costs: (line, title in English, title in Chinese, payer, payee, amount, tax)."""

    rows: tuple[tuple[str, str, str, str, str, int, int], ...]

    def as_list(self) -> list[dict[str, str | int]]:
        names = ("line", "title_en", "title_zh", "payer", "payee", "amount_minor", "tax_minor")
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def load_fees(path: Path) -> FeeSchedule:
    """Read a price list; raises `NotFound` and `Usage`."""
    with file_errors(path):
        if not path.is_file():
            raise NotFound("no such file", where=str(path), fix="jinka fees example shows one")
        return read_fees(decoded(path.read_bytes(), path))


def quote_fees(fees: FeeSchedule, *, date: dt.date | None, amount: int, product: str, operator: str) -> Quote:
    """What one record costs on a day (today without one), where acquirer and issuer are two."""
    day = fees.on(date or dt.date.fromisoformat(time.strftime("%Y-%m-%d")))
    titles = {line.code: (line.title_en, line.title_zh) for line in day.for_record(product, operator)}
    group = PaidGroup(
        operator=operator, acquirer="acquirer", issuer="issuer", product=product, online=False, at_risk=False, payer="",
        count=1, gross=amount, amount=amount, subsidy=0, by_amount=True,
    )  # fmt: skip
    return Quote(
        rows=tuple(
            (share.code, *titles[share.code], share.payer, share.payee, share.amount, share.tax)
            for share in net([group], day).fees
        )
    )
