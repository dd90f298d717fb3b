"""Whom a TLS server believes: one authority's client certificates, looked up on its revocation list (RFC 5280, 6.3).

The list is a PEM file that officers replace; it is read again when it changes, and from then on new connections are
judged by it. Without a list in force nobody comes in: OpenSSL refuses when it is out of date, of another authority or
damaged. Only the client's own certificate is looked up, not its authority's. Connections that stand are not ended.
"""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

from jinka.kit import Refused
from jinka.node.problems import file_errors

_MARK = b"-----BEGIN X509 CRL-----"


class TlsTrust:
    """Gives the context for the next connection. Safe for threads."""

    def __init__(self, *, certificate: Path, key: Path, authority: Path, crl: Path | None = None) -> None:
        self._certificate, self._key, self._authority, self._crl = certificate, key, authority, crl
        self._lock = threading.Lock()
        self._made: tuple[tuple[int, int, int] | None, ssl.SSLContext] | None = None

    def context(self, *, server_side: bool = True) -> ssl.SSLContext:
        """TLS 1.3 that demands a certificate; raises `Refused` or `NotFound` when a file is none.

        As a client it demands the name as well that it was given to connect to.
        """
        with self._lock:
            state = _state(self._crl) if self._crl else None
            if self._made is None or self._made[0] != state or not server_side:
                self._made = (state, self._make(server_side))
            return self._made[1]

    def _make(self, server_side: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        with file_errors(self._certificate):
            self._certificate.read_bytes()
        with file_errors(self._authority):
            self._authority.read_bytes()
        try:
            context.load_cert_chain(self._certificate, self._key)
            context.load_verify_locations(self._authority)
        except (ssl.SSLError, FileNotFoundError) as error:
            raise Refused(
                f"not a certificate, its key and an authority in PEM: {error.strerror}",
                where=str(self._certificate), fix="see jinka certificate request",
            ) from None  # fmt: skip
        if self._crl:
            with file_errors(self._crl):
                marked = _MARK in self._crl.read_bytes()
            try:
                if not marked:
                    raise ValueError
                context.load_verify_locations(self._crl)
            except (ssl.SSLError, ValueError):
                raise Refused(
                    "not a revocation list in PEM",
                    where=str(self._crl),
                    fix="jinka certificate crl --out FILE.pem",
                ) from None
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        context.verify_mode = ssl.CERT_REQUIRED
        return context


def _state(path: Path) -> tuple[int, int, int]:
    with file_errors(path):
        found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
