"""What passed between the switch and each peer on a business date: the sums that a reconciliation compares.

ISO 8583:1987, 4.1 (05xx) and fields 74, 76, 86 and 88. An acquirer is owed what its terminals took and owes what they
gave back; an issuer the other way round. Of a transfer between two banks the legs count, at each bank, and the message
that asked for it does not: so all nets add up to zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from jinka.kit.frozen import quick
from jinka.switch.kinds import KINDS, TRANSFER_BANKS, TRANSFER_CREDIT, TRANSFER_DEBIT, Side

_LEGS = {TRANSFER_DEBIT.name: Side.DEBIT, TRANSFER_CREDIT.name: Side.CREDIT}


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Of a batch or a day, amounts in minor units."""

    debit_fen: int = 0
    debits: int = 0
    credit_fen: int = 0
    credits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Approved transactions of one kind between two peers."""

    source: str
    target: str
    kind: str
    count: int
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerTotals:
    """``acquired``: what it sent us; ``issued``: what we sent it. Debits are those of cardholders."""

    acquired: Totals = field(default_factory=Totals)
    issued: Totals = field(default_factory=Totals)

    @property
    def net_fen(self) -> int:
        """What the peer is owed; negative for what it owes."""
        acquired, issued = self.acquired, self.issued
        return acquired.debit_fen - acquired.credit_fen - issued.debit_fen + issued.credit_fen


def peer_totals(lines: Iterable[Counted]) -> dict[str, PeerTotals]:
    """By peer."""
    found: dict[str, PeerTotals] = {}
    for line in lines:
        leg = _LEGS.get(line.kind)
        side = leg or KINDS[line.kind].side
        if side is Side.NONE or line.kind == TRANSFER_BANKS.name:
            continue
        issuer = found.get(line.target, PeerTotals())
        found[line.target] = replace(issuer, issued=_add(issuer.issued, line, side))
        if leg is None:
            acquirer = found.get(line.source, PeerTotals())
            found[line.source] = replace(acquirer, acquired=_add(acquirer.acquired, line, side))
    return found


def _add(now: Totals, line: Counted, side: Side) -> Totals:
    if side is Side.DEBIT:
        return replace(now, debit_fen=now.debit_fen + line.amount_fen, debits=now.debits + line.count)
    return replace(now, credit_fen=now.credit_fen + line.amount_fen, credits=now.credits + line.count)
