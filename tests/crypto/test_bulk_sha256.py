"""SHA-256 of rows. Goal: the kernel is SHA-256, for every length and remainder. Oracle: hashlib (OpenSSL)."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from jinka.crypto.bulk_sha256 import SIDE_BY_SIDE, prefixed_sha256
from jinka.kit import Usage


@pytest.mark.parametrize("width", [4, 48, 52, 56, 60, 64, 116, 120, 124, 156, 1000])
def test_rows_of_every_kind_of_length_are_hashed_as_openssl_hashes_them(width: int) -> None:
    # 55, 56 and 63 bytes are where padding takes one more block; 52 to 64 with the byte in front are around it.
    source = np.random.default_rng(width)
    for count in (1, SIDE_BY_SIDE - 1, SIDE_BY_SIDE, SIDE_BY_SIDE + 1):
        rows = source.integers(0, 256, (count, width), dtype=np.uint8)
        for front in (0, 1, 255):
            wanted = [hashlib.sha256(bytes((front,)) + row.tobytes()).digest() for row in rows]
            assert [row.tobytes() for row in prefixed_sha256(front, rows)] == wanted


def test_threads_change_nothing_and_no_rows_are_no_hashes() -> None:
    rows = np.random.default_rng(1).integers(0, 256, (70_001, 16), dtype=np.uint8)
    assert (prefixed_sha256(0, rows, threads=2) == prefixed_sha256(0, rows)).all()
    assert prefixed_sha256(0, rows[:0]).shape == (0, 32)


def test_rows_that_do_not_lie_side_by_side_are_read_as_they_are() -> None:
    rows = np.random.default_rng(2).integers(0, 256, (40, 64), dtype=np.uint8)
    for view in (rows[::2], rows[:, 8:40]):
        wanted = [hashlib.sha256(b"\0" + row.tobytes()).digest() for row in view]
        assert [row.tobytes() for row in prefixed_sha256(0, view)] == wanted


@pytest.mark.parametrize(
    ("front", "rows"),
    [
        (0, np.zeros((2, 3), dtype=np.uint8)),
        (0, np.zeros((2, 0), dtype=np.uint8)),
        (0, np.zeros((2, 4), dtype=np.int8)),
        (0, np.zeros(4, dtype=np.uint8)),
        (256, np.zeros((2, 4), dtype=np.uint8)),
        (-1, np.zeros((2, 4), dtype=np.uint8)),
    ],
)
def test_what_the_kernel_cannot_take_is_refused(front: int, rows: np.ndarray) -> None:
    with pytest.raises(Usage):
        prefixed_sha256(front, rows)
