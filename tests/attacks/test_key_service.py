"""Attacks on the verbs of the key service, each by its name; every one must be refused and must change nothing.

Goal: who has some rights gets no more than those, and nobody searches for a PIN through a verb. Method: the good case
passes first, then it is attacked; time is a clock that the test moves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from jinka.crypto import key_block
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.dukpt import DukptUse, working_key
from jinka.crypto.key_block_header import (
    Exportability,
    KeyAlgorithm,
    KeyBlockHeader,
    KeyBlockVersion,
    KeyMode,
    KeyUsage,
)
from jinka.crypto.mac import X9_19, make_mac
from jinka.crypto.pin_block import PinFormat
from jinka.keys.border import Caller
from jinka.keys.catalogue import KeyName, KeyRecord, KeyState
from jinka.keys.provider import KeyKind
from jinka.kit import Refused, Usage
from tests.attacks.key_rig import (
    AT,
    CARD,
    IBM,
    PAN,
    PVK,
    RETAIL,
    TO,
    ZMK,
    ZONE,
    ZPK,
    ZPK2,
    block,
    changed,
)
from tests.keys import payments
from tests.keys.ground import Dice
from tests.keys.payments import KEY, KEYS, OTHER, Rig


@pytest.fixture
def rig() -> Rig:
    return payments.rig()


# Each verb with its right key, and how often that key stands in the call.
CALLS: dict[str, Callable[[Any, str], Any]] = {
    "zone_mac/TDES/1@bank": lambda s, k: s.generate_mac(b"x", key=k, algorithm=RETAIL),
    "zone_data/AES/1@bank": lambda s, k: s.encrypt_data(bytes(16), key=k, iv=bytes(16)),
    ZPK: lambda s, k: s.translate_pin(block(), **TO | {"source": k}, pan=PAN),
    ZPK2: lambda s, k: s.translate_pin(block(), **TO | {"target": k}, pan=PAN),
    PVK: lambda s, k: s.make_pvv(block(), key=k, index=1, pan=PAN, **AT),
    IBM: lambda s, k: s.make_offset(block(), key=k, pan=PAN, **AT),
    "card_verify/TDES/1": lambda s, k: s.make_card_value(key=k, pan=PAN, date4="2912", service3="201"),
    "script_mac/TDES/1": lambda s, k: s.make_script_mac(bytes(5), b"", key=k, cryptogram8=bytes(8), **CARD),
    "script_data/TDES/1": lambda s, k: s.encipher_script(b"x", key=k, cryptogram8=bytes(8), **CARD),
    ZMK: lambda s, k: s.wrap_key(key=ZPK, under=k),
}


@pytest.mark.parametrize("right", list(CALLS))
def test_wrong_purpose(rig: Rig, right: str) -> None:
    """A PIN key as a data key would decrypt PIN blocks; so with every other pair."""
    assert CALLS[right](rig.service, right)
    mine = KeyName.parse(right).purpose
    for other in KEYS:
        if KeyName.parse(other).purpose is mine or {mine.value, other.split("/")[0]} == {
            "zone_pin",
            "terminal_pin",
        }:
            continue
        with pytest.raises(Refused, match="the key is for"):
            CALLS[right](rig.service, other)


@pytest.mark.parametrize("right", list(CALLS))
def test_expired_retired_and_compromised_keys(rig: Rig, right: str) -> None:
    today = rig.seen_by(Caller(name="a", verbs=("*",), keys=("*",)), today=lambda: "2026-01-02")
    assert CALLS[right](today, right)
    checks = right == ZPK  # what comes in was made before, and is still read
    for fields, still in (
        ({"valid_from": "2026-01-03"}, False),
        ({"valid_to": "2026-01-01"}, checks),
        ({"state": KeyState.RETIRED, "valid_to": ""}, checks),
        ({"state": KeyState.COMPROMISED}, False),
        ({"state": KeyState.DESTROYED}, False),
    ):
        changed(rig, right, **{"valid_from": "", "valid_to": "", "state": KeyState.ACTIVE} | fields)
        if still:
            assert CALLS[right](today, right)
        else:
            with pytest.raises(Refused):
                CALLS[right](today, right)


def test_a_caller_without_the_right(rig: Rig) -> None:
    few = rig.seen_by(Caller(name="terminal-centre", verbs=("translate_pin",), keys=("zone_pin/TDES/*",)))
    assert few.translate_pin(block(), **TO, pan=PAN)
    with pytest.raises(Refused, match="not given the verb"):
        few.make_pvv(block(), key=PVK, index=1, pan=PAN, **AT)
    with pytest.raises(Refused, match="not given this key"):
        few.translate_pin(
            block(), **TO | {"target": "zone_pin/AES/1@bank", "target_format": PinFormat.ISO_4}, pan=PAN
        )
    wrapper = rig.seen_by(Caller(name="b", verbs=("*",), keys=("zone_master/*", "zone_pin/*/9@bank")))
    with pytest.raises(Refused, match="not given this key"):
        wrapper.wrap_key(key=ZPK, under=ZMK)
    taken = rig.service.wrap_key(key=ZPK, under=ZMK)
    assert wrapper.unwrap_key(taken, under=ZMK, name="zone_pin/TDES/9@bank")
    with pytest.raises(Refused, match="not given this key"):
        wrapper.unwrap_key(taken, under=ZMK, name="zone_pin/TDES/10@bank")
    with pytest.raises(Refused, match="not given this key"):
        wrapper.drop_key(name=ZPK)


def test_an_answer_for_a_wrong_cryptogram(rig: Rig) -> None:
    """Else the verb would encipher any block under a card's key, and so make cryptograms."""
    with pytest.raises(Refused):
        rig.service.make_response(b"data", bytes(8), key="cryptogram/TDES/1", code2=b"00", **CARD)
    for bad in ({}, {"code2": b"0"}, {"code2": b"00", "status4": bytes(4)}, {"code2": b"00", "own": b"x"}):
        with pytest.raises(Usage):
            rig.service.make_response(b"data", bytes(8), key="cryptogram/TDES/1", **CARD, **bad)


