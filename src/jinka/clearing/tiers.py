"""The three tiers as data: what a centre is told of its neighbours, and when a round of exchange may go on.

A round is a business day. In each of three streams a centre gets one parcel from every child and one from its parent,
and sends one to each of them: foreign records towards their cards' centres, verdicts back, then claims, which say what
crosses the books. A round is closed upwards when all children have been heard, and downwards when the parent has. A
child that is suspended is not waited for, nor one that the others have outrun by more days than the centre's patience;
what comes late goes on with the next round, under its own date.

Pure; parcels themselves are `jinka.codec.parcel`. No standard describes this exchange: it is Jinka's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from jinka.kit import Refused, Usage


class Tier(Enum):
    """City, province, nation. A city takes batches in; the others pass on what crosses."""

    CITY = "city"
    PROVINCE = "province"
    NATION = "nation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A child: its code, and the centres (itself too) and participants below it, as it was admitted with them."""

    code: str
    centres: frozenset[str]
    participants: frozenset[str]
    suspended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What one centre knows of the others. ``parent`` is empty at the nation.

    ``patience`` is by how many rounds the others may be ahead of a child that is waited for; 0 waits for ever.
    ``answer_days`` is how many rounds a card's centre has for its verdict before silence counts as a yes.
    """

    tier: Tier
    code: str
    parent: str = ""
    participants: frozenset[str] = frozenset()
    children: Mapping[str, Neighbour] = field(default_factory=dict)
    patience: int = 1
    answer_days: int = 3

    def __post_init__(self) -> None:
        seen: set[str] = {self.code}
        parties = set(self.participants)
        for child in self.children.values():
            where = f"centre {self.code}, child {child.code}"
            if child.code not in child.centres:
                raise Usage("does not stand for itself", where=where, fix="name it among its centres")
            if twice := sorted((seen & child.centres) | (parties & child.participants)):
                raise Usage(f"{twice[0]} has two places", where=where, fix="one centre for each")
            seen |= child.centres
            parties |= child.participants
        if self.children and self.tier is Tier.CITY:
            raise Usage("a city has no children", where=f"centre {self.code}")
        if bool(self.parent) == (self.tier is Tier.NATION):
            raise Usage("the nation alone has no parent", where=f"centre {self.code}")

    def hop_to_party(self, party: str) -> str:
        """The neighbour on the way to a participant's centre, this centre's own code, or "" when nobody has it."""
        if party in self.participants:
            return self.code
        for child in self.children.values():
            if party in child.participants:
                return child.code
        return self.parent

    def hop_to_centre(self, centre: str) -> str:
        """The same for a centre."""
        if centre == self.code:
            return self.code
        for child in self.children.values():
            if centre in child.centres:
                return child.code
        return self.parent

    def below(self, neighbour: str) -> Neighbour:
        """The child of that code; raises `Refused` for a stranger."""
        found = self.children.get(neighbour)
        if found is None:
            raise Refused("is no child of this centre", where=f"centre {neighbour}", fix="admit it first")
        return found


def waited_for(
    around: Surroundings, round_: int, heard: Mapping[str, int], *, skipped: Iterable[str] = ()
) -> list[str]:
    """The children without whom a round is not closed yet; an empty list: close it.

    ``heard`` is the last round that each child has sent, 0 for none. ``skipped`` are children that an officer said not
    to wait for.
    """
    active = [child.code for child in around.children.values() if not child.suspended]
    front = max((heard.get(code, 0) for code in active), default=0)
    missing = [code for code in active if heard.get(code, 0) < round_ and code not in set(skipped)]
    if around.patience and front >= round_ + around.patience:
        return []
    return sorted(missing)


__all__ = ["Neighbour", "Surroundings", "Tier", "waited_for"]
