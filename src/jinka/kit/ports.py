"""What the cores ask of the world: the time and random bytes. Production, tests and simulator supply them."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now_micros(self) -> int:
        """Microseconds since the epoch, UTC."""
        ...


class Randomness(Protocol):
    """Gives random bytes: the operating system's in production, seeded ones in tests and simulations."""

    def token_bytes(self, count: int) -> bytes:
        """Return ``count`` bytes."""
        ...
