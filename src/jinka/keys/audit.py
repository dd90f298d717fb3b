"""The audit log's entries: who did what to what, chained by hashes, each a leaf of a Merkle tree. RFC 6962, section 2.

An entry is one line of JSON with fields in a fixed order, and only the canonical form of an entry is one. It carries
the hash of the entry before it; that hash is also the entry's leaf in the tree, so one SHA-256 serves both. The chain
shows what was changed or moved within a log; what was cut off its end, or written anew from some entry on, shows
against a signed checkpoint that somebody else holds (`jinka.keys.checkpoint`).

No field takes a key, a PIN or a card number: texts are cut to a length and lose what looks like a card or identity
number (first six and last four digits stay) or like a key; control characters are escaped. ``detail`` is a digest of
whatever a caller keeps elsewhere; a digest of something that can be guessed gives it away, so hash no PIN and no bare
card number. Files and the clock are the business of `jinka.node`.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from enum import Enum
from json.encoder import encode_basestring_ascii

from jinka.crypto.merkle import HASH_BYTES, Frontier, leaf_hash
from jinka.kit import Refused, Usage

ACTOR_MAX = 64
ACT_MAX = 48
SUBJECT_MAX = 160
LINE_MAX = 4096
GENESIS = bytes(HASH_BYTES)  # what the first entry follows
_NUMBER = re.compile(r"\d(?:[ -]?\d){12,}[Xx]?")  # 13 and more digits: a card or identity number
# 16 and more hex digits in one run, or in groups, with a letter among them; and base64 of 32 bytes.
_KEY = re.compile(
    r"(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{16,}"
    r"|(?<![0-9A-Za-z])(?=[0-9 :-]*[A-Fa-f])[0-9A-Fa-f]{2,8}(?:[ :-][0-9A-Fa-f]{2,8}){3,}(?![0-9A-Za-z])"
    r"|[0-9A-Za-z+/_-]{43,}={0,2}"
)
# Numbers of these kinds are not secret, and an entry is worth little without them.
_OPEN_KINDS = re.compile(
    r"psam:[0-9]{20}|certificate:[0-9a-f]{2,40}|log:[0-9A-Za-z_ .:/-]{1,64}"
    r"|registration:[0-9]{1,18} "
    r"(?:aid [ADF][0-9A-F]{9,31}|psam [0-9A-F]{20}) [a-z]+"
)
_FIELDS = ("seq", "at", "actor", "act", "subject", "outcome", "detail", "prev")
_INT_MAX = 253_402_300_800_000_000  # microseconds to the year 10000; entries are fewer
DAMAGED = "run jinka audit verify; keep this file and begin another log"
OPENED = "log.opened"  # the act of a log's first entry; its subject names the log
REPAIRED = "log.repaired"  # a line that was cut off was cut away
_ORIGIN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.:/-]{0,63}")


class Outcome(Enum):
    """How an act ended."""

    OK = "ok"
    REFUSED = "refused"  # a rule said no
    FAILED = "failed"  # it was allowed and did not come off


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """What is to be noted. ``act`` is a word such as ``registry.grant``, ``subject`` a name such as ``key:tac/3``."""

    actor: str
    act: str
    subject: str = ""
    outcome: Outcome = Outcome.OK
    detail: bytes = b""  # SHA-256 over what is kept elsewhere, or nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry as it stands in a log."""

    seq: int
    at_micros: int  # UTC
    actor: str
    act: str
    subject: str
    outcome: Outcome
    detail: bytes
    prev: bytes

    def to_line(self) -> bytes:
        """The canonical line, without its end."""
        actor, act, subject = (encode_basestring_ascii(text) for text in (self.actor, self.act, self.subject))
        return _line(self.seq, self.at_micros, actor, act, subject, self.outcome, self.detail, self.prev)

    @classmethod
    def from_line(cls, raw: bytes) -> AuditEntry:
        """Read a line; raises `Refused` when it is not the canonical form of an entry."""
        try:
            body = json.loads(raw) if len(raw) <= LINE_MAX else None
            if not isinstance(body, dict) or tuple(body) != _FIELDS:
                raise ValueError
            texts = {name: body[name] for name in ("actor", "act", "subject", "outcome", "detail", "prev")}
            if not all(isinstance(text, str) for text in texts.values()) or not all(
                type(body[name]) is int and 0 <= body[name] < _INT_MAX for name in ("seq", "at")
            ):
                raise ValueError
            entry = cls(
                seq=body["seq"],
                at_micros=body["at"],
                actor=texts["actor"],
                act=texts["act"],
                subject=texts["subject"],
                outcome=Outcome(texts["outcome"]),
                detail=bytes.fromhex(texts["detail"]),
                prev=bytes.fromhex(texts["prev"]),
            )
        except (ValueError, RecursionError):
            raise Refused("not an entry of an audit log", where="line") from None
        if (
            len(entry.prev) != HASH_BYTES
            or len(entry.detail) not in (0, HASH_BYTES)
            or entry.to_line() != raw
        ):
            raise Refused("not the canonical form of an entry", where="line")
        return entry

    def as_dict(self) -> dict[str, str | int]:
        """Plain data."""
        found: dict[str, str | int] = {"seq": self.seq, "at": self.at_micros}
        found |= {"actor": self.actor, "act": self.act, "subject": self.subject}
        return found | {
            "outcome": self.outcome.value,
            "detail": self.detail.hex(),
            "prev": self.prev.hex(),
        }


