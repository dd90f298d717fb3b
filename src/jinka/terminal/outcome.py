"""How a tap ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from jinka.codec.clearing import ClearingRecord


class TapStatus(Enum):
    """``TORN``: the debit was sent and no answer came. ``REMOVED``: the card went before it could pay anything."""

    DONE = "done"
    NEEDS_LOAD = "needs load"
    BLOCKED = "blocked"
    REFUSED = "refused"
    REMOVED = "removed"
    TORN = "torn"


@dataclass(frozen=True, slots=True, kw_only=True)
class TapOutcome:
    """``record`` with DONE (confirmed) and TORN (unconfirmed); ``shortfall`` with NEEDS_LOAD; ``sw`` and ``step`` say
    where it was refused (``sw`` 0: by the terminal itself).

    ``resolved`` is a torn record of the same card that turned out to be paid (DONE with the same object when this tap
    was the torn one over again), ``void`` one that turned out not to be: it is to be dropped, not cleared.
    """

    status: TapStatus
    record: ClearingRecord | None = None
    shortfall: int = 0
    sw: int = 0
    step: str = ""
    resolved: ClearingRecord | None = None
    void: ClearingRecord | None = None

    def with_settled(self, resolved: ClearingRecord | None, void: ClearingRecord | None) -> TapOutcome:
        """The same outcome, with what became of an earlier torn debit."""
        return replace(self, resolved=resolved, void=void)
