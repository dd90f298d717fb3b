"""What the EPCIS REST interface works with, and how its resources are declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from jinka.api.counting import Requests
from jinka.api.epcis_exchange import Ask, Caller, Reply
from jinka.codec.epcis import Event
from jinka.codec.tags.prefixes import CHINA, PrefixList
from jinka.kit import Clock, Randomness
from jinka.store.trace_queries import NamedQueries
from jinka.store.trace_query import EventQuery
from jinka.store.trace_store import TraceStore

CAPTURE_EVENTS_MAX = 10_000
CAPTURE_BYTES_MAX = 32 << 20
PER_PAGE = 30
PER_PAGE_MAX = 1_000
TOKEN_S = 3_600


def _anybody(_: Mapping[str, str]) -> Caller:
    return Caller()


class SightOfCallers(Protocol):
    """What each caller may see, and may capture (`jinka.trace.access`)."""

    def bounded(self, caller: Caller) -> bool:
        """Whether there is anything that it may not see."""
        ...

    def narrow(self, caller: Caller, query: EventQuery) -> EventQuery:
        """The query so that whether an event passes tells nothing that the caller may not see."""
        ...

    def show(self, caller: Caller, events: Sequence[Event], what: str) -> Sequence[Event]:
        """What the caller sees of events, written down as a look at ``what``."""
        ...

    def see(self, caller: Caller, events: Sequence[Event]) -> Sequence[Event | None]:
        """The same of each event, None where it is hidden; nothing is written down yet."""
        ...

    def note(self, caller: Caller, what: str, shown: int, hidden: int) -> None:
        """Write a look down."""
        ...

    def why_not(self, caller: Caller, events: Sequence[Event]) -> Sequence[tuple[str, str]]:
        """Of each event what is wrong with the caller's capturing it, and where; empty texts where nothing is."""
        ...

    def others(self, caller: Caller, ids: Sequence[str]) -> str:
        """The first of some things, places and parties that is another's to describe; empty for none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EpcisServices:
    """One for a process.

    ``admit`` tells who asks by the headers and raises `Unauthorised`; ``sight`` is what callers may see, None where
    everybody sees everything; ``check_signature`` judges that of a capture and gives what
    is kept of it, ``signer`` tells of what was kept, ``check_removal`` whether a caller may take
    a named query away; ``query_removed`` is told of one that is no more. ``page_key`` seals the tokens of pages;
    without one they count as long as this object does.
    """

    store: TraceStore
    named: NamedQueries
    clock: Clock
    randomness: Randomness
    admit: Callable[[Mapping[str, str]], Caller] = _anybody
    sight: SightOfCallers | None = None
    check_signature: Callable[[Ask], bytes] = field(default=lambda _: b"")
    signer: Callable[[bytes], Mapping[str, Any]] = field(default=lambda _: {})
    check_removal: Callable[[Caller, str], None] = field(default=lambda _caller, _query: None)
    query_removed: Callable[[str], None] = field(default=lambda _: None)
    captured: Callable[[], None] = field(default=lambda: None)
    prefixes: PrefixList = CHINA
    capture_events_max: int = CAPTURE_EVENTS_MAX
    capture_bytes_max: int = CAPTURE_BYTES_MAX
    requests: Requests = field(default_factory=Requests)
    page_key: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        """Draw what was not given."""
        if not self.page_key:
            object.__setattr__(self, "page_key", self.randomness.token_bytes(32))


Handler = Callable[[Ask, EpcisServices], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A path of the OpenAPI (``/epcs/{epc}/events``) with what may be done there.

    ``exists`` says whether the resource is there, for OPTIONS; it raises what GET would. ``headers`` are what OPTIONS
    tells beyond what every resource does.
    """

    path: str
    methods: Mapping[str, Handler]
    exists: Callable[[Ask, EpcisServices], None] = field(default=lambda _ask, _services: None)
    headers: Callable[[EpcisServices], Mapping[str, str]] = field(default=lambda _: {})
