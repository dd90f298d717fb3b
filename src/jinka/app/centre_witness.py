"""A parent as the witness of its cities' logs: it signs each state that follows from what it saw before, and no other.

After each round that is in its books a city sends the statements of its days and the checkpoint that it signed
(`jinka.app.proof`). Its parent holds the statements that it saw: one that was changed, a log that shrank, or a
checkpoint over other statements is `ROOT_TWICE`, is not signed, and both notes are kept as evidence. What follows is
signed a second time, in the form of C2SP tlog-cosignature's plain notes: the same text, one more signature line. The
note goes back down, and the city's proofs carry both signatures, so nobody has to take a city's word for its one root.

::

    witness/CENTRE/log.jsonl            the statements of a child's days that were seen, one a line
    witness/CENTRE/checkpoint.note      its newest checkpoint with both signatures
    witness/CENTRE/evidence-....note    a signed checkpoint that contradicts it
    witness/witness.key                 this centre's public key; its children have it as proof/witness.key

The keys are those of the parcels, so whose log it is follows from the parcel's certificate. What a leaf says of a
record nobody checks here. Provinces publish nothing, so the nation witnesses them in nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from jinka.app.proof import FOLDER, ProofFolder
from jinka.clearing.day_log import ORIGIN, DayStatement, opened_checkpoint
from jinka.codec.parcel import Kind, read_envelope
from jinka.crypto.merkle import root_of
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
_LOG, _NOTE = "statements.parquet", "checkpoint.parquet"
_STATEMENTS_MAX = 100_000


def log_tables(centre: Path) -> Mapping[str, pa.Table]:
    """What a city sends of its log: all its statements, and the newest checkpoint as it signed it."""
    log = ProofFolder(centre / FOLDER)
    found = log.statements()
    rows = [{"place": at, "statement": one.text()} for at, one in enumerate(found)]
    return {
        "statements": pa.Table.from_pylist(rows, schema=STATEMENTS),
        "checkpoint": pa.Table.from_pylist([{"note": log.own_checkpoint(len(found))}], schema=CHECKPOINT),
    }


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
        if set(files) != {_LOG, _NOTE} or files[_NOTE].num_rows != 1:
            raise Refused("not a log and its checkpoint", where=where)
        if files[_LOG].num_rows > _STATEMENTS_MAX:
            raise Refused(f"{files[_LOG].num_rows} statements", where=where, fix=f"at most {_STATEMENTS_MAX}")
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
        if texts[: len(held)] != held:
            digest = hashlib.sha256(note.encode()).hexdigest()[:8]
            write_durable(place / f"evidence-{state.size}-{digest}.note", note.encode())
            raise Refused(
                "its log is not the one that was seen: a second root", where=where,
                fix=f"keep both notes in witness/{sender}, and tell whoever relies on it",
            )  # fmt: skip
        signer = KeyNoteSigner(f"{WITNESS}{desk.line.centre}", desk.line.signatory.signer)
        text = open_note(note, key)
        both = note + sign_note(text, signer).removeprefix(text + "\n")
        write_durable(place / "log.jsonl", "".join(json.dumps(one) + "\n" for one in texts).encode())
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


__all__ = ["CHECKPOINT", "STATEMENTS", "Witness", "log_tables"]
