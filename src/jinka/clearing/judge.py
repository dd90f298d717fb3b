"""The judgement of one card whose records do not form a perfect chain. Pure; no tables, no engine.

A card's truth is two rising counters (purchases offline, loads online) and one balance that both kinds move. Given
the card's records with valid TACs and its torn taps, in the order of local time, this module finds

- what became of each torn tap,
- the records that lie on the counters' chain, the holes in it, and the records that are off it,
- the records whose balance is off, steps of the balance that no hole explains, and what the holes cost.

"On the chain" is the reading with the most records, then the fewest contradictions between holes and records that
are off, then the most balances that follow. Which reading is simplest for the balance is a sum of costs: `_COST_GAP`
for a step that a hole explains, `_COST_OFF` for one record that is off, `_COST_STEP` for a step that nothing explains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from jinka.clearing.reasons import Reason, Remark

LOOK_BACK = 256  # taps of one card that a link may span: bounds the work on a flooded card
COUNTERS = 65_536  # a counter has two bytes
NO_REMARK = Remark(0)
_COST_GAP, _COST_OFF, _COST_STEP = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Tap:
    """One record of the card, good on its own and no duplicate. Counters are those before the transaction."""

    record_id: int
    online: bool
    counter: int
    amount: int
    balance: int
    torn: bool = False
    explained: bool = True  # the tariff gives this amount; asked of torn taps only, which no TAC vouches for
    out: bool = False  # an unload or an online release: under the online counter, and yet money off the card

    @property
    def effect(self) -> int:
        """What the transaction does to the balance."""
        return self.amount if self.online and not self.out else -self.amount


@dataclass(frozen=True, slots=True)
class Opening:
    """Counters and balance of the card before the first transaction of the day."""

    counter: int
    online: int
    balance: int


@dataclass(slots=True)
class Verdict:
    """What the chain says about one record."""

    reason: Reason = Reason.ACCEPTED
    remarks: Remark = NO_REMARK
    at_risk: bool = False  # paid by the scheme's risk account, not by the purse


@dataclass(frozen=True, slots=True)
class Hole:
    """``missing`` counters between the taps at two positions; position -1 is the opening."""

    before: int
    after: int
    missing: int
    online: bool


@dataclass(slots=True)
class CardJudgement:
    """Verdicts by record id, and sums in minor units: debits less loads that the holes hide, money from nowhere."""

    verdicts: dict[int, Verdict] = field(default_factory=dict)
    missing_count: int = 0
    missing_minor: int = 0
    nowhere_minor: int = 0
    excused: set[int] = field(
        default_factory=set
    )  # records whose break a lost load explains: no fault of the holder


def judge_card(
    opening: Opening, taps: Sequence[Tap], *, gap_max: int, lost_loads: Sequence[int] = ()
) -> CardJudgement:
    """Judge the taps of one card, given in the order of local time (a load before a purchase of the same second).

    ``lost_loads`` are the amounts of its loads that were rejected or parked: such a step of the balance is explained.
    """
    settled: dict[int, Reason] = {}  # torn taps that are not paid
    proven = _prove_torn(opening, taps, settled)
    while True:
        chain = [tap for tap in taps if not tap.torn or tap.record_id in proven]
        result = CardJudgement(verdicts={tap.record_id: Verdict() for tap in taps})
        _judge_chain(opening, chain, gap_max, list(lost_loads), result)
        doubtful = _doubtful(chain, proven, result)
        if not doubtful:
            break
        proven -= doubtful
        settled |= dict.fromkeys(doubtful, Reason.UNRESOLVED)
    for record_id, reason in settled.items():
        result.verdicts[record_id].reason = reason
    for record_id in proven:
        result.verdicts[record_id].remarks |= Remark.TORN_RESOLVED
    return result


def _judge_chain(
    opening: Opening, chain: Sequence[Tap], gap_max: int, lost_loads: list[int], result: CardJudgement
) -> None:
    holes = _plain_holes(opening, chain, gap_max)
    if holes is None:
        holes = [
            hole
            for online, start in ((False, opening.counter), (True, opening.online))
            for hole in _place(opening.balance, chain, online, start, gap_max, result)
        ]
    for hole in holes:
        result.verdicts[chain[hole.after].record_id].remarks |= Remark.COUNTER_GAP
        result.missing_count += hole.missing
    _balance(opening.balance, chain, holes, lost_loads, result)


def _prove_torn(opening: Opening, taps: Sequence[Tap], settled: dict[int, Reason]) -> set[int]:
    """The torn taps that the chain shows to be debited; ``settled`` gets the reasons of the others.

    A torn tap carries no TAC, so anybody could have made it up: it must fit on both sides, and alone.
    """
    confirmed = {(tap.online, tap.counter) for tap in taps if not tap.torn}
    claims = Counter((tap.online, tap.counter) for tap in taps if tap.torn)
    proven: set[int] = set()
    for tap in taps:
        if not tap.torn:
            continue
        place = (tap.online, tap.counter)
        if place in confirmed:  # the card would not show the same counter again after a debit
            settled[tap.record_id] = Reason.NOT_DEBITED
        elif claims[place] > 1 or not tap.explained:
            settled[tap.record_id] = Reason.UNRESOLVED
        else:
            proven.add(tap.record_id)
    while proven:
        chain = [tap for tap in taps if not tap.torn or tap.record_id in proven]
        wrong: dict[int, Reason] = {}
        for i in range(len(chain) - 1, -1, -1):
            if chain[i].torn and (reason := _unproven(opening, chain, i, wrong)) is not None:
                wrong[chain[i].record_id] = reason
        if not wrong:
            break
        settled |= wrong
        proven -= wrong.keys()
    return proven


def _unproven(opening: Opening, chain: Sequence[Tap], i: int, wrong: Mapping[int, Reason]) -> Reason | None:
    """Why the torn tap at position ``i`` is not paid; None when the taps before and after it show the debit."""
    torn = chain[i]
    if not _follows(opening, chain, i):
        return Reason.UNRESOLVED
    balance = torn.balance
    for tap in chain[i + 1 : i + 1 + LOOK_BACK]:
        if tap.record_id in wrong:
            continue
        balance += tap.effect
        if tap.online == torn.online:
            fits = tap.counter == (torn.counter + 1) % COUNTERS and tap.balance == balance
            return None if fits else Reason.UNRESOLVED
        if torn.amount and tap.balance == balance:
            return None
        if torn.amount and tap.balance == balance - torn.effect:
            return Reason.NOT_DEBITED
    return Reason.UNRESOLVED


def _follows(opening: Opening, chain: Sequence[Tap], i: int) -> bool:
    """Whether the tap at ``i`` has the very next counter of its kind, and a balance that follows from there."""
    tap, moved = chain[i], chain[i].effect
    for before in reversed(chain[max(0, i - LOOK_BACK) : i]):
        if before.online == tap.online:
            return (before.counter + 1) % COUNTERS == tap.counter and before.balance + moved == tap.balance
        moved += before.effect
    start = opening.online if tap.online else opening.counter
    return i < LOOK_BACK and tap.counter == start and opening.balance + moved == tap.balance


def _doubtful(chain: Sequence[Tap], proven: set[int], result: CardJudgement) -> set[int]:
    """Torn taps that are off the chain, or whose neighbours are: what proves nothing pays nothing."""
    off = Remark.COUNTER_BREAK | Remark.BALANCE_BREAK | Remark.COUNTER_REUSED
    found = set()
    for i, tap in enumerate(chain):
        if tap.record_id not in proven:
            continue
        own = result.verdicts[tap.record_id]
        doubted = bool(own.remarks) or own.at_risk
        for later in chain[i + 1 : i + 1 + LOOK_BACK]:
            witness = result.verdicts[later.record_id]
            doubted = doubted or witness.at_risk or bool(witness.remarks & off)
            if later.online == tap.online:
                break
        if doubted:
            found.add(tap.record_id)
    return found


def _plain_holes(opening: Opening, chain: Sequence[Tap], gap_max: int) -> list[Hole] | None:
    """The holes of a card whose counters only rise, or None if it takes more to read them."""
    last = {False: (opening.counter - 1, -1), True: (opening.online - 1, -1)}
    holes = []
    for i, tap in enumerate(chain):
        counter, position = last[tap.online]
        missing = tap.counter - counter - 1
        if not 0 <= missing <= gap_max:
            return None
        if missing:
            holes.append(Hole(position, i, missing, tap.online))
        last[tap.online] = (tap.counter, i)
    return holes


def _place(
    balance: int, chain: Sequence[Tap], online: bool, start: int, gap_max: int, result: CardJudgement
) -> list[Hole]:
    """Find the counters' chain among the taps of one kind, mark those that are off it, and return its holes."""
    places = [i for i, tap in enumerate(chain) if tap.online == online]
    on = _longest(balance, chain, places, start, gap_max)
    steps = [-1, *on]
    holes = []
    for n, before in enumerate(steps):
        after = steps[n + 1] if n + 1 < len(steps) else None
        off = [i for i in places if i > before and (after is None or i < after)]
        base = chain[before].counter if before >= 0 else start - 1
        missing = chain[after].counter - base - 1 if after is not None else 0
        filled = _mark_off(balance, chain, on, before, after, off, missing, result)
        if after is not None and missing > filled:
            holes.append(Hole(before, after, missing - filled, online))
    return holes


