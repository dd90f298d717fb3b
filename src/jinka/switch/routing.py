"""Where a transaction goes: the longest prefix of the account number, and never round in a circle.

A loop is refused by three signs: the route leads back to where the message came from; the trail that switches keep in a
field of their own has this switch in it, or is too long; or the same transaction is here already, from another peer.
"""

from __future__ import annotations

from collections.abc import Mapping

from jinka.codec.iso8583.message import Message
from jinka.registry.bins import BinTable
from jinka.switch.config import Peer

_TRAIL = "JKT"  # marks a trail; each stop has 11 digits


class Routes:
    """Prefixes of the operator by their lengths, longest first; then the table of bank identification numbers."""

    def __init__(
        self, routes: Mapping[str, str], bins: BinTable | None = None, banks: Mapping[str, str] | None = None
    ) -> None:
        self._bins, self._banks = bins, banks or {}
        lengths: dict[int, dict[str, str]] = {}
        for prefix, name in routes.items():
            lengths.setdefault(len(prefix), {})[prefix] = name
        self._tables = [(size, lengths[size]) for size in sorted(lengths, reverse=True)]

    def find(self, number: str) -> str:
        """The peer for an account number; empty when there is none."""
        for size, table in self._tables:
            found = table.get(number[:size])
            if found is not None and len(number) >= size:
                return found
        row = self._bins.lookup(number) if self._bins is not None else None
        return "" if row is None else self._banks.get(row.bank, "")


def trail_of(message: Message, peer: Peer) -> tuple[str, ...]:
    """The switches that a message has passed; those of a peer that keeps no trail are unknown."""
    text = message.text(peer.trail_field) if peer.trail_field else ""
    if not text.startswith(_TRAIL):
        return ()
    stops = text[len(_TRAIL) :]
    return tuple(stops[at : at + 11].lstrip("0") for at in range(0, len(stops), 11))


def trail_text(stops: tuple[str, ...], own: str) -> str:
    """The trail for the next switch."""
    return _TRAIL + "".join(stop.zfill(11) for stop in (*stops, own))
