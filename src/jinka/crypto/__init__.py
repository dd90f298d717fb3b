"""Primitives over `cryptography`, and bulk kernels over numba (`crypto.bulk`). The only importer of both.

Bytes in, bytes out; no key is stored here. Sources: JR/T 0025.1 (diversification, session keys, MACs),
ISO/IEC 9797-1, GM/T 0002 (SM4). Every algorithm passes a published vector in tests/vectors.
"""

from jinka.crypto.block import des_mac4, diversify, mac4, sm4_encrypt, tdes_encrypt
from jinka.crypto.purse import grey_session, load_session, purchase_session, tac_key
from jinka.crypto.seal import seal, unseal
from jinka.crypto.shamir import join_shares, split_secret

__all__ = [
    "des_mac4",
    "diversify",
    "grey_session",
    "join_shares",
    "load_session",
    "mac4",
    "purchase_session",
    "seal",
    "sm4_encrypt",
    "split_secret",
    "tac_key",
    "tdes_encrypt",
    "unseal",
]
