"""Whole contact transactions: a card, a kernel and an issuer that share nothing but bytes.

Goal: an approval is an approval of all three, and every failure ends where the action codes say. Method: real cards
behind a link that can be changed or pulled; limits and codes are varied; garbage ends in an outcome.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.codec import Algorithm, tlv
from jinka.codec.emv_tags import Tag
from jinka.issuer.emv import EmvIssuer, Question
from jinka.terminal import AidData, EmvStatus, Tsi, Tvr
from jinka.terminal.emv_data import Capability
from tests.card import emv_rig
from tests.card.emv_rig import data, issued, options, select
from tests.terminal.emv_rig import KEYS, Nobody, Tap, issuer, sale, terminal, with_application

ONLINE = {"forced_online": True}
ALL = Capability(0xE0F8C8)


def test_a_small_purchase_stays_offline_with_a_combined_signature() -> None:
    link = Tap(issued())
    found = terminal().purchase(link, sale(), Nobody())
    assert found.status is EmvStatus.APPROVED_OFFLINE, found
    assert found.tvr == Tvr(0)
    assert found.tsi & Tsi.ODA
    assert found.data[Tag.CID] == b"\x40"
    assert found.data[Tag.CVM_RESULTS] == bytes.fromhex("440102") or found.data[Tag.CVM_RESULTS][2] == 2
    assert any(command[1] == 0xAE and command[2] == 0x50 for command in link.commands)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_an_online_purchase_with_scripts(algorithm: Algorithm) -> None:
    card = issued(algorithm=algorithm)

    def scripts(host: EmvIssuer, question: Question) -> list[bytes]:
        return [host.load(question, 80_000), host.new_pin(question, "654321")]

    found = terminal().purchase(Tap(card), sale(60_000), issuer(scripts=scripts))
    assert found.status is EmvStatus.APPROVED_ONLINE, found
    assert found.tvr == Tvr.FLOOR_LIMIT
    assert found.tsi & Tsi.SCRIPT
    assert found.tsi & Tsi.ISSUER_AUTHENTICATION
    assert found.failed_scripts == 0
    assert data(card, Tag.ECASH_BALANCE).hex() == "000000080000"
    again = terminal("2").purchase(Tap(card), sale(1000, "123456", "654321"), Nobody())
    assert again.status is EmvStatus.APPROVED_OFFLINE
    assert data(card, Tag.PIN_TRIES) == b"\x03"


def test_an_issuer_that_declines() -> None:
    card = issued()
    found = terminal().purchase(Tap(card), sale(60_000), issuer(b"51"))
    assert found.status is EmvStatus.DECLINED_ONLINE
    assert found.data[Tag.CID] == b"\x00"
    assert data(card, Tag.LAST_ONLINE) == b"\x00\x01", "the card knows that its issuer answered"


def test_a_forged_approval_is_declined_by_the_card() -> None:
    class Forger:
        def authorise(self, request: bytes) -> bytes:
            return tlv(Tag.ARC, b"00") + tlv(Tag.ISSUER_AUTHENTICATION, bytes(8) + b"00")

    found = terminal().purchase(Tap(issued()), sale(60_000), Forger())
    assert found.status is EmvStatus.DECLINED_ONLINE
    assert found.tvr & Tvr.ISSUER_AUTHENTICATION_FAILED
    assert "card declined" in found.step


def test_a_forged_request_is_declined_by_the_issuer() -> None:
    class Middle:
        def authorise(self, request: bytes) -> bytes:
            return issuer().authorise(
                request.replace(bytes.fromhex("9F0206000000060000"), bytes.fromhex("9F0206000000000001"))
            )

    found = terminal().purchase(Tap(issued()), sale(60_000), Middle())
    assert found.status is EmvStatus.DECLINED_ONLINE
    assert found.data[Tag.ARC] == b"05"


@pytest.mark.parametrize(
    ("default", "status"), [(0, EmvStatus.APPROVED_OFFLINE), (0x8000, EmvStatus.DECLINED_OFFLINE)]
)
def test_nobody_answers(default: int, status: EmvStatus) -> None:
    card = issued(iac_default=(default).to_bytes(5, "big"))
    device = with_application(tac_default=default)
    found = terminal(**device).purchase(Tap(card), sale(60_000), Nobody())
    assert found.status is status
    assert found.data[Tag.ARC] == (b"Y3" if default == 0 else b"Z3")


def test_a_terminal_without_a_line() -> None:
    found = terminal(online=False).purchase(Tap(issued(offline_lower=0)), sale(), Nobody())
    assert found.status is EmvStatus.APPROVED_OFFLINE


# ---- offline data authentication


@pytest.mark.parametrize(
    ("capabilities", "failed"),
    [
        (ALL & ~Capability.CDA, Tvr.DDA_FAILED),
        (ALL & ~Capability.CDA & ~Capability.DDA, Tvr.SDA_FAILED),
        (ALL, Tvr.CDA_FAILED),
    ],
    ids=["DDA", "SDA", "CDA"],
)
def test_each_method_and_its_failure(capabilities: Capability, failed: Tvr) -> None:
    good = terminal(capabilities=capabilities).purchase(Tap(issued()), sale(), Nobody())
    assert good.status is EmvStatus.APPROVED_OFFLINE, good
    assert good.tvr in (Tvr(0), Tvr.SDA_SELECTED)
    without_key = terminal(capabilities=capabilities, ca_keys=()).purchase(Tap(issued()), sale(), issuer())
    assert without_key.tvr & failed
    assert without_key.status is EmvStatus.APPROVED_ONLINE, "the online codes ask the issuer"
    altered = terminal(capabilities=capabilities).purchase(
        Tap(issued(), change=_later_expiry), sale(), issuer()
    )
    assert altered.tvr & failed


def _later_expiry(command: bytes, answer: bytes) -> bytes:
    return answer.replace(bytes.fromhex("5F2403281231"), bytes.fromhex("5F2403301231"))


def test_a_changed_cryptogram_under_a_combined_signature_is_declined() -> None:
    def change(command: bytes, answer: bytes) -> bytes:
        if command[1] != 0xAE or command[2] != 0x50:
            return answer
        return answer.replace(bytes.fromhex("9F360200"), bytes.fromhex("9F360201"))

    found = terminal().purchase(Tap(issued(), change=change), sale(), issuer())
    assert found.status is EmvStatus.DECLINED_OFFLINE
    assert found.tvr & Tvr.CDA_FAILED


def test_a_signature_of_another_transaction_is_no_dynamic_authentication() -> None:
    kept: list[bytes] = []

    def replay(command: bytes, answer: bytes) -> bytes:
        if command[1] != 0x88:
            return answer
        kept.append(answer)
        return kept[0]

    capabilities = ALL & ~Capability.CDA
    card = Tap(issued(), change=replay)
    assert not terminal("1", capabilities=capabilities).purchase(card, sale(), issuer()).tvr & Tvr.DDA_FAILED
    second = terminal("2", capabilities=capabilities).purchase(card, sale(), issuer())
    assert second.tvr & Tvr.DDA_FAILED


def test_a_card_that_cannot_be_authenticated() -> None:
    found = terminal().purchase(Tap(issued(signed=False)), sale(), issuer())
    assert found.tvr & Tvr.ODA_NOT_DONE
    assert found.status is EmvStatus.APPROVED_ONLINE


# ---- holder


def test_pins_wrong_then_right_and_used_up() -> None:
    good = terminal().purchase(Tap(issued()), sale(1000, "111111", "123456"), Nobody())
    assert good.status is EmvStatus.APPROVED_OFFLINE
    bad = terminal().purchase(Tap(issued()), sale(1000, *["111111"] * 9), issuer())
    assert bad.tvr & Tvr.PIN_TRIES_EXCEEDED
    assert not bad.approved


def test_plain_pin_where_the_terminal_cannot_encipher() -> None:
    link = Tap(issued())
    found = terminal(capabilities=ALL & ~Capability.ENCIPHERED_PIN).purchase(link, sale(), Nobody())
    assert found.data[Tag.CVM_RESULTS].hex() == "410302"
    assert found.tvr == Tvr(0), "a method that the terminal lacks is passed over, its condition says so"


# ---- selection


def test_without_an_environment_the_list_finds_the_card() -> None:
    def hide(command: bytes, answer: bytes) -> bytes:
        return b"\x6a\x82" if b"1PAY" in command else answer

    assert terminal().purchase(Tap(issued(), change=hide), sale(), Nobody()).approved


def test_a_foreign_terminal_knows_nothing() -> None:
    found = terminal(aids=(AidData(aid=bytes.fromhex("A0000000031010")),)).purchase(
        Tap(issued()), sale(), Nobody()
    )
    assert found.status is EmvStatus.REFUSED
    assert found.step == "no application"


def test_a_blocked_application_is_not_used() -> None:
    card = issued()

    def block(host: EmvIssuer, question: Question) -> list[bytes]:
        return [host.script(question, bytes.fromhex("841E0000"))]

    assert terminal().purchase(Tap(card), sale(60_000), issuer(scripts=block)).approved
    found = terminal("2").purchase(Tap(card), sale(), issuer())
    assert found.status is EmvStatus.REFUSED


def test_a_script_that_fails_is_reported_and_the_rest_is_left() -> None:
    def scripts(host: EmvIssuer, question: Question) -> list[bytes]:
        return [host.load(question, 200_000), host.load(question, 90_000)]

    card = issued()
    found = terminal().purchase(Tap(card), sale(60_000), issuer(scripts=scripts))
    assert found.approved
    assert found.failed_scripts == 1
    assert found.tvr & Tvr.SCRIPT_AFTER_FAILED
    assert data(card, Tag.ECASH_BALANCE).hex() == "000000050000"


def test_a_card_may_not_answer_higher_than_asked() -> None:
    def raise_it(command: bytes, answer: bytes) -> bytes:
        return b"\x80\x0b\x40" + answer[3:13] + b"\x90\x00" if command[1] == 0xAE else answer

    device = with_application(tac_denial=0x8000)
    found = terminal(**device).purchase(Tap(issued(form=4), change=raise_it), sale(60_000), issuer())
    assert found.status is EmvStatus.REFUSED


@pytest.mark.parametrize("ins", [0xA4, 0xA8, 0xB2, 0x20, 0xAE, 0x82])
def test_a_card_pulled_anywhere(ins: int) -> None:
    for attribute in ("pull_before", "pull_after"):
        link = Tap(issued())
        setattr(link, attribute, ins)
        found = terminal().purchase(link, sale(60_000), issuer())
        assert found.status is EmvStatus.REMOVED


# ---- hostile cards


@settings(max_examples=60)
@given(
    ins=st.sampled_from([0xA4, 0xA8, 0xB2, 0x88, 0xAE, 0xCA, 0x20, 0x84]),
    place=st.integers(0, 260),
    value=st.integers(0, 255),
    cut=st.booleans(),
)
def test_one_wrong_byte_is_never_an_approval_of_something_else(
    ins: int, place: int, value: int, cut: bool
) -> None:
    def change(command: bytes, answer: bytes) -> bytes:
        if command[1] != ins or len(answer) < 3:
            return answer
        at = place % len(answer)
        return answer[:at] if cut else answer[:at] + bytes((value,)) + answer[at + 1 :]

    found = terminal().purchase(Tap(_CARD, change=change), sale(), Nobody())
    _CARD.power_up()
    if found.approved:
        assert found.data[Tag.PAN].hex() == emv_rig.PAN
        assert found.data[Tag.AMOUNT].hex() == "000000001000"


_CARD = issued(offline_lower=0, offline_upper=0, spent_lower_fen=0, spent_upper_fen=0)


@settings(max_examples=60)
@given(answers=st.lists(st.binary(max_size=80), min_size=1, max_size=30), good=st.booleans())
def test_garbage_ends_in_an_outcome(answers: list[bytes], good: bool) -> None:
    class Garbage:
        def __init__(self) -> None:
            self.count = 0

        def transmit(self, command: bytes) -> bytes:
            self.count += 1
            assert self.count < 2000, "a kernel must come to an end"
            return answers[self.count % len(answers)] + (b"\x90\x00" if good else b"")

    assert not terminal().purchase(Garbage(), sale(), issuer()).approved


@settings(max_examples=60)
@given(reply=st.binary(max_size=60))
def test_a_garbled_issuer_is_nobody(reply: bytes) -> None:
    class Garbled:
        def authorise(self, request: bytes) -> bytes:
            return reply

    found = terminal().purchase(Tap(issued()), sale(60_000), Garbled())
    assert found.status is not EmvStatus.APPROVED_ONLINE


def test_the_issuer_refuses_garbage() -> None:
    host = EmvIssuer(KEYS)
    for request in (b"", b"\xff" * 9, b"\x9f\x26\x08", tlv(0x9F26, bytes(8))):
        assert host.authorise(request) == tlv(Tag.ARC, b"05")


def test_the_log_holds_the_offline_purchase() -> None:
    card = issued()
    terminal().purchase(Tap(card), sale(1234), Nobody())
    select(card)
    assert card.transmit(bytes.fromhex("00B2015C00"))[6:12].hex() == "000000001234"
    assert options(card)[-2:] == b"\x90\x00"
