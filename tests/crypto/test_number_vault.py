"""Card numbers at rest: what is kept shows no number, what is equal is found again, what was changed does not open."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from jinka.crypto.number_vault import NumberVault
from jinka.kit import Refused, Usage
from jinka.sim.randomness import SeededRandomness

KEY = bytes(range(64))
PAN = b"6225880123456782"


def vault(key: bytes = KEY) -> NumberVault:
    return NumberVault(key, SeededRandomness("vault"))


def test_a_number_is_found_by_a_keyed_hash() -> None:
    assert vault().digest(PAN) == hmac.new(KEY[32:], PAN, hashlib.sha256).digest()
    assert vault().digest(PAN) != vault(KEY[1:] + b"x").digest(PAN)


def test_a_number_opens_only_where_it_belongs() -> None:
    one, made = vault(), vault()
    sealed = made.seal(PAN, "card")
    assert PAN not in sealed
    assert sealed != made.seal(PAN, "card")
    assert one.unseal(sealed, "card") == PAN
    for blob, context in ((sealed, "load"), (sealed[:-1] + bytes((sealed[-1] ^ 1,)), "card"), (b"", "card")):
        with pytest.raises(Refused):
            one.unseal(blob, context)


def test_covered_ids_stay_equal_and_come_back() -> None:
    ids = [hashlib.sha256(bytes((n,))).digest()[:16] for n in (1, 2, 1)]
    covered = vault().cover(ids)
    assert covered[0] == covered[2] != covered[1]
    assert not set(covered) & set(ids)
    assert vault().uncover(covered) == ids
    assert vault().cover([]) == []
    key = hmac.new(KEY[32:], b"cover", hashlib.sha256).digest()
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    assert covered[1] == aes.update(ids[1])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(Usage):
        vault(KEY[1:])
    with pytest.raises(Usage):
        vault().cover([bytes(15)])
