"""The key service from a caller's side of the socket, and how both sides put messages onto it.

`connect_unix` for a service on this machine, `connect_tls` for one on another; the other side is
`jinka.node.key_server`. Every wait is bounded. What travels is `jinka.keys.wire`.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa

from jinka.keys.border import VERBS
from jinka.keys.payment_port import FullKeyService
from jinka.keys.tac import TAC_COLUMNS
from jinka.keys.wire import PARTS_MAX, PREFIX, error_of, read_message, sizes_of, write_message
from jinka.kit import JinkaError, NotFound, Refused

MESSAGE_S = 30.0  # for a message to come to its end
ANSWER_S = 120.0  # for an answer to begin: a full batch on a slow token takes tens of seconds
ROWS_MAX = 1 << 17  # of a batch in one message: each costs a flush; fewer rows keep to the cache


class _Line:
    """One connection to a service: a question, then its answer. After a loss the next question dials again.

    A question that was lost is not asked again: whoever asked knows whether it may be.
    """

    def __init__(self, dial: Callable[[], socket.socket], caller: str, where: str) -> None:
        self._dial, self._caller, self._where = dial, caller, where
        self._calling = threading.Lock()
        self._link: socket.socket | None = None
        self._closed = False
        with self._calling:
            self.facts: dict[str, Any] = self._connect()

    def ask(self, content: dict[str, Any]) -> Any:
        with self._calling:
            if self._closed:
                raise Refused("the connection was closed", where=self._where, fix="connect again")
            if self._link is None and self._connect() != self.facts:
                self._drop()
                raise Refused("another key service answers there", where=self._where, fix="start again")
            return self._exchange(content)

    def close(self) -> None:
        self._closed = True
        self._drop()

    def _connect(self) -> dict[str, Any]:
        self._link = self._dial()
        try:
            return cast(dict[str, Any], self._exchange({"caller": self._caller}))
        except BaseException:
            self._drop()
            raise

    def _exchange(self, content: dict[str, Any]) -> Any:
        link = self._link
        assert link is not None
        pieces = write_message(content)
        link.settimeout(ANSWER_S)
        try:
            for piece in pieces:
                link.sendall(piece)
            answer = receive_message(link, first_s=ANSWER_S)
        except (OSError, JinkaError) as error:
            self._drop()  # a late answer must not be taken for that of the next question
            late = (
                f"no answer in {ANSWER_S:g} s" if isinstance(error, TimeoutError) else "the connection broke"
            )
            raise self._lost(getattr(error, "strerror", None) or late) from None
        if answer is None:
            self._drop()
            raise self._lost("the key service hung up")
        if "error" in answer:
            raise error_of(answer["error"])
        return answer["result"]

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _lost(self, what: str) -> JinkaError:
        return JinkaError(what, where=self._where, fix="see whether jinka keys serve still runs")


class RemoteKeyService:
    """The verbs over a socket; `connect_unix` and `connect_tls` give it as a `jinka.keys.KeyService`.

    Big batches take a second line: while the service checks the slice of one and waits for the disk with its entry of
    the audit log, the slice of the other travels.
    """

    def __init__(self, dial: Callable[[], socket.socket], caller: str, where: str) -> None:
        self._dial, self._caller, self._where = dial, caller, where
        self._line, self._dialling = _Line(dial, caller, where), threading.Lock()
        self._second: _Line | None = None
        self.issuer: str = self._line.facts["issuer"]
        self.simulated: bool = self._line.facts["simulated"]
        self.city_factor8: bytes = self._line.facts["city_factor8"]

    def __repr__(self) -> str:
        return f"RemoteKeyService({self._where})"

    def __reduce__(self) -> Any:
        raise Refused("a connection is not pickled", where="keys", fix="connect in the new process")

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        if verb not in VERBS:
            raise AttributeError(verb)
        return lambda *positional, **arguments: self._line.ask(_call(verb, *positional, **arguments))

    def verify_tacs(self, records: pa.RecordBatch) -> pa.UInt8Array:
        """See `jinka.keys.KeyService.verify_tacs`: only the columns that a TAC needs travel, in slices."""
        needed = records.select([name for name in TAC_COLUMNS if name in records.schema.names])
        if len(needed) <= ROWS_MAX:
            return cast(pa.UInt8Array, self._line.ask(_call("verify_tacs", needed)))
        slices = [needed.slice(at, ROWS_MAX) for at in range(0, len(needed), ROWS_MAX)]
        lines = self._lines_for_batches()
        queue = iter(enumerate(slices))

        def work(line: _Line) -> list[tuple[int, pa.UInt8Array]]:
            return [(at, line.ask(_call("verify_tacs", part))) for at, part in queue]

        with ThreadPoolExecutor(len(lines)) as senders:
            answers = dict(chain.from_iterable(senders.map(work, lines)))
        return pa.concat_arrays([answers[at] for at in range(len(slices))])

    def _lines_for_batches(self) -> list[_Line]:
        with self._dialling:
            if self._second is None:
                try:
                    self._second = _Line(self._dial, self._caller, self._where)
                except JinkaError:
                    return [self._line]  # the service has no place left; the next batch tries again
            return [self._line, self._second]

    def commit(self) -> None:
        """Nothing is left to do: the service commits before it answers."""

    def close(self) -> None:
        """Hang up."""
        self._line.close()
        if self._second is not None:
            self._second.close()


def _call(verb: str, *positional: Any, **arguments: Any) -> dict[str, Any]:
    return {"verb": verb, "positional": list(positional), "arguments": arguments}


def connect_unix(path: Path, *, caller: str) -> FullKeyService:
    """Connect to a service on this machine; raises `NotFound` or `Refused`."""

    def dial() -> socket.socket:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            link.connect(str(path))
        except OSError:
            link.close()
            raise NotFound("no key service there", where=str(path), fix="jinka keys serve") from None
        return link

    return cast(FullKeyService, RemoteKeyService(dial, caller, str(path)))


def connect_tls(
    host: str,
    port: int,
    *,
    caller: str,
    certificate: Path,
    key: Path,
    authority: Path,
    server_name: str | None = None,
) -> FullKeyService:
    """Connect to a service on another machine, whose certificate names ``server_name`` (the host by default).

    Raises `NotFound` or `Refused`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    where = f"{host}:{port}"

    def dial() -> socket.socket:
        try:
            plain = socket.create_connection((host, port), timeout=MESSAGE_S)
            link = context.wrap_socket(plain, server_hostname=server_name or host)
        except ssl.SSLError as error:
            raise Refused(f"no trust: {error.reason}", where=where, fix="check the certificates") from None
        except OSError:
            raise NotFound("no key service there", where=where, fix="jinka keys serve") from None
        link.settimeout(None)
        return link

    return cast(FullKeyService, RemoteKeyService(dial, caller, where))


def send_message(link: socket.socket, content: dict[str, Any]) -> None:
    for piece in write_message(content):
        link.sendall(piece)


def receive_message(
    link: socket.socket, *, parts_max: int = PARTS_MAX, first_s: float | None = None
) -> dict[str, Any] | None:
    """The next message, which begins within ``first_s``; None when the other side hung up between two."""
    link.settimeout(first_s)
    prefix = _read(link, PREFIX.size, may_end=True)
    if prefix is None:
        return None
    header, parts = sizes_of(bytes(prefix), parts_max=parts_max)
    link.settimeout(MESSAGE_S)
    head = _read(link, header)
    body = _read(link, parts)
    return read_message(bytes(head), memoryview(body))


def _read(link: socket.socket, size: int, *, may_end: bool = False) -> Any:
    buffer = np.empty(size, dtype=np.uint8)  # unlike a bytearray, not zeroed first
    view, got = buffer.data, 0
    while got < size:
        count = link.recv_into(view[got:])
        if count == 0:
            if may_end and got == 0:
                return None
            raise ConnectionError("cut off in a message")
        got += count
    return buffer
