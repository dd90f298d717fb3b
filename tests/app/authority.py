"""A root and an issuing authority in folders, made as `jinka certificate` makes them, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinka.app.authority_folder import AuthorityFolder, Plan, init, install, pem_of
from jinka.app.authority_office import Office
from jinka.app.certificates import as_pem
from jinka.crypto.x509_certificate import Certificate
from jinka.crypto.x509_fields import Constraints, Subject, organisation_tree
from jinka.crypto.x509_keys import KeyKind
from jinka.crypto.x509_request import build_request
from jinka.identity import Act, Addresses, Application, Issued, ProfileName
from tests.crypto.x509_rig import CITY, signer
from tests.identity.rig import CLERK, FIRST, OFFICERS, SECOND, THIRD, subject

CUSTODIANS = ("Li", "Wu", "He")


def plan(kind: KeyKind, *, root: bool, officers: tuple[str, ...] = tuple(sorted(OFFICERS))) -> Plan:
    name = Subject(common_name="国家根", organisation="金卡") if root else subject("深圳发证")
    return Plan(
        subject=name,
        kind=kind,
        root=root,
        custodians=CUSTODIANS,
        needed=2,
        officers=officers,
        addresses=Addresses(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """Both folders, the issuing one certified by the root."""

    root: Path
    issuing: Path
    kind: KeyKind

    @property
    def root_certificate(self) -> Certificate:
        return AuthorityFolder(self.root).certificate()

    @property
    def certificate(self) -> Certificate:
        return AuthorityFolder(self.issuing).certificate()


def make_authorities(folder: Path, kind: KeyKind) -> Authorities:
    root, issuing = folder / "root", folder / "issuing"
    init(root, plan(kind, root=True))
    init(issuing, plan(kind, root=False))
    limits = Constraints(permitted_dns=("sz.example",), permitted_trees=(organisation_tree(CITY),))
    with Office(root) as office:
        request = pem_of(AuthorityFolder(issuing).request)
        name = office.apply(ProfileName.AUTHORITY, request, officer=CLERK, constraints=limits).id.hex()
        issued = approve_and_issue(office, name)
    (folder / "issued.pem").write_bytes(as_pem(issued.certificate))
    install(issuing, folder / "issued.pem", root / "authority.pem", CLERK)
    return Authorities(root=root, issuing=issuing, kind=kind)


def submit(
    office: Office, profile: ProfileName, key: int, kind: KeyKind, who: str = "深圳市某公司"
) -> Application:
    return office.apply(profile, build_request(subject(who), signer(kind, key)), officer=CLERK)


def approve_and_issue(office: Office, name: str) -> Issued:
    for officer in (FIRST, SECOND):
        office.act(name, Act.APPROVE, officer=officer)
    with office.folder.unlocked() as key:
        return office.issue(name, officer=THIRD, key=key)[1]
