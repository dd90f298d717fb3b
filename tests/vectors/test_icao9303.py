"""ICAO Doc 9303: zones of parts 4 to 6, and the worked examples of part 11 (access keys, secure messaging, active)."""

from __future__ import annotations

import pytest

from jinka.codec import Command
from jinka.codec.mrz import MrzFormat, check_digit, parse_mrz
from jinka.crypto import bac
from jinka.crypto.rsa_sign import recover_message, representative
from jinka.kit import Refused, Usage

ZONES = [
    (
        "Doc 9303-4, appendix A to section 4.2.2 (TD3 specimen)",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
        "L898902C3674081221204159",
    ),
    (
        "Doc 9303-5 (TD1 specimen)",
        "I<UTOD231458907<<<<<<<<<<<<<<<",
        "7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
        "D23145890774081221204159",
    ),
    (
        "Doc 9303-11, D.2 (TD2, a number of more than nine characters)",
        "I<UTOSTEVENSON<<PETER<<<<<<<<<<<<<<<",
        "D23145890<UTO3407127M95071227349<<<8",
        "D23145890734934071279507122",
    ),
    (
        "Doc 9303-11, D.2 (TD1, a number of more than nine characters)",
        "I<UTOD23145890<7349<<<<<<<<<<<",
        "3407127M9507122UTO<<<<<<<<<<<2STEVENSON<<PETER<<<<<<<<<<<<<<",
        "D23145890734934071279507122",
    ),
    (
        "Doc 9303-11, D.2 (TD1, nine characters; its composite digit is printed 1, the rule gives 2)",
        "I<UTOL898902C<3<<<<<<<<<<<<<<<",
        "6908061F9406236UTO<<<<<<<<<<<2ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
        "L898902C<369080619406236",
    ),
]

K_ENC, K_MAC = "AB94FDECF2674FDFB9B391F85D7F76F2", "7962D9ECE03D1ACD4C76089DCE131543"
KS_ENC, KS_MAC = "979EC13B1CBFE9DCD01AB0FED307EAE5", "F1CB1F1FB5ADF208806B89DC579DC1F8"
RND_IC, RND_IFD = "4608F91988702212", "781723860C06C226"
K_IFD, K_IC = "0B795240CB7049B01C19B33E32804F0B", "0B4F80323EB3191CB04970CB4052790B"
E_IFD = "72C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F25F1448EEA8AD90A7"
E_IC = "46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F2F2D235D074D7449"
# D.4: plain command, protected command, protected answer, plain data
MESSAGES = [
    (
        "00A4020C02011E",
        "0CA4020C158709016375432908C044F68E08BF8B92D635FF24F800",
        "990290008E08FA855A5D4C50A8ED",
        "",
    ),
    (
        "00B0000004",
        "0CB000000D9701048E08ED6705417E96BA5500",
        "8709019FF0EC34F9922651990290008E08AD55CC17140B2DED",
        "60145F01",
    ),
    (
        "00B0000412",
        "0CB000040D9701128E082EA28A70F3C7B53500",
        "871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A990290008E08C8B2787EAEA07D74",
        "04303130365F36063034303030305C026175",
    ),
]


