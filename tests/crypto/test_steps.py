"""Scalar steps: published vectors, psec as a second opinion, and hostile input for shares and seals."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.codec import Algorithm
from jinka.crypto import (
    des_mac4,
    diversify,
    join_shares,
    load_session,
    purchase_session,
    seal,
    sm4_encrypt,
    split_secret,
    tac_key,
    unseal,
)
from jinka.crypto.block import check_value, pad80, retail_mac4, sm4_mac4, tdes_decrypt, tdes_encrypt
from jinka.kit import JinkaError, Refused, Usage

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/crypto.json").read_text())
K = bytes.fromhex("00112233445566778899AABBCCDDEEFF")


class Dice:
    """Seeded randomness."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = random.Random(seed)

    def token_bytes(self, count: int) -> bytes:
        return self.rng.randbytes(count)


@pytest.mark.parametrize("vector", VECTORS["sm4"], ids=lambda v: v["source"])
def test_sm4(vector: dict[str, str]) -> None:
    made = sm4_encrypt(bytes.fromhex(vector["key"]), bytes.fromhex(vector["plain"]))
    assert made == bytes.fromhex(vector["cipher"])


@pytest.mark.parametrize("vector", VECTORS["diversify"], ids=lambda v: v["source"])
def test_diversify(vector: dict[str, str]) -> None:
    key, factor = bytes.fromhex(vector["key"]), bytes.fromhex(vector["factor"])
    assert diversify(Algorithm[vector["algorithm"]], key, factor) == bytes.fromhex(vector["derived"])


@pytest.mark.parametrize("vector", VECTORS["tac"], ids=lambda v: v["source"])
def test_tac(vector: dict[str, str]) -> None:
    key = tac_key(Algorithm.TDES, K)
    assert key == bytes.fromhex(vector["tac_key"])
    assert des_mac4(key, bytes.fromhex(vector["data"] + vector["date_time"])) == bytes.fromhex(vector["tac"])


@pytest.mark.parametrize("vector", VECTORS["sm4_mac"], ids=lambda v: v["source"])
def test_sm4_mac(vector: dict[str, str]) -> None:
    made = sm4_mac4(bytes.fromhex(vector["key"]), bytes.fromhex(vector["data"]))
    assert made == bytes.fromhex(vector["mac"])


@pytest.mark.parametrize("vector", VECTORS["session"], ids=lambda v: v["source"])
def test_session(vector: dict[str, str]) -> None:
    key, rand = bytes.fromhex(vector["key"]), bytes.fromhex(vector["rand"])
    if vector["kind"] == "load":
        made = load_session(Algorithm.TDES, key, rand, int(vector["counter"]))
    else:
        serial = bytes.fromhex(vector["serial"])
        made = purchase_session(Algorithm.TDES, key, rand, int(vector["counter"]), serial)
    assert made == bytes.fromhex(vector["session"])


def test_secure_messaging_mac_of_a_real_card() -> None:
    """FMCOS WRITE KEY (fmcos-python record): cipher, then MAC with the challenge as initial value."""
    cipher = tdes_encrypt(K, bytes.fromhex("13220000") + K + bytes.fromhex("80000000"))
    assert cipher.hex() == "dcc0bb5793abfca2ca8c1624822f6e01a86a0b5cbed191dd"
    made = retail_mac4(K, bytes.fromhex("84D400001C") + cipher, bytes.fromhex("5D72B3FD00000000"))
    assert made.hex() == "8a9d4adb"


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(key=st.binary(min_size=16, max_size=16), data=st.binary(max_size=80))
def test_psec_agrees(key: bytes, data: bytes) -> None:
    import psec

    assert tdes_encrypt(key, pad80(data, 8)) == psec.des.encrypt_tdes_ecb(key, pad80(data, 8))
    assert des_mac4(key[:8], data) == psec.mac.generate_cbc_mac(key[:8], data, 2, 4)
    assert retail_mac4(key, data) == psec.mac.generate_retail_mac(key[:8], key[8:], data, 2, 4)
    assert tdes_decrypt(key, tdes_encrypt(key, pad80(data, 8))) == pad80(data, 8)


def test_check_values_differ_by_algorithm() -> None:
    assert check_value(Algorithm.TDES, bytes(16)).hex() == "8ca64d"  # the well-known value of an all-zero key
    assert check_value(Algorithm.SM4, bytes(16)) == sm4_encrypt(bytes(16), bytes(16))[:3]


@given(secret=st.binary(min_size=1, max_size=64), needed=st.integers(2, 4), more=st.integers(0, 3))
def test_any_enough_shares_give_the_secret(secret: bytes, needed: int, more: int) -> None:
    shares = split_secret(secret, needed=needed, made=needed + more, randomness=Dice())
    for chosen in itertools.combinations(shares, needed):
        assert join_shares(list(chosen), needed=needed) == secret
    with pytest.raises(Refused):
        join_shares(shares[: needed - 1], needed=needed)
    with pytest.raises(Refused):
        join_shares([shares[0]] * needed, needed=needed)


def test_one_share_says_nothing_of_the_secret() -> None:
    """Over all coefficients each value of one share byte occurs equally often, whatever the secret."""

    class Fixed:
        def __init__(self, value: int) -> None:
            self.value = value

        def token_bytes(self, count: int) -> bytes:
            return bytes([self.value]) * count

    for secret in (b"\x00", b"\xa5"):
        seen = [split_secret(secret, needed=2, made=2, randomness=Fixed(v))[1][1][0] for v in range(256)]
        assert sorted(seen) == list(range(256))


@pytest.mark.parametrize(
    "shares",
    [[], [(1, b"ab")], [(0, b"ab"), (1, b"ab")], [(1, b"ab"), (2, b"a")], [(1, b"ab"), (1, b"cd")]],
)
def test_unusable_shares_are_refused(shares: list[tuple[int, bytes]]) -> None:
    with pytest.raises(Refused):
        join_shares(shares, needed=2)


def test_senseless_splits_are_refused() -> None:
    for needed, made in ((1, 3), (3, 2), (2, 256), (0, 0)):
        with pytest.raises(Usage):
            split_secret(b"x", needed=needed, made=made, randomness=Dice())


def test_a_seal_opens_for_its_context_and_key_only() -> None:
    blob = seal(bytes(32), b"plain", context="card 1", nonce12=bytes(12))
    assert unseal(bytes(32), blob, context="card 1") == b"plain"
    hostile = [blob[:i] + bytes([blob[i] ^ 1]) + blob[i + 1 :] for i in range(len(blob))]
    hostile += [blob[:i] for i in range(len(blob))] + [blob + b"\x00", b"", b"JKS1"]
    for bad in hostile:
        with pytest.raises(JinkaError):
            unseal(bytes(32), bad, context="card 1")
    with pytest.raises(Refused):
        unseal(bytes(32), blob, context="card 2")
    with pytest.raises(Refused):
        unseal(b"\x01" + bytes(31), blob, context="card 1")
