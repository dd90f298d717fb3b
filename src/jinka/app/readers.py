"""`jinka trace readers`: a station of readers as a process, what it says of itself, a try of its readers, an emulator.

The station's events go to its outbox first, and from there to the capture interface of an EPCIS server, again and again
until the server has them.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.readers_file import ReadersFile, read_readers_file
from jinka.codec.llrp import Message, event_time, message
from jinka.codec.tags import SCHEME_BY_NAME, canonical_id, encode, make_tag, parse_urn
from jinka.kit import JinkaError, Usage
from jinka.node import FolderLock, file_errors
from jinka.node.capture_client import CaptureClient, Outcome
from jinka.node.control_socket import ControlSocket, Order, give_order
from jinka.node.metrics_http import MetricsServer
from jinka.node.reader_clock import ReaderClock
from jinka.node.reader_emulator import ReaderEmulator
from jinka.node.reader_field import EmulatedTag, TagField, Visit
from jinka.node.reader_link import ReaderLink
from jinka.node.reader_metrics import StationFigures
from jinka.node.reader_outbox import Outbox
from jinka.node.reader_station import Station
from jinka.node.reader_watch import ReaderSettings
from jinka.node.system import SystemClock

_SOCKET = "control.sock"
_LOOK_S = 0.2
_RETRY_FIRST_S = 0.5
_BEGIN_S, _WALK_S, _BETWEEN_S = 1.5, 1.0, 0.4
_TID = bytes.fromhex("E28011050000000000000000")


def run_readers(path: Path, *, started: Callable[[dict[str, Any]], None]) -> None:
    """Run a station until SIGTERM or Ctrl-C."""
    file = read_readers_file(path)
    folder = file.station.folder
    with file_errors(folder), FolderLock(folder):
        asyncio.run(_run(file, started))


async def _run(file: ReadersFile, started: Callable[[dict[str, Any]], None]) -> None:
    clock, folder, stop = SystemClock(), file.station.folder, asyncio.Event()
    outbox = Outbox(folder / "outbox", clock)
    station = Station(file.station, clock, outbox.put, offset_of=file.offset_of)
    sender = (
        None
        if file.capture is None
        else Sender(outbox, CaptureClient(file.capture), retry_most_s=file.capture.retry_most_s)
    )

    def status() -> dict[str, Any]:
        sent = {} if sender is None else {"sent": sender.sent, "answer": sender.answer}
        return station.status() | {
            "outbox": {"waiting": len(outbox.waiting()), "refused": outbox.set_aside, **sent}
        }

    control = ControlSocket(folder / _SOCKET, lambda order: _obey(order, station, status))
    metrics = MetricsServer(StationFigures(status))
    _stop_by_signal(stop)
    await control.start()
    if file.metrics is not None:
        await metrics.start(*file.metrics)
    sending = asyncio.create_task(sender.run(stop)) if sender is not None else None
    try:
        names = [each.name for each in file.station.readers]
        started({"station": str(folder), "readers": names, "metrics": metrics.port})
        await station.run(stop)
    finally:
        stop.set()
        control.stop()
        metrics.stop()
        if sending is not None:
            await sending


def _stop_by_signal(stop: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


def _obey(order: Order, station: Station, status: Callable[[], dict[str, Any]]) -> Order:
    if order.get("order") == "bind":
        station.bind(str(order.get("epc")), _chip(str(order.get("tid"))))
        return {"epc": order["epc"], "tid": order["tid"]}
    if order.get("order") != "status":
        raise Usage("no such order", where="control", fix="status, bind")
    return status()


class Sender:
    """Empties the outbox; a document that the server does not take now is sent again later, the oldest first."""

    def __init__(self, outbox: Outbox, client: CaptureClient, *, retry_most_s: float = 30.0) -> None:
        self._outbox, self._client, self._retry_most_s = outbox, client, retry_most_s
        self.sent = 0
        self.answer = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set; what is in the outbox then is sent once more, if the server answers at once."""
        wait = _LOOK_S
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await stop.wait()
            good = await self._empty()
            wait = _LOOK_S if good else min(self._retry_most_s, max(_RETRY_FIRST_S, 2 * wait))

    async def _empty(self) -> bool:
        for path in self._outbox.waiting():
            answer = await asyncio.to_thread(self._client.send, path.read_bytes())
            self.answer = f"{answer.outcome.value}: {answer.words[:300]}"
            if answer.outcome is Outcome.LATER:
                return False
            if answer.outcome is Outcome.TAKEN:
                self._outbox.taken(path)
                self.sent += 1
            elif answer.outcome is Outcome.REFUSED or not self._outbox.split(path):
                self._outbox.refuse(path, answer.words)
        return True


