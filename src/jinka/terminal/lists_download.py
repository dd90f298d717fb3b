"""What comes down to a terminal: block lists, tariffs and calendars, versioned, with the time from which they hold.

One mechanism for all: a download names its kind, version, effective time and the digest of its body; the terminal
acknowledges what it took, keeps it beside the one in force, and switches when the time comes. Older versions and
bodies that do not match their digest are refused. The state goes to bytes and back, so that a restart forgets
nothing; writing them durably is the caller's. That a download comes from the centre is the channel's to prove.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass, field

from jinka.kit import Fault, JinkaError, Refused, Usage
from jinka.terminal.lists import Acknowledgement, DownloadKind

WAITING_MAX = 4
_BODY_MAX = 1 << 24
_MAGIC = b"JTD\x01"
_HEAD = 1 + 4 + 8 + 32 + 4  # kind 1 | version 4 | effective from 8 | digest 32 | length 4
_EPOCH = dt.datetime(1970, 1, 1)


class DownloadStateError(JinkaError):
    """The bytes are no terminal state that this program can read."""

    fault = Fault.PEER


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One version of one kind. ``effective_from`` is local time without a zone, whole seconds."""

    kind: DownloadKind
    version: int
    effective_from: dt.datetime
    digest: bytes
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, kind: DownloadKind, version: int, effective_from: dt.datetime, body: bytes) -> Download:
        """A download with its digest, as the centre makes it."""
        digest = digest_of(kind, version, effective_from, body)
        return cls(kind=kind, version=version, effective_from=effective_from, digest=digest, body=body)


def digest_of(kind: DownloadKind, version: int, effective_from: dt.datetime, body: bytes) -> bytes:
    """SHA-256 over kind, version, effective time and body: none of them can change without the digest."""
    return hashlib.sha256(_head(kind, version, effective_from) + body).digest()