def test_serial_number_replay(rig: Rig) -> None:
    """One message counts once, also when two connections bring it at the same time."""
    serial = bytes.fromhex("FFFF9876543210E00008")
    mac = make_mac(X9_19, working_key(ZONE.key, serial, DukptUse.MAC_REQUEST), b"0200")
    how: dict[str, Any] = {"key": "base_derivation/TDES/1", "algorithm": RETAIL}
    with pytest.raises(Refused, match="the MAC is wrong"):  # a forged one uses nothing up
        rig.service.verify_mac(b"0200", bytes(8), serial=serial[:-1] + b"\xff", **how)
    accepted: list[int] = []

    def bring() -> None:
        try:
            rig.service.verify_mac(b"0200", mac, serial=serial, **how)
            accepted.append(1)
        except Refused:
            pass

    threads = [threading.Thread(target=bring) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accepted) == 1
    earlier = serial[:-1] + b"\x07"
    old = make_mac(X9_19, working_key(ZONE.key, earlier, DukptUse.MAC_REQUEST), b"0200")
    with pytest.raises(Refused, match="used before"):
        rig.service.verify_mac(b"0200", old, serial=earlier, **how)
    with pytest.raises(Refused):
        rig.service.verify_mac(b"0200", mac, serial=serial, key="zone_mac/TDES/1@bank", algorithm=RETAIL)


def _wrapped(usage: KeyUsage, mode: KeyMode, value: bytes = KEY, **changes: Any) -> str:
    header = KeyBlockHeader(
        **{
            "version": KeyBlockVersion.D, "usage": usage, "algorithm": KeyAlgorithm.TDES, "mode": mode,
            "exportability": Exportability.NO,
        } | changes
    )  # fmt: skip
    guard = BlockKey(cipher=BlockCipher.AES, value=KEYS[ZMK][0])
    return key_block.wrap(guard, header, value, Dice())


def test_key_block_header_swap(rig: Rig) -> None:
    """P0 made D0 in clear breaks the MAC; a right P0 block is not taken in as a data key either."""
    right = _wrapped(KeyUsage.PIN, KeyMode.BOTH)
    for name, text in (("zone_data/TDES/9@bank", "D0"), ("zone_mac/TDES/9@bank", "M3")):
        for given in (right, right[:5] + text + right[7:]):
            with pytest.raises(Refused):
                rig.service.unwrap_key(given, under=ZMK, name=name)
    for name in ("zone_pin/AES/9@bank", "zone_pin/SM4/9@bank"):
        with pytest.raises(Refused, match="a key for algorithm T"):
            rig.service.unwrap_key(right, under=ZMK, name=name)
    for one_way in (KeyMode.ENCRYPT, KeyMode.DECRYPT):
        with pytest.raises(Refused):
            rig.service.unwrap_key(_wrapped(KeyUsage.PIN, one_way), under=ZMK, name="zone_pin/TDES/9@bank")
    for name in ("tac/TDES/9", "sign/P-256/9", "record_seal/AES-256-GCM/9", "transport/TDES/9"):
        with pytest.raises(Refused, match="no working key"):
            rig.service.unwrap_key(right, under=ZMK, name=name)
    with pytest.raises(Usage):
        rig.service.unwrap_key(right, under=ZMK, name="zone_pin/TDES/9@bank", valid_to="9999")
    assert rig.service.unwrap_key(right, under=ZMK, name="zone_pin/TDES/9@bank", valid_to="2026-12-31")
    late = rig.seen_by(Caller(name="a", verbs=("*",), keys=("*",)), today=lambda: "2027-01-01")
    with pytest.raises(Refused, match="expired"):
        late.translate_pin(block(), **TO | {"target": "zone_pin/TDES/9@bank"}, pan=PAN)


