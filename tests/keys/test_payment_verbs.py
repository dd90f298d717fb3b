"""The verbs of payments. Goal: the same right answers in memory, on a token and over a socket.

Method: published vectors and psec, pyemv and `cryptography` as oracles; SoftHSM2 with SM4 in a second provider.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psec
import pyemv
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jinka.codec import Algorithm
from jinka.crypto import diversify, emv
from jinka.crypto.block import sm4_encrypt, tdes_decrypt
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.dukpt import DukptUse, next_serial, working_key
from jinka.crypto.key_block_header import KeyBlockVersion
from jinka.crypto.mac import MacAlgorithm, Padding
from jinka.crypto.pin_block import PinFormat, PinZone, decipher_pin, encipher_pin
from jinka.crypto.unionpay_mac import PosMacForm
from jinka.keys.border import VERBS
from jinka.keys.cryptograms import CardKey, SessionKey
from jinka.keys.payment_port import PaymentService
from jinka.keys.port import KeyService, Purpose
from jinka.keys.service import LocalKeyService
from jinka.kit import Refused
from tests.keys import payments
from tests.keys.ground import Dice
from tests.keys.payments import IBM_TERMS, KEY, KEYS, OTHER, Rig

# psec and pyemv use the old place of TripleDES
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")

PAN, PIN = "6225880123456782", "123456"
ZPK, ZPK2, ZPK_AES, ZPK_SM4 = (
    "zone_pin/TDES/1@bank",
    "zone_pin/TDES/2@bank",
    "zone_pin/AES/1@bank",
    "zone_pin/SM4/1@bank",
)
ZONES = {
    ZPK: (BlockCipher.TDES, PinFormat.ISO_0),
    ZPK2: (BlockCipher.TDES, PinFormat.ISO_3),
    ZPK_AES: (BlockCipher.AES, PinFormat.ISO_4),
    ZPK_SM4: (BlockCipher.SM4, PinFormat.UNIONPAY_16),
}
IBM: dict[str, Any] = {
    "conversion_table": dict(IBM_TERMS)["table"],
    "pan_verify_offset": 3,
    "pan_verify_length": 11,
    "pan_pad": "F",
}


@pytest.fixture(params=["soft", "pkcs11+soft", "socket"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    made = payments.rig(payments.routed() if request.param == "pkcs11+soft" else None)
    try:
        if request.param == "socket":
            with payments.over_socket(made, tmp_path) as remote:
                yield remote
        else:
            yield made
    finally:
        made.holding.provider.close()


def zone(key: str) -> PinZone:
    cipher, form = ZONES[key]
    return PinZone(key=BlockKey(cipher=cipher, value=KEYS[key][0]), format=form)


def block(key: str = ZPK, pin: str = PIN, pan: str = PAN) -> bytes:
    return encipher_pin(zone(key), pin, pan, Dice())


@pytest.mark.parametrize("padding", list(Padding))
def test_macs(rig: Rig, padding: Padding) -> None:
    key, (value, _) = "zone_mac/TDES/1@bank", KEYS["zone_mac/TDES/1@bank"]
    for data in (b"hello world", os.urandom(64), os.urandom(7)):
        oracle = psec.mac.generate_retail_mac(value[:8], value[8:], data, padding.value)
        how: dict[str, Any] = {"key": key, "algorithm": MacAlgorithm.RETAIL, "padding": padding}
        assert rig.service.generate_mac(data, **how) == oracle
        rig.service.verify_mac(data, oracle, **how)
        rig.service.verify_mac(data, oracle[:4], size=4, **how)
        for wrong in (oracle[:4], oracle[:-1] + bytes((oracle[-1] ^ 1,)), b""):
            with pytest.raises(Refused):
                rig.service.verify_mac(data, wrong, **how)
        chained = how | {"algorithm": MacAlgorithm.CBC_MAC, "key": "zone_mac/AES/1@bank", "size": 16}
        aes = psec.mac.generate_cbc_mac(KEY, data, padding.value, algorithm=psec.mac.Algorithm.AES)
        assert rig.service.generate_mac(data, **chained) == aes


@pytest.mark.parametrize("size", [0, 1, 7, 8, 15, 16, 17, 32, 100])
def test_cmacs(rig: Rig, size: int) -> None:
    data = os.urandom(size)
    for key in ("zone_mac/TDES/1@bank", "zone_mac/AES/1@bank", "zone_mac/SM4/1@bank"):
        value, cipher = KEYS[key][0], BlockCipher(key.split("/")[1])
        oracle = BlockKey(cipher=cipher, value=value).cmac(data)  # by `cryptography`
        made = rig.service.generate_mac(data, key=key, algorithm=MacAlgorithm.CMAC, size=cipher.block)
        assert made == oracle


def test_unionpay_macs(rig: Rig) -> None:
    data, mac = os.urandom(108), "zone_mac/TDES/1@bank"
    field = rig.service.generate_pos_mac(data, key=mac, form=PosMacForm.BINARY)
    folded = bytes(8)
    for at in range(0, 108 + 4, 8):
        part = (data + bytes(4))[at : at + 8]
        folded = bytes(a ^ b for a, b in zip(folded, part, strict=True))
    text = folded.hex().upper().encode()
    value = KEYS[mac][0]
    assert field == psec.des.encrypt_tdes_cbc(value, bytes(8), text)[-8:]
    rig.service.verify_pos_mac(data, field, key=mac, form=PosMacForm.BINARY)
    with pytest.raises(Refused):
        rig.service.verify_pos_mac(data + b"x", field, key=mac, form=PosMacForm.BINARY)
    fields = ["0200", "62258801 23456782", "310000"]
    field128 = rig.service.generate_interbank_mac(fields, key=mac)
    joined = " ".join(fields).encode()
    right = psec.mac.generate_retail_mac(value[:8], value[8:], joined, 1)
    assert field128 == right.hex().upper().encode()[:8]
    rig.service.verify_interbank_mac(fields, field128, key=mac)
    with pytest.raises(Refused):
        rig.service.verify_interbank_mac(fields[:2], field128, key=mac)


def test_data(rig: Rig) -> None:
    data, iv = os.urandom(64), os.urandom(16)
    sealed = rig.service.encrypt_data(data, key="zone_data/AES/1@bank", iv=iv)
    assert sealed == Cipher(algorithms.AES(OTHER), modes.CBC(iv)).encryptor().update(data)
    assert rig.service.decrypt_data(sealed, key="zone_data/AES/1@bank", iv=iv) == data


@pytest.mark.parametrize("target", list(ZONES))
@pytest.mark.parametrize("source", list(ZONES))
def test_pins_are_translated(rig: Rig, source: str, target: str) -> None:
    how: dict[str, Any] = {
        "source": source,
        "source_format": ZONES[source][1],
        "target": target,
        "target_format": ZONES[target][1],
    }
    out = rig.service.translate_pin(block(source), pan=PAN, **how)
    assert decipher_pin(zone(target), out, PAN) == PIN
    pans = [f"622588{number:010}" for number in range(20)]
    pins = [f"{number:04}" for number in range(20)]
    blocks = [block(source, pin, pan) for pin, pan in zip(pins, pans, strict=True)]
    rows = np.frombuffer(b"".join(blocks), np.uint8).reshape(20, -1).copy()
    rows[7] = 0
    done, good = rig.service.translate_pins(rows, pans=pans, **how)
    assert good.tolist() == [number != 7 for number in range(20)]
    for number in range(20):
        if number != 7:
            assert decipher_pin(zone(target), done[number].tobytes(), pans[number]) == pins[number]


def test_published_pin_block(rig: Rig) -> None:
    """PIN 1234 and number 1234567890123456789 in format 4, as in psec's own tests, come out in format 0."""
    given = bytes.fromhex("28B41FDDD29B743E93124BD8E32D921E")
    out = rig.service.translate_pin(
        given, source=ZPK_AES, source_format=PinFormat.ISO_4, target=ZPK, target_format=PinFormat.ISO_0,
        pan="1234567890123456789",
    )  # fmt: skip
    assert psec.pinblock.decode_pinblock_iso_0(tdes_decrypt(KEY, out), "1234567890123456789") == "1234"


