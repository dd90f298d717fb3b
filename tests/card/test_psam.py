"""PSAM: levels, versions, counters, grey locks, delivered keys, and the power cut at every write."""

from __future__ import annotations

import pytest

from jinka.card import PowerCut, Psam, SamKey, authenticate, file_access, issuing
from jinka.card.access import message_mac4
from jinka.card.psam_grey import SLOTS
from jinka.card.psam_keys import CIPHER_TYPE, GREY_TYPE
from jinka.codec import Algorithm, StatusWord
from jinka.crypto import diversify, grey_session, mac4, purchase_session
from jinka.crypto.block import pad80, retail_mac4, sm4_encrypt, tdes_encrypt
from tests.card.rig import OK, Scripted, module, select, watch

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


# The grey lock, delivery and the counters of keys.

GREY_KEY, CIPHER_KEY = bytes(range(16, 32)), bytes(range(32, 48))
MOMENT = bytes.fromhex("20180901083000")
RAND = bytes.fromhex("A1A2A3A4")


def fuelled(
    *, algorithm: Algorithm = Algorithm.TDES, level: int = 2, randomness: Scripted | None = None
) -> Psam:
    return opened(
        _key(),
        SamKey(version=1, algorithm=algorithm, level=level, key=GREY_KEY, type=GREY_TYPE),
        SamKey(version=3, algorithm=algorithm, level=level, key=CIPHER_KEY, type=CIPHER_TYPE),
        randomness=randomness,
    )


def grey(psam: Psam, *factors: bytes, counter: int = 7, label: int = 0, balance: int = 5000) -> bytes:
    data = (
        RAND + counter.to_bytes(2, "big") + balance.to_bytes(4, "big") + b"\x92" + MOMENT + bytes((1, label))
    )
    data += b"".join(factors or (CARD, CITY))
    return psam.transmit(b"\xe0\x40\x00\x00" + bytes((len(data),)) + data + b"\x0c")


def grey_key(algorithm: Algorithm, factors: tuple[bytes, ...]) -> bytes:
    key = GREY_KEY
    for factor in reversed(factors):
        key = diversify(algorithm, key, factor)
    return key


def session_of(answer: bytes, counter: int = 7, algorithm: Algorithm = Algorithm.TDES) -> bytes:
    key = grey_key(algorithm, (CARD, CITY))
    return grey_session(algorithm, key, RAND, counter, answer[:4], answer[4:8])


def certify(psam: Psam, answer: bytes, counter: int = 7, balance: int = 5000) -> bytes:
    bound = balance.to_bytes(4, "big") + counter.to_bytes(2, "big")
    mac2 = mac4(Algorithm.TDES, session_of(answer, counter), bound)
    return psam.transmit(bytes.fromhex("E042000004") + mac2)


def gmac(psam: Psam, amount: int, counter: int = 7, card: bytes = CARD) -> bytes:
    data = b"\x94" + card + counter.to_bytes(2, "big") + amount.to_bytes(4, "big")
    return psam.transmit(bytes.fromhex("E04400000F") + data + b"\x04")


@pytest.mark.parametrize(("algorithm", "label"), [(Algorithm.TDES, 0), (Algorithm.SM4, 4)])
def test_a_grey_lock_from_mac1_to_gmac(algorithm: Algorithm, label: int) -> None:
    psam = fuelled(algorithm=algorithm)
    answer = grey(psam, label=label)
    assert len(answer) == 14
    session = session_of(answer, algorithm=algorithm)
    assert answer[8:12] == mac4(algorithm, session, b"\x92" + TERMINAL + MOMENT)
    mac2 = mac4(algorithm, session, (5000).to_bytes(4, "big") + bytes.fromhex("0007"))
    assert psam.transmit(bytes.fromhex("E042000004") + mac2) == OK
    assert gmac(psam, 1234) == mac4(algorithm, session, (1234).to_bytes(4, "big")) + OK


@pytest.mark.parametrize("level", [1, 2, 3])
def test_keys_of_every_level(level: int) -> None:
    factors = (CARD, CITY, bytes(8))[:level]
    psam = opened(
        _key(level=level),
        SamKey(version=1, algorithm=Algorithm.TDES, level=level, key=GREY_KEY, type=GREY_TYPE),
    )
    key = KEY
    for factor in reversed(factors):
        key = diversify(Algorithm.TDES, key, factor)
    answer = ask(psam, *factors)
    bound = bytes.fromhex("000000C8 09") + TERMINAL + bytes.fromhex("20180901083000")
    wanted = mac4(Algorithm.TDES, purchase_session(Algorithm.TDES, key, RAND, 7, answer[:4]), bound)
    assert answer[4:8] == wanted
    answer = grey(psam, *factors)
    lock = grey_session(Algorithm.TDES, grey_key(Algorithm.TDES, factors), RAND, 7, answer[:4], answer[4:8])
    assert answer[8:12] == mac4(Algorithm.TDES, lock, b"\x92" + TERMINAL + MOMENT)
    for wrong in {1, 2, 3} - {level}:
        assert grey(psam, *(CARD, CITY, bytes(8))[:wrong]) == bytes.fromhex("6A80")


