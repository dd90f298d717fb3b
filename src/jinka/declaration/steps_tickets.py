"""Steps of tickets that gates use up offline: a card is copied, gates report, and what was used twice is settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from jinka.declaration.steps import Step


@dataclass(frozen=True, slots=True)
class CopyCard(Step):
    """Somebody has copied a card's whole memory, keys and all: the worst case. The copy has a name of its own."""

    card: str
    copy: str


@dataclass(frozen=True, slots=True)
class GatesReport(Step):
    """Gates that were offline report the uses of a right since their last report; each use is paid to its operator.

    ``ticket`` and ``left`` name the records of the ticket's number and of its uses left. The first use is paid
    ``price`` by the account ``pays``, any other of the same use by ``stands_in``, and its card goes onto the list.
    ``uses`` is how many are new; ``twice`` maps tickets that were used twice to the gates, in the order of time.
    """

    gates: tuple[str, ...]
    entitlement: str
    uses: int
    _: KW_ONLY
    ticket: str
    left: str
    price: int
    pays: str
    stands_in: str
    twice: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
