"""Sends one callback to a merchant's receiver: an HTTP POST that cannot be turned against our own network.

The name is resolved here, every address that it has must be outside (`acquirer.callbacks.require_outside`), and the
connection goes to an address that was checked, so that a second answer of the DNS changes nothing. No redirect is
followed, the answer's body is not read, and all of it has one deadline. TLS certificates are checked as by a browser.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from jinka.acquirer.callbacks import require_outside
from jinka.kit import JinkaError, Refused, Usage

DEADLINE_S = 10.0
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
Resolve = Callable[[str, int], list[str]]


def require_receiver(url: str, *, plain: bool = False, where: str = "callback_url") -> tuple[str, int, str]:
    """(host, port, path) of a receiver's address; `Usage` for one that is no HTTPS address or has a name and password.

    ``plain`` allows HTTP, for tests and for a machine of one's own.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Usage("not an address", where=where, fix="https://host/path") from None
    if parts.scheme != "https" and not (plain and parts.scheme == "http"):
        raise Usage("not https", where=where, fix="https://host/path")
    clean = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if (
        not parts.hostname
        or parts.username
        or parts.password
        or parts.fragment
        or not clean
        or len(url) > 500
    ):
        raise Usage("not a plain address", where=where, fix="https://host/path, without a name or a fragment")
    last = parts.hostname.rstrip(".").rpartition(".")[2]
    if _NUMBER.fullmatch(last) and not _is_address(parts.hostname):
        # 2130706433, 0x7f.1, 0177.0.0.1: some libraries read them as IPv4 addresses, and no name ends so (RFC 3696, 2)
        raise Usage("a number that is no plain IPv4 address", where=where, fix="https://name/path")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.hostname, port or (443 if parts.scheme == "https" else 80), path


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name; raises `OSError`."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


class CallbackSender:
    """``plain`` and ``inside`` are for a machine of one's own: HTTP, and receivers in the same network.

    ``hosts`` are names that the operator vouches for: to them alone HTTP and addresses inside are allowed.
    """

    def __init__(
        self,
        *,
        plain: bool = False,
        inside: bool = False,
        hosts: frozenset[str] = frozenset(),
        deadline_s: float = DEADLINE_S,
        resolver: Resolve = resolve,
    ) -> None:
        self._plain, self._inside, self._deadline_s, self._resolve = plain, inside, deadline_s, resolver
        self._hosts = hosts
        self._tls = ssl.create_default_context()

    def send(self, url: str, headers: Mapping[str, str], body: str) -> tuple[bool, str]:
        """Whether the receiver took it (a status of 2xx), and what came of it in words for the outbox."""
        try:
            status = self.post(url, headers, body.encode())
        except JinkaError as error:
            return False, str(error)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            return False, type(error).__name__
        return 200 <= status < 300, f"HTTP {status}"

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The receiver's status; raises `Usage` or `Refused` for where nothing is sent, `OSError` and its kin."""
        host, port, path = self.require(url)
        address = self._address(host, port)
        tls = urlsplit(url).scheme == "https"
        return self._post(host, port, address, path, headers, body, tls=tls)

    def require(self, url: str, *, where: str = "callback_url") -> tuple[str, int, str]:
        """(host, port, path) of an address in a form that this sender takes; an IP address in it must be outside."""
        host, port, path = require_receiver(url, plain=True, where=where)
        require_receiver(url, plain=self._plain or host in self._hosts, where=where)
        if not self._inside and host not in self._hosts and _is_address(host):
            require_outside(host)
        return host, port, path

    def _address(self, host: str, port: int) -> str:
        addresses = self._resolve(host, port)
        if not addresses:
            raise Refused("no address", where="callback_url")
        if not self._inside and host not in self._hosts:
            for address in addresses:
                require_outside(address)
        return addresses[0]

    def _post(
        self,
        host: str,
        port: int,
        address: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        tls: bool,
    ) -> int:
        link = _Pinned(host, port, address, self._tls if tls else None, self._deadline_s)
        timer = threading.Timer(self._deadline_s, link.cut)
        timer.start()
        try:
            link.request("POST", path, body, {**headers, "User-Agent": "Jinka", "Connection": "close"})
            return link.getresponse().status
        finally:
            timer.cancel()
            link.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was checked, under the name that it was asked for."""

    def __init__(
        self, host: str, port: int, address: str, tls: ssl.SSLContext | None, timeout: float
    ) -> None:
        super().__init__(host, port, timeout=timeout)
        self._at, self._tls = address, tls
        self.default_port = 443 if tls else 80

    def connect(self) -> None:
        """To the address, not to the name."""
        self.sock = socket.create_connection((self._at, self.port), self.timeout)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)

    def cut(self) -> None:
        """End it from another thread."""
        link = self.sock
        if link is not None:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
