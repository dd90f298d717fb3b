"""All readers of one place of work together: their watches, presence at its read points, and the events that follow.

One loop: watches put reads into a bounded buffer, a beat takes them out, and what they mean goes to the outbox before
anything else happens. Who is where is kept on the disk, so that a station that is started again does not tell the same
arrivals twice; from its last word to its readers' first it was blind, and says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jinka.codec.epcis import Event
from jinka.kit import Clock, Usage
from jinka.node.files import append_line, read_lines, write_durable
from jinka.node.reader_watch import Gap, ReadBuffer, ReaderRead, ReaderSettings, ReaderWatch
from jinka.trace.presence import Presence, Sighting
from jinka.trace.read_events import EventMaker, ReadPlace, tag_name
from jinka.trace.tag_chips import ChipBindings, ChipMismatch, has_serial

_BEAT_S = 0.1
_BEAT_READS = 5_000
_KEEP_S = 5.0
_KEEP_SHARE = 20  # keeping takes at most this part of the time
_GAPS_SHOWN = 50
_GAPS_A_BEAT = 200
_EPC_BITS_MAX = 496  # what the protocol control word can say (Gen2: 31 words)
_TID_MAX = 64
_LOG_MAX = 8 << 20
_NAMES_MOST = 200_000
_TOLD_AGAIN_MICROS = 3_600_000_000  # the same mismatch at the same place is an event again after an hour

Antenna = tuple[str, int]  # reader, antenna; 0 is all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSettings:
    """``antennas`` says which place and which side an antenna serves: (reader, antenna) → (place, side)."""

    readers: tuple[ReaderSettings, ...]
    places: Mapping[str, ReadPlace]
    antennas: Mapping[Antenna, tuple[str, str]]
    folder: Path
    buffer: int = 50_000
    stays: int = 200_000
    raw: bool = True  # whether tags that are no EPC are told


class Station:
    """`run` it; ``tell`` gets the events, which must be safe when it returns."""

    def __init__(
        self,
        settings: StationSettings,
        clock: Clock,
        tell: Callable[[list[Event]], None],
        *,
        offset_of: Callable[[int], str],
    ) -> None:
        self._settings, self._clock, self._tell = settings, clock, tell
        self._buffer = ReadBuffer(settings.buffer)
        self.watches = [ReaderWatch(each, self._buffer, clock, self._gap) for each in settings.readers]
        rules = {name: place.rules for name, place in settings.places.items()}
        self._presence = Presence(rules, stays_most=settings.stays)
        self._maker = EventMaker(settings.places, offset_of=offset_of)
        self._chips = ChipBindings(most=settings.stays)
        self._chip_lines = 0
        self._chip_log = settings.folder / "chips.jsonl"
        self._kept = settings.folder / "presence.json"
        self._gaps: list[Gap] = []
        self._new_chips: list[str] = []
        self._new_gaps: list[str] = []
        self._gaps_unwritten = 0
        self._names: dict[tuple[bytes, int, int | None], tuple[str, bool]] = {}
        self._told: dict[tuple[str, bytes, str], int] = {}
        self._dropped = self._unplaced = self._not_epc = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set; a watch that fails ends it with its error."""
        self._settings.folder.mkdir(parents=True, exist_ok=True)
        self._restore()
        tasks = [asyncio.create_task(watch.run()) for watch in self.watches]
        beat = asyncio.create_task(self._beats(stop))
        try:
            await asyncio.wait([beat, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in [beat, *tasks]:
                if task.done():
                    task.result()
        finally:
            for task in [beat, *tasks]:
                task.cancel()
            await asyncio.gather(beat, *tasks, return_exceptions=True)
        while len(self._buffer):
            self._take(self._clock.now_micros())
        self._tell_due(self._clock.now_micros(), all_of_them=True)
        self.beat(self._clock.now_micros())
        self._keep()

    async def _beats(self, stop: asyncio.Event) -> None:
        due = self._clock.now_micros()
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_BEAT_S):
                    await stop.wait()
            now = self._clock.now_micros()
            self.beat(now)
            if now >= due:
                self._keep()
                took = self._clock.now_micros() - now
                due = now + max(round(_KEEP_S * 1_000_000), _KEEP_SHARE * took)

    def beat(self, now: int) -> None:
        """Look at what was read, and tell what it means."""
        self._take(now)
        self._write_logs()
        if not len(self._buffer):  # what waits there may be of those who seem to be silent
            for gone in self._presence.tick(now, self._known()):
                self._maker.take(gone, str(gone.tag), now)
        self._tell_due(now)

    def _known(self) -> dict[str, int]:
        """Up to when all readers of a place have told what they saw."""
        heard = {watch.settings.name: watch.known_micros for watch in self.watches}
        known: dict[str, int] = {}
        for (reader, _), (place, _) in self._settings.antennas.items():
            known[place] = min(known.get(place, heard[reader]), heard[reader])
        return known

    def _write_logs(self) -> None:
        """What was noted since the last beat, each log flushed once: a reader that cries much holds up no other."""
        if self._new_chips:
            append_line(self._chip_log, "\n".join(self._new_chips))
            self._chip_lines += len(self._new_chips)
            self._new_chips = []
            if self._chip_lines > 2 * self._settings.stays:
                self._compact_chips()
        if self._new_gaps:
            log = self._settings.folder / "gaps.jsonl"
            if log.exists() and log.stat().st_size > _LOG_MAX:
                log.replace(log.with_name("gaps.jsonl.1"))
            append_line(log, "\n".join(self._new_gaps))
            self._new_gaps = []

    def _compact_chips(self) -> None:
        """Write the log of bindings anew: those that are known, and no others."""
        lines = [json.dumps({"epc": epc, "tid": tid.hex()}) + "\n" for epc, tid in self._chips.bindings()]
        write_durable(self._chip_log, "".join(lines).encode())
        self._chip_lines = len(lines)

    def _tell_due(self, now: int, *, all_of_them: bool = False) -> None:
        events = list(self._maker.due(now, all_of_them=all_of_them))
        if events:
            self._tell(events)

    def _take(self, now: int) -> None:
        for read in self._buffer.take(_BEAT_READS):
            where = self._settings.antennas.get((read.reader, read.antenna)) or self._settings.antennas.get(
                (read.reader, 0)
            )
            if where is None:
                self._unplaced += 1
                continue
            if not 0 < read.epc_bits <= _EPC_BITS_MAX:
                self._not_epc += 1
                continue
            name, is_epc = self._name(read)
            if not is_epc:
                self._not_epc += 1
                if not self._settings.raw:
                    continue
            place, side = where
            arrival = self._presence.saw(
                Sighting(
                    tag=name, place=place, side=side, first_micros=read.first_micros, last_micros=read.last_micros,
                    count=read.count, rssi_dbm=read.rssi_dbm,
                )
            )  # fmt: skip
            if arrival is not None:
                self._maker.take(arrival, name, now)
            if read.tid is not None and len(read.tid) <= _TID_MAX:
                self._see_chip(name, read, read.tid, place)

    def _see_chip(self, name: str, read: ReaderRead, tid: bytes, place: str) -> None:
        found = self._chips.saw(name, tid, read.last_micros, place)
        if found is True:
            self._new_chips.append(json.dumps({"epc": name, "tid": tid.hex()}))
        elif isinstance(found, ChipMismatch):
            key = (name, tid, place)
            if read.last_micros - self._told.get(key, -_TOLD_AGAIN_MICROS) >= _TOLD_AGAIN_MICROS:
                if len(self._told) >= _NAMES_MOST:
                    self._told.clear()
                self._told[key] = read.last_micros
                self._maker.mismatch(found)

    def bind(self, epc: str, tid: bytes) -> None:
        """Somebody says that this chip is right for this EPC: a tag was replaced, or written anew."""
        if not has_serial(tid) or len(tid) > _TID_MAX:
            raise Usage(
                "not the number of one chip", where="tid", fix="8 to 64 bytes that begin with E0 or E2"
            )
        self._chips.bind(epc, tid)
        self._new_chips.append(json.dumps({"epc": epc, "tid": tid.hex()}))
        self._write_logs()

    def _name(self, read: ReaderRead) -> tuple[str, bool]:
        key = (read.epc, read.epc_bits, read.pc)
        found = self._names.get(key)
        if found is None:
            if len(self._names) >= _NAMES_MOST:
                self._names.clear()
            found = self._names[key] = tag_name(*key)
        return found

    def _gap(self, gap: Gap) -> None:
        """A gap begins or ends: the places that it concerns are blind, or see again."""
        self._gaps = [*self._gaps[-_GAPS_SHOWN:], gap]
        if len(self._new_gaps) < _GAPS_A_BEAT:
            self._new_gaps.append(json.dumps(gap.as_dict(), ensure_ascii=False))
        else:
            self._gaps_unwritten += 1
        if gap.dropped:
            return
        for (reader, antenna), (place, _) in self._settings.antennas.items():
            if reader == gap.reader and (not gap.antenna or antenna in (0, gap.antenna)):
                source = (reader, gap.antenna)
                if gap.to_micros is None:
                    self._presence.blinded(place, source, gap.from_micros)
                else:
                    self._presence.sighted(place, source, gap.to_micros)

    def _keep(self) -> None:
        """Who is where, and what a flood has taken: on the disk every few seconds.

        What it means is told before, so that after a kill nobody is taken for one who was told and was not.
        """
        self._tell_due(self._clock.now_micros(), all_of_them=True)
        for gap in self._buffer.lost():
            self._dropped += gap.dropped
            self._gap(gap)
        self._write_logs()
        there = {
            place: [list(stay) for stay in self._presence.there(place)] for place in self._settings.places
        }
        told = {"at_micros": self._clock.now_micros(), "there": there}
        write_durable(self._kept, json.dumps(told, separators=(",", ":")).encode(), private=True)

    def _restore(self) -> None:
        for line in read_lines(self._chip_log):
            row = json.loads(line)
            self._chips.bind(row["epc"], bytes.fromhex(row["tid"]))
            self._chip_lines += 1
        if not self._kept.exists():
            return
        told = json.loads(self._kept.read_bytes())
        for place, stays in told["there"].items():
            if place not in self._settings.places:
                continue
            for name, came, last in stays:
                self._presence.restore(place, name, came, last)
        for watch in self.watches:
            watch.was_away_since(told["at_micros"])

    def status(self) -> dict[str, Any]:
        """What an operator asks first."""
        return {
            "readers": {
                watch.settings.name: asdict(watch.figures)
                | {"gaps_open": [gap.as_dict() for gap in watch.gaps]}
                for watch in self.watches
            },
            "places": {name: sum(1 for _ in self._presence.there(name)) for name in self._settings.places},
            "told": dict(self._maker.counts),
            "waiting_reads": len(self._buffer),
            "dropped_reads": self._dropped,
            "unplaced_reads": self._unplaced,
            "not_epc_reads": self._not_epc,
            "ghosts": self._presence.ghosts,
            "left_out": self._presence.left_out,
            "chips": {"bound": len(self._chips), "forgotten": self._chips.forgotten},
            "gaps_unwritten": self._gaps_unwritten,
            "gaps": [gap.as_dict() for gap in self._gaps],
        }