def _longest(
    balance: int, chain: Sequence[Tap], places: Sequence[int], start: int, gap_max: int
) -> list[int]:
    """Positions of the best chain: most records, fewest contradictions, most balances that follow, the earliest."""
    sums = [0, *accumulate(tap.effect for tap in chain)]
    own = [0, *accumulate(tap.effect if i in set(places) else 0 for i, tap in enumerate(chain))]
    best: list[tuple[int, int, int] | None] = []
    back: list[int] = []
    for n, i in enumerate(places):
        tap, top, link = chain[i], None, -1
        for m in range(-1, n):
            if m >= 0 and (m < n - LOOK_BACK or best[m] is None):
                continue
            before = places[m] if m >= 0 else -1
            missing = tap.counter - (chain[before].counter if m >= 0 else start - 1) - 1
            if not 0 <= missing <= gap_max:
                continue
            skipped = n - m - 1
            moved = sums[i + 1] - sums[before + 1]
            if skipped != missing:  # those between are surplus: they did not move this purse
                moved -= own[i] - own[before + 1]
            follows = (chain[before].balance if m >= 0 else balance) + moved == tap.balance
            old = best[m] if m >= 0 else (0, 0, 0)
            assert old is not None
            score = (old[0] + 1, old[1] - abs(missing - skipped), old[2] + follows)
            if top is None or score > top:
                top, link = score, m
        best.append(top)
        back.append(link)
    ends = [n for n in range(len(places)) if best[n] is not None]
    if not ends:
        return []
    n = max(ends, key=lambda end: (best[end], -end))
    path = []
    while n >= 0:
        path.append(places[n])
        n = back[n]
    return path[::-1]


