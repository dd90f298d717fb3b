"""The key ceremony: roots are drawn, sealed under a wrapping key, and that key is split among custodians.

Shamir's sharing over GF(256) (`jinka.crypto.shamir`), AES-256-GCM for the sealed store. Everything is a value: who
calls writes the files, each share to a place of its own. The record of a ceremony holds check values and
no secret. Python cannot wipe memory, so this is a soft store: not certified, and marked as simulated where it is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from jinka.codec import Algorithm
from jinka.crypto import join_shares, seal, split_secret, unseal
from jinka.crypto.block import check_value
from jinka.keys.catalogue import KeyName, KeyRecord, KeyState
from jinka.keys.port import Purpose
from jinka.keys.provider import KeyKind
from jinka.kit import Randomness, Refused, Usage

FORMAT, VERSION = "jinka.keystore", 2
CIPHER, SHARING = "AES-256-GCM", "shamir-gf256-11b"
NEEDED, MADE = 2, 3
HMAC, GCM = KeyKind.HMAC.value, KeyKind.GCM.value

_VERSIONS = {
    Purpose.PURCHASE: 3,
    Purpose.LOAD: 1,
    Purpose.TAC: 3,
    Purpose.MAINTENANCE: 1,
    Purpose.GREY_LOCK: 1,
    Purpose.UNLOAD: 1,
    Purpose.OVERDRAFT: 1,
    Purpose.PIN_UNBLOCK: 1,
    Purpose.PIN_RELOAD: 1,
}
_SEALS = ((Purpose.BATCH_SEAL, HMAC), (Purpose.RECORD_SEAL, GCM), (Purpose.RECORD_SEAL, HMAC))
_BLOB_MAX = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One custodian's part of the wrapping key. It says nothing of the key without a second one."""

    issuer: str
    custodian: str
    x: int
    secret: bytes = field(repr=False)
    check: str  # of the wrapping key: hex, no secret
    simulated: bool

    def as_dict(self) -> dict[str, Any]:
        """The form for a file. This is the one act that writes a share out."""
        return {
            "format": "jinka.share",
            "version": VERSION,
            "sharing": SHARING,
            "issuer": self.issuer,
            "custodian": self.custodian,
            "x": self.x,
            "secret": self.secret.hex(),
            "check": self.check,
            "simulated": self.simulated,
        }

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Share:
        """Read `as_dict`'s form; `Refused` when it is anything else."""
        kind = (raw.get("format"), raw.get("version"), raw.get("sharing"))
        if kind != ("jinka.share", VERSION, SHARING):
            raise Refused(
                f"not a key share of version {VERSION}", where="share", fix="bring the custodian's file"
            )
        try:
            share = cls(
                issuer=str(raw["issuer"]),
                custodian=str(raw["custodian"]),
                x=int(raw["x"]),
                secret=bytes.fromhex(raw["secret"]),
                check=str(raw["check"]),
                simulated=bool(raw["simulated"]),
            )
        except (KeyError, TypeError, ValueError):
            raise Refused("a damaged key share", where="share", fix="bring the custodian's file") from None
        if not 1 <= share.x <= 255 or len(share.secret) != 32:
            raise Refused("a damaged key share", where=f"share of {share.custodian}")
        return share


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyRecord:
    """Who made what, with check values: for the auditors' file. No secret is in it."""

    issuer: str
    date: str  # YYYY-MM-DD
    custodians: tuple[str, ...]
    needed: int
    wrapping_check: str
    roots: tuple[tuple[str, str], ...]  # (name, check value in hex)
    simulated: bool

    def as_dict(self) -> dict[str, Any]:
        return {
            "format": "jinka.ceremony",
            "version": VERSION,
            "issuer": self.issuer,
            "date": self.date,
            "custodians": list(self.custodians),
            "needed": self.needed,
            "sharing": SHARING,
            "cipher": CIPHER,
            "wrapping_check": self.wrapping_check,
            "roots": dict(self.roots),
            "simulated": self.simulated,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceremony:
    """What a ceremony leaves behind: the sealed store, a share for each custodian, and the record."""

    sealed: bytes = field(repr=False)
    shares: tuple[Share, ...]
    record: CeremonyRecord


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


def hold_ceremony(
    *, issuer: str, date: str, custodians: tuple[str, ...], randomness: Randomness, simulated: bool
) -> Ceremony:
    """Draw all roots, seal them, and split the wrapping key 2 of 3 among three different custodians."""
    if len(set(custodians)) != MADE or not all(custodians) or not issuer:
        raise Usage(f"{len(set(custodians))} custodians", where="ceremony", fix="an issuer and three names")
    roots = {name: randomness.token_bytes(_size(name)) for name in _names()}
    wrapping, nonce = randomness.token_bytes(32), randomness.token_bytes(12)
    check = wrapping_check(wrapping)
    header = _header(issuer, check, simulated)
    records = {name: KeyRecord(name=name, check=root_check(name, secret)) for name, secret in roots.items()}
    plain = _write_plain(KeyStore(issuer=issuer, simulated=simulated, roots=roots, records=records))
    blob = seal(wrapping, plain, context=json.dumps(header, sort_keys=True), nonce12=nonce)
    parts = split_secret(wrapping, needed=NEEDED, made=MADE, randomness=randomness)
    return Ceremony(
        sealed=json.dumps(header | {"sealed": blob.hex()}, sort_keys=True).encode() + b"\n",
        shares=tuple(
            Share(issuer=issuer, custodian=who, x=x, secret=part, check=check, simulated=simulated)
            for who, (x, part) in zip(custodians, parts, strict=True)
        ),
        record=CeremonyRecord(
            issuer=issuer,
            date=date,
            custodians=custodians,
            needed=NEEDED,
            wrapping_check=check,
            roots=tuple((str(name), record.check) for name, record in records.items()),
            simulated=simulated,
        ),
    )


def open_store(sealed: bytes, shares: list[Share]) -> KeyStore:
    """Join the shares and open the store.

    `Refused` when there are fewer than two different shares, when one is wrong or of another ceremony, or when the
    blob was changed.
    """
    header, blob = _read_blob(sealed)
    wrapping = _join(shares, header)
    plain = unseal(wrapping, blob, context=json.dumps(header, sort_keys=True))
    roots, records = {}, {}
    for row in json.loads(plain):
        record = KeyRecord(
            name=KeyName.parse(row["name"]),
            check=row["check"],
            state=KeyState(row["state"]),
            valid_from=row["from"],
            valid_to=row["to"],
        )
        records[record.name] = record
        if record.state is not KeyState.DESTROYED:
            roots[record.name] = bytes.fromhex(row["secret"])
    return KeyStore(issuer=header["issuer"], simulated=header["simulated"], roots=roots, records=records)


def wrapping_check(key: bytes) -> str:
    """The check value of a wrapping key, 4 bytes in hex: the left of HMAC-SHA256(key, name of the format)."""
    return hmac.digest(key, f"{FORMAT}/{VERSION} check value".encode(), "sha256")[:4].hex()


def root_check(name: KeyName, secret: bytes) -> str:
    """The check value of a root in hex: 3 bytes of the encryption of zeros, or of an HMAC for the sealing keys."""
    if name.algorithm in Algorithm.__members__:
        return check_value(Algorithm[name.algorithm], secret).hex()
    return hmac.digest(secret, b"check value", hashlib.sha256)[:3].hex()


def _write_plain(store: KeyStore) -> bytes:
    """What is sealed: each key with its line of the catalogue; of a destroyed key only the line."""
    rows = [
        {
            "name": str(name),
            "check": record.check,
            "state": record.state.value,
            "from": record.valid_from,
            "to": record.valid_to,
            "secret": store.roots[name].hex() if name in store.roots else "",
        }
        for name, record in store.records.items()
    ]
    return json.dumps(rows).encode()


def _names() -> list[KeyName]:
    cards = [
        KeyName(purpose=purpose, algorithm=algorithm.name, version=version)
        for purpose, last in _VERSIONS.items()
        for algorithm in Algorithm
        for version in range(1, last + 1)
    ]
    return cards + [KeyName(purpose=p, algorithm=a, version=1) for p, a in _SEALS]


def _size(name: KeyName) -> int:
    return 32 if name.algorithm in (HMAC, GCM) else 16


def _header(issuer: str, check: str, simulated: bool) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "cipher": CIPHER,
        "sharing": SHARING,
        "needed": NEEDED,
        "issuer": issuer,
        "check": check,
        "simulated": simulated,
    }


