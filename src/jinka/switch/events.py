"""What goes into the core of the switch and what comes out: events and effects, as values.

The core does no I/O: a shell (`jinka.node`) turns sockets, timers, the journal and the key service into events and
carries the effects out in their order. `Write` is answered only when its entries are on the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinka.codec.framing import Frame
from jinka.kit.frozen import quick
from jinka.switch.keywork import KeyStep
from jinka.switch.record import Entry, Record
from jinka.switch.totals import PeerTotals


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUp:
    """A line to a peer stands. A peer may have several lines."""

    peer: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDown:
    """A line is gone."""

    peer: str
    line: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A whole message; ``head`` is its frame, to be answered in kind."""

    peer: str
    line: int
    raw: bytes
    head: Frame | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """A timer that was started and not stopped has run out."""

    token: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Entries are durable. Where another worker was first none is, and ``clashes`` says what it wrote."""

    token: int
    clashes: Mapping[bytes, Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The newest record of a transaction, or None."""

    token: int
    record: Record | None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class KeysAnswered:
    """What the steps gave; ``refused`` is the number of the step that was refused, -1 when all were done.

    A step that the key service could not do at all counts `FAULTED` more."""

    token: int
    results: tuple[bytes, ...]
    refused: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed:
    """What the journal has of a business date."""

    token: int
    totals: Mapping[str, PeerTotals]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """Send a peer our totals of a business date, to be compared."""

    peer: str
    business_date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOver:
    """A new business date begins, YYYY-MM-DD."""

    business_date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeKey:
    """Offer a peer a new key: its MAC key, or its PIN key."""

    peer: str
    pin: bool = False


Event = (
    LinkUp | LinkDown | Received | TimerFired | Written | Found | Summed | KeysAnswered | CutOver | ExchangeKey
    | Reconcile
)  # fmt: skip


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send a message on a line; one that is gone by now loses it."""

    peer: str
    line: int
    raw: bytes
    head: Frame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Close a line."""

    peer: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The peer has proven itself on a line: it is no stranger there from now on."""

    peer: str
    line: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Make entries durable, together or not at all but for clashes, then answer `Written`."""

    token: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Find a transaction in the journal, answer `Found`."""

    token: int
    tx: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SumUp:
    """Add up a business date, answer `Summed`. It may take a while, and holds up nothing else."""

    token: int
    business_date: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class StartTimer:
    """Answer `TimerFired` after a while."""

    token: int
    after_ms: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class StopTimer:
    """Forget a timer."""

    token: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class AskKeys:
    """Let the key service do the steps in order, up to the first that is refused; answer `KeysAnswered`."""

    token: int
    steps: tuple[KeyStep, ...]


Effect = Send | Close | Trust | Write | LookUp | SumUp | StartTimer | StopTimer | AskKeys
