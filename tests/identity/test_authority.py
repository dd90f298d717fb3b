"""An authority's day, for each kind of key: apply, approve twice, issue, suspend, resume, revoke, renew, expire.

Goal: only what two officers approved is issued, and every answer (list, delta, OCSP) says the same as the books.
"""

from __future__ import annotations

import datetime as dt

import pytest

from jinka.crypto import x509_ocsp as ocsp
from jinka.crypto.sm2_envelope import open_envelope
from jinka.crypto.sm2_keys import public_info
from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_crl import Reason, read_list
from jinka.crypto.x509_fields import KeyUsage, Purpose, Subject
from jinka.crypto.x509_keys import KeyKind, Sm2Signer
from jinka.crypto.x509_path import Trust, check_path
from jinka.crypto.x509_request import build_request
from jinka.identity import Act, CertificateAuthority, ProfileName, State
from jinka.kit import NotFound, Refused, Usage
from tests.crypto.sm2_rig import Seeded
from tests.crypto.x509_rig import CITY, signer
from tests.identity.rig import (
    CLERK,
    DAY,
    FIRST,
    NOW,
    OFFICERS,
    SECOND,
    THIRD,
    Scheme,
    approve_and_issue,
    subject,
)

kinds = pytest.mark.parametrize("kind", list(KeyKind), ids=lambda kind: kind.name)


@kinds
def test_a_centre_gets_its_tls_certificate(kind: KeyKind) -> None:
    scheme = Scheme(kind)
    issued = scheme.issued(ProfileName.CENTRE, 3, dns=("centre.sz.example",))
    found = read_certificate(issued.certificate)
    path = check_path(
        found, [scheme.issuing_certificate], scheme.trust, NOW,
        usage=KeyUsage.SIGNATURE, purpose=Purpose.SERVER, dns_name="centre.sz.example",
    )  # fmt: skip
    assert [step.common_name for step in path] == ["深圳市某公司", "深圳发证", "国家根"]
    assert found.crl_url == "http://crl.sz.example/sz.crl"
    assert found.not_after == NOW + 2 * 365 * DAY
    assert not issued.encryption


def test_an_organisation_gets_a_pair() -> None:
    """The signing key never leaves its owner; the other one is made in escrow and comes in an envelope."""
    scheme = Scheme(KeyKind.SM2)
    issued = scheme.issued(ProfileName.ORGANISATION, 3)
    signing, encryption = read_certificate(issued.certificate), read_certificate(issued.encryption)
    assert signing.usages == {KeyUsage.SIGNATURE, KeyUsage.COMMITMENT}
    assert not encryption.usages & signing.usages
    assert signing.subject == encryption.subject
    assert signing.public_der != encryption.public_der
    owner = signer(KeyKind.SM2, 3)
    assert isinstance(owner, Sm2Signer)
    key = open_envelope(issued.envelope, owner.key, choose_sm2(Seeded(1)))
    assert public_info(key.public_key()) == encryption.public_der
    for certificate, usage in ((signing, KeyUsage.COMMITMENT), (encryption, KeyUsage.KEY_ENCIPHERMENT)):
        check_path(certificate, [scheme.issuing_certificate], scheme.trust, NOW, usage=usage)
    with pytest.raises(Refused, match="not for digital_signature"):
        check_path(encryption, [scheme.issuing_certificate], scheme.trust, NOW, usage=KeyUsage.SIGNATURE)


def test_a_lost_card_gets_its_encryption_key_back() -> None:
    scheme = Scheme(KeyKind.SM2)
    encryption = read_certificate(scheme.issued(ProfileName.PERSON, 3).encryption)
    other = signer(KeyKind.SM2, 4)
    assert isinstance(other, Sm2Signer)
    again = scheme.escrow.recover(encryption.public_der, other.public_der, (FIRST, SECOND), NOW)
    key = open_envelope(again.envelope, other.key, choose_sm2(Seeded(1)))
    assert public_info(key.public_key()) == encryption.public_der
    assert scheme.archive.recoveries[0].officers == (FIRST, SECOND)
    for officers in ((FIRST, FIRST), (FIRST, "WANG.first"), (CLERK, FIRST)):
        with pytest.raises(Refused):
            scheme.escrow.recover(encryption.public_der, other.public_der, officers, NOW)
    with pytest.raises(NotFound):
        scheme.escrow.recover(other.public_der, other.public_der, (FIRST, SECOND), NOW)
    sealed = b"".join(blob for _, blob in scheme.archive.keys.values())
    assert key.to_bytes() not in sealed


