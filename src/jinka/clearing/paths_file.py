"""Shares of metro paths as a file: lines and their owners, paths and their shares, discounts and who bears them.

TOML, strict on the way in, with the place of what is wrong; docs/business-day.md shows the whole of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from jinka.clearing.apportion import PathTable
from jinka.kit import Usage

PAGE = "docs/business-day.md"
PATHS_FILE_MAX = 16 << 20
_WEIGHT_MAX = 10**9


def read_paths(text: str) -> PathTable:
    """Read the file; raises `Usage` with the place of what is wrong."""
    if len(text.encode()) > PATHS_FILE_MAX:
        raise Usage(f"more than {PATHS_FILE_MAX} bytes", where="paths", fix=f"see {PAGE}")
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Usage(f"not TOML: {error}", where="paths", fix="correct the file") from None
    _only(raw, {"line", "path", "grant"}, "paths")
    owners: dict[str, str] = {}
    shares: dict[tuple[str, str], Mapping[str, int]] = {}
    granted: dict[str, Mapping[str, int]] = {}
    for row, where in _rows(raw, "line", {"line", "owner"}):
        _put(owners, _text(row, "line", where), _text(row, "owner", where), where)
    for row, where in _rows(raw, "path", {"from", "to", "shares"}):
        ends = _text(row, "from", where), _text(row, "to", where)
        _put(shares, ends, _weights(row, where), where)
    for row, where in _rows(raw, "grant", {"product", "shares"}):
        _put(granted, _text(row, "product", where), _weights(row, where), where)
    return PathTable(owner_of=owners, shares=shares, granted=granted)


def _rows(raw: Mapping[str, Any], name: str, known: set[str]) -> list[tuple[Mapping[str, Any], str]]:
    rows = raw.get(name, [])
    if not isinstance(rows, list):
        raise Usage("not a list of tables", where=name, fix=f"[[{name}]]; see {PAGE}")
    return [(_only(row, known, f"{name} {place}"), f"{name} {place}") for place, row in enumerate(rows, 1)]


def _only(given: object, known: set[str], where: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise Usage("not a table", where=where, fix=f"see {PAGE}")
    if unknown := sorted(given.keys() - known):
        raise Usage(f"unknown: {unknown[0]}", where=where, fix=f"{', '.join(sorted(known))}; see {PAGE}")
    return given


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise Usage("not a text of 1 to 200 characters", where=f"{where}.{name}")
    return value


def _weights(row: Mapping[str, Any], where: str) -> dict[str, int]:
    given = row.get("shares")
    if not isinstance(given, dict) or not given:
        raise Usage("no shares", where=f"{where}.shares", fix='{ "op.a" = 7300, "op.b" = 4100 }')
    for owner, weight in given.items():
        if type(weight) is not int or not 0 < weight <= _WEIGHT_MAX:
            raise Usage(
                f"no weight: {weight!r}", where=f"{where}.shares.{owner}", fix="a whole number above 0"
            )
    return given


def _put(table: dict[Any, Any], key: Any, value: Any, where: str) -> None:
    if key in table:
        raise Usage("stands twice", where=where, fix="keep one")
    table[key] = value