class Downloads:
    """What a terminal holds of each kind: the one in force, and those that wait for their time."""

    __slots__ = ("_current", "_terminal_id", "_waiting", "next_change")

    def __init__(self, terminal_id: bytes) -> None:
        self._terminal_id = terminal_id
        self._current: dict[DownloadKind, Download] = {}
        self._waiting: dict[DownloadKind, list[Download]] = {}
        self.next_change: dt.datetime | None = None

    @property
    def terminal_id(self) -> bytes:
        """Whose downloads these are."""
        return self._terminal_id

    def install(self, download: Download, at: dt.datetime) -> Acknowledgement:
        """Take a newer version, or the same again; returns what the terminal answers to the centre.

        A newer version takes the place of those waiting that would come into force later than it. Raises `Refused`
        for an older version, another body under a known version, a false digest, or when too many wait.
        """
        where = f"{download.kind.value} version {download.version}"
        if not 0 < download.version < 1 << 32 or len(download.body) > _BODY_MAX:
            raise Refused("version or size out of bounds", where=where, fix="1 to 2^32-1, 16 MiB")
        wanted = digest_of(download.kind, download.version, download.effective_from, download.body)
        if not hmac.compare_digest(wanted, download.digest):
            raise Refused("the digest does not match", where=where, fix="send it again")
        self.switch(at)
        held = self.held(download.kind)
        if held is not None and download.version <= held.version:
            known = next((d for d in self._all(download.kind) if d.version == download.version), None)
            if known is None or known.digest != download.digest:
                raise Refused(f"version {held.version} is held", where=where, fix="send a newer version")
            return self._acknowledge(download, at)
        waiting = [
            d for d in self._waiting.get(download.kind, []) if d.effective_from < download.effective_from
        ]
        if len(waiting) >= WAITING_MAX:
            raise Refused(f"{WAITING_MAX} versions wait already", where=where, fix="send it later")
        self._waiting[download.kind] = [*waiting, download]
        self.switch(at)
        return self._acknowledge(download, at)

    def switch(self, at: dt.datetime) -> frozenset[DownloadKind]:
        """Put into force what has come due; returns the kinds that changed. Never switches back."""
        changed = set()
        for kind, waiting in self._waiting.items():
            while waiting and waiting[0].effective_from <= at:
                self._current[kind] = waiting.pop(0)
                changed.add(kind)
        self.next_change = min((w[0].effective_from for w in self._waiting.values() if w), default=None)
        return frozenset(changed)

    def current(self, kind: DownloadKind) -> Download | None:
        """The version in force since the last `switch`."""
        return self._current.get(kind)

    def held(self, kind: DownloadKind) -> Download | None:
        """The newest version that was taken, in force or not."""
        return next(iter(reversed(self._all(kind))), None)

    def to_bytes(self) -> bytes:
        """Magic and version 4 | terminal 6 | entries (in force 1, head, body) | SHA-256 over all of it."""
        parts = [_MAGIC, self._terminal_id]
        for kind in DownloadKind:
            current = self._current.get(kind)
            for entry in self._all(kind):
                head = _head(entry.kind, entry.version, entry.effective_from) + entry.digest
                parts.append(
                    bytes((entry is current,)) + head + len(entry.body).to_bytes(4, "big") + entry.body
                )
        raw = b"".join(parts)
        return raw + hashlib.sha256(raw).digest()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Downloads:
        """Read what `to_bytes` wrote; `DownloadStateError` for anything else."""
        body, seal = raw[:-32], raw[-32:]
        if len(raw) < 42 or body[:4] != _MAGIC or hashlib.sha256(body).digest() != seal:
            raise DownloadStateError(
                "not a terminal's state, or damaged", where="offset 0", fix="download again"
            )
        found = cls(body[4:10])
        at = 10
        while at < len(body):
            if at + 1 + _HEAD > len(body):
                raise DownloadStateError("an entry is cut off", where=f"offset {at}", fix="download again")
            at = found._take(body, at)
        found.switch(_EPOCH)
        return found

    def _take(self, raw: bytes, at: int) -> int:
        in_force, head = raw[at], raw[at + 1 : at + 1 + _HEAD]
        size = int.from_bytes(head[45:49], "big")
        start = at + 1 + _HEAD
        try:
            kind = _KINDS[head[0]]
            moment = _EPOCH + dt.timedelta(seconds=int.from_bytes(head[5:13], "big"))
        except (LookupError, OverflowError):
            raise DownloadStateError("an entry of no known kind or time", where=f"offset {at}") from None
        entry = Download(
            kind=kind,
            version=int.from_bytes(head[1:5], "big"),
            effective_from=moment,
            digest=head[13:45],
            body=raw[start : start + size],
        )
        if not hmac.compare_digest(digest_of(kind, entry.version, moment, entry.body), entry.digest):
            raise DownloadStateError("an entry that was cut or changed", where=f"offset {at}")
        if in_force:
            self._current[kind] = entry
        else:
            self._waiting.setdefault(kind, []).append(entry)
        return start + size

    def _all(self, kind: DownloadKind) -> list[Download]:
        current = self._current.get(kind)
        return ([current] if current is not None else []) + self._waiting.get(kind, [])

    def _acknowledge(self, download: Download, at: dt.datetime) -> Acknowledgement:
        return Acknowledgement(
            terminal_id=self._terminal_id,
            list_version=download.version,
            acknowledged_at=at,
            kind=download.kind,
        )


_CODES = {kind: number for number, kind in enumerate(DownloadKind, 1)}
_KINDS = {number: kind for kind, number in _CODES.items()}


def _head(kind: DownloadKind, version: int, effective_from: dt.datetime) -> bytes:
    if effective_from.tzinfo is not None or effective_from < _EPOCH or effective_from.microsecond:
        raise Usage(f"{effective_from}", where="effective_from", fix="local, whole seconds, 1970 or later")
    if not 0 <= version < 1 << 32:
        raise Usage(f"version {version}", where="version", fix="1 to 2^32-1")
    seconds = int((effective_from - _EPOCH).total_seconds())
    return bytes((_CODES[kind],)) + version.to_bytes(4, "big") + seconds.to_bytes(8, "big")
