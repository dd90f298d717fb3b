"""The attacks on what surrounds certificates: requests, approvals, revocation lists, OCSP answers, key envelopes.

Goal: nobody gets a certificate by trick, and nobody makes a revoked one look good. Method: one good value, broken in
one place at a time; what an attacker could sign is signed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
from asn1crypto import ocsp as core_ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.crypto import x509_ocsp as ocsp
from jinka.crypto.sm2 import Sm2PrivateKey
from jinka.crypto.sm2_envelope import envelop_key, open_envelope
from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.crypto.x509_certificate import Certificate
from jinka.crypto.x509_crl import Reason, Revocation, build_list, read_list
from jinka.crypto.x509_fields import KeyUsage, Purpose
from jinka.crypto.x509_keys import KeyKind, Sm2Signer, SoftSigner
from jinka.crypto.x509_path import Trust, check_path
from jinka.crypto.x509_request import build_request, read_request
from jinka.identity import Act, ProfileName, State
from jinka.kit import JinkaError, Refused
from tests.crypto.sm2_rig import Seeded
from tests.crypto.x509_rig import plan, signer, tree
from tests.identity.rig import CLERK, DAY, FIRST, NOW, OFFICERS, SECOND, Scheme, subject

kinds = pytest.mark.parametrize("kind", list(KeyKind), ids=lambda kind: kind.name)
KIND = KeyKind.ECDSA
EC = tree(KIND)
NONCE = bytes(range(32))
REVOKED = {EC.leaf.serial: Revocation(since=NOW - DAY, reason=Reason.KEY_COMPROMISE)}


# Requests and approvals


@kinds
def test_request_changed_after_it_was_signed(kind: KeyKind) -> None:
    raw = build_request(subject(), signer(kind, 3), ("a.sz.example",))
    read_request(raw)
    for at in range(len(raw)):
        wrong = bytearray(raw)
        wrong[at] ^= 0x01
        with pytest.raises(Refused):
            read_request(bytes(wrong))


def test_request_for_somebody_elses_key() -> None:
    """Proof of possession: the key that is named is not the key that signs."""

    class Thief:
        public_der = signer(KIND, 4).public_der

        def sign(self, message: bytes) -> bytes:
            return signer(KIND, 3).sign(message)

    with pytest.raises(Refused, match="signature is wrong"):
        read_request(build_request(subject(), Thief()))


@given(st.binary(max_size=300))
@settings(max_examples=100)
def test_any_bytes_as_a_request(raw: bytes) -> None:
    with pytest.raises(Refused):
        read_request(raw)


def test_key_certified_twice() -> None:
    scheme = Scheme(KIND)
    request = build_request(subject(), signer(KIND, 3))
    first = scheme.issuing.submit(ProfileName.ORGANISATION, request, CLERK, NOW)
    with pytest.raises(Refused, match="asked for before"):
        scheme.issuing.submit(ProfileName.DEVICE, request, CLERK, NOW)
    scheme.issuing.act(first.id, Act.REJECT, FIRST, NOW)
    assert scheme.issuing.submit(ProfileName.DEVICE, request, CLERK, NOW).state is State.REQUESTED
    own = build_request(subject(), signer(KIND, 2))
    with pytest.raises(Refused, match="asked for before"):
        scheme.issuing.submit(ProfileName.ORGANISATION, own, CLERK, NOW)


def test_one_officer_does_it_all() -> None:
    scheme = Scheme(KIND)
    name = scheme.submit(ProfileName.ORGANISATION, 3).id
    scheme.issuing.act(name, Act.APPROVE, FIRST, NOW)
    for officer in (FIRST, CLERK, FIRST.upper(), "stranger", ""):
        with pytest.raises(Refused):
            scheme.issuing.act(name, Act.APPROVE, officer, NOW)
    for officer in OFFICERS:
        with pytest.raises(Refused):
            scheme.issuing.issue(name, officer, NOW)
    assert scheme.issuing.application(name).state is State.FIRST_APPROVED


def test_issuing_behind_the_authoritys_back() -> None:
    """The acts that make or end certificates have their own verbs; an officer's act cannot skip the signing."""
    scheme = Scheme(KIND)
    name = scheme.submit(ProfileName.ORGANISATION, 3).id
    scheme.issuing.act(name, Act.APPROVE, FIRST, NOW)
    scheme.issuing.act(name, Act.APPROVE, SECOND, NOW)
    for act in (Act.ISSUE, Act.RENEW, Act.EXPIRE):
        with pytest.raises(Refused, match="not an officer's act"):
            scheme.issuing.act(name, act, FIRST, NOW)


# Revocation lists


