"""Whose signatures of captures a repository believes: ``signatures``, ``anchors``, ``lists`` of ``[access]``.

``lists`` is a PEM file of revocation lists (RFC 5280), one for each authority on the way to an anchor. It is read again
when it changes. Where it is named and cannot be used, or is older than ``lists_hours``, no signature is believed: who
takes the list away lets nobody in. What a capture was signed with is kept with its job, and looked at again by the
lists of the day when somebody asks for the job.
"""

from __future__ import annotations

import base64
import datetime as dt
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinka.app.certificates import read_ders
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_crl import RevocationList, read_list
from jinka.crypto.x509_path import Trust
from jinka.kit import JinkaError, Usage
from jinka.node import file_errors
from jinka.trace.access import Participant
from jinka.trace.signatures import HEADER, SignaturePolicy, SignatureRefused, signer_now

SETTINGS = frozenset({"signatures", "anchors", "lists", "lists_hours"})
_State = tuple[int, int, int]


class Signers:
    """Checks signatures of captures, and looks at old ones again. Safe for threads."""

    def __init__(self, table: Mapping[str, Any], folder: Path) -> None:
        self._policy = _policy(table, folder)
        self._lists = folder / str(table["lists"]) if "lists" in table else None
        self._lock = threading.Lock()
        self._read: tuple[_State, tuple[RevocationList, ...]] | None = None
        if self._lists is not None:
            self._current()  # said when the server starts, not at the first capture

    def check(self, body: bytes, signature: str, signer: Participant | None, at_micros: int) -> bytes:
        """The certificates of a capture's signature; empty without one. Raises `SignatureRefused`."""
        policy = self._policy
        if signature and policy.trust is not None and self._lists is not None:
            try:
                policy = replace(policy, trust=replace(policy.trust, lists=self._current()))
            except JinkaError:
                raise SignatureRefused(
                    "the revocation list cannot be used", where=HEADER, fix="the operator has to replace it"
                ) from None
        ders = policy.check(body, signature, signer, _time(at_micros))
        return b"\n".join(base64.b64encode(der) for der in ders)

    def later(self, kept: bytes, at_micros: int) -> dict[str, Any]:
        """Who signed, and what is known against its certificate by now."""
        ders, trust = [base64.b64decode(line) for line in kept.split(b"\n")], self._policy.trust
        try:
            if trust is not None and self._lists is not None:
                trust = replace(trust, lists=self._current())
            return signer_now(ders, trust, _time(at_micros), self._policy.lists_age)
        except JinkaError as error:  # the list
            return signer_now(ders, None, _time(at_micros), None) | {"finding": error.what}

    def _current(self) -> tuple[RevocationList, ...]:
        assert self._lists is not None
        with self._lock:
            with file_errors(self._lists):
                found = self._lists.stat()
            state = (found.st_ino, found.st_size, found.st_mtime_ns)
            if self._read is None or self._read[0] != state:
                self._read = (state, tuple(read_list(der) for der in read_ders(self._lists)))
            return self._read[1]


def _policy(table: Mapping[str, Any], folder: Path) -> SignaturePolicy:
    wanted, hours = table.get("signatures", "given"), table.get("lists_hours")
    if wanted not in ("given", "required"):
        raise Usage(f"{wanted!r}", where="access.signatures", fix="given, or required")
    if hours is not None and (type(hours) is not int or hours < 1):
        raise Usage("no whole number from 1 on", where="access.lists_hours", fix="lists_hours = 48")
    if hours is not None and "lists" not in table:
        raise Usage("the age of what?", where="access.lists_hours", fix='lists = "lists.pem"')
    if "anchors" not in table:
        if wanted == "required" or "lists" in table:
            raise Usage("nobody is trusted to sign", where="access.anchors", fix='anchors = "anchors.pem"')
        return SignaturePolicy()
    anchors = tuple(read_certificate(der) for der in read_ders(folder / str(table["anchors"])))
    return SignaturePolicy(
        trust=Trust(anchors=anchors),
        required=wanted == "required",
        lists_age=dt.timedelta(hours=hours) if hours is not None else None,
    )


def _time(micros: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(micros / 1_000_000, dt.UTC)
