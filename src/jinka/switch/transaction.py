"""A transaction while the switch works on it: its state by the table, and its record for the journal.

Between the states of `jinka.switch.states` nothing else decides where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from jinka.codec.framing import Frame
from jinka.codec.iso8583.message import Message, Value
from jinka.switch.kinds import KINDS, Kind
from jinka.switch.record import Entity, Record, amount_of, kept
from jinka.switch.states import ENDS, TX_STEPS, TxState, TxStep, take

if TYPE_CHECKING:
    from jinka.switch.taken import Taking

Stand = tuple[TxState, Message, Message, Mapping[int, Value], bytes]


class Transaction:
    """``sent`` is the request as it was passed on, without what must not be kept."""

    __slots__ = (
        "answer", "at", "business_date", "busy", "digest", "forward", "head", "id", "kind", "line", "note", "request",
        "resting", "sent", "source", "state", "taking", "target", "theirs", "timer", "version", "waiting",
    )  # fmt: skip

    def __init__(
        self, *, id_: bytes, source: str, kind: Kind, request: Message, at: int, business_date: str
    ) -> None:
        self.id, self.source, self.kind, self.request = id_, source, kind, request
        self.at, self.business_date = at, business_date
        self.sent: Message = request
        self.state = TxState.RECEIVED
        self.version = 0
        self.target = self.note = ""
        self.answer: Mapping[int, Value] = {}
        self.digest = b""
        self.line, self.timer = -1, 0
        self.head: Frame | None = None
        self.busy = False  # a version is on its way to the disk; the next is made when that is there
        self.waiting: list[Callable[[], None]] = []
        self.resting = False  # counted among the ended
        self.theirs = False  # under way at another worker: what is known of it here may be old
        self.taking: Taking | None = None  # what it takes from, once that is looked up
        self.forward = b""  # the latest message in store-and-forward about it

    def step(self, step: TxStep) -> None:
        """Take a step of the table."""
        self.state = take(TX_STEPS, self.state, step)

    @property
    def stand(self) -> Stand:
        """Where it stands, to `go_back` to when a version could not be written."""
        return self.state, self.request, self.sent, self.answer, self.forward

    def go_back(self, stand: Stand) -> None:
        """Stand there again."""
        self.state, self.request, self.sent, self.answer, self.forward = stand

    @property
    def ended(self) -> bool:
        """Whether it rests."""
        return self.state in ENDS

    @property
    def amount_fen(self) -> int:
        """What it is about, less what was taken back of it."""
        return amount_of(self.request)

    def record(self) -> Record:
        """The next version for the journal."""
        self.version += 1
        return Record(
            entity=Entity.TRANSACTION,
            id=self.id,
            version=self.version,
            state=self.state.value,
            kind=self.kind.name,
            source=self.source,
            target=self.target,
            at_micros=self.at,
            business_date=self.business_date,
            digest=self.digest,
            request=kept(self.sent),
            answer=self.answer,
            about=self.forward,
            note=self.note,
        )

    def follow(self, record: Record) -> None:
        """Stand where the journal says that it stands, through whichever worker."""
        self._take(record)
        self.theirs = not self.ended

    def _take(self, record: Record) -> None:
        self.kind, self.request, self.sent = KINDS[record.kind], record.request, record.request
        self.state, self.version, self.target = TxState(record.state), record.version, record.target
        self.answer, self.digest, self.note, self.forward = (
            record.answer, record.digest, record.note, record.about
        )  # fmt: skip

    @classmethod
    def of(cls, record: Record) -> Transaction:
        """A transaction as the journal remembers it."""
        tx = cls(
            id_=record.id,
            source=record.source,
            kind=KINDS[record.kind],
            request=record.request,
            at=record.at_micros,
            business_date=record.business_date,
        )
        tx._take(record)
        return tx
