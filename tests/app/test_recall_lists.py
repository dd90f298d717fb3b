"""What a recall puts onto lists. Goal: the modules and terminals in its ranges are out of use in a centre, the others
are not. Method: a centre's registry with numbers at the ends of a range and beside them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from jinka.app.recall_lists import CARDS_MAX, withdraw_devices, write_lists
from jinka.kit import NotFound, Refused, Usage
from jinka.registry import PSAMS, TERMINALS, Entry, EntryAct, EntryDeed, Item, Order, Registry
from jinka.store import database_at, load_registry, save_registry
from tests.databases import empty_database

PSAM, TERMINAL = "44030001440300000010", "440300000010"


def _entry(item: Item, first: str, count: int) -> Entry:
    order = Order(
        id="a/1", item=item, maker="maker.a", issuer="issuer.a", facts=(("model", "T1"),), first=first,
        last=f"{int(first) + count - 1:0{len(first)}d}", count=count,
    )  # fmt: skip
    deed = EntryDeed(act=EntryAct.ENTER, officer="bureau", at_micros=1)
    return Entry(number=1, order=order, grants=(1,), on=dt.date(2026, 6, 1), deeds=(deed,))


def _centre(folder: Path) -> None:
    terminals = [f"44030000{at:04d}" for at in (9, 10, 12, 13)]
    registry = Registry(
        **{name: schema.empty_table() for name, schema in Registry.SCHEMAS.items()}
        | {
            "terminals": pa.Table.from_pylist(
                [
                    {
                        "terminal_id": bytes.fromhex(t), "device": t, "operator": "o", "acquirer": "a",
                        "line": None, "stop": None, "status": 1,
                    }
                    for t in terminals
                ],
                schema=TERMINALS,
            ),
            "psams": pa.Table.from_pylist(
                [
                    {"psam_id": bytes.fromhex(f"44030001{t}"), "terminal_id": bytes.fromhex(t), "status": 1}
                    for t in terminals
                ],
                schema=PSAMS,
            ),
        }
    )  # fmt: skip
    with database_at(empty_database(folder / "centre" / "centre.db")) as database:
        save_registry(database, registry)


def test_modules_and_terminals_are_out_of_use(tmp_path: Path) -> None:
    _centre(tmp_path)
    entries = [_entry(Item.PSAM, PSAM, 3), _entry(Item.TERMINAL, TERMINAL, 2), _entry(Item.TAG, TERMINAL, 9)]
    assert withdraw_devices(tmp_path, entries) == (2, 1)
    assert withdraw_devices(tmp_path, entries) == (0, 0)
    with database_at(tmp_path / "centre" / "centre.db") as database:
        registry = load_registry(database)
    assert registry.psams["status"].to_pylist() == [1, 2, 2, 1]
    assert registry.terminals["status"].to_pylist() == [1, 2, 1, 1]
    with pytest.raises(NotFound):
        withdraw_devices(tmp_path / "elsewhere", entries)


def test_a_list_has_a_limit_and_a_time(tmp_path: Path) -> None:
    cards = _entry(Item.CARD, "5180000001000000", 2)
    with pytest.raises(Usage, match="YYYYMMDDhhmmss"):
        write_lists(tmp_path, 1, [cards], version=1, effective_from="2026-06-01")
    many = dataclasses.replace(_entry(Item.CARD, "5180000001000000", CARDS_MAX), number=2)
    with pytest.raises(Refused, match=f"{CARDS_MAX + 2} cards"):
        write_lists(tmp_path, 1, [cards, many], version=1, effective_from="20260601000000")
    assert list(tmp_path.iterdir()) == []
    assert write_lists(tmp_path, 1, [cards], version=1, effective_from="20260601000000").cards == 2
