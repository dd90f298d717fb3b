"""Parcels between two centres: the manifest that is signed, the receipt that answers it, and the envelope around both.

Jinka's own form, version 1; no public layout of such a manifest was found. A manifest or receipt has one form of bytes:
JSON (RFC 8259) in ASCII with sorted keys and no blanks, so that its SHA-256 names it. Whoever reads one writes it again
and compares, so nothing is left to a parser: no second key, no other blank, no fraction. A stream is all parcels of one
kind from one centre to another; they are numbered from 1 without a gap, and each names the one before by its hash.

Signatures are made and checked in `jinka.crypto.parcel_seal`; what files hold is checked in `jinka.store`.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from jinka.kit import MAX_MINOR, Usage

ENVELOPE_MAX = 128 * 1024
FILES_MAX = 16
FILE_BYTES_MAX = 1 << 30
FILE_ROWS_MAX = 20_000_000
CERTIFICATES_MAX = 4
NUMBER_MAX = 10**9
FIRST = bytes(32)  # what the first manifest of a stream names as the one before

_MANIFEST, _RECEIPT, _ENVELOPE = "jinka.parcel/1", "jinka.parcel.receipt/1", "jinka.parcel.envelope/1"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,31}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}\.parquet")
_SCHEMA = re.compile(r"[a-z][a-z0-9_.-]{0,47}/[1-9][0-9]{0,3}")
_HASH = re.compile(r"[0-9a-f]{64}")
_MICROS_MAX = 253_402_300_800 * 1_000_000  # the year 10000
_T = TypeVar("_T")


class Kind(Enum):
    """What a stream carries."""

    RECORDS = "records"  # taps of foreign cards, towards their issuer's centre
    VERDICTS = "verdicts"  # what the issuer's centre says of each, back to the acquiring centre
    POSITIONS = "positions"  # a child's position of a window, to its parent
    STATISTICS = "statistics"
    STATEMENTS = "statements"  # of a city's days in its signed log, and its parent's signature under them
    NOTICES = "notices"  # what became of the other's parcels that could not be applied
    LISTS = "lists"  # blocked cards, and the registers that are kept above, down to the children


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamId:
    """All parcels of one kind from one centre to another."""

    sender: str
    receiver: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.sender}>{self.receiver}/{self.kind.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One Parquet file: its name within the parcel, its size in bytes, its rows, and ``schema``, what it is."""

    name: str
    size: int
    rows: int
    sha256: bytes
    schema: str

    def __post_init__(self) -> None:
        _text(self.name, _NAME, "name", "lower-case letters, digits, - and _, then .parquet")
        _text(self.schema, _SCHEMA, "schema", "name/version, such as jinka.record/1")
        _count(self.size, FILE_BYTES_MAX, "size")
        _count(self.rows, FILE_ROWS_MAX, "rows")
        _hash(self.sha256, "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a parcel is. ``count`` and ``amount_fen`` are over all its files; positions may add up below zero.

    ``previous`` is the digest of the manifest before it in the stream, or `FIRST`.
    """

    sender: str
    receiver: str
    kind: Kind
    number: int
    business_date: dt.date
    files: tuple[FileEntry, ...]
    count: int
    amount_fen: int
    previous: bytes
    made_micros: int

    def __post_init__(self) -> None:
        _code(self.sender, "sender")
        _code(self.receiver, "receiver")
        _number(self.number)
        _hash(self.previous, "previous")
        if self.sender == self.receiver:
            raise Usage("sender and receiver are one", where="receiver")
        if (self.number == 1) != (self.previous == FIRST):
            raise Usage("the first of a stream names zeros, and no other", where="previous")
        if not 1 <= len(self.files) <= FILES_MAX:
            raise Usage(f"{len(self.files)} files", where="files", fix=f"1 to {FILES_MAX}")
        if len({entry.name for entry in self.files}) != len(self.files):
            raise Usage("one name twice", where="files")
        _count(self.count, FILES_MAX * FILE_ROWS_MAX, "count")
        if self.count != sum(entry.rows for entry in self.files):
            raise Usage("not the sum of the files' rows", where="count")
        _whole(self.amount_fen, -MAX_MINOR, MAX_MINOR, "amount_fen")
        _whole(self.made_micros, 0, _MICROS_MAX, "made_micros")

    @property
    def stream(self) -> StreamId:
        """The stream it belongs to."""
        return StreamId(sender=self.sender, receiver=self.receiver, kind=self.kind)

    @property
    def label(self) -> str:
        """Its name for people: stream and number."""
        return f"{self.stream}/{self.number}"

    @property
    def digest(self) -> bytes:
        """The SHA-256 of its bytes, by which receipts and the next manifest name it."""
        return hashlib.sha256(self.to_bytes()).digest()

    def to_bytes(self) -> bytes:
        """The one form that is signed."""
        files = [
            {"name": f.name, "rows": f.rows, "schema": f.schema, "sha256": f.sha256.hex(), "size": f.size}
            for f in self.files
        ]
        return _canonical(
            {
                "amount_fen": self.amount_fen,
                "business_date": self.business_date.isoformat(),
                "count": self.count,
                "files": files,
                "format": _MANIFEST,
                "kind": self.kind.value,
                "made_micros": self.made_micros,
                "number": self.number,
                "previous": self.previous.hex(),
                "receiver": self.receiver,
                "sender": self.sender,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The receiver's word that it holds a parcel, durably and as its manifest says. Not yet that it agrees with it."""

    sender: str
    receiver: str
    kind: Kind
    number: int
    manifest: bytes
    taken_micros: int

    def __post_init__(self) -> None:
        _code(self.sender, "sender")
        _code(self.receiver, "receiver")
        _number(self.number)
        _hash(self.manifest, "manifest")
        _whole(self.taken_micros, 0, _MICROS_MAX, "taken_micros")

    @property
    def stream(self) -> StreamId:
        """The stream of the parcel."""
        return StreamId(sender=self.sender, receiver=self.receiver, kind=self.kind)

    def to_bytes(self) -> bytes:
        """The one form that is signed."""
        return _canonical(
            {
                "format": _RECEIPT,
                "kind": self.kind.value,
                "manifest": self.manifest.hex(),
                "number": self.number,
                "receiver": self.receiver,
                "sender": self.sender,
                "taken_micros": self.taken_micros,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A manifest or receipt with its signature and the signer's certificates (DER), its own first. Not yet believed."""

    body: bytes
    certificates: tuple[bytes, ...]
    signature: bytes

    def to_bytes(self) -> bytes:
        """As it travels."""
        return _canonical(
            {
                "body": _b64(self.body),
                "certificates": [_b64(one) for one in self.certificates],
                "format": _ENVELOPE,
                "signature": _b64(self.signature),
            }
        )


def read_manifest(raw: bytes) -> Manifest:
    """Read the one form of a manifest; raises `Usage` that names the path in it."""
    found = _Fields(_parsed(raw, "manifest"), "manifest", _MANIFEST)
    listed = found.take("files", list)
    if len(listed) > FILES_MAX:
        raise Usage(f"{len(listed)} files", where="manifest.files", fix=f"1 to {FILES_MAX}")
    files = tuple(_entry(item, f"manifest.files[{at}]") for at, item in enumerate(listed))
    made = found.made(
        lambda: Manifest(
            sender=found.take("sender", str),
            receiver=found.take("receiver", str),
            kind=found.kind(),
            number=found.take("number", int),
            business_date=found.date("business_date"),
            files=files,
            count=found.take("count", int),
            amount_fen=found.take("amount_fen", int),
            previous=found.hash("previous"),
            made_micros=found.take("made_micros", int),
        )
    )
    return _same(made, raw, "manifest")


def _entry(item: object, where: str) -> FileEntry:
    found = _Fields(item, where)
    return found.made(
        lambda: FileEntry(
            name=found.take("name", str),
            size=found.take("size", int),
            rows=found.take("rows", int),
            sha256=found.hash("sha256"),
            schema=found.take("schema", str),
        )
    )


def read_receipt(raw: bytes) -> Receipt:
    """Read the one form of a receipt; raises `Usage`."""
    found = _Fields(_parsed(raw, "receipt"), "receipt", _RECEIPT)
    made = found.made(
        lambda: Receipt(
            sender=found.take("sender", str),
            receiver=found.take("receiver", str),
            kind=found.kind(),
            number=found.take("number", int),
            manifest=found.hash("manifest"),
            taken_micros=found.take("taken_micros", int),
        )
    )
    return _same(made, raw, "receipt")


def read_envelope(raw: bytes) -> Envelope:
    """Read the one form of an envelope; raises `Usage`."""
    found = _Fields(_parsed(raw, "envelope"), "envelope", _ENVELOPE)
    listed = found.take("certificates", list)
    if not 1 <= len(listed) <= CERTIFICATES_MAX:
        raise Usage(f"{len(listed)}", where="envelope.certificates", fix=f"1 to {CERTIFICATES_MAX}")
    made = found.made(
        lambda: Envelope(
            body=_raw(found.take("body", str), "body"),
            certificates=tuple(_raw(one, f"certificates[{at}]") for at, one in enumerate(listed)),
            signature=_raw(found.take("signature", str), "signature"),
        )
    )
    return _same(made, raw, "envelope")


class _Fields:
    """One JSON object: each member is taken once with its type, and none may be left over."""

    def __init__(self, found: object, where: str, form: str = "") -> None:
        if not isinstance(found, dict):
            raise Usage("not an object", where=where)
        self._left, self._where = dict(found), where
        if form and self.take("format", str) != form:
            raise Usage("another format or version", where=f"{where}.format", fix=form)

    def take(self, name: str, kind: type[_T]) -> _T:
        value = self._left.pop(name, None)
        if type(value) is not kind:
            raise Usage(f"not {_WORDS[kind]}", where=f"{self._where}.{name}")
        return value

    def hash(self, name: str) -> bytes:
        text = self.take(name, str)
        if not _HASH.fullmatch(text):
            raise Usage("not 64 hexadecimal digits in lower case", where=f"{self._where}.{name}")
        return bytes.fromhex(text)

    def kind(self) -> Kind:
        text = self.take("kind", str)
        try:
            return Kind(text)
        except ValueError:
            raise Usage(f"unknown: {text[:20]!r}", where=f"{self._where}.kind") from None

    def date(self, name: str) -> dt.date:
        text = self.take(name, str)
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            raise Usage("not YYYY-MM-DD", where=f"{self._where}.{name}") from None

    def made(self, build: Callable[[], _T]) -> _T:
        """The value that takes everything; an error of its own names the place in the whole."""
        try:
            value = build()
        except Usage as error:
            inside = error.where.startswith(self._where)
            where = error.where if inside else f"{self._where}.{error.where}"
            raise Usage(error.what, where=where, fix=error.fix) from None
        if self._left:
            unknown = min(str(name)[:40] for name in self._left)
            raise Usage("unknown", where=f"{self._where}.{unknown}", fix="leave it out")
        return value


_WORDS: Mapping[type, str] = {str: "a text", int: "a whole number", list: "a list"}


def _same(made: _T, raw: bytes, where: str) -> _T:
    assert isinstance(made, Manifest | Receipt | Envelope)
    if made.to_bytes() != raw:
        raise Usage("not its canonical form", where=where, fix="sorted keys, no blanks, each once")
    return made


def _parsed(raw: bytes, where: str) -> Any:
    if len(raw) > ENVELOPE_MAX:
        raise Usage(f"{len(raw)} bytes", where=where, fix=f"at most {ENVELOPE_MAX}")
    try:
        return json.loads(raw.decode("ascii"))
    except (ValueError, RecursionError):
        raise Usage("not JSON in ASCII", where=where) from None


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(text: object, where: str) -> bytes:
    if not isinstance(text, str) or not text:
        raise Usage("not base64", where=where)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Usage("not base64", where=where) from None


def _text(text: str, form: re.Pattern[str], where: str, fix: str) -> None:
    if not form.fullmatch(text):
        raise Usage(f"not allowed: {text[:60]!r}", where=where, fix=fix)


def _code(text: str, where: str) -> None:
    _text(text, _CODE, where, "a centre's code: letters, digits, - and .")


def _whole(value: int, least: int, most: int, where: str) -> None:
    if type(value) is not int or not least <= value <= most:
        raise Usage("out of range", where=where, fix=f"{least} to {most}")


def _count(value: int, most: int, where: str) -> None:
    _whole(value, 0, most, where)


def _number(value: int) -> None:
    _whole(value, 1, NUMBER_MAX, "number")


def _hash(value: bytes, where: str) -> None:
    if type(value) is not bytes or len(value) != 32:
        raise Usage("not 32 bytes", where=where)
