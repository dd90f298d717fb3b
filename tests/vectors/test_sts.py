"""STS tokens against the compliance vectors of the STS Association (STS 531-1: CTSA01, 03, 04, 05, 06, 12).

Source: github.com/NectarAPI/tokens-service, commit 609cea0, STSComplianceTests_STS_531_1_0_02_CTSA01.java. Goal: each
token to the last digit, each read back, and nothing else read. Method: vending key, meters and times as published.
"""

from __future__ import annotations

import datetime as dt

import pytest

from jinka.codec import sts as codec
from jinka.crypto import sts
from jinka.kit import Refused, Usage

VENDING = bytes.fromhex("ab" * 8)
METERS = {"A": "600727000000000009", "B": "000001000000000082"}
MARCH, APRIL = (2004, 3), (2004, 4)
TOKENS = (
    ("A", 0, 0, 1, (*MARCH, 1, 13, 55), "23716100501183194197"),
    ("B", 0, 0, 1, (*MARCH, 1, 14, 0), "67206107716095682372"),
    ("A", 0, 1, 1, (*MARCH, 1, 14, 5), "42502136492215507402"),
    ("B", 0, 1, 1, (*MARCH, 1, 14, 10), "09109691696351271646"),
    ("A", 0, 2, 1, (*MARCH, 1, 14, 15), "67586531586639825066"),
    ("B", 0, 2, 1, (*MARCH, 1, 14, 20), "35758660990071466853"),
    ("A", 2, 0, 1000, (*MARCH, 28, 9, 1), "50901894209860263092"),
    ("A", 2, 5, 0, (*MARCH, 28, 10, 0), "37037300014464855694"),
    ("A", 2, 0, 256, (*APRIL, 1, 7, 0), "41932934023937597177"),
    ("A", 2, 0, 16383, (*APRIL, 1, 7, 5), "39962525051716972228"),
    ("A", 2, 0, 16384, (*APRIL, 1, 7, 10), "49726922948713857933"),
    ("A", 2, 0, 20000, (*APRIL, 1, 7, 15), "49240429350369491663"),
    ("A", 2, 0, 180223, (*APRIL, 1, 7, 20), "59901462710025767433"),
    ("A", 2, 0, 180224, (*APRIL, 1, 7, 25), "19230023168014606006"),
    ("A", 2, 0, 1818623, (*APRIL, 1, 7, 30), "15202793104399278539"),
    ("A", 2, 0, 1818624, (*APRIL, 1, 7, 35), "39289527337368539951"),
    ("A", 2, 0, 18201624, (*APRIL, 1, 7, 40), "64902502692705103624"),
)


def key_of(meter: str, tariff: int = 1) -> bytes:
    return sts.decoder_key(VENDING, METERS[meter], key_type=2, group="123456", tariff=tariff, revision=1)


def token(key: bytes, block: codec.DataBlock) -> str:
    return sealed(key, block.token_class, block.body())


def sealed(key: bytes, token_class: int, body: int) -> str:
    return codec.token_digits(token_class, sts.encipher(key, codec.block_of(token_class, body)))


def block(token_class: int, subclass: int, amount: int, at: dt.datetime, rnd: int = 5) -> codec.DataBlock:
    return codec.DataBlock(
        token_class=token_class, subclass=subclass, rnd=rnd, tid=codec.identifier(at), amount=amount
    )


def test_decoder_key_of_a_published_meter() -> None:
    assert key_of("A").hex() == "6ff35b9d1f3453e6"


@pytest.mark.parametrize(("meter", "token_class", "subclass", "amount", "at", "digits"), TOKENS)
def test_published_tokens_to_the_last_digit_and_back(
    meter: str, token_class: int, subclass: int, amount: int, at: tuple[int, ...], digits: str
) -> None:
    said = block(token_class, subclass, codec.encode_amount(amount), dt.datetime(*at))
    key = key_of(meter)
    assert token(key, said) == digits
    found_class, enciphered = codec.read_digits(digits)
    body = codec.body_of(found_class, sts.decipher(key, enciphered))
    assert codec.data_block(found_class, body) == said
    with pytest.raises(Refused, match="check"):
        codec.body_of(found_class, sts.decipher(key_of("B" if meter == "A" else "A"), enciphered))


@pytest.mark.parametrize(
    ("meter", "minute", "digits"), [("A", 15, "29511990995826640868"), ("B", 20, "69986678528351463847")]
)
def test_clear_credit_carries_all_ones(meter: str, minute: int, digits: str) -> None:
    assert token(key_of(meter), block(2, 1, 0xFFFF, dt.datetime(2004, 3, 28, 9, minute))) == digits


def test_a_token_under_a_given_key() -> None:
    said = block(0, 0, 256, dt.datetime(1996, 3, 25, 13, 55), rnd=11)
    assert token(bytes.fromhex("896745f3de12bc0a"), said) == "29054347139309851356"


@pytest.mark.parametrize(
    ("meter", "old", "new", "digits"),
    [
        ("A", 1, 2, ("51638423060042734509", "15361891762113502242")),
        ("A", 2, 1, ("26553210520543055412", "00943705441908264439")),
        ("B", 1, 2, ("36495265416911568628", "35908059266238070883")),
    ],
)
def test_key_change_tokens(meter: str, old: int, new: int, digits: tuple[str, str]) -> None:
    bodies = codec.key_change_bodies(key_of(meter, new), tariff=new)
    assert tuple(sealed(key_of(meter, old), 2, body) for body in bodies) == digits
    assert codec.changed_key(*bodies) == (key_of(meter, new), new, 0xFF)


def test_a_changed_digit_is_refused_and_so_is_what_is_no_token() -> None:
    digits, key = TOKENS[0][-1], key_of("A")
    for at in range(20):
        wrong = digits[:at] + str((int(digits[at]) + 1) % 10) + digits[at + 1 :]
        with pytest.raises(Refused):
            found_class, enciphered = codec.read_digits(wrong)
            codec.body_of(found_class, sts.decipher(key, enciphered))
    for text in ("", "1" * 19, "1" * 21, "99999999999999999999", "２" * 20, "1" * 19 + "x"):
        with pytest.raises(Refused):
            codec.read_digits(text)


def test_amounts_are_rounded_up_and_end_somewhere() -> None:
    for value in (0, 1, 16_383, 16_384, 16_385, 180_224, 180_225, 18_201_624):
        read = codec.decode_amount(codec.encode_amount(value))
        assert 0 <= read - value < 1000
    for value in (-1, 18_201_625):
        with pytest.raises(Usage):
            codec.encode_amount(value)
