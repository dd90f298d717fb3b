"""Shamir's secret sharing over GF(256) with the AES polynomial 11B (Shamir 1979; field of FIPS 197 clause 4).

Each byte of the secret is shared by its own polynomial; a share is its x coordinate and as many bytes.
"""

from __future__ import annotations

from jinka.kit import Randomness, Refused, Usage

SHARES_MAX = 255


def _tables() -> tuple[bytes, bytes]:
    exp, log, value = bytearray(512), bytearray(256), 1
    for power in range(255):
        exp[power] = exp[power + 255] = value
        log[value] = power
        value ^= (value << 1) ^ (0x11B if value & 0x80 else 0)  # times 3, a generator
        value &= 0xFF
    return bytes(exp), bytes(log)


_EXP, _LOG = _tables()


def _multiply(a: int, b: int) -> int:
    return _EXP[_LOG[a] + _LOG[b]] if a and b else 0


def split_secret(secret: bytes, *, needed: int, made: int, randomness: Randomness) -> list[tuple[int, bytes]]:
    """Return ``made`` shares (x, bytes) of which any ``needed`` give the secret, fewer nothing."""
    if not 2 <= needed <= made <= SHARES_MAX:
        raise Usage(f"{needed} of {made} shares", where="shamir", fix="2 <= needed <= made <= 255")
    rows = [secret] + [randomness.token_bytes(len(secret)) for _ in range(needed - 1)]
    return [
        (x, bytes(_evaluate(column, x) for column in zip(*rows, strict=True))) for x in range(1, made + 1)
    ]


def join_shares(shares: list[tuple[int, bytes]], *, needed: int) -> bytes:
    """Interpolate the secret from at least ``needed`` different shares; `Refused` when there are fewer.

    A wrong share gives a wrong secret: compare its key check value before use.
    """
    chosen = dict(shares)
    if len(chosen) < needed or 0 in chosen or len({len(raw) for raw in chosen.values()}) != 1:
        raise Refused(f"{len(chosen)} usable shares of {needed}", where="shamir", fix="bring more custodians")
    points = sorted(chosen.items())[:needed]
    weights = [_weight_at_zero(x, [other for other, _ in points]) for x, _ in points]
    secret = bytearray(len(points[0][1]))
    for weight, (_, raw) in zip(weights, points, strict=True):
        for i, byte in enumerate(raw):
            secret[i] ^= _multiply(weight, byte)
    return bytes(secret)


def _evaluate(coefficients: tuple[int, ...], x: int) -> int:
    value = 0
    for coefficient in reversed(coefficients):
        value = _multiply(value, x) ^ coefficient
    return value


def _weight_at_zero(x: int, others: list[int]) -> int:
    weight = 1
    for other in others:
        if other != x:
            weight = _multiply(weight, _multiply(other, _EXP[255 - _LOG[x ^ other]]))
    return weight
