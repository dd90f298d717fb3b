"""The folder of a certification authority: its key under custodians' shares, its certificate, its books, its log.

::

    authority.json          which authority it is; written last by init
    authority.key.sealed    its private key, sealed by the key service of this folder
    authority.pem           its certificate; an issuing authority installs it when its root has signed
    above.pem               those who certified it, up to the root
    request.pem             an issuing authority's request to its root
    authority.sqlite        applications, acts, certificates, lists, escrowed keys, officers
    audit.jsonl             one entry for each act of an officer
    audit-serve.jsonl       one entry for each request of a machine (`jinka certificate serve`)
    machines.json           who may enrol over EST: digests of drawn secrets
    keys/, custodians/      the sealing keys and the custodians' shares (`jinka keys`)

A root and an issuing authority are folders of the same form, on machines of their own; requests and certificates are
all that travels between them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from jinka.app.certificates import as_pem, read_certificates, read_ders
from jinka.app.key_acts import Asked, hold
from jinka.app.key_folder import KeyFolder
from jinka.app.keyring import open_keys
from jinka.crypto import choose_sm2
from jinka.crypto.x509_certificate import Certificate
from jinka.crypto.x509_fields import KeyUsage, Subject
from jinka.crypto.x509_keys import KeyKind, Signer
from jinka.crypto.x509_path import Trust, check_path
from jinka.crypto.x509_private import new_signer, private_der, read_private
from jinka.crypto.x509_request import build_request, read_request
from jinka.identity import ISSUING_PROFILES, ROOT_PROFILES, Addresses, ProfileName, Seal, make_root
from jinka.identity.application import check_person, same_person
from jinka.keys import AuditEvent
from jinka.keys.ceremony import SEALING
from jinka.kit import Clock, NotFound, Refused, Usage
from jinka.node import AuditLog, file_errors, write_durable
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import authority_in, database_at

FORMAT = "jinka.authority"
ROOT_DAYS = 20 * 365
OFFICERS_MIN = 3  # who asks, and two others who approve
_REGION = "440300"  # a key service asks for one; no purchase key is here


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An authority as it was asked for."""

    subject: Subject
    kind: KeyKind
    root: bool
    custodians: tuple[str, ...]  # NAME or NAME=PATH
    needed: int
    officers: tuple[str, ...]
    addresses: Addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedKey:
    """An authority's key and its seal, for as long as the shares are here."""

    signer: Signer
    seal: Seal


class AuthorityFolder:
    """Paths, and what is read from them. It opens nothing by itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.description = folder / "authority.json"
        self.sealed_key = folder / "authority.key.sealed"
        self.own = folder / "authority.pem"
        self.above_file = folder / "above.pem"
        self.request = folder / "request.pem"
        self.database = folder / "authority.sqlite"
        self.machines = folder / "machines.json"

    def audit(self, name: str = "audit") -> Path:
        """A log of this folder."""
        return self.folder / f"{name}.jsonl"

    def certificate(self) -> Certificate:
        """The authority's own certificate; raises `NotFound` before it is installed."""
        self.read()
        if not self.own.exists():
            raise NotFound(
                "no certificate yet", where=str(self.own), fix="have a root sign request.pem, then install"
            )
        return read_certificates(self.own)[0]

    def above(self) -> tuple[Certificate, ...]:
        """Those who certified it, up to the root."""
        return read_certificates(self.above_file) if self.above_file.exists() else ()

    def read(self) -> dict[str, str]:
        """What ``authority.json`` says; raises `NotFound` and `Refused`."""
        if not self.description.exists():
            raise NotFound(
                "no authority is here", where=str(self.folder), fix="jinka certificate init makes one"
            )
        try:
            found = json.loads(self.description.read_bytes())
            if found.pop("format") != FORMAT or not all(isinstance(text, str) for text in found.values()):
                raise ValueError
        except (ValueError, KeyError, AttributeError):
            raise Refused("damaged", where=str(self.description), fix="restore the file") from None
        return dict(found)

    def profiles(self) -> frozenset[ProfileName]:
        """What it issues."""
        return ROOT_PROFILES if self.read()["kind"] == "root" else ISSUING_PROFILES

    def addresses(self) -> Addresses:
        """What it writes into certificates."""
        found = self.read()
        return Addresses(crl_url=found["crl_url"], ocsp_url=found["ocsp_url"])

    def origin(self) -> str:
        """The name of its logs."""
        return f"certificates/{self.read()['check']}"

    @contextmanager
    def unlocked(self, shares: Sequence[Path] = ()) -> Iterator[OpenedKey]:
        """The key, opened with custodians' shares; those in the folder by default. Raises `Refused`."""
        check = self.read()["check"]
        keys = open_keys(KeyFolder(self.folder).workspace, _REGION, share_files=shares)
        try:
            with file_errors(self.sealed_key):
                blob = self.sealed_key.read_bytes()
            raw = keys.open_image(blob, context=_context(check))
            signer = read_private(raw, choose_sm2(SystemRandomness()))
            if _check(signer.public_der) != check:
                raise Refused("another authority's key", where=str(self.sealed_key), fix="restore the file")
            yield OpenedKey(signer=signer, seal=keys)
        finally:
            keys.close()


