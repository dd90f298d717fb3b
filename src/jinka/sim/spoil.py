"""Spoils a day on its way from the terminals to the centre, and keeps the labels of what it did.

Faults are of every kind in `faults.Fault`. A card carries at most one of them (several on one record count as one), so
that each label has one right answer. Records are spoiled before the batch is sealed, as a faulty or dishonest
terminal would do it; batch faults are put in after that. Nothing here is known to the clearing.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field

import pyarrow as pa

from jinka.codec import BATCH_SCHEMA, RECORD_SCHEMA, RecordState, digits_to_bcd
from jinka.codec.canonical import batch_digests, batch_header
from jinka.sim.changes import APPLIED_IN, CHANGES, Forger, Limits, Row
from jinka.sim.faults import EXPECTED, PRECEDENCE, Expectation, Fault
from jinka.sim.listing import LIST_IN_FORCE, LIST_LATE, spread_lists
from jinka.sim.victims import Victims, by_card_in_time, torn_by_nature
from jinka.terminal.batching import batch_id

LATE_BATCH_NO = 900_000  # batches that faults add; a terminal does not close so many in its life
_BATCH_FAULTS = (
    Fault.FALSE_SEAL,
    Fault.FALSE_COUNT,
    Fault.FALSE_TOTAL,
    Fault.BATCH_REPLAYED,
    Fault.BATCH_REUSED,
    Fault.UNKNOWN_TERMINAL,
    Fault.FOREIGN_RECORDS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What was done, where, and what the clearing must answer. ``batch_seq`` is None for a whole batch."""

    fault: Fault
    delivery: str
    batch: bytes
    batch_seq: int | None
    expect: Expectation


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One upload: records and the headers of their batches."""

    name: str
    records: pa.Table
    batches: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoiledDay:
    """The deliveries as they arrive, the lists that were spread meanwhile, and the labels."""

    deliveries: tuple[Delivery, ...]
    listings: pa.Table
    acknowledgements: pa.Table
    labels: tuple[Label, ...]


@dataclass(slots=True)
class _Road:
    """The records on their way, as rows, with the indices that the faults need."""

    draw: random.Random
    forger: Forger
    limits: Limits
    rows: list[Row]
    delivery_of: dict[bytes, str]  # batch -> delivery
    numbers: dict[bytes, tuple[bytes, int]]  # batch -> (terminal, number)
    victims: Victims = field(init=False)
    by_card: dict[bytes, list[int]] = field(init=False)
    by_batch: dict[bytes, list[int]] = field(default_factory=lambda: defaultdict(list))
    used: set[bytes] = field(default_factory=set)  # cards with a fault
    dropped: set[int] = field(default_factory=set)
    late: list[Row] = field(default_factory=list)
    listed: dict[bytes, int] = field(default_factory=dict)  # card -> list version
    labels: list[Label] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.by_card = by_card_in_time(self.rows)
        for indices in self.by_card.values():
            for index in indices:
                self.by_batch[self.rows[index]["batch"]].append(index)
        self.used |= torn_by_nature(self.rows)
        self.victims = Victims(draw=self.draw, rows=self.rows, by_card=self.by_card, used=self.used)

    def label(self, fault: Fault, row: Row, expect: Expectation | None = None) -> None:
        self.labels.append(
            Label(
                fault=fault,
                delivery=self.delivery_of[row["batch"]],
                batch=row["batch"],
                batch_seq=row["batch_seq"],
                expect=expect or EXPECTED[fault],
            )
        )

    def send_late(self, row: Row) -> Row:
        """Put a further record into a late batch of its terminal, delivered after all others."""
        slot = sum(other["terminal_id"] == row["terminal_id"] for other in self.late)
        batch_no = LATE_BATCH_NO + slot
        row["batch"], row["batch_seq"] = batch_id(row["terminal_id"], batch_no), 0
        self.numbers[row["batch"]] = (row["terminal_id"], batch_no)
        self.delivery_of[row["batch"]] = "late"
        self.late.append(row)
        return row


def spoil_day(
    deliveries: list[Delivery],
    *,
    share: float,
    seed: int,
    purse_limit: int,
    terminals: list[bytes],
    forger: Forger,
) -> SpoiledDay:
    """Return the day as it arrives when ``share`` of its records are at fault; every kind that has a victim occurs.

    The same arguments give the same faults. ``terminals`` are all that acknowledge lists.
    """
    records = pa.concat_tables([delivery.records for delivery in deliveries])
    operators = tuple(sorted(set(records["operator"].to_pylist())))
    batches = [row for delivery in deliveries for row in delivery.batches.to_pylist()]
    road = _Road(
        draw=random.Random(f"spoil|{seed}|{share}"),  # noqa: S311 a seeded simulation
        forger=forger,
        limits=Limits(purse_limit=purse_limit, operators=operators),
        rows=records.to_pylist(),
        delivery_of={b: d.name for d in deliveries for b in d.batches["batch"].to_pylist()},
        numbers={row["batch"]: (row["terminal_id"], row["batch_no"]) for row in batches},
    )
    wanted = max(len(Fault), round(share * records.num_rows))
    of_each_batch_kind = max(1, wanted // 200)
    chosen = _choose_batches(road, of_each_batch_kind)
    kinds = [fault for fault in Fault if fault not in _BATCH_FAULTS and _can_be(fault, road.limits)]
    for number in range(wanted - len(chosen)):
        _spoil_record(road, kinds[number % len(kinds)])
    return _deliver(road, deliveries, chosen, terminals)


def _can_be(fault: Fault, limits: Limits) -> bool:
    """A record is claimed by another operator only where there is one."""
    return fault is not Fault.FOREIGN_OPERATOR or len(limits.operators) > 1


def _choose_batches(road: _Road, count: int) -> list[tuple[bytes, Fault]]:
    """Pick whole batches of moderate size, half of them at most; their cards take no other fault.

    A record that moves into another terminal's batch is taken here, while there are cards without a fault.
    """
    candidates = sorted(batch for batch, indices in road.by_batch.items() if 2 <= len(indices) <= 40)
    candidates = candidates or sorted(road.by_batch)
    wanted = min(len(candidates) // 2, count * len(_BATCH_FAULTS))
    picked = road.draw.sample(candidates, wanted)
    for batch in picked:
        road.used.update(road.rows[i]["card_no"] for i in road.by_batch[batch])
    chosen = [(batch, _BATCH_FAULTS[i % len(_BATCH_FAULTS)]) for i, batch in enumerate(picked)]
    return [
        (batch, fault)
        for batch, fault in chosen
        if fault is not Fault.FOREIGN_RECORDS or _move_record(road, batch)
    ]


def _spoil_record(road: _Road, fault: Fault) -> None:
    """Put one fault of this kind onto a fresh card; nothing when the day is too small to have a victim."""
    index = road.victims.of(fault)
    if index is None:
        return
    row = road.rows[index]
    if fault in (Fault.DUPLICATE, Fault.ALTERED_DUPLICATE):
        copy = road.send_late(dict(row))
        if fault is Fault.ALTERED_DUPLICATE:
            copy[road.draw.choice(("balance", "counter"))] += road.draw.randrange(1, 90)
        road.label(fault, copy)
    elif fault is Fault.COUNTER_REUSED:
        road.label(fault, _clone(road, row))
    elif fault is Fault.FORGED_TORN:
        road.label(fault, _made_up(road, row))
    elif fault is Fault.COUNTER_GAP:
        road.dropped.add(index)
        indices = road.by_card[row["card_no"]]
        road.label(fault, road.rows[indices[indices.index(index) + 1]])
    elif fault in (Fault.BLOCKED_CARD, Fault.LATE_LIST):
        road.listed[row["card_no"]] = LIST_IN_FORCE if fault is Fault.BLOCKED_CARD else LIST_LATE
        road.label(fault, row)
    elif fault is Fault.SEVERAL:
        possible = [kind for kind in APPLIED_IN if _can_be(kind, road.limits)]
        several = road.draw.sample(possible, road.draw.randrange(2, 5))
        for kind in sorted(several, key=APPLIED_IN.index):
            CHANGES[kind](road.draw, road.forger, road.limits, row)
        reasons = [EXPECTED[kind].reason for kind in several]
        road.label(fault, row, Expectation(outcome="REJECTED", reason=min(reasons, key=PRECEDENCE.index)))
    else:
        CHANGES[fault](road.draw, road.forger, road.limits, row)
        road.label(fault, row)


def _clone(road: _Road, row: Row) -> Row:
    """A cloned card taps a minute later at another terminal: same counter, same balance, a TAC of its own."""
    copy = _elsewhere(road, row)
    copy["tac"] = road.forger.tac(copy)
    return road.send_late(copy)


def _made_up(road: _Road, row: Row) -> Row:
    """A terminal that the card never met claims the debit that would come next; without a TAC, as if torn."""
    copy = _elsewhere(road, row)
    copy["state"], copy["tac"] = int(RecordState.UNCONFIRMED), None
    copy["counter"] += 1
    copy["balance"] -= copy["amount"]
    return road.send_late(copy)


def _elsewhere(road: _Road, row: Row) -> Row:
    """The same tap a minute later at another terminal."""
    index = road.victims.bystander(lambda terminal: terminal != row["terminal_id"])
    elsewhere = row if index is None else road.rows[index]
    copy = dict(row)
    for name in ("terminal_id", "psam_id", "operator", "acquirer", "line", "stop"):
        copy[name] = elsewhere[name]
    copy["terminal_serial"] = 2_000_000_000 + len(road.late)
    seconds = int(copy["local_time"][:1].hex()) * 3600 + int(copy["local_time"][1:2].hex()) * 60
    minutes = min(seconds // 60 + 1, 24 * 60 - 1)
    copy["local_time"] = bytes.fromhex(f"{minutes // 60:02d}{minutes % 60:02d}59")
    return copy


def _deliver(
    road: _Road, deliveries: list[Delivery], chosen: list[tuple[bytes, Fault]], terminals: list[bytes]
) -> SpoiledDay:
    """Close and seal all batches anew, put in the batch faults, and add the late and the repeated ones."""
    for batch, kind in chosen:
        if kind is Fault.UNKNOWN_TERMINAL:
            _rename_terminal(road, batch)
    kept = [row for index, row in enumerate(road.rows) if index not in road.dropped] + road.late
    rows_of: dict[str, list[Row]] = defaultdict(list)
    for row in kept:
        rows_of[road.delivery_of[row["batch"]]].append(row)
    faults = dict(chosen)
    again: list[Row] = []
    arriving = []
    for name in [*(delivery.name for delivery in deliveries), "late"]:
        headers = _headers(road, rows_of[name])
        for header in headers:
            fault = faults.get(header["batch"])
            if fault in (Fault.BATCH_REPLAYED, Fault.BATCH_REUSED):
                again += _repeat(road, fault, header["batch"])
            elif fault is not None:
                if fault in (Fault.FALSE_SEAL, Fault.FALSE_COUNT, Fault.FALSE_TOTAL):
                    _spoil_header(road, fault, header, rows_of[name])
                _label_batch(road, fault, name, header["batch"])
        arriving.append(_delivery(name, rows_of[name], headers))
    arriving.append(_delivery("again", again, _headers(road, again)))
    for batch, fault in chosen:
        if fault in (Fault.BATCH_REPLAYED, Fault.BATCH_REUSED):
            _label_batch(road, fault, "again", batch)
    listings, acknowledgements = spread_lists(road.rows, road.listed, terminals)
    return SpoiledDay(
        deliveries=tuple(arriving),
        listings=listings,
        acknowledgements=acknowledgements,
        labels=tuple(road.labels),
    )


def _rename_terminal(road: _Road, batch: bytes) -> None:
    """A terminal that nobody registered sends the batch as its own, records and all."""
    stranger = digits_to_bcd(f"99{road.draw.randrange(10**10):010d}", 6)
    for index in road.by_batch[batch]:
        road.rows[index]["terminal_id"] = stranger
    road.numbers[batch] = (stranger, road.numbers[batch][1])


def _move_record(road: _Road, batch: bytes) -> bool:
    """A terminal puts a record of another terminal into its own batch; False when no record is left for it."""
    index = road.victims.bystander(lambda terminal: terminal != road.numbers[batch][0])
    if index is None:
        return False
    row = road.rows[index]
    road.used.add(row["card_no"])
    row["batch_seq"] = 1 + max(road.rows[own]["batch_seq"] for own in road.by_batch[batch])
    row["batch"] = batch
    return True


def _headers(road: _Road, rows: list[Row]) -> list[Row]:
    sums: dict[bytes, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        sums[row["batch"]][0] += 1
        sums[row["batch"]][1] += row["amount"]
    headers = []
    for batch, digest in batch_digests(pa.Table.from_pylist(rows, schema=RECORD_SCHEMA)):
        terminal, number = road.numbers[batch]
        header = {
            "batch": batch,
            "terminal_id": terminal,
            "batch_no": number,
            "record_count": sums[batch][0],
            "total": sums[batch][1],
        }
        headers.append(header | {"seal": _seal(road, header, digest)})
    return headers


def _seal(road: _Road, header: Row, digest: bytes) -> bytes:
    names = ("terminal_id", "batch_no", "record_count", "total", "batch")
    raw = batch_header(**{name: header[name] for name in names})
    return road.forger.seal_batch(terminal_id=header["terminal_id"], header=raw, digest32=digest)


def _spoil_header(road: _Road, fault: Fault, header: Row, rows: list[Row]) -> None:
    """False seals do not open; false counts and totals are sealed by the terminal itself, so the seal is right."""
    if fault is Fault.FALSE_SEAL:
        header["seal"] = bytes((header["seal"][0] ^ 1,)) + header["seal"][1:]
        return
    header["record_count" if fault is Fault.FALSE_COUNT else "total"] += road.draw.randrange(1, 9)
    own = pa.Table.from_pylist([r for r in rows if r["batch"] == header["batch"]], schema=RECORD_SCHEMA)
    header["seal"] = _seal(road, header, batch_digests(own)[0][1])


def _repeat(road: _Road, fault: Fault, batch: bytes) -> list[Row]:
    rows = [dict(road.rows[index]) for index in road.by_batch[batch] if index not in road.dropped]
    if fault is Fault.BATCH_REUSED:
        rows[0]["gross_fare"] += 1
    return rows


def _label_batch(road: _Road, fault: Fault, delivery: str, batch: bytes) -> None:
    road.labels.append(
        Label(fault=fault, delivery=delivery, batch=batch, batch_seq=None, expect=EXPECTED[fault])
    )


def _delivery(name: str, rows: list[Row], headers: list[Row]) -> Delivery:
    return Delivery(
        name=name,
        records=pa.Table.from_pylist(rows, schema=RECORD_SCHEMA),
        batches=pa.Table.from_pylist(headers, schema=BATCH_SCHEMA),
    )
