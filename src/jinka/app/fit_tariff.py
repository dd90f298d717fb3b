"""`jinka tariff fit`: the rules that a file of real taps obeys, found on one half of it and tried on the other."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from jinka.app.options import TARIFF_DEFAULT
from jinka.app.tap_files import open_taps
from jinka.app.tariffs import prices_named
from jinka.kit import Usage
from jinka.tariff.fitting import explained_share, fit_rules


def fit_tariff(taps: Path, *, seed: int = 1) -> dict[str, Any]:
    """Return the rules of each mode, the share of the other half that they explain, and that of the declared tariff."""
    rows = open_taps(taps).rows
    observations = [(row.mode, row.gross_fen, row.charged_fen) for row in rows]
    if not any(gross for _, gross, _ in observations):
        raise Usage(
            "no row with a fare could be read", where=taps.name, fix="see jinka day --taps for the findings"
        )
    random.Random(seed).shuffle(observations)  # noqa: S311 two halves of a file
    middle = len(observations) // 2
    found = fit_rules(observations[:middle])
    tariff = prices_named(TARIFF_DEFAULT).tariff
    declared = {
        mode: [product.rule for product in tariff.products if mode in product.modes] for mode in found
    }
    return {
        "rows": len(observations),
        "rules": {
            mode.name.lower(): [rule.text() for rule in rules] for mode, rules in sorted(found.items())
        },
        "explained_share_of_other_half": round(explained_share(found, observations[middle:]), 6),
        "declared_tariff": tariff.name,
        "declared_explains_share": round(explained_share(declared, observations), 6),
    }
