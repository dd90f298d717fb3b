"""Primitives over `cryptography`, and bulk kernels over numba (`crypto.bulk`). The only importer of both.

Bytes in, bytes out; no key is stored here. Sources: JR/T 0025.1 (diversification, session keys, MACs), ISO/IEC 9797-1,
GM/T 0002 (SM4); for payments ISO 9564-1 (PINs), ANSI X9.24 (DUKPT) and X9.143 (key blocks). Every algorithm passes a
published vector or agrees with an independent implementation in tests/vectors.
"""

from jinka.crypto import card_value, dukpt, dukpt_aes, key_block, pin_batch, pin_verify, unionpay_mac
from jinka.crypto.block import des_mac4, diversify, mac4, sm4_encrypt, tdes_encrypt
from jinka.crypto.purse import grey_session, load_session, purchase_session, tac_key
from jinka.crypto.seal import seal, unseal
from jinka.crypto.shamir import join_shares, split_secret
from jinka.crypto.sm2 import Sm2PrivateKey, Sm2PublicKey
from jinka.crypto.sm2_curve import sm3
from jinka.crypto.sm2_exchange import Agreement, agree
from jinka.crypto.sm2_libcrypto import Sm2Provider, choose_sm2

__all__ = [
    "Agreement",
    "Sm2PrivateKey",
    "Sm2Provider",
    "Sm2PublicKey",
    "agree",
    "card_value",
    "choose_sm2",
    "des_mac4",
    "diversify",
    "dukpt",
    "dukpt_aes",
    "grey_session",
    "join_shares",
    "key_block",
    "load_session",
    "mac4",
    "pin_batch",
    "pin_verify",
    "purchase_session",
    "seal",
    "sm3",
    "sm4_encrypt",
    "split_secret",
    "tac_key",
    "tdes_encrypt",
    "unionpay_mac",
    "unseal",
]
