"""What tests of the exchange between centres share: manifests, and a played authority with centres' signing keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from jinka.codec.parcel import FIRST, Envelope, FileEntry, Kind, Manifest, Receipt
from jinka.codec.parcel_contents import FileSchema, ParquetLimits
from jinka.crypto.parcel_seal import seal_parcel
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_fields import Constraints, Subject
from jinka.crypto.x509_keys import KeyKind, SoftSigner
from jinka.crypto.x509_path import Trust
from jinka.crypto.x509_request import build_request
from jinka.identity import ROOT_PROFILES, Act, CertificateAuthority, ProfileName, make_root
from jinka.node import parcel_desk
from jinka.node.parcel_desk import ParcelDesk
from jinka.node.parcel_folder import FolderLimits, ParcelFolder
from jinka.node.system import SystemRandomness
from jinka.store.database import database_at
from jinka.store.parcels_sent import Outbox
from jinka.store.parcels_taken import Inbox
from tests.databases import empty_database

CITY, OTHER, PARENT = "440300", "440100", "440000"
DAY = dt.date(2026, 6, 1)
NOW = 1_780_300_000_000_000
AT = dt.datetime.fromtimestamp(NOW // 1_000_000, dt.UTC)
CODE = "91350100M000100Y43"
_CLERK, _OFFICERS = "clerk", ("first", "second", "third")


def entry(**more: Any) -> FileEntry:
    """An entry of a file that needs not be there."""
    known: dict[str, Any] = {
        "name": "records.parquet", "size": 1000, "rows": 3, "sha256": bytes(range(32)), "schema": "jinka.record/1",
    }  # fmt: skip
    return FileEntry(**known | more)


def manifest(number: int = 1, **more: Any) -> Manifest:
    """A manifest of the city to its parent."""
    known: dict[str, Any] = {
        "sender": CITY, "receiver": PARENT, "kind": Kind.RECORDS, "number": number, "business_date": DAY,
        "files": (entry(),), "count": 3, "amount_fen": 750, "made_micros": NOW,
        "previous": FIRST if number == 1 else bytes([number % 256] * 32),
    }  # fmt: skip
    return Manifest(**known | more)


@dataclass(frozen=True)
class Signatory:
    """A centre's signing key and its certificates."""

    code: str
    signer: SoftSigner
    certificates: tuple[bytes, ...]

    def seal(self, body: Manifest | Receipt) -> Envelope:
        return seal_parcel(body, self.signer, self.certificates)


class Line:
    """A played authority for the centres of one line."""

    def __init__(self, at: dt.datetime = AT) -> None:
        self.at, randomness = at, SystemRandomness()
        top, middle = (SoftSigner.generate(KeyKind.ECDSA) for _ in range(2))
        name = Subject(common_name="line root", organisation="Jinka test")
        self.root = make_root(name, top, 1, at - dt.timedelta(1), at + dt.timedelta(3650))
        officers = frozenset((_CLERK, *_OFFICERS))
        above = CertificateAuthority(self.root, top, randomness, officers, ROOT_PROFILES)
        wish = build_request(
            Subject(common_name="line authority", organisation="Jinka", organisation_code=CODE), middle
        )
        self.issuing = read_certificate(
            self._certify(above, ProfileName.AUTHORITY, wish, Constraints(permitted_dns=("localhost",)))
        )
        self.authority = CertificateAuthority(self.issuing, middle, randomness, officers)
        self.trust = Trust(anchors=(self.root, self.issuing))

    def signatory(self, code: str) -> Signatory:
        signer = SoftSigner.generate(KeyKind.ECDSA)
        leaf = self.certificate(ProfileName.ORGANISATION, code, signer)
        return Signatory(code, signer, (leaf,))

    def certificate(
        self, profile: ProfileName, code: str, signer: SoftSigner, dns: tuple[str, ...] = ()
    ) -> bytes:
        subject = Subject(common_name=code, organisation=f"Centre {code}", organisation_code=CODE)
        return self._certify(self.authority, profile, build_request(subject, signer, dns))

    def _certify(
        self, authority: CertificateAuthority, profile: ProfileName, wish: bytes, constraints: Any = None
    ) -> bytes:
        name = authority.submit(profile, wish, _CLERK, self.at, constraints=constraints).id
        for officer in _OFFICERS[:2]:
            authority.act(name, Act.APPROVE, officer, self.at)
        return authority.issue(name, _OFFICERS[2], self.at).certificate


@cache
def line() -> Line:
    """One for the whole run: keys cost time."""
    return Line()


@cache
def signatory(code: str) -> Signatory:
    return line().signatory(code)


ROWS = FileSchema(
    name="test.rows/1",
    columns=pa.schema(
        [
            pa.field("id", pa.binary(4), nullable=False),
            pa.field("text", pa.string(), nullable=False),
            pa.field("amount", pa.int64(), nullable=False),
            pa.field("note", pa.string()),
        ],
        metadata={b"test.rows": b"1"},
    ),
    amount="amount",
    kinds=frozenset({Kind.RECORDS, Kind.VERDICTS}),
)


def rows(count: int, start: int = 0) -> pa.Table:
    """So many rows of `ROWS`; the amounts are 0, 1, 2, ..."""
    at = range(start, start + count)
    columns = [
        pa.array([i.to_bytes(4, "big") for i in at], pa.binary(4)),
        pa.array([f"row {i}" for i in at]),
        pa.array(list(at), pa.int64()),
        pa.array([None if i % 3 else "note" for i in at], pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=ROWS.columns)


class StillClock:
    """Tells the time that it was given."""

    def __init__(self, micros: int = NOW) -> None:
        self.micros = micros

    def now_micros(self) -> int:
        return self.micros


@contextmanager
def desk(folder: Path, centre: str, neighbours: set[str], database: Path | str = "") -> Iterator[ParcelDesk]:
    """The desk of a centre in a folder of its own."""
    of = folder / centre
    with database_at(database or empty_database(of / "centre.sqlite")) as engine:
        signing = signatory(centre)
        line_ = parcel_desk.Line(
            centre=centre,
            neighbours=frozenset(neighbours),
            signatory=parcel_desk.Signatory(signer=signing.signer, certificates=signing.certificates),
            trust=lambda: line().trust,
            schemas={ROWS.name: ROWS},
            limits=ParquetLimits(rows_max=10_000, decoded_max=4 << 20),
        )
        limits = FolderLimits(file_bytes_max=1 << 20, files_max=3, bytes_max=2 << 20)
        parcels = ParcelFolder(of / "parcels", limits)
        yield ParcelDesk(line_, Outbox(engine, centre), Inbox(engine, centre), parcels, StillClock())


def post(sender: ParcelDesk, receiver: ParcelDesk, *, most: int = 1 << 20) -> None:
    """Carry what waits from one desk to the other, and the receipts back."""
    there, here = receiver.line.centre, sender.line.centre
    for sent in sender.waiting_for(there):
        made = sent.manifest
        for one in made.files:
            while (offset := receiver.offset(here, one.sha256, one.size)) < one.size:
                piece = sender.piece(there, made.kind, made.number, one.sha256, offset)[:most]
                receiver.append(here, one.sha256, one.size, offset, piece)
        sender.receipted(there, receiver.take_in(here, sent.envelope))


def chain(count: int, **more: Any) -> list[Manifest]:
    """A stream from its beginning."""
    made: list[Manifest] = []
    for number in range(1, count + 1):
        previous = made[-1].digest if made else FIRST
        made.append(replace(manifest(1, **more), number=number, previous=previous, made_micros=NOW + number))
    return made
