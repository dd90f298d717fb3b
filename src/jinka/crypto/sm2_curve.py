"""The curve of SM2 and its hash: points of sm2p256v1 (GM/T 0003.5, 2) and SM3 with its key derivation (GM/T 0004).

Python integers, Jacobian coordinates, a comb of 4 bits for the base point. The running time depends on the numbers, so
this is NOT constant-time: it is the readable reference, for tests, simulators and machines without libcrypto.
A server that signs with a key of value takes `jinka.crypto.sm2_libcrypto` or a hardware token.
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

from cryptography.hazmat.primitives import hashes

from jinka.kit import Refused

P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
A = P - 3
B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
G = (
    0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7,
    0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0,
)
SIZE = 32  # bytes of a coordinate, of a scalar and of an SM3 digest

Point: TypeAlias = tuple[int, int]
Jacobian: TypeAlias = tuple[int, int, int]  # x = X/Z^2, y = Y/Z^3; Z = 0 is the point at infinity

_INFINITY: Jacobian = (1, 1, 0)
_WINDOW = 4
_WINDOWS = 256 // _WINDOW
_MASK = (1 << _WINDOW) - 1
_KDF_BYTES_MAX = SIZE * 0xFFFFFFFF


def sm3(*parts: bytes) -> bytes:
    """SM3 over the joined parts, 32 bytes."""
    digest = hashes.Hash(hashes.SM3())
    for part in parts:
        digest.update(part)
    return digest.finalize()


def derive_bytes(shared: bytes, size: int) -> bytes:
    """The key derivation function of GM/T 0003.4, 5.4.3: SM3(Z | counter) block by block."""
    if not 0 <= size <= _KDF_BYTES_MAX:
        raise Refused(f"{size} bytes asked of the key derivation", where="SM2")
    blocks = (sm3(shared, count.to_bytes(4, "big")) for count in range(1, -(-size // SIZE) + 1))
    return b"".join(blocks)[:size]


def check_point(x: int, y: int) -> None:
    """Refuse what is not a point of the curve; its order is prime, so every such point will do."""
    if not (0 <= x < P and 0 <= y < P) or (y * y - (x * x + A) * x - B) % P:
        raise Refused("not a point of sm2p256v1", where="SM2 point")


def multiply(scalar: int, point: Point) -> Point | None:
    """``scalar`` times a point; None is the point at infinity."""
    return _affine(_multiply(scalar % N, point))


def multiply_base(scalar: int) -> Point | None:
    """``scalar`` times the base point: 64 additions from a table made once."""
    return _affine(_multiply_base(scalar % N))


def multiply_sum(base_scalar: int, scalar: int, point: Point) -> Point | None:
    """``base_scalar`` G + ``scalar`` P, as a verification needs it."""
    product = _affine(_multiply(scalar % N, point))
    total = _multiply_base(base_scalar % N)
    return _affine(total if product is None else _add(total, product))


def add(left: Point, right: Point) -> Point | None:
    """The sum of two points."""
    return _affine(_add((*left, 1), right))


def _double(point: Jacobian) -> Jacobian:
    """Doubling where a = -3: 4 squarings, 4 multiplications."""
    x, y, z = point
    delta, gamma = z * z % P, y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, 2 * y * z % P


def _add(point: Jacobian, other: Point) -> Jacobian:
    """Mixed addition, exceptional cases included."""
    x1, y1, z1 = point
    if not z1:
        return (*other, 1)
    square = z1 * z1 % P
    h = (other[0] * square - x1) % P
    r = (other[1] * square * z1 - y1) % P
    if not h:
        return _INFINITY if r else _double(point)
    h2 = h * h % P
    h3, v = h * h2 % P, x1 * h2 % P
    x3 = (r * r - h3 - 2 * v) % P
    return x3, (r * (v - x3) - y1 * h3) % P, z1 * h % P


def _affine(point: Jacobian) -> Point | None:
    x, y, z = point
    if not z:
        return None
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return x * square % P, y * square * inverse % P


def _affine_all(points: list[Jacobian]) -> list[Point]:
    """Many points with one inversion (Montgomery); none is at infinity."""
    products, running = [], 1
    for point in points:
        products.append(running)
        running = running * point[2] % P
    inverse, found = pow(running, -1, P), []
    for (x, y, z), before in zip(reversed(points), reversed(products), strict=True):
        own = inverse * before % P
        inverse = inverse * z % P
        square = own * own % P
        found.append((x * square % P, y * square * own % P))
    return found[::-1]


def _multiples(point: Point) -> list[Jacobian]:
    """1 to 15 times a point."""
    row: list[Jacobian] = [(*point, 1)]
    while len(row) < _MASK:
        row.append(_add(row[-1], point))
    return row


def _multiply(scalar: int, point: Point) -> Jacobian:
    row, total = _affine_all(_multiples(point)), _INFINITY
    for shift in range(256 - _WINDOW, -1, -_WINDOW):
        if total[2]:
            total = _double(_double(_double(_double(total))))
        digit = scalar >> shift & _MASK
        if digit:
            total = _add(total, row[digit - 1])
    return total


def _multiply_base(scalar: int) -> Jacobian:
    total = _INFINITY
    for row in _base_table():
        digit = scalar & _MASK
        if digit:
            total = _add(total, row[digit - 1])
        scalar >>= _WINDOW
    return total


@cache
def _base_table() -> tuple[tuple[Point, ...], ...]:
    """Row i holds 1 to 15 times 16^i G: 960 points, made at the first use in a few milliseconds."""
    flat: list[Jacobian] = []
    start: Point = G
    for _ in range(_WINDOWS):
        row = _multiples(start)
        flat += row
        (start,) = _affine_all([_add(row[-1], start)])
    points = _affine_all(flat)
    return tuple(tuple(points[at : at + _MASK]) for at in range(0, len(points), _MASK))
