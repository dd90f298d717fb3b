"""The key service behind a socket: one Unix socket for this machine, TLS 1.3 with client certificates between machines.

A caller on the Unix socket is known by the user it runs as (SO_PEERCRED), over TLS by the common name of its
certificate; it says which of the names that this allows it speaks for. One thread for each connection, a bounded number
of them; a message that does not come to its end in time, lies about its length or is no message ends the connection.
Entries of the audit log are on the disk before an answer leaves.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import pyarrow as pa

from jinka.keys.border import VERBS, Caller
from jinka.keys.payment_port import FullKeyService
from jinka.keys.tac import TAC_COLUMNS
from jinka.keys.wire import PARTS_MAX, PREFIX, error_of, error_text, read_message, sizes_of, write_message
from jinka.kit import JinkaError, NotFound, Refused, Usage
from jinka.node.tls_trust import TlsTrust

CONNECTIONS_MAX = 64
MESSAGE_S = 30.0  # for a message to come to its end
ROWS_MAX = (
    1 << 17
)  # of a batch in one message: each costs a flush of the audit log, and less keeps to the cache
_PEER = struct.Struct("3i")  # pid, uid, gid


class Service(Protocol):
    """A service as one caller sees it (`jinka.keys.LocalKeyService`)."""

    @property
    def issuer(self) -> str: ...
    @property
    def simulated(self) -> bool: ...
    @property
    def city_factor8(self) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Who may call under a name: a user of this machine, or the common name of a certificate."""

    caller: Caller
    uid: int | None = None
    certificate: str = ""


class KeyServer:
    """Serves until `stop`. ``service_for`` gives the service as a caller sees it."""

    def __init__(
        self,
        admissions: Mapping[str, Admission],
        service_for: Callable[[Caller], Service],
        *,
        commit: Callable[[], object] = lambda: None,
    ) -> None:
        self._admissions, self._service_for, self._commit = dict(admissions), service_for, commit
        self._places = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._stopped = threading.Event()
        self._listeners: list[socket.socket] = []
        self._open: set[socket.socket] = set()
        self._changing = threading.Lock()

    def listen_unix(self, path: Path) -> None:
        """Listen on a socket file that only its owner and group may open."""
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o117)
        try:
            listener.bind(str(path))
        finally:
            os.umask(mask)
        self._listen(listener, _peer_of_unix)

    def listen_tls(
        self, host: str, port: int, *, certificate: Path, key: Path, authority: Path, crl: Path | None = None
    ) -> int:
        """Listen for TLS 1.3 with client certificates of one authority, none of them on its list; returns the port."""
        trust = TlsTrust(certificate=certificate, key=key, authority=authority, crl=crl)
        trust.context()
        listener = socket.create_server((host, port))
        self._listen(listener, lambda plain: _peer_of_tls(plain, trust.context()))
        return int(listener.getsockname()[1])

    def stop(self) -> None:
        """Close listeners and connections."""
        self._stopped.set()
        with self._changing:
            for each in (*self._listeners, *self._open):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def interrupt(self) -> None:
        """Let `wait` return."""
        self._stopped.set()

    def wait(self) -> None:
        """Return when `interrupt` or `stop` was called."""
        self._stopped.wait()

    def _listen(self, listener: socket.socket, peer: Callable[[socket.socket], _Peer]) -> None:
        listener.listen(CONNECTIONS_MAX)
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, peer), daemon=True).start()

    def _accept(self, listener: socket.socket, peer: Callable[[socket.socket], _Peer]) -> None:
        while not self._stopped.is_set():
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            if not self._places.acquire(blocking=False):
                plain.close()  # the caller tries again
                continue
            threading.Thread(target=self._talk, args=(plain, peer), daemon=True).start()

    def _talk(self, plain: socket.socket, peer: Callable[[socket.socket], _Peer]) -> None:
        link = plain
        try:
            plain.settimeout(MESSAGE_S)
            found = peer(plain)
            link = found.link
            with self._changing:
                self._open.add(link)
            service = self._greet(link, found)
            while service is not None and not self._stopped.is_set():
                link.settimeout(None)  # a caller may be silent for as long as it likes, between messages
                content = _receive(link)
                if content is None:
                    return
                _send(link, self._answer(service, content))
        except (OSError, JinkaError):
            return  # whoever it was has hung up, or never spoke the protocol
        finally:
            with self._changing:
                self._open.discard(link)
            with contextlib.suppress(OSError):
                link.close()
            self._places.release()

    def _greet(self, link: socket.socket, peer: _Peer) -> Service | None:
        """The service for the caller that the first message names, if the peer may be it."""
        content = _receive(link, parts_max=0)
        if content is None:
            return None
        admitted = self._admissions.get(str(content.get("caller")))
        if admitted is None or not peer.is_one(admitted):
            refusal = Refused("no such caller here", where="key socket", fix="see the service's callers")
            _send(link, {"error": error_text(refusal)})
            return None
        service = self._service_for(admitted.caller)
        facts = {name: getattr(service, name) for name in _FACTS}
        _send(link, {"result": facts})
        return service

    def _answer(self, service: Service, content: dict[str, Any]) -> dict[str, Any]:
        try:
            verb, arguments = content.get("verb"), content.get("arguments")
            if verb not in VERBS or not isinstance(arguments, dict):
                raise Usage("no such verb", where="key socket", fix="see jinka.keys.KeyService")
            method, positional = getattr(service, str(verb)), content.get("positional", [])
            try:
                inspect.signature(method).bind(*positional, **arguments)
            except TypeError:
                raise Usage("wrong arguments", where=str(verb), fix="see jinka.keys.KeyService") from None
            return {"result": method(*positional, **arguments)}
        except JinkaError as error:
            return {"error": error_text(error)}
        except Exception:  # whatever it was, its text may hold what must not leave
            return {
                "error": ["JinkaError", "the key service failed", str(content.get("verb")), "see its log"]
            }
        finally:
            self._commit()


