"""Find a tariff's rules in observed (mode, gross, charged) triples: the check that a declaration is a rule.

For each mode the shortest description is sought: 0, 50 and 100 % are classes of holders; the highest price left at each
gross fare is the ordinary one; its differences give marginal rates, and equal neighbouring rates are one band; what
is charged a constant amount below the ordinary price is the transfer.
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
    """Marginal bands through the ordinary prices, or one share when a single rate fits all.

    The rate of the last band is carried on as long as the price that it gives occurs: fewer bands explain more.
    """
    bands: list[tuple[int, int]] = []
    last_gross = last_charge = 0
    for gross, charges in sorted(by_gross.items()):
        carried = last_charge + Share(bands[-1][1]).price(gross - last_gross) if bands else None
        if carried is not None and carried in charges:
            bands[-1] = (gross, bands[-1][1])
            last_gross, last_charge = gross, carried
            continue
        own = [c for c, n in charges.items() if n >= _SUPPORT and not _is_class(gross, c)]
        if own:
            charge = max(own)  # the transfer price lies below the ordinary one
            bands.append((gross, round(100 * (charge - last_charge) / (gross - last_gross))))
            last_gross, last_charge = gross, charge
    if not bands:
        return None
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
