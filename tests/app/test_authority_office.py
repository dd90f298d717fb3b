"""An authority that lasts. Goal: killed at any point, nothing that was answered is lost, and no serial comes twice.

Method: a root and an issuing authority in folders; acts in processes of their own that are killed by SIGKILL between
act, entry, commit and answer; the folder is opened again and goes on.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jinka.app.audit import examine
from jinka.app.authority_folder import AuthorityFolder, init, install, pem_of
from jinka.app.authority_office import Office, listed
from jinka.app.issue_office import IssueOffice
from jinka.crypto.sm2_envelope import open_envelope
from jinka.crypto.sm2_keys import public_info
from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_crl import Reason, read_list
from jinka.crypto.x509_keys import KeyKind, Sm2Signer
from jinka.crypto.x509_private import private_der, read_private
from jinka.identity import Act, ProfileName, State
from jinka.kit import NotFound, Refused, Usage
from jinka.node import read_audit_lines
from jinka.registry import RULE_SETS
from tests.app.authority import Authorities, approve_and_issue, make_authorities, plan, submit
from tests.crypto.sm2_rig import Seeded
from tests.crypto.x509_rig import signer
from tests.identity.rig import CLERK, FIRST, SECOND, THIRD

KIND = KeyKind.ECDSA
ORGANISATION = ProfileName.ORGANISATION


@pytest.fixture
def made(tmp_path: Path) -> Authorities:
    return make_authorities(tmp_path, KIND)


def _acts(folder: Path) -> list[str]:
    return [
        line.split(b'"act":"')[1].split(b'"')[0].decode() for line in read_audit_lines(folder / "audit.jsonl")
    ]


def test_a_certificate_lives_through_many_runs(made: Authorities) -> None:
    with Office(made.issuing) as office:
        name = submit(office, ORGANISATION, 3, KIND).id.hex()
    for officer in (FIRST, SECOND):
        with Office(made.issuing) as office:
            office.act(name[:6], Act.APPROVE, officer=officer)
    with Office(made.issuing) as office, office.folder.unlocked() as key:
        issued = office.issue(name, officer=THIRD, key=key)[1]
    read_certificate(issued.certificate).require_signed_by(made.certificate)
    with Office(made.issuing) as office, office.folder.unlocked() as key:
        office.act(name, Act.SUSPEND, officer=FIRST, note="card 6222021234567890123 seen")
        first = read_list(office.publish(officer=CLERK, days=7, delta=False, key=key).der)
        office.act(name, Act.RESUME, officer=SECOND)
        office.act(name, Act.REVOKE, officer=FIRST, reason=Reason.KEY_COMPROMISE)
    with Office(made.issuing) as office, office.folder.unlocked() as key:
        second = read_list(office.publish(officer=CLERK, days=7, delta=True, key=key).der)
    assert (first.number, second.number, second.base_number) == (1, 2, 1)
    assert [entry.reason for entry in first.updated_by(second, made.certificate).entries.values()] == [
        Reason.KEY_COMPROMISE
    ]
    ((found, kept),) = listed(made.issuing)
    assert (found.state, kept) == (State.REVOKED, issued)
    assert "6222021234567890123" not in found.steps[3].note
    report = examine(made.issuing / "audit.jsonl", (), None)
    assert report.report.sound
    assert [act for act in _acts(made.issuing) if act != "log.opened"] == [
        "certificate.init", "certificate.install", "certificate.apply", "certificate.approve", "certificate.approve",
        "certificate.issue", "certificate.suspend", "certificate.crl", "certificate.resume", "certificate.revoke",
        "certificate.crl",
    ]  # fmt: skip


def test_a_terminal_that_no_register_has_gets_no_certificate(
    made: Authorities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with IssueOffice(tmp_path / "register") as register:
        register.demand(RULE_SETS["scheme"], officer="li-si")
    monkeypatch.setenv("JINKA_REGISTER", str(tmp_path / "register"))
    with Office(made.issuing) as office:
        name = submit(office, ProfileName.TERMINAL, 3, KIND, who="440300000001").id.hex()
        with pytest.raises(Refused, match="no terminal of this number was entered"):
            approve_and_issue(office, name)
    ((found, kept),) = listed(made.issuing)
    assert (found.state, kept) == (State.APPROVED, None)
    assert _acts(made.issuing)[-1] == "certificate.issue"  # the refusal
    monkeypatch.delenv("JINKA_REGISTER")
    with Office(made.issuing) as office, office.folder.unlocked() as key:
        office.issue(name, officer=THIRD, key=key)


_KILLED = """
import os, signal, sys
from pathlib import Path
from jinka.app import authority_office
from jinka.app.authority_office import Office

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

