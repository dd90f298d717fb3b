"""A terminal's working keys leave in the form of its sign-in, and nothing else leaves so.

Method: a published pair of key and cryptogram, openssl's check value, and hostile calls that must be refused.
"""

from __future__ import annotations

import pytest

from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.provider import KeyKind
from jinka.kit import Refused
from tests.keys.payments import EXPORT, Rig, rig

TMK = bytes.fromhex("70F2A84CCBC2AE8625CBB0F2C22AB923")
TMK_NAME = "terminal_master/TDES/1@t1"


def _with(name: str, value: bytes, terms: tuple[tuple[str, str], ...], rigged: Rig) -> None:
    known = KeyName.parse(name)
    key = rigged.holding.provider.load(KeyKind(known.algorithm), value, extractable=bool(terms))
    rigged.holding.working.keys.add(KeyRecord(name=known, check="", terms=terms), key)


@pytest.fixture
def town() -> Rig:
    made = rig()
    _with(TMK_NAME, TMK, (), made)
    return made


def test_a_published_work_key_under_its_master_key(town: Rig) -> None:
    """A published sign-in: the key C24A8FB57AA20123 travels as 96D605EA176B7E9E."""
    _with("terminal_mac/DES/1@t1", bytes.fromhex("C24A8FB57AA20123"), EXPORT, town)
    made = town.service.wrap_terminal_key(key="terminal_mac/DES/1@t1", under=TMK_NAME)
    assert made[:8].hex().upper() == "96D605EA176B7E9E"
    assert made[8:].hex().upper() == "0547DB3E"  # openssl enc -des-ecb -nopad of eight zero bytes


@pytest.mark.parametrize(("name", "size"), [("terminal_pin/TDES/3@t1", 16), ("terminal_mac/DES/2@t1", 8)])
def test_a_drawn_key_has_odd_parity_and_its_check_value(town: Rig, name: str, size: int) -> None:
    town.service.draw_key(name=name, size=size)
    made = town.service.wrap_terminal_key(key=name, under=TMK_NAME)
    value = BlockKey(cipher=BlockCipher.TDES, value=TMK).decrypt(made[:-4])
    assert len(value) == size
    assert all(byte.bit_count() % 2 == 1 for byte in value)
    assert BlockKey(cipher=BlockCipher.TDES, value=value).encrypt(bytes(8))[:4] == made[-4:]


@pytest.mark.parametrize(
    ("key", "under", "what"),
    [
        ("zone_pin/TDES/1@bank", TMK_NAME, "the key is for"),  # a bank's PIN key to a terminal
        (TMK_NAME, TMK_NAME, "the key is for"),
        ("terminal_pin/TDES/5@t1", "zone_master/TDES/1@bank", "the key is for"),
        ("terminal_pin/TDES/5@t2", TMK_NAME, "another terminal"),
        ("terminal_pin/TDES/1@t1", TMK_NAME, "may not leave"),
        ("terminal_pin/AES/5@t1", TMK_NAME, "another cipher"),
        ("terminal_pin/TDES/6@t1", TMK_NAME, "no such key"),
    ],
)
def test_nothing_else_leaves_in_a_form_that_binds_nothing(town: Rig, key: str, under: str, what: str) -> None:
    for name, size in (
        ("terminal_pin/TDES/5@t1", 16),
        ("terminal_pin/TDES/5@t2", 16),
        ("terminal_pin/AES/5@t1", 16),
    ):
        town.service.draw_key(name=name, size=size)
    with pytest.raises(Refused, match=what):
        town.service.wrap_terminal_key(key=key, under=under)


def test_a_triple_key_does_not_leave_under_a_double_one(town: Rig) -> None:
    town.service.draw_key(name="terminal_pin/TDES/7@t1", size=24)
    with pytest.raises(Refused, match="weaker"):
        town.service.wrap_terminal_key(key="terminal_pin/TDES/7@t1", under=TMK_NAME)
