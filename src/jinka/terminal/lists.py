"""The list of blocked cards in a terminal: versioned, each entry with the time from which it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockList:
    """``entries``: card number (10 bytes) to the local time from which the card is to be refused."""

    version: int = 0
    entries: Mapping[bytes, dt.datetime] = field(default_factory=dict)

    def blocks(self, card_no: bytes, at: dt.datetime) -> bool:
        """Tell whether the card is to be refused at ``at``."""
        since = self.entries.get(card_no)
        return since is not None and since <= at


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A terminal's word that it obeys a version of the list from a time on; the fields of registry.ACKNOWLEDGEMENTS."""

    terminal_id: bytes
    list_version: int
    acknowledged_at: dt.datetime