def _h(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize(("first", "rest", "information"), [row[1:] for row in ZONES])
def test_a_zone(first: str, rest: str, information: str) -> None:
    zone = parse_mrz(first + "\n" + rest)
    assert "".join(zone.lines()) == first + rest
    assert zone.information.decode() == information
    assert zone.surname in ("ERIKSSON", "STEVENSON")


@pytest.mark.parametrize(("first", "rest"), [row[1:3] for row in ZONES])
def test_every_digit_of_a_zone_is_covered(first: str, rest: str) -> None:
    """A changed digit anywhere in the checked part is found."""
    text = first + rest
    lines, width = parse_mrz(text).format.value
    start = 5 if lines == 3 else width + 0
    checked = 0
    for at in range(start, len(text)):
        if text[at].isdigit() and at < 2 * width:
            broken = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
            with pytest.raises(Usage, match="check digit"):
                parse_mrz(broken)
            checked += 1
    assert checked > 10


@pytest.mark.parametrize("text", ["", "A" * 89, "a" * 88, "<" * 88, "\x00" * 90, "9" * 72])
def test_no_zone(text: str) -> None:
    with pytest.raises(Usage):
        parse_mrz(text)


def test_check_digits() -> None:
    """Doc 9303-3, 4.9, the examples of part A: 520727 gives 3, AB2134<<< gives 5."""
    assert (check_digit("520727"), check_digit("AB2134<<<")) == ("3", "5")
    assert MrzFormat.TD3.value == (2, 44)


def test_document_keys() -> None:
    """Doc 9303-11, D.2."""
    keys = bac.document_keys(b"L898902C<369080619406236")
    assert (keys.enc, keys.mac) == (_h(K_ENC), _h(K_MAC))


def test_mutual_authentication() -> None:
    """Doc 9303-11, D.3, both directions."""
    keys = bac.AccessKeys(_h(K_ENC), _h(K_MAC))
    from_terminal = _h(RND_IFD + RND_IC + K_IFD)
    assert bac.seal_shares(keys, from_terminal) == _h(E_IFD)
    assert bac.open_shares(keys, _h(E_IFD)) == from_terminal
    from_card = _h(RND_IC + RND_IFD + K_IC)
    assert bac.seal_shares(keys, from_card) == _h(E_IC)
    assert bac.open_shares(keys, _h(E_IC)) == from_card
    with pytest.raises(Refused, match="MAC"):
        bac.open_shares(keys, _h(E_IC)[:-1] + b"\x00")


def test_session_keys_and_counter() -> None:
    """Doc 9303-11, D.3, steps 7 and 8."""
    assert bac.derive_keys(_h("0036D272F5C350ACAC50C3F572D23600")) == bac.AccessKeys(_h(KS_ENC), _h(KS_MAC))
    assert _channel().counter == 0x887022120C06C226


def test_secure_messaging_of_the_terminal() -> None:
    """Doc 9303-11, D.4: SELECT EF.COM, READ BINARY of 4 and of 18 bytes."""
    terminal = _channel()
    for plain, protected, answer, data in MESSAGES:
        assert terminal.protect_command(Command.parse(_h(plain))).build() == _h(protected)
        assert terminal.open_answer(_h(answer)) == (_h(data), 0x9000)
    assert terminal.counter == 0x887022120C06C22C


def test_secure_messaging_of_the_card() -> None:
    """The same messages from the other side."""
    card = _channel()
    for plain, protected, answer, data in MESSAGES:
        assert card.open_command(Command.parse(_h(protected))).build() == _h(plain)
        assert card.protect_answer(_h(data), 0x9000) == _h(answer)


@pytest.mark.parametrize("message", range(3))
def test_any_changed_bit_ends_the_session(message: int) -> None:
    plain, protected, answer, _ = MESSAGES[message]
    for raw, card_side in ((_h(protected), True), (_h(answer), False)):
        for at in range(len(raw) * 8):
            broken = bytearray(raw)
            broken[at // 8] ^= 1 << at % 8
            if card_side and at // 8 in (0, 4, len(raw) - 1):  # class, Lc and Le are not in the MAC's objects
                continue
            channel = bac.SecureChannel(
                bac.AccessKeys(_h(KS_ENC), _h(KS_MAC)), 0x887022120C06C226 + 2 * message
            )
            with pytest.raises(Refused):
                if card_side:
                    channel.open_command(Command.parse(bytes(broken)))
                else:
                    channel.protect_command(Command.parse(_h(plain)))
                    channel.open_answer(bytes(broken))


def test_active_authentication() -> None:
    """Doc 9303-11, appendix F: RSA of 1024 bits with SHA-1, the opened signature."""
    m1 = _h(
        "9D2784A67F8E7C659973EA1AEA25D95B6C8F91E5002F369F0FBDCE8A3CEC1991B543F1696546C5524CF23A5303CD6C98"
        "599F40B79F377B5F3A1406B3B4D8F96784D23AA88DB7E1032A405E69325FA91A6E86F5C71AEA978264C4A207446DAD4E"
        "7292E2DCDA3024B47DA8"
    )
    f = b"\x6a" + m1 + _h("C063AA1E6D22FBD976AB0FE73D94D2D9C6D88127BC")
    challenge = _h("F173589974BF40C6")
    assert representative(1024, m1, challenge, sha256=False) == f
    assert recover_message(f, challenge) == m1
    with pytest.raises(Refused):
        recover_message(f, _h("F173589974BF40C7"))


def _channel() -> bac.SecureChannel:
    return bac.SecureChannel.agreed(_h(K_IFD), _h(K_IC), _h(RND_IFD), _h(RND_IC))
