"""A recall from its first suspicion to its closing report, by the commands, over a repository with a generated chain.

Goal: every holder is told and nobody else, what is recalled cannot be sold, and the report says what became of it all.
Method: events of a chain with errors go through the store with its rules; the truth is the generator's.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jinka.app.trace_recall import recall_desk
from jinka.app.trace_rules import judges_of
from jinka.cli.main import app
from jinka.codec.epcis import Action, Event, EventType, Place
from jinka.node.system import SystemClock
from jinka.sim.trace_chain import CBV, Chain, ChainSize
from jinka.store import database_at
from jinka.store.trace_capture import Answer, prepare
from jinka.store.trace_store import TraceStore
from jinka.trace.recall import RecallEvent

WHEAT = 2


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Chain]:
    where = tmp_path_factory.mktemp("recall") / "epcis.db"
    chain = Chain(
        ChainSize(items=1_200, items_per_lot=60, items_per_case=10, cases_per_pallet=3, slip_rate=0.1)
    )
    _capture(where, list(chain.events()))
    return where, chain


def _capture(where: Path, events: list[Event]) -> list[Answer]:
    with database_at(where) as database:
        store = TraceStore(database, SystemClock(), judges=judges_of({}, SystemClock()))
        return store.capture([prepare(event) for event in events], proceed=True)


def _jinka(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["trace", *map(str, words)])
    assert result.exit_code == code, result.output
    return result.stdout


def _facts(*words: object) -> Any:
    return json.loads(_jinka(*words, "--json"))


def _sale(item: str) -> Event:
    return Event(
        event_type=EventType.OBJECT, event_time_us=SystemClock().now_micros(), zone_offset="+08:00",
        action=Action.OBSERVE, epcs=(item,), biz_step=f"{CBV}BizStep-retail_selling",
        read_point=Place(id=Chain.party(5, 0)),
    )  # fmt: skip


def _affected(chain: Chain) -> list[int]:
    truth = chain.truth
    return truth.items_of(truth.lots_of(truth.flours_of([WHEAT])), chain.size.items_per_lot)


def test_from_suspicion_to_the_closing_report(chain: tuple[Path, Chain], tmp_path: Path) -> None:
    where, made = chain
    truth, items = made.truth, _affected(made)
    clean = next(
        i
        for i in range(made.size.items)
        if i not in {*items, *truth.anew, *truth.ended} and not truth.sold[i]
    )
    dirty = next(i for i in items if not truth.sold[i])
    place = ("--at", where)

    # A customer's complaint: where does the item come from?
    answer = CliRunner().invoke(app, ["trace", "back", made.item(dirty), *map(str, place), "--json"])
    assert answer.exit_code in (0, 6)  # an unreported receipt on its way is a break
    back = json.loads(answer.stdout)
    assert made.wheat(WHEAT) in {node["id"] for node in back["nodes"]}

    drafted = _facts(
        "recall", "draft", "霉菌毒素", made.wheat(WHEAT), "--by", "li", "--hazard", "有毒", *place
    )
    lots = [made.wheat(WHEAT), *map(made.flour, truth.flours_of([WHEAT]))]
    in_kg = {"": 1, "KGM": 1, "TNE": 1000}
    told = {
        each["holder"]: {
            line["what"]: Decimal(line["amount"]) * in_kg[line["unit"]] for line in each["to_account_for"]
        }
        for each in drafted["holders"]
    }
    assert told == truth.due(items, lots)
    unsold = sum(not truth.sold[i] for i in items)
    listed = set(_facts("recall", "things", 1, *place))
    numbers = truth.numbers_of(truth.lots_of(truth.flours_of([WHEAT])), made.size.items_per_lot)
    assert {name for name in listed if "/21/" in name} == {made.item(i) for i in numbers}

    # Nothing is held back before a second officer approves.
    assert _capture(where, [_sale(made.item(clean))])[0].outcome.value == "accepted"
    assert "a second officer has to" in CliRunner().invoke(
        app, ["trace", "recall", "approve", "1", "--by", "li", "--at", str(where)]
    ).stderr  # fmt: skip
    assert _facts("recall", "approve", 1, "--by", "wang", *place)["holds_back"] is True
    (refused,) = _capture(where, [_sale(made.item(dirty))])
    assert refused.outcome.value == "refused"
    assert "recall" in refused.what
    # A sale of yesterday that is told only now is kept: the records must not lose it.
    late = replace(_sale(made.item(dirty)), event_time_us=SystemClock().now_micros() - 86_400_000_000)
    assert _capture(where, [late])[0].outcome.value == "accepted"

    paths = _facts("recall", "notices", 1, "--dir", tmp_path / "notices", "--lang", "zh", *place)
    texts = [Path(path).read_text() for path in paths if path.endswith(".txt")]
    assert {re.search(r"致：(\S+)", text)[1] for text in texts} == set(told)  # type: ignore[index]
    assert all("霉菌毒素" in text and "24 小时" in text for text in texts)

    _answer_all(where, drafted["holders"])
    _jinka("recall", "close", 1, "--by", "wang", "--reason", "all accounted for", *place)
    assert _capture(where, [_sale(made.item(dirty))])[0].outcome.value == "accepted"
    facts = _facts("recall", "show", 1, *place)
    assert facts["state"] == "closed"
    last = facts["course"][-1]
    assert last["settled"] == last["acknowledged"] == last["notices"] == len(told)
    kept = next(each for each in last["amounts"] if each["unit"] == "items")
    assert (int(kept["due"]), int(kept["safe"])) == (len(items), unsold)
    files = _facts("recall", "report", 1, "--dir", tmp_path / "report", *place)
    assert {Path(path).name for path in files} == {"index.html", "holders.csv", "acts.csv"}
    page = (tmp_path / "report/index.html").read_text()
    assert "100 %" in page
    assert "<script" not in page
    assert "霉菌毒素" in _jinka("recall", "list", "--lang", "zh", *place)


def _answer_all(where: Path, holders: list[dict[str, Any]]) -> None:
    """The first by the commands, the others at the same desk: an opened database costs its time."""
    fates = {"items": "quarantined", "items sold": "sold:sold"}
    answers = [
        (
            each["holder"],
            [
                f"{fates.get(line['what'], line['what'] + ':destroyed')}={line['amount']}"
                for line in each["to_account_for"]
            ],
        )
        for each in holders
    ]
    holder, outcomes = answers[0]
    options = [option for outcome in outcomes for option in ("--outcome", outcome)]
    _jinka("recall", "acknowledge", 1, holder, "--by", "chen", "--at", where)
    _jinka("recall", "answer", 1, holder, "--by", "chen", *options, "--at", where)
    with recall_desk(str(where)) as desk:
        for holder, outcomes in answers[1:]:
            desk.act(1, RecallEvent.REPORT, by="chen", holder=holder, outcomes=outcomes)


def test_a_drill_and_a_cause_in_place_and_time(chain: tuple[Path, Chain]) -> None:
    where, made = chain
    plant = made.party(3, 1)
    place = ("--at", where, "--by", "li")
    _jinka("recall", "draft", "heat", plant, "--kind", "place", *place, code=2)
    _jinka(
        "recall", "draft", "heat", plant, "--kind", "place", "--since", "2020-01-01T00:00Z",
        "--until", "2020-01-02T00:00Z", *place, code=2,
    )  # fmt: skip
    _jinka("recall", "draft", "heat", "urn:epc:id:sgtin:4012345.099999.1", *place, code=3)
    drafted = _facts(
        "recall", "draft", "heat", plant, "--kind", "place", "--since", "2026-01-01T00:00Z",
        "--until", "2027-01-01T00:00Z", "--drill", "--grade", "3", *place,
    )  # fmt: skip
    number = drafted["number"]
    _jinka("recall", "approve", number, "--at", where, "--by", "wang")
    listed = set(_facts("recall", "things", number, "--at", where))
    mine = {made.item(i) for i in range(made.size.items) if made.item_lot(i) % made.size.plants == 1}
    assert {name for name in listed if "/21/" in name} == mine
    unsold = next(i for i in range(made.size.items) if made.item(i) in mine and not made.truth.sold[i])
    assert _capture(where, [_sale(made.item(unsold))])[0].outcome.value == "accepted"
    assert "演练" in _jinka("recall", "show", number, "--lang", "zh", "--at", where)
    _jinka("recall", "cancel", number, "--by", "wang", "--reason", "over", "--at", where)