def _read_blob(sealed: bytes) -> tuple[dict[str, Any], bytes]:
    """The header, which the seal authenticates, and the sealed bytes."""
    try:
        header = json.loads(sealed if len(sealed) <= _BLOB_MAX else b"")
        blob = bytes.fromhex(header.pop("sealed"))
        wanted = _header(str(header["issuer"]), str(header["check"]), bool(header["simulated"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Refused("not a key store", where="key store", fix="restore the file") from None
    if header != wanted:
        raise Refused("a key store of another format or version", where="key store", fix="restore the file")
    return header, blob


def _join(shares: list[Share], header: dict[str, Any]) -> bytes:
    """The wrapping key; every share has to take part in a join that gives the recorded check value."""
    wrong = [
        share.custodian
        for share in shares
        if (share.issuer, share.check) != (header["issuer"], header["check"])
    ]
    if wrong:
        raise Refused(f"a share of another ceremony: {', '.join(wrong)}", where="key store")
    points = list({share.x: (share.x, share.secret) for share in shares}.values())
    if len(points) < NEEDED:
        raise Refused(f"{len(points)} of {NEEDED} shares", where="key store", fix="bring more custodians")
    first, *others = points
    keys = [join_shares([first, other], needed=NEEDED) for other in others]
    if any(not hmac.compare_digest(wrapping_check(key), header["check"]) for key in keys):
        raise Refused("the shares do not give the key", where="key store", fix="a share is wrong: try others")
    return keys[0]
