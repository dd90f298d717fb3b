"""The transactions that the switch has in memory: all under way, and the latest that ended.

A bound says how many ended ones stay; older ones are found in the journal, which also catches their repeats.
"""

from __future__ import annotations

from collections import deque

from jinka.switch.messages import MatchKey, match_key, path_key
from jinka.switch.transaction import Transaction


class Memory:
    """By id, by what an issuer's answer has, and by what stays the same wherever a transaction is passed on."""

    def __init__(self, ended_max: int) -> None:
        self.known: dict[bytes, Transaction] = {}
        self.sent: dict[MatchKey, Transaction] = {}
        self.paths: dict[tuple[str, str, str, str], bytes] = {}
        self._ended: deque[Transaction] = deque()
        self._ended_max = ended_max
        self._resting = 0

    @property
    def open(self) -> int:
        """How many are under way."""
        return len(self.known) - self._resting

    def remember(self, tx: Transaction) -> None:
        """Take in what the journal remembers."""
        self.known[tx.id] = tx
        if tx.target and tx.sent.text(33):  # it was passed on, so an answer may come yet
            self.sent[match_key(tx.target, tx.sent)] = tx
            self.paths[path_key(tx.sent)] = tx.id

    def rest(self, tx: Transaction) -> None:
        """Keep an ended transaction for a while; beyond the bound the oldest are forgotten here."""
        if tx.resting:
            return
        tx.resting = True
        self._resting += 1
        self._ended.append(tx)
        while len(self._ended) > self._ended_max:
            old = self._ended.popleft()
            if old.busy or not (old.ended or old.theirs):  # it is being written, or its reversal is under way
                self._ended.append(old)
                return
            self._resting -= 1
            old.resting = False
            if self.known.get(old.id) is old:
                del self.known[old.id]
            self.sent.pop(match_key(old.target, old.sent), None)
            self.paths.pop(path_key(old.sent), None)
