"""SM2, hostile first: what is no key, no point, no signature or no ciphertext is refused, and nothing leaks in a repr.

Method: values are broken bit by bit and at the edges of their ranges; good ones come back for keys from many seeds.
"""

from __future__ import annotations

import pytest

from jinka.crypto import sm2_curve as curve
from jinka.crypto.sm2 import (
    PLAIN_MAX,
    Sm2PrivateKey,
    Sm2PublicKey,
    ciphertext_der,
    ciphertext_raw,
    signature_der,
    signature_raw,
)
from jinka.crypto.sm2_exchange import agree
from jinka.kit import JinkaError, Refused, Usage
from tests.crypto.sm2_rig import Draws, Seeded

KEY = Sm2PrivateKey.generate(Seeded(1))
PUBLIC = KEY.public_key()
MESSAGE = b"pay 2.70 yuan"
SIGNATURE = KEY.sign(MESSAGE, Seeded(2))
CIPHER = PUBLIC.encrypt(MESSAGE, Seeded(3))


def _number(value: int) -> bytes:
    return value.to_bytes(32, "big")


def test_a_point_off_the_curve_is_no_key() -> None:
    with pytest.raises(Refused, match="not a point"):
        Sm2PublicKey(x=PUBLIC.x, y=PUBLIC.y ^ 1)
    with pytest.raises(Refused, match="not a point"):  # the same point, not reduced
        Sm2PublicKey(x=PUBLIC.x + curve.P, y=PUBLIC.y)
    with pytest.raises(Refused, match="not a point"):
        Sm2PublicKey(x=0, y=0)


@pytest.mark.parametrize(
    "point", [b"", b"\x00", b"\x02" + bytes(32), b"\x04" + bytes(63), b"\x06" + bytes(64)]
)
def test_only_whole_points_are_read(point: bytes) -> None:
    with pytest.raises(Refused, match="uncompressed"):
        Sm2PublicKey.from_point(point)


@pytest.mark.parametrize("secret", [0, curve.N - 1, curve.N, curve.N + 1, -1])
def test_a_private_key_is_in_range(secret: int) -> None:
    """n-1 would make 1 + d zero modulo n, and every signature would divide by it."""
    with pytest.raises(Refused, match="range"):
        Sm2PrivateKey(secret=secret)


def test_a_private_key_does_not_show_itself() -> None:
    assert str(KEY.secret) not in f"{KEY!r} {KEY}"
    assert KEY.to_bytes().hex() not in f"{KEY!r} {KEY}"
    assert Sm2PrivateKey.from_bytes(KEY.to_bytes()) == KEY


def test_every_flipped_bit_of_a_signature_is_seen() -> None:
    PUBLIC.verify(MESSAGE, SIGNATURE)
    for bit in range(0, 512, 37):
        wrong = (int.from_bytes(SIGNATURE, "big") ^ 1 << bit).to_bytes(64, "big")
        with pytest.raises(Refused):
            PUBLIC.verify(MESSAGE, wrong)


def test_another_message_id_or_key_is_seen() -> None:
    with pytest.raises(Refused):
        PUBLIC.verify(MESSAGE + b"0", SIGNATURE)
    with pytest.raises(Refused):
        PUBLIC.verify(MESSAGE, SIGNATURE, user_id=b"another")
    with pytest.raises(Refused):
        Sm2PrivateKey.generate(Seeded(9)).public_key().verify(MESSAGE, SIGNATURE)


@pytest.mark.parametrize(
    ("r", "s"),
    [
        (0, 1),
        (1, 0),
        (curve.N, 1),
        (1, curve.N),
        (1, curve.N - 1),
        (curve.N - 1, 1),
        (2**256 - 1, 2**256 - 1),
    ],
)
def test_numbers_out_of_range_are_no_signature(r: int, s: int) -> None:
    """The last but two make r + s zero modulo n, where the public key would drop out of the check."""
    with pytest.raises(Refused, match="wrong"):
        PUBLIC.verify(MESSAGE, _number(r) + _number(s))