def test_key_substitution(rig: Rig) -> None:
    """A key under a name that is taken would put the thief's key in the place of the bank's."""
    given = _wrapped(KeyUsage.PIN, KeyMode.BOTH, OTHER)
    with pytest.raises(Refused, match="of that name"):
        rig.service.unwrap_key(given, under=ZMK, name=ZPK)
    with pytest.raises(Refused, match="of that name"):
        rig.service.draw_key(name=ZPK, size=16)
    assert rig.service.translate_pin(block(), **TO, pan=PAN)


@pytest.mark.parametrize("value", [KEY[:8] * 2, KEY[:8], bytes(16), b"\x01" * 16])
def test_weak_keys_in_key_blocks(rig: Rig, value: bytes) -> None:
    opened = key_block.OpenedKey(header=KeyBlockHeader(
        version=KeyBlockVersion.D, usage=KeyUsage.PIN, algorithm=KeyAlgorithm.TDES, mode=KeyMode.BOTH,
        exportability=Exportability.NO,
    ), value=value)  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:  # a sender that does not look at what it wraps
        patch.setattr(key_block, "_check_key", lambda *_: None)
        given = _wrapped(KeyUsage.PIN, KeyMode.BOTH, opened.value)
    with pytest.raises(Refused):
        rig.service.unwrap_key(given, under=ZMK, name="zone_pin/TDES/9@bank")


def test_extractable_child(rig: Rig) -> None:
    """A key that is not exportable stays, whoever asks, and so does one that came in as not exportable."""
    for name in KEYS:
        if name != ZPK:
            with pytest.raises(Refused):
                rig.service.wrap_key(key=name, under=ZMK)
    rig.service.unwrap_key(_wrapped(KeyUsage.PIN, KeyMode.BOTH), under=ZMK, name="zone_pin/TDES/9@bank")
    with pytest.raises(Refused, match="may not leave"):
        rig.service.wrap_key(key="zone_pin/TDES/9@bank", under=ZMK)
    rig.service.draw_key(name="zone_pin/TDES/8@bank", size=16, exportable=False)
    with pytest.raises(Refused, match="may not leave"):
        rig.service.wrap_key(key="zone_pin/TDES/8@bank", under=ZMK)
    for purpose in ("tac", "load", "purchase"):  # no name of a derived key is there to be asked for
        with pytest.raises(Refused):
            rig.service.wrap_key(key=f"{purpose}/TDES/1", under=ZMK)


def test_extractable_child_on_a_token() -> None:
    rig = payments.rig(payments.routed())
    try:
        assert rig.service.wrap_key(key=ZPK, under=ZMK)
        changed(rig, ZPK2, terms=(("export", "trusted"),))  # the line says so, the token does not
        drawn = "zone_pin/TDES/8@bank"
        rig.service.draw_key(name=drawn, size=16, exportable=False)
        changed(rig, drawn, terms=(("export", "trusted"),))
        for key in (ZPK2, drawn):
            with pytest.raises(Refused, match="does not give this key away"):
                rig.service.wrap_key(key=key, under=ZMK)
    finally:
        rig.holding.provider.close()


def test_a_key_under_a_weaker_one(rig: Rig) -> None:
    rig.service.draw_key(name="zone_pin/AES/9@bank", size=16)
    assert rig.service.wrap_key(key="zone_pin/AES/9@bank", under=ZMK)
    with pytest.raises(Refused):
        rig.service.wrap_key(
            key="zone_pin/AES/9@bank", under="zone_master/TDES/1@bank", version=KeyBlockVersion.B
        )
    rig.service.draw_key(name="zone_data/AES/9@bank", size=32)
    rig.service.draw_key(name="zone_master/AES/9@bank", size=16)
    with pytest.raises(Refused, match="stronger than its protection"):
        rig.service.wrap_key(key="zone_data/AES/9@bank", under="zone_master/AES/9@bank")


def test_sm4_has_no_key_block(rig: Rig) -> None:
    rig.service.draw_key(name="zone_pin/SM4/9@bank", size=16)
    with pytest.raises(Refused, match="a key block has no SM4 key"):
        rig.service.wrap_key(key="zone_pin/SM4/9@bank", under=ZMK)


@pytest.mark.parametrize("place", ["soft", "token"])
def test_key_shrinking(place: str) -> None:
    """A 3DES key of two equal halves, brought past every ceremony, is found by what it does."""
    rig = payments.rig(payments.routed() if place == "token" else None)
    try:
        name = KeyName.parse("zone_pin/TDES/9@bank")
        for value in (KEY[:8] * 2, KEY[:8] + bytes(byte ^ 1 for byte in KEY[:8]), KEY + KEY[8:]):
            key = rig.holding.provider.load(KeyKind.TDES, value)
            rig.holding.working.keys.add(KeyRecord(name=name, check=""), key)
            with pytest.raises(Refused, match="no stronger than DES"):
                rig.service.translate_pin(block(), **TO | {"target": str(name)}, pan=PAN)
            rig.service.drop_key(name=str(name))
    finally:
        rig.holding.provider.close()