def _list(entries: dict[int, Revocation], number: int = 5, key: int = 2, base: int | None = None) -> bytes:
    return build_list(
        EC.issuing if key == 2 else replace(EC.issuing, public_der=signer(KIND, key).public_der),
        signer(KIND, key), number=number, base_number=base, this_update=NOW - DAY, next_update=NOW + DAY,
        entries=entries,
    )  # fmt: skip


def _judge(*lists: bytes, at: dt.datetime = NOW) -> None:
    root = build_list(
        EC.root, signer(KIND, 1), number=1, this_update=NOW - 9 * DAY, next_update=NOW + 9 * DAY, entries={}
    )
    trust = Trust(anchors=(EC.root,), lists=tuple(read_list(raw) for raw in (root, *lists)))
    check_path(EC.leaf, [EC.issuing], trust, at, usage=KeyUsage.SIGNATURE)


def test_no_list_stale_list_old_list() -> None:
    _judge(_list({}))
    with pytest.raises(Refused, match="no revocation list"):
        _judge()
    for at in (NOW + DAY, NOW - 2 * DAY):
        with pytest.raises(Refused, match="not valid at this time"):
            _judge(_list({}), at=at)
    with pytest.raises(Refused, match="revoked since"):  # an older, clean list beside the newest
        _judge(_list({}), _list(REVOKED, number=6))


def test_list_of_somebody_else() -> None:
    with pytest.raises(Refused, match="signature is wrong"):
        _judge(_list({}, key=3))
    foreign = read_list(_list({}))
    with pytest.raises(Refused, match="another name"):
        foreign.require_signed_by(EC.root)
    with pytest.raises(Refused, match="may not sign lists"):
        foreign.require_signed_by(replace(EC.issuing, usages=frozenset({KeyUsage.CERTIFICATES})))


@kinds
def test_every_changed_byte_of_a_list(kind: KeyKind) -> None:
    issuer = tree(kind).issuing
    raw = build_list(
        issuer, signer(kind, 2), number=1, this_update=NOW, next_update=NOW + DAY, entries=REVOKED
    )
    for at in range(len(raw)):
        wrong = bytearray(raw)
        wrong[at] ^= 0x01
        with pytest.raises(Refused):
            read_list(bytes(wrong)).require_signed_by(issuer)


def test_delta_in_place_of_a_complete_list() -> None:
    with pytest.raises(Refused, match="no revocation list"):
        _judge(_list({}, base=1))


def test_delta_of_another_base() -> None:
    whole = read_list(_list(REVOKED))
    for number, base in ((6, 6), (5, 4), (4, 4)):
        with pytest.raises(Refused, match="does not follow"):
            whole.updated_by(read_list(_list({}, number=number, base=base)), EC.issuing)
    delta = read_list(_list({}, number=6, base=5))
    assert whole.updated_by(delta, EC.issuing).entries == whole.entries


def test_forged_base_under_a_true_delta() -> None:
    """The merged list carries the delta's signature; a base of the attacker's must not hide behind it."""
    delta = read_list(_list({}, number=6, base=5))
    for forged in (replace(read_list(_list({})), signature=b"x"), read_list(_list({}, key=3))):
        with pytest.raises(Refused, match="signature is wrong"):
            forged.updated_by(delta, EC.issuing)
    with pytest.raises(Refused, match="signature is wrong"):
        read_list(_list({})).updated_by(read_list(_list({}, number=6, base=5, key=3)), EC.issuing)


@given(st.binary(max_size=300))
@settings(max_examples=100)
def test_any_bytes_as_a_list(raw: bytes) -> None:
    with pytest.raises(Refused):
        read_list(raw)


# OCSP


def _responder(kind: KeyKind, purposes: frozenset[Purpose] = frozenset({Purpose.OCSP})) -> ocsp.Responder:
    wanted = replace(plan(5, kind, "OCSP"), purposes=purposes, dns_names=())
    return ocsp.Responder(certificate=tree(kind).issue(wanted), signer=signer(kind, 5))


def _good(responder: ocsp.Responder, issuer: Certificate = EC.issuing, nonce: bytes = NONCE) -> bytes:
    question = ocsp.read_request(ocsp.ask(issuer, [EC.leaf.serial], nonce)).questions[0]
    answers = [ocsp.Answer(question=question, known=True)]
    return ocsp.build_answer(answers, responder, at=NOW, next_update=NOW + DAY, nonce=nonce)


def _check(raw: bytes, nonce: bytes = NONCE, at: dt.datetime = NOW) -> None:
    ocsp.check_answer(raw, EC.issuing, EC.leaf.serial, nonce=nonce, at=at)


