"""Identity with a certificate, from the key pair to the counter. Method: the whole life, then each wrong turn."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.card import Card, Personal, PowerCut, personalised
from jinka.card.authenticate import authentication_answer
from jinka.codec import Algorithm
from jinka.crypto.block import message_mac4
from jinka.crypto.certificates import Authority
from jinka.crypto.rsa_sign import ChipKeyKind, generate_pair, public_info, sign_digest, verify_digest
from jinka.kit import Refused, Usage
from jinka.sectors.identity_card import PROFILE
from jinka.sim.randomness import SeededRandomness
from jinka.terminal import ChipRefused
from jinka.terminal.identity import (
    EnrolmentTerminal,
    IdentityStatus,
    IdentityTerminal,
    read_certificate,
)
from tests.card.rig import reloaded, send

NOW = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
START, END = dt.datetime(2025, 1, 1, tzinfo=dt.UTC), dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
PIN, ISSUER_KEY, MAC_KEY = b"\x12\x34\x56", bytes(range(16)), bytes(range(16, 32))
CARD_NO = bytes(10)
AUTHORITY = Authority.root("CN", "Jinka test authority", START, END)
SELECT = "00A4040008" + PROFILE.aid.hex()
VERIFY = "0020000103" + PIN.hex()
GENERATE = "0046800005B603800102" + "00"
DIGEST = hashlib.sha256(b"x").digest()
SIGN = "002A9E9A20" + DIGEST.hex() + "00"


class Desk:
    """The issuer's keys."""

    def answer(self, card_no: bytes, challenge: bytes) -> bytes:
        return authentication_answer(Algorithm.TDES, ISSUER_KEY, challenge)

    def message_mac(self, card_no: bytes, rand4: bytes, message: bytes) -> bytes:
        return message_mac4(Algorithm.TDES, MAC_KEY, rand4, message)


ENROLMENT = EnrolmentTerminal(PROFILE.aid, Desk(), Desk())


def blank() -> Card:
    personal = Personal(card_no=CARD_NO, keys=(PIN, ISSUER_KEY, MAC_KEY))
    return personalised(PROFILE, personal, SeededRandomness("identity"))


def certificate(
    public: bytes, *, serial: int = 7, end: dt.datetime = END, by: Authority = AUTHORITY
) -> bytes:
    return by.issue("CN", "张三 ZHANG SAN", public, serial, START, end)


def enrolled(kind: ChipKeyKind = ChipKeyKind.P256) -> Card:
    card = blank()
    ENROLMENT.write_certificate(card, CARD_NO, certificate(ENROLMENT.make_key(card, CARD_NO, kind)))
    return card


def counter(*anchors: bytes, revoked: frozenset[int] = frozenset()) -> IdentityTerminal:
    known = anchors or (AUTHORITY.certificate,)
    return IdentityTerminal(PROFILE.aid, b"desk 1", known, SeededRandomness("counter"), revoked)


@pytest.mark.parametrize("kind", [ChipKeyKind.P256, ChipKeyKind.RSA_2048])
def test_a_whole_life(kind: ChipKeyKind) -> None:
    card = enrolled(kind)
    found = counter().identify(card, PIN, NOW)
    assert found.status is IdentityStatus.PROVEN
    assert found.holder is not None
    assert (found.holder.name, found.holder.serial) == ("张三 ZHANG SAN", 7)
    assert "ZHANG" not in repr(found)
    again = counter().identify(reloaded(card), PIN, NOW)
    assert again.status is IdentityStatus.PROVEN, "key and certificate last"


def test_who_is_not_believed() -> None:
    card = enrolled()
    foreign = Authority.root("CN", "Jinka test authority", START, END)
    assert counter(foreign.certificate).identify(card, PIN, NOW).status is IdentityStatus.ISSUER_UNKNOWN
    assert counter().identify(card, PIN, END + dt.timedelta(days=1)).status is IdentityStatus.ISSUER_UNKNOWN
    assert counter().identify(card, PIN, START - dt.timedelta(days=1)).status is IdentityStatus.ISSUER_UNKNOWN
    assert counter(revoked=frozenset({7})).identify(card, PIN, NOW).status is IdentityStatus.REVOKED
    wrong = counter().identify(card, b"\x00\x00", NOW)
    assert (wrong.status, wrong.sw, wrong.step) == (IdentityStatus.REFUSED, 0x63C2, "verify PIN")
    assert counter().identify(blank(), PIN, NOW).status is IdentityStatus.NO_CERTIFICATE


