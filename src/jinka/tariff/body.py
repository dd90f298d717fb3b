"""A tariff as bytes, for its way down to terminals: canonical JSON, strict on the way in.

The same tariff gives the same bytes. What is read has known rules, modes, classes and bearers, each product once, and
numbers within bounds; anything else is refused whole with the place that is wrong. Version, time and digest are the
download's (`jinka.terminal.Download`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Set
from enum import Enum
from typing import Any, TypeVar

from jinka.kit import Usage
from jinka.registry import Role
from jinka.tariff.engine import Cap, Days, Period, Product, Tariff, Transfer, TransferRule
from jinka.tariff.facts import HolderClass, Mode
from jinka.tariff.rules import AmountOff, Bands, Rule, Share

BODY_MAX = 1 << 20
_FORMAT = "jinka.tariff/1"
_FARE_MAX = 2**32 - 1
_PERCENT_MAX = 1_000
_RULE_DEPTH = 4
_E = TypeVar("_E", bound=Enum)


def tariff_to_body(tariff: Tariff) -> bytes:
    """The tariff as canonical JSON."""
    plain = {
        "format": _FORMAT,
        "name": tariff.name,
        "gross_max_fen": tariff.gross_max_fen,
        "products": [_plain_product(product) for product in tariff.products],
        "transfer": {
            "within_seconds": int(tariff.transfer.within.total_seconds()),
            "pairs": sorted([first.name, then.name] for first, then in tariff.transfer.pairs),
        },
        **({"caps": [_plain_cap(cap) for cap in tariff.caps]} if tariff.caps else {}),
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def tariff_from_body(body: bytes) -> Tariff:
    """Read what `tariff_to_body` wrote; `Usage` for anything else."""
    if len(body) > BODY_MAX:
        raise Usage(f"{len(body)} bytes", where="tariff", fix=f"at most {BODY_MAX}")
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raise Usage("not a tariff", where="tariff", fix="send it again") from None
    plain = _record(raw, "tariff", {"format", "name", "gross_max_fen", "products", "transfer"}, {"caps"})
    if plain["format"] != _FORMAT:
        raise Usage("another format", where="tariff.format", fix=f"write {_FORMAT}")
    products = tuple(
        _product(one, f"tariff.products[{place}]")
        for place, one in enumerate(_list(plain["products"], "tariff.products"))
    )
    caps = tuple(
        _cap(one, f"tariff.caps[{place}]")
        for place, one in enumerate(_list(plain.get("caps", []), "tariff.caps"))
    )
    codes = [product.code for product in products] + [cap.code for cap in caps]
    if len(set(codes)) != len(codes):
        raise Usage("a product stands twice", where="tariff.products", fix="one product for each code")
    transfer = _record(plain["transfer"], "tariff.transfer", {"within_seconds", "pairs"})
    pairs = [
        [_named(Mode, mode, "tariff.transfer.pairs") for mode in _list(pair, "tariff.transfer.pairs")]
        for pair in _list(transfer["pairs"], "tariff.transfer.pairs")
    ]
    if any(len(pair) != 2 for pair in pairs):
        raise Usage("not two modes", where="tariff.transfer.pairs", fix="from which to which")
    seconds = _number(transfer["within_seconds"], "tariff.transfer.within_seconds", 7 * 86_400)
    return Tariff(
        name=_text(plain["name"], "tariff.name"),
        products=products,
        transfer=TransferRule(
            within=dt.timedelta(seconds=seconds), pairs=frozenset((first, then) for first, then in pairs)
        ),
        gross_max_fen=_number(plain["gross_max_fen"], "tariff.gross_max_fen", _FARE_MAX),
        caps=caps,
    )


def _plain_product(product: Product) -> dict[str, Any]:
    return {
        "code": product.code,
        "title_en": product.title_en,
        "title_zh": product.title_zh,
        "modes": [mode.name for mode in product.modes],
        "holders": [holder.name for holder in product.holders],
        "transfer": product.transfer.name,
        "days": product.days.name,
        "borne_by": product.borne_by.name if product.borne_by is not None else None,
        "rule": _plain_rule(product.rule),
        **({"month_from": product.month_from} if product.month_from else {}),
    }


def _plain_cap(cap: Cap) -> dict[str, Any]:
    return {
        "code": cap.code,
        "title_en": cap.title_en,
        "title_zh": cap.title_zh,
        "period": cap.period.name,
        "most_fen": cap.most_fen,
        "modes": [mode.name for mode in cap.modes],
        "holders": [holder.name for holder in cap.holders],
    }


def _cap(raw: Any, where: str) -> Cap:
    plain = _record(raw, where, {"code", "title_en", "title_zh", "period", "most_fen", "modes", "holders"})
    return Cap(
        code=_text(plain["code"], f"{where}.code"),
        title_en=_text(plain["title_en"], f"{where}.title_en"),
        title_zh=_text(plain["title_zh"], f"{where}.title_zh"),
        period=_named(Period, plain["period"], f"{where}.period"),
        most_fen=_number(plain["most_fen"], f"{where}.most_fen", _FARE_MAX),
        modes=tuple(_named(Mode, one, f"{where}.modes") for one in _list(plain["modes"], f"{where}.modes")),
        holders=tuple(
            _named(HolderClass, one, f"{where}.holders")
            for one in _list(plain["holders"], f"{where}.holders")
        ),
    )


def _product(raw: Any, where: str) -> Product:
    fields = {"code", "title_en", "title_zh", "modes", "holders", "transfer", "days", "borne_by", "rule"}
    plain = _record(raw, where, fields, {"month_from"})
    bearer = plain["borne_by"]
    return Product(
        code=_text(plain["code"], f"{where}.code"),
        title_en=_text(plain["title_en"], f"{where}.title_en"),
        title_zh=_text(plain["title_zh"], f"{where}.title_zh"),
        modes=tuple(_named(Mode, one, f"{where}.modes") for one in _list(plain["modes"], f"{where}.modes")),
        holders=tuple(
            _named(HolderClass, one, f"{where}.holders")
            for one in _list(plain["holders"], f"{where}.holders")
        ),
        transfer=_named(Transfer, plain["transfer"], f"{where}.transfer"),
        days=_named(Days, plain["days"], f"{where}.days"),
        rule=_rule(plain["rule"], f"{where}.rule"),
        borne_by=None if bearer is None else _named(Role, bearer, f"{where}.borne_by"),
        month_from=_number(plain.get("month_from", 0), f"{where}.month_from", _FARE_MAX),
    )


def _plain_rule(rule: Rule) -> dict[str, Any]:
    if isinstance(rule, Share):
        return {"share": rule.percent}
    if isinstance(rule, Bands):
        return {"bands": [list(band) for band in rule.bands]}
    if isinstance(rule, AmountOff):
        return {"base": _plain_rule(rule.base), "off_fen": rule.off_fen}
    raise Usage(
        f"{type(rule).__name__} has no form for download", where="tariff.rule", fix="declare its form"
    )


def _rule(raw: Any, where: str, depth: int = 0) -> Rule:
    if depth > _RULE_DEPTH or not isinstance(raw, dict):
        raise Usage("not a rule", where=where, fix="share, bands, or base and off_fen")
    known: Mapping[frozenset[str], Callable[[], Rule]] = {
        frozenset({"share"}): lambda: Share(_number(raw["share"], where, _PERCENT_MAX)),
        frozenset({"bands"}): lambda: Bands(tuple(_band(one, where) for one in _list(raw["bands"], where))),
        frozenset({"base", "off_fen"}): lambda: AmountOff(
            _rule(raw["base"], f"{where}.base", depth + 1), _number(raw["off_fen"], where, _FARE_MAX)
        ),
    }
    make = known.get(frozenset(raw))
    if make is None:
        raise Usage("a rule that is not known", where=where, fix="share, bands, or base and off_fen")
    return make()


def _band(raw: Any, where: str) -> tuple[int | None, int]:
    band = _list(raw, where)
    if len(band) != 2:
        raise Usage("not a limit and a share", where=where, fix="a pair")
    limit = None if band[0] is None else _number(band[0], where, _FARE_MAX)
    return limit, _number(band[1], where, _PERCENT_MAX)


def _record(raw: Any, where: str, names: set[str], may: Set[str] = frozenset()) -> dict[str, Any]:
    if not isinstance(raw, dict) or set(raw) - may != names:
        raise Usage("other fields than a tariff has", where=where, fix=", ".join(sorted(names)))
    return raw


def _list(raw: Any, where: str) -> list[Any]:
    if not isinstance(raw, list):
        raise Usage("not a list", where=where)
    return raw


def _text(raw: Any, where: str) -> str:
    if not isinstance(raw, str) or not 0 < len(raw) <= 200:
        raise Usage("not 1 to 200 characters", where=where)
    return raw


def _number(raw: Any, where: str, most: int) -> int:
    if type(raw) is not int or not 0 <= raw <= most:
        raise Usage(f"not a number from 0 to {most}", where=where)
    return raw


def _named(kind: type[_E], raw: Any, where: str) -> _E:
    if not isinstance(raw, str) or raw not in kind.__members__:
        raise Usage(f"no {kind.__name__}", where=where, fix=", ".join(kind.__members__))
    return kind[raw]
