"""Sends what a subscription found to its receiver, and tells what came of it as a value.

EPCIS 2.0, 12.7 (query callbacks) over HTTP POST. Where a receiver may be is judged by `jinka.node.callback_http`:
HTTPS, no name and password in the address, every resolved address on the public internet, the connection to an address
that was judged, no redirect followed. Hosts that the operator names may be inside and may speak plain HTTP.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from jinka.kit import JinkaError
from jinka.node.callback_http import DEADLINE_S, CallbackSender, Resolve, resolve

_WHERE = "dest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``status`` is 0 when no answer came; ``words`` say why."""

    status: int
    words: str

    @property
    def taken(self) -> bool:
        """The receiver has it: nothing else moves a subscription on."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def too_large(self) -> bool:
        """The receiver asks for smaller batches."""
        return self.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Receivers:
    """``hosts``: names (or addresses) inside that the operator vouches for. ``plain``: HTTP to anybody outside."""

    def __init__(
        self,
        *,
        hosts: frozenset[str] = frozenset(),
        plain: bool = False,
        deadline_s: float = DEADLINE_S,
        resolver: Resolve = resolve,
    ) -> None:
        self._sender = CallbackSender(plain=plain, hosts=hosts, deadline_s=deadline_s, resolver=resolver)

    def require(self, url: str) -> None:
        """Raise `Usage` or `Refused` for an address that nothing would ever be sent to. Names are not resolved yet."""
        self._sender.require(url, where=_WHERE)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One try; what goes wrong is in the answer."""
        try:
            status = self._sender.post(url, headers, body)
        except JinkaError as error:
            return Answer(status=0, words=error.what)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            return Answer(status=0, words=_words(error))
        moved = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
        return Answer(
            status=status, words=f"HTTP {status}" + (": redirects are not followed" if moved else "")
        )


def _words(error: Exception) -> str:
    """What a subscriber can do something about; nothing of what lies between."""
    match error:
        case socket.gaierror():
            return "its name has no address"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not believed: {error.verify_message}"
        case ssl.SSLError():
            return "it does not speak TLS"
        case TimeoutError():
            return "no answer in time"
        case ConnectionRefusedError():
            return "it refuses connections"
        case _:
            return f"no answer ({type(error).__name__})"
