"""Net debit caps: how much a participant may owe in one window, and what happens when it would owe more.

By its cap's rule, either the newest claims against it wait for the next window, or the window waits for an officer.
A claim that waits is income that its payee misses, who may now owe too much itself. Every step takes the newest claim
of somebody who owes too much and never gives one back, so it ends, and in one place, whoever is looked at first: the
fewest newest claims wait that bring everybody within the caps.

Caps are CPSS-IOSCO, Principles for financial market infrastructures, 4 and 5 (credit risk in deferred net settlement).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from jinka.kit import Finding, Severity, Usage, check_minor, format_minor
from jinka.settlement.claims import Claim


class OnBreach(Enum):
    """What happens when a participant owes more than its cap."""

    WAIT = "wait"  # its newest claims wait for the next window
    OFFICER = "officer"  # all stand, and the window settles only when an officer agrees


class WaitReason(Enum):
    """Why a claim is not settled by this window."""

    CAP = "cap"
    SUSPENDED = "suspended"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetDebitCap:
    """``participant`` may owe ``limit`` minor units net in one window."""

    participant: str
    limit: int
    on_breach: OnBreach = OnBreach.WAIT

    def __post_init__(self) -> None:
        check_minor(self.limit, where=f"caps.{self.participant}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A claim that waits, and who is the cause."""

    claim: Claim
    reason: WaitReason
    participant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A participant that owes ``owed``, more than its ``limit``, with nothing of it waiting by rule."""

    participant: str
    owed: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What a window may settle, its positions (receives > 0), what waits, and what needs an officer."""

    taken: tuple[Claim, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    breaches: tuple[Breach, ...] = ()
    positions: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def findings(self) -> list[Finding]:
        """What an officer has to see: who waits, how much, and who owes too much."""
        groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row in self.waiting:
            groups[row.reason.name, row.participant].append(row.claim.amount)
        found = [
            Finding(
                code=f"CLAIMS_WAIT_{reason}",
                severity=Severity.WARNING,
                where=participant,
                what=f"{len(amounts)} claims of {format_minor(sum(amounts))} wait for the next window",
                fix=_FIXES[WaitReason[reason]],
            )
            for (reason, participant), amounts in sorted(groups.items())
        ]
        found += [
            Finding(
                code="CAP_BREACHED",
                severity=Severity.ERROR,
                where=row.participant,
                what=f"owes {format_minor(row.owed)}, the cap is {format_minor(row.limit)}",
                fix="an officer approves it, or the window is aborted",
            )
            for row in self.breaches
        ]
        return found


_FIXES = {
    WaitReason.CAP: "raise the cap, or have it pay in",
    WaitReason.SUSPENDED: "resume the participant, or hand its claims to the guarantee",
    WaitReason.ABORTED: "settle them with the next window",
}


def cap_table(caps: Iterable[NetDebitCap]) -> dict[str, NetDebitCap]:
    """The caps by participant; raises `Usage` for one that stands twice."""
    table: dict[str, NetDebitCap] = {}
    for cap in caps:
        if cap.participant in table:
            raise Usage("stands twice", where=f"caps.{cap.participant}", fix="keep one cap")
        table[cap.participant] = cap
    return dict(sorted(table.items()))


def admit(
    claims: Iterable[Claim], caps: Mapping[str, NetDebitCap], suspended: frozenset[str] = frozenset()
) -> Admission:
    """Choose what a window settles. The order of ``claims`` does not matter; no cap means no limit."""
    waiting: list[Waiting] = []
    taken: dict[bytes, Claim] = {}
    owed_by: dict[str, list[Claim]] = defaultdict(list)  # oldest first: the newest is the next to wait
    positions: dict[str, int] = defaultdict(int)
    for claim in sorted(claims, key=lambda claim: claim.age):
        cause = next((code for code in (claim.payer, claim.payee) if code in suspended), None)
        if cause is not None:
            waiting.append(Waiting(claim=claim, reason=WaitReason.SUSPENDED, participant=cause))
            continue
        taken[claim.id] = claim
        positions[claim.payer] -= claim.amount
        positions[claim.payee] += claim.amount
        if claim.payer != claim.payee:
            owed_by[claim.payer].append(claim)

    def over(code: str) -> bool:
        cap = caps.get(code)
        return cap is not None and -positions[code] > cap.limit

    todo = [code for code in sorted(positions) if over(code) and caps[code].on_breach is OnBreach.WAIT]
    while todo:
        code = todo.pop()
        while over(code) and owed_by[code]:
            claim = owed_by[code].pop()
            del taken[claim.id]
            waiting.append(Waiting(claim=claim, reason=WaitReason.CAP, participant=code))
            positions[claim.payer] += claim.amount
            positions[claim.payee] -= claim.amount
            if over(claim.payee) and caps[claim.payee].on_breach is OnBreach.WAIT:
                todo.append(claim.payee)
    return Admission(
        taken=tuple(taken.values()),
        waiting=tuple(sorted(waiting, key=lambda row: row.claim.age)),
        breaches=tuple(
            Breach(participant=code, owed=-positions[code], limit=caps[code].limit)
            for code in sorted(positions)
            if over(code)
        ),
        positions=MappingProxyType(_sorted_positions(positions, taken.values())),
    )


def _sorted_positions(positions: Mapping[str, int], taken: Iterable[Claim]) -> dict[str, int]:
    """Of those alone who have a claim in the window."""
    codes = sorted({code for claim in taken for code in (claim.payer, claim.payee)})
    return {code: positions[code] for code in codes}
