"""Keeps one reader at work: connects, orders the inventory, takes its reads, and connects again when it is lost.

Nothing is silent about what was not seen: between the last word of a lost connection and the start of the next one's
inventory lies a `Gap` with its reason, and it says whether the reader can hold its reports meanwhile (LLRP 1.0.1 clause
12.2.6.4); one whose buffer ran over is told too. An antenna that falls off is a gap of its own. A flood is bounded:
reads wait in a buffer of fixed size, and what does not fit is counted, with the time it was lost in.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jinka.codec.llrp import LlrpError, Message, TagReport, event_time, event_words, message, tag_reports
from jinka.codec.llrp.orders import READ_SPEC, add_inventory, add_tid_read, configure
from jinka.kit import Clock, JinkaError
from jinka.node.reader_clock import ReaderClock
from jinka.node.reader_link import PORT, ReaderLink

INVENTORY = 0x4A4B  # the ids of our specs on a reader
TID_READ = 0x4A4C
_ANTENNAS = 2  # GetReaderConfigRequestedData
_PULLED = "the antenna is disconnected"
_CALM_MICROS = 60_000_000
_LATE_REPORTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSettings:
    """One reader. ``antennas`` empty is all of them; ``tid_words`` 0 reads no TID."""

    name: str
    host: str
    port: int = PORT
    antennas: tuple[int, ...] = ()
    tid_words: int = 0
    session: int = 0
    population: int = 32
    power_index: int = 0
    mode: int | None = None
    turn_ms: int = 250
    keepalive_ms: int = 2_000
    answer_s: float = 5.0
    retry_first_s: float = 0.5
    retry_most_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderRead:
    """A tag as one report of one reader's turn names it; times are ours."""

    reader: str
    antenna: int
    epc: bytes
    epc_bits: int
    first_micros: int
    last_micros: int
    count: int
    rssi_dbm: int | None
    pc: int | None
    tid: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time in which a reader, or one of its antennas, may have missed tags; ``to_micros`` None: it lasts.

    ``held``: the reader says that it keeps its reports while nobody is there, so that they come late; one that was
    started anew has lost them. ``dropped`` reads were thrown away here.
    """

    reader: str
    reason: str
    from_micros: int
    to_micros: int | None = None
    antenna: int = 0
    held: bool = False
    dropped: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "reader": self.reader, "antenna": self.antenna, "reason": self.reason, "from_micros": self.from_micros,
            "to_micros": self.to_micros, "held": self.held, "dropped": self.dropped,
        }  # fmt: skip


class ReadBuffer:
    """Reads that wait to be looked at, of all readers: bounded, and what did not fit is counted by reader."""

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._reads: deque[ReaderRead] = deque()
        self._lost: dict[str, tuple[int, int, int]] = {}  # reader → first, last, how many

    def put(self, read: ReaderRead) -> None:
        """Keep it, or count it."""
        if len(self._reads) < self._most:
            self._reads.append(read)
            return
        first, last, count = self._lost.get(read.reader, (read.first_micros, read.last_micros, 0))
        self._lost[read.reader] = (min(first, read.first_micros), max(last, read.last_micros), count + 1)

    def take(self, most: int) -> list[ReaderRead]:
        """The oldest ones."""
        return [self._reads.popleft() for _ in range(min(most, len(self._reads)))]

    def lost(self) -> Iterator[Gap]:
        """What was thrown away since the last call."""
        lost, self._lost = self._lost, {}
        for reader, (first, last, count) in lost.items():
            yield Gap(
                reader=reader, reason="more reads than can be looked at", from_micros=first, to_micros=last,
                dropped=count,
            )  # fmt: skip

    def __len__(self) -> int:
        return len(self._reads)


@dataclass(slots=True, kw_only=True)
class ReaderFigures:
    """What a reader's watch has counted."""

    connections: int = 0
    reads: int = 0
    reports: int = 0
    gaps: int = 0
    tries: int = 0
    last_micros: int = 0
    state: str = "not connected"
    reason: str = ""
    model: str = ""
    clock_wrong_micros: int = 0