def test_pins_are_verified(rig: Rig) -> None:
    zoned: dict[str, Any] = {"zone": ZPK, "zone_format": PinFormat.ISO_0, "pan": PAN}
    pvv = rig.service.make_pvv(block(), key="pin_verify/TDES/1", index=1, **zoned)
    assert pvv == "1" + psec.pin.generate_visa_pvv(KEY, "1", PIN[:4], PAN)
    rig.service.verify_pin(block(), key="pin_verify/TDES/1", reference=pvv, **zoned)
    offset = rig.service.make_offset(block(), key="pin_verify/TDES/2", **zoned)
    assert offset == psec.pin.generate_ibm3624_offset(KEY, pin=PIN, pan=PAN, **IBM)
    rig.service.verify_pin(block(), key="pin_verify/TDES/2", reference=offset, **zoned)
    for key, reference in (("pin_verify/TDES/1", pvv), ("pin_verify/TDES/2", offset)):
        with pytest.raises(Refused, match="the PIN is refused"):
            rig.service.verify_pin(block(pin="654321"), key=key, reference=reference, **zoned)


def test_card_values(rig: Rig) -> None:
    card: dict[str, Any] = {"key": "card_verify/TDES/1", "pan": PAN, "date4": "2912"}
    for service3 in ("201", "000", "999"):
        value = rig.service.make_card_value(service3=service3, **card)
        assert value == psec.cvv.generate_cvv(KEY, PAN, "2912", service3)
        rig.service.verify_card_value(service3=service3, value=value, **card)
    with pytest.raises(Refused):
        rig.service.verify_card_value(service3="201", value=f"{(int(value) + 1) % 1000:03}", **card)


