"""`jinka trace hash`: hashes as lines and as JSON, events that bear another hash, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jinka.cli.main import app
from jinka.codec.epcis import read_json, write_xml

# GS1's reference implementation gives this event this hash (test_event_hash.py holds the codec to it).
EVENT = """{"@context":["https://ref.gs1.org/standards/epcis/epcis-context.jsonld",{"ex":"https://ns.example.com/epcis/"}],
"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-01-02T03:04:05Z","epcisBody":{"eventList":[
{"type":"ObjectEvent",%s"eventTime":"2022-02-15T01:33:31.116-06:00","eventTimeZoneOffset":"-06:00","action":"OBSERVE",
"epcList":["urn:epc:id:sgtin:0614141.107346.2017","urn:epc:id:sgtin:0614141.107346.2018"],"bizStep":"shipping",
"disposition":"in_transit","readPoint":{"id":"urn:epc:id:sgln:0614141.07346.1234"},"bizTransactionList":[
{"type":"po","bizTransaction":"http://transaction.acme.com/po/12345678"}],"ex:myField":"myValue"}]}}"""
HASH = "ni:///sha-256;21dd1a31d0f157e383537b622583411b57f181f4bdec078ca8cce09f8f08d03a?ver=CBV2.0"


def run(*words: str, **more: bytes) -> Result:
    return CliRunner().invoke(app, ["trace", "hash", *words], **more)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "events.json"
    made.write_text(EVENT % "")
    return made


def test_a_hash_a_line_from_either_format(file: Path, tmp_path: Path) -> None:
    as_xml = tmp_path / "events.xml"
    as_xml.write_bytes(b"\n" + write_xml(read_json(file.read_bytes())).split(b"\n", 1)[1])
    done = run(str(file), str(as_xml), "-", input=file.read_bytes())
    assert (done.exit_code, done.stdout.split()) == (0, [HASH] * 3)


def test_the_string_and_the_data(file: Path) -> None:
    assert run(str(file), "--pre-hash").stdout.startswith(
        "eventType=ObjectEventeventTime=2022-02-15T07:33:31.116Z"
    )
    (found,) = json.loads(run(str(file), "--json").stdout)
    assert (found["hash"], found["event_type"], found["number"], found["matches"]) == (
        HASH,
        "ObjectEvent",
        1,
        None,
    )
    field = "{https://ns.example.com/epcis/}myField"
    without = run(str(file), "--ignore", field, "--pre-hash")
    assert "myField" not in without.stdout
    assert "po/12345678" in without.stdout


@pytest.mark.parametrize(("lang", "word"), [("en", "bears another hash"), ("zh", "哈希不同")])
def test_an_event_that_bears_another_hash_is_a_finding(file: Path, lang: str, word: str) -> None:
    file.write_text(EVENT % f'"eventID":"{HASH}",')
    assert run(str(file), "--lang", lang).exit_code == 0
    file.write_text(EVENT % f'"eventID":"{HASH.replace("21dd", "21de")}",')
    done = run(str(file), "--lang", lang)
    assert (done.exit_code, done.stdout.strip()) == (6, HASH)
    assert word in done.stderr
    file.write_text(EVENT % '"eventID":"urn:uuid:1",')
    assert run(str(file)).exit_code == 0


def test_it_refuses_with_the_place(file: Path) -> None:
    file.write_text(EVENT.replace("shipping", "shiping") % "")
    done = run(str(file))
    assert done.exit_code == 4
    assert f"{file}: /epcisBody/eventList/0/bizStep" in done.stderr
    assert run("no-such-file").exit_code == 3
    file.write_text(EVENT % "")
    assert run(str(file), "--ignore", "myField").exit_code == 2
