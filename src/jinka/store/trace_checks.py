"""What the records say of one code, for who holds the thing in his hand; and how often it was asked.

Asking is written down for codes that the records know, the newest `KEPT` of each, so that nobody fills the database
with codes of his own making. Who asked is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from jinka.codec.epcis.vocabulary import DISPOSITIONS
from jinka.codec.tags import canonical_id
from jinka.kit import Usage
from jinka.store import trace_tables as table
from jinka.store.database import add_once, reading
from jinka.store.schema import metadata
from jinka.store.trace_document import unpack
from jinka.store.trace_edges import SqlLinks
from jinka.store.trace_recalls import SqlRecalls
from jinka.store.trace_tables import attributes
from jinka.store.trace_terms import Field
from jinka.trace.check import CheckFacts
from jinka.trace.lineage import BIRTHS, EdgeKind, kind_of
from jinka.trace.provenance import births_of, journey
from jinka.trace.read_events import chip_mismatches
from jinka.trace.spread import Seed, Spread, spread_back
from jinka.trace.tag_chips import ChipMismatch

KEPT = 100
_NODES_MAX = 5_000

checks = sa.Table(
    "trace_checks",
    metadata,
    sa.Column("node", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at_us", sa.BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)


class SqlChecks:
    """Answers and counts checks in a repository's database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._write, self._read = engine, reading(engine)
        self._recalls = SqlRecalls(engine)

    def facts(self, name: str, now_us: int, *, count: bool = True) -> CheckFacts:
        """What is known of a thing by its canonical id; the check itself is counted, unless told otherwise."""
        kind = kind_of(name)
        with SqlLinks(self._read) as links:
            node = links.numbers([name]).get(name)
            if node is None:
                known = bool(kind) and links.any_begins(kind)
                return CheckFacts(name=name, known=False, kind_is_recorded=known)
            found = self._walk(links, node)
            births = births_of(links, found, [node]).get(node, [])
            sights = journey(found, node, births)
            lots = links.arriving([node], (EdgeKind.MEMBER,))
            born = bool(births) or any(sight.step in BIRTHS for sight in sights)
            lot_names = links.names([row[0] for row in lots])
            places = self._positions(links, {sight.place for sight in sights})
        names = [name, *lot_names.values()]
        held = self._recalls.recalls_of(names)
        return CheckFacts(
            name=name, known=True, kind_is_recorded=True, born=born, lots=tuple(sorted(lot_names.values())),
            sights=tuple(sights), recalls=tuple(sorted({n for each in held.values() for n in each})),
            checks_us=tuple(self._count(node, now_us) if count else self._counted(node)), places=places,
            chips=tuple(self._chips(name)),
        )  # fmt: skip

    def _walk(self, links: SqlLinks, node: int) -> Spread:
        try:
            return spread_back(links, [Seed(node)], nodes_max=_NODES_MAX)
        except Usage:  # made of very much: its own rows do
            made = Spread(forward=False)
            made.rows[node] = links.leaving([node])
            return made

    def _positions(self, links: SqlLinks, places: Iterable[int]) -> dict[int, tuple[float, float]]:
        """Where places are, by their master data (CBV 2.0, 9.2: latitude and longitude)."""
        names = links.names(place for place in places if place)
        found: dict[str, dict[str, float]] = {}
        query = sa.select(attributes).where(attributes.c.id.in_(sorted(names.values())))
        with self._read.connect() as connection:
            for row in connection.execute(query):
                for which in ("latitude", "longitude"):
                    if row.attribute.endswith(which):
                        found.setdefault(row.id, {})[which] = _degrees(row.value)
        return {
            node: (found[name]["latitude"], found[name]["longitude"])
            for node, name in names.items()
            if len(found.get(name, ())) == 2
        }

    def _chips(self, name: str) -> Iterable[ChipMismatch]:
        """What readers reported of the code's chip, the newest `KEPT`; not what was declared an error since."""
        word, about, other = table.terms.alias(), table.terms.alias(), table.ids.alias()
        own, events = table.ids.alias(), table.events
        same = (
            other.c.key == own.c.key,
            other.c.content == own.c.content,
        )  # not another's event of the same id
        void = sa.select(other.c.key).where(*same, other.c.declared != b"")
        found = (
            sa.select(events.c.seq, events.c.document)
            .where(
                about.c.kind == Field.EPC, about.c.value == name, word.c.seq == about.c.seq,
                word.c.kind == Field.DISPOSITION, word.c.value == DISPOSITIONS.stem + "mismatch_instance",
                events.c.seq == about.c.seq, own.c.seq == about.c.seq, ~void.exists(),
            )
            .order_by(events.c.seq.desc()).limit(KEPT)
        )  # fmt: skip
        with self._read.connect() as connection:
            rows = connection.execute(found).all()
        for row in reversed(rows):
            told = chip_mismatches(unpack(row.document, row.seq))
            yield from (each for each in told if canonical_id(each.epc) == name)

    def _counted(self, node: int) -> list[int]:
        with self._read.begin() as connection:
            own = sa.select(checks.c.at_us).where(checks.c.node == node)
            return list(connection.scalars(own.order_by(checks.c.at_us)))

    def _count(self, node: int, now_us: int) -> list[int]:
        own = checks.c.node == node
        with self._write.begin() as connection:
            times = list(connection.scalars(sa.select(checks.c.at_us).where(own).order_by(checks.c.at_us)))
            if now_us not in times:
                add_once(connection, checks, {"node": node, "at_us": now_us})
                times.append(now_us)
            if len(times) > KEPT:
                connection.execute(checks.delete().where(own, checks.c.at_us < times[-KEPT]))
        return times[-KEPT:]


def _degrees(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")  # compares false with every speed
