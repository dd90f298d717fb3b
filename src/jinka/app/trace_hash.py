"""`jinka trace hash`: the hashes of the events in files, and whether the events bear the ones that they should.

CBV 2.0, 8.9 (`jinka.codec.epcis.event_hash`). A file is XML if it begins with ``<``, JSON otherwise. Only an event id
that is itself such a hash is compared: others are names that somebody gave.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinka.codec.epcis import Document, event_hash, pre_hash, read_json, read_xml
from jinka.kit import NotFound, Refused, Usage
from jinka.kit.collection import no_collection

_NAME = re.compile(r"\{([^{}]+)\}([^{}:/\s]+)").fullmatch
_HASHED = ("ni:///sha-256;", "?ver=CBV2.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashed:
    """One event of a file, counted from 1. ``matches``: its id is this hash, is another one, or is none (None)."""

    file: str
    number: int
    event_type: str
    event_id: str | None
    hash: str
    pre_hash: str
    matches: bool | None


@no_collection()
def hash_events(files: Sequence[str], *, ignore: Sequence[str] = ()) -> list[Hashed]:
    """Every event of the files (``-`` is standard input); ``ignore``: extensions that do not count, {namespace}name."""
    names = [_name(text) for text in ignore]
    found = list[Hashed]()
    for file in files:
        for number, event in enumerate(_document(file).events, 1):
            made, given = event_hash(event, ignore=names), event.event_id
            hashed = given is not None and given.startswith(_HASHED[0]) and given.endswith(_HASHED[1])
            found.append(
                Hashed(
                    file=file,
                    number=number,
                    event_type=event.event_type.value,
                    event_id=given,
                    hash=made,
                    pre_hash=pre_hash(event, ignore=names),
                    matches=given == made if hashed else None,
                )
            )
    return found


def _name(text: str) -> tuple[str, str]:
    found = _NAME(text)
    if found is None:
        raise Usage(
            f"{text!r} names no field", where="--ignore", fix="such as {https://ns.example.com/epcis/}field"
        )
    return found[1], found[2]


def _document(file: str) -> Document:
    if file == "-":
        data = sys.stdin.buffer.read()
    else:
        try:
            data = Path(file).read_bytes()
        except OSError as error:
            raise NotFound(f"cannot be read: {error.strerror}", where=file) from error
    try:
        return read_xml(data) if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else read_json(data)
    except Refused as fault:
        raise Refused(
            fault.what, where=f"{file}: {fault.where}" if fault.where else file, fix=fault.fix
        ) from None
