"""Terms of a key. Goal: what binds a key besides its purpose is decided once, signed, and kept for good.

Method: by commands, as custodians do; then the verbs over that store, with psec as oracle.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import psec
import pytest
from typer.testing import CliRunner

from jinka.app.keyring import open_keys, unlock_store
from jinka.app.workspace import Workspace
from jinka.cli.main import app
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.pin_block import PinFormat, PinZone, encipher_pin
from jinka.keys import KeyName, KeyState
from jinka.keys.acts import Act
from jinka.keys.catalogue import KeyRecord, parse_terms
from jinka.keys.minutes import check_minutes
from jinka.kit import Refused, Usage
from tests.keys.ground import Dice
from tests.keys.test_minutes import KEY, ONE, OTHER, after, signed

# psec uses the old place of TripleDES
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")

PAN, TABLE = "6225880123456782", "8351296477461538"
BY = ("--by", "Zhao", "--by", "Sun", "--date", "2018-09-02", "--json")
IBM = ("--term", "method=ibm3624", "--term", f"table={TABLE}", "--term", "start=3", "--term", "length=11")


def run(*arguments: object, code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["keys", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    people = [word for name in ("Zhao", "Qian", "Sun") for word in ("--custodian", name)]
    run("ceremony", tmp_path, "--issuer", "bank", *people, "--simulated", "--date", "2018-09-01")
    run("add", tmp_path, "pin_verify/TDES/1", *BY, *IBM)
    run("add", tmp_path, "zone_pin/TDES/1@bank", *BY, "--term", "export=trusted")
    run("add", tmp_path, "zone_pin/TDES/2@bank", *BY)
    run("add", tmp_path, "zone_master/AES/1@bank", *BY)
    return tmp_path


def test_terms_are_recorded_and_follow_a_rotation(folder: Path) -> None:
    run("rotate", folder, "pin_verify/TDES", *BY)
    rows = {row["name"]: row["terms"] for row in run("list", folder, "--json")}
    wanted = f"method=ibm3624,table={TABLE},start=3,length=11"
    assert rows["pin_verify/TDES/1"] == rows["pin_verify/TDES/2"] == wanted
    assert rows["zone_pin/TDES/1@bank"] == "export=trusted"
    assert rows["zone_pin/TDES/2@bank"] == ""
    assert (
        unlock_store(Workspace(folder)).store.records[KeyName.parse("pin_verify/TDES/1")].terms_text == wanted
    )


@pytest.mark.parametrize(
    "term",
    [
        "export=yes",
        "table=01",
        "method=none",
        "colour=red",
        "table",
        "export=trusted,export=trusted",
        "a b=c",
    ],
)
def test_terms_that_nobody_knows(folder: Path, term: str) -> None:
    run("add", folder, "pin_verify/TDES/9", *BY, "--term", term, code=2)


def test_terms_of_another_purpose() -> None:
    name = KeyName.parse("zone_pin/TDES/1@bank")
    assert KeyRecord(name=name, check="", terms=parse_terms("export=trusted"))
    with pytest.raises(Usage, match="unknown terms"):
        KeyRecord(name=name, check="", terms=parse_terms("method=ibm3624"))


def test_the_verbs_go_by_the_terms_of_the_ceremony(folder: Path) -> None:
    store = unlock_store(Workspace(folder)).store
    zpk = store.roots[KeyName.parse("zone_pin/TDES/1@bank")]
    pvk = store.roots[KeyName.parse("pin_verify/TDES/1")]
    service = open_keys(Workspace(folder), "440300")
    zone = PinZone(key=BlockKey(cipher=BlockCipher.TDES, value=zpk), format=PinFormat.ISO_0)
    made = service.make_offset(
        encipher_pin(zone, "1234", PAN, Dice()), key="pin_verify/TDES/1", pan=PAN, zone="zone_pin/TDES/1@bank",
        zone_format=PinFormat.ISO_0,
    )  # fmt: skip
    assert made == psec.pin.generate_ibm3624_offset(pvk, TABLE, "1234", PAN, 3, 11, "F")
    block = service.wrap_key(key="zone_pin/TDES/1@bank", under="zone_master/AES/1@bank")
    _, value = psec.tr31.unwrap(store.roots[KeyName.parse("zone_master/AES/1@bank")], block)
    assert value == zpk
    with pytest.raises(Refused, match="may not leave"):
        service.wrap_key(key="zone_pin/TDES/2@bank", under="zone_master/AES/1@bank")
    service.close()


def test_terms_that_change_in_a_record_that_all_signed() -> None:
    """A key that may stay at first and leave later has been made another key."""
    free = replace(KEY, state=KeyState.RETIRED, terms=parse_terms("export=trusted"))
    with pytest.raises(Refused, match="cannot have come to this"):
        check_minutes(signed(ONE, after(ONE, keys=(free, OTHER))))
    fresh = KeyRecord(name=KeyName.parse("load/TDES/2"), check="010203", terms=free.terms)
    added = after(ONE, act=Act.ADD, touched=(fresh.name,), keys=(KEY, OTHER, fresh))
    assert check_minutes(signed(ONE, added))[-1].keys[-1] == fresh
