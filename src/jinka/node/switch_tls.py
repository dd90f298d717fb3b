"""TLS 1.3 around the switch's lines: each side shows a certificate of one authority, and the name that was agreed.

RFC 8446 for the protocol, RFC 6125 for the name: the peer's certificate must carry it as a DNS name. Another bank's
certificate of the same authority is no ticket to this peer's line. A revocation list is read again when its file
changes, for connections that come from then on (`jinka.node.tls_trust`). Lines that stand are not ended.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.kit import Refused
from jinka.node.tls_trust import TlsTrust


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTls:
    """Our certificate and key, whom we believe, and the ``name`` that the peer's certificate must carry."""

    certificate: Path
    key: Path
    authority: Path
    name: str
    crl: Path | None = None

    def server(self) -> ssl.SSLContext:
        """For lines that a peer opens; `Refused` or `NotFound` for files that are none."""
        trust = self._trust()
        context = trust.context()

        def renew(handshake: ssl.SSLObject, _name: str | None, _old: ssl.SSLContext) -> int | None:
            try:
                handshake.context = trust.context()  # with the list as it is now
            except Exception:  # whatever is wrong with the list, nobody comes in
                return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
            return None

        if self.crl is not None:
            context.sni_callback = renew
        return context

    def client(self) -> ssl.SSLContext:
        """For a line that we open, as the files are now."""
        return self._trust().context(server_side=False)

    def _trust(self) -> TlsTrust:
        return TlsTrust(certificate=self.certificate, key=self.key, authority=self.authority, crl=self.crl)

    def check(self, certificate: Any) -> None:
        """Refuse a client whose certificate does not carry the peer's name."""
        named = certificate.get("subjectAltName", ()) if isinstance(certificate, dict) else ()
        if ("DNS", self.name) not in named:
            raise Refused("the certificate is another's", where="switch line", fix=f"one for {self.name}")