def test_dynamic_card_values(rig: Rig) -> None:
    """CVC3 against pyemv, dCVV against its own definition over psec's CVV."""
    own = diversify(Algorithm.TDES, KEY, emv.card_block(PAN, "01"))
    card: dict[str, Any] = {"key": "card_verify/TDES/1", "pan": PAN, "sequence": "01", "counter": 94}
    track = bytes.fromhex("5413123456784800D090510199990000000000F0")
    value = pyemv.cvv.generate_cvc3(own, track, b"\x00\x94", bytes.fromhex("00000899"))
    rig.service.verify_cvc3(
        track=track, unpredictable4=bytes.fromhex("00000899"), value=value, **card | {"counter": 0x94}
    )
    value = psec.cvv.generate_cvv(own, "0094" + PAN[4:], "2912", "201")
    rig.service.verify_dynamic_value(date4="2912", service3="201", value=value, **card)
    with pytest.raises(Refused):
        rig.service.verify_dynamic_value(date4="2912", service3="201", value=value, **card | {"counter": 95})


LONG = "6225880123456782123"


@pytest.mark.parametrize(("pan", "option"), [(PAN, CardKey.OPTION_A), (LONG, CardKey.OPTION_B)])
def test_cryptograms(rig: Rig, pan: str, option: CardKey) -> None:
    derive = pyemv.kd.derive_icc_mk_a if option is CardKey.OPTION_A else pyemv.kd.derive_icc_mk_b
    own, data, counter = derive(KEY, pan, "01"), os.urandom(33), 0x1234
    common = pyemv.kd.derive_common_sk(own, counter.to_bytes(2, "big") + bytes(6))
    for session, key in ((SessionKey.COMMON, common), (SessionKey.CARD, own)):
        how: dict[str, Any] = {
            "key": "cryptogram/TDES/1", "pan": pan, "sequence": "01", "counter": counter,
            "session": session, "card": option,
        }  # fmt: skip
        arqc = pyemv.ac.generate_ac(key, data, pyemv.ac.PaddingType.EMV)
        rig.service.check_cryptogram(data, arqc, **how)
        arpc = rig.service.make_response(data, arqc, code2=b"00", **how)
        assert arpc == pyemv.ac.generate_arpc_1(key, arqc, b"00")
        short = rig.service.make_response(data, arqc, status4=b"\x00\x82\x00\x00", own=b"own", **how)
        assert short == pyemv.ac.generate_arpc_2(key, arqc, b"\x00\x82\x00\x00", b"own")
        zeros = pyemv.ac.generate_ac(key, data, pyemv.ac.PaddingType.VISA)
        rig.service.check_cryptogram(data, zeros, padding=Padding.METHOD_1, **how)
        for wrong in (zeros, arqc[:4], b""):
            with pytest.raises(Refused):
                rig.service.check_cryptogram(data, wrong, **how)
            with pytest.raises(Refused):
                rig.service.make_response(data, wrong, code2=b"00", **how)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_pboc_cryptograms(rig: Rig, algorithm: Algorithm) -> None:
    """Against the card's own side, which is proven by published vectors."""
    own = diversify(algorithm, KEY, emv.card_block(PAN, "00"))
    session, data = emv.pboc_session(algorithm, own, 7), os.urandom(29)
    how: dict[str, Any] = {
        "key": f"cryptogram/{algorithm.name}/1", "pan": PAN, "sequence": "00", "counter": 7,
        "session": SessionKey.PBOC,
    }  # fmt: skip
    arqc = emv.cryptogram(algorithm, session, data)
    rig.service.check_cryptogram(data, arqc, **how)
    made = rig.service.make_response(data, arqc, code2=b"00", **how)
    assert made == emv.response_cryptogram(algorithm, session, arqc, b"00")
    if algorithm is Algorithm.SM4:
        mixed = bytes(a ^ b for a, b in zip(arqc, b"00" + bytes(6), strict=True))
        assert made == sm4_encrypt(session, mixed + bytes(8))[:8]


