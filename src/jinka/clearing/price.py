"""Stage price: is every charge the one that the tariff gives, and who bears a declared discount?

The tariff is asked once for each pair of product and gross fare that occurs. The amount of a valid TAC is paid
whatever the tariff says; a charge that it does not explain gets a finding and no subsidy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from jinka.clearing.classify import LOAD_TYPES
from jinka.clearing.port import ClearingEngine, ClearingParams, ClearingTables, Explain, Price, Table
from jinka.kit import Finding, Severity
from jinka.registry import Role
from jinka.tariff.engine import Tariff

PAIRS_MAX = 1_000_000
PRICES = pa.schema(
    [
        pa.field("q_product", pa.string(), nullable=False),
        pa.field("q_gross", pa.int64(), nullable=False),
        pa.field("q_charge", pa.int64(), nullable=False),
        pa.field("q_subsidy", pa.int64(), nullable=False),
        pa.field("q_payer", pa.string(), nullable=False),
    ]
)


def price(
    engine: ClearingEngine, tables: ClearingTables, explain: Explain, params: ClearingParams
) -> tuple[Table, list[Finding]]:
    """Return the table of prices (product, gross fare, charge, subsidy, payer) of the purchases that occur."""
    records = tables.records
    asked = records.filter(
        ~records.txn_type.isin(LOAD_TYPES), records.gross_fare.between(0, params.purse_limit)
    )
    distinct = asked.select("product", "gross_fare").distinct().order_by(["product", "gross_fare"])
    pairs = engine.collect(distinct.limit(PAIRS_MAX + 1))
    findings = []
    if pairs.num_rows > PAIRS_MAX:
        findings.append(
            Finding(
                code="TOO_MANY_FARES", severity=Severity.WARNING, where="clearing.price",
                what=f"more than {PAIRS_MAX} pairs of product and gross fare; the rest counts as unexplained",
                fix="look for an operator that makes up fares",
            )
        )  # fmt: skip
    keys = list(zip(pairs["product"].to_pylist()[:PAIRS_MAX], pairs["gross_fare"].to_pylist(), strict=False))
    prices = explain(keys)
    rows = [
        (*key, made.charge, made.subsidy, made.payer) for key in keys if (made := prices.get(key)) is not None
    ]
    table = pa.Table.from_pylist([dict(zip(PRICES.names, row, strict=True)) for row in rows], schema=PRICES)
    return engine.arrow("prices", table), findings


def tariff_prices(tariff: Tariff, payers: Mapping[Role, str]) -> Explain:
    """The `Explain` of a declared tariff; ``payers`` names the participant behind each role that bears discounts."""

    def explain(pairs: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], Price]:
        bearer = {product.code: product for product in tariff.products}
        made = {}
        for (code, gross), charge in tariff.price_table(pairs).items():
            product = bearer.get(code)
            payer = payers.get(product.borne_by, "") if product and product.borne_by else ""
            subsidy = product.subsidy(gross) if product and payer else 0
            made[code, gross] = Price(charge=charge, subsidy=subsidy, payer=payer if subsidy else "")
        return made

    return explain
