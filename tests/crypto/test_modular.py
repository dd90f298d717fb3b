"""Secret powers and the RSA keys on them: the same numbers by both ways, and no wrong signature is given out.

Goal: what libcrypto computes is what Python computes, and numbers that are no key are refused. Method: Hypothesis
against ``pow``; keys with primes that are none.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.crypto import modular
from jinka.crypto.emv_oda import PrivateKey
from jinka.crypto.modular import secret_power
from jinka.kit import Usage
from tests.card.emv_rig import ICC, ICC_1984

numbers = st.integers(0, 2**600)


@settings(max_examples=200)
@given(numbers, numbers, st.integers(1, 2**600))
def test_libcrypto_and_python_agree(base: int, exponent: int, modulus: int) -> None:
    assert secret_power(base, exponent, modulus) == pow(base, exponent, modulus)


def test_without_libcrypto_the_signature_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    block = b"\x00" + bytes(range(247))
    signed = ICC_1984.sign(block)
    monkeypatch.setattr(modular, "_library", lambda: None)
    assert ICC_1984.sign(block) == signed
    assert ICC_1984.public.open(signed) == block


@pytest.mark.parametrize(
    ("p", "q", "exponent"),
    [
        (0, 0, 0),
        (0, ICC.q, 3),
        (ICC.p, 1, 3),
        (ICC.p, ICC.p, 3),
        (ICC.p + 1, ICC.q, 3),
        (7, ICC.q, 3),
        (11, 17, 0),
    ],
    ids=["nothing", "no p", "one", "twice the same", "even", "no inverse", "no exponent"],
)
def test_numbers_that_are_no_key(p: int, q: int, exponent: int) -> None:
    with pytest.raises(Usage):
        PrivateKey.from_primes(p, q, exponent)


def test_a_factor_that_is_no_prime_gives_no_signature() -> None:
    wrong = PrivateKey.from_primes(ICC.p * 7, ICC.q, 3)
    with pytest.raises(Usage, match="does not verify"):
        wrong.sign(b"\x00" + bytes(range(wrong.public.size - 1)))
    assert str(ICC.p) not in repr(ICC)
