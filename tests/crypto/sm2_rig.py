"""Randomness for tests of SM2: fixed draws, and draws from a seed."""

from __future__ import annotations

import random


class Draws:
    """Answers the given bytes in order, and fails when they are used up."""

    def __init__(self, *values: bytes) -> None:
        self._values = list(values)

    def token_bytes(self, count: int) -> bytes:
        value = self._values.pop(0)
        assert len(value) == count
        return value


class Seeded:
    """The same bytes in every run."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)

    def token_bytes(self, count: int) -> bytes:
        return self._source.randbytes(count)
