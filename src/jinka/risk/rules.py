"""Risk rules as data: velocity, distance, lists, fallback to the stripe, and the first use of a card.

A rule set is read from plain tables (TOML, JSON) by `read_rules`; each rule has a code and a title in two languages,
which stand in the decision. A rule declines, or only raises an alert. Rules see what one card did before and what it
does now; they know nothing of money on accounts. No model is trained here, and no score is formed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Protocol

from jinka.kit import Usage

_MICROS = 1_000_000
_EARTH_KM = 6371.0
_RULES_MAX = 1_000


class Action(Enum):
    """What a rule that strikes does."""

    DECLINE = "decline"
    ALERT = "alert"


class Activity(Protocol):
    """One transaction of a card, as rules see it. Words are those of the issuer's host."""

    @property
    def at_micros(self) -> int: ...
    @property
    def amount_fen(self) -> int: ...
    @property
    def approved(self) -> bool: ...
    @property
    def entry_word(self) -> str: ...
    @property
    def channel_word(self) -> str: ...
    @property
    def acquirer(self) -> str: ...
    @property
    def merchant(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def place_e6(self) -> tuple[int, int] | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What rules know of the card itself."""

    id: bytes
    chip: bool
    first_use_micros: int  # 0: never used


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a rule looks at; ``before`` is the card's past in the order of time."""

    now: Activity
    before: Sequence[Activity]
    card: CardFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What every rule has. ``channels`` empty: all."""

    code: str
    english: str
    chinese: str
    action: Action = Action.DECLINE
    channels: frozenset[str] = frozenset()

    def strikes(self, sight: Sight) -> bool:
        """Whether it applies to what the card does now."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Velocity(Rule):
    """More than ``count`` transactions or ``amount_fen`` in ``window_s``, this one included; 0: no bound.

    ``declined`` counts the refused ones instead, of which this one is none.
    """

    window_s: int
    count: int = 0
    amount_fen: int = 0
    declined: bool = False

    def strikes(self, sight: Sight) -> bool:
        now, before = sight.now, sight.before
        since = now.at_micros - self.window_s * _MICROS
        seen = [a for a in before if a.at_micros > since and a.approved is not self.declined]
        if self.declined:
            return bool(self.count) and len(seen) >= self.count
        total = now.amount_fen + sum(a.amount_fen for a in seen)
        return bool((self.count and len(seen) >= self.count) or (self.amount_fen and total > self.amount_fen))


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance(Rule):
    """From the last place where the card was present nobody comes so fast: ``kmh``, beyond ``slack_km``."""

    kmh: int
    slack_km: int = 50

    def strikes(self, sight: Sight) -> bool:
        now, before = sight.now, sight.before
        past = [a for a in before if a.approved and a.place_e6 is not None]
        if now.place_e6 is None or not past or past[-1].place_e6 is None:
            return False
        way_km = _way_km(past[-1].place_e6, now.place_e6) - self.slack_km
        hours = max(0, now.at_micros - past[-1].at_micros) / _MICROS / 3600
        return way_km > self.kmh * hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Rule):
    """One of these merchants, categories or acquirers, or cards by the hex of their ids."""

    merchants: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    acquirers: frozenset[str] = frozenset()
    cards: frozenset[str] = frozenset()

    def strikes(self, sight: Sight) -> bool:
        now, card = sight.now, sight.card
        return (
            now.merchant in self.merchants
            or now.category in self.categories
            or now.acquirer in self.acquirers
            or card.id.hex() in self.cards
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback(Rule):
    """A chip card's stripe: more than ``count`` times in ``window_s``, or above ``amount_fen`` (0: no bound)."""

    window_s: int = 86_400
    count: int = 0
    amount_fen: int = 0

    def strikes(self, sight: Sight) -> bool:
        now, before = sight.now, sight.before
        if now.entry_word != "fallback":
            return False
        since = now.at_micros - self.window_s * _MICROS
        seen = sum(1 for a in before if a.entry_word == "fallback" and a.approved and a.at_micros > since)
        return seen >= self.count or bool(self.amount_fen and now.amount_fen > self.amount_fen)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstUse(Rule):
    """A card never used, or for less than ``young_s``: above ``amount_fen``, or by another entry than ``entries``."""

    young_s: int = 0
    amount_fen: int = 0
    entries: frozenset[str] = frozenset()

    def strikes(self, sight: Sight) -> bool:
        now, card = sight.now, sight.card
        first = card.first_use_micros
        if first and now.at_micros - first >= self.young_s * _MICROS:
            return False
        too_much = bool(self.amount_fen and now.amount_fen > self.amount_fen)
        return too_much or bool(self.entries and now.entry_word not in self.entries)


RULES: dict[str, type[Rule]] = {
    "velocity": Velocity,
    "distance": Distance,
    "listed": Listed,
    "fallback": Fallback,
    "first-use": FirstUse,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Rules in their order: the first that declines speaks, else the first that raises an alert."""

    rules: tuple[Rule, ...] = ()

    def judge(self, now: Activity, before: Sequence[Activity], card: CardFacts) -> Rule | None:
        """The rule that speaks, or None."""
        sight = Sight(now=now, before=before, card=card)
        struck = [
            rule
            for rule in self.rules
            if (not rule.channels or now.channel_word in rule.channels) and rule.strikes(sight)
        ]
        declining = (rule for rule in struck if rule.action is Action.DECLINE)
        return next(declining, struck[0] if struck else None)

    @property
    def window_s(self) -> int:
        """How far back the rules look."""
        return max([getattr(rule, "window_s", 86_400) for rule in self.rules], default=0)


def read_rules(rows: Iterable[Mapping[str, Any]]) -> RuleSet:
    """Rules from tables with ``kind``, ``code``, ``en``, ``zh`` and the rule's own words; `Usage` names the fault."""
    made: list[Rule] = []
    for at, row in enumerate(rows):
        if at >= _RULES_MAX:
            raise Usage(f"more than {_RULES_MAX} rules", where="rules")
        rule = _rule(dict(row), f"rules[{at}]")
        if any(rule.code == other.code for other in made):
            raise Usage(f"two rules {rule.code}", where=f"rules[{at}].code", fix="give each its own code")
        made.append(rule)
    return RuleSet(rules=tuple(made))


def _rule(row: dict[str, Any], where: str) -> Rule:
    kind = RULES.get(str(row.pop("kind", "")))
    if kind is None:
        raise Usage("an unknown kind of rule", where=f"{where}.kind", fix=f"one of {', '.join(RULES)}")
    words: dict[str, Any] = {"english": row.pop("en", ""), "chinese": row.pop("zh", "")}
    known = {f.name: str(f.type) for f in fields(kind)}
    for name, value in row.items():
        if name not in known or name in ("english", "chinese"):
            raise Usage("no word of this kind of rule", where=f"{where}.{name}", fix=", ".join(sorted(known)))
        words[name] = _value(known[name], value, f"{where}.{name}")
    for name in ("code", "english", "chinese"):
        if not isinstance(words.get(name), str) or not words[name]:
            raise Usage("a rule needs code, en and zh", where=where, fix=f"give it a {name}")
    try:
        return kind(**words)
    except TypeError:
        raise Usage("a word is missing", where=where, fix=", ".join(sorted(known))) from None


def _value(kind: str, value: Any, where: str) -> Any:
    if kind == "int" and type(value) is int and 0 <= value < 1 << 53:
        return value
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "str" and isinstance(value, str):
        return value
    if kind == "Action" and value in {action.value for action in Action}:
        return Action(value)
    if kind.startswith("frozenset") and isinstance(value, list) and all(isinstance(v, str) for v in value):
        return frozenset(value)
    raise Usage("a value of another kind", where=where, fix=f"wanted: {kind}")


def _way_km(start_e6: tuple[int, int], end_e6: tuple[int, int]) -> float:
    """The shortest way over the globe (haversine)."""
    (lat1, lon1), (lat2, lon2) = ((math.radians(x / 1e6) for x in place) for place in (start_e6, end_e6))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half)))