def _chip(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Usage("not hexadecimal", where="tid", fix="as the station's events show it") from None


def bind_chip(path: Path, epc: str, tid: str) -> dict[str, Any]:
    """Tell a running station that a chip is right for an EPC, from now on."""
    _chip(tid)
    _ = parse_urn(epc) if epc.startswith("urn:epc:id:") else canonical_id(epc)
    return give_order(
        read_readers_file(path).station.folder / _SOCKET, {"order": "bind", "epc": epc, "tid": tid.upper()}
    )


def readers_status(path: Path) -> dict[str, Any]:
    """What a running station says of itself."""
    return give_order(read_readers_file(path).station.folder / _SOCKET, {"order": "status"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderTry:
    """What came of a visit: ``wrong`` is empty where the reader answered as it should."""

    reader: str
    address: str
    wrong: str = ""
    model: str = ""
    antennas: int = 0
    unplugged: tuple[int, ...] = ()
    holds_reports: bool = False
    clock_wrong_micros: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {name: getattr(self, name) for name in self.__slots__} | {"unplugged": list(self.unplugged)}


def check_readers(path: Path, *, connect: bool) -> list[ReaderTry]:
    """Read the file, and visit each reader if ``connect``: nothing on it is changed."""
    readers = read_readers_file(path).station.readers
    if not connect:
        return [ReaderTry(reader=each.name, address=f"{each.host}:{each.port}") for each in readers]

    async def visit_all() -> list[ReaderTry]:
        return list(await asyncio.gather(*map(_visit, readers)))

    return asyncio.run(visit_all())


async def _visit(reader: ReaderSettings) -> ReaderTry:
    address, clock, times = f"{reader.host}:{reader.port}", SystemClock(), ReaderClock()
    link = ReaderLink(reader.host, reader.port, lambda _: None, answer_s=reader.answer_s)
    try:
        said, utc = event_time(await link.open())
        times.heard(said, clock.now_micros(), utc=utc)
        able = await link.ask(message("GET_READER_CAPABILITIES"))
        told = await link.ask(message("GET_READER_CONFIG"))
    except JinkaError as error:
        return ReaderTry(reader=reader.name, address=address, wrong=str(error))
    finally:
        await link.close()
    general, llrp = able.body.first("GeneralDeviceCapabilities"), able.body.first("LLRPCapabilities")
    unplugged = [a for a in _unplugged(told) if not reader.antennas or a in reader.antennas]
    antennas = general["MaxNumberOfAntennaSupported"] if general else 0
    wrong = ""
    if antennas and any(a > antennas for a in reader.antennas):
        wrong = f"it has {antennas} antennas"
    elif unplugged and reader.antennas:
        wrong = f"no antenna is connected at {', '.join(map(str, unplugged))}"
    firmware = general["ReaderFirmwareVersion"] if general else ""
    return ReaderTry(
        reader=reader.name,
        address=address,
        wrong=wrong,
        model="".join(letter for letter in firmware if letter.isprintable())[:64],
        antennas=antennas,
        unplugged=tuple(unplugged),
        holds_reports=bool(llrp and llrp["SupportsEventAndReportHolding"]),
        clock_wrong_micros=times.wrong_by_micros,
    )


def _unplugged(told: Message) -> list[int]:
    return [each["AntennaID"] for each in told.body.all("AntennaProperties") if not each["AntennaConnected"]]


def emulate_reader(
    host: str,
    port: int,
    *,
    tags: int,
    seed: int,
    walk: str,
    uptime: bool,
    listening: Callable[[dict[str, Any]], None],
) -> None:
    """Be a reader until SIGTERM or Ctrl-C."""
    if walk not in WALKS:
        raise Usage(f"no such walk: {walk}", where="--walk", fix=", ".join(WALKS))
    population = [emulated_tag(number, WALKS[walk](number)) for number in range(tags)]

    async def serve() -> None:
        stop = asyncio.Event()
        _stop_by_signal(stop)
        reader = ReaderEmulator(TagField(population, seed=seed), SystemClock(), uptime=uptime)
        with file_errors(Path(f"{host}:{port}")):
            await reader.start(host, port)
        listening({"host": reader.host, "port": reader.port, "tags": tags})
        await stop.wait()
        await reader.stop()

    asyncio.run(serve())


def _through(number: int, first: int, then: int) -> tuple[Visit, ...]:
    begin = _BEGIN_S + _BETWEEN_S * number
    return (
        Visit(antenna=first, from_s=begin, to_s=begin + _WALK_S),
        Visit(antenna=then, from_s=begin + _WALK_S / 2, to_s=begin + 1.5 * _WALK_S),
    )


WALKS: dict[str, Callable[[int], tuple[Visit, ...]]] = {
    "stay": lambda _: (Visit(antenna=1, rate=0.8),),
    "in": lambda number: _through(number, 1, 2),
    "out": lambda number: _through(number, 2, 1),
}


def emulated_tag(number: int, visits: tuple[Visit, ...]) -> EmulatedTag:
    """An item of one product, by its serial number (SGTIN-96), with a chip of its own."""
    epc = parse_urn(f"urn:epc:id:sgtin:0614141.812345.{number + 1}")
    bits = encode(make_tag(SCHEME_BY_NAME["sgtin-96"], epc, 1))
    return EmulatedTag(epc=bits, visits=visits, tid=_TID[:-4] + (number + 1).to_bytes(4, "big"))
