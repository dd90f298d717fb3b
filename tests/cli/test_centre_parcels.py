"""`jinka centre parcels`. Goal: an officer sees what waits, what is missing and who signed one number twice.

Method: a centre's folder with parcels of each kind in its database, asked in both languages and as JSON.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jinka.app.centre_folder import NewCentre, admit, make_centre
from jinka.app.centre_serving import DATABASE
from jinka.clearing.tiers import Tier
from jinka.cli.main import app
from jinka.codec.parcel import Kind, read_envelope, read_manifest
from jinka.kit import Finding, Refused, Severity
from jinka.store import database_at
from jinka.store.parcels_sent import Draft, Outbox
from jinka.store.parcels_taken import Inbox, TakenState
from tests.parcels import CITY, DAY, NOW, PARENT, chain, empty_database, entry, signatory


def ask(folder: Path, *more: str) -> str:
    done = CliRunner().invoke(app, ["centre", "parcels", str(folder), *more])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "44"
    asked = NewCentre(
        tier=Tier.NATION, code=PARENT, region="440000", zone="Asia/Shanghai", first_date=dt.date(2026, 6, 1)
    )
    make_centre(place, asked)
    admit(place, CITY, centres=[], participants=[])
    return place


def test_an_idle_line(folder: Path) -> None:
    assert "nothing waits" in ask(folder)
    assert "无缺失" in ask(folder, "--lang", "zh")
    assert json.loads(ask(folder, "--json"))["missing"] == []


def test_a_line_on_which_things_happened(folder: Path, tmp_path: Path) -> None:
    stream = chain(4)
    with database_at(empty_database(folder / DATABASE)) as engine:
        inbox = Inbox(engine, PARENT)
        for made in (stream[0], stream[3]):
            inbox.take(made, signatory(CITY).seal(made).to_bytes(), b"r", NOW)
        false = replace(stream[0], amount_fen=1)
        with pytest.raises(Refused):
            inbox.take(false, signatory(CITY).seal(false).to_bytes(), b"r", NOW)
        draft = Draft(
            receiver=CITY, kind=Kind.LISTS, reference="x", business_date=DAY, files=(entry(),), amount_fen=0
        )
        Outbox(engine, PARENT).put(draft, signatory(PARENT).seal, NOW)
    found = json.loads(ask(folder, "--json", "--evidence", str(tmp_path / "shown")))
    assert [one["parcel"] for one in found["unreceipted"]] == [f"{PARENT}>{CITY}/lists/1"]
    assert [one["parcel"] for one in found["held"]] == [f"{CITY}>{PARENT}/records/{n}" for n in (1, 4)]
    assert [(one["first"], one["last"]) for one in found["missing"]] == [(2, 3)]
    assert [one["digest"] for one in found["contradictions"]] == [false.digest.hex()]
    shown = [read_manifest(read_envelope(Path(name).read_bytes()).body) for name in found["files"]]
    assert shown == [false, stream[0]]
    english, chinese = ask(folder), ask(folder, "--lang", "zh")
    for words in ("missing", "signed twice", "waits for its turn", "not receipted yet"):
        assert words in english
    for words in ("缺失", "同号两份签名", "待处理", "未收到回执"):
        assert words in chinese


def test_an_officer_decides_what_was_parked(folder: Path) -> None:
    made = chain(1)[0]
    with database_at(empty_database(folder / DATABASE)) as engine:
        inbox = Inbox(engine, PARENT)
        inbox.take(made, signatory(CITY).seal(made).to_bytes(), b"r", NOW)
        finding = Finding(code="PARCEL_PARKED", severity=Severity.ERROR, where=made.label, what="of nobody")
        inbox.settle(inbox.ready()[0], TakenState.PARKED, NOW, finding=finding)
    who = ("--officer", "chen", "--reason", "admitted")

    def decide(verb: str, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["centre", verb, str(folder), *words])
        return done.exit_code, done.stdout or done.stderr

    assert "parked" in ask(folder)
    assert decide("release", f"{CITY}>{PARENT}/records/2", *who)[0] == 3
    assert decide("release", made.label, "--officer", "chen", "--reason", "")[0] == 2
    code, said = decide("release", made.label, *who)
    assert (code, json.loads(said)) == (0, {"parcel": made.label, "state": "released", "officer": "chen"})
    assert "waits for its turn" in ask(folder)
    code, said = decide("refuse", made.label, *who)
    assert code == 4
    assert "not parked" in said
