"""A tariff on its way down: the same declaration comes out, and nothing that is not one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.kit import Usage
from jinka.sectors import fuel
from jinka.sectors.shenzhen_tariff import SHENZHEN_2018
from jinka.tariff import Tariff, tariff_from_body, tariff_to_body

BODY = tariff_to_body(SHENZHEN_2018)


@pytest.mark.parametrize("tariff", [SHENZHEN_2018, fuel.TARIFF])
def test_what_goes_down_comes_out(tariff: Tariff) -> None:
    body = tariff_to_body(tariff)
    assert tariff_from_body(body) == tariff
    assert tariff_to_body(tariff_from_body(body)) == body


def _set(*path: Any) -> Callable[[Any], None]:
    *way, last, value = path

    def change(plain: Any) -> None:
        for step in way:
            plain = plain[step]
        plain[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (_set("format", "jinka.tariff/2"), "format"),
        (_set("name", ""), "name"),
        (_set("gross_max_fen", -1), "gross_max_fen"),
        (_set("gross_max_fen", 1.5), "gross_max_fen"),
        (_set("gross_max_fen", True), "gross_max_fen"),
        (_set("more", 1), "other fields"),
        (_set("products", 0, "code", "bus.transfer"), "twice"),
        (_set("products", 0, "modes", ["TRAM"]), "Mode"),
        (_set("products", 0, "holders", "ORDINARY"), "list"),
        (_set("products", 0, "days", "SUNDAY"), "Days"),
        (_set("products", 0, "borne_by", "NOBODY"), "Role"),
        (_set("products", 2, "rule", {"share": -1}), "number"),
        (_set("products", 2, "rule", {"share": 10**9}), "number"),
        (_set("products", 2, "rule", {"eval": "1"}), "not known"),
        (_set("products", 3, "rule", {"bands": [[300, 80]]}), "open"),
        (_set("products", 3, "rule", {"bands": [[600, 80], [300, 75], [None, 65]]}), "rise"),
        (_set("products", 3, "rule", {"bands": [[600]]}), "share"),
        (_set("transfer", "pairs", [["BUS"]]), "two modes"),
        (_set("transfer", "within_seconds", 10**9), "within_seconds"),
    ],
)
def test_each_fault_is_refused_with_its_place(change: Callable[[Any], None], where: str) -> None:
    plain = json.loads(BODY)
    change(plain)
    with pytest.raises(Usage, match=where):
        tariff_from_body(json.dumps(plain).encode())


def test_no_depth_and_no_size_without_end() -> None:
    plain = json.loads(BODY)
    rule: Any = {"share": 1}
    for _ in range(50):
        rule = {"base": rule, "off_fen": 1}
    plain["products"][0]["rule"] = rule
    with pytest.raises(Usage, match="not a rule"):
        tariff_from_body(json.dumps(plain).encode())
    for body in (b"[" * 100_000, b" " * (1 << 21), b"\xff", b"null", b"[]"):
        with pytest.raises(Usage):
            tariff_from_body(body)


@settings(max_examples=200)
@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_another_tariff(place: int, change: int) -> None:
    raw = bytearray(BODY)
    raw[place] ^= change
    try:
        found = tariff_from_body(bytes(raw))
    except Usage:
        return
    assert tariff_from_body(tariff_to_body(found)) == found
