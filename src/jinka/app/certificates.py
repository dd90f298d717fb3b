"""`jinka certificate`: look at a certificate, judge it, and rehearse an authority whose certificates others can check.

The rehearsal makes a root and an issuing authority with fresh keys that live as long as the process, lets its officers
approve one request, and writes certificates and lists. Its key material is never written. It is for learning and for
interoperability tests; the officers are played.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.crypto import choose_sm2
from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_crl import RevocationList, read_list
from jinka.crypto.x509_fields import Constraints, KeyUsage, Purpose, Subject, organisation_tree
from jinka.crypto.x509_keys import KeyKind, Signer, Sm2Signer, SoftSigner, key_kind
from jinka.crypto.x509_path import Trust, check_path
from jinka.crypto.x509_request import build_request, read_request
from jinka.identity import (
    ROOT_PROFILES,
    Act,
    Addresses,
    CertificateAuthority,
    ProfileName,
    make_root,
)
from jinka.kit import NotFound, Randomness, Refused
from jinka.node import write_durable
from jinka.node.certificate_http import CertificateServer, StatusSite
from jinka.node.system import SystemClock, SystemRandomness

FILE_MAX = 16 * 1024 * 1024
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_CLERK, _OFFICERS = "rehearsal.clerk", ("rehearsal.first", "rehearsal.second", "rehearsal.third")
_NAME = Subject(
    common_name="centre.rehearsal", organisation="Jinka rehearsal", organisation_code="91350100M000100Y43"
)
_DNS = "centre.example"
_ROOT_DAYS, _LIST_DAYS = 20 * 365, 7


def read_certificates(path: Path) -> tuple[Certificate, ...]:
    """All certificates of a file, PEM or DER; raises `Refused` or `NotFound`."""
    return tuple(map(read_certificate, read_ders(path)))


def describe(certificate: Certificate) -> dict[str, Any]:
    """What a certificate says, as plain values."""
    return {
        "name": certificate.common_name,
        "organisation": certificate.organisation,
        "organisation_code": certificate.organisation_code,
        "serial": f"{certificate.serial:x}",
        "key": key_kind(certificate.public_der).name,
        "from": certificate.not_before.isoformat(),
        "until": certificate.not_after.isoformat(),
        "authority": certificate.authority,
        "usages": sorted(usage.value for usage in certificate.usages),
        "purposes": sorted(certificate.purposes),
        "dns_names": list(certificate.dns_names),
    }


def judge(
    leaf: Path,
    *,
    anchors: Sequence[Path],
    authorities: Sequence[Path],
    lists: Sequence[Path],
    at: dt.datetime | None,
    usage: KeyUsage,
    purpose: Purpose | None,
    dns_name: str,
) -> list[str]:
    """The names on the path from a certificate to its anchor; raises `Refused`. Without ``lists`` none is asked."""
    trust = Trust(
        anchors=tuple(found for path in anchors for found in read_certificates(path)),
        lists=tuple(found for path in lists for found in _lists(path)) if lists else None,
    )
    sent = [found for path in authorities for found in read_certificates(path)]
    first, *more = read_certificates(leaf)
    moment = at or dt.datetime.now(dt.UTC)
    path = check_path(first, [*more, *sent], trust, moment, usage=usage, purpose=purpose, dns_name=dns_name)
    return [found.common_name for found in path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A played authority and what it wrote."""

    files: tuple[str, ...]
    site: StatusSite

    def server(self, port: int) -> CertificateServer:
        """OCSP and the list over HTTP, on this machine only."""
        return CertificateServer(self.site, port=port)


def rehearse(folder: Path, *, kind: KeyKind, request: Path | None, port: int) -> Rehearsal:
    """Make the authorities, certify the request (or a fresh key), and write certificates and lists into ``folder``."""
    randomness, at = SystemRandomness(), dt.datetime.now(dt.UTC).replace(microsecond=0)
    top, middle = _signer(kind, randomness), _signer(kind, randomness)
    asked = read_ders(request)[0] if request else build_request(_NAME, _signer(kind, randomness), (_DNS,))
    wish = read_request(asked)
    root = make_root(
        Subject(common_name="rehearsal root", organisation="Jinka"),
        top,
        1,
        at,
        at + dt.timedelta(days=_ROOT_DAYS),
    )
    officers = frozenset((_CLERK, *_OFFICERS))
    above = CertificateAuthority(root, top, randomness, officers, ROOT_PROFILES)
    own = Subject(
        common_name="rehearsal authority",
        organisation=_NAME.organisation,
        organisation_code=_NAME.organisation_code,
    )
    limits = Constraints(permitted_trees=(organisation_tree(wish.subject.organisation or own.organisation),))
    issuing = read_certificate(
        _certified(above, ProfileName.AUTHORITY, build_request(own, middle), at, limits)
    )
    base = f"http://127.0.0.1:{port}/"
    addresses = Addresses(crl_url=f"{base}issuing.crl", ocsp_url=base) if port else None
    authority = CertificateAuthority(issuing, middle, randomness, officers, addresses=addresses)
    leaf = _certified(authority, ProfileName.CENTRE, asked, at)
    end = at + dt.timedelta(days=_LIST_DAYS)
    lists = {"root.crl": above.complete_list(at, end), "issuing.crl": authority.complete_list(at, end)}
    certificates = {"root.pem": root.der, "issuing.pem": issuing.der, "centre.pem": leaf}
    written = {name: as_pem(der) for name, der in certificates.items()} | lists
    for name, content in written.items():
        write_durable(folder / name, content)
    site = StatusSite(authority, SystemClock(), threading.Lock())
    for name, raw in lists.items():
        site.publish(f"/{name}", raw)
    return Rehearsal(files=tuple(str(folder / name) for name in written), site=site)


def _certified(
    authority: CertificateAuthority,
    profile: ProfileName,
    request: bytes,
    at: dt.datetime,
    constraints: Constraints | None = None,
) -> bytes:
    """The played officers' part."""
    first, second, third = _OFFICERS
    name = authority.submit(profile, request, _CLERK, at, constraints=constraints).id
    authority.act(name, Act.APPROVE, first, at)
    authority.act(name, Act.APPROVE, second, at)
    return authority.issue(name, third, at).certificate


def _signer(kind: KeyKind, randomness: Randomness) -> Signer:
    if kind is KeyKind.SM2:
        return Sm2Signer.generate(randomness, choose_sm2(randomness))
    return SoftSigner.generate(kind)


def _lists(path: Path) -> tuple[RevocationList, ...]:
    return tuple(map(read_list, read_ders(path)))


def read_ders(path: Path) -> list[bytes]:
    """The DER values in a file: PEM blocks, or the file as it is."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    if path.stat().st_size > FILE_MAX:
        raise Refused(f"larger than {FILE_MAX} bytes", where=str(path))
    raw = path.read_bytes()
    blocks = _PEM.findall(raw)
    try:
        return [base64.b64decode(b"".join(body.split()), validate=True) for _, body in blocks] or [raw]
    except binascii.Error:
        raise Refused("not base64 between BEGIN and END", where=str(path)) from None


def as_pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    """PEM (RFC 7468)."""
    frame = (f"-----{word} {label}-----\n".encode() for word in ("BEGIN", "END"))
    text = base64.b64encode(der)
    lines = b"".join(text[at : at + 64] + b"\n" for at in range(0, len(text), 64))
    return lines.join(frame)