class ReaderWatch:
    """`run` it in a task. ``tell_gap`` is told each gap when it begins and when it ends."""

    def __init__(
        self, settings: ReaderSettings, buffer: ReadBuffer, clock: Clock, tell_gap: Callable[[Gap], None]
    ) -> None:
        self.settings, self.figures = settings, ReaderFigures()
        self._buffer, self._clock, self._tell_gap = buffer, clock, tell_gap
        self._times = ReaderClock()
        self._open: dict[int, Gap] = {}  # antenna, 0 for the whole reader
        self._holds = False
        self._since = 0  # when `run` began
        self._connected_micros = self._known_micros = 0
        self._late: deque[int] = deque(maxlen=_LATE_REPORTS)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Those that last."""
        return tuple(self._open.values())

    @property
    def known_micros(self) -> int:
        """Up to when everything that the reader saw has been heard.

        A connection keeps the order, so what was sent before the last word is here; a reader that reports late is
        believed to be late by what the latest of its last reports were. Silence that is younger proves nothing.
        """
        late = max([self.settings.turn_ms * 1_000, *self._late])
        self._known_micros = max(self._known_micros, self.figures.last_micros - late)
        return self._known_micros

    def was_away_since(self, at_micros: int) -> None:
        """Nobody listened from then on: a gap that ends with the first connection."""
        self._since = at_micros
        self._begin_gap("the station was not running")

    async def run(self) -> None:
        """Until it is cancelled."""
        self._since = self._since or self._clock.now_micros()
        wait = self.settings.retry_first_s
        while True:
            began = self._clock.now_micros()
            reason = await self._once()
            self.figures.state, self.figures.reason = "lost", reason
            self._begin_gap(reason)
            if self._clock.now_micros() - began >= _CALM_MICROS:
                wait = self.settings.retry_first_s
            await asyncio.sleep(wait)
            wait = min(self.settings.retry_most_s, 2 * wait)

    async def _once(self) -> str:
        """One life of a connection; why it ended."""
        own = self.settings
        link = ReaderLink(
            own.host, own.port, self._hear, answer_s=own.answer_s, silence_s=3 * own.keepalive_ms / 1000
        )
        self.figures.tries += 1
        try:
            first = await link.open()
            self._times, self._connected_micros = ReaderClock(), self._clock.now_micros()
            self._hear(first)
            await self._set_to_work(link)
            await self._look_at_antennas(link)
            self.figures.connections += 1
            self.figures.state, self.figures.reason = "reading", ""
            self._end_gap(0)
            await link.ended()
        except JinkaError as error:
            return str(error)
        finally:
            await link.close()
        raise AssertionError("a connection ends with its reason")

    async def _set_to_work(self, link: ReaderLink) -> None:
        own = self.settings
        able = await link.ask(message("GET_READER_CAPABILITIES"))
        self._note_abilities(able)
        if self._holds:  # what it kept, for us or for an earlier process, comes first
            await link.tell(message("ENABLE_EVENTS_AND_REPORTS"))
        await link.ask(configure(keepalive_ms=own.keepalive_ms, hold=self._holds))
        for name, number in (("DELETE_ACCESSSPEC", TID_READ), ("DELETE_ROSPEC", INVENTORY)):
            try:  # an earlier life's; most often there is none
                field = {"DELETE_ROSPEC": "ROSpecID"}.get(name, "AccessSpecID")
                await link.ask(message(name, **{field: number}))
            except LlrpError:
                continue
        await link.ask(
            add_inventory(
                INVENTORY, own.antennas, turn_ms=own.turn_ms, session=own.session, population=own.population,
                power_index=own.power_index, mode=own.mode,
            )
        )  # fmt: skip
        if own.tid_words:
            await link.ask(add_tid_read(TID_READ, INVENTORY, words=own.tid_words))
            await link.ask(message("ENABLE_ACCESSSPEC", AccessSpecID=TID_READ))
        await link.ask(message("ENABLE_ROSPEC", ROSpecID=INVENTORY))
        await link.ask(message("START_ROSPEC", ROSpecID=INVENTORY))

    async def _look_at_antennas(self, link: ReaderLink) -> None:
        """Which of our antennas are plugged in; a reader that does not say is believed to have them all."""
        connected: dict[int, bool] = {}
        try:
            told = await link.ask(message("GET_READER_CONFIG", RequestedData=_ANTENNAS))
            connected = {
                each["AntennaID"]: each["AntennaConnected"] for each in told.body.all("AntennaProperties")
            }
        except LlrpError:
            pass  # it does not know that
        for antenna in self.settings.antennas:
            if not connected.get(antenna, True):
                self._begin_gap(_PULLED, antenna)
        for antenna in [a for a in self._open if a and connected.get(a, True)]:
            self._end_gap(antenna)

    def _note_abilities(self, able: Message) -> None:
        general, llrp = able.body.first("GeneralDeviceCapabilities"), able.body.first("LLRPCapabilities")
        if general is not None:
            firmware = "".join(c for c in general["ReaderFirmwareVersion"] if c.isprintable())[:64]
            self.figures.model = (
                f"{general['DeviceManufacturerName']}/{general['ModelName']} {firmware}".strip()
            )
        self._holds = llrp is not None and llrp["SupportsEventAndReportHolding"]

    def _hear(self, heard: Message) -> None:
        now = self._clock.now_micros()
        self.figures.last_micros = now
        if heard.name == "RO_ACCESS_REPORT":
            self._take_report(heard, now)
        elif heard.name == "READER_EVENT_NOTIFICATION":
            said, utc = event_time(heard)
            self._times.heard(said, now, utc=utc)
            self.figures.clock_wrong_micros = self._times.wrong_by_micros
            for name, facts in event_words(heard):
                self._take_event(name, facts)

    def _take_report(self, report: Message, now: int) -> None:
        self.figures.reports += 1
        found = list(tag_reports(report))
        for tag in found:
            if tag.last_micros is not None:
                self._times.heard(tag.last_micros, now, utc=tag.utc)
        newest = 0
        for tag in found:
            self.figures.reads += tag.count
            read = self._read(tag, now)
            newest = max(newest, read.last_micros)
            self._buffer.put(read)
        if newest >= self._connected_micros:  # older ones were held, which says nothing of the next
            self._late.append(now - newest)

    def _read(self, tag: TagReport, now: int) -> ReaderRead:
        last = self._times.ours(tag.last_micros, now, utc=tag.utc)
        first = min(last, self._times.ours(tag.first_micros, now, utc=tag.utc)) if tag.first_micros else last
        tid = next((read.data for read in tag.reads if read.spec == READ_SPEC and not read.result), None)
        return ReaderRead(
            reader=self.settings.name, antenna=tag.antenna, epc=tag.epc, epc_bits=tag.epc_bits, first_micros=first,
            last_micros=last, count=tag.count, rssi_dbm=tag.rssi_dbm, pc=tag.pc, tid=tid,
        )  # fmt: skip

    def _take_event(self, name: str, facts: dict[str, int | str]) -> None:
        if name == "AntennaEvent":
            antenna = int(facts["AntennaID"])
            if facts["EventType"] == 0:
                self._begin_gap(_PULLED, antenna)
            else:
                self._end_gap(antenna)
        elif name == "ReportBufferOverflowErrorEvent":
            now = self._clock.now_micros()
            began = self._open[0].from_micros if 0 in self._open else now
            self._tell_gap(
                Gap(
                    reader=self.settings.name, reason="the reader's report buffer ran over", from_micros=began,
                    to_micros=now,
                )
            )  # fmt: skip
        elif name == "ReaderExceptionEvent":
            text = "".join(c for c in str(facts["Message"]) if c.isprintable())[:200]
            self.figures.reason = f"the reader says: {text}"

    def _begin_gap(self, reason: str, antenna: int = 0) -> None:
        if antenna in self._open:
            return
        since = (
            self.figures.last_micros
            if antenna == 0 and self.figures.last_micros
            else self._clock.now_micros()
        )
        gap = Gap(
            reader=self.settings.name, reason=reason, from_micros=since, antenna=antenna, held=self._holds
        )
        self._open[antenna] = gap
        self.figures.gaps += 1
        self._tell_gap(gap)

    def _end_gap(self, antenna: int) -> None:
        gap = self._open.pop(antenna, None)
        if gap is not None:
            self._tell_gap(
                Gap(
                    reader=gap.reader, reason=gap.reason, from_micros=gap.from_micros,
                    to_micros=self._clock.now_micros(), antenna=antenna, held=gap.held,
                )
            )  # fmt: skip
