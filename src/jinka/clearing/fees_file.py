"""The price list as a file: TOML, strict on the way in, with the place of what is wrong (docs/business-day.md).

Rates are percent in quotes with at most four decimals ("0.0325%"), so they are whole parts per million and no float is
ever read. Lines of one code are tried in the order of the file: exceptions stand before the rule.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from jinka.clearing.fees import FeeLine, FeeMatch, FeeParty, FeeSchedule, Merchant, Per
from jinka.kit import MAX_MINOR, Usage

PAGE = "docs/business-day.md"
FEES_FILE_MAX = 1 << 20
_LINES_MAX = 10_000
_LINE = {
    "code", "variant", "title_en", "title_zh", "from", "until", "payers", "payees", "per", "rate", "band",
    "fixed_minor", "floor_minor", "cap_minor", "tax", "tax_included", "products", "sectors", "regions", "categories",
}  # fmt: skip
_RATE = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,4}))?%")
_CATEGORY = re.compile(r"([0-9]{4})(?:-([0-9]{4}))?")
_REGION = re.compile(r"[0-9]{2}(?:[0-9]{2}){0,2}")
_WEIGHT_MAX = 1_000_000
_E = TypeVar("_E", bound=Enum)


def read_fees(text: str) -> FeeSchedule:
    """Read a price list; raises `Usage` that names the line and the field."""
    if len(text.encode()) > FEES_FILE_MAX:
        raise Usage(f"more than {FEES_FILE_MAX} bytes", where="fees", fix="split the scheme")
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Usage(f"not TOML: {error}", where="fees", fix="correct the file") from None
    _only(raw, {"fees", "line", "merchant"}, "fees")
    head = raw.get("fees", {})
    _only(head, {"scheme", "switch"}, "fees")
    rows = _list(raw.get("line", []), "line")
    if len(rows) > _LINES_MAX:
        raise Usage(f"{len(rows)} lines", where="fees.line", fix=f"at most {_LINES_MAX}")
    merchants: dict[str, Merchant] = {}
    for row in _list(raw.get("merchant", []), "merchant"):
        code, merchant = _merchant(row)
        if code in merchants:
            raise Usage("stands twice", where=f"merchant.{code}", fix="keep one")
        merchants[code] = merchant
    return FeeSchedule(
        scheme=_text(head, "scheme", "fees", most=64),
        switch=_text(head, "switch", "fees", default="", most=64),
        lines=tuple(_line(row, place) for place, row in enumerate(rows, 1)),
        merchants=merchants,
    )


def read_rate(value: object, where: str) -> int:
    """``"0.0325%"`` as 325 parts per million."""
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    ppm = int(found[1]) * 10_000 + int((found[2] or "").ljust(4, "0")) if found else -1
    if not 0 <= ppm <= 1_000_000:
        raise Usage(f"no rate: {value!r}", where=where, fix='0 to 100 percent in quotes: "0.35%"')
    return ppm


def rate_text(ppm: int) -> str:
    """325 parts per million as ``0.0325%``."""
    whole, rest = divmod(ppm, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".") + "%"


def _line(row: object, place: int) -> FeeLine:
    code = row.get("code") if isinstance(row, dict) else None
    where = f"line {place}" + (f" ({code})" if isinstance(code, str) else "")
    _only(row, _LINE, where)
    assert isinstance(row, dict)
    begins, ends = _date(row, "from", where, dt.date.min), _date(row, "until", where, dt.date.max)
    line = {
        "code": _text(row, "code", where, most=64),
        "variant": _text(row, "variant", where, default="", most=64),
        "title_en": _text(row, "title_en", where),
        "title_zh": _text(row, "title_zh", where),
        "payers": _parties(row, "payers", where),
        "payees": _parties(row, "payees", where),
        "per": _named(Per, row.get("per"), f"{where}.per"),
        "bands": _bands(row, where),
        "fixed": _minor(row, "fixed_minor", where, 0),
        "floor": _minor(row, "floor_minor", where, 0),
        "cap": _minor(row, "cap_minor", where, None),
        "tax_ppm": read_rate(row.get("tax", "0%"), f"{where}.tax"),
        "tax_included": row.get("tax_included", True),
        "match": _match(row, where),
        "begins": begins,
        "ends": ends,
    }
    if type(line["tax_included"]) is not bool:
        raise Usage("not true or false", where=f"{where}.tax_included")
    try:
        return FeeLine(**line)
    except Usage as problem:
        raise Usage(problem.what, where=f"{where}: {problem.where}", fix=problem.fix) from None


def _bands(row: Mapping[str, Any], where: str) -> tuple[tuple[int | None, int], ...]:
    if ("rate" in row) == ("band" in row):
        raise Usage("either one rate or bands", where=where, fix='rate = "0.35%", or [[line.band]]')
    if "rate" in row:
        return ((None, read_rate(row["rate"], f"{where}.rate")),)
    bands = []
    for place, band in enumerate(_list(row["band"], f"{where}.band"), 1):
        here = f"{where}.band {place}"
        _only(band, {"up_to_minor", "rate"}, here)
        assert isinstance(band, dict)
        bands.append((_minor(band, "up_to_minor", here, None), read_rate(band.get("rate"), f"{here}.rate")))
    return tuple(bands)


def _match(row: Mapping[str, Any], where: str) -> FeeMatch:
    categories = []
    for text in _texts(row, "categories", where):
        found = _CATEGORY.fullmatch(text)
        if not found or found[1] > (found[2] or found[1]):
            raise Usage(f"no category: {text!r}", where=f"{where}.categories", fix='"5411" or "5811-5814"')
        categories.append((found[1], found[2] or found[1]))
    regions = _texts(row, "regions", where)
    for text in regions:
        _region(text, f"{where}.regions")
    return FeeMatch(
        products=frozenset(_texts(row, "products", where)),
        sectors=frozenset(_texts(row, "sectors", where)),
        regions=tuple(regions),
        categories=tuple(categories),
    )


def _merchant(row: object) -> tuple[str, Merchant]:
    _only(row, {"code", "sector", "region", "category"}, "merchant")
    assert isinstance(row, dict)
    code = _text(row, "code", "merchant", most=64)
    where = f"merchant.{code}"
    texts = {name: _text(row, name, where, default="") for name in ("sector", "region", "category")}
    if texts["region"]:
        _region(texts["region"], f"{where}.region")
    if texts["category"] and not re.fullmatch(r"[0-9]{4}", texts["category"]):
        raise Usage(f"no category: {texts['category']!r}", where=f"{where}.category", fix="four digits")
    return code, Merchant(**texts)


def _region(text: str, where: str) -> None:
    if not _REGION.fullmatch(text):
        raise Usage(f"no region: {text!r}", where=where, fix="2, 4 or 6 digits of GB/T 2260")


def _parties(row: Mapping[str, Any], name: str, where: str) -> dict[FeeParty, int]:
    """``"issuer"``, or a table of weights."""
    given = row.get(name)
    if isinstance(given, str):
        given = {given: 1}
    if not isinstance(given, dict) or not given:
        raise Usage(
            "nobody is named", where=f"{where}.{name}", fix='"issuer", or { issuer = 1, acquirer = 1 }'
        )
    weights = {}
    for party, weight in given.items():
        if type(weight) is not int or not 0 < weight <= _WEIGHT_MAX:
            raise Usage(f"no weight: {weight!r}", where=f"{where}.{name}.{party}", fix=f"1 to {_WEIGHT_MAX}")
        weights[_named(FeeParty, party, f"{where}.{name}")] = weight
    return dict(sorted(weights.items(), key=lambda item: item[0].value))


def _named(kind: type[_E], value: object, where: str) -> _E:
    found = next((one for one in kind if one.value[0] == value), None)
    if found is None:
        raise Usage(f"not {value!r}", where=where, fix=", ".join(one.value[0] for one in kind))
    return found


def _only(given: object, known: set[str], where: str) -> None:
    if not isinstance(given, dict):
        raise Usage("not a table", where=where, fix=f"see {PAGE}")
    if unknown := sorted(given.keys() - known):
        raise Usage(f"unknown: {unknown[0]}", where=where, fix=f"{', '.join(sorted(known))}; see {PAGE}")


def _list(given: object, where: str) -> list[Any]:
    if not isinstance(given, list):
        raise Usage("not a list", where=where, fix=f"see {PAGE}")
    return given


def _text(
    row: Mapping[str, Any], name: str, where: str, *, default: str | None = None, most: int = 200
) -> str:
    value = row.get(name, default)
    if not isinstance(value, str) or len(value) > most or (default is None and not value):
        raise Usage(f"not a text of 1 to {most} characters", where=f"{where}.{name}")
    return value


def _texts(row: Mapping[str, Any], name: str, where: str) -> list[str]:
    values = _list(row.get(name, []), f"{where}.{name}")
    if not all(isinstance(value, str) and 0 < len(value) <= 200 for value in values):
        raise Usage("not a list of texts", where=f"{where}.{name}")
    return values


_N = TypeVar("_N", int, None)


def _minor(row: Mapping[str, Any], name: str, where: str, default: _N) -> int | _N:
    value = row.get(name, default)
    if value is None and default is None:
        return default
    if type(value) is not int or not 0 <= value <= MAX_MINOR:
        raise Usage(f"no amount: {value!r}", where=f"{where}.{name}", fix="a whole number of minor units")
    return value


def _date(row: Mapping[str, Any], name: str, where: str, default: dt.date) -> dt.date:
    value = row.get(name, default)
    if type(value) is not dt.date:
        raise Usage(f"no date: {value!r}", where=f"{where}.{name}", fix="2016-09-06, without quotes")
    return value
