"""`jinka switch serve` and `jinka switch status`: the switch as a process, and what it says of itself."""

from __future__ import annotations

import asyncio
import json
import signal
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

from jinka.app.keyring import open_keys
from jinka.app.parts_file import KeySource
from jinka.app.switch_config import SwitchFile, read_switch_file
from jinka.app.switch_control import SOCKET, NoSealer, act_on
from jinka.app.switch_day import current_date, keep_days
from jinka.app.workspace import Workspace
from jinka.crypto.bulk_macs import prepare
from jinka.keys.payment_port import ExchangeService, PaymentService
from jinka.kit import JinkaError, NotFound, Refused, Usage
from jinka.node import FolderLock
from jinka.node.control_socket import ControlSocket
from jinka.node.event_log import Looks, change_log
from jinka.node.key_socket import connect_unix
from jinka.node.metrics_http import MetricsServer
from jinka.node.switch_keys import KeyDesk
from jinka.node.switch_metrics import SwitchFigures
from jinka.node.switch_runner import SwitchRunner, tune_process
from jinka.node.system import SystemClock
from jinka.store import JournalLine, SwitchJournal, open_database
from jinka.store.switch_journal import Sealer
from jinka.switch import JOURNAL_STATES, Entity, Record, SwitchConfig, SwitchCore
from jinka.switch.sessions import key_id

_LOGGED = ("business_date", "peers", "counts")


def serve_switch(
    path: Path, *, worker: int, workers: int, listening: Callable[[dict[str, Any]], None]
) -> None:
    """Serve until SIGTERM or Ctrl-C; raises what made it impossible to go on."""
    file = read_switch_file(path, worker=worker, workers=workers)
    lock = path.parent / f".switch-{worker}"
    lock.mkdir(exist_ok=True)
    # A second process under the same number would reverse what the first has in flight.
    with FolderLock(lock), heirs_lock(path.parent, worker, file.workers):
        asyncio.run(_serve(file, worker, file.workers, listening))


def heirs_lock(folder: Path, worker: int, workers: int) -> ExitStack:
    """Keep the places of workers that the file no longer has: worker 0 takes up what those have open.

    `Refused` where one of them still runs: it would be reversed what that one has in flight.
    """
    with ExitStack() as stack:
        for place in sorted(folder.glob(".switch-*")) if worker == 0 else ():
            number = place.name.removeprefix(".switch-")
            if not number.isdigit() or int(number) < workers:
                continue
            try:
                stack.enter_context(FolderLock(place))
            except Refused:
                raise Refused(
                    f"worker {number} still runs, and the file has {workers}", where=str(place),
                    fix="stop it: worker 0 then takes up what it has open",
                ) from None  # fmt: skip
        return stack.pop_all()


async def _serve(
    file: SwitchFile, worker: int, workers: int, listening: Callable[[dict[str, Any]], None]
) -> None:
    clock = SystemClock()
    database = open_database(file.database)
    keys, sealer, remote = _open_keys(file.keys)
    try:
        journal = SwitchJournal(database, sealer, worker=str(worker), shared=workers > 1)
        date = current_date(file.business_date, file.cut, journal, clock.now_micros())
        core = SwitchCore(
            file.config, now_micros=clock.now_micros(), business_date=date,
            start_trace=clock.now_micros() // 1000,
        )  # fmt: skip
        stopped = asyncio.Event()
        failures: list[BaseException] = []

        def failed(error: BaseException) -> None:
            failures.append(error)
            stopped.set()

        runner = SwitchRunner(core, journal, KeyDesk(keys, remote=remote), clock, failed=failed)
        exchanged = exchanged_keys(core.config, journal, keys)
        mine = journal.recover(lambda name: is_mine(name, worker, workers), date)
        open_ = [record for record in mine if record.entity is not Entity.KEY]
        runner.run(core.recover([*exchanged, *open_], clock.now_micros()))
        figures = SwitchFigures(runner)
        metrics = MetricsServer(figures)
        await runner.start(list(file.addresses))
        if file.metrics:
            host, port = file.metrics
            await metrics.start(host, port + worker if port else 0)
        control = ControlSocket(file.path.parent / f".switch-{worker}" / SOCKET, partial(act_on, runner))
        await control.start()
        days = asyncio.get_running_loop().create_task(keep_days(runner, file.cut, clock))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        tune_process()
        looks = Looks(change_log(file.log, f"switch-{worker}", figures.status, _LOGGED, clock))
        listening({"worker": worker, "ports": runner.ports, "metrics": metrics.port, "business_date": date})
        await stopped.wait()
        looks.stop()
        days.cancel()
        control.stop()
        metrics.stop()
        await runner.stop()
        if failures:
            raise JinkaError(
                f"the journal failed: {type(failures[0]).__name__}", where=str(file.database),
                fix="nothing was answered that is not in it; mend the database and start again",
            )  # fmt: skip
    finally:
        database.dispose()


