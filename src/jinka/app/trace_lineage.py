"""`jinka trace back` and `forward`: the graph of things out of a repository's database, as values, JSON and SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jinka.app.trace_access import Access, access_of
from jinka.app.trace_config import TraceFile, read_trace_file
from jinka.app.trace_epc import Asked, describe_codes
from jinka.app.trace_sight import require_had, seen_by
from jinka.codec.tags import canonical_id
from jinka.kit import NotFound, Usage
from jinka.kit.collection import no_collection
from jinka.reports import Language
from jinka.reports.trace_graph import draw_graph, graph_facts
from jinka.store import database_at
from jinka.store.database import Database
from jinka.store.trace_edges import SqlLinks
from jinka.trace.provenance import Graph, graph_of
from jinka.trace.spread import Links, Seed, Spread, spread_back, spread_forward
from jinka.trace.stays import BEFORE_US, FOREVER_US

NODES_MAX = 200_000  # of a graph that a person looks at; a recall has no such bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """An answer and the ids of the events that it stands on."""

    graph: Graph
    events: Mapping[int, str]

    def facts(self) -> dict[str, object]:
        return graph_facts(self.graph, self.events)

    def svg(self, language: Language) -> str:
        return draw_graph(self.graph, language=language)


def trace(at: str, names: Sequence[str], *, forward: bool, since_us: int | None = None,
          until_us: int | None = None, viewer: str = "") -> Traced:  # fmt: skip
    """Follow things. With times: what lay in a container then. With a ``viewer``: as that participant may see it."""
    asked = [thing_name(name) for name in names]
    with trace_database(at) as database, SqlLinks(database) as links:
        access = access_of(at, database) if viewer else None
        return follow(
            links, asked, forward=forward, since_us=since_us, until_us=until_us, viewer=viewer, access=access
        )


def follow(links: SqlLinks, asked: Sequence[str], *, forward: bool, since_us: int | None = None,
           until_us: int | None = None, viewer: str = "", access: Access | None = None,
           nodes_max: int = NODES_MAX) -> Traced:  # fmt: skip
    """The same over an open index, by canonical ids; with ``access`` as the viewer may see it."""
    if access is not None:
        require_had(access, viewer, asked)
    low = since_us if since_us is not None else BEFORE_US
    high = until_us if until_us is not None else FOREVER_US
    seeds = [Seed(links.number(name), low, high) for name in asked]
    graph = graph_of(links, walk(links, seeds, forward=forward, nodes_max=nodes_max))
    if access is not None:
        seen, ids = seen_by(access, viewer, graph, links.events(graph.events()), asked)
        return Traced(graph=seen, events=ids)
    return Traced(graph=graph, events=links.event_ids(graph.events()))


def walk(links: Links, seeds: Iterable[Seed], *, forward: bool, nodes_max: int) -> Spread:
    """A walk with the collector at rest: millions of rows are made, and none of them refers to itself."""
    with no_collection():
        if forward:
            return spread_forward(links, seeds, nodes_max=nodes_max)
        return spread_back(links, seeds, nodes_max=nodes_max)


def thing_name(text: str) -> str:
    """The canonical id of what a person wrote: a URN, a link, a tag's bits or an element string."""
    if text.startswith(("urn:", "http://", "https://")):
        return canonical_id(text)
    found = describe_codes([text], Asked())[0].canonical
    if not found:
        raise Usage(
            "it names no thing", where=text[:80], fix="a URN, a Digital Link, a tag's bits, an element string"
        )
    return found


def database_at_place(at: str) -> Path | str:
    """The database of a repository: a file of it (trace.toml), a path or a URL."""
    if at.startswith(("http://", "https://")):
        raise Usage(
            "a trace reads the database itself", where="--at", fix="the repository's file or its database"
        )
    file = read_trace_file(Path(at)) if at.endswith(".toml") else TraceFile.opened(at)
    if isinstance(file.database, Path) and not file.database.exists():
        raise NotFound("no such database", where=str(file.database), fix="capture something first")
    return file.database


@contextmanager
def trace_database(at: str) -> Iterator[Database]:
    """Open it."""
    with database_at(database_at_place(at)) as database:
        yield database
