"""Cards and terminals that authenticate offline with SM2: who shows which certificates, and what is believed.

Goal: DF69 and the CA key decide, and nothing false passes. Method: real cards with an RSA chain, an SM2 chain or both,
at terminals that know one, the other or both, and answers changed on the way.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.card import Card
from jinka.codec import Algorithm, parse
from jinka.codec.emv_tags import Tag
from jinka.crypto.emv_oda_sm2 import Sm2Form
from jinka.sectors import bank
from jinka.terminal import EmvStatus, Tvr
from jinka.terminal.emv_data import Capability
from tests.card.emv_rig import CA_KEY, SM2_CA_KEY, SM2_ICC, SM2_ISSUER, issued, sm2_authority
from tests.terminal.emv_rig import DEVICE, Nobody, Tap, reader, sale, terminal

FAILED = Tvr.ODA_NOT_DONE | Tvr.SDA_FAILED | Tvr.DDA_FAILED | Tvr.CDA_FAILED | Tvr.DATA_MISSING
BOTH = (CA_KEY, SM2_CA_KEY)
METHODS = [Capability.CDA, Capability.DDA, Capability.SDA]


def _card(*, rsa: bool = False, form: Sm2Form | None = None, **more: object) -> Card:
    authority = sm2_authority() if form is None else sm2_authority(form)
    return issued(
        spec=bank.SPEC_SM2,
        algorithm=Algorithm.SM4,
        signed=rsa,
        sm2=(authority, SM2_ICC),
        **more,
    )


def _only(method: Capability) -> Capability:
    return DEVICE.capabilities & ~(Capability.CDA | Capability.DDA | Capability.SDA) | method


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rsa", [False, True], ids=["SM2 alone", "both chains"])
def test_each_method(method: Capability, rsa: bool) -> None:
    found = terminal(ca_keys=BOTH, capabilities=_only(method)).purchase(
        Tap(_card(rsa=rsa)), sale(1000), Nobody()
    )
    assert found.status is EmvStatus.APPROVED_OFFLINE, found
    assert not found.tvr & FAILED
    assert found.data[Tag.CA_INDEX] == b"\x57"
    if method is not Capability.SDA:
        assert len(found.data[Tag.ICC_CERTIFICATE]) == 148


def test_a_terminal_without_sm2_is_shown_the_rsa_chain() -> None:
    found = terminal().purchase(Tap(_card(rsa=True)), sale(1000), Nobody())
    assert found.status is EmvStatus.APPROVED_OFFLINE
    assert found.data[Tag.CA_INDEX] == b"\x61"
    found = terminal().purchase(Tap(_card()), sale(1000), Nobody())
    assert found.tvr & Tvr.ODA_NOT_DONE


def test_a_tap_with_sm2() -> None:
    card = _card()
    found = reader(ca_keys=BOTH).tap(Tap(card), sale(1234), Nobody())
    assert found.status is EmvStatus.APPROVED_OFFLINE, found
    assert found.data[Tag.DYNAMIC_SIGNATURE][0] == 0xA5
    assert reader().tap(Tap(_card()), sale(1234), Nobody()).status is EmvStatus.DECLINED_OFFLINE


@pytest.mark.parametrize("method", METHODS)
def test_the_wrong_ca_and_the_wrong_id(method: Capability) -> None:
    stranger = replace(SM2_CA_KEY, key=SM2_ISSUER.public_key())
    for keys, card in (
        ((stranger,), _card()),
        ((SM2_CA_KEY,), _card(form=Sm2Form(user_id=b"another id"))),
        ((replace(SM2_CA_KEY, form=Sm2Form(user_id=b"another id")),), _card()),
        ((replace(SM2_CA_KEY, expiry=sale().at.date().replace(year=2017)),), _card()),
    ):
        device = terminal(ca_keys=keys, capabilities=_only(method))
        found = device.purchase(Tap(card), sale(1000), Nobody())
        assert found.tvr & (Tvr.SDA_FAILED | Tvr.DDA_FAILED | Tvr.CDA_FAILED)
        assert not found.approved


def test_a_revoked_issuer_certificate() -> None:
    for keys, card in (
        ((replace(SM2_CA_KEY, revoked=frozenset({b"\0\0\1"})),), _card()),
        ((replace(CA_KEY, revoked=frozenset({b"\0\0\1"})),), issued()),
    ):
        found = terminal(ca_keys=keys).purchase(Tap(card), sale(1000), Nobody())
        assert found.tvr & Tvr.CDA_FAILED
        assert not found.approved
    other = replace(CA_KEY, revoked=frozenset({b"\0\0\2"}))
    assert terminal(ca_keys=(other,)).purchase(Tap(issued()), sale(1000), Nobody()).approved


def test_an_rsa_card_cannot_use_the_index_of_an_sm2_key() -> None:
    device = terminal(ca_keys=(replace(SM2_CA_KEY, index=0x61),))
    found = device.purchase(Tap(issued()), sale(1000), Nobody())
    assert found.tvr & Tvr.CDA_FAILED
    assert not found.approved


def _end_of(tag: int, body: bytes) -> int | None:
    """Where a tag's value ends within the template 70 or 77 of an answer: signatures may hold any byte."""
    for outer, value, at in parse(body):
        for inner, part, start in parse(value, base=at) if outer in (0x70, 0x77) else ():
            if inner == tag and part:
                return start + len(part)
    return None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tag", [0x90, 0x9F46, 0x93, 0x9F4B, 0x5A, 0x8C])
def test_a_changed_object_is_found(method: Capability, tag: int) -> None:
    """The last byte of an object on its way from card to terminal."""
    touched = []

    def change(command: bytes, answer: bytes) -> bytes:
        end = None if touched or command[1] not in (0xB2, 0xAE, 0x88) else _end_of(tag, answer[:-2])
        if end is None:
            return answer
        touched.append(tag)
        return answer[: end - 1] + bytes((answer[end - 1] ^ 0x11,)) + answer[end:]

    device = terminal(ca_keys=BOTH, capabilities=_only(method))
    found = device.purchase(Tap(_card(), change=change), sale(1000), Nobody())
    used = {0x90, 0x5A, 0x8C} | ({0x93} if method is Capability.SDA else {0x9F46})
    used |= {0x9F4B} if method is Capability.CDA else set()
    if tag in used:
        assert touched
        assert not found.approved
    if tag == 0x93 and method is not Capability.SDA:
        assert found.approved


def test_a_replayed_tap_is_not_believed() -> None:
    card, kept = _card(), []

    def replay(command: bytes, answer: bytes) -> bytes:
        if command[1] == 0xA8:
            kept.append(answer)
            return kept[0]
        return answer

    assert reader("1", ca_keys=BOTH).tap(Tap(card, change=replay), sale(1000), Nobody()).approved
    second = reader("2", ca_keys=BOTH).tap(Tap(card, change=replay), sale(1000), Nobody())
    assert second.tvr & Tvr.DDA_FAILED
    assert not second.approved
