"""A line whose papers come from officers. Goal: what `jinka certificate` issues is what a centre takes in.

Method: a real root and issuing authority in folders, two approvals for each request; a parent that signs with SM2 and a
child that signs with P-256 exchange parcels; then the officers revoke the child, and their list ends it.
"""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from pathlib import Path

import pytest

from jinka.app.authority_folder import AuthorityFolder, init, install, pem_of
from jinka.app.authority_office import Office
from jinka.app.centre_line import open_desk, open_door
from jinka.app.centre_papers import CentreName, LinePapers, install_line, request_line
from jinka.app.certificates import as_pem
from jinka.clearing.verdicts import VERDICTS
from jinka.codec.parcel import Kind
from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.crypto.x509_crl import Reason
from jinka.crypto.x509_fields import Constraints
from jinka.crypto.x509_keys import KeyKind, Signer, Sm2Signer, SoftSigner
from jinka.identity import Act, ProfileName
from jinka.kit import Refused
from jinka.node.parcel_client import ParcelClient, Parent
from jinka.node.parcel_desk import OutgoingFile, ParcelDesk
from jinka.node.system import SystemRandomness
from tests.app.authority import approve_and_issue, plan
from tests.identity.rig import CLERK, FIRST, THIRD
from tests.parcels import CITY, CODE, DAY, PARENT, empty_database

EMPTY = OutgoingFile(name="verdicts.parquet", schema="jinka.verdicts/1", rows=VERDICTS.empty_table())


class Officers:
    """The root centre's authority, and what its officers did."""

    def __init__(self, folder: Path) -> None:
        self.root, self.issuing, self.made = folder / "root", folder / "issuing", dict[str, str]()
        for place, top in ((self.root, True), (self.issuing, False)):
            init(place, plan(KeyKind.ECDSA, root=top))
        request = pem_of(AuthorityFolder(self.issuing).request)
        with Office(self.root) as office:
            limits = Constraints(permitted_dns=("localhost",))
            asked = office.apply(ProfileName.AUTHORITY, request, officer=CLERK, constraints=limits)
            issued = approve_and_issue(office, asked.id.hex())
        (folder / "issued.pem").write_bytes(as_pem(issued.certificate))
        install(self.issuing, folder / "issued.pem", self.root / "authority.pem", CLERK)
        self.above = folder / "above.pem"
        self.above.write_bytes(
            (folder / "issued.pem").read_bytes() + (self.root / "authority.pem").read_bytes()
        )

    def certify(self, papers: LinePapers) -> None:
        files = {}
        for name, request, profile in (
            ("tls", papers.tls_request, ProfileName.CENTRE),
            ("sign", papers.sign_request, ProfileName.ORGANISATION),
        ):
            with Office(self.issuing) as office:
                asked = office.apply(profile, pem_of(request), officer=CLERK)
                issued = approve_and_issue(office, asked.id.hex())
            files[name] = papers.folder / f"{name}-issued.pem"
            files[name].write_bytes(
                as_pem(issued.certificate) + (self.issuing / "authority.pem").read_bytes()
            )
            self.made[f"{papers.folder.parent.name}/{name}"] = asked.id.hex()
        lists = papers.folder.parent / "lists.pem"
        lists.write_bytes(self.lists())
        now = dt.datetime.now(dt.UTC)
        install_line(papers.folder.parent, **files, above=self.above, lists=lists, at=now)

    def revoke(self, name: str) -> None:
        with Office(self.issuing) as office:
            office.act(self.made[name], Act.REVOKE, officer=FIRST, reason=Reason.CESSATION)

    def lists(self) -> bytes:
        made = b""
        for place in (self.issuing, self.root):
            with Office(place) as office, office.folder.unlocked() as key:
                published = office.publish(officer=THIRD, days=7, delta=False, key=key)
                made += as_pem(published.der, "X509 CRL")
        return made


def test_officers_papers_carry_a_line_and_end_it(tmp_path: Path) -> None:
    officers = Officers(tmp_path)
    sm2 = Sm2Signer.generate(SystemRandomness(), choose_sm2(SystemRandomness()))
    signers: dict[str, Signer] = {PARENT: sm2, CITY: SoftSigner.generate(KeyKind.ECDSA)}
    papers = {}
    for code, signer in signers.items():
        name = CentreName(code=code, organisation="Jinka", organisation_code=CODE, dns_name="localhost")
        papers[code] = request_line(tmp_path / code, name, signer)
        officers.certify(papers[code])
    with ExitStack() as stack:
        desks: dict[str, ParcelDesk] = {
            code: stack.enter_context(
                open_desk(
                    tmp_path / code, empty_database(tmp_path / code / "centre.db"), centre=code,
                    neighbours=frozenset(signers) - {code}, signer=signers[code],
                )
            )
            for code in signers
        }  # fmt: skip
        for code, other in ((CITY, PARENT), (PARENT, CITY)):
            desks[code].send(other, Kind.VERDICTS, "day", DAY, [EMPTY])
        port = stack.enter_context(open_door(desks[PARENT], papers[PARENT], ("127.0.0.1", 0)))
        way = Parent(code=PARENT, host="localhost", port=port)
        client = ParcelClient(desks[CITY], way, papers[CITY].line_tls().client)
        done = client.sync_once()
        assert (done.sent, done.taken, done.problems) == (1, 1, ())
        later = desks[CITY].send(PARENT, Kind.VERDICTS, "next", DAY, [EMPTY]).envelope
        officers.revoke(f"{CITY}/sign")
        papers[PARENT].crl.write_bytes(officers.lists())
        assert "revoked" in client.sync_once().problems[0]
        officers.revoke(f"{CITY}/tls")
        papers[PARENT].crl.write_bytes(officers.lists())
        assert client.sync_once().problems
        with pytest.raises(Refused, match="revoked"):
            desks[PARENT].announced(CITY, later)
