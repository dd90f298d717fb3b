"""SM2 against the examples of its standard: signature, encryption and key agreement on sm2p256v1, and SM3.

Goal: every intermediate value that the standard prints comes out. Method: the nonces of the examples are fed as
randomness. Source: GM/T 0003.5-2012, annexes A (signature), B (key agreement), C (encryption); GM/T 0004-2012, annex A.
"""

from __future__ import annotations

from jinka.crypto import sm2_curve as curve
from jinka.crypto.sm2 import Sm2PrivateKey, Sm2PublicKey, ciphertext_der, ciphertext_raw
from jinka.crypto.sm2_curve import sm3
from jinka.crypto.sm2_exchange import agree
from tests.crypto.sm2_rig import Draws

KEY = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"
POINT = (
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
NONCE = "59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21"
Z = "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
E = "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
SIGNATURE = (
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
C1 = (
    "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
)
C3 = "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
C2 = "21886ca989ca9c7d58087307ca93092d651efa"

A_KEY = "81eb26e941bb5af16df116495f90695272ae2cd63d6c4ae1678418be48230029"
A_POINT = (
    "04160e12897df4edb61dd812feb96748fbd3ccf4ffe26aa6f6db9540af49c94232"
    "4a7dad08bb9a459531694beb20aa489d6649975e1bfcf8c4741b78b4b223007f"
)
A_EPHEMERAL = "d4de15474db74d06491c440d305e012400990f3e390c7e87153c12db2ea60bb3"
B_KEY = "785129917d45a9ea5437a59356b82338eaadda6ceb199088f14ae10defa229b5"
B_POINT = (
    "046ae848c57c53c7b1b5fa99eb2286af078ba64c64591b8b566f7357d576f16dfb"
    "ee489d771621a27b36c5c7992062e9cd09a9264386f3fbea54dff69305621c4d"
)
B_EPHEMERAL = "7e07124814b309489125eaed101113164ebf0f3458c5bd88335c1f9d596243d6"
Z_A = "3b85a57179e11e7e513aa622991f2ca74d1807a0bd4d4b38f90987a17ac245b1"
Z_B = "79c988d63229d97ef19fe02ca1056e01e6a7411ed24694aa8f834f4a4ab022f7"
SHARED = "6c89347354de2484c60b4ab1fde4c6e5"
BY_RESPONDER = "d3a0fe15dee185ceae907a6b595cc32a266ed7b3367e9983a896dc32fa20f8eb"
BY_INITIATOR = "18c7894b3816df16cf07b05c5ec0bef5d655d58f779cc1b400a4f3884644db88"


def _key(text: str) -> Sm2PrivateKey:
    return Sm2PrivateKey.from_bytes(bytes.fromhex(text))


def _point(text: str) -> Sm2PublicKey:
    return Sm2PublicKey.from_point(bytes.fromhex(text))


def test_sm3() -> None:
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_the_base_point_has_the_order_of_the_group() -> None:
    assert curve.multiply_base(curve.N) is None
    assert curve.multiply(curve.N - 1, curve.G) == (curve.G[0], curve.P - curve.G[1])


def test_signature() -> None:
    key, message = _key(KEY), b"message digest"
    public = key.public_key()
    assert public.to_point().hex() == POINT
    assert public.identity_digest().hex() == Z
    assert public.message_digest(message).hex() == E
    assert key.sign(message, Draws(bytes.fromhex(NONCE))).hex() == SIGNATURE
    public.verify(message, bytes.fromhex(SIGNATURE))


def test_encryption() -> None:
    key, plain = _key(KEY), b"encryption standard"
    cipher = key.public_key().encrypt(plain, Draws(bytes.fromhex(NONCE)))
    assert cipher.hex() == C1 + C3 + C2
    assert key.decrypt(cipher) == plain
    assert ciphertext_raw(ciphertext_der(cipher)) == cipher


def test_key_agreement() -> None:
    a, b, a_ephemeral, b_ephemeral = map(_key, (A_KEY, B_KEY, A_EPHEMERAL, B_EPHEMERAL))
    assert a.public_key() == _point(A_POINT)
    assert b.public_key() == _point(B_POINT)
    assert a.public_key().identity_digest().hex() == Z_A
    assert b.public_key().identity_digest().hex() == Z_B
    at_a = agree(a, a_ephemeral, b.public_key(), b_ephemeral.public_key(), initiator=True, size=16)
    at_b = agree(b, b_ephemeral, a.public_key(), a_ephemeral.public_key(), initiator=False, size=16)
    assert at_a.key.hex() == at_b.key.hex() == SHARED
    assert at_a.confirm_in.hex() == at_b.confirm_out.hex() == BY_RESPONDER
    assert at_a.confirm_out.hex() == at_b.confirm_in.hex() == BY_INITIATOR
    at_a.check(at_b.confirm_out)
    at_b.check(at_a.confirm_out)
