"""The key service's side of its sockets: a Unix socket for this machine, TLS 1.3 with client certificates between two.

A caller on the Unix socket is known by the user it runs as (SO_PEERCRED), over TLS by the common name of its
certificate; it says which of the names that this allows it speaks for. One thread for each connection, a bounded number
of them; a message that does not come to its end in time, lies about its length or is no message ends the connection,
and so does a caller that does not take its answer. Entries of the audit log are on the disk before an answer leaves.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jinka.keys.border import VERBS, Caller
from jinka.keys.wire import error_text
from jinka.kit import JinkaError, Refused, Usage
from jinka.node.key_socket import MESSAGE_S, receive_message, send_message
from jinka.node.tls_trust import TlsTrust

CONNECTIONS_MAX = 64
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
                content = receive_message(
                    link
                )  # between messages a caller may be silent for as long as it likes
                if content is None:
                    return
                send_message(link, self._answer(service, content))
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
        content = receive_message(link, parts_max=0, first_s=MESSAGE_S)
        if content is None:
            return None
        admitted = self._admissions.get(str(content.get("caller")))
        if admitted is None or not peer.is_one(admitted):
            refusal = Refused("no such caller here", where="key socket", fix="see the service's callers")
            send_message(link, {"error": error_text(refusal)})
            return None
        service = self._service_for(admitted.caller)
        facts = {name: getattr(service, name) for name in _FACTS}
        send_message(link, {"result": facts})
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