def test_answer_played_again() -> None:
    raw = _good(_responder(KIND))
    _check(raw)
    with pytest.raises(Refused, match="nonce"):
        _check(raw, nonce=bytes(32))
    with pytest.raises(Refused, match="nonce"):
        _check(_good(_responder(KIND), nonce=b""))
    for at in (NOW + DAY, NOW - dt.timedelta(seconds=1)):
        with pytest.raises(Refused, match="not valid at this time"):
            _check(raw, at=at)


@pytest.mark.parametrize(
    "responder",
    [
        lambda: _responder(KIND, frozenset({Purpose.CLIENT})),
        lambda: ocsp.Responder(certificate=EC.leaf, signer=signer(KIND, 3)),
        lambda: ocsp.Responder(certificate=EC.root, signer=signer(KIND, 1)),
        lambda: ocsp.Responder(
            certificate=replace(EC.issuing, public_der=signer(KIND, 9).public_der), signer=signer(KIND, 9)
        ),
    ],
    ids=["client certificate", "its own subject", "another authority", "another key"],
)
def test_answer_of_one_who_may_not(responder: Callable[[], ocsp.Responder]) -> None:
    with pytest.raises(Refused):
        _check(_good(responder()))


def test_answer_about_somebody_else() -> None:
    with pytest.raises(Refused, match="does not speak of"):
        _check(_good(_responder(KIND), issuer=EC.root))


def test_try_later_is_no_answer() -> None:
    """A failure is not signed: whoever sits between can send it, and it must not pass for good."""
    for failure in ocsp.OcspFailure:
        with pytest.raises(Refused, match="no answer"):
            _check(ocsp.build_failure(failure))
    empty = core_ocsp.OCSPResponse({"response_status": "successful"}).dump()
    with pytest.raises(Refused):
        _check(empty)


@kinds
def test_every_changed_byte_of_an_answer(kind: KeyKind) -> None:
    issuer = tree(kind).issuing
    question = ocsp.read_request(ocsp.ask(issuer, [3], NONCE)).questions[0]
    raw = ocsp.build_answer(
        [ocsp.Answer(question=question, known=True)],
        _responder(kind),
        at=NOW,
        next_update=NOW + DAY,
        nonce=NONCE,
    )
    ocsp.check_answer(raw, issuer, 3, nonce=NONCE, at=NOW)
    for at in range(len(raw)):  # those of the frame and of the responder's certificate included
        wrong = bytearray(raw)
        wrong[at] ^= 0x01
        with pytest.raises(Refused):
            ocsp.check_answer(bytes(wrong), issuer, 3, nonce=NONCE, at=NOW)


def test_flood_of_questions() -> None:
    with pytest.raises(Refused, match="17 questions"):
        ocsp.read_request(ocsp.ask(EC.issuing, list(range(1, 18)), NONCE))
    with pytest.raises(Refused, match="8885 bytes"):
        ocsp.read_request(ocsp.ask(EC.issuing, list(range(1, 99)), NONCE))
    with pytest.raises(Refused, match="a nonce of 129"):
        ocsp.read_request(ocsp.ask(EC.issuing, [1], bytes(129)))


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_as_a_question(raw: bytes) -> None:
    with pytest.raises(Refused):
        ocsp.read_request(raw)


# Escrowed keys


def test_envelope_opened_changed_or_swapped() -> None:
    provider, owner, key = (
        choose_sm2(Seeded(1)),
        Sm2PrivateKey.generate(Seeded(2)),
        Sm2PrivateKey.generate(Seeded(3)),
    )
    raw = envelop_key(key, owner.public_key(), provider, Seeded(4))
    assert open_envelope(raw, owner, provider) == key
    assert key.to_bytes() not in raw
    with pytest.raises(Refused):
        open_envelope(raw, key, provider)
    for at in range(len(raw)):
        wrong = bytearray(raw)
        wrong[at] ^= 0x01
        with pytest.raises(JinkaError):
            open_envelope(bytes(wrong), owner, provider)
    for pieces in (b"", b"\x30\x00", b"\x05\x00", raw[:-1], raw + b"\x00"):
        with pytest.raises(Refused):
            open_envelope(pieces, owner, provider)


def test_keys_do_not_show_themselves() -> None:
    soft, national = SoftSigner.generate(KIND), signer(KeyKind.SM2, 1)
    assert isinstance(national, Sm2Signer)
    assert repr(soft) == "SoftSigner(***)"
    assert str(national.key.secret) not in repr(national)
    responder = ocsp.Responder(certificate=EC.issuing, signer=national)
    assert "secret" not in repr(responder)
    assert "SoftSigner" not in repr(responder)