when, folder, name = sys.argv[1:]
office = Office(Path(folder))
if when == "before the entry":
    office._log.record = die
if when == "between entry and commit":
    record = office._log.record
    office._log.record = lambda event: (record(event), die())
with office.folder.unlocked() as key:
    office.issue(name, officer="zhao.third", key=key)
die()
"""


@pytest.mark.parametrize(
    ("when", "there"),
    [("before the entry", False), ("between entry and commit", False), ("between commit and answer", True)],
)
def test_killed_while_issuing(made: Authorities, when: str, there: bool) -> None:
    with Office(made.issuing) as office:
        names = [submit(office, ORGANISATION, number, KIND).id.hex() for number in (3, 4)]
        for name in names:
            for officer in (FIRST, SECOND):
                office.act(name, Act.APPROVE, officer=officer)
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, when, str(made.issuing), names[0]],
        check=False,
        timeout=60,
        env=os.environ,
    )
    assert done.returncode == -signal.SIGKILL
    with Office(made.issuing) as office, office.folder.unlocked() as key:
        before = dict(listed(made.issuing))
        if there:
            with pytest.raises(Refused, match="not possible when issued"):
                office.issue(names[0], officer=THIRD, key=key)
        else:
            assert not any(before.values())
            office.issue(names[0], officer=THIRD, key=key)
        office.issue(names[1], officer=THIRD, key=key)
        office.publish(officer=CLERK, days=1, delta=False, key=key)
    after = {found.id.hex(): issued for found, issued in listed(made.issuing)}
    serials = [read_certificate(issued.certificate).serial for issued in after.values() if issued]
    assert len(set(serials)) == 2
    if there:
        assert after[names[0]] in before.values(), "what was made before the kill is what there is"
    assert examine(made.issuing / "audit.jsonl", (), None).report.sound
    assert _acts(made.issuing).count("certificate.issue") == (2 if when == "before the entry" else 3)


_KILLED_AFTER = """
import os, signal, sys
from pathlib import Path
from jinka.app.authority_office import Office