def test_two_officers_other_than_the_requester_approve() -> None:
    scheme = Scheme(KeyKind.ECDSA)
    name = scheme.submit(ProfileName.ORGANISATION, 3).id
    with pytest.raises(Refused, match="not possible when requested"):
        scheme.issuing.issue(name, THIRD, NOW)
    with pytest.raises(Refused, match="who asked"):
        scheme.issuing.act(name, Act.APPROVE, CLERK, NOW)
    assert scheme.issuing.act(name, Act.APPROVE, FIRST, NOW).state is State.FIRST_APPROVED
    with pytest.raises(Refused, match="approved already"):
        scheme.issuing.act(name, Act.APPROVE, FIRST, NOW)
    with pytest.raises(Refused, match="not possible when approved once"):
        scheme.issuing.issue(name, THIRD, NOW)
    with pytest.raises(Refused, match="not an officer"):
        scheme.issuing.act(name, Act.APPROVE, "somebody", NOW)
    assert scheme.issuing.act(name, Act.APPROVE, SECOND, NOW).state is State.APPROVED
    scheme.issuing.issue(name, THIRD, NOW)
    with pytest.raises(Refused, match="not possible when issued"):
        scheme.issuing.issue(name, THIRD, NOW)
    steps = scheme.issuing.application(name).steps
    assert [(step.act, step.officer) for step in steps] == [
        (Act.APPROVE, FIRST), (Act.APPROVE, SECOND), (Act.ISSUE, THIRD),
    ]  # fmt: skip


def test_another_case_is_not_another_officer() -> None:
    scheme = Scheme(KeyKind.ECDSA)
    name = scheme.submit(ProfileName.ORGANISATION, 3).id
    found = scheme.issuing.application(name).act(Act.APPROVE, FIRST, NOW)
    for same in ("Wang.First", "ｗang.first"):
        with pytest.raises(Refused, match="approved already"):
            found.act(Act.APPROVE, same, NOW)


def test_time_does_not_run_backwards() -> None:
    scheme = Scheme(KeyKind.ECDSA)
    name = scheme.submit(ProfileName.ORGANISATION, 3).id
    with pytest.raises(Refused, match="earlier"):
        scheme.issuing.act(name, Act.APPROVE, FIRST, NOW - DAY)


@kinds
def test_suspended_resumed_revoked(kind: KeyKind) -> None:
    scheme = Scheme(kind)
    name, found = scheme.certified(ProfileName.TERMINAL, 3, subject("440300000001"))
    authorities = [scheme.issuing_certificate]
    root_list = read_list(scheme.root.complete_list(NOW, NOW + 300 * DAY))
    base = read_list(scheme.issuing.complete_list(NOW, NOW + 30 * DAY))

    def judge(newest: bytes, at: dt.datetime) -> None:
        delta = read_list(newest)
        whole = base.updated_by(delta, scheme.issuing_certificate)
        whole.require_current(at)
        whole.require_absent(found.serial)

    lists = (root_list, base)
    check_path(
        found, authorities, Trust(anchors=scheme.trust.anchors, lists=lists), NOW, usage=KeyUsage.SIGNATURE
    )
    scheme.issuing.act(name, Act.SUSPEND, FIRST, NOW + DAY)
    with pytest.raises(Refused, match="suspended since 2026-06-02"):
        judge(scheme.issuing.delta_list(NOW + DAY, NOW + 2 * DAY), NOW + DAY)
    base = read_list(scheme.issuing.complete_list(NOW + DAY, NOW + 30 * DAY))
    with pytest.raises(Refused, match="suspended"):
        trust = Trust(anchors=scheme.trust.anchors, lists=(*lists, base))  # the newest decides
        check_path(found, authorities, trust, NOW + DAY, usage=KeyUsage.SIGNATURE)
    with pytest.raises(Refused, match="another officer must resume"):
        scheme.issuing.act(name, Act.RESUME, FIRST, NOW + DAY)
    scheme.issuing.act(name, Act.RESUME, SECOND, NOW + 2 * DAY)
    delta = scheme.issuing.delta_list(NOW + 2 * DAY, NOW + 3 * DAY)
    assert read_list(delta).entries[found.serial].reason is Reason.REMOVED
    judge(delta, NOW + 2 * DAY)
    scheme.issuing.act(name, Act.REVOKE, FIRST, NOW + 3 * DAY, reason=Reason.KEY_COMPROMISE)
    with pytest.raises(Refused, match="revoked since 2026-06-04"):
        judge(scheme.issuing.delta_list(NOW + 3 * DAY, NOW + 4 * DAY), NOW + 3 * DAY)
    for act in (Act.RESUME, Act.SUSPEND, Act.APPROVE):
        with pytest.raises(Refused, match="not possible when revoked"):
            scheme.issuing.act(name, act, SECOND, NOW + 4 * DAY)