def test_scripts(rig: Rig) -> None:
    own, arqc = pyemv.kd.derive_icc_mk_a(OTHER, PAN, "01"), os.urandom(8)
    key = pyemv.kd.derive_common_sk(own, arqc)
    how: dict[str, Any] = {
        "pan": PAN, "sequence": "01", "counter": 9, "cryptogram8": arqc, "session": SessionKey.COMMON,
    }  # fmt: skip
    head, body = bytes.fromhex("8424000210"), os.urandom(8)
    mac = rig.service.make_script_mac(head, body, key="script_mac/TDES/1", **how)
    assert mac == pyemv.sm.generate_command_mac(key, head + b"\x00\x09" + arqc + body)
    sealed = rig.service.encipher_script(body, key="script_data/TDES/1", **how)
    assert emv.script_decipher(Algorithm.TDES, key, sealed) == body
    assert sealed == pyemv.sm.encrypt_command_data(key, body, pyemv.sm.EncryptionType.VISA)


def test_dukpt(rig: Rig) -> None:
    """Terminal keys by `jinka.crypto.dukpt`, which agrees with the examples of the standard."""
    serial = bytes.fromhex("FFFF9876543210E00001")
    base = BlockKey(cipher=BlockCipher.TDES, value=KEY)
    pin = PinZone(key=working_key(base, serial, DukptUse.PIN), format=PinFormat.ISO_0)
    how: dict[str, Any] = {
        "source": "base_derivation/TDES/1", "source_format": PinFormat.ISO_0, "target": ZPK_AES,
        "target_format": PinFormat.ISO_4, "pan": PAN, "serial": serial,
    }  # fmt: skip
    given = encipher_pin(pin, PIN, PAN, Dice())
    if "pkcs11" in rig.holding.provider.name:  # a variant of the key is no step of a token
        with pytest.raises(Refused, match="give this key away"):
            rig.service.translate_pin(given, **how)
        return
    assert decipher_pin(zone(ZPK_AES), rig.service.translate_pin(given, **how), PAN) == PIN
    mac = psec.mac.generate_retail_mac(*_halves(working_key(base, serial, DukptUse.MAC_REQUEST)), b"0200", 1)
    checked: dict[str, Any] = {"key": "base_derivation/TDES/1", "algorithm": MacAlgorithm.RETAIL}
    rig.service.verify_mac(b"0200", mac, serial=serial, **checked)
    for attack in (
        lambda: rig.service.translate_pin(given, **how),
        lambda: rig.service.verify_mac(b"0200", mac, serial=serial, **checked),
    ):
        with pytest.raises(Refused, match="used before"):
            attack()
    later = next_serial(serial)
    answer = rig.service.generate_mac(b"0210", serial=later, **checked)
    wanted = _halves(working_key(base, later, DukptUse.MAC_RESPONSE))
    assert answer == psec.mac.generate_retail_mac(*wanted, b"0210", 1)


def test_dukpt_with_aes(rig: Rig) -> None:
    """The PIN block and MAC examples of ANSI X9.24-3 are in tests/vectors; the verb gives the same keys."""
    from jinka.crypto import dukpt_aes

    base = BlockKey(cipher=BlockCipher.AES, value=KEYS["base_derivation/AES/1"][0])
    serial = bytes.fromhex("123456789012345600000001")
    number = dukpt_aes.AesSerial.parse(serial)
    initial = dukpt_aes.initial_key(base, number.initial_id)
    assert initial.value.hex() == "1273671ea26ac29afa4d1084127652a1", "ANSI X9.24-3, supplement, initial key"
    aes = dukpt_aes.AesDukptType.AES_128
    pin = dukpt_aes.working_key(initial, number, dukpt_aes.AesDukptUse.PIN, aes)
    given = encipher_pin(PinZone(key=pin, format=PinFormat.ISO_4), PIN, PAN, Dice())
    how: dict[str, Any] = {
        "source": "base_derivation/AES/1", "source_format": PinFormat.ISO_4, "target": ZPK,
        "target_format": PinFormat.ISO_0, "pan": PAN, "serial": serial,
    }  # fmt: skip
    assert decipher_pin(zone(ZPK), rig.service.translate_pin(given, **how), PAN) == PIN
    with pytest.raises(Refused, match="used before"):
        rig.service.translate_pin(given, **how)


def _halves(key: BlockKey) -> tuple[bytes, bytes]:
    return key.value[:8], key.value[8:]


