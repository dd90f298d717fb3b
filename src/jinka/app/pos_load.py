"""`jinka pos load`: arrivals at a rate that waits for no answer, latencies from when each was due, books compared.

The arrivals are a Poisson process, so a host that stalls is charged with the queue that it causes. Requests, PIN
blocks, chip cryptograms and MACs are made before the clock starts; answers' MACs are checked after it. What got no
answer that can be believed is reversed, and then the terminal's totals are compared with the host's (0500). One
terminal sends all of it over several lines; its journal knows only that a batch was opened, so a load that was killed
is closed by `jinka pos settle`, and what it left in doubt there is not reversed: load test systems only.
"""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import math
import time
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from jinka.app.card_files import CardFile, open_card, open_key_folder
from jinka.app.pos_config import PosFile, opened_till, read_pos_file
from jinka.app.pos_counter import card_of
from jinka.codec.framing import Frame, Framer, Head, Tpdu, close_frame
from jinka.codec.iso8583 import Codec, DecodeError, Message
from jinka.kit import NotFound, Refused, Usage
from jinka.node.host_line import LineTerms
from jinka.node.system import SystemRandomness
from jinka.terminal import (
    VERBS,
    CardFacts,
    CardRemoved,
    EmvTerminal,
    Sale,
    Till,
    TillEntry,
    TillState,
    TillStep,
    parse_track2,
)
from jinka.terminal.host_messages import REASON_MAC, REASON_TIMEOUT
from jinka.terminal.till import APPROVED_CODES, TAKEN_BACK
from jinka.terminal.till_batch import close_with, settle_batch
from jinka.terminal.till_states import totals_of

