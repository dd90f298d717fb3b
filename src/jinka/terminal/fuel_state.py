"""What a pump must not forget when its power fails: cards that it locked, and claims that nobody has paid yet."""

from __future__ import annotations

from dataclasses import dataclass

from jinka.terminal.grey import GreyClaim, GreyHold
from jinka.terminal.kept import from_kept, to_kept

_MAGIC = b"JFS\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class FuelState:
    """Holds and claims of one pump. A claim holds its GMAC: keep the bytes where the pump keeps its records."""

    terminal_id: bytes
    holds: tuple[GreyHold, ...] = ()
    claims: tuple[GreyClaim, ...] = ()

    def to_bytes(self) -> bytes:
        """The state as bytes."""
        return to_kept(_MAGIC, self)

    @classmethod
    def from_bytes(cls, raw: bytes) -> FuelState:
        """Read what `to_bytes` wrote; `KeptStateError` for anything else."""
        return from_kept(_MAGIC, cls, raw)
