"""`jinka trace capture` and `query`: into a file's database, a database, a server; codes and words of both languages.

`jinka trace serve` as a process is in tests/peers/test_epcis2js.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jinka.cli.main import app
from jinka.codec.epcis import read_json, write_xml
from tests.api.test_epcis_schemathesis import served
from tests.epcis_rig import desk_at, document, facts


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["trace", *words])


@pytest.fixture
def place(fresh_sqlite: Callable[[], Path], tmp_path: Path) -> str:
    """The file of a repository."""
    made = tmp_path / "trace.toml"
    made.write_text(f'[trace]\ndatabase = "{fresh_sqlite()}"\n')
    return str(made)


@pytest.fixture
def events(tmp_path: Path) -> str:
    made = tmp_path / "events.jsonld"
    made.write_bytes(document(*(facts(eventID=f"urn:x:{n}") for n in range(3))))
    return str(made)


def _events(done: Result) -> list[str]:
    found = json.loads(done.stdout)["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return [one["eventID"] for one in found]


def test_what_was_captured_is_found(place: str, events: str, tmp_path: Path) -> None:
    done = run("capture", events, "--at", place)
    assert (done.exit_code, done.stdout) == (0, f"{events}: 3 accepted, 0 duplicate, 0 refused\n")
    as_xml = tmp_path / "same.xml"
    as_xml.write_bytes(write_xml(read_json(Path(events).read_bytes())))
    again = run("capture", str(as_xml), "--at", place, "--lang", "zh")
    assert (again.exit_code, again.stdout) == (0, f"{as_xml}：接收 0，重复 3，拒绝 0\n")
    found = run("query", "EQ_eventID=urn:x:0|urn:x:2", "--at", place)
    assert (found.exit_code, _events(found), found.stderr) == (0, ["urn:x:0", "urn:x:2"], "2 events\n")
    few = run("query", "--most", "2", "--at", place, "--lang", "zh")
    told = "2 个事件\n还有更多：请用 --most N 或 --all\n"
    assert (few.exit_code, _events(few), few.stderr) == (6, ["urn:x:0", "urn:x:1"], told)
    assert run("query", "--most", "3", "--at", place).exit_code == 0


def test_an_event_that_is_refused_is_code_four(place: str, events: str, tmp_path: Path) -> None:
    run("capture", events, "--at", place)
    other = tmp_path / "other.jsonld"
    other.write_bytes(document(facts(eventID="urn:x:9"), facts(eventID="urn:x:1", action="DELETE")))
    done = run("capture", str(other), "--at", place)
    assert (done.exit_code, _events(run("query", "--at", place))) == (4, [f"urn:x:{n}" for n in range(3)])
    done = run("capture", str(other), "--at", place, "--proceed", "--json")
    (job,) = json.loads(done.stdout)
    assert (done.exit_code, job["counts"]) == (4, {"accepted": 1, "duplicate": 0, "refused": 1})
    other.write_bytes(document(facts(action="LOOK")))
    done = run("capture", str(other), "--at", place)
    assert done.exit_code == 4
    assert "/epcisBody/eventList/0/action" in done.stderr


def test_a_server_is_asked_page_by_page(
    events: str, fresh_sqlite: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jinka.app.trace_serving.PAGE", 2)
    with desk_at(fresh_sqlite()) as desk, served(desk) as port:
        at = f"http://127.0.0.1:{port}"
        assert run("capture", events, "--at", at).exit_code == 0
        for words in ((), ("--most", "3"), ("--most", "1", "--all")):
            whole = run("query", "--at", at, *words)
            assert (whole.exit_code, _events(whole)) == (0, ["urn:x:0", "urn:x:1", "urn:x:2"])
        assert run("query", "EQ_nothing=1", "--at", at).exit_code == 4


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("capture", "no-such-file", "--at", "PLACE"), 3, "no such file"),
        (("query", "--at", "no-such.db"), 3, "no such database"),
        (("query", "--at", "no-such.toml"), 3, "no such file"),
        (("query", "--at", "http://127.0.0.1:9"), 3, "no answer"),
        (("query", "EQ_action", "--at", "PLACE"), 2, "NAME=VALUE"),
        (("query", "EQ_action=GO", "--at", "PLACE"), 4, "QueryParameterException"),
        (("serve", "no-such.toml"), 3, "no such file"),
    ],
)
def test_what_makes_no_sense_has_its_code(place: str, words: tuple[str, ...], code: int, said: str) -> None:
    done = run(*(place if word == "PLACE" else word for word in words))
    assert done.exit_code == code, done.stderr
    assert said in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[trace", "not TOML"), ("[nothing]", "unknown: nothing"), ("[trace]\nport = 1", "unknown: port"),
        ('[trace]\nlisten = "x"', "not an address"), ("[trace]\ncapture_events = 0", "capture_events"),
        ('[trace]\ndatabase = "mysql://x"', "no engine"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "trace.toml").write_text(text)
    done = run("query", "--at", str(tmp_path / "trace.toml"))
    assert done.exit_code == 2, done.stderr
    assert said in done.stderr
