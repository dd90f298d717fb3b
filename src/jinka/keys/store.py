"""The sealed key store: every key with its line of the catalogue, under a wrapping key that custodians hold in parts.

AES-256-GCM (`jinka.crypto.seal`); the header names format, ciphers, sharing and a serial that grows with every act,
and the seal authenticates all of it. Whoever knows which serial is the last one says so when opening, and an older
copy is refused. Everything is a value: who calls reads and writes the files. Python cannot wipe what it copied, so
this is a soft store: not certified, and marked as simulated where it is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from typing import Any

from jinka.codec import Algorithm
from jinka.crypto import seal, unseal
from jinka.crypto.block import check_value
from jinka.keys.catalogue import KeyName, KeyRecord, KeyState, parse_terms
from jinka.keys.port import Purpose
from jinka.keys.shares import (
    WRAPPING_BYTES,
    Share,
    Sharing,
    join_parts,
    part_key,
    require_custodians,
    wrapping_check,
)
from jinka.kit import Randomness, Refused

FORMAT, VERSION = "jinka.keystore", 3
CIPHER = "AES-256-GCM"
_BLOB_MAX = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStore:
    """The opened keys of one issuer with their catalogue. It lives inside a key service."""

    issuer: str
    simulated: bool
    roots: dict[KeyName, bytes] = field(repr=False)
    records: dict[KeyName, KeyRecord]

    def root(self, purpose: Purpose, algorithm: Algorithm | str, version: int) -> bytes:
        """The root for exactly this use; `Refused` if the ceremony made none."""
        kind = algorithm.name if isinstance(algorithm, Algorithm) else algorithm
        name = KeyName(purpose=purpose, algorithm=kind, version=version)
        if name not in self.roots:
            raise Refused("no such key", where=f"keys.{name}", fix="see the record of the ceremony")
        return self.roots[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHeader:
    """What stands in the clear, and is authenticated, before the sealed keys."""

    issuer: str
    check: str  # of the wrapping key
    simulated: bool
    needed: int
    made: int
    sharing: Sharing
    serial: int  # 1 for the first, one more with every act

    def as_dict(self) -> dict[str, Any]:
        """The form that is written and authenticated."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "cipher": CIPHER,
            "sharing": self.sharing.value,
            "needed": self.needed,
            "made": self.made,
            "issuer": self.issuer,
            "check": self.check,
            "serial": self.serial,
            "simulated": self.simulated,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedStore:
    """A store that shares opened, in the hands of a ceremony, which may seal it again."""

    header: StoreHeader
    store: KeyStore
    wrapping: bytes = field(repr=False)


def new_store(
    store: KeyStore,
    custodians: tuple[str, ...],
    *,
    needed: int,
    sharing: Sharing,
    serial: int,
    randomness: Randomness,
) -> tuple[bytes, tuple[Share, ...]]:
    """Seal a store under a new wrapping key and part that key among custodians."""
    require_custodians(custodians, needed, sharing)
    wrapping = randomness.token_bytes(WRAPPING_BYTES)
    header = StoreHeader(
        issuer=store.issuer,
        check=wrapping_check(wrapping),
        simulated=store.simulated,
        needed=needed,
        made=len(custodians),
        sharing=sharing,
        serial=serial,
    )
    sealed = _sealed(OpenedStore(header=header, store=store, wrapping=wrapping), randomness)
    parts = part_key(wrapping, needed=needed, made=len(custodians), sharing=sharing, randomness=randomness)
    return sealed, tuple(
        Share(
            issuer=store.issuer,
            custodian=who,
            x=x,
            secret=part,
            check=header.check,
            simulated=store.simulated,
            sharing=sharing,
        )
        for x, (who, part) in enumerate(zip(custodians, parts, strict=True), 1)
    )


def sealed_again(opened: OpenedStore, store: KeyStore, randomness: Randomness) -> bytes:
    """The next version of a store under the same wrapping key: the shares stay good."""
    header = replace(opened.header, serial=opened.header.serial + 1)
    return _sealed(OpenedStore(header=header, store=store, wrapping=opened.wrapping), randomness)


