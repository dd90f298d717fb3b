"""A parent as the witness of its cities' logs: it signs each state that follows from what it saw before, and no other.

After each round that is in its books a city sends the statements of its days and the checkpoint that it signed
(`jinka.app.proof`), with the way from each edition of a day to the next. Its parent holds the statements that it saw:
one that was changed, a log that shrank, or a day whose editions do not grow one from the other is `ROOT_TWICE`, is not
signed, and the note is kept as evidence with the statements under it. What follows is signed a second time, in the
form of C2SP tlog-cosignature's plain notes: the same text, one more signature line. The note goes back down, and the
city's proofs carry both signatures, so nobody has to take a city's word for its one root.

::

    witness/CENTRE/log.jsonl            the statements of a child's days that were seen, one a line
    witness/CENTRE/checkpoint.note      its newest checkpoint with both signatures
    witness/CENTRE/evidence-....note    a signed checkpoint that contradicts it, or itself
    witness/CENTRE/evidence-....jsonl   the statements under that one
    witness/witness.key                 this centre's public key; its children have it as proof/witness.key

The keys are those of the parcels, so whose log it is follows from the parcel's certificate. What a leaf says of a
record nobody checks here. Provinces publish nothing, so the nation witnesses them in nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from jinka.app.proof import FOLDER, ProofFolder
from jinka.clearing.day_log import ORIGIN, DayStatement, opened_checkpoint, require_editions
from jinka.codec.parcel import Kind, read_envelope
from jinka.crypto.merkle import HASH_BYTES, root_of
from jinka.crypto.note import KeyNoteSigner, NoteKey, open_note, sign_note
from jinka.crypto.x509_certificate import read_certificate
from jinka.kit import Finding, JinkaError, NotFound, Refused, Severity, Usage
from jinka.node import read_lines, write_durable
from jinka.node.parcel_desk import OutgoingFile, ParcelDesk
from jinka.store.parcels_taken import Taken

WITNESS = "jinka.witness/"
STATEMENTS = pa.schema(
    [
        pa.field("place", pa.int64(), nullable=False),
        pa.field("statement", pa.string(), nullable=False),
    ],
    metadata={b"jinka.statements": b"1"},
)
CHECKPOINT = pa.schema([pa.field("note", pa.string(), nullable=False)], metadata={b"jinka.checkpoint": b"1"})
# The way to each statement of a later edition from the one before: hashes one behind the other.
EDITIONS = pa.schema(
    [
        pa.field("place", pa.int64(), nullable=False),
        pa.field("path", pa.binary(), nullable=False),
    ],
    metadata={b"jinka.editions": b"1"},
)
_LOG, _NOTE, _EDITIONS = "statements.parquet", "checkpoint.parquet", "editions.parquet"
_STATEMENTS_MAX = 100_000


def log_tables(centre: Path) -> Mapping[str, pa.Table]:
    """What a city sends of its log: all its statements, how the editions follow, and its newest checkpoint."""
    log = ProofFolder(centre / FOLDER)
    found = log.statements()
    rows = [{"place": at, "statement": one.text()} for at, one in enumerate(found)]
    return {
        "statements": pa.Table.from_pylist(rows, schema=STATEMENTS),
        "editions": pa.Table.from_pylist(_ways(log, found), schema=EDITIONS),
        "checkpoint": pa.Table.from_pylist([{"note": log.own_checkpoint(len(found))}], schema=CHECKPOINT),
    }


def _ways(log: ProofFolder, found: Sequence[DayStatement]) -> list[dict[str, Any]]:
    """The path to each later edition; it is kept beside the day's leaves, for it never changes."""
    rows, newest = list[dict[str, Any]](), dict[dt.date, DayStatement]()
    for place, one in enumerate(found):
        if (before := newest.get(one.date)) is not None:
            kept = log.folder / "days" / f"{one.date}.{one.edition}.path"
            if not kept.exists():
                path = log.edition_path(one.date, one.edition, before.size)
                write_durable(kept, b"".join(path))
            rows.append({"place": place, "path": kept.read_bytes()})
        newest[one.date] = one
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One centre's part in it: of its children the witness, of its parent the city that is signed for."""

    folder: Path
    parent: str

    def heed(self, desk: ParcelDesk, parcel: Taken) -> None:
        """Take a parcel of the stream; what is wrong with it parks it, with a finding."""
        sender = parcel.manifest.sender
        try:
            files = desk.rows(parcel)
            key = NoteKey.of(_name(sender, self.parent), _signer_of(parcel))
            if sender == self.parent:
                self._signed(files, key)
            else:
                note, about = self._seen(sender, files, key, desk), parcel.manifest
                reference = f"witness {about.number}"
                if not desk.outbox.has(
                    sender, Kind.STATEMENTS, reference
                ):  # no signature is made twice the same
                    table = pa.Table.from_pylist([{"note": note}], schema=CHECKPOINT)
                    file = OutgoingFile(name=_NOTE, schema="jinka.checkpoint/1", rows=table)
                    desk.send(sender, Kind.STATEMENTS, reference, about.business_date, [file])
        except (Refused, Usage, NotFound) as problem:
            desk.parked(parcel, _finding(parcel, problem))
            return
        desk.applied(parcel)

    def _seen(self, sender: str, files: Mapping[str, pa.Table], key: NoteKey, desk: ParcelDesk) -> str:
        """The child's checkpoint with both signatures, once it follows from what was seen; raises `Refused`."""
        where = f"log of {sender}"
        if set(files) != {_LOG, _NOTE, _EDITIONS} or files[_NOTE].num_rows != 1:
            raise Refused("not a log and its checkpoint", where=where)
        if (count := max(files[name].num_rows for name in (_LOG, _EDITIONS))) > _STATEMENTS_MAX:
            raise Refused(f"{count} statements", where=where, fix=f"at most {_STATEMENTS_MAX}")
        note = str(files[_NOTE]["note"][0].as_py())
        state = opened_checkpoint(note, key)
        texts = files[_LOG]["statement"].to_pylist()
        statements = [DayStatement.parse(text) for text in texts]
        if state.origin != f"{ORIGIN}{sender}" or any(one.centre != sender for one in statements):
            raise Refused("the log of another centre", where=where)
        if files[_LOG]["place"].to_pylist() != list(range(len(texts))) or state.size != len(texts):
            raise Refused("not the whole log", where=where, fix="send every statement in its place")
        if root_of([one.leaf for one in statements]) != state.root:
            raise Refused("the checkpoint is of other statements", where=where, fix="sign what is in the log")
        place = self.folder / "witness" / sender
        held = list(map(json.loads, read_lines(place / "log.jsonl")))
        try:
            if texts[: len(held)] != held:
                raise Refused("its log is not the one that was seen: a second root", where=where)
            require_editions(statements, _paths(files[_EDITIONS]))
        except Refused as problem:
            digest = hashlib.sha256(note.encode()).hexdigest()[:8]
            evidence = place / f"evidence-{state.size}-{digest}"
            write_durable(evidence.with_suffix(".note"), note.encode())
            write_durable(evidence.with_suffix(".jsonl"), _lines(texts))
            raise Refused(
                problem.what, where=problem.where,
                fix=f"keep the notes in witness/{sender}, and tell whoever relies on it",
            ) from None  # fmt: skip
        signer = KeyNoteSigner(f"{WITNESS}{desk.line.centre}", desk.line.signatory.signer)
        text = open_note(note, key)
        both = note + sign_note(text, signer).removeprefix(text + "\n")
        write_durable(place / "log.jsonl", _lines(texts))
        write_durable(place / "checkpoint.note", both.encode())
        write_durable(self.folder / "witness" / "witness.key", f"{signer.public}\n".encode())
        return both

    def _signed(self, files: Mapping[str, pa.Table], key: NoteKey) -> None:
        """Keep the parent's signature under this city's own checkpoint; raises `Refused` for any other text."""
        if set(files) != {_NOTE} or files[_NOTE].num_rows != 1:
            raise Refused("not one checkpoint", where="witness")
        note, log = str(files[_NOTE]["note"][0].as_py()), ProofFolder(self.folder / FOLDER)
        open_note(note, key)
        log.take_witnessed(note)
        write_durable(log.folder / "witness.key", f"{key}\n".encode())


def _paths(ways: pa.Table) -> dict[int, list[bytes]]:
    found = dict[int, list[bytes]]()
    for place, raw in zip(ways["place"].to_pylist(), ways["path"].to_pylist(), strict=True):
        if place in found or len(raw) % HASH_BYTES:
            raise Refused("not one path of whole hashes for a place", where=f"{_EDITIONS}, place {place}")
        found[place] = [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]
    return found


def _lines(texts: Sequence[str]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in texts).encode()


def _name(sender: str, parent: str) -> str:
    return f"{WITNESS}{sender}" if sender == parent else f"{ORIGIN}{sender}"


def _signer_of(parcel: Taken) -> bytes:
    return read_certificate(read_envelope(parcel.envelope).certificates[0]).public_der


def _finding(parcel: Taken, problem: JinkaError) -> Finding:
    twice = "second root" in problem.what
    return Finding(
        code="ROOT_TWICE" if twice else "PARCEL_PARKED", severity=Severity.ERROR, where=parcel.manifest.label,
        what=problem.what, fix=problem.fix,
    )  # fmt: skip


__all__ = ["CHECKPOINT", "EDITIONS", "STATEMENTS", "Witness", "log_tables"]