@pytest.mark.parametrize("version", [KeyBlockVersion.B, KeyBlockVersion.D])
def test_keys_are_exchanged(rig: Rig, version: KeyBlockVersion) -> None:
    under = f"zone_master/{'AES' if version is KeyBlockVersion.D else 'TDES'}/1@bank"
    block = rig.service.wrap_key(key=ZPK, under=under, version=version)
    header, value = psec.tr31.unwrap(KEYS[under][0], block)
    assert value == KEY
    assert (header.key_usage, header.mode_of_use, header.exportability) == ("P0", "B", "E")
    check = rig.service.unwrap_key(block, under=under, name="zone_pin/TDES/9@bank")
    assert check == "08d7b4"  # E(K, 0) as openssl des-ede-ecb gives it
    how: dict[str, Any] = {"source_format": PinFormat.ISO_0, "target_format": PinFormat.ISO_3, "pan": PAN}
    out = rig.service.translate_pin(blocked(), source="zone_pin/TDES/9@bank", target=ZPK2, **how)
    assert decipher_pin(zone(ZPK2), out, PAN) == PIN
    rig.service.drop_key(name="zone_pin/TDES/9@bank")
    with pytest.raises(Refused, match="no such key"):
        rig.service.translate_pin(blocked(), source="zone_pin/TDES/9@bank", target=ZPK2, **how)


def blocked() -> bytes:
    return block(ZPK)


def test_working_keys_are_drawn(rig: Rig) -> None:
    under = "zone_master/AES/1@bank"
    for name, usage, size in (
        ("zone_pin/AES/7@bank", "P0", 16), ("zone_mac/TDES/7@bank", "M3", 16), ("zone_data/AES/7@bank", "D0", 32),
        ("pin_verify/TDES/7@bank", "V2", 16), ("cryptogram/TDES/7@bank", "E0", 16),
        ("terminal_master/AES/7@t1", "K0", 16), ("base_derivation/AES/7", "B0", 16),
    ):  # fmt: skip
        check = rig.service.draw_key(name=name, size=size)
        header, value = psec.tr31.unwrap(KEYS[under][0], rig.service.wrap_key(key=name, under=under))
        assert (header.key_usage, len(value)) == (usage, size)
        cipher = BlockCipher(name.split("/")[1])
        made = BlockKey(cipher=cipher, value=value)
        assert (
            check == (made.cmac(bytes(16)) if cipher is BlockCipher.AES else made.encrypt(bytes(8)))[:3].hex()
        )


@pytest.mark.parametrize("purpose", [Purpose.CRYPTOGRAM, Purpose.SCRIPT_MAC])
def test_bank_card_keys_leave_in_bulk_under_the_bureaus_key(rig: Rig, purpose: Purpose) -> None:
    numbers = [f"622588{number:010}" for number in range(300)]
    factors = np.frombuffer(b"".join(emv.card_block(pan, "01") for pan in numbers), np.uint8).reshape(-1, 8)
    made = rig.service.order_card_keys(
        purpose=purpose, algorithm=Algorithm.TDES, version=1, factors8=factors, bureau="bureau"
    )
    order = json.loads(made)
    head = json.dumps({name: value for name, value in order.items() if name != "keys"}, sort_keys=True)
    blob = bytes.fromhex(order["keys"])
    plain = AESGCM(OTHER + KEY).decrypt(blob[4:16], blob[16:], b"JKS1" + head.encode())
    root = KEYS[f"{purpose.value}/TDES/1"][0]
    for at in (0, 17, 299):
        wanted = pyemv.kd.derive_icc_mk_a(root, numbers[at], "01")
        assert _plain(plain[16 * at : 16 * at + 16]) == _plain(wanted)
    with pytest.raises(Refused, match="simulated"):
        rig.service.open_card_keys(made, factors8=factors)


def _plain(key: bytes) -> bytes:
    """A DES key without its parity bits, which pyemv sets."""
    return bytes(byte & 0xFE for byte in key)


def test_every_verb_is_in_the_port_and_the_other_way_round() -> None:
    """With the same parameters: who writes against the port finds them in process and over the socket."""
    offered = {name for name in dir(PaymentService) if not name.startswith("_")}
    purse = {name for name in dir(KeyService) if not name.startswith("_")}
    production = {"write_sam_key", "sam_transport_key", "order_card_keys", "open_card_keys"}
    assert offered == VERBS - purse - production - {"enrol_job", "end_job", "job_terms", "order_job_keys"}
    for name in offered:
        port, made = (inspect.signature(getattr(kind, name)) for kind in (PaymentService, LocalKeyService))
        assert list(port.parameters) == list(made.parameters), name