def unlock(sealed: bytes, shares: list[Share], *, serial_min: int = 0) -> OpenedStore:
    """Join the shares and open the store for a ceremony. Raises `Refused` as `open_store`."""
    header, blob = _read(sealed)
    if header.serial < serial_min:
        raise Refused(
            f"version {header.serial} of the store is older than {serial_min}, the last that was recorded",
            where="key store",
            fix="restore the newest copy",
        )
    wrapping = join_parts(
        shares, check=header.check, issuer=header.issuer, needed=header.needed, sharing=header.sharing
    )
    plain = unseal(wrapping, blob, context=_context(header))
    roots, records = {}, {}
    for row in json.loads(plain):
        record = KeyRecord(
            name=KeyName.parse(row["name"]),
            check=row["check"],
            state=KeyState(row["state"]),
            valid_from=row["from"],
            valid_to=row["to"],
            terms=parse_terms(row.get("terms", "")),
        )
        records[record.name] = record
        if row["secret"]:  # else it was destroyed, or lives on a token
            roots[record.name] = bytes.fromhex(row["secret"])
    store = KeyStore(issuer=header.issuer, simulated=header.simulated, roots=roots, records=records)
    return OpenedStore(header=header, store=store, wrapping=wrapping)


def open_store(sealed: bytes, shares: list[Share], *, serial_min: int = 0) -> KeyStore:
    """Join the shares and open the store.

    `Refused` when there are fewer shares than are needed, when one is wrong or of another ceremony, when one person
    brings two, when the blob was changed, or when its serial is below ``serial_min``.
    """
    return unlock(sealed, shares, serial_min=serial_min).store


def read_header(sealed: bytes) -> StoreHeader:
    """What a store says of itself, before any seal is opened: not to be relied on. Raises `Refused`."""
    return _read(sealed)[0]


def root_check(name: KeyName, secret: bytes) -> str:
    """The check value of a root in hex: 3 bytes of the encryption of zeros, or of an HMAC for the sealing keys."""
    if name.algorithm in Algorithm.__members__:
        return check_value(Algorithm[name.algorithm], secret).hex()
    return hmac.digest(secret, b"check value", hashlib.sha256)[:3].hex()


def _sealed(opened: OpenedStore, randomness: Randomness) -> bytes:
    header, nonce = opened.header.as_dict(), randomness.token_bytes(12)
    blob = seal(opened.wrapping, _plain(opened.store), context=_context(opened.header), nonce12=nonce)
    return json.dumps(header | {"sealed": blob.hex()}, sort_keys=True).encode() + b"\n"


def _context(header: StoreHeader) -> str:
    return json.dumps(header.as_dict(), sort_keys=True)


def _plain(store: KeyStore) -> bytes:
    """What is sealed: each key with its line of the catalogue; of one destroyed or on a token only the line."""
    rows = [
        {
            "name": str(name),
            "check": record.check,
            "state": record.state.value,
            "from": record.valid_from,
            "terms": record.terms_text,
            "to": record.valid_to,
            "secret": store.roots[name].hex() if name in store.roots else "",
        }
        for name, record in store.records.items()
    ]
    return json.dumps(rows).encode()


def _read(sealed: bytes) -> tuple[StoreHeader, bytes]:
    """The header, which the seal authenticates, and the sealed bytes."""
    try:
        raw = json.loads(sealed if len(sealed) <= _BLOB_MAX else b"")
        blob = bytes.fromhex(raw.pop("sealed"))
        if (raw["format"], raw["version"], raw["cipher"]) != (FORMAT, VERSION, CIPHER):
            raise Refused(
                "a key store of another format or version", where="key store", fix="restore the file"
            )
        header = StoreHeader(
            issuer=str(raw["issuer"]),
            check=str(raw["check"]),
            simulated=bool(raw["simulated"]),
            needed=int(raw["needed"]),
            made=int(raw["made"]),
            sharing=Sharing(raw["sharing"]),
            serial=int(raw["serial"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Refused("not a key store", where="key store", fix="restore the file") from None
    if header.as_dict() != raw or not 2 <= header.needed <= header.made:
        raise Refused("a key store with a damaged header", where="key store", fix="restore the file")
    return header, blob
