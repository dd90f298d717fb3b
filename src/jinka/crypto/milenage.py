"""Milenage: the 3GPP functions f1 to f5* (3GPP TS 35.206), vectors and resynchronisation (TS 33.102, 6.3).

K and OPc have 16 bytes, RAND 16, SQN 6, AMF 2. The GSM values are the conversions c2 and c3 (TS 33.102, 6.8.1.2).
Whether a sequence number is fresh is the card's business, not decided here.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from jinka.kit import Refused

RESYNC_AMF = bytes(2)  # AMF of f1* in a resynchronisation (TS 33.102, 6.3.3)


@dataclass(frozen=True, slots=True)
class Answer:
    """f2 to f5 over one RAND: response 8, cipher key 16, integrity key 16, anonymity key 6."""

    res: bytes
    ck: bytes
    ik: bytes
    ak: bytes

    def __repr__(self) -> str:
        return "Answer(..)"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationVector:
    """What the home network hands out for one authentication (TS 33.102, 6.3.2)."""

    rand: bytes
    xres: bytes
    ck: bytes
    ik: bytes
    autn: bytes

    def __repr__(self) -> str:
        return f"AuthenticationVector(rand={self.rand.hex()})"


def compute_opc(k: bytes, op: bytes) -> bytes:
    """OPc = E(K, OP) xor OP (TS 35.206, 4.1)."""
    return _xor(_aes(k, op), op)


def f1(k: bytes, opc: bytes, rand: bytes, sqn: bytes, amf: bytes) -> tuple[bytes, bytes]:
    """(MAC-A, MAC-S): f1 for the network's proof, f1* for resynchronisation."""
    temp = _aes(k, _xor(rand, opc))
    in1 = (sqn + amf) * 2
    out1 = _xor(_aes(k, _xor(temp, _rotated(_xor(in1, opc), 64))), opc)
    return out1[:8], out1[8:]


def f2345(k: bytes, opc: bytes, rand: bytes) -> Answer:
    """RES, CK, IK and AK."""
    base = _xor(_aes(k, _xor(rand, opc)), opc)
    out2, out3, out4 = (_out(k, opc, base, turn, c) for turn, c in ((0, 1), (32, 2), (64, 4)))
    return Answer(res=out2[8:], ck=out3, ik=out4, ak=out2[:6])


def f5_star(k: bytes, opc: bytes, rand: bytes) -> bytes:
    """AK of a resynchronisation."""
    base = _xor(_aes(k, _xor(rand, opc)), opc)
    return _out(k, opc, base, 96, 8)[:6]


def make_vector(k: bytes, opc: bytes, rand: bytes, sqn: bytes, amf: bytes) -> AuthenticationVector:
    """One vector; AUTN = (SQN xor AK) | AMF | MAC-A."""
    answer = f2345(k, opc, rand)
    mac_a, _ = f1(k, opc, rand, sqn, amf)
    return AuthenticationVector(
        rand=rand, xres=answer.res, ck=answer.ck, ik=answer.ik, autn=_xor(sqn, answer.ak) + amf + mac_a
    )


def make_auts(k: bytes, opc: bytes, rand: bytes, sqn: bytes) -> bytes:
    """AUTS = (SQN of the card xor AK*) | MAC-S, 14 bytes."""
    _, mac_s = f1(k, opc, rand, sqn, RESYNC_AMF)
    return _xor(sqn, f5_star(k, opc, rand)) + mac_s


def open_auts(k: bytes, opc: bytes, rand: bytes, auts: bytes) -> bytes:
    """The card's SQN; `Refused` when MAC-S is wrong."""
    if len(auts) != 14:
        raise Refused("AUTS has 14 bytes", where="resynchronisation")
    sqn = _xor(auts[:6], f5_star(k, opc, rand))
    _, mac_s = f1(k, opc, rand, sqn, RESYNC_AMF)
    if not hmac.compare_digest(mac_s, auts[6:]):
        raise Refused("MAC-S is wrong", where="resynchronisation", fix="the card holds another key")
    return sqn


def gsm_answer(answer: Answer) -> tuple[bytes, bytes]:
    """(SRES 4, Kc 8) for the 2G context."""
    sres = _xor(answer.res[:4], answer.res[4:])
    kc = _xor(_xor(answer.ck[:8], answer.ck[8:]), _xor(answer.ik[:8], answer.ik[8:]))
    return sres, kc


def _out(k: bytes, opc: bytes, base: bytes, turn: int, constant: int) -> bytes:
    turned = _rotated(base, turn)
    return _xor(_aes(k, turned[:15] + bytes((turned[15] ^ constant,))), opc)


def _rotated(block: bytes, bits: int) -> bytes:
    """Rotate towards the most significant bit; the standard's amounts are whole bytes."""
    return block[bits // 8 :] + block[: bits // 8]


def _aes(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)  # noqa: S305 by standard


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))
