"""`jinka keys`: a store's whole life by commands, exit codes, and that nothing secret is printed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jinka.cli.main import app
from jinka.codec import Algorithm
from jinka.keys import Purpose
from jinka.registry import RULE_SETS

SAID: list[str] = []


def run(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["keys", *map(str, arguments)])
    SAID.append(done.output)
    assert done.exit_code == code, done.output
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    people = [word for name in ("Zhao", "Qian", "Sun") for word in ("--custodian", name)]
    run("ceremony", tmp_path, "--issuer", "issuer.szt", *people, "--simulated", "--date", "2018-09-01")
    return tmp_path


BY = ("--by", "Zhao", "--by", "Sun", "--date", "2018-09-02", "--json")


def test_the_life_of_a_store(folder: Path) -> None:
    SAID.clear()
    assert len(json.loads(run("list", folder, "--json"))) == 35
    made = json.loads(run("rotate", folder, "tac/TDES", *BY, "--from", "2019-01-01"))
    assert (made["act"], made["touched"], made["present"]) == ("rotate", ["tac/TDES/4"], ["Zhao", "Sun"])
    for act, state in (("retire", "retired"), ("resume", "active"), ("compromise", "compromised"),
                       ("destroy", "destroyed")):  # fmt: skip
        run(act, folder, "tac/TDES/4", *BY)
        (row,) = json.loads(run("show", folder, "tac/TDES/4", "--json"))
        assert row["state"] == state
    run("resume", folder, "tac/TDES/4", *BY, code=4)
    run("retire", folder, "tac/TDES/1", "--by", "Zhao", code=4)
    name = "zone_master/TDES/1@bank"
    people = ("--custodian", "Li", "--custodian", "Wu")
    check = json.loads(run("components", folder, name, *people, "--json"))["check"]
    theirs = ("--component", "Li", "--component", "Wu")
    run("add", folder, name, *BY, *theirs, code=2)
    run("add", folder, name, *BY, *theirs, "--check", "ABCDEF", code=4)
    added = json.loads(run("add", folder, name, *BY, *theirs, "--check", check.upper()))
    assert added["keys"] == {name: check}
    copy = folder / "copy"
    shutil.copy(folder / "keys" / "store.sealed", copy)
    (folder / "keys" / "store.sealed").unlink()
    run("record", "verify", folder, code=3)
    assert json.loads(run("restore", folder, copy, *BY))["act"] == "restore"
    new = ("--custodian", "Zhao", "--custodian", "He", "--custodian", "Wu", "--custodian", "Li")
    shared = json.loads(run("reshare", folder, *BY, *new, "--needed", "3"))
    assert (shared["needed"], shared["custodians"]) == (3, ["Zhao", "He", "Wu", "Li"])
    run("retire", folder, "tac/TDES/1", *BY, code=4)
    first = json.loads(run("record", "verify", folder, "--json"))[0]["digest"]
    run("record", "verify", folder, "--first", first)
    run("record", "verify", folder, "--first", "00" * 32, code=4)
    secrets = {
        text.split('"secret": "')[1].split('"')[0]
        for path in (folder / "custodians").rglob("*.json")
        if '"secret"' in (text := path.read_text())
    }
    assert len(secrets) >= 6
    said = "".join(SAID).lower().replace(" ", "")
    assert not any(secret in said for secret in secrets)


def test_a_changed_record_is_named(folder: Path) -> None:
    path = folder / "keys" / "records" / "0001.note"
    path.write_text(path.read_text().replace("simulated: yes", "simulated: no"))
    run("record", "verify", folder, code=4)
    assert "record 1" in SAID[-1]


def test_card_keys_are_ordered_and_a_stolen_module_is_reported(folder: Path) -> None:
    run("add", folder, "transport/AES-256-GCM/1@bureau.sz", *BY)
    order = ("--profile", "cn.shenzhen.transit", "--first", "5180000001000000", "--count", 5)
    run("order-cards", folder, folder / "order", *order, "--bureau", "bureau.sz")
    assert len(list((folder / "order").iterdir())) == 7
    run("order-cards", folder, folder / "other", *order, "--bureau", "bureau.x", code=4)
    serial = "01010101440300000001"
    data = json.loads(run("report", "stolen-psam", folder, "--psam", serial, "--as", "json", code=6))
    assert data["psam"] == serial
    assert data["assumed"] is True
    assert "失窃" in run("report", "stolen-psam", folder, "--psam", serial, "--lang", "zh", code=6)
    assert "<html" in run("report", "stolen-psam", folder, "--psam", serial, "--as", "html", code=6)
    run("report", "stolen-psam", folder, "--psam", "12", code=2)


def test_a_module_is_given_keys_by_its_own_commands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jinka.app.issue_office import IssueOffice
    from jinka.app.keyring import open_keys
    from jinka.app.workspace import Workspace
    from jinka.card import make_psam
    from jinka.sim.randomness import SeededRandomness

    run("add", folder, "transport/TDES/1", *BY)
    keys = open_keys(Workspace(folder), "440300")
    serial, image = bytes.fromhex("01010101440300000001"), folder / "module.jsi"
    psam = make_psam(
        terminal_id=serial[4:], psam_id=serial, keys=[], transport_key=keys.sam_transport_key(psam_id=serial),
        randomness=SeededRandomness("x"),
    )  # fmt: skip
    image.write_bytes(psam.to_bytes())
    before = image.read_bytes()
    with IssueOffice(folder / "office") as office:  # a register without this module
        office.demand(RULE_SETS["scheme"], officer="li-si")
    monkeypatch.setenv("JINKA_REGISTER", str(folder / "office"))
    run("order-psam", folder, image, "--key", "purchase/TDES/2", code=4)
    assert image.read_bytes() == before
    monkeypatch.delenv("JINKA_REGISTER")
    run("order-psam", folder, image, "--key", "purchase/TDES/2", "--key", "grey_lock/TDES/1")
    assert image.read_bytes() != before
    assert keys.sam_key(Purpose.PURCHASE, algorithm=Algorithm.TDES, version=2) not in image.read_bytes(), (
        "sealed"
    )
    report = run("report", "stolen-psam", folder, "--psam", serial.hex(), "--as", "json", code=6)
    assert [row["key"] for row in json.loads(report)["exposed"]] == ["purchase/TDES/2", "grey_lock/TDES/1"]
    run("order-psam", folder, image, "--key", "load/TDES/1", code=4)
    keys.close()


def test_a_module_is_withdrawn_from_a_centre(tmp_path: Path) -> None:
    run("withdraw-psam", tmp_path, "--psam", "01" * 10, code=3)
    assert not (tmp_path / "centre").exists()
