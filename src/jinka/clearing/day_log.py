"""Proof of clearing: days in a centre's log, and the documents that prove a record's outcome. RFC 6962; C2SP notes.

Two trees. A day's tree has the leaves of its cleared records (`jinka.clearing.leaf`). The centre's log has a leaf for
each statement of a day: centre, date, edition, number of leaves and the root. The log's checkpoint is signed, so one
signature covers every record of every day. A day that is cleared again with late corrections gets a further edition,
whose tree begins with the one before it: of two leaves of one record the later counts.

Documents are JSON (docs/proof.md). Whoever checks one needs it and the centre's public key, nothing else.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinka.clearing.leaf import SALT_BYTES, body_of
from jinka.crypto.merkle import HASH_BYTES, PROOF_MAX, check_consistency, check_inclusion, leaf_hash
from jinka.crypto.note import NoteKey, open_note
from jinka.keys.checkpoint import Checkpoint
from jinka.kit import Refused, Usage, parse_date

ORIGIN = "jinka.proof/"
PROOF, CONSISTENCY, EDITIONS = "jinka.proof/1", "jinka.proof.consistency/1", "jinka.proof.editions/1"
RECORDS_MAX = 100_000  # of one document
_STATEMENT = "jinka.proof.day/1"
_CENTRE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,31}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStatement:
    """What a centre says of a day: ``size`` leaves under ``root``; ``edition`` counts from 1."""

    centre: str
    date: dt.date
    edition: int
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not _CENTRE.fullmatch(self.centre):
            raise Usage(f"not a centre's code: {self.centre[:40]!r}", where="proof.centre")

    def text(self) -> str:
        """Six lines: what the log's leaf is the hash of."""
        root = base64.b64encode(self.root).decode()
        return f"{_STATEMENT}\n{self.centre}\n{self.date}\n{self.edition}\n{self.size}\n{root}\n"

    @classmethod
    def parse(cls, text: str) -> DayStatement:
        """Read what `text` writes, and nothing else; raises `Usage`."""
        lines = text.split("\n")
        where = "proof.day.statement"
        if len(lines) != 7 or lines[0] != _STATEMENT or not all(map(_NUMBER.fullmatch, lines[3:5])):
            raise Usage("not the statement of a day", where=where)
        try:
            root = base64.b64decode(lines[5], validate=True)
        except (binascii.Error, ValueError):
            root = b""
        found = cls(
            centre=lines[1],
            date=parse_date(lines[2], where=where),
            edition=int(lines[3]),
            size=int(lines[4]),
            root=root,
        )
        if len(root) != HASH_BYTES or found.text() != text:
            raise Usage("not the statement of a day", where=where)
        return found

    @property
    def leaf(self) -> bytes:
        """Its leaf in the centre's log."""
        return leaf_hash(self.text().encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class DayInLog:
    """A statement, the place where it stands in the log, and the way from there to the log's root."""

    statement: DayStatement
    place: int
    path: tuple[bytes, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "statement": self.statement.text(),
            "place": self.place,
            "path": [one.hex() for one in self.path],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenRecord:
    """A record as the centre is bound to it: its leaf's place, and what was cleared (`jinka.clearing.leaf.LAYOUT`)."""

    place: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What a document has proven."""

    checkpoint: Checkpoint
    day: DayStatement
    records: tuple[ProvenRecord, ...]


def proof_document(checkpoint: str, day: DayInLog, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The document for records, each ``{"place", "salt", "fields", "path"}`` with bytes in hexadecimal."""
    return {"format": PROOF, "checkpoint": checkpoint, "day": day.as_dict(), "records": list(records)}


def consistency_document(old: str, new: str, path: Sequence[bytes]) -> dict[str, Any]:
    """The document that says: the log under the checkpoint ``new`` begins with the one under ``old``."""
    return {"format": CONSISTENCY, "old": old, "new": new, "path": [one.hex() for one in path]}


def editions_document(checkpoint: str, old: DayInLog, new: DayInLog, path: Sequence[bytes]) -> dict[str, Any]:
    """The document that says: the later edition of a day begins with the earlier one."""
    return {
        "format": EDITIONS,
        "checkpoint": checkpoint,
        "old": old.as_dict(),
        "new": new.as_dict(),
        "path": [one.hex() for one in path],
    }


def check_proof(document: Mapping[str, Any], key: NoteKey) -> Proven:
    """Believe the records of a document as far as its paths and the centre's signature carry; raises `Refused`.

    `Usage` for what is no such document.
    """
    found = _Part(document, "proof")
    found.form(PROOF)
    checkpoint = opened_checkpoint(found.text("checkpoint"), key)
    day = _day(found.part("day"), checkpoint)
    listed = found.items("records", RECORDS_MAX)
    if not listed:  # whoever asks about records is not answered by none
        raise Refused(
            "no records in it: nothing is proven", where="proof.records", fix="ask for the proof again"
        )
    records = tuple(_record(_Part(item, f"proof.records[{at}]"), day) for at, item in enumerate(listed))
    found.end()
    return Proven(checkpoint=checkpoint, day=day, records=records)


def check_log_consistency(document: Mapping[str, Any], key: NoteKey) -> tuple[Checkpoint, Checkpoint]:
    """The older and the newer checkpoint, when the log only grew between them; raises `Refused`."""
    found = _Part(document, "consistency")
    found.form(CONSISTENCY)
    old, new = (opened_checkpoint(found.text(name), key) for name in ("old", "new"))
    path = found.hashes("path")
    found.end()
    if old.origin != new.origin:
        raise Refused("they are of two logs", where="consistency")
    check_consistency(old.size, old.root, new.size, new.root, path)
    return old, new


def check_editions(document: Mapping[str, Any], key: NoteKey) -> tuple[DayStatement, DayStatement]:
    """The earlier and the later edition of a day, when the later begins with the earlier; raises `Refused`."""
    found = _Part(document, "editions")
    found.form(EDITIONS)
    checkpoint = opened_checkpoint(found.text("checkpoint"), key)
    old, new = (_day(found.part(name), checkpoint) for name in ("old", "new"))
    path = found.hashes("path")
    found.end()
    if old.date != new.date or old.edition >= new.edition:
        raise Refused("they are no two editions of one day", where="editions")
    check_consistency(old.size, old.root, new.size, new.root, path)
    return old, new


def opened_checkpoint(note: str, key: NoteKey) -> Checkpoint:
    """A checkpoint of a log of days that the centre signed; raises `Refused`."""
    checkpoint = Checkpoint.opened(note, key)
    if not checkpoint.origin.startswith(ORIGIN):
        raise Refused("a checkpoint of another kind of log", where=f"note of {key.name}", fix=f"{ORIGIN}...")
    return checkpoint


def require_editions(days: Sequence[DayStatement], paths: Mapping[int, Sequence[bytes]]) -> None:
    """Raise `Refused` unless each day's editions count 1, 2, 3… and each tree begins with the one before it.

    ``paths`` lead from the edition before to the one at that place of the log (RFC 9162, 2.1.4.2).
    """
    newest: dict[dt.date, DayStatement] = {}
    for place, day in enumerate(days):
        before, where = newest.get(day.date), f"log of {day.centre}, place {place}"
        due = before.edition + 1 if before else 1
        if before and day.edition < due:
            raise Refused(f"edition {day.edition} of {day.date} again: a second root", where=where)
        if day.edition != due:
            raise Refused(f"edition {day.edition} of {day.date} where {due} comes next", where=where)
        if before and day.size < before.size:
            raise Refused(f"{day.date} lost leaves: a second root", where=where)
        if before and place not in paths:
            raise Refused(f"no way from edition {before.edition} of {day.date} to {due}", where=where)
        if before:
            try:
                check_consistency(before.size, before.root, day.size, day.root, paths[place])
            except Refused as problem:
                raise Refused(
                    f"edition {due} of {day.date} is not shown to begin with the one before: a second root "
                    f"({problem.what})", where=where,
                )  from None  # fmt: skip
        newest[day.date] = day


def countersigned(
    document: Mapping[str, Any], key: NoteKey, held: Checkpoint | None
) -> tuple[str, Checkpoint]:
    """What a witness may sign: the newer checkpoint's text, when it follows from the one that the witness holds.

    Raises `Refused` for a log that shrank, changed or has two faces; the witness then keeps both notes as evidence.
    """
    old, new = check_log_consistency(document, key)
    if held is not None and held != old:
        raise Refused(
            f"the witness holds another state at {held.size}",
            where=held.origin,
            fix="ask for the way from the one it holds",
        )
    return open_note(str(document["new"]), key), new


def _day(found: _Part, checkpoint: Checkpoint) -> DayStatement:
    day = DayStatement.parse(found.text("statement"))
    if checkpoint.origin != f"{ORIGIN}{day.centre}":
        raise Refused("the day is of another centre than the log", where="proof.day")
    check_inclusion(day.leaf, found.number("place"), checkpoint.size, found.hashes("path"), checkpoint.root)
    found.end()
    return day


def _record(found: _Part, day: DayStatement) -> ProvenRecord:
    place, salt = found.number("place"), found.raw("salt", SALT_BYTES)
    fields = found.take("fields")
    if not isinstance(fields, Mapping):
        raise Usage("not an object", where=f"{found.where}.fields")
    leaf = leaf_hash(salt + body_of(fields))
    try:
        check_inclusion(leaf, place, day.size, found.hashes("path"), day.root)
    except Refused as error:
        raise Refused(f"record: {error.what}", where=found.where, fix="ask for the proof again") from None
    found.end()
    return ProvenRecord(place=place, fields=fields)


class _Part:
    """One object of a document: each member is taken once, and none may be left over."""

    def __init__(self, found: object, where: str) -> None:
        if not isinstance(found, Mapping):
            raise Usage("not an object", where=where)
        self._left, self.where = dict(found), where

    def take(self, name: str) -> object:
        if name not in self._left:
            raise Usage("missing", where=f"{self.where}.{name}")
        return self._left.pop(name)

    def form(self, wanted: str) -> None:
        if self.take("format") != wanted:
            raise Usage("another format or version", where=f"{self.where}.format", fix=wanted)

    def text(self, name: str) -> str:
        value = self.take(name)
        if not isinstance(value, str):
            raise Usage("not a text", where=f"{self.where}.{name}")
        return value

    def number(self, name: str) -> int:
        value = self.take(name)
        if type(value) is not int or not 0 <= value < 1 << 62:
            raise Usage("not a whole number", where=f"{self.where}.{name}")
        return value

    def raw(self, name: str, width: int) -> bytes:
        return _hex(self.take(name), width, f"{self.where}.{name}")

    def hashes(self, name: str) -> list[bytes]:
        where = f"{self.where}.{name}"
        return [_hex(one, HASH_BYTES, where) for one in self.items(name, PROOF_MAX)]

    def items(self, name: str, most: int) -> list[Any]:
        value = self.take(name)
        if not isinstance(value, list) or len(value) > most:
            raise Usage(f"not a list of at most {most}", where=f"{self.where}.{name}")
        return value

    def part(self, name: str) -> _Part:
        return _Part(self.take(name), f"{self.where}.{name}")

    def end(self) -> None:
        if self._left:
            raise Usage("unknown", where=f"{self.where}.{min(self._left)[:40]}", fix="leave it out")


def _hex(value: object, width: int, where: str) -> bytes:
    try:
        raw = bytes.fromhex(value) if isinstance(value, str) and len(value) == 2 * width else b""
    except ValueError:
        raw = b""
    if len(raw) != width:
        raise Usage(f"not {width} bytes in hexadecimal", where=where)
    return raw
