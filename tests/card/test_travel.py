"""The travel document on the card: what is closed without the channel, what ends it, and hostile bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.card import Card, PowerCut
from jinka.codec import Command, lds
from jinka.crypto.bac import SecureChannel, document_keys, open_shares, seal_shares
from jinka.crypto.rsa_sign import ChipKeyKind
from jinka.kit import Refused
from tests.card.rig import reloaded
from tests.terminal.test_inspection import COUNTER, DATA, NOW, PRINTED, ZONE, data, document

SELECT = bytes.fromhex("00A4040C07") + lds.AID
CHALLENGE = bytes.fromhex("0084000008")
RAND, SHARE = bytes(range(8)), bytes(range(16))
FILES = (0x011E, 0x011D, 0x0101, 0x0102, 0x010E, 0x010F, 0x0010, 0x0000)


def selected() -> Card:
    card = document()
    assert card.transmit(SELECT)[-2:] == b"\x90\x00"
    return card


def opened(card: Card) -> SecureChannel:
    keys = document_keys(ZONE.information)
    challenge = card.transmit(CHALLENGE)[:8]
    answer = card.transmit(
        bytes.fromhex("0082000028") + seal_shares(keys, RAND + challenge + SHARE) + b"\x28"
    )
    plain = open_shares(keys, answer[:-2])
    assert plain[:16] == challenge + RAND
    return SecureChannel.agreed(SHARE, plain[16:], RAND, challenge)


def secure(card: Card, channel: SecureChannel, text: str) -> tuple[bytes, int]:
    answer = card.transmit(channel.protect_command(Command.parse(bytes.fromhex(text))).build())
    data_, sw = channel.open_answer(answer[:-2])
    assert sw.to_bytes(2, "big") == answer[-2:]
    return data_, sw


@pytest.mark.parametrize("fid", FILES)
def test_nothing_is_read_without_the_channel(fid: int) -> None:
    card = selected()
    assert card.transmit(bytes.fromhex("00A4020C02") + fid.to_bytes(2, "big")) == b"\x90\x00"
    assert card.transmit(bytes.fromhex("00B0000004"))[-2:] in (b"\x69\x82", b"\x69\x81")
    assert card.transmit(bytes((0x00, 0xB0, 0x80 | fid & 0x1F, 0, 4)))[-2:] in (
        b"\x69\x82",
        b"\x69\x81",
        b"\x6a\x82",
    )
    assert card.transmit(bytes.fromhex("00D600000100"))[-2:] in (b"\x69\x82", b"\x69\x81")
    assert card.transmit(bytes.fromhex("0088000008") + bytes(8) + b"\x00")[-2:] == b"\x69\x82"


def test_secrets_are_not_read_in_the_channel() -> None:
    card = selected()
    channel = opened(card)
    for fid in (0x0010, 0x0000):
        assert secure(card, channel, f"00A4020C02{fid:04X}")[1] == 0x9000
        assert secure(card, channel, "00B0000004")[1] == 0x6981
        assert secure(card, channel, "00D600000100")[1] in (0x6981, 0x6982)
    assert secure(card, channel, "00A4020C02011E")[1] == 0x9000
    assert secure(card, channel, "00D600000100")[1] == 0x6982, "an issued document is never written"


def test_errors_are_protected_and_the_session_goes_on() -> None:
    card = selected()
    channel = opened(card)
    assert secure(card, channel, "00A4020C020105") == (b"", 0x6A82)
    assert secure(card, channel, "00A4020C02011E") == (b"", 0x9000)
    assert secure(card, channel, "00B0000004")[0] == DATA.contents[0, lds.COM][:4]
    assert secure(card, channel, "00B0004004")[1] == 0x6B00
    assert secure(card, channel, "00B0000000")[0][:4] == DATA.contents[0, lds.COM][:4]
    assert secure(card, channel, "00F0000000")[1] == 0x6D00


def test_an_answer_holds_as_much_as_a_short_apdu_does() -> None:
    card = selected()
    channel = opened(card)
    secure(card, channel, "00A4020C020102")
    found, sw = secure(card, channel, "00B0000000")
    assert (len(found), sw) == (231, 0x9000)
    assert found == DATA.contents[0, 0x0102][:231]


@pytest.mark.parametrize("plain", ["00B0000004", "0084000008", "00A4020C02011E", "80CA9F7F00", "00"])
def test_a_plain_command_ends_the_session(plain: str) -> None:
    card = selected()
    channel = opened(card)
    assert secure(card, channel, "00A4020C02011E")[1] == 0x9000
    card.transmit(bytes.fromhex(plain))
    if plain != "00":
        assert (
            card.transmit(channel.protect_command(Command.parse(bytes.fromhex("00B0000004"))).build())
            == b"\x69\x85"
        )
    assert card.transmit(bytes.fromhex("00B0000004")) == b"\x69\x82"


def test_a_replayed_or_changed_command_ends_the_session() -> None:
    for replay in (True, False):
        card = selected()
        channel = opened(card)
        command = channel.protect_command(Command.parse(bytes.fromhex("00A4020C02011E"))).build()
        first = card.transmit(command)
        assert first[-2:] == b"\x90\x00"
        again = command if replay else command[:-4] + b"\x00" + command[-3:]
        assert card.transmit(again) == b"\x69\x88"
        assert card.transmit(command) == b"\x69\x85"
        assert card.security == 0


def test_selecting_again_and_power_end_the_session() -> None:
    card = selected()
    channel = opened(card)
    card.power_up()
    card.transmit(SELECT)
    assert (
        card.transmit(channel.protect_command(Command.parse(bytes.fromhex("00B09E0004"))).build())
        == b"\x69\x85"
    )
    channel = opened(card)
    assert card.transmit(channel.protect_command(Command.parse(SELECT)).build()) == b"\x90\x00", (
        "plain: a new session"
    )
    assert card.security == 0


def test_wrong_authentications_are_limited() -> None:
    card = selected()
    for _ in range(15):
        assert card.transmit(CHALLENGE)[-2:] == b"\x90\x00"
        assert card.transmit(bytes.fromhex("0082000028") + bytes(40) + b"\x28") == b"\x63\x00"
    card.transmit(CHALLENGE)
    assert card.transmit(bytes.fromhex("0082000028") + bytes(40) + b"\x28") == b"\x69\x83"
    card = reloaded(card)
    card.transmit(SELECT)
    card.transmit(CHALLENGE)
    assert card.transmit(bytes.fromhex("0082000028") + bytes(40) + b"\x28") == b"\x69\x83", "the count lasts"


def test_a_right_authentication_gives_the_tries_back() -> None:
    card = selected()
    for _ in range(3):
        for _ in range(14):
            card.transmit(CHALLENGE)
            assert card.transmit(bytes.fromhex("0082000028") + bytes(40) + b"\x28") == b"\x63\x00"
        opened(card)


def test_authentication_needs_a_fresh_challenge_of_eight() -> None:
    card = selected()
    keys = document_keys(ZONE.information)
    assert card.transmit(bytes.fromhex("0082000028") + bytes(40) + b"\x28") == b"\x69\x85"
    challenge = card.transmit(bytes.fromhex("0084000004"))[:4]
    command = bytes.fromhex("0082000028") + seal_shares(keys, RAND + challenge + bytes(4) + SHARE) + b"\x28"
    assert card.transmit(command) == b"\x69\x85"
    challenge = card.transmit(CHALLENGE)[:8]
    command = bytes.fromhex("0082000028") + seal_shares(keys, RAND + challenge + SHARE) + b"\x28"
    assert card.transmit(command)[-2:] == b"\x90\x00"
    assert card.transmit(command) == b"\x69\x85", "the challenge is spent"


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("right", [False, True])
def test_power_cuts_at_every_write_of_the_authentication(torn: bool, right: bool) -> None:
    keys = document_keys(ZONE.information)

    def prepared() -> tuple[Card, bytes]:
        card = selected()
        card.transmit(CHALLENGE)
        card.transmit(bytes.fromhex("0082000028") + bytes(40) + b"\x28")  # one try is spent
        challenge = card.transmit(CHALLENGE)[:8] if right else bytes(8)
        if not right:
            card.transmit(CHALLENGE)
        return card, bytes.fromhex("0082000028") + seal_shares(keys, RAND + challenge + SHARE) + b"\x28"

    card, command = prepared()
    card.nvm.cut_after(1000)
    card.transmit(command)
    total = card.nvm.writes
    assert total > 0
    for write in range(total):
        card, command = prepared()
        card.nvm.cut_after(write, torn=torn)
        with pytest.raises(PowerCut):
            card.transmit(command)
        card.nvm.cut_after(None)
        card = reloaded(card)
        folder = card.directory.named(lds.AID)
        assert folder is not None
        assert folder.key_file is not None
        tries = card.nvm.memory[folder.key_file.keys[0x39, 1] + 7]
        assert tries in (0xFE, 0xFD, 0xFF), "never more tries than there were, unless it was right"
        assert right or tries != 0xFF
        card.transmit(SELECT)
        opened(card)


_byte = st.integers(0, 255)
_ins = st.sampled_from([0xA4, 0xB0, 0x82, 0x84, 0x88, 0xD6, 0x20, 0xB2, 0xE0])


@settings(max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=270),
            st.tuples(st.sampled_from([0x00, 0x0C, 0x80, 0x04]), _ins, _byte, _byte, st.binary(max_size=60)),
        ),
        max_size=10,
    ),
    st.booleans(),
)
def test_hostile_bytes(attack: list[bytes | tuple[int, int, int, int, bytes]], inside: bool) -> None:
    card = selected()
    before = bytes(card.nvm.memory)
    channel = opened(card) if inside else None
    for item in attack:
        if isinstance(item, bytes):
            answer = card.transmit(item)
        else:
            cla, ins, p1, p2, body = item
            command = Command(cla, ins, p1, p2, body, 256)
            if channel is not None and cla == 0x00:
                command = channel.protect_command(command)
            answer = card.transmit(command.build())
        assert 2 <= len(answer) <= 258
    card.power_up()
    at = card.directory.named(lds.AID)
    assert at is not None
    assert at.key_file is not None
    tries = at.key_file.keys[0x39, 1] + 7
    after = bytes(card.nvm.memory)
    assert after[:tries] + after[tries + 1 :] == before[:tries] + before[tries + 1 :], (
        "only the tries may move"
    )


def test_a_chip_without_a_key_says_so() -> None:
    card = document(data(chip_key=None))
    card.transmit(SELECT)
    channel = opened(card)
    assert secure(card, channel, "0088000008" + "00" * 8 + "00")[1] == 0x6985


def test_the_longest_signature_fits() -> None:
    card = document(data(chip_key=ChipKeyKind.RSA_1536))
    card.transmit(SELECT)
    found, sw = secure(card, opened(card), "0088000008" + "00" * 8 + "00")
    assert (len(found), sw) == (192, 0x9000)


def test_reading_again_after_a_false_answer_needs_a_new_session() -> None:
    card = selected()
    channel = opened(card)
    command = channel.protect_command(Command.parse(bytes.fromhex("00A4020C02011E"))).build()
    answer = card.transmit(command)
    with pytest.raises(Refused):
        channel.open_answer(answer[:-3] + b"\x00")
    assert COUNTER.inspect(card, PRINTED, NOW).verdict == 0
