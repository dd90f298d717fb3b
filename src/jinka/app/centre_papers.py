"""The certificates of a centre on the line between centres, and an authority that is played to give them out.

::

    line/tls.key     the private key of its TLS certificate, which its owner alone can read; tls.next.key is the one
                     that takes its place, from a request for renewal until the answer is installed
    line/tls.csr     request for that certificate: profile ``centre``, common name the centre's code, its DNS name
    line/sign.csr    request for its signing certificate: profile ``organisation``; the key is the key service's
    line/tls.pem     the certificates that came back, each with those above it
    line/sign.pem
    line/above.pem   whom the line believes: the line's authority and its root
    line/crl.pem     their revocation lists; without the file none is asked

One authority serves the whole line, and no other subject: the root centre's officers run it (`jinka certificate`, two
approve what a third asked for), and they are who says that a code is a centre's. A parent that certified its own
children would let each province make up centres. Two certificates, because who speaks for a centre on the wire is not
who answers for its parcels: a TLS key lies in a file, a signing key behind the key service; the first signs no parcel.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from jinka.app.certificates import as_pem, read_certificates, read_ders
from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_crl import Reason, read_list
from jinka.crypto.x509_fields import Constraints, KeyUsage, Purpose, Subject
from jinka.crypto.x509_keys import KeyKind, Signer, SoftSigner
from jinka.crypto.x509_path import Trust, check_path
from jinka.crypto.x509_private import new_signer, private_der, read_private
from jinka.crypto.x509_request import build_request, read_request
from jinka.identity import ROOT_PROFILES, Act, CertificateAuthority, ProfileName, make_root
from jinka.kit import NotFound, Randomness, Refused
from jinka.node import file_errors, write_durable
from jinka.node.files import flush_folder
from jinka.node.switch_tls import LineTls
from jinka.node.system import SystemRandomness

_REQUEST, _PRIVATE = "CERTIFICATE REQUEST", "PRIVATE KEY"
_PLAYED = Subject(
    common_name="line authority (played)", organisation="Jinka", organisation_code="91350100M000100Y43"
)
_CLERK, _OFFICERS = "played.clerk", ("played.first", "played.second", "played.third")
_ROOT_DAYS, _LIST_DAYS = 3650, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreName:
    """What a centre's certificates say of it. ``dns_name`` is the host in the address at which others reach it."""

    code: str
    organisation: str
    organisation_code: str
    dns_name: str

    @property
    def subject(self) -> Subject:
        """The subject of both certificates."""
        return Subject(
            common_name=self.code, organisation=self.organisation, organisation_code=self.organisation_code
        )


class LinePapers:
    """Paths in a centre's folder, and what is read from them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "line"
        self.tls_key, self.tls_request = self.folder / "tls.key", self.folder / "tls.csr"
        self.next_key = self.folder / "tls.next.key"
        self.sign_request = self.folder / "sign.csr"
        self.tls, self.sign = self.folder / "tls.pem", self.folder / "sign.pem"
        self.above, self.crl = self.folder / "above.pem", self.folder / "crl.pem"
        self._trusted: tuple[tuple[int, ...], Trust] | None = None

    def line_tls(self) -> LineTls:
        """TLS for both directions; raises `NotFound` before the certificates are installed."""
        self.require()
        return LineTls(
            certificate=self.tls, key=self.tls_key, authority=self.above, name="",
            crl=self.crl if self.crl.exists() else None,
        )  # fmt: skip

    def signing_certificates(self) -> tuple[Certificate, ...]:
        """The signing certificate and those above it that are no anchors."""
        self.require()
        return read_certificates(self.sign)

    def trust(self) -> Trust:
        """Whom the line believes, with the lists as they are now."""
        self.require()
        state = tuple(
            number
            for path in (self.above, self.crl)
            if path.exists()
            for number in (path.stat().st_ino, path.stat().st_mtime_ns, path.stat().st_size)
        )
        if self._trusted is None or self._trusted[0] != state:
            self._trusted = (state, _trust(self.above, self.crl))
        return self._trusted[1]

    def require(self) -> None:
        """Raise `NotFound` unless the certificates are here."""
        for path in (self.tls, self.sign, self.above):
            if not path.exists():
                fix = "have the line's authority certify the requests, then install what it issued"
                raise NotFound("no certificate yet", where=str(path), fix=fix)


def request_line(
    folder: Path,
    name: CentreName,
    signer: Signer,
    randomness: Randomness | None = None,
    *,
    renew: bool = False,
) -> LinePapers:
    """Write the centre's TLS key and both requests; a key that is there stays. ``signer`` is its signing key.

    To ``renew``, a new TLS key is asked for beside the one in use, which stays until the answer is installed.
    """
    papers, randomness = LinePapers(folder), randomness or SystemRandomness()
    key = papers.next_key if renew and papers.tls_key.exists() else papers.tls_key
    with file_errors(papers.folder):
        if not key.exists():
            fresh = new_signer(KeyKind.ECDSA, randomness)
            write_durable(key, as_pem(private_der(fresh), _PRIVATE), private=True)
        tls = build_request(name.subject, _read_key(key), (name.dns_name,))
        write_durable(papers.tls_request, as_pem(tls, _REQUEST))
        write_durable(papers.sign_request, as_pem(build_request(name.subject, signer), _REQUEST))
    return papers


def install_line(
    folder: Path, *, tls: Path, sign: Path, above: Path, lists: Path | None = None, at: dt.datetime
) -> None:
    """Take in what the line's authority issued for the requests here; raises `Refused` when it is anything else."""
    papers = LinePapers(folder)
    anchors = read_certificates(above)
    if not all(one.authority for one in anchors):
        raise Refused("a certificate of no authority is among those to believe", where=str(above))
    trust = Trust(anchors=anchors, lists=tuple(map(read_list, read_ders(lists))) if lists else None)
    found = {"tls": read_certificates(tls), "sign": read_certificates(sign)}
    requests = {"tls": papers.tls_request, "sign": papers.sign_request}
    codes = set()
    for name, (leaf, *higher) in found.items():
        asked = read_request(read_ders(requests[name])[0])
        if leaf.public_der != asked.public_der:
            raise Refused("it certifies another key than was asked for", where=name)
        usage = KeyUsage.COMMITMENT if name == "sign" else KeyUsage.SIGNATURE
        purposes: tuple[Purpose | None, ...] = (None,) if name == "sign" else (Purpose.CLIENT, Purpose.SERVER)
        for purpose in purposes:
            check_path(leaf, higher, trust, at, usage=usage, purpose=purpose)
        codes.add(leaf.common_name)
    if len(codes) != 1:
        raise Refused(
            f"two names: {', '.join(sorted(codes))}", where="certificates", fix="one centre, one code"
        )
    if KeyUsage.COMMITMENT in found["tls"][0].usages:
        raise Refused("the TLS certificate could sign parcels", where="tls", fix="profile centre")
    write_durable(papers.above, b"".join(as_pem(one.der) for one in anchors))
    if lists:
        write_durable(papers.crl, lists.read_bytes())
    write_durable(papers.sign, b"".join(as_pem(one.der) for one in found["sign"]))
    write_durable(papers.tls, b"".join(as_pem(one.der) for one in found["tls"]))
    if papers.next_key.exists() and _read_key(papers.next_key).public_der == found["tls"][0].public_der:
        papers.next_key.replace(papers.tls_key)  # a kill before it: install again
        flush_folder(papers.folder)


