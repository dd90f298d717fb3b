"""Sends EPCIS documents to a server's capture interface, and waits for its word on them.

Standard: GS1 EPCIS 2.0 REST binding: POST /capture answers 202 with the address of a job, and the job says when it has
ended and what it found. Good events of a document are kept though others are wrong (``GS1-Capture-Error-Behaviour:
proceed``). TLS certificates are checked; no redirect is followed; an answer is bounded.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urljoin, urlsplit

from jinka.kit import Usage

_ANSWER_MAX = 1 << 20
_POLL_FIRST_S, _POLL_MOST_S = 0.05, 2.0
_FOR_GOOD = frozenset({400, 415, 422})
_TOO_LARGE = 413


class Outcome(Enum):
    """What came of a document."""

    TAKEN = "taken"
    REFUSED = "refused"
    TOO_LARGE = "too large"
    LATER = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``words`` are the server's, or why it could not be asked."""

    outcome: Outcome
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureServer:
    """Where to send: ``url`` of the EPCIS service, without ``/capture``; headers of the operator's, such as a token.

    ``retry_most_s`` bounds how long a document waits for its next try.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline_s: float = 30.0
    retry_most_s: float = 30.0


def require_server(url: str) -> str:
    """The address without its last slash; raises `Usage`."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or parts.query or parts.fragment or parts.username:
        raise Usage(f"not the address of a server: {url[:80]}", where="capture.url", fix="https://host/path")
    return url.rstrip("/")


class CaptureClient:
    """One document at a time; may be used from any thread, but from one only."""

    def __init__(self, server: CaptureServer) -> None:
        self._server, self._url = server, require_server(server.url)
        self._tls = ssl.create_default_context()

    def send(self, document: bytes) -> Answer:
        """Send it, and wait for the end of its job."""
        give_up = time.monotonic() + self._server.deadline_s
        headers = {
            "Content-Type": "application/json",
            "GS1-EPCIS-Version": "2.0.0",
            "GS1-Capture-Error-Behaviour": "proceed",
        }
        try:
            status, place, text = self._ask("POST", f"{self._url}/capture", document, headers)
            if status in _FOR_GOOD:
                return Answer(outcome=Outcome.REFUSED, words=f"HTTP {status}: {text}")
            if status == _TOO_LARGE:
                return Answer(outcome=Outcome.TOO_LARGE, words=text)
            if status != 202 or not place:
                return Answer(outcome=Outcome.LATER, words=f"HTTP {status}: {text[:300]}")
            return self._wait(urljoin(f"{self._url}/capture", place), give_up)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(outcome=Outcome.LATER, words=f"{type(error).__name__}: {error}")

    def _wait(self, job: str, give_up: float) -> Answer:
        if urlsplit(job)[:2] != urlsplit(self._url)[:2]:
            return Answer(outcome=Outcome.LATER, words=f"its job is at another server: {job[:200]}")
        pause = _POLL_FIRST_S
        while time.monotonic() < give_up:
            status, _, text = self._ask("GET", job, None, {"Accept": "application/json"})
            if status != 200:
                return Answer(outcome=Outcome.LATER, words=f"job: HTTP {status}: {text[:300]}")
            found = json.loads(text)
            if not isinstance(found, dict):
                return Answer(outcome=Outcome.LATER, words="job: not an object")
            if not found.get("running", False):
                good = found.get("success") is True
                return Answer(outcome=Outcome.TAKEN if good else Outcome.REFUSED, words=text)
            time.sleep(pause)
            pause = min(_POLL_MOST_S, 2 * pause)
        return Answer(outcome=Outcome.LATER, words=f"its job has not ended in {self._server.deadline_s:g} s")

    def _ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, str, str]:
        """Status, Location and the text of an answer."""
        parts = urlsplit(url)
        assert parts.hostname is not None
        link: http.client.HTTPConnection
        if parts.scheme == "https":
            link = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=self._server.deadline_s, context=self._tls
            )
        else:
            link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=self._server.deadline_s)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            link.request(method, path, body, {**headers, **self._server.headers, "User-Agent": "Jinka"})
            answer = link.getresponse()
            raw = answer.read(_ANSWER_MAX)
            return answer.status, answer.getheader("Location", ""), raw.decode("utf-8", "replace")
        finally:
            link.close()
