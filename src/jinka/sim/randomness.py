"""Random bytes from a seed: for simulations and measurements, never for keys that matter."""

from __future__ import annotations

import random


class SeededRandomness:
    """Implements `jinka.kit.Randomness`; the same label gives the same bytes."""

    def __init__(self, label: str) -> None:
        self._random = random.Random(label)  # noqa: S311 a simulation

    def token_bytes(self, count: int) -> bytes:
        """Return ``count`` bytes."""
        return self._random.randbytes(count)
