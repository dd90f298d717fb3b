"""The folder of a certification authority: its key under custodians' shares, its certificate, its books, its log.

::

    authority.json          which authority it is; written last by init
    authority.pem           its certificate; an issuing authority installs it when its root has signed
    above.pem               those who certified it, up to the root
    request.pem             an issuing authority's request to its root
    authority.sqlite        applications, acts, certificates, lists, escrowed keys, officers
    audit.jsonl             one entry for each act of an officer
    audit-serve.jsonl       one entry for each request of a machine (`jinka certificate serve`)
    machines.json           who may enrol over EST: digests of drawn secrets
    keys/, custodians/      its key pair and sealing keys, and the custodians' shares (`jinka keys`)

The key pair lies in a key store and signs behind the verbs of a key service: in process, opened with shares, or in a
process of its own (`jinka keys serve` on this folder), with a token behind it where one is configured. A root and an
issuing authority are folders of the same form, on machines of their own; requests and certificates are all that travels
between them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, cast

from jinka.app.certificates import as_pem, read_certificates, read_ders
from jinka.app.key_acts import Asked, hold
from jinka.app.key_folder import KeyFolder
from jinka.app.keyring import open_keys
from jinka.crypto.x509_certificate import Certificate
from jinka.crypto.x509_fields import KeyUsage, Subject
from jinka.crypto.x509_keys import KeyKind, Signer
from jinka.crypto.x509_path import Trust, check_path
from jinka.crypto.x509_request import build_request, read_request
from jinka.identity import ISSUING_PROFILES, ROOT_PROFILES, Addresses, ProfileName, Seal, make_root
from jinka.identity.application import check_person, same_person
from jinka.keys import AuditEvent, KeyName, Purpose, SoftKeyService
from jinka.keys.ceremony import SEALING
from jinka.keys.provider import KeyKind as Kind
from jinka.keys.signing import ServiceSigner
from jinka.kit import Clock, NotFound, Refused, Usage
from jinka.node import AuditLog, write_durable
from jinka.node.key_socket import connect_unix
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import authority_in, database_at

FORMAT = "jinka.authority"
ROOT_DAYS = 20 * 365
OFFICERS_MIN = 3  # who asks, and two others who approve
CALLER = "authority"  # the name by which it comes to a key service in another process
_KINDS = {KeyKind.RSA: Kind.RSA, KeyKind.ECDSA: Kind.P256, KeyKind.SM2: Kind.SM2}
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


class _Keys(Protocol):
    """What an authority asks of a key service."""

    def sign(self, message: bytes, *, key: str) -> bytes: ...

    def public_key(self, *, key: str) -> bytes: ...

    def seal_image(self, plain: bytes, *, context: str) -> bytes: ...

    def open_image(self, blob: bytes, *, context: str) -> bytes: ...

    def close(self) -> None: ...


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

    def origin(self, log: str = "audit") -> str:
        """The name of a log."""
        return f"certificates/{self.read()['check']}" + f"/{log}" * (log != "audit")

    @contextmanager
    def unlocked(self, shares: Sequence[Path] = (), socket: Path | None = None) -> Iterator[OpenedKey]:
        """The key, in a key service that custodians' shares open, or in the one at ``socket``; raises `Refused`.

        Without ``shares``, those that lie in the folder open it.
        """
        described = self.read()
        if socket is None:
            keys: _Keys = _open(KeyFolder(self.folder), shares)
        else:
            keys = cast(_Keys, connect_unix(socket, caller=CALLER))
        try:
            signer = ServiceSigner(service=keys, key=described["key"])
            if _check(signer.public_der) != described["check"]:
                raise Refused(
                    "another authority's key", where=str(self.folder), fix="name its own key service"
                )
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
    name = KeyName(purpose=Purpose.SIGN, algorithm=_KINDS[plan.kind].value, version=1)
    places = tuple(room.place(text) for text in plan.custodians)
    asked = Asked(
        issuer=f"authority.{SystemRandomness().token_bytes(4).hex()}",
        places=places,
        needed=plan.needed,
        date=at.date().isoformat(),
        names=(*SEALING, name),
    )
    hold(room, asked)
    keys = _open(room, [place.share_file(room.minutes()[-1].wrapping) for place in places])
    try:
        public_der = _certify_self(office, plan, ServiceSigner(service=keys, key=str(name)), at)
    finally:
        keys.close()
    check = _check(public_der)
    names = ", ".join(place.custodian for place in places)
    founders = (places[0].custodian, places[1].custodian)
    with AuditLog(office.audit(), origin=f"certificates/{check}", clock=clock) as log:
        digest = hashlib.sha256(public_der).digest()
        log.record(
            AuditEvent(actor=names, act="certificate.init", subject=f"authority:{check}", detail=digest)
        )
        with database_at(office.database) as engine, authority_in(engine) as tables:
            for officer in plan.officers:
                tables.officers.put(officer, founders, at, admitted=True)
    office.database.chmod(0o600)
    kind = "root" if plan.root else "issuing"
    described = {"format": FORMAT, "kind": kind, "check": check, "key": str(name)}
    body = json.dumps(described | asdict(plan.addresses), indent=2)
    write_durable(office.description, body.encode() + b"\n")
    return office


def _certify_self(office: AuthorityFolder, plan: Plan, signer: Signer, at: dt.datetime) -> bytes:
    """A root's own certificate, or an issuing authority's request; the public key (DER)."""
    if plan.root:
        serial = int.from_bytes(SystemRandomness().token_bytes(16), "big") or 1
        own = make_root(plan.subject, signer, serial, at, at + dt.timedelta(days=ROOT_DAYS))
        write_durable(office.own, as_pem(own.der))
    else:
        request = as_pem(build_request(plan.subject, signer), "CERTIFICATE REQUEST")
        write_durable(office.request, request)
    return signer.public_der


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


def _open(room: KeyFolder, shares: Sequence[Path]) -> SoftKeyService:
    return open_keys(room.workspace, _REGION, share_files=shares)