def test_a_certificate_of_another_key_proves_nothing() -> None:
    card = enrolled()
    _, public = generate_pair(ChipKeyKind.P256)
    ENROLMENT.write_certificate(card, CARD_NO, certificate(public_info(ChipKeyKind.P256, public)))
    assert counter().identify(card, PIN, NOW).status is IdentityStatus.KEY_FALSE


def test_a_holder_is_no_authority() -> None:
    """A certificate for signatures must not certify: the holder's key signs one more certificate."""
    signer = AUTHORITY.signer("CN", "a holder", 9, START, END)
    card = blank()
    public = ENROLMENT.make_key(card, CARD_NO, ChipKeyKind.P256)
    ENROLMENT.write_certificate(card, CARD_NO, certificate(public, by=signer))
    assert counter(signer.certificate).identify(card, PIN, NOW).status is IdentityStatus.ISSUER_UNKNOWN
    assert counter().identify(card, PIN, NOW).status is IdentityStatus.ISSUER_UNKNOWN


def test_one_pin_entry_is_good_for_one_signature() -> None:
    card = enrolled()
    send(card, SELECT)
    assert send(card, SIGN) == "6982"
    assert send(card, VERIFY) == "9000"
    signature = bytes.fromhex(send(card, SIGN))[:-2]
    public = bytes.fromhex(send(card, "00468100" + "00"))[-67:-2]
    verify_digest(public_info(ChipKeyKind.P256, public), DIGEST, signature)
    with pytest.raises(Refused):
        verify_digest(public_info(ChipKeyKind.P256, public), bytes(32), signature)
    assert send(card, SIGN) == "6982"


def test_who_may_generate() -> None:
    card = enrolled()
    send(card, SELECT)
    before = bytes(card.nvm.memory)
    assert send(card, GENERATE) == "6982"
    send(card, VERIFY)
    assert send(card, GENERATE) == "6982", "the holder is not the issuer"
    assert bytes(card.nvm.memory) == before
    first = send(card, "0046810000")
    ENROLMENT.make_key(card, CARD_NO, ChipKeyKind.P256)
    assert send(card, SIGN) == "6982", "the issuer is not the holder"
    assert send(card, "0046810000") != first
    assert read_certificate(card) is None, "the certificate went with its key"


def test_the_private_key_leaves_by_no_command() -> None:
    card = enrolled()
    folder = card.directory.named(PROFILE.aid)
    assert folder is not None
    at = folder.children[0x0013].at
    private = bytes(card.nvm.memory[at + 1 : at + 33])
    said = b""
    for opening in ("", VERIFY):
        for ins in range(256):
            send(card, SELECT)
            for text in ("00A40000020013", opening):
                if text:
                    said += card.transmit(bytes.fromhex(text))
            for p1, p2 in ((0, 0), (1, 4), (0x93, 0), (1, 0x9C), (0x81, 0)):
                said += card.transmit(bytes((0x00, ins, p1, p2, 0x00)))
    assert private not in said
    assert len(said) > 1000


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("0046800000", "6982"),
        ("0046820000", "6A86"),
        ("0046800100", "6A86"),
        ("002A9E9B20" + "00" * 32, "6A86"),
        ("002A9E9A1F" + "00" * 31, "6700"),
        ("002A9E9A20" + "00" * 32, "6982"),
        ("00D69100040102030400"[:18], "6987"),
        ("0046810000", "6985"),
    ],
)
def test_wrong_commands(command: str, answer: str) -> None:
    card = blank()
    send(card, SELECT)
    assert send(card, command) == answer


@pytest.mark.parametrize(
    "data", ["", "B6", "B60380010F", "B603800101"[:8], "B60280" + "00", "AC03800102", "B6058003010203"]
)
def test_an_order_that_names_no_known_key(data: str) -> None:
    card = blank()
    send(card, SELECT)
    challenge = bytes.fromhex(send(card, "0084000008"))[:8]
    assert send(card, "0082000208" + Desk().answer(CARD_NO, challenge).hex()) == "9000"
    raw = bytes.fromhex(data)
    assert send(card, "00468000" + (f"{len(raw):02X}" if raw else "") + raw.hex() + "00") == "6A80"


