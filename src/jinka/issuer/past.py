"""What cards did lately, for limits and rules: read from the books once and then followed, for one host writes there.

A card's past is bounded by a window of time and by a number (`jinka.issuer.limits.HISTORY_MAX`); how much is remembered
of all cards together is bounded too: the one that was idle longest goes first. After a round that broke off none is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from jinka.issuer.books import Deed, IssuerBooks
from jinka.issuer.limits import HISTORY_MAX

_MOST = HISTORY_MAX + 1
_ROWS_MAX = 120_000  # of all cards: some 40 MB
_COUNTED_EVERY = 20_000  # rows that were met
Past = dict[bytes, Deed]  # by id, oldest first


class Pasts:
    """The pasts of the cards of one host."""

    def __init__(self, books: IssuerBooks) -> None:
        self._books = books
        self._kept: OrderedDict[bytes, tuple[int, Past]] = OrderedDict()  # complete since then
        self._met = 0  # rows since they were counted

    def of(self, asked: set[bytes], since_micros: int, *, beside: set[bytes]) -> dict[bytes, Past]:
        """The newest of each card that is asked for, since then or longer, and what is remembered of those beside.

        The caller brings them up to date, and then says so (`keep`) or that it failed (`forget`).
        """
        found = {card: self._kept[card][1] for card in beside - asked if card in self._kept}
        missing = set[bytes]()
        for card in asked:
            kept = self._kept.get(card)
            if kept is not None and kept[0] <= since_micros:
                found[card] = kept[1]
            else:
                missing.add(card)
        if missing:
            for card, rows in self._books.recent(missing, since_micros, _MOST).items():
                found[card] = {deed.id: deed for deed in rows if deed.stands}
                self._kept[card] = (since_micros, {})
        return found

    def keep(self, pasts: Mapping[bytes, Past]) -> None:
        """What became of them is in the books."""
        for card, past in pasts.items():
            for id_ in list(past)[: max(0, len(past) - _MOST)]:
                del past[id_]
            self._kept[card] = (self._kept[card][0], past)
            self._kept.move_to_end(card)
        self._met += sum([len(past) + 1 for past in pasts.values()])
        if self._met >= _COUNTED_EVERY:  # no more can be new
            self._met = 0
            rows = sum(len(past) + 1 for _, past in self._kept.values())
            while rows > _ROWS_MAX:
                rows -= len(self._kept.popitem(last=False)[1][1]) + 1

    def forget(self) -> None:
        """What was remembered may not be in the books."""
        self._kept.clear()
