"""``float.toml`` beside a day: a scheme's own rules of the float (docs/float.md). Without it, the defaults."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from jinka.app.parts_file import only
from jinka.kit import MAX_MINOR, Refused, Usage, parse_date
from jinka.node import file_errors
from jinka.settlement.float_custody import CustodyRules, DayCount, Rate
from jinka.settlement.float_rules import (
    DEFAULT_REFUNDS,
    DepositFate,
    FloatRules,
    Missing,
    RefundKind,
    RefundRule,
    WayOut,
    WriteOffRule,
)

FILE, PAGE = "float.toml", "docs/float.md"
_SIZE_MAX = 1 << 20
_DAYS_MAX, _MONTHS_MAX = 3_660, 600
_TOP = {"ask_after_days", "write_off", "refund", "cards", "custody"}
_CARDS = {"deposit_fen", "named_classes", "named_limit_fen", "anonymous_limit_fen", "dormant_months"}


def read_float_rules(folder: Path, *, scheme: str) -> FloatRules:
    """The folder's rules; raises `Usage` with the place of what is wrong."""
    path = folder / FILE
    if not path.exists():
        return FloatRules(scheme=scheme)
    with file_errors(path):
        if path.stat().st_size > _SIZE_MAX:
            raise Refused(f"larger than {_SIZE_MAX} bytes", where=str(path), fix=f"see {PAGE}")
        raw = path.read_bytes()
    try:
        tables = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Usage(f"not TOML: {error}", where=str(path), fix=f"see {PAGE}") from None
    only(tables, _TOP, FILE, PAGE)
    given: dict[str, Any] = {"scheme": scheme}
    if "ask_after_days" in tables:
        given["ask_after_days"] = _number(tables["ask_after_days"], "ask_after_days", _DAYS_MAX)
    if "write_off" in tables:
        given["write_off"] = tuple(
            _write_off(row, f"write_off {place}")
            for place, row in enumerate(_rows(tables["write_off"], "write_off"), 1)
        )
    if "refund" in tables:
        rows = [_refund(row, f"refund {n}") for n, row in enumerate(_rows(tables["refund"], "refund"), 1)]
        given["refunds"] = dict(DEFAULT_REFUNDS) | dict(rows)
    cards = tables.get("cards", {})
    only(cards, _CARDS, "cards", PAGE)
    for name in _CARDS & set(cards):
        where = f"cards.{name}"
        if name == "named_classes":
            classes = cards[name] if isinstance(cards[name], list) else [None]
            given[name] = tuple(_number(each, where, 255) for each in classes)
        else:
            given[name] = _number(cards[name], where, _MONTHS_MAX if name == "dormant_months" else MAX_MINOR)
    if "custody" in tables:
        given["custody"] = _custody(tables["custody"])
    return FloatRules(**given)


def _custody(table: object) -> CustodyRules:
    only(table, {"day_count", "rate", "share"}, "custody", PAGE)
    assert isinstance(table, dict)
    counts = {f"act/{count.value}": count for count in DayCount}
    rates, shares = [], {}
    for place, row in enumerate(_rows(table.get("rate", []), "custody.rate"), 1):
        where = f"custody.rate {place}"
        only(row, {"since", "ppm"}, where, PAGE)
        assert isinstance(row, dict)
        since = parse_date(_text(row.get("since"), where), where=where)
        rates.append(Rate(since=since, ppm=_number(row.get("ppm"), where, 1_000_000)))
    for place, row in enumerate(_rows(table.get("share", []), "custody.share"), 1):
        where = f"custody.share {place}"
        only(row, {"to", "weight"}, where, PAGE)
        assert isinstance(row, dict)
        shares[_text(row.get("to"), where)] = _number(row.get("weight"), where, 1_000_000)
    word = _one_of({"day_count": table.get("day_count", "act/360")}, "day_count", list(counts), "custody")
    return CustodyRules(rates=tuple(rates), day_count=counts[word], shares=shares)


def _write_off(row: object, where: str) -> WriteOffRule:
    only(row, {"missing", "days", "up_to_fen", "way", "reason", "owner"}, where, PAGE)
    assert isinstance(row, dict)
    ways = {way.value[0]: way for way in WayOut}
    return WriteOffRule(
        missing=Missing(_one_of(row, "missing", [each.value for each in Missing], where)),
        days=_number(row.get("days"), f"{where}.days", _DAYS_MAX),
        up_to_fen=_number(row.get("up_to_fen"), f"{where}.up_to_fen", MAX_MINOR),
        way=ways[_one_of(row, "way", list(ways), where)],
        reason=_text(row.get("reason"), f"{where}.reason"),
        owner=_text(row.get("owner", ""), f"{where}.owner"),
    )


def _refund(row: object, where: str) -> tuple[RefundKind, RefundRule]:
    only(row, {"kind", "days", "named_only", "deposit"}, where, PAGE)
    assert isinstance(row, dict)
    kinds = {kind.value[0]: kind for kind in RefundKind}
    kind = kinds[_one_of(row, "kind", list(kinds), where)]
    before = DEFAULT_REFUNDS[kind]
    named = row.get("named_only", before.named_only)
    if type(named) is not bool:
        raise Usage("true or false", where=f"{where}.named_only", fix=f"see {PAGE}")
    fate = row.get("deposit", before.deposit.value)
    return kind, RefundRule(
        days=_number(row.get("days", before.days), f"{where}.days", _DAYS_MAX),
        named_only=named,
        deposit=DepositFate(
            _one_of({"deposit": fate}, "deposit", [each.value for each in DepositFate], where)
        ),
    )


def _rows(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise Usage("not a list of tables", where=where, fix=f"[[{where}]]")
    return value


def _one_of(row: dict[str, Any], name: str, words: list[str], where: str) -> str:
    value = row.get(name)
    if value not in words:
        raise Usage(f"not one of them: {value!r}", where=f"{where}.{name}", fix=", ".join(words))
    return str(value)


def _number(value: object, where: str, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise Usage(f"not a number: {value!r}", where=where, fix=f"0 to {most}")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or len(value) > 200 or not (value.isprintable()):
        raise Usage("not a text of a line", where=where, fix="put it in quotes")
    return value