folder, name = sys.argv[1:]
with Office(Path(folder)) as office, office.folder.unlocked() as key:
    office.issue(name, officer="zhao.third", key=key)
    office.publish(officer="zhao.third", days=1, delta=False, key=key)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_before_the_answer_a_pair_its_escrow_and_a_list_are_there(tmp_path: Path) -> None:
    made = make_authorities(tmp_path, KeyKind.SM2)
    with Office(made.issuing) as office:
        names = [submit(office, ProfileName.PERSON, number, KeyKind.SM2).id.hex() for number in (3, 4)]
        for officer in (FIRST, SECOND):
            office.act(names[0], Act.APPROVE, officer=officer)
    done = subprocess.run(
        [sys.executable, "-c", _KILLED_AFTER, str(made.issuing), names[0]], check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    with Office(made.issuing) as office:
        approve_and_issue(office, names[1])
        with office.folder.unlocked() as key:
            assert office.recover(*names, officers=(FIRST, SECOND), key=key).envelope
            assert office.publish(officer=CLERK, days=1, delta=False, key=key).number == 2
    assert len({found.serials for found, _ in listed(made.issuing)}) == 2
    assert examine(made.issuing / "audit.jsonl", (), None).report.sound


def test_an_escrowed_key_is_given_out_years_later(tmp_path: Path) -> None:
    made = make_authorities(tmp_path, KeyKind.SM2)
    with Office(made.issuing) as office:
        lost = submit(office, ProfileName.PERSON, 3, KeyKind.SM2).id.hex()
        issued = approve_and_issue(office, lost)
    with Office(made.issuing) as office:
        new = submit(office, ProfileName.PERSON, 4, KeyKind.SM2).id.hex()
        approve_and_issue(office, new)
        with office.folder.unlocked() as key:
            with pytest.raises(Refused, match="two different"):
                office.recover(lost, new, officers=(FIRST, FIRST), key=key)
            found = office.recover(lost, new, officers=(FIRST, SECOND), key=key)
    owner = signer(KeyKind.SM2, 4)
    assert isinstance(owner, Sm2Signer)
    opened = open_envelope(found.envelope, owner.key, choose_sm2(Seeded(1)))
    assert public_info(opened.public_key()) == read_certificate(issued.encryption).public_der
    held = b"".join(path.read_bytes() for path in made.issuing.rglob("*") if path.is_file())
    for form in (opened.to_bytes(), opened.to_bytes().hex().encode()):
        assert form not in held
    assert _acts(made.issuing).count("certificate.recover") == 2, "the refusal is an entry too"


def test_without_enough_shares_nothing_is_signed(made: Authorities) -> None:
    with Office(made.issuing) as office:
        name = submit(office, ORGANISATION, 3, KIND).id.hex()
        office.act(name, Act.APPROVE, officer=FIRST)
        office.act(name, Act.APPROVE, officer=SECOND)
    shares = sorted((made.issuing / "custodians").glob("*/share-*.json"))
    foreign = sorted((made.root / "custodians").glob("*/share-*.json"))
    for some in (shares[:1], [shares[0], foreign[1]], foreign):
        with pytest.raises(Refused), AuthorityFolder(made.issuing).unlocked(some):
            pass
    with AuthorityFolder(made.issuing).unlocked(shares[1:]) as key:
        assert key.signer.public_der == made.certificate.public_der
    body = json.loads((made.issuing / "authority.json").read_bytes())
    (made.issuing / "authority.json").write_text(json.dumps(body | {"check": "00000000"}))
    with (
        pytest.raises(Refused, match="another authority's key"),
        AuthorityFolder(made.issuing).unlocked(shares),
    ):
        pass


def test_what_is_no_authority_yet(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no authority"):
        Office(tmp_path / "nothing")
    init(tmp_path / "new", plan(KIND, root=False))
    with pytest.raises(NotFound, match="no certificate yet"):
        Office(tmp_path / "new")
    with pytest.raises(Refused, match="is here already"):
        init(tmp_path / "new", plan(KIND, root=False))
    for officers in (("a", "b"), ("a", "b", "A")):
        with pytest.raises(Usage):
            init(tmp_path / "few", plan(KIND, root=False, officers=officers))


def test_only_what_the_root_signed_is_installed(made: Authorities, tmp_path: Path) -> None:
    fresh = AuthorityFolder(tmp_path / "fresh")
    init(fresh.folder, plan(KIND, root=False))
    root = made.root / "authority.pem"
    for wrong in (made.issuing / "authority.pem", root):
        with pytest.raises(Refused, match="does not certify"):
            install(fresh.folder, wrong, root, CLERK)
    assert pem_of(fresh.request)
    with pytest.raises(Refused, match="installed already"):
        install(made.issuing, made.issuing / "authority.pem", root, CLERK)


def test_officers_are_changed_by_two_others(made: Authorities) -> None:
    with Office(made.issuing) as office:
        for by in ((FIRST, FIRST), (FIRST, "nobody"), (FIRST, THIRD)):
            with pytest.raises(Refused):
                office.change_officer(THIRD, by=by, admitted=False)
        with pytest.raises(Refused, match="is one already"):
            office.change_officer(THIRD.upper(), by=(FIRST, SECOND), admitted=True)
        assert THIRD not in office.change_officer(THIRD, by=(FIRST, SECOND), admitted=False)
        with pytest.raises(Refused, match="have to stay"):
            office.change_officer(CLERK, by=(FIRST, SECOND), admitted=False)
        name = submit(office, ORGANISATION, 3, KIND).id.hex()
        with pytest.raises(Refused, match="not an officer"):
            office.act(name, Act.APPROVE, officer=THIRD)
        assert "new" in office.change_officer("new", by=(FIRST, SECOND), admitted=True)
        office.act(name, Act.APPROVE, officer="new")


def test_names_are_found_by_their_beginning(made: Authorities) -> None:
    with Office(made.issuing) as office:
        found = [submit(office, ORGANISATION, number, KIND).id.hex() for number in (3, 4)]
        with office.looking() as desk:
            for name in found:
                assert desk.named(name[:7]).hex() == name
            for wrong, error in (("zz", Usage), ("", NotFound), ("00" * 16, NotFound)):
                with pytest.raises(error):
                    desk.named(wrong)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_key_in_clear_is_read_again(kind: KeyKind) -> None:
    one = signer(kind, 9)
    again = read_private(private_der(one), choose_sm2(Seeded(1)))
    assert again.public_der == one.public_der
    for wrong in (b"", private_der(one)[:-1], b"\x30\x00"):
        with pytest.raises(Refused):
            read_private(wrong, choose_sm2(Seeded(1)))
