"""Attacks on keys and their custody, each by name: refused, and nothing is changed. Method: real folders and stores."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from jinka.app.key_acts import perform, restore
from jinka.app.key_folder import KeyFolder
from jinka.app.keyring import open_keys, unlock_store
from jinka.app.workspace import Workspace
from jinka.codec import Algorithm
from jinka.crypto.block import xor
from jinka.keys import KeyName, Purpose, SoftKeyService, read_header
from jinka.keys.acts import Act, add, move, rotate
from jinka.keys.components import Component, combine, draw_components
from jinka.keys.store import root_check, unlock
from jinka.kit import JinkaError, Refused
from tests.app.custody import DATE, drawn, held, places
from tests.keys.ground import Dice

ZMK = KeyName.parse("zone_master/TDES/1@bank")
PEOPLE = ("Li", "Wu", "He")
CARDS = np.zeros((1, 8), np.uint8)


@contextmanager
def refused_and_unchanged(room: KeyFolder, match: str | None = None) -> Iterator[None]:
    """The attack is refused, and no byte of store and records is another afterwards."""
    before = {path: path.read_bytes() for path in [room.store, *sorted(room.records.iterdir())]}
    with pytest.raises(Refused, match=match):
        yield
    assert {path: path.read_bytes() for path in [room.store, *sorted(room.records.iterdir())]} == before


def components() -> list[Component]:
    return draw_components(ZMK, PEOPLE, Dice(1))


def test_wrong_component() -> None:
    parts = components()
    wrong = dataclasses.replace(parts[1], secret=bytes((parts[1].secret[0] ^ 2,)) + parts[1].secret[1:])
    with pytest.raises(Refused, match="check value of the key"):
        combine([parts[0], wrong, parts[2]], key=ZMK, check=parts[0].key_check)
    with pytest.raises(Refused, match="check value of the component"):
        Component.from_dict(wrong.as_dict() | {"own_check": parts[1].own_check})
    with pytest.raises(Refused, match="check value of the component"):
        Component.from_typed(
            parts[1].typed().replace(parts[1].own_check.upper(), "000000"), key=ZMK, custodian="Wu"
        )


def test_component_of_another_key() -> None:
    parts, other = components(), KeyName.parse("zone_pin/TDES/1@bank")
    with pytest.raises(Refused, match="of another key"):
        combine(parts, key=other, check=parts[0].key_check)


def test_wrong_check_value() -> None:
    parts = components()
    assert len(combine(parts, key=ZMK, check=parts[0].key_check)) == 16
    for wrong in ("000000", "", parts[0].key_check[:4], parts[0].own_check):
        with pytest.raises(Refused, match="check value"):
            combine(parts, key=ZMK, check=wrong)


def test_a_component_left_out_or_brought_twice() -> None:
    parts = components()
    twice = dataclasses.replace(parts[0], custodian="Wu", number=2)
    for some in (parts[:2], [], [*parts, parts[0]], [parts[0], twice, parts[2]]):
        with pytest.raises(Refused):
            combine(some, key=ZMK, check=parts[0].key_check)


def test_same_custodian_twice_with_components() -> None:
    parts = components()
    same = dataclasses.replace(parts[1], custodian="li")
    with pytest.raises(Refused, match="two components"):
        combine([parts[0], same, parts[2]], key=ZMK, check=parts[0].key_check)


@pytest.mark.parametrize("value", [bytes(16), b"\xff" * 16, b"\x12\x34\x56\x78\x9a\xbc\xde\xf0" * 2,
                                   bytes.fromhex("123456789abcdef0 133557799bbddff1")])  # fmt: skip
def test_key_shrinking_by_components_that_add_up_to_single_des(value: bytes) -> None:
    first = Dice(3).token_bytes(16)
    parts = [
        Component(key=ZMK, custodian=who, number=n, of=2, secret=secret)
        for n, (who, secret) in enumerate((("Li", first), ("Wu", xor(first, value))), 1)
    ]
    with pytest.raises(Refused, match=r"weak|equal"):  # two equal components add up to nothing at all
        combine(parts, key=ZMK, check=root_check(ZMK, value))


def test_share_of_another_ceremony(tmp_path: Path) -> None:
    room, other = held(tmp_path / "a"), held(tmp_path / "b")
    mine, theirs = (r.minutes()[-1].wrapping for r in (room, other))
    stolen = (tmp_path / "b" / "custodians" / "Qian" / f"share-{theirs}.json").read_bytes()
    (tmp_path / "a" / "custodians" / "Qian" / f"share-{mine}.json").write_bytes(stolen)
    with refused_and_unchanged(room, "another ceremony"):
        drawn(tmp_path / "a", "tac/TDES/9")


def test_signing_key_of_another_ceremony(tmp_path: Path) -> None:
    room = held(tmp_path / "a")
    held(tmp_path / "b")
    pem = (tmp_path / "b" / "custodians" / "Qian" / "signing-key.pem").read_bytes()
    (tmp_path / "a" / "custodians" / "Qian" / "signing-key.pem").write_bytes(pem)
    with refused_and_unchanged(room, "no custodian of this store"):
        drawn(tmp_path / "a", "tac/TDES/9")


def test_same_custodian_twice(tmp_path: Path) -> None:
    room = held(tmp_path)
    with refused_and_unchanged(room, "named twice"):
        drawn(tmp_path, "tac/TDES/9", by=("Zhao", "Zhao"))
    (tmp_path / "custodians" / "zhao").symlink_to(tmp_path / "custodians" / "Zhao")
    with refused_and_unchanged(room):
        drawn(tmp_path, "tac/TDES/9", by=("Zhao", "zhao"))
    with refused_and_unchanged(room, "1 of 2 custodians"):
        drawn(tmp_path, "tac/TDES/9", by=("Zhao",))


def test_a_share_that_was_taken_from_its_custodian(tmp_path: Path) -> None:
    """Zhao holds a copy of Sun's share: the file names its owner, and Sun's signature is missing."""
    room = held(tmp_path)
    check = room.minutes()[-1].wrapping
    for named in ("Sun", "Qian"):
        raw = json.loads((tmp_path / "custodians" / "Sun" / f"share-{check}.json").read_bytes())
        place = tmp_path / "custodians" / "Zhao2"
        place.mkdir(exist_ok=True)
        (place / "share.json").write_text(json.dumps(raw | {"custodian": named}))
        pem = (tmp_path / "custodians" / "Zhao" / "signing-key.pem").read_bytes()
        (place / "signing-key.pem").write_bytes(pem)
        with refused_and_unchanged(room, "no custodian of this store"):
            drawn(tmp_path, "tac/TDES/9", by=("Zhao", f"{named}={place}"))


def service(folder: Path, today: str) -> SoftKeyService:
    store = unlock_store(Workspace(folder)).store
    return SoftKeyService(store, region="440300", today=lambda: today)


def test_expired_key_and_key_before_its_day(tmp_path: Path) -> None:
    room = held(tmp_path)
    perform(
        room, Act.ROTATE, places(tmp_path, "Zhao", "Sun"),
        lambda store, dice: rotate(
            store, Purpose.LOAD, "TDES", dice, valid_from="2019-07-01", old_until="2019-06-30"
        ),
        date=DATE,
    )  # fmt: skip
    for today, version, good in (
        ("2019-06-30", 1, True), ("2019-07-01", 1, False), ("2019-06-30", 2, False), ("2019-07-01", 2, True),
    ):  # fmt: skip
        asked = {"algorithm": Algorithm.TDES, "version": version, "factors8": CARDS}
        if good:
            assert service(tmp_path, today).chip_keys(Purpose.LOAD, **asked).shape == (1, 16)
        else:
            with pytest.raises(Refused, match=r"expired|valid from"):
                service(tmp_path, today).chip_keys(Purpose.LOAD, **asked)


def test_mis_purposed_key(tmp_path: Path) -> None:
    held(tmp_path)
    keys = service(tmp_path, DATE)
    for purpose in (Purpose.TAC, Purpose.LOAD, Purpose.TRANSPORT):
        with pytest.raises(Refused):
            keys.write_sam_key(
                psam_id=bytes(10), purpose=purpose, algorithm=Algorithm.TDES, version=1, rand4=bytes(4)
            )
    with pytest.raises(Refused):
        keys.chip_keys(Purpose.BATCH_SEAL, algorithm=Algorithm.TDES, version=1, factors8=CARDS)


def test_a_key_that_was_compromised_is_not_brought_back(tmp_path: Path) -> None:
    room, by = held(tmp_path), places(tmp_path, "Zhao", "Sun")
    key = KeyName.parse("purchase/TDES/1")
    perform(room, Act.COMPROMISE, by, lambda store, _: move(store, key, Act.COMPROMISE), date=DATE)
    with refused_and_unchanged(room, "no step"):
        perform(room, Act.RESUME, by, lambda store, _: move(store, key, Act.RESUME), date=DATE)
    with refused_and_unchanged(room, "was there already"):
        perform(room, Act.ADD, by, lambda store, _: add(store, key, Dice(1).token_bytes(16)), date=DATE)


def test_downgraded_store_version(tmp_path: Path) -> None:
    room = held(tmp_path)
    old = room.store.read_bytes()
    drawn(tmp_path, "tac/TDES/9")
    new = room.store.read_bytes()
    shares = [place.share(read_header(new)) for place in places(tmp_path, "Zhao", "Sun")]
    with pytest.raises(Refused, match="older than 2"):
        unlock(old, shares, serial_min=2)
    raised = json.dumps(json.loads(old) | {"serial": 2}).encode()
    with pytest.raises(Refused, match="seal"):
        unlock(raised, shares, serial_min=2)
    for version in (1, 2, 4):
        other = json.dumps(json.loads(new) | {"version": version}).encode()
        with pytest.raises(Refused, match="format or version"):
            unlock(other, shares)
    for copy in (old, raised):
        room.store.write_bytes(copy)
        with pytest.raises(Refused, match="not the store that record 2 left"):
            open_keys(Workspace(tmp_path), "440300")
        with refused_and_unchanged(room, "not the store"):
            drawn(tmp_path, "tac/TDES/10")


@pytest.mark.parametrize("cut", [0, 1, 100, -2, -100])
def test_torn_store_file(tmp_path: Path, cut: int) -> None:
    room = held(tmp_path)
    whole = room.store.read_bytes()
    copy = tmp_path / "copy"
    copy.write_bytes(whole)
    room.store.write_bytes(whole[:cut])
    with refused_and_unchanged(room):
        open_keys(Workspace(tmp_path), "440300")
    with refused_and_unchanged(room):
        drawn(tmp_path, "tac/TDES/9")
    restore(room, places(tmp_path, "Zhao", "Sun"), copy, date=DATE)
    assert room.store.read_bytes() == whole


def test_record_with_a_changed_line_and_records_that_are_gone(tmp_path: Path) -> None:
    room = held(tmp_path)
    drawn(tmp_path, "tac/TDES/9")
    path = room.records / "0001.note"
    right = path.read_text()
    path.write_text(right.replace("Qian", "Oian"))
    with pytest.raises(Refused):
        room.minutes()
    with refused_and_unchanged(room):
        drawn(tmp_path, "tac/TDES/10")
    path.write_text(right)
    (room.records / "0002.note").unlink()
    with pytest.raises(Refused, match="not the store that record 1 left"):
        open_keys(Workspace(tmp_path), "440300")


def test_a_custodians_name_that_is_a_path(tmp_path: Path) -> None:
    room = KeyFolder(tmp_path)
    for name in ("../x", "a/b", ".", "..", "", "=x", "/etc"):
        with pytest.raises(JinkaError):
            room.place(name)
