"""A child's side of the line: it sends what is in its outbox to its parent, and fetches what waits there for it.

HTTPS with the child's certificate (`jinka.api.centre` is the other side). The parent must show a certificate for the
name in the address and with the parent's code. A round may end at any byte: what is half sent is gone on with, what was
answered into the void is asked again and answered the same. Every round has one deadline; between rounds that fail the
wait doubles, with jitter, so that children who lost their parent do not come back all at once.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from jinka.codec.parcel import ENVELOPE_MAX, FileEntry, Kind, Manifest
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_fields import Purpose
from jinka.kit import Fault, JinkaError, Randomness, Refused, Usage
from jinka.node.parcel_desk import PIECE_MAX, ParcelDesk
from jinka.store.parcels_sent import Sent

ROUND_S = 300.0
ANSWER_S = 30.0
WAIT_MIN_S, WAIT_MAX_S = 1.0, 300.0
_IDLE_S = 4.0  # a connection that rested so long is opened anew: the server may have closed it
_LIST_MAX = 2 << 20
_PROBLEM_MAX = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The parent's code, and the host and port of its address."""

    code: str
    host: str
    port: int

    @classmethod
    def at(cls, code: str, url: str) -> Parent:
        """From ``https://HOST:PORT``; raises `Usage`."""
        try:
            parts = urlsplit(url)
            port = parts.port or 443
        except ValueError:
            parts, port = urlsplit(""), 0
        if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/") or parts.username:
            raise Usage(f"not an address: {url[:80]!r}", where="parent", fix="https://HOST:PORT")
        return cls(code=code, host=parts.hostname, port=port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What a round did. ``problems`` are in words; what failed is still there for the next round."""

    sent: int = 0
    taken: int = 0
    problems: tuple[str, ...] = ()


class _Answered(JinkaError):
    """The parent refused a request."""

    fault = Fault.PEER


class ParcelClient:
    """One line to one parent; for one thread."""

    def __init__(
        self,
        desk: ParcelDesk,
        parent: Parent,
        tls: Callable[[], ssl.SSLContext],
        *,
        round_s: float = ROUND_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._desk, self._parent, self._tls = desk, parent, tls
        self._round_s, self._answer_s = round_s, answer_s
        self._link: _Link | None = None
        self._used, self._late, self._over = 0.0, False, False

    def sync_once(self) -> Synced:
        """One round: up, then down. It raises nothing that the line or the parent may cause."""
        sent, taken, problems = 0, 0, list[str]()
        with self._deadline():
            try:
                sent = self._up(problems)
                taken = self._down(problems)
            except (OSError, http.client.HTTPException, ValueError, JinkaError) as error:
                problems.append(str(error) or type(error).__name__)
            finally:
                self._hang_up()
        return Synced(sent=sent, taken=taken, problems=tuple(problems))

    def run(
        self,
        stop: threading.Event,
        every_s: float,
        randomness: Randomness,
        told: Callable[[Synced], None] = lambda _: None,
    ) -> None:
        """Rounds until ``stop`` is set; the next one at once when the outbox has something new."""
        failed = 0
        while not stop.is_set():
            self._desk.stirred.clear()
            done = self.sync_once()
            told(done)
            failed = failed + 1 if done.problems and not (done.sent or done.taken) else 0
            wait = wait_s(failed, every_s, randomness)
            if failed:
                stop.wait(wait)
            else:
                self._desk.stirred.wait(wait)

    def give_up(self) -> None:
        """End the round that is under way, from another thread; what was half done is gone on with later."""
        self._over = True
        self._cut()
        self._desk.stirred.set()

    def _up(self, problems: list[str]) -> int:
        """Send in order; a parcel that is refused holds up its own stream alone."""
        done, halted = 0, set[Kind]()
        for sent in self._desk.waiting_for(self._parent.code):
            if sent.manifest.kind in halted:
                continue
            try:
                self._send(sent)
                done += 1
            except JinkaError as error:
                problems.append(f"{sent.manifest.label}: {error}")
                halted.add(sent.manifest.kind)
        return done

    def _send(self, sent: Sent) -> None:
        manifest = sent.manifest
        for entry in manifest.files:
            self._upload(manifest, entry)
        _, receipt = self._ask("POST", "/v1/parcels", sent.envelope, most=ENVELOPE_MAX)
        self._desk.receipted(self._parent.code, receipt)

    def _upload(self, manifest: Manifest, entry: FileEntry) -> None:
        path = f"/v1/files/{entry.sha256.hex()}"
        headers, _ = self._ask("HEAD", f"{path}?size={entry.size}")
        here = _offset(headers, entry)
        while here < entry.size:
            piece = self._desk.piece(self._parent.code, manifest.kind, manifest.number, entry.sha256, here)
            spread = f"bytes {here}-{here + len(piece) - 1}/{entry.size}"
            headers, _ = self._ask("PUT", path, piece, {"Content-Range": spread})
            after = _offset(headers, entry)
            if after <= here:
                raise Refused("the parent's offset does not move", where=manifest.label)
            here = after

    def _down(self, problems: list[str]) -> int:
        _, raw = self._ask("GET", "/v1/parcels", most=_LIST_MAX)
        listed = json.loads(raw)
        envelopes = listed.get("parcels") if isinstance(listed, dict) else None
        if not isinstance(envelopes, list) or not all(isinstance(one, str) for one in envelopes):
            raise Refused("not a list of parcels", where="parent")
        done, halted = 0, set[Kind]()
        for envelope in (one.encode() for one in envelopes):
            try:
                manifest = self._desk.announced(self._parent.code, envelope)
            except JinkaError as error:
                problems.append(str(error))
                continue
            if manifest.kind in halted:
                continue
            try:
                for entry in manifest.files:
                    self._fetch(manifest, entry)
                receipt = self._desk.take_in(self._parent.code, envelope)
                self._ask("POST", "/v1/receipts", receipt)
                done += 1
            except JinkaError as error:
                problems.append(f"{manifest.label}: {error}")
                halted.add(manifest.kind)
        return done

    def _fetch(self, manifest: Manifest, entry: FileEntry) -> None:
        parent, digest = self._parent.code, entry.sha256
        path = f"/v1/parcels/{manifest.kind.value}/{manifest.number}/files/{digest.hex()}"
        while (here := self._desk.offset(parent, digest, entry.size)) < entry.size:
            _, piece = self._ask("GET", path, headers={"Range": f"bytes={here}-"}, most=PIECE_MAX)
            self._desk.append(parent, digest, entry.size, here, piece)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        most: int = _PROBLEM_MAX,
    ) -> tuple[Mapping[str, str], bytes]:
        """One request; headers and body of an answer of 2xx. Raises `_Answered` for others, `OSError` for the line."""
        if self._late or self._over:
            raise TimeoutError("the round was ended, or took too long")
        link = self._linked()
        link.request(method, path, body, dict(headers or {}))
        answer = link.getresponse()
        raw = answer.read(max(most, _PROBLEM_MAX) + 1)
        self._used = time.monotonic()
        if not answer.isclosed():  # it is longer than it may be; the connection is of no more use
            self._hang_up()
        if not 200 <= answer.status < 300:
            raise _Answered(_words(raw), where=f"parent, HTTP {answer.status}")
        if len(raw) > most:
            raise Refused(f"an answer of more than {most} bytes", where="parent")
        return {name.lower(): value for name, value in answer.getheaders()}, raw

    def _linked(self) -> _Link:
        if self._link is not None and time.monotonic() - self._used > _IDLE_S:
            self._hang_up()
        if self._link is None:
            parent = self._parent
            self._link = _Link(parent.host, parent.port, self._tls(), self._answer_s)
            self._link.connect()
            self._require_parent(self._link.sock)
        return self._link

    def _require_parent(self, link: object) -> None:
        """OpenSSL has checked path and name; whose code it is is checked here."""
        assert isinstance(link, ssl.SSLSocket)
        found = read_certificate(link.getpeercert(binary_form=True) or b"")
        if found.common_name != self._parent.code or Purpose.SERVER.value not in found.purposes:
            raise Refused(f"the certificate of {found.common_name!r}", where=f"parent {self._parent.code}")

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        """Cut the line when the round lasts too long, wherever it hangs."""
        self._late = False
        timer = threading.Timer(self._round_s, self._cut)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        self._late = True
        link = self._link.sock if self._link is not None else None
        if link is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(
                    link, socket.SHUT_RDWR
                )  # not TLS's own: another thread is at work in it


class _Link(http.client.HTTPConnection):
    """A connection that can be cut from another thread at any time, in the handshake too."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._tls = tls
        self.default_port = 443

    def connect(self) -> None:
        """TCP, then TLS for the name in the address."""
        super().connect()
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock.do_handshake()


def wait_s(failed: int, every_s: float, randomness: Randomness) -> float:
    """How long to wait after so many rounds in a row that failed: up to `WAIT_MAX_S`, half of it by chance."""
    if not failed:
        return every_s
    longest = min(WAIT_MAX_S, max(every_s, WAIT_MIN_S) * (1 << min(failed, 16)))
    return longest * (0.5 + int.from_bytes(randomness.token_bytes(2), "big") / 131_072)


def _offset(headers: Mapping[str, str], entry: FileEntry) -> int:
    text = headers.get("upload-offset", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 12) or int(text) > entry.size:
        raise Refused("no offset in its answer", where="parent")
    return int(text)


def _words(raw: bytes) -> str:
    """What a problem says (RFC 9457), bounded and printable."""
    try:
        text = str(json.loads(raw)["detail"])
    except (ValueError, KeyError, TypeError):
        return "refused"
    return "".join(letter if letter.isprintable() else "?" for letter in text[:300])