def test_no_gmac_without_a_certified_lock_nor_for_a_second_amount() -> None:
    psam = fuelled()
    assert gmac(psam, 1).hex() == "9406"
    answer = grey(psam)
    assert gmac(psam, 1).hex() == "9406", "the card has not shown that it is locked"
    assert certify(psam, answer) == OK
    assert gmac(psam, 5001).hex() == "9401"
    assert gmac(psam, 1, counter=8).hex() == "9406"
    assert gmac(psam, 1, card=bytes(8)).hex() == "9406"
    first = gmac(psam, 700)
    assert gmac(psam, 700) == first
    assert gmac(psam, 701).hex() == "6985"
    again = Psam.from_bytes(psam.to_bytes(), Scripted())
    select(again, "DF01")
    assert (gmac(again, 700), gmac(again, 701).hex()) == (first, "6985")


def test_a_lock_outlives_the_modules_power() -> None:
    psam = fuelled()
    answer = grey(psam)
    again = Psam.from_bytes(psam.to_bytes(), Scripted())
    select(again, "DF01")
    assert certify(again, answer) == OK
    assert certify(again, answer) == OK, "a pump that was not told asks again"
    assert len(gmac(again, 1)) == 6
    assert certify(again, answer).hex() == "6901"


def test_an_earlier_lock_is_certified_after_others_and_a_later_one_ends_it() -> None:
    psam = fuelled()
    first, second = grey(psam), grey(psam)
    assert certify(psam, first) == OK, "the pump had lost its power before the card's answer"
    assert gmac(psam, 700)[-2:] == OK
    assert certify(psam, second) == OK, "the issuer released the card: the same counter, another lock"
    assert gmac(psam, 800)[-2:] == OK
    assert gmac(psam, 700).hex() == "6985"


def test_wrong_mac2_of_a_lock_counts_like_that_of_a_purchase() -> None:
    psam = fuelled()
    wrong = bytes.fromhex("E042000004") + bytes(4)
    grey(psam)
    assert [psam.transmit(wrong).hex() for _ in range(11)] == ["9302"] * 9 + ["9303"] * 2
    assert grey(psam).hex() == "9303"
    assert ask(psam, CARD, CITY).hex() == "9303"


def test_unsettled_locks_are_never_overwritten() -> None:
    psam = fuelled()
    answers = {}
    for counter in range(SLOTS):
        answers[counter] = grey(psam, counter=counter)
        assert certify(psam, answers[counter], counter) == OK
    assert grey(psam, counter=99).hex() == "6a84"
    assert len(gmac(psam, 1, counter=3)) == 6
    assert len(grey(psam, counter=99)) == 14
    assert gmac(psam, 1, counter=3).hex() == "9406", "settled and overwritten"
    assert len(gmac(psam, 1, counter=4)) == 6


def test_delivered_keys_cipher_and_mac() -> None:
    psam = fuelled()
    data = bytes(range(32))
    assert psam.transmit(bytes.fromhex("80FA000010") + data[:16]).hex() == "6901"
    assert psam.transmit(bytes.fromhex("801A480310") + CARD + CITY) == OK
    key = diversify(Algorithm.TDES, diversify(Algorithm.TDES, CIPHER_KEY, CITY), CARD)
    assert psam.transmit(bytes.fromhex("80FA000010") + data[:16]) == tdes_encrypt(key, data[:16]) + OK
    padded = pad80(b"abcdefghijk", 8)
    answer = psam.transmit(bytes.fromhex("80FA050018") + data[:8] + padded)
    assert answer == retail_mac4(key, b"abcdefghijk", data[:8]) + OK
    assert psam.transmit(bytes.fromhex("80FA050008") + data[:8]).hex() == "6700"
    assert psam.transmit(bytes.fromhex("80FA000007") + data[:7]).hex() == "6700"
    assert psam.transmit(bytes.fromhex("80FA010008") + data[:8]).hex() == "6a86"
    select(psam, "3F00")
    select(psam, "DF01")
    assert psam.transmit(bytes.fromhex("80FA000010") + data[:16]).hex() == "6901", "gone with the folder"


