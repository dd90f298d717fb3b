"""A key made on a card is certified: the card proves that it holds it, and the certificate goes back onto the card."""

from __future__ import annotations

import pytest

from jinka.crypto.rsa_sign import ChipKeyKind
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_keys import KeyKind
from jinka.crypto.x509_request import build_request
from jinka.identity import ProfileName
from jinka.kit import Refused
from jinka.sectors.identity_card import PROFILE
from jinka.terminal import ChipRefused
from jinka.terminal.identity import CardSigner, IdentityStatus
from tests.card.test_identity import CARD_NO, ENROLMENT, PIN, blank, counter
from tests.identity.rig import CLERK, NOW, Scheme, approve_and_issue, subject


@pytest.mark.parametrize("kind", [ChipKeyKind.P256, ChipKeyKind.RSA_2048])
def test_from_the_key_to_the_counter(kind: ChipKeyKind) -> None:
    scheme, card = Scheme(KeyKind.ECDSA), blank()
    public_der = ENROLMENT.make_key(card, CARD_NO, kind)
    request = build_request(subject("张三"), CardSigner(card, PROFILE.aid, PIN, public_der))
    name = scheme.issuing.submit(ProfileName.PERSON, request, CLERK, NOW).id
    certificate = approve_and_issue(scheme.issuing, name).certificate
    ENROLMENT.write_certificate(card, CARD_NO, certificate)
    found = counter(scheme.issuing_certificate.der).identify(card, PIN, NOW)
    assert found.status is IdentityStatus.PROVEN
    assert found.holder is not None
    assert found.holder.serial == read_certificate(certificate).serial


def test_without_the_pin_there_is_no_request() -> None:
    card = blank()
    public_der = ENROLMENT.make_key(card, CARD_NO, ChipKeyKind.P256)
    with pytest.raises(ChipRefused, match="verify PIN"):
        build_request(subject(), CardSigner(card, PROFILE.aid, b"\x00\x00\x00", public_der))


def test_a_card_does_not_prove_another_cards_key() -> None:
    scheme, card, other = Scheme(KeyKind.ECDSA), blank(), blank()
    ENROLMENT.make_key(card, CARD_NO, ChipKeyKind.P256)
    foreign = ENROLMENT.make_key(other, CARD_NO, ChipKeyKind.P256)
    request = build_request(subject(), CardSigner(card, PROFILE.aid, PIN, foreign))
    with pytest.raises(Refused, match="signature is wrong"):
        scheme.issuing.submit(ProfileName.PERSON, request, CLERK, NOW)
