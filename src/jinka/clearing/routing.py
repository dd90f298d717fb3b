"""Which way the rows of a parcel go: up only as far as they must, and back the same way.

Records go towards the centre of the card's issuer, verdicts towards the centre that took the record in, claims
(`CLAIMS`) towards the centre of the party that is not at home where the claim was made, listed cards to everybody. A
child speaks for the centres and participants that it was admitted with and for no others: a parcel with a row of
somebody else's is refused whole.

Tables in, tables out; no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from jinka.clearing.net import Flow, LineKind
from jinka.clearing.tiers import Surroundings
from jinka.kit import MAX_MINOR, Refused

# A flow of money between a party at ``centre``, which says so, and another one, ``far``; of one round.
CLAIMS = pa.schema(
    [
        pa.field("centre", pa.string(), nullable=False),
        pa.field("round", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("payer", pa.string(), nullable=False),
        pa.field("payee", pa.string(), nullable=False),
        pa.field("far", pa.string(), nullable=False),
        pa.field("amount", pa.int64(), nullable=False),
    ],
    metadata={b"jinka.claims": b"1"},
)
# Cards that a centre has put onto its list; every other centre gets them.
LISTED = pa.schema(
    [
        pa.field("centre", pa.string(), nullable=False),
        pa.field("issuer", pa.string(), nullable=False),
        pa.field("card_no", pa.binary(10), nullable=False),
        pa.field("effective_from", pa.string(), nullable=False),
    ],
    metadata={b"jinka.listed": b"1"},
)
_KINDS = frozenset(kind.value for kind in LineKind)


def claims_of(flows: Iterable[Flow], around: Surroundings, *, round_: int) -> pa.Table:
    """The flows that leave this centre's books: one party is at home here, the other is not.

    Raises `Refused` for a flow of two strangers.
    """
    rows = []
    for flow in flows:
        home = [party in around.participants for party in (flow.payer, flow.payee)]
        if not any(home):
            raise Refused(
                f"{flow.kind.value} from {flow.payer} to {flow.payee}: neither is at home here",
                where=f"centre {around.code}",
                fix="register the party here, or clear it where it is",
            )
        if not all(home):
            rows.append(
                {
                    "centre": around.code, "round": round_, "kind": flow.kind.value, "payer": flow.payer,
                    "payee": flow.payee, "far": flow.payee if home[0] else flow.payer, "amount": flow.amount,
                }
            )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CLAIMS)


def route_records(tables: Iterable[pa.Table], around: Surroundings) -> dict[str, pa.Table]:
    """Neighbour to the records that go there; "" for those whose issuer nobody has."""
    return _route(tables, ("centre", "ref"), lambda row: around.hop_to_party(row["issuer"]), ("issuer",))


def route_heard(tables: Iterable[pa.Table], around: Surroundings) -> dict[str, pa.Table]:
    """All of it to everybody: the parent is told of what is below, the children what the topmost centre heard."""
    table = pa.concat_tables(tables).sort_by([("centre", "ascending"), ("round", "ascending")])
    return dict.fromkeys([*around.children, *([around.parent] if around.parent else [])], table)


def route_verdicts(tables: Iterable[pa.Table], around: Surroundings) -> dict[str, pa.Table]:
    """Neighbour to the verdicts that go there."""
    return _route(tables, ("centre", "ref"), lambda row: around.hop_to_centre(row["centre"]), ("centre",))


def route_claims(tables: Iterable[pa.Table], around: Surroundings) -> dict[str, pa.Table]:
    """Neighbour to the claims that go there: towards the party that the centre which made the claim does not have."""
    order = ("centre", "round", "kind", "payer", "payee")
    return _route(tables, order, lambda row: around.hop_to_party(row["far"]), ("far",))


def route_lists(tables: Iterable[pa.Table], around: Surroundings) -> dict[str, pa.Table]:
    """Neighbour to the listed cards that it gets: all but those that came from its own direction."""
    neighbours = [*around.children, *([around.parent] if around.parent else [])]
    ways = _route(tables, ("centre", "card_no"), lambda row: around.hop_to_centre(row["centre"]), ("centre",))
    found = {
        neighbour: [rows for way, rows in ways.items() if way != neighbour]
        for neighbour in sorted(neighbours)
    }
    return {neighbour: pa.concat_tables(rows) for neighbour, rows in found.items() if rows}


def require_own(table: pa.Table, around: Surroundings, sender: str, *, column: str, where: str) -> None:
    """Raise `Refused` when a child's parcel has rows that are not its to send; the parent may send any."""
    if sender == around.parent or not table.num_rows:
        return
    child = around.below(sender)
    allowed = child.centres if column == "centre" else child.participants
    found = set(pc.unique(table[column]).to_pylist())
    if wrong := sorted(found - allowed):
        raise Refused(
            f"{sender} sends rows of {wrong[0]}", where=where, fix="a child speaks for its own centres alone"
        )


def require_claims(table: pa.Table, around: Surroundings, sender: str, *, where: str) -> None:
    """Raise `Refused` for claims that are not the sender's to make, of unknown kind, or of absurd amounts."""
    for row in table.to_pylist():
        parties = (row["payer"], row["payee"])
        known = row["kind"] in _KINDS and row["far"] in parties and parties[0] != parties[1]
        if not known or not 0 < row["amount"] <= MAX_MINOR:
            raise Refused(f"no such claim: {row['kind']} {row['amount']}", where=where)
    require_own(table, around, sender, column="centre", where=where)


def _route(
    tables: Iterable[pa.Table],
    order: Sequence[str],
    hop: Callable[[dict[str, str]], str],
    facts: Sequence[str],
) -> dict[str, pa.Table]:
    """Rows by the neighbour that ``hop`` names for their ``facts``, which is asked once for each different set."""
    found = [table for table in tables if table.num_rows]
    if not found:
        return {}
    table = pa.concat_tables(found).sort_by([(name, "ascending") for name in order])
    ways = {
        tuple(row[name] for name in facts): hop(row)
        for row in table.select(facts).group_by(list(facts)).aggregate([]).to_pylist()
    }
    columns = [table[name].to_pylist() for name in facts]
    hops = pa.array([ways[values] for values in zip(*columns, strict=True)], pa.string())
    return {way: table.filter(pc.equal(hops, way)) for way in sorted(set(ways.values()))}
