"""Stage price: is every charge the one that the tariff gives, and who bears a declared discount?

The tariff is asked once for each pair of product and gross fare that occurs. The amount of a valid TAC is paid
whatever the tariff says; a charge that it does not explain gets a finding and no subsidy. Product and gross fare are
claims of the operator that no TAC binds: a subsidy is paid only for a card of a class that has a right to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from jinka.clearing.classify import ATTESTED_TYPES, LOAD_TYPES
from jinka.clearing.port import ClearingEngine, ClearingParams, ClearingTables, Explain, Price, Table
from jinka.kit import Finding, Severity
from jinka.registry import Role
from jinka.tariff.engine import Tariff

PAIRS_MAX = 1_000_000
PRICES = pa.schema(
    [
        pa.field("q_id", pa.int32(), nullable=False),
        pa.field("q_product", pa.string(), nullable=False),
        pa.field("q_gross", pa.int64(), nullable=False),
        pa.field("q_charge", pa.int64(), nullable=False),
        pa.field("q_holders", pa.int64(), nullable=False),  # a bit for each class; -1: all
    ]
)
SUBSIDIES = pa.schema(
    [
        pa.field("subsidy", pa.int64(), nullable=False),
        pa.field("payer", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTables:
    """The prices by product and gross fare, and by their numbers what each adds to the charge.

    Number 0 is no price and adds nothing.
    """

    prices: Table
    subsidies: pa.Table


def price(
    engine: ClearingEngine, tables: ClearingTables, explain: Explain, params: ClearingParams
) -> tuple[PriceTables, list[Finding]]:
    """Return the prices of the pairs of product and gross fare of the purchases that occur."""
    records = tables.records
    asked = records.filter(
        ~records.txn_type.isin(LOAD_TYPES + ATTESTED_TYPES), records.gross_fare.between(0, params.purse_limit)
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
    made = [(key, found) for key in keys if (found := prices.get(key)) is not None]
    ids = range(1, len(made) + 1)
    products, grosses = [key[0] for key, _ in made], [key[1] for key, _ in made]
    charges, rights = [found.charge for _, found in made], [_rights(found) for _, found in made]
    table = pa.table([ids, products, grosses, charges, rights], schema=PRICES)
    subsidies = pa.table(
        [[0, *(found.subsidy for _, found in made)], ["", *(found.payer for _, found in made)]],
        schema=SUBSIDIES,
    )
    return PriceTables(prices=engine.arrow("prices", table), subsidies=subsidies), findings


def _rights(found: Price) -> int:
    return sum(1 << holder for holder in set(found.holders)) if found.subsidy else -1


def tariff_prices(tariff: Tariff, payers: Mapping[Role, str]) -> Explain:
    """The `Explain` of a declared tariff; ``payers`` names the participant behind each role that bears discounts."""

    def explain(pairs: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], Price]:
        bearer = {product.code: product for product in tariff.products}
        made = {}
        for (code, gross), charge in tariff.price_table(pairs).items():
            product = bearer.get(code)
            payer = payers.get(product.borne_by, "") if product and product.borne_by else ""
            subsidy = product.subsidy(gross) if product and payer else 0
            made[code, gross] = Price(
                charge=charge,
                subsidy=subsidy,
                payer=payer if subsidy else "",
                holders=tuple(int(holder) for holder in product.holders) if product and subsidy else (),
            )
        return made

    return explain
