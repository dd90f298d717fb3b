"""PSAM: levels, versions, counters, and the lock after wrong MAC2."""

from __future__ import annotations

import pytest

from jinka.card import Psam, SamKey
from jinka.card.access import message_mac4
from jinka.codec import Algorithm, StatusWord
from jinka.crypto import diversify, mac4, purchase_session
from jinka.crypto.block import pad80, sm4_encrypt, tdes_encrypt
from tests.card.rig import OK, Scripted, module, select

KEY = bytes(range(16))
CARD, CITY = bytes.fromhex("5180000000012345"), bytes.fromhex("4403FF0000000000")
TERMINAL = bytes.fromhex("440300000001")


def opened(*keys: SamKey, randomness: Scripted | None = None) -> Psam:
    psam = module(list(keys) or [_key()], transport_key=KEY, randomness=randomness)
    select(psam, "DF01")
    return psam


def _key(version: int = 1, algorithm: Algorithm = Algorithm.TDES, level: int = 2, key: bytes = KEY) -> SamKey:
    return SamKey(version=version, algorithm=algorithm, level=level, key=key)


def ask(psam: Psam, *factors: bytes, version: int = 1, label: int = 0, type_: int = 9) -> bytes:
    data = bytes.fromhex("A1A2A3A4 0007 000000C8") + bytes((type_,)) + bytes.fromhex("20180901083000")
    data += bytes((version, label)) + b"".join(factors)
    return psam.transmit(b"\x80\x70\x00\x00" + bytes((len(data),)) + data + b"\x08")


def session(algorithm: Algorithm, root: bytes, serial: bytes) -> bytes:
    key = diversify(algorithm, diversify(algorithm, root, CITY), CARD)
    return purchase_session(algorithm, key, bytes.fromhex("A1A2A3A4"), 7, serial)


@pytest.mark.parametrize(
    ("algorithm", "label"), [(Algorithm.TDES, 0), (Algorithm.TDES, 1), (Algorithm.SM4, 4)]
)
def test_mac1_comes_from_the_national_key_by_city_then_card(algorithm: Algorithm, label: int) -> None:
    psam = opened(_key(algorithm=algorithm))
    answer = ask(psam, CARD, CITY, label=label)
    serial = bytes.fromhex("00000001")
    bound = bytes.fromhex("000000C8 09") + TERMINAL + bytes.fromhex("20180901083000")
    assert answer == serial + mac4(algorithm, session(algorithm, KEY, serial), bound) + OK
    mac2 = mac4(algorithm, session(algorithm, KEY, serial), bytes.fromhex("000000C8"))
    assert psam.transmit(bytes.fromhex("8072000004") + mac2) == OK
    assert psam.transmit(bytes.fromhex("8072000004") + mac2) == bytes.fromhex("6901"), (
        "one answer for one question"
    )


def test_every_version_in_both_algorithms_is_its_own_key() -> None:
    keys = [_key(v, a, 2, bytes((v, a)) * 8) for v in (1, 2, 3) for a in Algorithm]
    psam = opened(*keys)
    answers = {ask(psam, CARD, CITY, version=v, label=label)[4:] for v in (1, 2, 3) for label in (0, 4)}
    assert len(answers) == 6
    assert ask(psam, CARD, CITY, version=4) == bytes.fromhex("9403")


@pytest.mark.parametrize(
    ("factors", "more", "sw"),
    [
        ((CARD,), {}, StatusWord.DATA_WRONG),  # a level short
        ((CARD, CITY, CITY), {}, StatusWord.DATA_WRONG),  # a level too many
        ((), {}, StatusWord.WRONG_LENGTH),
        ((CARD, CITY[:7]), {}, StatusWord.WRONG_LENGTH),
        ((CARD, CITY), {"version": 9}, StatusWord.KEY_NOT_FOUND),
        ((CARD, CITY), {"label": 4}, StatusWord.KEY_NOT_FOUND),
        ((CARD, CITY), {"label": 7}, StatusWord.KEY_NOT_FOUND),
        ((CARD, CITY), {"type_": 2}, StatusWord.DATA_WRONG),  # no MAC1 for a load
    ],
)
def test_refusals_use_no_serial(factors: tuple[bytes, ...], more: dict[str, int], sw: StatusWord) -> None:
    psam = opened()
    assert ask(psam, *factors, **more) == sw.to_bytes(2, "big")
    assert ask(psam, CARD, CITY)[:4] == bytes.fromhex("00000001")


def test_the_serial_counts_and_outlives_the_power() -> None:
    psam = opened()
    assert [ask(psam, CARD, CITY)[3] for _ in range(3)] == [1, 2, 3]
    again = Psam.from_bytes(psam.to_bytes(), Scripted())
    select(again, "DF01")
    assert ask(again, CARD, CITY)[:4] == bytes.fromhex("00000004")


def test_ten_wrong_mac2_in_a_row_lock_the_module_and_a_right_one_forgives() -> None:
    psam = opened()
    wrong = bytes.fromhex("8072000004") + bytes(4)
    for _ in range(9):
        ask(psam, CARD, CITY)
        assert psam.transmit(wrong) == bytes.fromhex("9302")
    serial = ask(psam, CARD, CITY)[:4]
    right = mac4(Algorithm.TDES, session(Algorithm.TDES, KEY, serial), bytes.fromhex("000000C8"))
    assert psam.transmit(wrong[:5] + right) == OK
    for _ in range(9):
        ask(psam, CARD, CITY)
        assert psam.transmit(wrong) == bytes.fromhex("9302")
    ask(psam, CARD, CITY)
    assert psam.transmit(wrong) == bytes.fromhex("9303")
    assert ask(psam, CARD, CITY) == bytes.fromhex("9303")
    again = Psam.from_bytes(psam.to_bytes(), Scripted())
    select(again, "DF01")
    assert ask(again, CARD, CITY) == bytes.fromhex("9303"), "the lock outlives the power"


def test_a_new_version_is_delivered_under_the_transport_key_only() -> None:
    plain = bytes.fromhex("42 02 00") + bytes(16)
    psam = opened(randomness=Scripted("00000001", "00000002"))
    assert psam.transmit(bytes.fromhex("80D4000013") + plain) == bytes.fromhex("6982"), "in clear no more"
    cipher = tdes_encrypt(KEY, pad80(b"\x13" + plain, 8))
    for challenge, spoil, answer in (("00000001", 1, "6988"), ("00000002", 0, "9000")):
        psam.transmit(bytes.fromhex("0084000004"))
        message = bytes.fromhex("84D400001C") + cipher
        mac = message_mac4(Algorithm.TDES, KEY, bytes.fromhex(challenge), message)
        assert psam.transmit(message + bytes((mac[0] ^ spoil,)) + mac[1:]) == bytes.fromhex(answer)
    assert len(ask(psam, CARD, CITY, version=2)) == 10
    assert psam.transmit(message + mac) == bytes.fromhex("6985"), "no challenge, no replay"


def test_no_key_of_the_module_can_be_read_or_used_to_cipher() -> None:
    psam = opened()
    for command in (
        "00B0800010",
        "00B2010410",
        "0088000008" + "00" * 8,
        "00D6800001" + "00",
        "00D6970004" + "00" * 4,
    ):
        assert psam.transmit(bytes.fromhex(command))[-2:] != OK, command
    assert KEY not in psam.transmit(bytes.fromhex("00A4000002DF01"))
    assert sm4_encrypt(KEY, bytes(16)) != KEY