_ROWS_MAX = 1_000_000
_REQUESTS_MAX = 500_000
_BREATH = 16
_PERCENTILES = {"p50_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """What is asked for. ``holders``: CSV with number, pin and track2; ``images``: a folder of cards, in its place."""

    config: Path
    rate: float
    seconds: float
    cards: int = 0  # how many of them; 0: all
    holders: Path | None = None
    images: Path | None = None
    keys: Path | None = None
    lines: int = 4
    amount_fen: int = 100

    def __post_init__(self) -> None:
        if not (0 < self.rate <= 100_000 and 0 < self.seconds <= 3600 and 0 < self.lines <= 256):
            raise Usage(
                "no such load", where="--rate, --seconds, --lines", fix="up to 100,000, 3,600 and 256"
            )
        if self.rate * self.seconds > _REQUESTS_MAX:
            raise Usage(f"more than {_REQUESTS_MAX} requests", where="--rate times --seconds")
        if (self.holders is None) == (self.images is None):
            raise Usage("holders or images", where="--holders, --images", fix="one of them")


@dataclass(slots=True)
class Shot:
    """One request: made before the clock starts, and what became of it."""

    entry: TillEntry
    message: Message
    raw: bytes
    due: float = 0.0
    took: float = -1.0
    answer: bytes = b""


@dataclass(slots=True)
class Volley:
    """All requests of a load and when they are due, in seconds from its start."""

    shots: dict[str, Shot] = field(default_factory=dict)  # by trace number
    strays: int = 0
    answered: int = 0


def run_load(options: LoadOptions) -> dict[str, Any]:
    """Load the host; the figures."""
    file = read_pos_file(options.config)
    with opened_till(file) as till:
        till.make_ready()
        if any(entry.batch == till.batch for entry in till.entries.values()):
            settle_batch(till)  # what was sold before has totals of its own
            till.make_ready()
        marker = till.open_settlement()  # should this be killed, the batch is closed before anything else
        volley = _volley(options, file, till)
        cpu = time.process_time()
        asyncio.run(_fire(file.line, till.messages.codec, volley, options.lines))
        cpu = time.process_time() - cpu
        entries = [_judge(till, shot) for shot in volley.shots.values()]
        unknown = [entry for entry in entries if entry.state is TillState.OWED]
        entries = [_taken_back(till, entry) if entry.state is TillState.OWED else entry for entry in entries]
        totals = totals_of(entries, till.batch)
        till.close_settlement(marker, answered=False)
        closing = till.open_settlement()  # its trace number is behind those of the load
        settled = close_with(till, closing, totals, [e for e in entries if e.state is TillState.DONE])
    took = sorted(1000 * shot.took for shot in volley.shots.values() if shot.took >= 0)
    last = max((shot.due + shot.took for shot in volley.shots.values() if shot.took >= 0), default=0.0)
    return {
        "offered_per_s": options.rate,
        "answered_per_s": round(len(took) / last, 1) if last else 0.0,
        "requests": len(entries),
        "answers": len(took),
        "codes": dict(Tally(entry.code or "none" for entry in entries)),
        **{name: round(took[min(len(took) - 1, math.floor(len(took) * at))], 2) if took else None
           for name, at in _PERCENTILES.items()},
        "max_ms": round(took[-1], 2) if took else None,
        "unknown": len(unknown),
        "taken_back": sum(entry.state is TillState.REVERSED for entry in entries),
        "still_owed": sum(entry.state is TillState.OWED for entry in entries),
        "strays": volley.strays,
        "debit_fen": totals.debit_fen,
        "books_equal": settled.equal,
        "driver_cpu_us_each": round(1e6 * cpu / max(1, len(entries))),
    }  # fmt: skip


def _volley(options: LoadOptions, file: PosFile, till: Till) -> Volley:
    count = max(1, round(options.rate * options.seconds))
    cards = _chips(options, file, count) if options.images is not None else _stripes(options, count)
    chance, volley, due = SystemRandomness(), Volley(), 0.0
    for card, pin in cards:
        entry = till.new_entry(VERBS["sale"], options.amount_fen, card)
        block = till.pad.pin_block(pin, card.pan) if pin else b""
        message = till.messages.request(entry, card, pin_block=block)
        shot = Shot(entry=entry, message=message, raw=till.messages.seal(message, till.pad), due=due)
        volley.shots[entry.trace] = shot
        lot = (int.from_bytes(chance.token_bytes(7), "big") + 1) / (1 << 56)
        due += -math.log(lot) / options.rate
    return volley


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as source:
            return list(islice(csv.DictReader(source), _ROWS_MAX))
    except FileNotFoundError:
        raise NotFound("no such file", where=str(path), fix="jinka serve writes holders.csv") from None


def _stripes(options: LoadOptions, count: int) -> Iterator[tuple[CardFacts, str]]:
    assert options.holders is not None
    rows = _rows(options.holders)[: options.cards or None]
    if not rows or "track2" not in rows[0]:
        raise Usage("no column track2", where=str(options.holders), fix="number, pin, track2")
    found = []
    for row in rows:
        track = parse_track2(row["track2"])
        text = f"{track.pan}={track.expiry}{track.service_code}{track.discretionary}"
        card = CardFacts(pan=track.pan, expiry4=track.expiry, entry_mode="02", track2=text)
        found.append((card, row.get("pin", "")))
    return islice(cycle(found), count)


def _chips(options: LoadOptions, file: PosFile, count: int) -> Iterator[tuple[CardFacts, str]]:
    """Each with a cryptogram of its own, in the order of the card's counter; the cards are written back."""
    assert options.images is not None
    paths = sorted(options.images.rglob("*.jc[is]"))[: options.cards or None]
    if not paths:
        raise NotFound("no cards", where=str(options.images), fix="images of jinka issue")
    keys = open_key_folder(options.keys) if options.keys is not None else None
    chips = [open_card(path, keys) for path in paths]
    kernel = EmvTerminal(file.device, SystemRandomness())
    try:
        for chip in islice(cycle(chips), count):
            yield card_of(_asked(kernel, chip, options.amount_fen, file), contactless=False), ""
    finally:
        for chip in chips:
            chip.save()


class _Listener:
    """Stands in the issuer's place: keeps the question and gives no answer."""

    asked = b""

    def authorise(self, request: bytes) -> bytes | None:
        self.asked = request
        return None


def _asked(kernel: EmvTerminal, chip: CardFile, fen: int, file: PosFile) -> bytes:
    chip.chip.power_up()
    zone = dt.timezone(dt.timedelta(minutes=file.rules.offset_minutes))
    now = dt.datetime.now(zone).replace(tzinfo=None)
    listener = _Listener()
    with suppress(CardRemoved):
        kernel.purchase(chip.chip, Sale(amount_fen=fen, at=now, forced_online=True), listener)
    if not listener.asked:
        raise Refused("the card asks nothing of its issuer", where=str(chip.path), fix="another card")
    return listener.asked


class _Line(asyncio.Protocol):
    """One line: notes when answers come, and no more."""

    def __init__(self, terms: LineTerms, volley: Volley, codec: Codec, start: list[float]) -> None:
        self._framer, self._volley, self._codec, self._start = Framer(terms.framing), volley, codec, start
        self._terms = terms

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def send(self, raw: bytes) -> None:
        framing, terms = self._terms.framing, self._terms
        tpdu = terms.tpdu if framing.tpdu is not Tpdu.NONE else b""
        head = terms.head if framing.head is Head.POS else b""
        self._transport.write(close_frame(framing, Frame(message=raw, tpdu=tpdu, head=head)))

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter() - self._start[0]
        for frame in self._framer.feed(data)[0]:
            try:
                trace = self._codec.decode(frame.message).text(11)
            except DecodeError:
                trace = ""
            shot = self._volley.shots.get(trace)
            if shot is None or shot.took >= 0:
                self._volley.strays += 1
            else:
                shot.took, shot.answer = now - shot.due, frame.message
                self._volley.answered += 1

    def close(self) -> None:
        self._transport.close()


async def _fire(terms: LineTerms, codec: Codec, volley: Volley, count: int) -> None:
    loop, start = asyncio.get_running_loop(), [0.0]
    lines: list[_Line] = []
    for _ in range(count):
        try:
            _, line = await loop.create_connection(
                lambda: _Line(terms, volley, codec, start),
                terms.host,
                terms.port,
                ssl=terms.tls.client() if terms.tls else None,
                server_hostname=terms.tls.name if terms.tls else None,
            )
        except OSError as error:
            raise NotFound(f"no line: {type(error).__name__}", where=f"{terms.host}:{terms.port}") from None
        lines.append(line)
    start[0] = time.perf_counter()
    for number, shot in enumerate(volley.shots.values()):
        ahead = shot.due - (time.perf_counter() - start[0])
        if ahead > 0:
            await asyncio.sleep(ahead)
        elif number % _BREATH == 0:
            await asyncio.sleep(0)  # behind its time: answers are read all the same
        lines[number % count].send(shot.raw)
    until = time.perf_counter() + terms.answer_s
    while time.perf_counter() < until and volley.answered < len(volley.shots):
        await asyncio.sleep(0.01)
    for line in lines:
        line.close()


def _judge(till: Till, shot: Shot) -> TillEntry:
    """What the answer is worth, by the rules of a till."""
    if not shot.answer:
        return shot.entry.after(TillStep.LOSE, reason=REASON_TIMEOUT)
    try:
        answer = till.messages.open(shot.answer, shot.message)
        if answer is None:
            raise Refused("another message", where="answer")
        till.messages.check(shot.answer, answer, till.pad)
    except (Refused, DecodeError):
        return shot.entry.after(TillStep.LOSE, reason=REASON_MAC, code="forged")
    code = answer.text(39)
    if code in APPROVED_CODES:
        return shot.entry.after(TillStep.APPROVE, code=code).after(TillStep.COMPLETE)
    return shot.entry.after(TillStep.DECLINE, code=code)


def _taken_back(till: Till, entry: TillEntry) -> TillEntry:
    for _ in range(till.rules.tries):
        answer = till.exchange(till.messages.reversal(entry, trace=entry.trace, moment=till.moment()))
        if answer is not None and answer.text(39) in TAKEN_BACK:
            return entry.after(TillStep.TAKE_BACK)
    return entry