class PlayedAuthority:
    """The line's authority for a demonstration or a test: its officers are played, its keys die with the process."""

    def __init__(self, at: dt.datetime, randomness: Randomness | None = None) -> None:
        randomness, self._at = randomness or SystemRandomness(), at.replace(microsecond=0)
        top, middle = (SoftSigner.generate(KeyKind.ECDSA) for _ in range(2))
        start, end = self._at - dt.timedelta(days=1), self._at + dt.timedelta(days=_ROOT_DAYS)
        name = Subject(common_name="line root (played)", organisation="Jinka")
        root = make_root(name, top, 1, start, end)
        officers = frozenset((_CLERK, *_OFFICERS))
        above = CertificateAuthority(root, top, randomness, officers, ROOT_PROFILES)
        limits = Constraints(permitted_dns=("localhost", "jinka.invalid"))
        wish = build_request(_PLAYED, middle)
        self.root, self._root_office = root, above
        self.issuing = read_certificate(self._issue(above, ProfileName.AUTHORITY, wish, limits))
        self._office = CertificateAuthority(self.issuing, middle, randomness, officers)

    def tls_certificate(self, papers: LinePapers) -> bytes:
        """What a centre's request for TLS is answered with, in PEM with the authority's own certificate."""
        leaf = self._issue(self._office, ProfileName.CENTRE, read_ders(papers.tls_request)[0])
        return as_pem(leaf) + as_pem(self.issuing.der)

    def certify(self, papers: LinePapers) -> None:
        """Issue what a centre's requests ask for, and install it there."""
        issued = papers.folder / "issued"
        higher = as_pem(self.issuing.der)
        signing = self._issue(self._office, ProfileName.ORGANISATION, read_ders(papers.sign_request)[0])
        above = issued / "above.pem"
        write_durable(issued / "tls.pem", self.tls_certificate(papers))
        write_durable(issued / "sign.pem", as_pem(signing) + higher)
        write_durable(above, higher + as_pem(self.root.der))
        install_line(
            papers.folder.parent, tls=issued / "tls.pem", sign=issued / "sign.pem", above=above, at=self._at
        )

    def revoke(self, papers: LinePapers, reason: Reason = Reason.KEY_COMPROMISE) -> None:
        """Revoke both certificates of a centre."""
        for path in (papers.tls, papers.sign):
            application = self._office.application_with(read_ders(path)[0])
            self._office.act(application.id, Act.REVOKE, _OFFICERS[0], self._at, reason=reason)

    def lists(self) -> bytes:
        """The revocation lists of the authority and its root, in PEM."""
        end = self._at + dt.timedelta(days=_LIST_DAYS)
        offices = (self._office, self._root_office)
        return b"".join(as_pem(office.complete_list(self._at, end), "X509 CRL") for office in offices)

    def _issue(
        self,
        office: CertificateAuthority,
        profile: ProfileName,
        request: bytes,
        constraints: Constraints | None = None,
    ) -> bytes:
        name = office.submit(profile, request, _CLERK, self._at, constraints=constraints).id
        for officer in _OFFICERS[:2]:
            office.act(name, Act.APPROVE, officer, self._at)
        return office.issue(name, _OFFICERS[2], self._at).certificate


def _read_key(path: Path) -> Signer:
    return read_private(read_ders(path)[0], choose_sm2(SystemRandomness()))


def _trust(above: Path, crl: Path) -> Trust:
    lists = tuple(map(read_list, read_ders(crl))) if crl.exists() else None
    return Trust(anchors=read_certificates(above), lists=lists)
