"""The torn taps of a gate, and how they outlive a loss of power.

A tap is written down before the debit is sent, so that a terminal that goes dark in between finds it again: the card's
next appearance, or the clearing, tells what became of it. What is kept may lag behind a debit that was answered; its
record then comes twice, and one identity is paid once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jinka.codec.clearing import ClearingRecord
from jinka.tariff import TapKind
from jinka.terminal.kept import from_kept, to_kept

TORN_MAX = 1_000
_MAGIC = b"JTT\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class TornTap:
    """A debit whose answer was not seen, and the tap that it was for."""

    record: ClearingRecord
    kind: TapKind
    at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    terminal_id: bytes
    taps: tuple[TornTap, ...]


class TornTaps:
    """By card number. ``keep`` is given the bytes to be made durable, and returns when they are."""

    __slots__ = ("_keep", "_taps", "terminal_id")

    def __init__(self, terminal_id: bytes, *, keep: Callable[[bytes], None] | None = None) -> None:
        self.terminal_id, self._keep = terminal_id, keep
        self._taps: dict[bytes, TornTap] = {}

    @classmethod
    def from_bytes(cls, raw: bytes, *, keep: Callable[[bytes], None] | None = None) -> TornTaps:
        """Read what was kept; `KeptStateError` for anything else."""
        state = from_kept(_MAGIC, _State, raw)
        made = cls(state.terminal_id, keep=keep)
        made._taps.update((tap.record.card_no, tap) for tap in state.taps)
        return made

    def to_bytes(self) -> bytes:
        """The state as bytes."""
        return to_kept(_MAGIC, _State(terminal_id=self.terminal_id, taps=tuple(self._taps.values())))

    def expect(self, tap: TornTap) -> None:
        """Write the tap down before its debit is sent; the oldest goes when there are too many."""
        if tap.record.card_no not in self._taps and len(self._taps) >= TORN_MAX:
            self._taps.pop(next(iter(self._taps)))  # it stays in the batch all the same
        self._taps[tap.record.card_no] = tap
        if self._keep is not None:
            self._keep(self.to_bytes())

    def get(self, card_no: bytes) -> TornTap | None:
        """The card's torn tap."""
        return self._taps.get(card_no)

    def forget(self, card_no: bytes) -> None:
        """The tap is settled, or was answered after all."""
        self._taps.pop(card_no, None)

    def __iter__(self) -> Iterator[TornTap]:
        """All of them: what to put into the batch after a restart."""
        return iter(tuple(self._taps.values()))

    def __len__(self) -> int:
        return len(self._taps)
