"""The cells of a scheme's statistics: counts and amounts that add up, from a city to the nation, to the fen.

A cell is one day, one kind of use, one sector, the card's issuer and the acquirer with their regions, and one outcome.
Everything that is shown follows from sums of cells: volumes, success rates, cards, flows between cities. So a parent's
table is the sum of its children's (`add_up`), in any order.

Each event is a cell's once: a record where it was taken in, when its outcome is known, and a card where it was
registered, when it was new. Codes that no registered card or party stands behind are left out of the keys, so that
nobody makes cells at will. How many different cards were used is not here: such numbers do not add up. No card number
is either.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import Enum

import pyarrow as pa
import pyarrow.compute as pc

from jinka.clearing.port import FIRST_INBOUND
from jinka.clearing.reasons import Outcome, Reason
from jinka.codec.record import CASH, CREDITS, DEBITS
from jinka.kit import MAX_MINOR, Refused
from jinka.registry import Registry


class Use(Enum):
    """What a cell counts."""

    CARDS = "cards"  # new ones
    PURCHASE = "purchase"
    LOAD = "load"
    CASH = "cash"
    OTHER = "other"


KEYS = ("date", "use", "sector", "issuer", "issuer_region", "acquirer", "acquirer_region", "outcome")
STATISTICS = pa.schema(
    [
        pa.field("date", pa.date32(), nullable=False),
        pa.field("use", pa.string(), nullable=False),
        pa.field("sector", pa.string(), nullable=False),  # the card's profile
        pa.field("issuer", pa.string(), nullable=False),
        pa.field("issuer_region", pa.string(), nullable=False),  # "" where the centre does not know it
        pa.field("acquirer", pa.string(), nullable=False),
        pa.field("acquirer_region", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),  # "" for cards
        pa.field("count", pa.int64(), nullable=False),
        pa.field("amount", pa.int64(), nullable=False),
    ],
    metadata={b"jinka.statistics": b"1"},
)
READS = ("record_id", "profile", "txn_type", "issuer", "acquirer", "outcome", "reason", "amount")
_SUM = pa.decimal128(38)
_AMOUNT_MAX = 2**32 - 1  # what a MAC can bind; a record that claims more is refused and would spoil a sum
_WORD_MAX = 64
# Outcomes that are given only once the card is known, and with it who issued it.
_CARD_KNOWN = (
    Reason.ACCEPTED, Reason.WRONG_TAC, Reason.NOT_CONCLUDED, Reason.DUPLICATE, Reason.ALTERED_DUPLICATE,
    Reason.NOT_DEBITED, Reason.UNRESOLVED,
)  # fmt: skip


def statistics_of(
    outcomes: Iterable[pa.Table | pa.RecordBatch],
    registry: Registry,
    *,
    date: dt.date,
    known: pa.Table | None = None,
) -> pa.Table:
    """The cells of a day as `STATISTICS`, of outcomes in parts and of the cards that are not among ``known``.

    Records that other centres took in, and those that await an answer, are theirs, or a later day's.
    """
    parts = [_cells(pa.table(part).select(READS), registry, date) for part in outcomes]
    return add_up([*parts, _cards(registry, date, known)])


def add_up(tables: Iterable[pa.Table]) -> pa.Table:
    """The sum of tables of cells, sorted by their keys; raises `Refused` for a sum of more than 63 bits."""
    table = pa.concat_tables([STATISTICS.empty_table(), *tables])
    for name in ("count", "amount"):
        at = STATISTICS.get_field_index(name)
        table = table.set_column(at, name, table[name].cast(_SUM))
    sums = table.group_by(list(KEYS), use_threads=False).aggregate([("count", "sum"), ("amount", "sum")])
    sums = sums.rename_columns([*KEYS, "count", "amount"]).sort_by([(name, "ascending") for name in KEYS])
    for name in ("count", "amount"):
        if sums.num_rows and pc.max(sums[name]).as_py() > MAX_MINOR:
            raise Refused(f"a {name} of more than 63 bits", where="statistics")
    return sums.select(STATISTICS.names).cast(STATISTICS)


def require_statistics(table: pa.Table, *, where: str) -> pa.Table:
    """Another centre's cells, if they can be any; raises `Refused`."""
    if table.schema.names != STATISTICS.names or any(
        table.schema.field(field.name).type != field.type for field in STATISTICS
    ):
        raise Refused("not the columns of statistics", where=where, fix="schema jinka.statistics 1")
    if any(table[name].null_count for name in STATISTICS.names):
        raise Refused("a value is missing", where=where)
    for name in ("count", "amount"):
        if table.num_rows and pc.min(table[name]).as_py() < 0:
            raise Refused(f"a negative {name}", where=where)
    words = {"use": {use.value for use in Use}, "outcome": {"", *(outcome.value for outcome in Outcome)}}
    for name in KEYS[1:]:
        found = set(pc.unique(table[name]).to_pylist())
        if name in words and (odd := sorted(found - words[name])):
            raise Refused(f"no such {name}: {odd[0][:40]!r}", where=where)
        if any(len(word) > _WORD_MAX or not word.isprintable() for word in found):
            raise Refused(f"a {name} that is no code", where=where, fix=f"at most {_WORD_MAX} characters")
    return table.cast(STATISTICS)


