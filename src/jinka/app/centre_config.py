"""`centre.toml`: what a data centre is told of itself, its parent and the children that it admitted.

::

    [centre]
    tier = "city"                 # city, province or nation
    code = "4403"                 # its code in the federation, and the common name in its certificates
    region = "440300"             # GB/T 2260
    zone = "Asia/Shanghai"
    first_date = "2018-09-03"     # its first business day
    participants = ["issuer.4403", "op.4403.bus"]  # whose books it keeps
    patience = 1                  # by how many days the others may be ahead of a child that is waited for
    answer_days = 3               # days that a card's centre has for its verdict; silence then counts as a yes

    [city]                        # of a city alone
    issuer = "issuer.4403"        # whose cards it judges
    government = "gov.4403"       # who bears declared discounts here
    scheme = "scheme.jinka"       # who earns the scheme's fee and bears its risk
    fees_bp = { scheme = 20, issuer = 10, acquirer = 20 }
    tariff = "shenzhen.2018"      # what records are priced by: a tariff of any sector that is installed
    late_days = 5                 # for how long an earlier day's record is judged; business-day.toml may say it too
    cut_off_days = 30             # the same for a centre that was cut off, whose records could not come before

    [parent]
    code = "44"
    url = "https://127.0.0.1:8444"

    [[child]]                     # of a province or the nation: who was admitted, and for whom it may speak
    code = "4403"
    centres = ["4403"]
    participants = ["issuer.4403"]

Beside it may lie `business-day.toml`, `fees.toml` (then its lines count and ``fees_bp`` do not) and `paths.toml`
(`jinka.app.centre_rules`). What the line to the neighbours needs (certificates, addresses) is read by
`jinka.app.centre_line`.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jinka.app.centre_rules import CentreRules, read_rules
from jinka.app.options import TARIFF_DEFAULT
from jinka.app.tariffs import Prices, prices_named
from jinka.clearing import FeeTable
from jinka.clearing.tiers import Neighbour, Surroundings, Tier
from jinka.kit import NotFound, Usage, parse_date
from jinka.node import file_errors

FILE = "centre.toml"
DATABASE = "centre.db"
_CENTRE = {
    "tier", "code", "region", "zone", "first_date", "participants", "patience", "answer_days",
}  # fmt: skip
_CITY = {"issuer", "government", "scheme", "fees_bp", "tariff", "late_days", "cut_off_days"}
_CHILD = {"code", "centres", "participants"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CityTerms:
    """What a city alone is told."""

    issuer: str
    government: str
    fees: FeeTable
    prices: Prices
    late_days: int
    cut_off_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreConfig:
    """A centre's own words; ``city`` is None above the cities."""

    around: Surroundings
    region: str
    zone: str
    first_date: dt.date
    city: CityTerms | None
    parent_url: str = ""
    rules: CentreRules = field(default_factory=CentreRules)


def read_config(folder: Path) -> CentreConfig:
    """Read the folder's file; raises `NotFound` or `Usage` with the path of what is wrong."""
    path = folder / FILE
    with file_errors(path):
        if not path.is_file():
            raise NotFound("no centre is in this folder", where=str(folder), fix="run jinka centre init")
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise Usage(f"is no TOML: {problem}", where=str(path)) from None
    return replace(parse_config(found), rules=read_rules(folder))


def parse_config(found: Mapping[str, Any]) -> CentreConfig:
    """The same from parsed TOML. Tables of other names are somebody else's to read."""
    own = _table(found, "centre", _CENTRE)
    try:
        tier = Tier(_text(own, "centre.tier"))
    except ValueError:
        raise Usage("no such tier", where="centre.tier", fix="city, province or nation") from None
    parent = found.get("parent", {})
    around = Surroundings(
        tier=tier,
        code=_text(own, "centre.code"),
        parent=_text(parent, "parent.code") if parent else "",
        participants=_words(own, "centre.participants"),
        children=_children(found.get("child", [])),
        patience=_whole(own, "centre.patience", 1),
        answer_days=_whole(own, "centre.answer_days", 3),
    )
    if (tier is Tier.CITY) != ("city" in found):
        raise Usage("a city has it, and no other", where="city")
    city = _city(_table(found, "city", _CITY)) if tier is Tier.CITY else None
    if city is not None and city.issuer not in around.participants:
        raise Usage(f"{city.issuer} is no participant", where="city.issuer")
    return CentreConfig(
        around=around,
        region=_text(own, "centre.region"),
        zone=_text(own, "centre.zone"),
        first_date=parse_date(_text(own, "centre.first_date"), where="centre.first_date"),
        city=city,
        parent_url=str(parent.get("url", "")),
    )


def _city(found: Mapping[str, Any]) -> CityTerms:
    rates = found.get("fees_bp", {})
    if not isinstance(rates, dict) or set(rates) - {"scheme", "issuer", "acquirer"}:
        raise Usage("scheme, issuer and acquirer", where="city.fees_bp")
    return CityTerms(
        issuer=_text(found, "city.issuer"),
        government=_text(found, "city.government"),
        fees=FeeTable(
            scheme=_text(found, "city.scheme"),
            **{f"{name}_bp": _whole(rates, f"city.fees_bp.{name}", 0) for name in rates},
        ),
        prices=prices_named(_text({"tariff": TARIFF_DEFAULT} | dict(found), "city.tariff")),
        late_days=_whole(found, "city.late_days", 5),
        cut_off_days=_whole(found, "city.cut_off_days", 30),
    )


def _children(found: Any) -> dict[str, Neighbour]:
    if not isinstance(found, list):
        raise Usage("is a list of tables", where="child", fix="[[child]]")
    children: dict[str, Neighbour] = {}
    for number, each in enumerate(found):
        where = f"child[{number}]"
        child = Neighbour(
            code=_text(_known(each, where, _CHILD), f"{where}.code"),
            centres=_words(each, f"{where}.centres"),
            participants=_words(each, f"{where}.participants"),
        )
        if child.code in children:
            raise Usage("is there twice", where=f"{where}.code")
        children[child.code] = child
    return children


def _table(found: Mapping[str, Any], name: str, known: set[str]) -> Mapping[str, Any]:
    return _known(found.get(name), name, known)


def _known(table: Any, where: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(table, dict):
        raise Usage("is missing, or no table", where=where)
    if extra := sorted(set(table) - known):
        raise Usage("is unknown", where=f"{where}.{extra[0]}", fix=", ".join(sorted(known)))
    return table


def _text(table: Mapping[str, Any], where: str) -> str:
    value = table.get(where.rpartition(".")[2])
    if not isinstance(value, str) or not value:
        raise Usage("is no text", where=where)
    return value


def _words(table: Mapping[str, Any], where: str) -> frozenset[str]:
    value = table.get(where.rpartition(".")[2], [])
    if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
        raise Usage("is no list of texts", where=where)
    return frozenset(value)


def _whole(table: Mapping[str, Any], where: str, default: int) -> int:
    value = table.get(where.rpartition(".")[2], default)
    if type(value) is not int or not 0 <= value <= 10_000:
        raise Usage(f"{value!r}", where=where, fix="0 to 10000")
    return value
