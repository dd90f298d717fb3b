"""The shadow of a card: what its records prove of it, as runs without a break; Ibis expressions over tables given.

A run is a stretch of a card's life in which every counter is the next one and every balance follows: the counters
before and after it (offline and online, as JR/T 0025.1 counts them apart), and the balance before and after it. Where
two runs of a card do not meet something is missing between them. Runs of any days, in any order and more than once
merged, are the same runs; so a late record closes its gap whenever it comes. Does not decide what becomes of a gap.
"""

from __future__ import annotations

import ibis
import pyarrow as pa

from jinka.clearing.port import Expr, Table
from jinka.clearing.reasons import Outcome, Remark
from jinka.codec.record import CREDITS, PASSBOOK, CounterKind

GAP_MAX = 64  # more missing counters than this are no gap but a counter that nobody can explain
_BREAK = Remark.COUNTER_BREAK.name or ""

RUNS = pa.schema(
    [
        pa.field("card_no", pa.binary(10), nullable=False),
        pa.field("issuer", pa.string(), nullable=False),
        pa.field(
            "first_date", pa.binary(4), nullable=False
        ),  # local, BCD as the record has it; 0 for an opening
        pa.field("first_time", pa.binary(3), nullable=False),
        pa.field("last_date", pa.binary(4), nullable=False),
        pa.field("last_time", pa.binary(3), nullable=False),
        pa.field("off_first", pa.int32()),  # counter before the first purchase; null without one
        pa.field("off_end", pa.int32()),  # counter after the last
        pa.field("on_first", pa.int32()),
        pa.field("on_end", pa.int32()),
        pa.field("balance_in", pa.int64(), nullable=False),  # fen; an opening comes from nothing
        pa.field("balance_out", pa.int64(), nullable=False),
    ]
)
# Paid by the purse, but not on its chain: the clearing found the counter altered.
OFF_CHAIN = pa.schema(
    [pa.field("card_no", pa.binary(10), nullable=False), pa.field("effect", pa.int64(), nullable=False)]
)
# Records that the centre has and nobody was paid for.
HELD = pa.schema(
    [
        pa.field("card_no", pa.binary(10), nullable=False),
        pa.field("online", pa.bool_(), nullable=False),
        pa.field("counter", pa.int32(), nullable=False),
        pa.field("drop", pa.int64(), nullable=False),  # by how much it would lower the balance
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
# What the officers' deeds moved on one card: `worth` of what it holds, `gaps` of what is missing.
MOVED = pa.schema(
    [
        pa.field("card_no", pa.binary(10), nullable=False),
        pa.field("worth", pa.int64(), nullable=False),
        pa.field("gaps", pa.int64(), nullable=False),
    ]
)
_ORDER = ("first_date", "first_time", "off_at", "on_at")


def opening_runs(cards: pa.Table) -> pa.Table:
    """The registered openings (`jinka.registry.CARDS`) as runs that come before all others."""
    count = cards.num_rows
    off, on = (cards[name].cast(pa.int32()) for name in ("opening_counter", "opening_online"))
    columns = {
        "card_no": cards["card_no"], "issuer": cards["issuer"],
        "off_first": off, "off_end": off, "on_first": on, "on_end": on,
        "balance_in": pa.array([0] * count, pa.int64()), "balance_out": cards["opening_balance"],
    }  # fmt: skip
    for end in ("first", "last"):
        columns[f"{end}_date"] = pa.array([bytes(4)] * count, pa.binary(4))
        columns[f"{end}_time"] = pa.array([bytes(3)] * count, pa.binary(3))
    return pa.table([columns[name] for name in RUNS.names], schema=RUNS)


def _purse(outcomes: Table) -> Table:
    """The purse's records with what each does to the balance."""
    mine = outcomes.filter(~outcomes.txn_type.isin(tuple(map(int, PASSBOOK))))
    credit = mine.txn_type.isin(tuple(map(int, CREDITS)))
    return mine.mutate(
        effect=ibis.ifelse(credit, mine.amount, -mine.amount),
        online=mine.counter_kind == int(CounterKind.ONLINE),
        nth=mine.counter.cast("int32"),
    )


def _paid(outcomes: Table) -> Table:
    rows = _purse(outcomes)
    return rows.filter(rows.outcome == Outcome.PAID.value, ~rows.at_risk)


def day_runs(outcomes: Table) -> Table:
    """The runs of one day's outcomes (`clear_day`), as `RUNS`."""
    rows = _paid(outcomes)
    rows = rows.filter(~rows.findings.contains(_BREAK))
    # Online before offline in one second, as the clearing orders a card's records.
    order = [rows.local_date, rows.local_time, ~rows.online, rows.nth, rows.record_id]
    of_card = ibis.window(group_by=rows.card_no, order_by=order)
    of_kind = ibis.window(group_by=[rows.card_no, rows.online], order_by=order)
    row = rows.select(
        "card_no", "issuer", "local_date", "local_time", "online", "nth", "balance", "effect",
        place=ibis.row_number().over(of_card),
        before=rows.nth.lag().over(of_kind),
        left=rows.balance.lag().over(of_card),
    )  # fmt: skip
    breaks = (row.nth != row.before + 1).fill_null(False) | (row.balance - row.effect != row.left).fill_null(
        False
    )
    row = row.mutate(broken=breaks.cast("int64"))
    row = row.mutate(run=row.broken.sum().over(ibis.cumulative_window(group_by="card_no", order_by="place")))
    offline = ~row.online
    return (
        row.group_by(["card_no", "run"])
        .aggregate(
            issuer=row.issuer.min(),
            first_date=row.local_date.argmin(row.place), first_time=row.local_time.argmin(row.place),
            last_date=row.local_date.argmax(row.place), last_time=row.local_time.argmax(row.place),
            off_first=row.nth.min(where=offline), off_end=row.nth.max(where=offline) + 1,
            on_first=row.nth.min(where=row.online), on_end=row.nth.max(where=row.online) + 1,
            balance_in=(row.balance - row.effect).argmin(row.place),
            balance_out=row.balance.argmax(row.place),
        )
        .select(RUNS.names)
    )  # fmt: skip


def day_off_chain(outcomes: Table) -> Table:
    """What each of the day's records off the chain did to its purse, as `OFF_CHAIN`."""
    rows = _paid(outcomes)
    return rows.filter(rows.findings.contains(_BREAK)).select("card_no", "effect")


def day_held(outcomes: Table) -> Table:
    """The day's records that wait or were refused, as `HELD`; a copy of a record is none."""
    rows = _purse(outcomes)
    waits = (Outcome.UNCONFIRMED.value, Outcome.REJECTED.value, Outcome.AWAITED.value)
    rows = rows.filter(rows.outcome.isin(waits), rows.amount > 0)
    return rows.select("card_no", "online", "record_id", "reason", counter=rows.nth, drop=-rows.effect)


def _linked(runs: Table) -> Table:
    """Each run beside what the ones before it left: counters that are missing, and the step of the balance."""
    row = runs.mutate(off_at=runs.off_first.fill_null(-1), on_at=runs.on_first.fill_null(-1))
    order = [row[name] for name in _ORDER]
    earlier = ibis.window(group_by=row.card_no, order_by=order, rows=(None, -1))
    here = ibis.window(group_by=row.card_no, order_by=order)
    row = row.mutate(
        place=ibis.row_number().over(here),
        off_left=row.off_end.max().over(earlier),
        on_left=row.on_end.max().over(earlier),
        left=row.balance_out.lag().over(here),
        left_date=row.last_date.lag().over(here),
        left_time=row.last_time.lag().over(here),
    )
    return row.mutate(
        off_missing=(row.off_first - row.off_left).fill_null(0),
        on_missing=(row.on_first - row.on_left).fill_null(0),
        step=(row.left - row.balance_in).fill_null(0),
    )


def merged(runs: Table) -> Table:
    """Runs that meet as one; merging what is merged changes nothing."""
    row = _linked(runs)
    meets = (row.off_missing == 0) & (row.on_missing == 0) & (row.step == 0)
    row = row.mutate(apart=ibis.ifelse(meets | (row.place == 0), 0, 1))
    row = row.mutate(run=row.apart.sum().over(ibis.cumulative_window(group_by="card_no", order_by="place")))
    return (
        row.group_by(["card_no", "run"])
        .aggregate(
            issuer=row.issuer.min(),
            first_date=row.first_date.argmin(row.place), first_time=row.first_time.argmin(row.place),
            last_date=row.last_date.argmax(row.place), last_time=row.last_time.argmax(row.place),
            off_first=row.off_first.min(), off_end=row.off_end.max(),
            on_first=row.on_first.min(), on_end=row.on_end.max(),
            balance_in=row.balance_in.argmin(row.place), balance_out=row.balance_out.argmax(row.place),
        )
        .select(RUNS.names)
    )  # fmt: skip


def joints(runs: Table) -> Table:
    """Where merged runs do not meet: the counters that are missing, when, and by how much the balance fell unseen.

    ``gap``: missing counters explain it. Purchases only lower a balance, and a counter that went back, or on by more
    than `GAP_MAX`, is no gap: such a step is unexplained. A missing load may show in the balance at a purchase, before
    the next load shows the counter, and a missing purchase at a load: then the step is that of the later gap.
    """
    row = _linked(runs)
    row = row.filter(row.place > 0)
    plain = row.off_missing.between(0, GAP_MAX) & row.on_missing.between(0, GAP_MAX)
    some = plain & ((row.off_missing > 0) | (row.on_missing > 0))
    row = row.mutate(some=some, own=some & ((row.on_missing > 0) | (row.step >= 0)), plain=plain)
    # The place of a gap among the card's joints: the counter before it stands until the gap is passed.
    for kind in ("off", "on"):
        sign = (row.step > 0) if kind == "off" else (row.step < 0)
        here = ibis.window(group_by=[row.card_no, row[f"{kind}_left"]])
        gap = row.own & (row[f"{kind}_missing"] > 0)
        spare = row.plain & ~row.own & sign
        row = row.mutate(
            **{
                f"{kind}_gap": gap,
                f"{kind}_told": spare & (gap.cast("int64").max().over(here) > 0),
                f"{kind}_spare": whole(ibis.ifelse(spare, row.step, 0).sum().over(here)),
            }
        )
    more = ibis.ifelse(row.off_gap, row.off_spare, 0) + ibis.ifelse(row.on_gap, row.on_spare, 0)
    told = row.off_told | row.on_told
    return row.select(
        "card_no", "issuer", "off_missing", "on_missing",
        step=ibis.ifelse(told, 0, row.step + more),
        off_from=row.off_left, on_from=row.on_left,
        after_date="left_date", after_time="left_time", before_date="first_date", before_time="first_time",
        gap=row.own | (told & row.some),
    )  # fmt: skip


def held_in(found: Table, held: Table, off_chain: Table) -> Table:
    """Gaps, with what the centre has of them: records at the missing counters, and records off the chain.

    A balance that rose by a load which the centre holds is such a gap too: the last load leaves no later counter.
    """
    row = found.mutate(
        joint=ibis.row_number().over(ibis.window(order_by=["card_no", "off_from", "on_from", "step"]))
    )
    at = held.select(h_card="card_no", h_online="online", h_counter="counter", h_drop="drop").distinct()
    near = row.join(at, row.card_no == at.h_card)
    first = ibis.ifelse(near.h_online, near.on_from, near.off_from)
    count = ibis.ifelse(near.h_online, near.on_missing, near.off_missing)
    missed = (near.h_counter >= first) & (near.h_counter < first + count)
    last_load = near.h_online & (near.on_missing == 0) & (near.h_counter >= near.on_from) & (near.step < 0)
    inside = near.filter(missed | (last_load & (near.h_drop == near.step)))
    sums = inside.group_by("joint").aggregate(held=inside.count(), drops=inside.h_drop.sum())
    # Paid under a counter that the clearing found altered, for the very amount: the gap's own record.
    strays = off_chain.select(o_card="card_no", o_effect="effect").distinct()
    own = row.join(strays, (row.card_no == strays.o_card) & (row.step == -strays.o_effect))
    own = own.filter(own.gap, own.step != 0).select("joint").distinct().mutate(stray=True)
    all_ = row.left_join(sums, "joint").drop("joint_right").left_join(own, "joint").drop("joint_right")
    # All of it or nothing: a record that does not explain the whole step may be anything.
    suspended = (all_.held > 0) & (all_.drops == all_.step)
    all_ = all_.mutate(
        held=whole(all_.held), suspended=suspended.fill_null(False), filled=all_.stray.fill_null(False)
    )
    return all_.filter(all_.gap | all_.suspended).drop("joint", "drops", "stray", "gap")


def card_rows(runs: Table, off_chain: Table, moved: Table, gaps: Table) -> Table:
    """One row a card: ``shown`` the last proven balance, ``paid`` what the ledger owes for it, and where the rest is.

    ``paid`` is ``shown`` and ``transit`` and ``suspense`` and ``unexplained``, each computed by itself but the last.
    """
    place = ibis.window(
        group_by=runs.card_no, order_by=[runs.first_date, runs.first_time, runs.off_end, runs.on_end]
    )
    row = runs.mutate(place=ibis.row_number().over(place))
    cards = row.group_by("card_no").aggregate(
        issuer=row.issuer.min(), shown=row.balance_out.argmax(row.place), runs=row.count(),
        off_end=row.off_end.max(), on_end=row.on_end.max(),
        last_date=row.last_date.max(), last_time=row.last_time.argmax(row.place),
        through=(row.balance_out - row.balance_in).sum(),
    )  # fmt: skip
    off = off_chain.group_by("card_no").aggregate(off=off_chain.effect.sum())
    deeds = moved.group_by("card_no").aggregate(worth=moved.worth.sum(), written=moved.gaps.sum())
    open_ = gaps.group_by("card_no").aggregate(
        transit=ibis.ifelse(gaps.suspended | gaps.filled, 0, gaps.step).sum(),
        suspense=ibis.ifelse(gaps.suspended, gaps.step, 0).sum(),
    )
    all_ = cards.left_join(off, "card_no").drop("card_no_right")
    all_ = all_.left_join(deeds, "card_no").drop("card_no_right")
    all_ = all_.left_join(open_, "card_no").drop("card_no_right")
    amounts = {name: whole(all_[name]) for name in ("off", "worth", "written", "transit", "suspense")}
    all_ = all_.mutate(**amounts)
    all_ = all_.mutate(
        paid=whole(all_.through + all_.off + all_.worth + all_.written),
        shown=whole(all_.shown + all_.worth),
        transit=all_.transit + all_.written,
    )
    return all_.mutate(unexplained=all_.paid - all_.shown - all_.transit - all_.suspense)


def whole(amount: Expr) -> Expr:
    """Sums are wider than what they add up, and Ibis does not know: a plain cast would be left out."""
    return amount.fill_null(0).cast("decimal(38,0)").cast("int64")


def day_holes(outcomes: Table) -> Table:
    """Where a terminal's own serial numbers jump within a day: records that it made and that did not arrive."""
    rows = outcomes.filter(outcomes.terminal_serial > 0)
    rows = rows.group_by(["terminal_id", "operator", "terminal_serial"]).aggregate(
        date=rows.local_date.min(), time=rows.local_time.min()
    )
    at = ibis.window(group_by=rows.terminal_id, order_by=rows.terminal_serial)
    row = rows.mutate(
        serial=rows.terminal_serial.cast("int64"), left=rows.terminal_serial.cast("int64").lag().over(at),
        after_date=rows.date.lag().over(at), after_time=rows.time.lag().over(at),
    )  # fmt: skip
    row = row.mutate(missing=row.serial - row.left - 1)
    return row.filter(row.missing.between(1, GAP_MAX)).select(
        "terminal_id", "operator", "missing", "after_date", "after_time",
        serial_from=row.left + 1, before_date="date", before_time="time",
    )  # fmt: skip


HOLES = pa.schema(
    [
        pa.field("terminal_id", pa.binary(6), nullable=False),
        pa.field("operator", pa.string(), nullable=False),
        pa.field("missing", pa.int64(), nullable=False),
        pa.field("after_date", pa.binary(4), nullable=False),
        pa.field("after_time", pa.binary(3), nullable=False),
        pa.field("serial_from", pa.int64(), nullable=False),
        pa.field("before_date", pa.binary(4), nullable=False),
        pa.field("before_time", pa.binary(3), nullable=False),
    ]
)