def test_a_key_that_nobody_made() -> None:
    card = blank()
    send(card, SELECT)
    send(card, VERIFY)
    assert send(card, SIGN) == "6985"
    with pytest.raises(Usage):
        sign_digest(ChipKeyKind.RSA_2048, bytes(256), DIGEST)
    with pytest.raises(Usage):
        sign_digest(ChipKeyKind.P256, bytes(32), DIGEST)


@pytest.mark.parametrize("torn", [False, True])
def test_power_cuts_at_every_write_of_the_generation(torn: bool) -> None:
    """Afterwards there is the old pair with its certificate, or a new pair that fits and no certificate."""
    first = enrolled()
    total = 0
    for write in range(100):
        card = reloaded(first)
        send(card, SELECT)
        old = send(card, "0046810000")
        challenge = bytes.fromhex(send(card, "0084000008"))[:8]
        assert send(card, "0082000208" + Desk().answer(CARD_NO, challenge).hex()) == "9000"
        card.nvm.cut_after(write, torn=torn)
        try:
            send(card, GENERATE)
        except PowerCut:
            total += 1
        else:
            break
        card.nvm.cut_after(None)
        card = reloaded(card)
        send(card, SELECT)
        send(card, VERIFY)
        signature = bytes.fromhex(send(card, SIGN))[:-2]
        now = send(card, "0046810000")
        verify_digest(public_info(ChipKeyKind.P256, bytes.fromhex(now)[-67:-2]), DIGEST, signature)
        assert (read_certificate(card) is not None) == (now == old)
    assert total > 5


@pytest.mark.parametrize("torn", [False, True])
def test_a_card_pulled_while_its_certificate_is_written(torn: bool) -> None:
    card = blank()
    der = certificate(ENROLMENT.make_key(card, CARD_NO, ChipKeyKind.P256))
    seen = set()
    for write in range(60):
        one = reloaded(card)
        one.nvm.cut_after(write, torn=torn)
        try:
            ENROLMENT.write_certificate(one, CARD_NO, der)
        except PowerCut:
            one.nvm.cut_after(None)
            one = reloaded(one)
            send(one, SELECT)
            found = read_certificate(one)
            assert found in (None, der)
            seen.add(found is None)
        else:
            break
    else:
        pytest.fail("never through")
    assert seen == {True, False}


def test_the_certificate_needs_the_issuers_mac() -> None:
    class Stranger(Desk):
        def message_mac(self, card_no: bytes, rand4: bytes, message: bytes) -> bytes:
            return bytes(4)

    card = enrolled()
    with pytest.raises(ChipRefused, match="6988"):
        EnrolmentTerminal(PROFILE.aid, Desk(), Stranger()).write_certificate(card, CARD_NO, bytes(300))
    assert counter().identify(card, PIN, NOW).status is IdentityStatus.PROVEN


CARD = enrolled()


@settings(max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=262),
            st.builds(
                lambda cla, ins, p1, p2, body: bytes((cla, ins, p1, p2, len(body))) + body,
                st.sampled_from([0x00, 0x04, 0x80, 0x84]),
                st.sampled_from([0x46, 0x2A, 0x20, 0x82, 0x84, 0x88, 0xA4, 0xB0, 0xD6, 0xC0, 0xE0, 0xD4]),
                st.one_of(st.integers(0, 255), st.sampled_from([0, 0x80, 0x81, 0x9E])),
                st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 2, 0x9A])),
                st.one_of(st.binary(max_size=60), st.just(DIGEST), st.just(bytes.fromhex("B603800102"))),
            ),
        ),
        max_size=12,
    )
)
def test_hostile_bytes(attack: list[bytes]) -> None:
    card = reloaded(CARD)
    send(card, SELECT)
    key = send(card, "0046810000")
    for command in attack:
        answer = card.transmit(command)
        assert 2 <= len(answer) <= 258
    card.power_up()
    send(card, SELECT)
    assert send(card, "0046810000") == key
    assert read_certificate(card) is not None
