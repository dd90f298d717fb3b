"""What an issuer allows, as data: products with their limits, kinds that need a PIN, risk rules.

Nothing here is a law of nature: a policy is read from a document of the issuer's (`read_policy`), and what it does not
say has a careful default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from jinka.issuer.authorisation import YUAN, Channel, Kind
from jinka.issuer.limits import Limit
from jinka.kit import Usage
from jinka.risk import RuleSet, read_rules

_SPENDING = frozenset(
    {
        Kind.PURCHASE,
        Kind.CASH,
        Kind.BILL,
        Kind.TRANSFER,
        Kind.TRANSFER_OUT,
        Kind.PREAUTHORISATION,
        Kind.BALANCE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What an account of this product may do, and up to where."""

    kinds: frozenset[Kind] = _SPENDING
    channels: frozenset[Channel] = frozenset(Channel)
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """``pin_*``: where a PIN is needed; ``value_channels``: where a card value is, besides every stripe.

    ``unproven_fen``: an advice above it that no chip's certificate proves is disputed. ``hold_days``: how long a
    pre-authorisation holds money that nobody completes.
    """

    products: Mapping[str, Product] = field(default_factory=lambda: {"debit": Product()})
    rules: RuleSet = field(default_factory=RuleSet)
    pin_kinds: frozenset[Kind] = frozenset({Kind.CASH, Kind.TRANSFER, Kind.TRANSFER_OUT, Kind.BALANCE})
    pin_channels: frozenset[Channel] = frozenset({Channel.ATM})
    value_channels: frozenset[Channel] = frozenset({Channel.ONLINE})
    completion_percent: int = 115
    unproven_fen: int = 100_000
    hold_days: int = 30
    currency: int = YUAN

    def permits(self, product: str, kind: Kind, channel: Channel) -> bool:
        found = self.products.get(product)
        return found is not None and kind in found.kinds and channel in found.channels

    def limits_of(self, product: str) -> tuple[Limit, ...]:
        found = self.products.get(product)
        return found.limits if found is not None else ()


def read_policy(document: Mapping[str, Any]) -> Policy:
    """A policy from tables (TOML, JSON): ``products``, ``rules``, ``pin``, ``value``, ``advice``; `Usage` names
    what is wrong."""
    _known(
        document, {"products", "rules", "pin", "value", "advice", "completion_percent", "hold_days"}, "policy"
    )
    default = Policy()
    products = {
        name: _product(table, f"products.{name}") for name, table in document.get("products", {}).items()
    }
    pin, value = document.get("pin", {}), document.get("value", {})
    _known(pin, {"kinds", "channels"}, "pin")
    _known(value, {"channels"}, "value")
    advice = document.get("advice", {})
    _known(advice, {"unproven_fen"}, "advice")
    unproven_fen = advice.get("unproven_fen", default.unproven_fen)
    if type(unproven_fen) is not int or unproven_fen < 0:
        raise Usage("not a whole number", where="policy.advice.unproven_fen", fix="fen, 0 for none")
    days = document.get("hold_days", default.hold_days)
    if type(days) is not int or not 1 <= days <= 366:
        raise Usage("not 1 to 366", where="policy.hold_days", fix="days")
    percent = document.get("completion_percent", default.completion_percent)
    if type(percent) is not int or not 100 <= percent <= 200:
        raise Usage("not 100 to 200", where="policy.completion_percent")
    return Policy(
        products=products or default.products,
        rules=read_rules(document.get("rules", [])),
        pin_kinds=_kinds(pin, "kinds", default.pin_kinds, "pin"),
        pin_channels=_channels(pin, "channels", default.pin_channels, "pin"),
        value_channels=_channels(value, "channels", default.value_channels, "value"),
        completion_percent=percent,
        unproven_fen=unproven_fen,
        hold_days=days,
    )


def _product(table: Mapping[str, Any], where: str) -> Product:
    _known(table, {"kinds", "channels", "limits"}, where)
    limits = tuple(_limit(row, f"{where}.limits[{at}]") for at, row in enumerate(table.get("limits", [])))
    return Product(
        kinds=_kinds(table, "kinds", _SPENDING, where),
        channels=_channels(table, "channels", frozenset(Channel), where),
        limits=limits,
    )


def _limit(row: Mapping[str, Any], where: str) -> Limit:
    words = dict(row)
    given = {"english": words.pop("en", ""), "chinese": words.pop("zh", "")}
    known = {f.name for f in fields(Limit)}
    _known(words, known, where)
    for name, value in words.items():
        if name == "channels":
            given[name] = _channels(words, name, frozenset(), where)
        elif name == "kinds":
            given[name] = _kinds(words, name, frozenset(), where)
        elif name in ("categories", "merchants"):
            given[name] = frozenset(_texts(value, f"{where}.{name}"))
        elif name.endswith(("_fen", "_count")) and type(value) is not int:
            raise Usage("not a whole number", where=f"{where}.{name}")
        else:
            given[name] = value
    if not given.get("code") or not given["english"] or not given["chinese"]:
        raise Usage("a limit needs code, en and zh", where=where)
    return Limit(**given)


def _known(table: Mapping[str, Any], names: set[str], where: str) -> None:
    for name in table:
        if name not in names:
            raise Usage("an unknown word", where=f"{where}.{name}", fix=", ".join(sorted(names)))


def _texts(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise Usage("not a list of words", where=where)
    return value


def _kinds(table: Mapping[str, Any], name: str, default: frozenset[Kind], where: str) -> frozenset[Kind]:
    by_word = {kind.word: kind for kind in Kind}
    return default if name not in table else _chosen(table[name], by_word, f"{where}.{name}")


def _channels(
    table: Mapping[str, Any], name: str, default: frozenset[Channel], where: str
) -> frozenset[Channel]:
    by_word = {channel.value[0]: channel for channel in Channel}
    return default if name not in table else _chosen(table[name], by_word, f"{where}.{name}")


def _chosen(value: Any, by_word: Mapping[str, Any], where: str) -> frozenset[Any]:
    words = _texts(value, where)
    if unknown := [word for word in words if word not in by_word]:
        raise Usage(f"{unknown[0]!r} is none of them", where=where, fix=", ".join(by_word))
    return frozenset(by_word[word] for word in words)
