"""Find a tariff's rules in observed (mode, gross, charged) triples: the check that a declaration is a rule.

For each mode the cheapest description is sought: 0 and 50 % are holders' classes; the commonest remaining charge at
each gross fare is the ordinary price; its differences give marginal rates, and equal neighbouring rates are one band;
what is charged a constant amount below the ordinary price is the transfer. Undiscounted rides are 100 %.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from jinka.tariff.facts import Mode
from jinka.tariff.rules import AmountOff, Bands, Rule, Share

Observation = tuple[Mode, int, int]
_CLASSES = (0, 50, 100)
_SUPPORT = 3  # rides that a price needs before a band is built on it


def fit_rules(observations: Iterable[Observation]) -> dict[Mode, list[Rule]]:
    """Return the rules found for each mode: three classes, the ordinary rule, and the transfer when there is one."""
    prices: dict[Mode, dict[int, Counter[int]]] = {}
    for mode, gross, charged in observations:
        if gross > 0:
            prices.setdefault(mode, {}).setdefault(gross, Counter())[charged] += 1
    found: dict[Mode, list[Rule]] = {}
    for mode, by_gross in prices.items():
        rules: list[Rule] = [Share(percent) for percent in _CLASSES]
        ordinary = _ordinary(by_gross)
        if ordinary is not None:
            rules.append(ordinary)
            off = _amount_off(by_gross, ordinary)
            if off:
                rules.append(AmountOff(ordinary, off))
        found[mode] = rules
    return found


def explained_share(rules: dict[Mode, list[Rule]], observations: Iterable[Observation]) -> float:
    """The share of priced observations that at least one rule of their mode gives exactly."""
    hits = total = 0
    for mode, gross, charged in observations:
        if gross > 0:
            total += 1
            hits += any(rule.price(gross) == charged for rule in rules.get(mode, []))
    return hits / total if total else 1.0


def _ordinary(by_gross: dict[int, Counter[int]]) -> Rule | None:
    """Marginal bands through the upper of the common prices, or one share when a single rate fits all."""
    points: list[tuple[int, int]] = []
    for gross, charges in sorted(by_gross.items()):
        own = {c: n for c, n in charges.items() if not _is_class(gross, c) and n >= _SUPPORT}
        if own:
            points.append((gross, max(own)))  # the transfer price lies below the ordinary one
    if not points:
        return None
    bands: list[tuple[int, int]] = []
    last_gross = last_charge = 0
    for gross, charge in points:
        percent = round(100 * (charge - last_charge) / (gross - last_gross))
        if bands and bands[-1][1] == percent:
            bands[-1] = (gross, percent)
        else:
            bands.append((gross, percent))
        last_gross, last_charge = gross, charge
    if len(bands) == 1:
        return Share(bands[0][1])
    return Bands((*bands[:-1], (None, bands[-1][1])))


def _amount_off(by_gross: dict[int, Counter[int]], ordinary: Rule) -> int:
    offs: Counter[int] = Counter()
    for gross, charges in by_gross.items():
        for charge, count in charges.items():
            off = ordinary.price(gross) - charge
            if off > 0 and not _is_class(gross, charge):
                offs[off] += count
    return offs.most_common(1)[0][0] if offs else 0


def _is_class(gross: int, charge: int) -> bool:
    return any(Share(percent).price(gross) == charge for percent in _CLASSES)
