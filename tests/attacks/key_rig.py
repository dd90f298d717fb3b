"""What the attacks on the verbs share: names of keys, a PIN block, and a line of the catalogue that changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.mac import MacAlgorithm
from jinka.crypto.pin_block import PinFormat, PinZone, encipher_pin
from jinka.keys.catalogue import KeyName
from jinka.keys.cryptograms import SessionKey
from tests.keys.ground import Dice
from tests.keys.payments import KEY, Rig

PAN, OTHER_PAN, PIN = "6225880123456782", "6225880987654321", "1234"
ZPK, ZPK2, PVK, IBM = "zone_pin/TDES/1@bank", "zone_pin/TDES/2@bank", "pin_verify/TDES/1", "pin_verify/TDES/2"
ZMK = "zone_master/AES/1@bank"
ZONE = PinZone(key=BlockKey(cipher=BlockCipher.TDES, value=KEY), format=PinFormat.ISO_0)
TO: dict[str, Any] = {
    "source": ZPK, "source_format": PinFormat.ISO_0, "target": ZPK2, "target_format": PinFormat.ISO_3,
}  # fmt: skip
AT: dict[str, Any] = {"zone": ZPK, "zone_format": PinFormat.ISO_0}
CARD: dict[str, Any] = {"pan": PAN, "sequence": "00", "counter": 1, "session": SessionKey.PBOC}
RETAIL = MacAlgorithm.RETAIL


def block(pin: str = PIN, pan: str = PAN) -> bytes:
    return encipher_pin(ZONE, pin, pan, Dice())


def changed(rig: Rig, name: str, **fields: Any) -> None:
    """Another line of the catalogue for a key of the rig."""
    held = rig.holding.working.keys._held
    record, key = held[KeyName.parse(name)]
    held[record.name] = (replace(record, **fields), key)
