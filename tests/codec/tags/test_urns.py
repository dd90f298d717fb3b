"""The quick road from bits to a URN gives what the road by the parts gives. Method: both, on random identities of every
scheme, on each with one bit turned, and on random bits; what the one refuses, the other does with the same words."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from jinka.codec.tags import SCHEMES, Scheme, decode, decode_tag_urn, decode_urn, encode, make_tag, parse_urn
from jinka.kit import JinkaError
from tests.codec.tags.random_epcs import random_epc

CLASSIC = [scheme for scheme in SCHEMES if not scheme.is_plus]


def answer(call: Callable[[bytes], str], raw: bytes) -> str:
    try:
        return call(raw)
    except JinkaError as error:
        return f"{type(error).__name__} {error} {error.where}"


def check(raw: bytes) -> bool:
    """Both roads, one answer; whether it is a URN, and then one that can be read."""
    urn = answer(decode_urn, raw)
    assert urn == answer(lambda raw: decode(raw).epc_urn, raw), raw.hex()
    assert answer(decode_tag_urn, raw) == answer(lambda raw: decode(raw).urn, raw), raw.hex()
    if not urn.startswith("urn:"):
        return False
    assert parse_urn(urn).urn == urn, raw.hex()
    return True


@pytest.mark.parametrize("scheme", CLASSIC, ids=lambda scheme: scheme.name)
def test_every_scheme(scheme: Scheme) -> None:
    rng = random.Random(scheme.name + " urns")
    turned = 0
    for _ in range(60):
        epc = random_epc(scheme, rng)
        raw = encode(make_tag(scheme, epc, rng.randrange(1 << scheme.filter_bits)))
        assert decode_urn(raw) == epc.urn
        assert check(raw)
        size = 8 * len(raw)
        for at in {*rng.sample(range(8, size), 6), size - 1, size - 8}:
            turned += check((int.from_bytes(raw) ^ 1 << (size - 1 - at)).to_bytes(len(raw)))
        assert check(raw + b"\0\0")
        assert not check(raw + b"\0\1")
        assert not check(raw[:-2])
    assert turned


def test_every_character_in_every_place_of_a_text() -> None:
    for header, start, bits in ((0x36, 58, 208), (0x38, 14 + 30, 208)):
        for place in range(20):
            for code in range(128):
                value = header << (bits - 8) | 5 << (bits - 14)
                for at in range(place):
                    value |= 0x41 << (bits - start - 7 * at - 7)
                value |= code << (bits - start - 7 * place - 7)
                check(value.to_bytes(bits // 8))


def test_random_bits_and_no_bits() -> None:
    rng = random.Random(96)
    good = 0
    for _ in range(3000):
        raw = bytes([rng.choice(CLASSIC).header]) + rng.randbytes(rng.choice((11, 13, 21, 25, 27)))
        good += check(raw)
        check(rng.randbytes(rng.randint(0, 30)))
    assert good
    for raw in (b"", b"\x30", bytes(12), bytes(63), b"\xff" * 12):
        assert not check(raw)