def _mark_off(
    opening: int, chain: Sequence[Tap], on: Sequence[int], before: int, after: int | None, off: Sequence[int],
    missing: int, result: CardJudgement,
) -> int:  # fmt: skip
    """Mark the taps between two of the chain as reused or out of place; return how many holes they fill."""
    genuine = {chain[i].counter: chain[i] for i in on}
    filled = 0
    for i in off:
        tap, verdict = chain[i], result.verdicts[chain[i].record_id]
        balance = chain[before].balance if before >= 0 else opening
        follows = balance + sum(other.effect for other in chain[before + 1 : i + 1]) == tap.balance
        same = genuine.get(tap.counter)
        if after is not None:
            altered = missing > filled and (same is None or follows)
        else:  # nothing follows that could show a hole
            altered = same is None or (follows and before >= 0 and chain[before].amount > 0)
        if altered:
            verdict.remarks |= Remark.COUNTER_BREAK
            filled += 1
        elif same is not None:
            verdict.remarks |= Remark.COUNTER_REUSED
            verdict.at_risk = True
            result.verdicts[same.record_id].remarks |= Remark.COUNTER_REUSED
        else:
            verdict.remarks |= Remark.COUNTER_BREAK
            verdict.at_risk = not follows
    return filled


def _balance(
    opening: int, chain: Sequence[Tap], holes: Sequence[Hole], lost_loads: list[int], result: CardJudgement
) -> None:
    """Find the simplest reading of the balances and mark what does not follow."""
    places = [i for i, tap in enumerate(chain) if not result.verdicts[tap.record_id].at_risk]
    # A balance freed of all effects up to it: constant along an unbroken chain.
    level = [0] * len(chain)
    moved = 0
    for i in places:
        moved += chain[i].effect
        level[i] = chain[i].balance - moved
    if not holes and all(level[i] == opening for i in places):
        return
    cost = [0] * len(places)
    back = [-1] * len(places)
    for n, i in enumerate(places):
        cost[n] = _COST_OFF * (n + 1) + _COST_STEP
        for m in range(max(-1, n - LOOK_BACK), n):
            before, old = (places[m], level[places[m]]) if m >= 0 else (-1, opening)
            price = (cost[m] if m >= 0 else 0) + _COST_OFF * (n - m - 1)
            if price < cost[n]:
                price += _link_cost(before, i, level[i] - old, holes, lost_loads)
                if price < cost[n]:
                    cost[n], back[n] = price, m
    count = len(places)
    n = min(range(-1, count), key=lambda end: (cost[end] if end >= 0 else 0) + _COST_OFF * (count - end - 1))
    on = set()
    while n >= 0:
        on.add(places[n])
        old, before = (level[places[back[n]]], places[back[n]]) if back[n] >= 0 else (opening, -1)
        step = level[places[n]] - old
        cost_of = _link_cost(before, places[n], step, holes, lost_loads)
        _account(chain[places[n]], cost_of, step, lost_loads, result)
        n = back[n]
    for i in places:
        if i not in on:
            result.verdicts[chain[i].record_id].remarks |= Remark.BALANCE_BREAK


def _link_cost(before: int, after: int, step: int, holes: Sequence[Hole], lost_loads: Sequence[int]) -> int:
    if not step:
        return 0
    if step in lost_loads:
        return _COST_GAP
    for hole in holes:
        between = max(hole.before, before) < min(hole.after, after)
        if between and (step > 0) == hole.online:  # missing purchases lower the level, missing loads raise it
            return _COST_GAP
    return _COST_STEP


def _account(tap: Tap, cost: int, step: int, lost_loads: list[int], result: CardJudgement) -> None:
    if cost == _COST_GAP:
        result.missing_minor -= step
        if step in lost_loads:
            lost_loads.remove(step)
            result.verdicts[tap.record_id].remarks |= Remark.BALANCE_BREAK
            result.excused.add(tap.record_id)
    elif cost == _COST_STEP:
        result.verdicts[tap.record_id].remarks |= Remark.BALANCE_BREAK
        result.nowhere_minor += max(step, 0)
