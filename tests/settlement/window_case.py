"""A journal of windows in memory, and a ledger and a journal that a kill can stop at any single write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinka.kit import Refused
from jinka.ledger import Account, AccountResult, LedgerEngine, MemoryLedger, Transfer, TransferResult
from jinka.settlement import Act, Opening, WindowDesk, WindowJournal, WindowKey
from jinka.settlement.window_text import act_text, opening_text, read_act, read_opening


class Killed(Exception):
    """The process is gone; only what was written stays."""


@dataclass
class Fuse:
    """How many writes are left until the kill; None for ever."""

    left: int | None = None

    def burn(self) -> None:
        if self.left is not None:
            if not self.left:
                raise Killed
            self.left -= 1


class FusedLedger:
    """A ledger that writes one event at a time, each durable by itself: the worst case for who is killed between."""

    def __init__(self, fuse: Fuse, engine: LedgerEngine | None = None) -> None:
        self._fuse, self._engine = fuse, engine or MemoryLedger()

    def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        return [self._one(self._engine.create_accounts, account) for account in accounts]

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        return [self._one(self._engine.create_transfers, transfer) for transfer in transfers]

    def _one(self, write: Callable[[list[Any]], list[Any]], event: Account | Transfer) -> Any:
        self._fuse.burn()
        return write([event])[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


@dataclass
class FusedJournal:
    """A journal that a kill stops before it writes."""

    fuse: Fuse
    journal: WindowJournal

    def open(self, opening: Opening) -> None:
        self.fuse.burn()
        self.journal.open(opening)

    def append(self, key: WindowKey, number: int, act: Act) -> None:
        self.fuse.burn()
        self.journal.append(key, number, act)

    def last(self, centre: str, chain: str) -> tuple[Opening, Sequence[Act]] | None:
        return self.journal.last(centre, chain)


@dataclass
class MemoryWindows:
    """A `WindowJournal` that keeps lines of text."""

    fuse: Fuse = field(default_factory=Fuse)
    lines: dict[tuple[str, str, int], list[str]] = field(default_factory=dict)

    def open(self, opening: Opening) -> None:
        self.fuse.burn()
        key = opening.key
        if (key.centre, key.chain, key.ordinal) in self.lines:
            raise Refused("is there already", where=key.name)
        for first in self.lines.values():
            other = read_opening(first[0], where="test").key
            if (other.centre, other.day) == (key.centre, key.day):
                raise Refused("has the date and cycle of another window", where=key.name)
        self.lines[key.centre, key.chain, key.ordinal] = [opening_text(opening)]

    def append(self, key: WindowKey, number: int, act: Act) -> None:
        self.fuse.burn()
        lines = self.lines[key.centre, key.chain, key.ordinal]
        if len(lines) != number:
            raise Refused("is there already", where=key.name)
        lines.append(act_text(act))

    def last(self, centre: str, chain: str) -> tuple[Opening, Sequence[Act]] | None:
        ordinals = [one for c, n, one in self.lines if (c, n) == (centre, chain)]
        if not ordinals:
            return None
        first, *rest = self.lines[centre, chain, max(ordinals)]
        return read_opening(first, where="test"), [read_act(line, where="test") for line in rest]


def desk_of(journal: WindowJournal, ledger: LedgerEngine) -> WindowDesk:
    return WindowDesk(journal, ledger, centre="cn.sz", chain="daily", funds="cn.sz")