@pytest.mark.parametrize(
    ("head", "sw"),
    [
        ("801A4201", "6982"),  # the purchase key ciphers nothing
        ("801A4D01", "6982"),  # nor does the key of the grey lock
        ("801A4809", "9403"),  # no such version
        ("801A2803", "6A80"),  # another level than two factors
    ],
)
def test_only_keys_for_ciphering_are_delivered(head: str, sw: str) -> None:
    psam = fuelled()
    assert psam.transmit(bytes.fromhex(head + "10") + CARD + CITY).hex().upper() == sw
    assert psam.transmit(bytes.fromhex("80FA000010") + bytes(16)).hex() == "6901"


def delivered(psam: Psam, spoil: int = 0) -> bytes:
    """WRITE KEY of version 9 under the transport key."""
    plain = bytes.fromhex("42 09 00") + KEY
    message = bytes.fromhex("84D400001C") + tdes_encrypt(KEY, pad80(b"\x13" + plain, 8))
    challenge = psam.transmit(bytes.fromhex("0084000004"))[:4]
    mac = message_mac4(Algorithm.TDES, KEY, challenge, message)
    return message + bytes((mac[0] ^ spoil,)) + mac[1:]


def purchased(psam: Psam, spoil: int = 0) -> bytes:
    answer = ask(psam, CARD, CITY)
    mac2 = mac4(Algorithm.TDES, session(Algorithm.TDES, KEY, answer[:4]), bytes.fromhex("000000C8"))
    return bytes.fromhex("8072000004") + bytes((mac2[0] ^ spoil,)) + mac2[1:]


def after_a_wrong_one(psam: Psam) -> bytes:
    psam.transmit(purchased(psam, 1))
    return purchased(psam)


def asked_for_gmac(psam: Psam) -> bytes:
    certify(psam, grey(psam))
    return bytes.fromhex("E04400000F 94") + CARD + bytes.fromhex("0007 00000001")


def certified(psam: Psam) -> bytes:
    answer = grey(psam)
    bound = (5000).to_bytes(4, "big") + bytes.fromhex("0007")
    return bytes.fromhex("E042000004") + mac4(Algorithm.TDES, session_of(answer), bound)


PSAM_WRITES = {
    (0x80, 0x70): [lambda p: bytes.fromhex("8070000024") + RAND + bytes.fromhex("0007 000000C8 09") + MOMENT
                   + bytes.fromhex("0100") + CARD + CITY],
    (0x80, 0x72): [lambda p: purchased(p, 1), after_a_wrong_one],
    (0x84, 0xD4): [delivered, lambda p: delivered(p, 1)],
    (0xE0, 0x40): [lambda p: bytes.fromhex("E040000024") + RAND + bytes.fromhex("0007 00001388 92") + MOMENT
                   + bytes.fromhex("0100") + CARD + CITY],
    (0xE0, 0x42): [certified, lambda p: certified(p)[:-1] + b"\x00"],
    (0xE0, 0x44): [asked_for_gmac],
}  # fmt: skip


@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn write"])
@pytest.mark.parametrize("name", PSAM_WRITES, ids=lambda name: f"{name[0]:02X}{name[1]:02X}")
def test_the_power_goes_at_every_write(name: tuple[int, int], torn: bool) -> None:
    for make in PSAM_WRITES[name]:
        whole = fuelled()
        command = make(whole)
        assert command[:2] == bytes(name)
        states = [bytes(whole.nvm.memory)]
        watch(whole, states)
        whole.nvm.cut_after(10_000)
        whole.transmit(command)
        count = whole.nvm.writes
        assert len(states) > 1, "a command that writes nothing does not belong here"
        for write in range(count):
            psam = fuelled()
            assert make(psam) == command
            psam.nvm.cut_after(write, torn=torn)
            with pytest.raises(PowerCut):
                psam.transmit(command)
            again = Psam.from_bytes(psam.to_bytes(), Scripted())
            assert bytes(again.nvm.memory) in states, write


def test_every_command_of_the_module_that_writes_is_cut() -> None:
    common = {**file_access.TABLE, **authenticate.TABLE, **issuing.TABLE}
    silent = {(0x80, 0x1A), (0x80, 0xFA)}
    own = {name for name in Psam.table if name not in common or Psam.table[name] is not common[name]}
    assert own - silent - {(0x80, 0xD4)} == set(PSAM_WRITES)