class AuditChain:
    """The growing end of a log: number and hash of the last entry, and the edge of the tree. Not for threads."""

    __slots__ = ("_tree", "head")

    def __init__(self) -> None:
        self._tree = Frontier()
        self.head = GENESIS

    @classmethod
    def resumed(cls, head: bytes, tree: Frontier) -> AuditChain:
        """The end of a log that is kept elsewhere, such as in a database; `check_log` tells whether it is its end."""
        found = cls()
        found._tree, found.head = tree, head
        return found

    @property
    def edge(self) -> tuple[bytes, ...]:
        """What `Frontier.resumed` needs besides the size."""
        return self._tree.edge

    @property
    def size(self) -> int:
        """How many entries there are; also the number of the next one."""
        return self._tree.size

    def root(self) -> bytes:
        """The Merkle root over all entries."""
        return self._tree.root()

    def append(self, event: AuditEvent, at_micros: int) -> bytes:
        """Chain an event and return its line, without its end."""
        if len(event.detail) not in (0, HASH_BYTES):
            raise Usage(
                f"a detail of {len(event.detail)} bytes", where=event.act, fix="a SHA-256, or nothing"
            )
        line = _line(
            self._tree.size,
            at_micros,
            _word(event.actor, ACTOR_MAX),
            _word(event.act, ACT_MAX),
            encode_basestring_ascii(withhold(event.subject, SUBJECT_MAX)),
            event.outcome,
            event.detail,
            self.head,
        )
        self._grow(line)
        return line

    def take_up(self, line: bytes) -> None:
        """Follow a line that stands in the log already; raises `Refused` when it does not follow the last one."""
        start, end = b'{"seq":%d,"at":' % self._tree.size, b'","prev":"%b"}' % self.head.hex().encode()
        if not (line.startswith(start) and line.endswith(end)):
            raise Refused(
                "it does not follow the entry before it",
                where=f"entry {self._tree.size}",
                fix=DAMAGED,
            )
        self._grow(line)

    def _grow(self, line: bytes) -> None:
        self.head = leaf_hash(line)
        self._tree.push(self.head)


def check_origin(origin: str) -> None:
    """Raises `Usage` unless ``origin`` can name a log."""
    if not _ORIGIN.fullmatch(origin):
        raise Usage("not the name of a log", where="origin", fix="letters, digits and _.:/-, at most 64")


def withhold(text: str, limit: int) -> str:
    """Cut ``text`` to ``limit`` characters, without numbers of cards and persons and without what may be a key."""
    if len(text) > 4 * limit:  # cutting it first could leave the half of a number
        return _withheld(len(text))
    if len(text) >= 13 and not _OPEN_KINDS.fullmatch(text):
        text = _KEY.sub(lambda found: _withheld(len(found[0])), text)
        text = _NUMBER.sub(_masked, text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _withheld(count: int) -> str:
    return f"[{count} characters withheld]"


def _masked(found: re.Match[str]) -> str:
    digits = re.sub("[^0-9Xx]", "", found[0])
    return f"{digits[:6]}{'*' * (len(digits) - 10)}{digits[-4:]}"


@functools.lru_cache(maxsize=1024)
def _word(text: str, limit: int) -> str:
    """A quoted actor or act; there are few of them, and they come again and again."""
    return encode_basestring_ascii(withhold(text, limit))


def _line(
    seq: int, at: int, actor: str, act: str, subject: str, outcome: Outcome, detail: bytes, prev: bytes
) -> bytes:
    return (
        f'{{"seq":{seq},"at":{at},"actor":{actor},"act":{act},"subject":{subject},'
        f'"outcome":"{outcome.value}","detail":"{detail.hex()}","prev":"{prev.hex()}"}}'
    ).encode("ascii")
