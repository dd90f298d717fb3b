"""Which centres' records went on in a round, and what follows for silence and for lateness.

A centre notes of each child the rounds whose records it passes on, and tells its parent of all that is below; the
topmost centre tells everybody (`HEARD`). So a centre knows when its own records were on their way to the cards'
centres, from where silence counts (`counted_from`), and a card's centre knows of records of an earlier day whether
their centre had been able to send them before (`lateness`). No standard describes it: it is Jinka's own.

Tables in, tables out; no I/O. It does not say that a card's centre has read the records: from where they are handed
down towards it, its line is its own care.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from jinka.kit import Refused

HEARD = pa.schema(
    [pa.field("centre", pa.string(), nullable=False), pa.field("round", pa.int64(), nullable=False)],
    metadata={b"jinka.heard": b"1"},
)
NEVER = 1 << 40  # a round that does not come


def heard_of(rounds: Mapping[str, Iterable[int]]) -> pa.Table:
    """`HEARD` of a centre's own children."""
    rows = [{"centre": child, "round": round_} for child, found in sorted(rounds.items()) for round_ in found]
    return pa.Table.from_pylist(rows, schema=HEARD)


def require_heard(table: pa.Table, sender: str, round_: int, *, where: str) -> None:
    """Raise `Refused` where a child speaks of itself, which is its parent's to say, or of rounds to come."""
    if sender in table["centre"].to_pylist():
        raise Refused(f"{sender} says that it was heard", where=where, fix="its parent says so")
    if any(not 0 < each <= round_ for each in table["round"].to_pylist()):
        raise Refused("a round that has not come is said to be heard", where=where)


def counted_from(sent: pa.Table, heard: Mapping[int, int]) -> pa.Table:
    """Records as `SENT` with the round in which they went on in the place of that in which they were sent.

    ``heard`` maps the rounds of this centre to those in which they were heard. What nobody heard of yet has `NEVER`.
    """
    rounds = [max(heard.get(each, NEVER), each) for each in sent["round"].to_pylist()]
    place = sent.schema.get_field_index("round")
    return sent.set_column(place, sent.schema.field(place), pa.array(rounds, pa.int64()))


def lateness(heard: Iterable[int], day: int, round_: int) -> int:
    """By how many days a centre sent the records of ``day`` late that arrived in ``round_``.

    ``heard`` are its rounds that were heard in ``round_``: the first that could have carried the day's records counts,
    so a centre that was cut off is as late as it was before.
    """
    return min((each for each in heard if each >= day), default=round_) - day


def rounds_of(heard: pa.Table, centre: str) -> list[int]:
    """The rounds of one centre."""
    found: list[int] = heard.filter(pc.equal(heard["centre"], centre))["round"].to_pylist()
    return found


__all__ = ["HEARD", "NEVER", "counted_from", "heard_of", "lateness", "require_heard", "rounds_of"]