_FACTS = ("issuer", "simulated", "city_factor8")


@dataclass(frozen=True, slots=True)
class _Peer:
    link: socket.socket
    uid: int | None = None
    certificate: str = ""

    def is_one(self, admitted: Admission) -> bool:
        if self.uid is not None:
            return admitted.uid == self.uid
        return bool(self.certificate) and admitted.certificate == self.certificate


def _peer_of_unix(link: socket.socket) -> _Peer:
    _, uid, _ = _PEER.unpack(link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return _Peer(link, uid=uid)


def _peer_of_tls(plain: socket.socket, context: ssl.SSLContext) -> _Peer:
    link = context.wrap_socket(plain, server_side=True)
    certificate = link.getpeercert() or {}
    subject: Any = certificate.get("subject", ())
    names = [pair[1] for part in subject for pair in part if pair[0] == "commonName"]
    return _Peer(link, certificate=names[0] if len(names) == 1 else "")


class _Line:
    """One connection to a service: a question, then its answer."""

    def __init__(self, dial: Callable[[], socket.socket], caller: str, where: str) -> None:
        self._where, self._calling, self._link = where, threading.Lock(), dial()
        try:
            self.facts: dict[str, Any] = self.ask({"caller": caller})
        except BaseException:
            self._link.close()
            raise

    def ask(self, content: dict[str, Any]) -> Any:
        with self._calling:
            try:
                _send(self._link, content)
                answer = _receive(self._link)
            except OSError as error:
                raise self._lost(error.strerror or "the connection broke") from None
        if answer is None:
            raise self._lost("the key service hung up")
        if "error" in answer:
            raise error_of(answer["error"])
        return answer["result"]

    def close(self) -> None:
        self._link.close()

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


def _send(link: socket.socket, content: dict[str, Any]) -> None:
    for piece in write_message(content):
        link.sendall(piece)


def _receive(link: socket.socket, *, parts_max: int = PARTS_MAX) -> dict[str, Any] | None:
    """The next message; None when the other side hung up between two."""
    prefix = _read(link, PREFIX.size, may_end=True)
    if prefix is None:
        return None
    header, parts = sizes_of(bytes(prefix), parts_max=parts_max)
    link.settimeout(MESSAGE_S)
    try:
        head = _read(link, header)
        body = _read(link, parts)
    finally:
        link.settimeout(None)
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
