"""What a pump must not forget when its power fails: cards that it locked, and claims that nobody has paid yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jinka.terminal.grey import GreyClaim, GreyHold
from jinka.terminal.kept import from_kept, to_kept

_MAGIC, _WITHOUT_PRODUCT = b"JFS\x02", b"JFS\x01"


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
    def from_bytes(cls, raw: bytes, *, product: str = "") -> FuelState:
        """Read what `to_bytes` wrote; `KeptStateError` for anything else.

        ``product`` is what the pump sells: states of version 1 do not name it, and are refused without.
        """
        if raw[:4] != _WITHOUT_PRODUCT or not product:
            return from_kept(_MAGIC, cls, raw)

        def named(told: Any) -> Any:
            holds = [*told["holds"], *(claim["hold"] for claim in told["claims"])]
            for hold in holds:
                hold["product"] = product
            return told

        return from_kept(_WITHOUT_PRODUCT, cls, raw, older=named)