class Kept(Protocol):
    """A journal that has the newest version of a record."""

    def find(self, id_: bytes, /) -> Record | None: ...


def exchanged_keys(config: SwitchConfig, journal: Kept, keys: ExchangeService) -> list[Record]:
    """The keys that were agreed last; a key service that began anew gets them again, by the blocks they came in."""
    found = []
    for name, peer in config.peers.items():
        for pin in (False, True) if peer.exchange is not None else ():
            record = journal.find(key_id(name, pin=pin))
            if record is not None and peer.exchange is not None:
                with suppress(Refused, Usage):  # it lives on, and has the key
                    keys.unwrap_key(record.request.text(48), under=peer.exchange.under, name=record.note)
                found.append(record)
    return found


def is_mine(name: str, worker: int, workers: int) -> bool:
    """Whose open transactions a worker takes up: its own, and those of workers that are no more."""
    number = int(name) if name.isdigit() else 0
    return number == worker or (number >= workers and worker == 0)


def _open_keys(source: KeySource) -> tuple[PaymentService, Sealer, bool]:
    """The verbs for messages, those for the journal, and whether they are behind a socket."""
    verbs = open_key_source(source)
    if source.socket is None:
        prepare()  # the switch waits for no compiler once it has messages
        return verbs, cast(Sealer, verbs), False
    return verbs, connect_unix(source.socket, caller=source.caller), True


def open_key_source(source: KeySource) -> PaymentService:
    """The verbs for messages and cards, over one line."""
    if source.socket is not None:
        verbs: PaymentService = cast(PaymentService, connect_unix(source.socket, caller=source.caller))
    elif source.folder is not None:
        verbs = open_keys(Workspace(source.folder), source.region, share_files=source.shares)
    else:
        raise Refused("no key service", where="keys", fix="a socket or a folder")
    for name, under, block in source.blocks:
        with suppress(Refused):  # a service that lives on has it from our start before this one
            verbs.drop_key(name=name)
        verbs.unwrap_key(block, under=under, name=name)
    return verbs


def switch_status(url: str) -> dict[str, Any]:
    """What a running switch says of itself; ``url`` is that of its metrics."""
    address = url if url.startswith("http://") else f"http://{url}"
    try:
        with urllib.request.urlopen(f"{address}/status", timeout=5) as answer:  # noqa: S310 http:// only
            return cast(dict[str, Any], json.load(answer))
    except (OSError, ValueError) as error:
        raise NotFound("nothing answers there", where=address, fix="see metrics in its file") from error


def journal_lines(path: Path, *, states: tuple[str, ...], limit: int) -> list[JournalLine]:
    """The newest lines of the journal: masked, so no key is needed. `Usage` for a state that no line has."""
    for state in states:
        if state not in JOURNAL_STATES:
            raise Usage(f"{state!r} is no state", where="--state", fix=", ".join(sorted(JOURNAL_STATES)))
    file = read_switch_file(path)
    database = open_database(file.database)
    try:
        return SwitchJournal(database, NoSealer()).lines(states=states, limit=limit)
    finally:
        database.dispose()