def test_a_signature_has_one_length_and_one_encoding() -> None:
    der = signature_der(SIGNATURE)
    assert signature_raw(der) == SIGNATURE
    for wrong in (SIGNATURE[:-1], SIGNATURE + b"\0", b"", der):
        with pytest.raises(Refused):
            PUBLIC.verify(MESSAGE, wrong)
    long_form = b"\x30\x81" + der[1:]
    padded = b"\x30" + bytes((der[1] + 1,)) + b"\x02" + bytes((der[3] + 1,)) + b"\x00" + der[4:]
    negative = bytes.fromhex("3006020180020101")
    for wrong in (long_form, padded, negative, der + b"\x00", der[:-1], b"", b"\x30\x00", b"\x31" + der[1:]):
        with pytest.raises(Refused):
            signature_raw(wrong)


@pytest.mark.parametrize("size", [1, 31, 32, 33, 1000])
def test_what_was_encrypted_is_decrypted(size: int) -> None:
    plain = Seeded(size).token_bytes(size)
    assert KEY.decrypt(PUBLIC.encrypt(plain, Seeded(4))) == plain


def test_every_byte_of_a_ciphertext_counts() -> None:
    for at in range(len(CIPHER)):
        wrong = bytearray(CIPHER)
        wrong[at] ^= 0x40
        with pytest.raises(Refused):
            KEY.decrypt(bytes(wrong))
    with pytest.raises(Refused, match="does not open"):
        Sm2PrivateKey.generate(Seeded(9)).decrypt(CIPHER)


@pytest.mark.parametrize("cipher", [b"", CIPHER[:97], CIPHER[:-1], CIPHER + b"\0", b"\x04" + bytes(200)])
def test_pieces_are_no_ciphertext(cipher: bytes) -> None:
    with pytest.raises(Refused):
        KEY.decrypt(cipher)


def test_the_old_order_of_a_ciphertext_is_refused() -> None:
    """C1 | C2 | C3 was in use before the standard; guessing between the two would be an oracle."""
    with pytest.raises(Refused, match="does not open"):
        KEY.decrypt(CIPHER[:65] + CIPHER[97:] + CIPHER[65:97])


def test_a_ciphertext_has_one_encoding() -> None:
    der = ciphertext_der(CIPHER)
    assert ciphertext_raw(der) == CIPHER
    for wrong in (
        der + b"\0",
        der[:-1],
        b"",
        signature_der(SIGNATURE),
        der.replace(b"\x04\x20", b"\x04\x1f", 1),
    ):
        with pytest.raises(Refused):
            ciphertext_raw(wrong)


@pytest.mark.parametrize("size", [0, PLAIN_MAX + 1])
def test_there_is_a_limit_to_what_is_encrypted(size: int) -> None:
    with pytest.raises(Usage):
        PUBLIC.encrypt(bytes(size), Seeded(1))


def test_broken_randomness_is_reported_and_not_looped_on() -> None:
    class Zeros:
        def token_bytes(self, count: int) -> bytes:
            return bytes(count)

    for draw in (lambda: KEY.sign(MESSAGE, Zeros()), lambda: Sm2PrivateKey.generate(Zeros())):
        with pytest.raises(JinkaError, match="randomness"):
            draw()


def test_numbers_out_of_range_are_drawn_again() -> None:
    key = Sm2PrivateKey.generate(Draws(_number(curve.N), bytes(32), _number(curve.N - 1), _number(5)))
    assert key.secret == 5


def test_a_public_key_of_the_other_side_that_was_changed_does_not_agree() -> None:
    a, b, ea, eb, other = (Sm2PrivateKey.generate(Seeded(n)) for n in range(5))
    at_a = agree(a, ea, b.public_key(), eb.public_key(), initiator=True, size=16)
    at_b = agree(b, eb, a.public_key(), other.public_key(), initiator=False, size=16)
    with pytest.raises(Refused, match="another key"):
        at_a.check(at_b.confirm_out)
    with pytest.raises(Refused, match="another key"):  # its own confirmation, sent back
        at_a.check(at_a.confirm_out)
    renamed = agree(b, eb, a.public_key(), ea.public_key(), initiator=False, size=16, peer_id=b"someone else")
    with pytest.raises(Refused, match="another key"):
        at_a.check(renamed.confirm_out)


def test_sums_with_points_at_infinity() -> None:
    negative = (curve.G[0], curve.P - curve.G[1])
    assert curve.add(curve.G, negative) is None
    assert curve.add(curve.G, curve.G) == curve.multiply_base(2)
    assert curve.multiply_sum(1, 1, negative) is None
    assert curve.multiply_sum(0, 3, curve.G) == curve.multiply_base(3)
    assert curve.multiply_sum(3, 0, curve.G) == curve.multiply_base(3)
