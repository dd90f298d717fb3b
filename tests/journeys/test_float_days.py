"""The float over three days. Goal: every fen on a card is accounted for each day, whatever is late, lost or given back.

Method: days that are cleared for real from signed records, two of them withheld; then the commands of `jinka float`,
and after each the proof, which reads the shadows and the ledger apart.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from typer.testing import CliRunner

from jinka.app.float_office import float_office
from jinka.app.float_refunds import refund_desk
from jinka.cli.float import app
from jinka.settlement.float_refund import CardWorth, Reading
from tests.clearing.world import DATE
from tests.journeys.float_case import FloatCity, make_city, put_on_list

LATE, LOST, DEAD, RETURNED, OTHER = range(5)
TUESDAY, WEDNESDAY = DATE + dt.timedelta(days=1), DATE + dt.timedelta(days=2)
OFFICER = ("--actor", "li")


def run(folder: Path, *words: str, code: int = 0) -> Any:
    """A command's answer as data; an error's text when it ends with another code than 0 or 6."""
    verbs, rest = (words[:2], words[2:]) if words[0] == "refund" else (words[:1], words[1:])
    done = CliRunner().invoke(app, [*verbs, str(folder), *rest, "--json"])
    assert done.exit_code == code, (done.exit_code, done.output)
    return json.loads(done.stdout) if code in (0, 6) else done.output


def proven(folder: Path) -> dict[str, int]:
    statement = run(folder, "prove")
    assert statement["holds"]
    [row] = statement["issuers"]
    there = row["shown_fen"] + row["transit_fen"] + row["suspense_fen"] + row["unexplained_fen"]
    assert there == row["liability_fen"]
    assert row["unexplained_fen"] == 0
    return row


def worth(folder: Path, card: bytes) -> CardWorth:
    with refund_desk(folder) as desk:
        return desk.worth(card)


def test_three_days_of_a_float(tmp_path: Path) -> None:
    city, gone = make_city(tmp_path, {LATE: 2, LOST: 2})
    amounts = {place: row["amount"] for place, row in gone.items()}
    assert min(amounts.values()) > 0
    assert run(tmp_path, "take")["new"]
    assert not run(tmp_path, "take")["new"]
    assert proven(tmp_path)["transit_fen"] == sum(amounts.values())
    listed = run(tmp_path, "gaps", "--on", TUESDAY.isoformat(), code=6)
    assert sorted(row["amount_fen"] for row in listed) == sorted(amounts.values())
    assert {row["todo"] for row in listed} == {"ask"}
    asked = run(tmp_path, "gaps", "--on", TUESDAY.isoformat(), "--ask", code=6)
    wanted = {(row["terminal_id"].hex(), row["terminal_serial"]) for row in gone.values()}
    holes = {(row["terminal"], row["serial_from"]) for row in asked}
    assert wanted <= holes  # the very records that were withheld are asked for

    _second_day(city, gone)
    assert proven(tmp_path)["transit_fen"] == amounts[LOST]

    wednesday = city.clear(city.next_taps(WEDNESDAY, (RETURNED, OTHER)), WEDNESDAY, "wednesday")
    run(tmp_path, "take", "--outcomes", str(wednesday))
    _written_off(tmp_path, gone[LOST]["card_no"], amounts[LOST])
    _refunded(city)

    # The lost record comes after all: its operator is paid, and what was written off comes back.
    late = city.clear(city.world.rows, DATE, "monday-3")
    [undone] = run(tmp_path, "take", "--outcomes", str(late))["written_back"]
    assert undone["amount_fen"] == amounts[LOST]
    row = proven(tmp_path)
    assert (row["transit_fen"], row["unclaimed_fen"]) == (0, 0)
    assert run(tmp_path, "gaps", "--on", "2019-03-01") == []


def _second_day(city: FloatCity, gone: dict[int, dict[str, Any]]) -> None:
    """Tuesday's taps, and Monday cleared once more with the record that was late."""
    tuesday = city.clear(city.next_taps(TUESDAY, (LATE, LOST, OTHER)), TUESDAY, "tuesday")
    late = [row for row in city.world.rows if row is not gone[LOST]]
    again = city.clear(late, DATE, "monday-2")
    for outcomes in (again, tuesday):
        assert run(city.folder, "take", "--outcomes", str(outcomes))["new"]
    first = city.folder / "centre" / "outcomes"
    assert "what was paid stays paid" in run(city.folder, "take", "--outcomes", str(first), code=4)
    city.cards = _forward(city, (first, tuesday))


def _forward(city: FloatCity, days: tuple[Path, ...]) -> Any:
    from jinka.app.centre_city import carry_forward

    cards = city.world.registry.cards
    for day in days:
        cards = carry_forward(cards, pq.read_table(day))
    return cards


def _written_off(folder: Path, card: bytes, amount: int) -> None:
    early = (DATE + dt.timedelta(days=89)).isoformat()
    due = (DATE + dt.timedelta(days=90)).isoformat()
    assert run(folder, "write-off", "--on", early, *OFFICER) == []
    [deed] = run(folder, "write-off", "--on", due, *OFFICER)
    assert (deed["amount_fen"], deed["credit"]) == (amount, "UNCLAIMED issuer.szt")
    assert run(folder, "write-off", "--on", due, *OFFICER) == []
    row = proven(folder)
    assert (row["transit_fen"], row["unclaimed_fen"]) == (0, amount)
    [gap] = run(folder, "gaps", "--on", due)
    assert gap["todo"] == "written-off"
    one = worth(folder, card)
    assert one.shown == one.paid