def init(folder: Path, plan: Plan, clock: Clock | None = None) -> AuthorityFolder:
    """Make an authority: custodians' shares, the sealed key, the officers, and a root's certificate or a request."""
    clock = clock or SystemClock()
    office, room, at = AuthorityFolder(folder), KeyFolder(folder), utc_now(clock)
    _check_people(plan.officers)
    plan.subject.to_name()
    if office.description.exists():
        raise Refused("an authority is here already", where=str(folder), fix="name another folder")
    signer = new_signer(plan.kind, SystemRandomness())
    check = _check(signer.public_der)
    places = tuple(room.place(text) for text in plan.custodians)
    hold(
        room,
        Asked(
            issuer=f"authority.{check}",
            places=places,
            needed=plan.needed,
            date=at.date().isoformat(),
            names=SEALING,
        ),
    )
    files = [place.share_file(room.minutes()[-1].wrapping) for place in places]
    keys = open_keys(room.workspace, _REGION, share_files=files)
    try:
        sealed = keys.seal_image(private_der(signer), context=_context(check))
    finally:
        keys.close()
    write_durable(office.sealed_key, sealed, private=True)
    if plan.root:
        serial = int.from_bytes(SystemRandomness().token_bytes(16), "big") or 1
        own = make_root(plan.subject, signer, serial, at, at + dt.timedelta(days=ROOT_DAYS))
        write_durable(office.own, as_pem(own.der))
    else:
        request = as_pem(build_request(plan.subject, signer), "CERTIFICATE REQUEST")
        write_durable(office.request, request)
    names = ", ".join(place.custodian for place in places)
    founders = (places[0].custodian, places[1].custodian)
    with AuditLog(office.audit(), origin=f"certificates/{check}", clock=clock) as log:
        digest = hashlib.sha256(signer.public_der).digest()
        log.record(
            AuditEvent(actor=names, act="certificate.init", subject=f"authority:{check}", detail=digest)
        )
        with database_at(office.database) as engine, authority_in(engine) as tables:
            for officer in plan.officers:
                tables.officers.put(officer, founders, at, admitted=True)
    office.database.chmod(0o600)
    described = {"format": FORMAT, "kind": "root" if plan.root else "issuing", "check": check}
    body = json.dumps(described | asdict(plan.addresses), indent=2)
    write_durable(office.description, body.encode() + b"\n")
    return office


def install(folder: Path, certificate: Path, above: Path, officer: str, clock: Clock | None = None) -> None:
    """Take in what the root signed for this authority's request; raises `Refused` when it is anything else."""
    office, clock = AuthorityFolder(folder), clock or SystemClock()
    office.read()
    asked = read_request(pem_of(office.request))
    found, higher = read_certificates(certificate)[0], read_certificates(above)
    if not found.authority or found.public_der != asked.public_der:
        raise Refused("it does not certify this authority's key", where=str(certificate))
    if office.own.exists():
        raise Refused(
            "a certificate is installed already", where=str(office.own), fix="begin a new authority"
        )
    trust = Trust(anchors=tuple(one for one in higher if one.issuer == one.subject))
    check_path(found, higher, trust, utc_now(clock), usage=KeyUsage.CERTIFICATES)
    with AuditLog(office.audit(), origin=office.origin(), clock=clock) as log:
        with database_at(office.database) as engine, authority_in(engine) as tables:
            if officer not in tables.officers.names():
                raise Refused("not an officer of this authority", where="officer")
        digest = hashlib.sha256(found.der).digest()
        subject = f"certificate:{found.serial:x}"
        log.record(AuditEvent(actor=officer, act="certificate.install", subject=subject, detail=digest))
        write_durable(office.above_file, b"".join(as_pem(one.der) for one in higher))
        write_durable(office.own, as_pem(found.der))


def pem_of(path: Path) -> bytes:
    """The one DER value of a PEM or DER file."""
    return read_ders(path)[0]


def utc_now(clock: Clock) -> dt.datetime:
    """Whole seconds, as certificates have them."""
    return dt.datetime.fromtimestamp(clock.now_micros() // 1_000_000, dt.UTC)


def _check_people(officers: Sequence[str]) -> None:
    for officer in officers:
        check_person(officer)
    twice = any(same_person(a, b) for at, a in enumerate(officers) for b in officers[:at])
    if twice or len(officers) < OFFICERS_MIN:
        raise Usage(
            "one person twice" if twice else f"{len(officers)} officers",
            where="--officer",
            fix=f"at least {OFFICERS_MIN} different people: one asks, two others approve",
        )


def _check(public_der: bytes) -> str:
    """Which key it is, in 8 hexadecimal digits."""
    return hashlib.sha256(public_der).hexdigest()[:8]


def _context(check: str) -> str:
    return f"private key of the authority {check}"
