"""`jinka serve`: key service, issuer's host, switch and gateway from one file, each a process of its own.

Each part is the command that serves it alone, over the same file; this process starts them in order, starts one again
that dies, and stops them in the opposite order (`jinka.node.supervisor`). Clear keys are in the key service's process
alone. What happens is told to the caller, and kept in ``log/serve.jsonl`` beside the file, masked.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinka.app.gateway_config import read_gateway_file
from jinka.app.issuer_host import read_issuer_file
from jinka.app.parts_file import KEYS, KeySource, host_port, parts_of, read_key_source, read_tables
from jinka.app.switch_config import SwitchFile, read_switch_file
from jinka.kit import Refused, Usage
from jinka.node import FolderLock
from jinka.node.event_log import EventLog
from jinka.node.supervisor import Part, Supervisor, program
from jinka.node.system import SystemClock

_READERS: Mapping[str, Callable[[Path], object]] = {
    "issuer": read_issuer_file,
    "switch": read_switch_file,
    "gateway": read_gateway_file,
}
SWITCH = "switch"
_PORTS_S, _AGAIN_S = 10.0, 0.1
Tell = Callable[[str, str, Mapping[str, Any]], None]  # part, event, facts


def serve(path: Path, *, tell: Tell, ready: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; raises `JinkaError` when a part cannot be kept up."""
    parts = parts_to_start(path)
    lock = path.parent / ".serve"
    with FolderLock(lock):
        _await_ports(path)
        log = EventLog(path.parent / "log" / "serve.jsonl", SystemClock())
        asyncio.run(_serve(path, parts, log, tell, ready))


def _await_ports(path: Path) -> None:
    """Wait for the ports that parts of an earlier run may still hold; `Refused` when somebody keeps one.

    A switch shares its ports with its other workers, so without this it would share them with a stranger.
    """
    until = time.monotonic() + _PORTS_S
    for where, (host, port) in _listening(path).items():
        while not is_free(host, port):
            if time.monotonic() > until:
                raise Refused(
                    f"somebody listens on {host}:{port}", where=where, fix="stop it, or change the file"
                )
            time.sleep(_AGAIN_S)


def _listening(path: Path) -> dict[str, tuple[str, int]]:
    """Every address of the file that a part will listen on, by its place in the file."""
    found: dict[str, tuple[str, int] | None] = {}
    names = parts_of(path)
    if SWITCH in names:
        switch = read_switch_file(path)
        found |= {f"peers.{a.peer}": (a.host, a.port) for a in switch.addresses if a.listen}
        found |= {
            f"switch.metrics, worker {at}": address for at, address in enumerate(worker_metrics(switch))
        }
    if "issuer" in names:
        issuer = read_issuer_file(path)
        found["issuer.metrics"] = issuer.metrics
        if "listen" in issuer.peer:
            found["peer"] = host_port(issuer.peer["listen"], "peer.listen")
    if "gateway" in names:
        gateway = read_gateway_file(path)
        found |= {"gateway": (gateway.host, gateway.port), "gateway.metrics": gateway.metrics}
    return {where: address for where, address in found.items() if address is not None and address[1]}


def worker_metrics(switch: SwitchFile) -> list[tuple[str, int]]:
    """Where each worker of the switch gives its figures; none where the file names no place."""
    if switch.metrics is None:
        return []
    host, port = switch.metrics
    return [(host, port + worker) for worker in range(switch.workers)]


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind((host, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE  # anything else the part itself will say
    return True


def parts_to_start(path: Path) -> list[Part]:
    """The parts that the file has, every table checked before the first process; raises `Usage`."""
    names = parts_of(path)
    if not names:
        raise Usage(
            "no part to start", where=str(path), fix="[switch], [issuer] or [gateway]; see docs/serve.md"
        )
    for name in names:
        _READERS[name](path)
    source = key_source(path, names[0])
    leans_on: tuple[str, ...] = ()
    found = []
    if source.service is not None:
        shares = [text for share in source.shares for text in ("--share", str(share))]
        found.append(Part(name=KEYS, command=program("keys", "serve", str(source.service), *shares)))
        leans_on = (KEYS,)
    for name in names:
        workers = read_switch_file(path).workers if name == SWITCH else 1
        for worker in range(workers):
            which = ("--worker", str(worker)) if workers > 1 else ()
            part = f"{name}-{worker}" if workers > 1 else name
            command = program(name, "serve", str(path), *which)
            found.append(Part(name=part, command=command, leans_on=leans_on))
    return found


def key_source(path: Path, part: str) -> KeySource:
    """Where the key service of the file is."""
    return read_key_source(path.parent, read_tables(path, part)[KEYS], part)


async def _serve(
    path: Path, parts: list[Part], log: EventLog, tell: Tell, ready: Callable[[dict[str, Any]], None]
) -> None:
    def told(part: str, event: str, facts: Mapping[str, Any]) -> None:
        plain = {k: v for k, v in facts.items() if isinstance(v, str | int | float | bool)}
        log.note(part, event, **{k: Path(str(v)).name if k == "socket" else v for k, v in plain.items()})
        tell(part, event, facts)

    supervisor = Supervisor(parts, told)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, supervisor.stop)
    log.note("serve", "started", file=path.name)
    try:
        await supervisor.run(lambda facts: ready(_addresses(facts)))
    finally:
        log.note("serve", "ended")


def address_line(part: str, facts: Mapping[str, Any]) -> str:
    """Where a part is reached, for a person."""
    metrics = f"; metrics on port {facts['metrics']}" if facts.get("metrics") else ""
    if part == KEYS:
        return f"{facts['socket']}" + (" (simulated keys)" if facts["simulated"] else "")
    if part == "gateway":
        return f"http://{facts['host']}:{facts['port']}{facts['openapi']}{metrics}"
    if "ports" in facts:
        return "ports " + ", ".join(f"{name} {port}" for name, port in facts["ports"].items()) + metrics
    return f"port {facts['port']}{metrics}"


def _addresses(facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: dict(said) for name, said in facts.items()}