def _refunded(city: FloatCity) -> None:
    folder, day = city.folder, WEDNESDAY.isoformat()
    dead, returned = (city.rows_of(place)[0]["card_no"] for place in (DEAD, RETURNED))
    held = worth(folder, dead).shown
    [asked] = run(folder, "refund", "ask", "dead", "--card", dead.hex(), "--on", day, *OFFICER)
    again = ("refund", "ask", "dead", "--card", dead.hex(), "--on", day, *OFFICER)
    assert "has a refund already" in run(folder, *again, code=4)
    step = ("determine", folder, asked["refund"])
    assert "not before" in _step(*step, day, code=4)
    due = (WEDNESDAY + dt.timedelta(days=7)).isoformat()
    assert _step(*step, due)[0]["amount_fen"] == held
    assert proven(folder)["payable_fen"] == held
    assert _step("pay", folder, asked["refund"], due)[0]["state"] == "paid"
    assert "it is paid" in _step("pay", folder, asked["refund"], due, code=4)
    assert worth(folder, dead).paid == 0

    shadow = worth(folder, returned)
    chip = ("--offline", str(shadow.offline), "--online", str(shadow.online))
    ask = ("refund", "ask", "returned", "--card", returned.hex(), "--on", day, *OFFICER, *chip)
    assert "its shadow" in run(folder, *ask, "--balance", str(shadow.shown + 1), code=4)
    [asked] = run(folder, *ask, "--balance", str(shadow.shown))
    assert _step("determine", folder, asked["refund"], day)[0]["amount_fen"] == shadow.shown
    _step("pay", folder, asked["refund"], day)
    row = proven(folder)
    assert (worth(folder, returned).paid, row["payable_fen"]) == (0, 0)


def _step(verb: str, folder: Path, name: str, on: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["refund", verb, str(folder), name, "--on", on, *OFFICER, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if not code else done.output


def test_all_cards_returned_leave_nothing(tmp_path: Path) -> None:
    """A last tap that no terminal sent shows when the chip is read, and is chased like any other."""
    city, _ = make_city(tmp_path, {}, cards=3)
    run(tmp_path, "take")
    cards = city.world.registry.cards["card_no"].to_pylist()
    unsent = 120
    with refund_desk(tmp_path) as desk:
        for number, card in enumerate(cards):
            found = desk.worth(card)
            ahead = number == 0
            reading = Reading(
                balance_fen=found.shown - unsent * ahead, offline=found.offline + ahead, online=found.online
            )
            made = desk.ask("returned", card, on=TUESDAY, actor="li", reading=reading)
            desk.determine(made.id, on=TUESDAY, actor="li")
            desk.pay(made.id, on=TUESDAY, actor="li")
    row = proven(tmp_path)
    assert (row["shown_fen"], row["transit_fen"], row["liability_fen"]) == (0, unsent, unsent)
    with float_office(tmp_path) as office:
        office.write_off(TUESDAY + dt.timedelta(days=90), "li")
    row = proven(tmp_path)
    assert (row["liability_fen"], row["funds_fen"], row["unclaimed_fen"]) == (0, unsent, unsent)


def test_a_sleeping_card_s_money_is_put_aside_and_comes_back_on_use(tmp_path: Path) -> None:
    city, _ = make_city(tmp_path, {}, cards=3)
    run(tmp_path, "take")
    before = proven(tmp_path)
    assert run(tmp_path, "sleep", "--on", "2021-08-31", *OFFICER) == []
    slept = run(tmp_path, "sleep", "--on", "2021-09-01", *OFFICER)
    assert sum(deed["amount_fen"] for deed in slept) == before["shown_fen"]
    assert run(tmp_path, "sleep", "--on", "2021-09-02", *OFFICER) == []
    assert proven(tmp_path)["unclaimed_fen"] == before["shown_fen"]
    used = city.clear(city.next_taps(dt.date(2021, 9, 6), (0,)), dt.date(2021, 9, 6), "later")
    [back] = run(tmp_path, "take", "--outcomes", str(used))["written_back"]
    row = proven(tmp_path)
    assert (back["deed"], row["unclaimed_fen"]) == ("revived", before["shown_fen"] - back["amount_fen"])
    other = city.rows_of(1)[0]["card_no"]
    run(tmp_path, "refund", "ask", "dead", "--card", other.hex(), "--on", "2021-10-01", *OFFICER)
    assert worth(tmp_path, other).shown > 0  # its holder came with it


def test_a_lost_card_needs_a_name_and_a_list(tmp_path: Path) -> None:
    city, _ = make_city(tmp_path, {}, cards=6)
    run(tmp_path, "take")
    card = city.rows_of(0)[0]["card_no"]
    ask = ("refund", "ask", "lost", "--card", card.hex(), "--on", DATE.isoformat(), *OFFICER)
    assert "anonymous card cannot be reported lost" in run(tmp_path, *ask, code=4)
    (tmp_path / "float.toml").write_text("[cards]\nnamed_classes = [1]\n")
    put_on_list(tmp_path, city.world.registry, card, heard=False)
    assert "no list that names it is in force" in run(tmp_path, *ask, code=4)
    put_on_list(tmp_path, city.world.registry, card, heard=True)
    [asked] = run(tmp_path, *ask)
    assert asked["due"] == "2018-09-10"  # seven days after the last terminal heard of the list
    ended = CliRunner().invoke(
        app, ["refund", "end", str(tmp_path), asked["refund"], "--on", "2018-09-05", *OFFICER, "--found",
              "--reason", "found again", "--json"]
    )  # fmt: skip
    assert json.loads(ended.stdout)[0]["state"] == "withdrawn"