def test_both_certificates_of_a_pair_are_revoked() -> None:
    scheme = Scheme(KeyKind.SM2)
    name = scheme.submit(ProfileName.ORGANISATION, 3).id
    approve_and_issue(scheme.issuing, name)
    scheme.issuing.act(name, Act.REVOKE, FIRST, NOW, reason=Reason.CESSATION)
    assert set(read_list(scheme.issuing.complete_list(NOW, NOW + DAY)).entries) == set(
        scheme.issuing.application(name).serials
    )


def test_a_revocation_has_a_reason_and_nothing_else_has() -> None:
    scheme = Scheme(KeyKind.ECDSA)
    name, _ = scheme.certified(ProfileName.ORGANISATION, 3)
    for act, reason in ((Act.REVOKE, None), (Act.REVOKE, Reason.ON_HOLD), (Act.SUSPEND, Reason.SUPERSEDED)):
        with pytest.raises(Usage, match="reason"):
            scheme.issuing.act(name, act, FIRST, NOW, reason=reason)
    assert not read_list(scheme.issuing.complete_list(NOW, NOW + DAY)).entries


@kinds
@pytest.mark.parametrize("delegated", [False, True])
def test_answers_follow_the_books(kind: KeyKind, delegated: bool) -> None:
    scheme = Scheme(kind)
    responder = None
    if delegated:
        own = read_certificate(scheme.issued(ProfileName.RESPONDER, 5, subject("OCSP")).certificate)
        responder = ocsp.Responder(certificate=own, signer=signer(kind, 5))
    name, found = scheme.certified(ProfileName.ORGANISATION, 3)
    issuer, nonce = scheme.issuing_certificate, bytes(range(32))

    def asked(serial: int) -> bytes:
        request = ocsp.ask(issuer, [serial], nonce)
        return scheme.issuing.answer(request, NOW, NOW + DAY, responder)

    good = asked(found.serial)
    ocsp.check_answer(good, issuer, found.serial, nonce=nonce, at=NOW)
    with pytest.raises(Refused, match="unknown to its issuer"):
        ocsp.check_answer(asked(77), issuer, 77, nonce=nonce, at=NOW)
    scheme.issuing.act(name, Act.REVOKE, FIRST, NOW, reason=Reason.AFFILIATION_CHANGED)
    with pytest.raises(Refused, match="revoked since 2026-06-01"):
        ocsp.check_answer(asked(found.serial), issuer, found.serial, nonce=nonce, at=NOW)
    for wrong in ({"nonce": bytes(32)}, {"at": NOW + 2 * DAY}, {"at": NOW - DAY}):
        with pytest.raises(Refused):
            ocsp.check_answer(good, issuer, found.serial, **({"nonce": nonce, "at": NOW} | wrong))
    with pytest.raises(Refused):
        ocsp.check_answer(good, issuer, found.serial + 1, nonce=nonce, at=NOW)


def test_what_is_no_question_gets_no_answer() -> None:
    scheme = Scheme(KeyKind.ECDSA)
    for request in (b"", b"\x30\x00", bytes(5000), b"\xff" * 50):
        with pytest.raises(Refused, match="malformed_request"):
            ocsp.check_answer(
                scheme.issuing.answer(request, NOW, NOW + DAY),
                scheme.issuing_certificate,
                1,
                nonce=b"",
                at=NOW,
            )
    foreign = ocsp.ask(scheme.root_certificate, [1], bytes(16))
    with pytest.raises(Refused, match="unauthorized"):
        ocsp.check_answer(
            scheme.issuing.answer(foreign, NOW, NOW + DAY), scheme.issuing_certificate, 1, nonce=b"", at=NOW
        )


def test_renewal() -> None:
    scheme = Scheme(KeyKind.ECDSA)
    name, old = scheme.certified(ProfileName.ORGANISATION, 3)
    later = NOW + 4 * 365 * DAY

    def submit(key: int, who: Subject) -> bytes:
        request = build_request(who, signer(KeyKind.ECDSA, key))
        return scheme.issuing.submit(ProfileName.ORGANISATION, request, CLERK, later, renews=name).id

    with pytest.raises(Refused, match="asked for before"):
        submit(3, subject())
    with pytest.raises(Refused, match="the subject, profile"):
        submit(4, subject("another"))
    new = read_certificate(approve_and_issue(scheme.issuing, submit(4, subject()), later).certificate)
    assert scheme.issuing.application(name).state is State.RENEWED
    assert new.not_after > old.not_after
    with pytest.raises(Refused, match="renewed is not renewed"):
        submit(5, subject())
    moved = scheme.issuing.expire(old.not_after + DAY)
    assert [found.id for found in moved] == [name]
    assert scheme.issuing.application(name).state is State.EXPIRED
    assert scheme.issuing.expire(old.not_after + DAY) == ()


