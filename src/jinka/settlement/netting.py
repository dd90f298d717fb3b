"""Multilateral netting at each tier: what a centre's members owe or receive, and one position at its parent.

A centre sees its own participants, its children as one member each, and its parent as "the rest of the world". What
its members receive together is what it receives from its parent, so positions add up from city to nation, and at the
nation to zero. `net_centre` is one centre's netting; `net_tree` does all of them, from the leaves up, for a proof.

Pure: no ledger, no engine. It does not judge flows (`jinka.clearing`) nor caps (`jinka.settlement.caps`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jinka.clearing import Flow
from jinka.kit import Refused, Usage

_DEPTH_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CentrePosition:
    """Net positions of one centre's members (receives > 0), and ``due``, what it receives from its parent.

    Members are participants of its own and its children, by code. ``parent`` is empty at the top, where ``due`` is 0.
    """

    centre: str
    parent: str
    participants: Mapping[str, int]
    children: Mapping[str, int]
    due: int

    @property
    def members(self) -> dict[str, int]:
        """Participants and children together: what this centre's window settles, beside ``due``."""
        return {**self.participants, **self.children}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """Who belongs where: the parent of each centre (empty for the top) and the home centre of each participant."""

    parent_of: Mapping[str, str]
    home_of: Mapping[str, str]

    def __post_init__(self) -> None:
        for centre in self.parent_of:
            self.path(centre)
        for code, home in self.home_of.items():
            if home not in self.parent_of:
                raise Usage(f"is at home in {home!r}", where=f"tiers.{code}", fix="name a centre that exists")
        if both := sorted(self.home_of.keys() & self.parent_of.keys()):
            raise Usage("is a centre and a participant", where=f"tiers.{both[0]}", fix="give it two codes")
        if len([top for top in self.parent_of.values() if not top]) > 1:
            raise Usage("more than one top", where="tiers", fix="one centre without a parent")

    def path(self, centre: str) -> list[str]:
        """The centre and all above it, up to the top. Raises `Usage` for a parent that is none, or a circle."""
        path = [centre]
        while parent := self.parent_of[path[-1]]:
            if parent not in self.parent_of or parent in path or len(path) >= _DEPTH_MAX:
                raise Usage(f"has the parent {parent!r}", where=f"tiers.{path[-1]}", fix="a centre above it")
            path.append(parent)
        return path

    def bottom_up(self) -> list[str]:
        """All centres, children before their parents; equals by code."""
        return sorted(self.parent_of, key=lambda centre: (-len(self.path(centre)), centre))


def net_flows(flows: Iterable[Flow]) -> dict[str, int]:
    """The flat netting: each party's position over all flows, by code."""
    positions: dict[str, int] = defaultdict(int)
    for flow in flows:
        positions[flow.payer] -= flow.amount
        positions[flow.payee] += flow.amount
    return dict(sorted(positions.items()))


def net_centre(
    centre: str,
    *,
    parent: str,
    participants: Iterable[str],
    flows: Iterable[Flow] = (),
    children: Mapping[str, int] | None = None,
) -> CentrePosition:
    """Net what one centre sees.

    ``flows`` name its own participants; the other party may be somebody else's, who is the parent's business.
    ``children`` are the ``due`` of each child's netting. Raises `Refused` when a flow is between strangers alone, or
    when something is left over at the top, where there is nobody above to pay it.
    """
    own = dict.fromkeys(sorted(participants), 0)
    below = dict(sorted((children or {}).items()))
    if both := sorted(own.keys() & below.keys()):
        raise Usage(
            "is a child and a participant", where=f"netting.{centre}.{both[0]}", fix="give it two codes"
        )
    for flow in flows:
        if flow.payer not in own and flow.payee not in own:
            raise Refused(
                f"{flow.kind.value} from {flow.payer} to {flow.payee}: neither is at home here",
                where=f"netting.{centre}",
                fix="net it where one of them is",
            )
        if flow.payer in own:
            own[flow.payer] -= flow.amount
        if flow.payee in own:
            own[flow.payee] += flow.amount
    due = sum(own.values()) + sum(below.values())
    if due and not parent:
        raise Refused(
            f"positions add up to {due}, not to zero",
            where=f"netting.{centre}",
            fix="find the child or the flow whose other side is missing: nobody stands above to pay it",
        )
    return CentrePosition(centre=centre, parent=parent, participants=own, children=below, due=due)


def net_tree(tiers: Tiers, flows: Iterable[Flow]) -> dict[str, CentrePosition]:
    """Net every centre, from the leaves to the top, each with what it sees alone.

    Raises `Refused` for a flow of an unknown party.
    """
    seen: dict[str, list[Flow]] = defaultdict(list)
    members: dict[str, list[str]] = defaultdict(list)
    for code, home in tiers.home_of.items():
        members[home].append(code)
    for flow in flows:
        homes = set()
        for code in (flow.payer, flow.payee):
            if code not in tiers.home_of:
                raise Refused("no such participant", where=f"netting.{code}", fix="register it at a centre")
            homes.add(tiers.home_of[code])
        for home in homes:
            seen[home].append(flow)
    made: dict[str, CentrePosition] = {}
    dues: dict[str, dict[str, int]] = defaultdict(dict)
    for centre in tiers.bottom_up():
        parent = tiers.parent_of[centre]
        made[centre] = net_centre(
            centre, parent=parent, participants=members[centre], flows=seen[centre], children=dues[centre]
        )
        if parent:
            dues[parent][centre] = made[centre].due
    return made
