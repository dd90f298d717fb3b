"""A centre's desk for parcels: what it sends, what it takes in, and from whom. HTTP and tests speak to nothing else.

A parcel is taken in only whole: its manifest signed by the very neighbour that hands it over, its files here with the
hashes, rows, totals and schemas that the manifest says. Then files get their names, the receipt is signed, and one row
is written; the receipt leaves after that. Whatever is asked again is answered the same again.

Who the peer is, is for the line to say (`jinka.api.centre`: by its certificate); what parcels mean is for others.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from jinka.codec.parcel import (
    Envelope,
    FileEntry,
    Kind,
    Manifest,
    Receipt,
    read_envelope,
    read_manifest,
    read_receipt,
)
from jinka.codec.parcel_contents import FileSchema, ParquetLimits
from jinka.crypto.parcel_seal import check_seal, seal_parcel
from jinka.crypto.x509_keys import Signer
from jinka.crypto.x509_path import Trust
from jinka.kit import Clock, Finding, NotFound, Refused, Usage
from jinka.node.parcel_folder import ParcelFolder
from jinka.store.parcel_parquet import (
    Look,
    check_contents,
    look_here,
    read_parcel_file,
    write_parcel_file,
)
from jinka.store.parcels_sent import Draft, Outbox, Sent
from jinka.store.parcels_taken import Inbox, Taken, TakenState

PIECE_MAX = 1 << 20
# A business day may lie behind the longest holidays. Who sends days further ahead outruns the others, whose records
# would be too late for every round between.
DAYS_AHEAD_MAX = dt.timedelta(days=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """The centre's signing key, and its certificates (DER): its own first, then those above it."""

    signer: Signer
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a desk must know of the line: itself, its neighbours, whom it believes, which files there are.

    ``look`` examines a file from outside.
    """

    centre: str
    neighbours: frozenset[str]
    signatory: Signatory
    trust: Callable[[], Trust]
    schemas: Mapping[str, FileSchema]
    limits: ParquetLimits = field(default_factory=ParquetLimits)
    look: Look = look_here


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingFile:
    """A file to send: its name within the parcel, what it is, its rows."""

    name: str
    schema: str
    rows: pa.Table


class ParcelDesk:
    """Safe for threads, as its books and its folder are."""

    def __init__(self, line: Line, outbox: Outbox, inbox: Inbox, folder: ParcelFolder, clock: Clock) -> None:
        self.line, self.inbox, self.outbox, self.folder = line, inbox, outbox, folder
        self._clock = clock
        self.stirred = (
            threading.Event()
        )  # something was put into the outbox: who goes to the parent need not wait

    # What this centre sends.

    def send(
        self,
        receiver: str,
        kind: Kind,
        reference: str,
        business_date: dt.date,
        files: Sequence[OutgoingFile],
    ) -> Sent:
        """Put a parcel into the outbox; durable when this returns. The same again is one parcel.

        Raises `Refused` for another content under the reference, and for what the receiver would not take.
        """
        self._require_neighbour(receiver)
        entries, total = [], 0
        for at, one in enumerate(files):
            schema = self.line.schemas.get(one.schema)
            if schema is None or kind not in schema.kinds:
                raise Usage(f"{one.schema} is not sent in this stream", where=f"files[{at}]")
            made = self.folder.room(f"{receiver}-{kind.value}-{at}")
            write_parcel_file(made, one.rows, schema)
            found = look_here(made, schema, self.line.limits, where=one.name)
            digest, size = self.folder.put(made)
            total += found.amount_fen
            entries.append(
                FileEntry(name=one.name, size=size, rows=found.rows, sha256=digest, schema=one.schema)
            )
        draft = Draft(
            receiver=receiver, kind=kind, reference=reference, business_date=business_date,
            files=tuple(entries), amount_fen=total,
        )  # fmt: skip
        sent = self.outbox.put(draft, self._seal, self._clock.now_micros())
        self.stirred.set()
        return sent

    def waiting_for(self, peer: str, most: int = 100) -> list[Sent]:
        """What a neighbour has not given its receipt for."""
        self._require_neighbour(peer)
        waiting = self.outbox.waiting_for(peer, most)
        return [replace(sent, envelope=self._fresh(sent.envelope, sent.manifest)) for sent in waiting]

    def piece(self, peer: str, kind: Kind, number: int, digest: bytes, offset: int) -> bytes:
        """A piece of a file of a parcel to this neighbour; empty at its end."""
        self._require_neighbour(peer)
        manifest = self.outbox.sent(peer, kind, number).manifest
        if all(entry.sha256 != digest for entry in manifest.files):
            raise NotFound("no file of this parcel", where=manifest.label)
        return self.folder.piece(digest, offset, PIECE_MAX)

    def receipted(self, peer: str, raw: bytes) -> None:
        """Take a receipt for a parcel of ours; raises `Refused` when it is not the neighbour's word on that parcel."""
        self._require_neighbour(peer)
        envelope = read_envelope(raw)
        receipt = read_receipt(envelope.body)
        if receipt.receiver != peer or receipt.sender != self.line.centre:
            raise Refused(f"a receipt on the line {receipt.stream}", where="receipt")
        now = self._clock.now_micros()
        check_seal(envelope, peer, self.line.trust(), _moment(now))
        self.outbox.receipted(receipt, raw, now)

    # What this centre takes in.

    def offset(self, peer: str, digest: bytes, size: int) -> int:
        """How much of a file of this neighbour is here."""
        self._require_neighbour(peer)
        return self.folder.offset(peer, digest, size)

    def append(self, peer: str, digest: bytes, size: int, offset: int, piece: bytes) -> int:
        """Take a piece; how much is here now."""
        self._require_neighbour(peer)
        if len(piece) > PIECE_MAX:
            raise Usage(f"a piece of {len(piece)} bytes", where="piece", fix=f"at most {PIECE_MAX}")
        return self.folder.append(peer, digest, size, offset, piece)

    def announced(self, peer: str, raw: bytes) -> Manifest:
        """The manifest in a neighbour's envelope, once its signature is believed; raises `Refused`."""
        self._require_neighbour(peer)
        envelope = read_envelope(raw)
        manifest = read_manifest(envelope.body)
        if manifest.sender != peer:
            raise Refused(f"{peer} hands over what {manifest.sender} sends", where=manifest.label)
        if manifest.receiver != self.line.centre:
            raise Refused(f"it is for {manifest.receiver}", where=manifest.label)
        check_seal(envelope, peer, self.line.trust(), _moment(self._clock.now_micros()))
        return manifest

    def take_in(self, peer: str, raw: bytes) -> bytes:
        """Take a parcel in whose files are here; the receipt's envelope.

        Raises `Refused` when it is not what it says or its number is taken, `NotFound` when a file is missing.
        """
        manifest, now = self.announced(peer, raw), self._clock.now_micros()
        if manifest.business_date > _moment(now).date() + DAYS_AHEAD_MAX:
            raise Refused(
                f"for {manifest.business_date}, which is far off", where=manifest.label,
                fix="send it when the day is near",
            )  # fmt: skip
        if given := self.inbox.known(manifest, raw, now):
            return self._fresh(given, read_receipt(read_envelope(given).body))
        files = {one.name: self._whole(peer, one) for one in manifest.files}
        check_contents(manifest, files, self.line.schemas, self.line.limits, self.line.look)
        for one in manifest.files:
            self.folder.admit(peer, one.sha256)
        receipt = Receipt(
            sender=peer, receiver=self.line.centre, kind=manifest.kind, number=manifest.number,
            manifest=manifest.digest, taken_micros=now,
        )  # fmt: skip
        return self.inbox.take(manifest, raw, self._seal(receipt).to_bytes(), now)

    def ready(self, most: int = 100) -> list[Taken]:
        """Parcels whose turn it is; see `Inbox.ready`."""
        return self.inbox.ready(most)

    def rows(self, parcel: Taken) -> dict[str, pa.Table]:
        """The files of a parcel that was taken in, by their names."""
        found = {}
        for one in parcel.manifest.files:
            path = self.folder.taken(parcel.manifest.sender, one.sha256)
            found[one.name] = read_parcel_file(path, self.line.schemas[one.schema])
        return found

    def applied(self, parcel: Taken, said: Sequence[tuple[Manifest, Finding]] = ()) -> None:
        """Its effect is durable. What it ``said`` of other parcels is kept with the mark."""
        self.inbox.settle(parcel, TakenState.APPLIED, self._clock.now_micros(), said=said)

    def parked(self, parcel: Taken, finding: Finding) -> None:
        """It has none for now, and why."""
        self.inbox.settle(parcel, TakenState.PARKED, self._clock.now_micros(), finding=finding)

    def _whole(self, peer: str, entry: FileEntry) -> Path:
        path = self.folder.whole(peer, entry.sha256)
        where = f"file {entry.name}"
        if path is None:
            raise NotFound("not here, or not whole", where=where, fix="send it, then the manifest again")
        if path.stat().st_size != entry.size:
            raise Refused(f"{path.stat().st_size} bytes, not {entry.size}", where=where)
        return path

    def _fresh(self, envelope: bytes, body: Manifest | Receipt) -> bytes:
        """The same body under today's certificate: what was sealed under one that was replaced would be refused."""
        if read_envelope(envelope).certificates == self.line.signatory.certificates:
            return envelope
        return self._seal(body).to_bytes()

    def _seal(self, body: Manifest | Receipt) -> Envelope:
        return seal_parcel(body, self.line.signatory.signer, self.line.signatory.certificates)

    def _require_neighbour(self, centre: str) -> None:
        if centre not in self.line.neighbours:
            raise Refused("no neighbour of this centre", where=f"centre {centre}", fix="admit it first")


def _moment(micros: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(micros // 1_000_000, dt.UTC)
