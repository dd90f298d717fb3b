"""`jinka trace back`, `forward`, `conditions` and `storage`: exit codes, JSON, both languages, errors by place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from jinka.cli.main import app
from jinka.codec.epcis import SensorElement, SensorReport
from jinka.node.system import SystemClock
from jinka.store import database_at
from jinka.store.trace_capture import prepare
from jinka.store.trace_store import TraceStore
from jinka.trace.conditions import TEMPERATURE
from tests.trace.chains import case, item, lot, made, packed, parts, seen, unpacked

W = lot("W", "099999")
HOT = SensorElement(
    reports=(SensorReport(type=TEMPERATURE, value=Decimal(12), uom="CEL", device_id="urn:d:7"),)
)
CHAIN = [
    seen(1, "commissioning", 1, quantities=parts((W, 9)), add=True),
    made(2, [], [item(1), item(2)], lot="A", where=1, used=parts((W, 4))),
    packed(3, case(1), item(1), item(2), where=1),
    seen(4, "shipping", 1, case(1), to=2),
    replace(seen(5, "sensor_reporting", 3, case(1)), sensors=(HOT,)),
    unpacked(6, case(1), item(1), where=2),
]


@pytest.fixture
def where(fresh_sqlite: Callable[[], Path]) -> Path:
    path = fresh_sqlite()
    with database_at(path) as database:
        answers = TraceStore(database, SystemClock()).capture([prepare(event) for event in CHAIN])
    assert all(answer.outcome.value == "accepted" for answer in answers)
    return path


def _jinka(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["trace", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def test_forward_with_a_drawing(where: Path, tmp_path: Path) -> None:
    code, out, err = _jinka("forward", W, "--at", where, "--svg", tmp_path / "g.svg", "--json")
    assert (code, err) == (0, f"{tmp_path}/g.svg\n")
    facts = json.loads(out)
    assert {node["id"] for node in facts["nodes"]} >= {W, item(1), item(2), lot("A"), case(1)}
    used = next(edge for edge in facts["edges"] if edge["kind"] == "use")
    assert used["events"][0].startswith("ni:///sha-256;")
    assert ET.parse(tmp_path / "g.svg").getroot().tag.endswith("svg")
    code, out, _ = _jinka("forward", W, "--at", where, "--lang", "zh")
    assert code == 0
    assert "批次" in out


def test_back_says_where_it_is_broken(where: Path) -> None:
    code, out, _ = _jinka(
        "back", "https://shop.example/01/04012340111220/21/1", "--at", where, "--lang", "zh"
    )
    assert "[W]" in out
    assert code == 6
    assert "发货后无收货" in out
    facts = json.loads(_jinka("back", item(1), "--at", where, "--json")[1])
    assert {each["kind"] for each in facts["breaks"]} == {"never received"}


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((item(77),), 3, "no event names it"),
        (("hello",), 2, "hello"),
        ((item(1), "--since", "2026-01-01"), 2, "without a zone"),
        ((item(1), "--until", "soon"), 2, "not a time"),
        ((item(1), "--at", "http://x"), 2, "the database itself"),
        ((item(1), "--at", "/nowhere.db"), 3, "no such database"),
    ],
)
def test_errors(where: Path, words: tuple[str, ...], code: int, says: str) -> None:
    given = words if "--at" in words else (*words, "--at", str(where))
    found = _jinka("back", *given)
    assert found[0] == code, found
    assert says in found[2]


def test_conditions_follow_a_thing_into_its_container(where: Path, tmp_path: Path) -> None:
    limits = tmp_path / "cold.toml"
    limits.write_text('[[limit]]\nname = "cold chain"\nlow = 2\nhigh = 8.5\noutside_minutes = 30\n')
    code, out, _ = _jinka("conditions", item(1), "--limits", limits, "--at", where, "--json")
    facts = json.loads(out)
    assert facts["limits"][0]["highest"] == 285.15
    assert facts["limits"][0]["excursions"][0]["open"] is True
    assert code == (0 if facts["good"] else 6)
    assert "超限" in _jinka("conditions", item(1), "--limits", limits, "--at", where, "--lang", "zh")[1]
    code, out, _ = _jinka("conditions", W, "--limits", limits, "--at", where, "--json")
    assert (code, json.loads(out)["limits"][0]["readings"]) == (0, 0)


def test_a_recall_by_device_is_of_what_lay_in_what_it_was_with(where: Path) -> None:
    place = ("--at", where, "--json")
    code, out, _ = _jinka("recall", "draft", "heat", "urn:d:7", "--kind", "device", "--by", "li", *place)
    assert (code, json.loads(out)["state"]) == (0, "drafted")
    assert set(json.loads(_jinka("recall", "things", 1, *place)[1])) == {case(1), item(1), item(2)}
    late = ("--since", "2030-01-01T00:00Z")
    assert (
        _jinka("recall", "draft", "heat", "urn:d:7", "--kind", "device", "--by", "li", *late, *place)[0] == 2
    )
    code, _, err = _jinka("recall", "answer", 1, "x", "--by", "li", "--outcome", "burnt=1", *place)
    assert (code, "quarantined, returned" in err) == (2, True)
    assert _jinka("recall", "show", 9, *place)[0] == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[limit]]\nlow = 'x'\n", "limit 1.low: no number"),
        ("[[limit]]\nhi = 1\n", "limit 1"),
        ("[limit]\nlow = 1\n", "is one table"),
        ("[[limit]]\n", "without a bound"),
        ("=", "not TOML"),
    ],
)
def test_limits_that_are_none(where: Path, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "l.toml").write_text(text)
    code, _, err = _jinka("conditions", item(1), "--limits", tmp_path / "l.toml", "--at", where)
    assert code == 2
    assert says in err


ZONES = """
[[zone]]
name = "A"
apart = "away"
most = {"3" = 100, "8" = 10}
[[goods]]
name = "petrol"
classes = ["3"]
amount = 70.5
zone = "A"
[[goods]]
name = "acid"
classes = ["8"]
amount = 12
zone = "A"
"""


def test_storage(tmp_path: Path) -> None:
    path = tmp_path / "z.toml"
    path.write_text(ZONES)
    code, out, _ = _jinka("storage", path, "--json")
    assert (code, [(f["goods"], f["needs"]) for f in json.loads(out)]) == (6, [(["acid"], None)])
    path.write_text(ZONES.replace('["8"]', '["5.1"]'))
    assert "隔离" in _jinka("storage", path, "--lang", "zh")[1]
    path.write_text(ZONES.replace("12", "2"))
    assert _jinka("storage", path)[:2] == (0, "nothing to object to\n")
    path.write_text(ZONES.replace('zone = "A"\n[[goods]]', 'zone = "B"\n[[goods]]'))
    assert "no such zone" in _jinka("storage", path)[2]
    path.write_text(ZONES.replace('["8"]', '["8.8"]'))
    assert "no class of dangerous goods" in _jinka("storage", path)[2]
    path.write_text(ZONES.replace('"away"', '"near"'))
    assert "zone 1.apart" in _jinka("storage", path)[2]