def _cells(part: pa.Table, registry: Registry, date: dt.date) -> pa.Table:
    mine = pc.and_(
        pc.less(part["record_id"], FIRST_INBOUND),
        pc.not_equal(part["outcome"].cast(pa.string()), Outcome.AWAITED.value),
    )
    rows = part.filter(mine)
    told = pc.is_in(rows["reason"].cast(pa.string()), pa.array([reason.name for reason in _CARD_KNOWN]))
    regions = _regions(registry)
    profiles = pc.unique(registry.cards["profile"])
    columns = {
        "use": _uses(rows["txn_type"]),
        "sector": _believed(rows["profile"], profiles, told),
        "outcome": rows["outcome"].cast(pa.string()),
        "count": pa.array([1] * rows.num_rows, pa.int64()) if rows.num_rows else pa.array([], pa.int64()),
        "amount": pc.if_else(
            pc.and_(pc.greater_equal(rows["amount"], 0), pc.less_equal(rows["amount"], _AMOUNT_MAX)),
            rows["amount"],
            0,
        ),
    }
    for name in ("issuer", "acquirer"):
        columns[name] = _believed(rows[name], regions["code"].combine_chunks(), told)
    groups = ["use", "sector", "issuer", "acquirer", "outcome"]
    sums = (
        pa.table(columns)
        .group_by(groups, use_threads=False)
        .aggregate([("count", "sum"), ("amount", "sum")])
        .rename_columns([*groups, "count", "amount"])
    )
    return _placed(sums, regions, date)


def _cards(registry: Registry, date: dt.date, known: pa.Table | None) -> pa.Table:
    cards = registry.cards.select(["card_no", "issuer", "profile"])
    if known is not None:
        cards = cards.filter(pc.invert(pc.is_in(cards["card_no"], known["card_no"].combine_chunks())))
    sums = cards.group_by(["issuer", "profile"], use_threads=False).aggregate([("card_no", "count")])
    sums = sums.rename_columns(["issuer", "sector", "count"])
    fixed = {"use": Use.CARDS.value, "acquirer": "", "outcome": ""}
    for name, word in fixed.items():
        sums = sums.append_column(name, pa.array([word] * sums.num_rows, pa.string()))
    sums = sums.append_column("amount", pa.array([0] * sums.num_rows, pa.int64()))
    return _placed(sums, _regions(registry), date)


def _regions(registry: Registry) -> pa.Table:
    return registry.participants.select(["code", "region"])


def _placed(sums: pa.Table, regions: pa.Table, date: dt.date) -> pa.Table:
    """The sums with the date and the regions of both parties."""
    where = dict(zip(regions["code"].to_pylist(), regions["region"].to_pylist(), strict=True))
    columns = {name: sums[name] for name in sums.schema.names}
    columns["date"] = pa.array([date] * sums.num_rows, pa.date32())
    for name in ("issuer", "acquirer"):
        found = [where.get(code, "") for code in sums[name].to_pylist()]
        columns[f"{name}_region"] = pa.array(found, pa.string())
    return pa.table([columns[field.name].cast(field.type) for field in STATISTICS], schema=STATISTICS)


def _uses(types: pa.ChunkedArray) -> pa.ChunkedArray:
    """The use of each transaction type; the cash types are among the debits, so they come first."""
    conditions = [
        pc.is_in(types, pa.array([int(each) for each in kinds], pa.uint8()))
        for kinds in (CASH, CREDITS, DEBITS)
    ]
    given = pc.make_struct(*conditions, field_names=["cash", "load", "purchase"])
    return pc.case_when(given, *(use.value for use in (Use.CASH, Use.LOAD, Use.PURCHASE, Use.OTHER)))


def _believed(codes: pa.ChunkedArray, registered: pa.Array, told: pa.ChunkedArray) -> pa.ChunkedArray:
    """A code that is registered here or was vouched for; "" otherwise."""
    codes = codes.cast(pa.string())
    return pc.if_else(pc.or_(pc.is_in(codes, registered), told), codes, "")


__all__ = ["READS", "STATISTICS", "Use", "add_up", "require_statistics", "statistics_of"]
