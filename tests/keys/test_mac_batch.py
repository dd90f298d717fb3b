"""Many MACs in one verb are those of one by one, and a wrong one is told by its row. Method: both ways, compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from jinka.crypto.mac import MacAlgorithm
from jinka.crypto.unionpay_mac import PosMacForm
from jinka.keys.border import Caller
from jinka.kit import Refused, Usage
from tests.keys.payments import over_socket, rig

MESSAGES = [bytes(range(n % 256)) * (1 + n // 256) for n in (1, 7, 8, 9, 16, 108, 255, 700)]
KEY = "zone_mac/TDES/1@bank"


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (KEY, MacAlgorithm.RETAIL),
        (KEY, MacAlgorithm.CBC_MAC),
        ("zone_mac/AES/1@bank", MacAlgorithm.CMAC),
        ("zone_mac/SM4/1@bank", MacAlgorithm.CBC_MAC),
    ],
)
def test_as_one_by_one(key: str, algorithm: MacAlgorithm) -> None:
    keys = rig().service
    one = [keys.generate_mac(message, key=key, algorithm=algorithm) for message in MESSAGES]
    assert keys.generate_macs(MESSAGES, key=key, algorithm=algorithm) == one
    assert keys.check_macs(MESSAGES, one, key=key, algorithm=algorithm).tolist() == [True] * len(one)
    for row, mac in enumerate(one):
        for bad in (bytes((mac[0] ^ 1,)) + mac[1:], mac[:4], b"", mac + b"\0"):
            macs = [*one[:row], bad, *one[row + 1 :]]
            right = keys.check_macs(MESSAGES, macs, key=key, algorithm=algorithm).tolist()
            assert right == [at != row for at in range(len(one))]


def test_the_published_value() -> None:
    """psec's retail MAC: K1 AAAAAAAA, K2 BBBBBBBB over "hello world" is 3DDE5C5511661CBF."""
    keys = rig().service
    made = keys.generate_macs([b"hello world"] * 3, key=KEY, algorithm=MacAlgorithm.RETAIL)
    assert {mac.hex().upper() for mac in made} == {"3DDE5C5511661CBF"}


def test_the_terminals_form() -> None:
    keys = rig().service
    one = [keys.generate_pos_mac(message, key=KEY) for message in MESSAGES]
    form = PosMacForm.HEX
    assert keys.generate_macs(MESSAGES, key=KEY, algorithm=MacAlgorithm.RETAIL, form=form) == one


def test_nothing_and_too_much() -> None:
    keys = rig().service
    assert keys.generate_macs([], key=KEY, algorithm=MacAlgorithm.RETAIL) == []
    with pytest.raises(Usage):
        keys.generate_macs([b"x"] * 20_000, key=KEY, algorithm=MacAlgorithm.RETAIL)
    with pytest.raises(Usage):
        keys.check_macs([b"x"], [], key=KEY, algorithm=MacAlgorithm.RETAIL)


def test_the_border_holds() -> None:
    local = rig()
    with pytest.raises(Refused):
        local.service.generate_macs([b"x"], key="zone_pin/TDES/1@bank", algorithm=MacAlgorithm.RETAIL)
    stranger = local.seen_by(Caller(name="s", verbs=("check_macs",), keys=("*",)))
    with pytest.raises(Refused):
        stranger.generate_macs([b"x"], key=KEY, algorithm=MacAlgorithm.RETAIL)


def test_over_the_socket(tmp_path: Path) -> None:
    local = rig()
    with over_socket(local, tmp_path) as remote:
        made = remote.service.generate_macs(MESSAGES, key=KEY, algorithm=MacAlgorithm.RETAIL, form=None)
        assert made == local.service.generate_macs(MESSAGES, key=KEY, algorithm=MacAlgorithm.RETAIL)
        right = remote.service.check_macs(MESSAGES, made, key=KEY, algorithm=MacAlgorithm.RETAIL)
        assert right.all()
