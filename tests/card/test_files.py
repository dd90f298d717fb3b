"""File system, access rights and authentication of the card, command by command."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.card import Card
from jinka.card.access import message_mac4
from jinka.card.authenticate import authentication_answer
from jinka.card.files import (
    FILE_HEAD,
    HEAD,
    blank_memory,
    creation,
    extents,
    file_header,
    free_offset,
    release,
)
from jinka.codec import Algorithm
from jinka.crypto import mac4, purchase_session
from jinka.crypto.block import pad80, sm4_encrypt, sm4_mac4, tdes_encrypt
from jinka.profile import FileKind
from tests.card import purse_rig
from tests.card.rig import Scripted, application, expect, reloaded, select, send

KEY = "00112233445566778899AABBCCDDEEFF"
KEYS = [
    f"01 3E F0 EF 01 00 {KEY}",
    f"01 3F F0 EF 01 00 {KEY}",
    f"00 34 F0 EF 00 00 {KEY}",
    f"00 36 F0 EF FF 33 {KEY}",
    f"00 39 F0 EF 04 33 {KEY}",
    f"01 39 41 EF 05 33 {KEY}",
    f"02 39 F0 EF 42 33 {KEY}",  # SM4: the label in the upper half of the state byte
    "00 3A F0 EF 01 33 123456",
    f"00 30 F0 EF 00 04 {KEY}",
    f"00 32 F0 EF 00 04 {KEY}",
    f"01 31 F0 EF 00 00 {KEY}",
]


def binary(read: str, write: str, type_: str = "28") -> Card:
    files = [f"0015 {type_} 0008 {read} {write} FFFF"]
    return application(Scripted(), KEYS, files=files, content=["00D69500080102030405060708"])


@pytest.mark.parametrize(
    ("right", "before", "after_pin", "after_authentication"),
    [  # the security register is 0, then 1, then 4
        ("F0", True, True, True),
        ("EF", False, False, False),
        ("41", False, True, True),
        ("11", False, True, False),
        ("44", False, False, True),
        ("10", True, True, False),
        ("01", False, False, False),
    ],
)
def test_the_nibble_rule(right: str, before: bool, after_pin: bool, after_authentication: bool) -> None:
    card = binary(right, "EF")

    def readable() -> bool:
        answer = send(card, "00B0950008")
        assert answer in ("01020304050607089000", "6982")
        return answer.endswith("9000")

    assert readable() is before
    expect(card, "0020000003123456")
    assert readable() is after_pin
    authenticate(card, 0)
    assert readable() is after_authentication
    select(card, "3F01")
    assert readable() is before, "SELECT of the folder resets the register"


def authenticate(card: Card, kid: int, algorithm: Algorithm = Algorithm.TDES, length: int = 8) -> None:
    challenge = card.transmit(bytes((0x00, 0x84, 0, 0, length)))[:-2]
    answer = authentication_answer(algorithm, bytes.fromhex(KEY), challenge)
    expect(card, f"008200{kid:02X}08" + answer.hex())


@pytest.mark.parametrize("length", [4, 8])
def test_external_authentication_in_both_algorithms(length: int) -> None:
    card = binary("F0", "EF")
    authenticate(card, 0, length=length)
    assert card.security == 4
    authenticate(card, 2, Algorithm.SM4, length=length)
    assert card.security == 2


def test_a_key_may_ask_for_another_key_first() -> None:
    card = binary("F0", "EF")
    card.transmit(bytes.fromhex("0084000008"))
    expect(card, "0082000108" + "00" * 8, "6982")
    authenticate(card, 0)
    authenticate(card, 1)
    assert card.security == 5


def test_a_challenge_is_good_for_the_next_command_only() -> None:
    card = binary("F0", "EF")
    challenge = card.transmit(bytes.fromhex("0084000008"))[:-2]
    answer = tdes_encrypt(bytes.fromhex(KEY), challenge).hex()
    expect(card, "00B0950001", "019000")
    expect(card, "0082000008" + answer, "6985")
    challenge = card.transmit(bytes.fromhex("0084000008"))[:-2]
    answer = tdes_encrypt(bytes.fromhex(KEY), challenge).hex()
    expect(card, "0082000008" + answer)
    expect(card, "0082000008" + answer, "6985")
    for length in ("00", "03", "05", "20"):
        expect(card, f"00840000{length}", "6700")


def test_a_pin_counts_down_locks_and_is_forgiven_by_a_right_one() -> None:
    card = binary("F0", "EF")
    expect(card, "0020000003123457", "63C2")
    expect(card, "0020000003123450", "63C1")
    expect(card, "0020000008123456FFFFFFFFFF")  # trailing FF is no part of a PIN
    expect(card, "0020000003000000", "63C2")
    expect(card, "0020000003000000", "63C1")
    expect(card, "0020000003000000", "6983")
    expect(card, "0020000003123456", "6983")
    again = reloaded(card)
    select(again, "3F01")
    expect(again, "0020000003123456", "6983")


def test_pulling_the_card_does_not_save_a_try() -> None:
    from jinka.card import PowerCut

    for write in range(3, 9):
        card = binary("F0", "EF")
        card.nvm.cut_after(write)
        try:
            card.transmit(bytes.fromhex("0020000003999999"))
        except PowerCut:
            card.nvm.cut_after(None)
            card.power_up()
            select(card, "3F01")
        else:
            card.nvm.cut_after(None)
        if write >= 3:  # the mark of the journal is written: the try is spent
            expect(card, "0020000003999999", "63C1")


def test_internal_authentication_knows_the_types_of_keys() -> None:
    card = binary("F0", "EF")
    key = bytes.fromhex(KEY)
    expect(card, "0088000010" + "11" * 16, sm4_encrypt(key, b"\x11" * 16).hex() + "9000")
    expect(card, "0088020005" + "11" * 5, sm4_mac4(key, b"\x11" * 5).hex() + "9000")
    expect(card, "0088010108" + tdes_encrypt(key, bytes(8)).hex(), "00" * 8 + "9000")
    expect(card, "0088000008" + "11" * 8, "6700")  # half an SM4 block
    expect(card, "0088010008" + "11" * 8, "9403")  # no deciphering key of that index
    expect(card, "0088030008" + "11" * 8, "6A86")


def test_secure_messaging_with_mac_and_with_encryption() -> None:
    key = bytes.fromhex(KEY)
    card = binary("F0", "F0", type_="A8")
    expect(card, "00D6950001AA", "6987")
    expect(card, "04D6950005AA00000000", "6985")  # no challenge
    _secure(card, bytes.fromhex("AA"), key, "9000")
    expect(card, "00B0950002", "AA029000")
    both = binary("F0", "F0", type_="E8")
    _secure(both, tdes_encrypt(key, pad80(bytes.fromhex("02BBCC"), 8)), key, "9000")
    assert _content(both).startswith(bytes.fromhex("BBCC03"))
    _secure(both, tdes_encrypt(key, bytes.fromhex("FFBBCC0000000000")), key, "6988")  # a false length inside
    _secure(both, bytes(7), key, "6988")
    assert _content(both).startswith(bytes.fromhex("BBCC03"))


def _content(card: Card) -> bytes:
    """What lies in file 0015, which does not come out in the clear."""
    file = card.folder.children[0x0015]
    return bytes(card.nvm.memory[file.at : file.at + file.size])


def _secure(card: Card, body: bytes, key: bytes, answer: str) -> None:
    rand = card.transmit(bytes.fromhex("0084000004"))[:-2]
    message = bytes.fromhex("04D69500") + bytes((len(body) + 4,)) + body
    expect(card, (message + message_mac4(Algorithm.TDES, key, rand, message)).hex(), answer)


def test_three_wrong_macs_lock_the_maintenance_key() -> None:
    card = binary("F0", "F0", type_="A8")
    for answer in ("6988", "6988", "6988", "6983"):
        card.transmit(bytes.fromhex("0084000004"))
        expect(card, "04D6950005AA00000000", answer)
    _secure(card, b"\xaa", bytes.fromhex(KEY), "6983")
    expect(card, "00B0950001", "019000")


def test_binary_files_have_edges() -> None:
    card = binary("F0", "F0")
    expect(card, "00B0950000", "01020304050607089000")
    expect(card, "00B0950702", "6C01")
    expect(card, "00B0950801", "6B00")
    expect(card, "00B09401", "6A82")
    expect(card, "00B0B50001", "6A86")
    expect(card, "00B0800001", "6981")  # the key file is not for reading
    expect(card, "00D695070209AA", "6700")
    expect(card, "00D6950701FF")
    expect(card, "00A40000020015")
    expect(card, "00B0000602", "07FF9000")
    expect(card, "00D68200080000FFFF00000000", "6982")  # the purse cannot be written after issue
    expect(card, "00B0820004", "6981")


def test_records_of_every_kind() -> None:
    files = ["0017 2A 0302 F0 F0 FFFF", "0019 2E 0302 F0 F0 FFFF", "001A 2C 0010 F0 F0 FFFF"]
    card = application(Scripted(), KEYS, files=files)
    expect(card, "00B201BC02", "6A83")
    for value in ("0101", "0202", "0303"):
        expect(card, "00E200BC02" + value)
        expect(card, "00DC00CB02" + value)
    expect(card, "00E200BC020404", "6A84")
    expect(card, "00DC00CB020404")
    expect(card, "00B201CC02", "04049000")  # the newest of a cyclic file is number 1
    expect(card, "00B203CC02", "02029000")
    expect(card, "00B204CC02", "6A83")
    expect(card, "00DC02BC02AAAA")
    expect(card, "00B202BC00", "AAAA9000")
    expect(card, "00DC01CC02AAAA", "6A86")  # a cyclic record is never changed
    expect(card, "00E200D40461021122")
    expect(card, "00E200D4036201AA")
    expect(card, "00B261D000", "610211229000")
    expect(card, "00B202D400", "6201AA9000")
    expect(card, "00DC61D0046102CCDD")
    expect(card, "00B201D404", "6102CCDD9000")
    expect(card, "00DC61D0036101CC", "6700")  # another length
    expect(card, "00DC61D0046202CCDD", "6A80")  # another id
    expect(card, "00E200D4046405CCDD", "6A80")  # a false length inside
    expect(card, "00E200D40A6408" + "00" * 8, "6A84")
    expect(card, "00B263D000", "6A83")
    expect(card, "00B201D300", "6A86")


def test_commands_that_do_not_exist() -> None:
    card = binary("F0", "EF")
    expect(card, "00FE0000", "6D00")
    expect(card, "A0A40000023F00", "6E00")
    expect(card, "00", "6700")
    assert send(card, "00A4000000").endswith("9000")  # no data means the root folder
    expect(card, "00A40000033F00", "6700")
    expect(card, "00A4000000" + "00" * 300, "6700")
    expect(card, "00A4040005A000000001", "6A82")
    expect(card, "00A40400053F00000000", "6A82")
    expect(card, "00A40700023F00", "6A86")


def test_the_application_is_found_by_its_name_and_by_the_beginning_of_it() -> None:
    card = binary("F0", "EF")
    for name in ("A000000386980701", "A000000386"):
        raw = bytes.fromhex(name)
        assert send(card, f"00A40400{len(raw):02X}{name}00").startswith("6F")
    expect(card, "00A4040004A0000003", "6A82")  # shorter than a registered provider's identifier


def test_a_sealed_card_takes_no_more_files_or_keys() -> None:
    card = binary("F0", "EF")
    expect(card, "80E0001407280010F0F0FFFF", "6982")
    expect(card, f"80D4010515 3E F0 EF 02 00 {KEY}".replace(" ", ""), "6982")
    expect(card, f"80D43F0114 F0 EF 02 00 {KEY}".replace(" ", ""), "6982")
    assert send(card, "00A40000023F00").endswith("9000")
    expect(card, "80E0DF020D380100F0F095FFFF4142434445", "6982")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("80E00014 02 2800", "6700"),
        ("80E00014 07 220010F0F0FFFF", "6A80"),  # no such kind of file
        ("80E00015 07 280010F0F0FFFF", "6A80"),  # exists
        ("80E00055 07 280010F0F0FFFF", "6A80"),  # the same short identifier
        ("80E00014 07 2E0010F0F0FFFF", "6A80"),  # a cyclic file of no records
        ("80E00014 07 287FFFF0F0FFFF", "6A84"),
        ("80E00014 07 280000F0F0FFFF", "6A84"),
        ("80E0DF01 09 380100F0F095FFFF41", "6A80"),  # a name of one byte
        ("80D40109 05 3EF0EF0100", "6700"),
        ("80D40109 0C 3EF0EF0100 00000000000000", "6A80"),  # 7 bytes
        ("80D40109 15 3EF0EF0109 00112233445566778899AABBCCDDEEFF", "6A80"),  # algorithm 09
        ("80D40109 15 77F0EF0100 00112233445566778899AABBCCDDEEFF", "6A80"),  # type 77
        ("80D40101 15 3EF0EF0100 00112233445566778899AABBCCDDEEFF", "6A80"),  # there already
        ("80D43E09 14 F0EF0100 00112233445566778899AABBCCDDEEFF", "9403"),
    ],
)
def test_creation_that_makes_no_sense(command: str, answer: str) -> None:
    files = ["0015 28 0008 F0 F0 FFFF"]
    card = application(Scripted(), KEYS, files=files, seal=False)
    before = bytes(card.nvm.memory)
    expect(card, command.replace(" ", ""), answer)
    assert bytes(card.nvm.memory) == before


def test_creation_commands_of_real_scripts_are_taken() -> None:
    """Lines of published personalisation scripts for FM1208 cards."""
    card = Card.blank(Scripted())
    expect(card, "80E03F01113804F4F0F0957FFFA00000000386980701")
    select(card, "3F01")
    expect(card, "80E0000007" + "3F010095F0FFFF")
    expect(card, "80E00002072F0208F0F0FF18")
    expect(card, "80E00018072E0A17F1EFFFFF")
    expect(card, "805C000204", "000000009000")


@settings(max_examples=150)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 90)), max_size=40))
def test_room_is_used_again_and_nothing_overlaps(steps: list[tuple[bool, int]]) -> None:
    """Files made and removed at random: they tile the memory, keep their bytes, and what is gone reads as zeros."""
    memory, bodies = bytearray(blank_memory()), {}
    start = free_offset(memory)
    for number, (remove, size) in enumerate(steps):
        if remove and bodies:
            at = sorted(bodies)[size % len(bodies)]
            del bodies[at]
            release(memory, [at])
        else:
            header = file_header(
                FileKind.BINARY, 0x1000 + number, size, rights=(0, 0), extra=(0, 0), parent=HEAD
            )
            body = bytes((number + 1,)) * size
            writes = creation(memory, header, body, 0x8000)
            for at, raw in writes:
                memory[at : at + len(raw)] = raw
            bodies[writes[0][0]] = body
        tiles = [(at, size) for at, size in extents(memory) if at >= start]
        assert {at for at, _ in tiles if memory[at]} == set(bodies)
        for at, room in tiles:
            inside = memory[at + FILE_HEAD : at + room]
            assert inside == bodies[at] if at in bodies else not any(inside)
        assert not any(memory[free_offset(memory) :])
        assert all(memory[a] or memory[b] for (a, _), (b, _) in pairwise(tiles)), "neighbouring holes are one"
    release(memory, bodies)
    assert free_offset(memory) == start


def test_an_answer_fetched_in_parts_leaves_the_transaction_standing() -> None:
    """GET RESPONSE is the transport's business (ISO/IEC 7816-3, 12.2.1): a purchase goes on behind it."""
    card = purse_rig.card_with()
    purse_rig.verify(card)
    first = send(card, "805001020B 01 00000064 440300000001 04")
    assert first.endswith("610B")
    opened = bytes.fromhex(first[:-4] + send(card, "00C0000000")[:-4])
    session = purchase_session(Algorithm.TDES, purse_rig.BUY, opened[11:15], 0, bytes(4))
    mac1 = mac4(Algorithm.TDES, session, bytes.fromhex("00000064 06 440300000001 20180901083000"))
    answer = card.transmit(bytes.fromhex("805401000F 00000000 20180901083000") + mac1)
    assert answer[-2:] == b"\x90\x00"


def test_a_file_that_asks_for_encryption_is_not_read_in_the_clear() -> None:
    """Type bit 40: neither a plain READ nor a plain record read gives what only leaves in cipher."""
    card = purse_rig.card_with()  # 0017 is of type E8: MAC and encryption
    purse_rig.verify(card)
    expect(card, "00B0970008", "6987")
    expect(card, "00B0970000", "6987")
    expect(card, "00D6970002 0102", "6987")


def test_keys_are_written_to_a_key_file_alone() -> None:
    """A file 0000 of another kind takes no key, which its read right would give out."""
    card = Card.blank(Scripted())
    expect(card, "80E03F0110380000F0F095FFFFA000000386980701")
    select(card, "3F01")
    expect(card, "80E0000007 2C 0080 F0F0FFFF")
    before = bytes(card.nvm.memory)
    expect(card, "80D4010015 36F0EFFF33" + "AA" * 16, "6A82")
    assert card.nvm.memory == before