def test_what_has_ended_leaves_the_list_after_one_more() -> None:
    scheme = Scheme(KeyKind.ECDSA)
    name, found = scheme.certified(ProfileName.TERMINAL, 3, subject("440300000001"))
    scheme.issuing.act(name, Act.REVOKE, FIRST, NOW, reason=Reason.KEY_COMPROMISE)
    sizes = []
    for at in (NOW, found.not_after + DAY, found.not_after + 2 * DAY):
        sizes.append(len(read_list(scheme.issuing.complete_list(at, at + DAY)).entries))
    assert sizes == [1, 1, 0]
    delta = read_list(scheme.issuing.delta_list(found.not_after + 3 * DAY, found.not_after + 4 * DAY))
    assert not delta.entries


def test_a_certificate_does_not_outlive_its_issuer() -> None:
    scheme = Scheme(KeyKind.ECDSA)
    end = scheme.issuing_certificate.not_after
    request = build_request(subject(), signer(KeyKind.ECDSA, 3))
    name = scheme.issuing.submit(ProfileName.ORGANISATION, request, CLERK, end - DAY).id
    assert read_certificate(approve_and_issue(scheme.issuing, name, end - DAY).certificate).not_after == end
    request = build_request(subject(), signer(KeyKind.ECDSA, 4))
    name = scheme.issuing.submit(ProfileName.ORGANISATION, request, CLERK, end + DAY).id
    with pytest.raises(Refused, match="own certificate is not valid"):
        approve_and_issue(scheme.issuing, name, end + DAY)
    assert scheme.issuing.application(name).state is State.APPROVED, "a refusal changes nothing"


def test_an_authority_issues_its_own_profiles_only() -> None:
    scheme = Scheme(KeyKind.ECDSA)
    request = build_request(subject(), signer(KeyKind.ECDSA, 3))
    with pytest.raises(Refused, match="does not issue authority"):
        scheme.issuing.submit(ProfileName.AUTHORITY, request, CLERK, NOW)
    with pytest.raises(Refused, match="does not issue organisation"):
        scheme.root.submit(ProfileName.ORGANISATION, request, CLERK, NOW)
    leaf = read_certificate(scheme.issued(ProfileName.ORGANISATION, 3).certificate)
    with pytest.raises(Refused, match="no authority's"):
        CertificateAuthority(leaf, signer(KeyKind.ECDSA, 3), Seeded(1), OFFICERS)


@pytest.mark.parametrize(
    ("profile", "who", "dns", "why"),
    [
        (ProfileName.ORGANISATION, Subject(common_name="x", organisation=CITY), (), "organisation's code"),
        (ProfileName.ORGANISATION, subject(), ("a.sz.example",), "no DNS"),
        (ProfileName.CENTRE, subject(), (), "needs DNS"),
        (ProfileName.TERMINAL, subject("44030000000g"), (), "12 hexadecimal"),
        (ProfileName.PERSON, Subject(common_name="x", country="US"), (), "country CN"),
        (
            ProfileName.DEVICE,
            Subject(common_name="x", organisation=CITY, organisation_code="91350100M000100Y44"), (), "check character",
        ),
    ],
)  # fmt: skip
def test_a_profile_refuses_what_it_does_not_cover(
    profile: ProfileName, who: Subject, dns: tuple[str, ...], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        Scheme(KeyKind.ECDSA).submit(profile, 3, who, dns)


def test_a_person_needs_no_organisation() -> None:
    found = read_certificate(
        Scheme(KeyKind.RSA).issued(ProfileName.PERSON, 3, Subject(common_name="李四")).certificate
    )
    assert (found.common_name, found.organisation_code) == ("李四", "")


def test_a_pair_without_an_escrow_is_refused() -> None:
    scheme = Scheme(KeyKind.SM2)
    bare = CertificateAuthority(scheme.issuing_certificate, signer(KeyKind.SM2, 2), Seeded(1), OFFICERS)
    request = build_request(subject(), signer(KeyKind.SM2, 3))
    name = bare.submit(ProfileName.ORGANISATION, request, CLERK, NOW).id
    with pytest.raises(Refused, match="needs an escrow"):
        approve_and_issue(bare, name)
    assert bare.application(name).state is State.APPROVED
