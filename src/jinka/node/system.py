"""The time and the randomness of this machine: what production passes to the cores."""

from __future__ import annotations

import secrets
import time


class SystemClock:
    """Implements `jinka.kit.Clock`."""

    def now_micros(self) -> int:
        """Microseconds since the epoch, UTC."""
        return time.time_ns() // 1000


class SystemRandomness:
    """Implements `jinka.kit.Randomness` with the operating system's randomness."""

    def token_bytes(self, count: int) -> bytes:
        """Return ``count`` bytes."""
        return secrets.token_bytes(count)
