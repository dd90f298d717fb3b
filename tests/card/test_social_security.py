"""The social security card: the published answers, whose key opens what, and the reading of a holder by declaration."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.card import Card, Personal, PowerCut, personalised
from jinka.card.authenticate import authentication_answer
from jinka.card.records import record_contents
from jinka.codec import Algorithm
from jinka.codec.fields import Coding, decode_field, encode_field
from jinka.crypto.block import message_mac4
from jinka.kit import Usage
from jinka.profile import KeyUse
from jinka.sectors.social_security import AID, FOLDER_NAMES, PROFILE, RECORDS
from jinka.sim.randomness import SeededRandomness
from jinka.terminal import ChipRefused
from jinka.terminal.records import holder_values, read_records
from tests.card.rig import reloaded, send

VALUES = {
    "card id": "330300D15600000599110145FFFFFFFF",
    "class": "1",
    "version": "3.00",
    "initialiser": "330300D15600000599110145",
    "issued on": "20180901",
    "valid until": "20280831",
    "card number": "A12345678",
    "social security number": "11010519491231002X",
    "name": "张三",
    "sex": "1",
    "nation": "01",
    "birthplace": "110105",
    "born on": "19491231",
}
PIN = bytes.fromhex("123456")
# Keys that differ in more than the bits that DES ignores.
ROOT_KEYS = {
    (key.folder, key.use, key.kid): bytes((2 * number,)) * 16 for number, key in enumerate(PROFILE.keys)
}
SELECT = f"00A404000F{AID.hex()}"


def key_of(folder: int, use: KeyUse, kid: int) -> bytes:
    return PIN if use is KeyUse.PIN else ROOT_KEYS[folder, use, kid]


def card(values: dict[str, str] | None = None) -> Card:
    personal = Personal(
        card_no=bytes(10),
        keys=tuple(key_of(key.folder, key.use, key.kid) for key in PROFILE.keys),
        contents=record_contents(RECORDS, VALUES if values is None else values),
    )
    made = personalised(PROFILE, personal, SeededRandomness("social"))
    assert send(made, SELECT).endswith("9000")
    return made


PUBLISHED = [
    # source: readers of the card's environment (biecuoliao.com/pa/49GryJ0); the first answer is a real card's
    ("00A4000002EF05", "9000"),
    ("00B2010400", "0110330300D15600000599110145FFFFFFFF9000"),
    ("00B207040B", "0709" + b"A12345678".hex().upper() + "9000"),
    ("00A4000002EF06", "9000"),
    ("00B2010414", "0112" + b"11010519491231002X".hex().upper() + "9000"),
    ("00B2020420", "021E" + "张三".encode("gbk").ljust(30, b"\x00").hex().upper() + "9000"),
    ("0020000003123456", "9000"),
]


def test_the_published_commands() -> None:
    made = card()
    for command, answer in PUBLISHED:
        assert send(made, command) == answer


def test_the_name_of_the_environment() -> None:
    assert AID.decode("gbk") == "sx1.sh.社会保障"
    assert send(card(), "00A4040005" + AID[:5].hex()).endswith("9000"), "a partial name"


@pytest.mark.parametrize("record", RECORDS, ids=[record.name for record in RECORDS])
def test_examples_round_trip(record: object) -> None:
    from jinka.profile.records import RecordSpec

    assert isinstance(record, RecordSpec)
    assert record.example[:2] == bytes((record.number, record.length))
    assert len(record.example) == record.length + 2
    value = decode_field(record.coding, record.example[2:])
    assert encode_field(record.coding, value, record.length) == record.example[2:]
    assert value == VALUES[record.name]
    assert record.title_en
    assert record.title_zh


def test_a_holder_is_read_by_declaration() -> None:
    found = read_records(card(), AID, RECORDS)
    assert holder_values(found) == VALUES
    assert "张三" not in repr(found)


def test_what_cannot_be_read_is_said() -> None:
    made = card({"name": "李四"})
    found = {one.record.name: one for one in read_records(made, AID, RECORDS)}
    assert found["name"].value == "李四"
    assert found["class"].value == "", "an empty field"
    folder = made.directory.named(AID)
    assert folder is not None
    at = folder.children[0xEF06].at + 2
    made.nvm.memory[at] = 0x55
    made.nvm.memory[at + 2 + 18 + 2 : at + 2 + 18 + 4] = b"\xff\x80"
    found = {one.record.name: one for one in read_records(made, AID, RECORDS)}
    assert "another id" in found["social security number"].reason
    assert "GB 18030" in found["name"].reason
    with pytest.raises(ChipRefused, match="verify PIN"):
        read_records(made, AID, RECORDS, pin=b"\x00\x00")
    with pytest.raises(ChipRefused, match="select"):
        read_records(made, bytes(7), RECORDS)


def test_records_of_a_folder_that_is_closed() -> None:
    from dataclasses import replace

    below = replace(RECORDS[0], folder=0xDF03, fid=0xEF05, name="unemployment")
    found = read_records(card(), AID, (below, RECORDS[8]), folders=FOLDER_NAMES)
    assert found[0].sw == 0x6982
    assert found[1].value == "张三", "the rest is read all the same"


def authenticate(made: Card, key: bytes, kid: int) -> str:
    challenge = bytes.fromhex(send(made, "0084000008"))[:8]
    return send(made, f"008200{kid:02X}08" + authentication_answer(Algorithm.TDES, key, challenge).hex())


def secure(made: Card, key: bytes, head: str, data: bytes) -> str:
    rand4 = bytes.fromhex(send(made, "0084000004"))[:4]
    message = bytes.fromhex(head) + bytes((len(data) + 4,)) + data
    return send(made, (message + message_mac4(Algorithm.TDES, key, rand4, message)).hex())


AUTHENTICATORS = [place for place in ROOT_KEYS if place[1] is KeyUse.EXTERNAL_AUTHENTICATE]


@pytest.mark.parametrize("folder", [0, *FOLDER_NAMES])
@pytest.mark.parametrize("owner", AUTHENTICATORS, ids=[f"{f:04X}/{k}" for f, _, k in AUTHENTICATORS])
def test_every_key_on_every_folder(folder: int, owner: tuple[int, KeyUse, int]) -> None:
    """Only a folder's own key opens it, and only the updating key with the folder's own MAC key writes."""
    made = card()
    name = FOLDER_NAMES.get(folder, AID).hex()
    closed = "EF07" if not folder else "EF05"
    for kid in (1, 2):
        send(made, f"00A40400{len(name) // 2:02X}{name}")
        own = owner == (folder, KeyUse.EXTERNAL_AUTHENTICATE, kid)
        before = bytes(made.nvm.memory)
        assert send(made, f"00A4000002{closed}") == "9000"
        assert send(made, "00B2010400") == "6982"
        assert authenticate(made, ROOT_KEYS[owner], kid) == ("9000" if own else "63C4")
        assert send(made, "00B2010400") == ("6A83" if own else "6982")
        mac_key = ROOT_KEYS[folder, KeyUse.MAINTENANCE, 0]
        may_write = own and kid == 2
        data = bytes.fromhex("010401020304")
        assert secure(made, mac_key, "04E20004", data) == ("9000" if may_write else "6982")
        if may_write:
            assert send(made, "00B2010400") == data.hex().upper() + "9000"
            assert send(made, "00E2000406" + data.hex()) == "6987", "no writing without a MAC"
            other = ROOT_KEYS[0xDF01 if not folder else 0, KeyUse.MAINTENANCE, 0]
            assert secure(made, other, "04E20004", data) == "6988", "no other authority's MAC"
        elif own:
            assert bytes(made.nvm.memory) == before


def test_rights_end_with_the_folder() -> None:
    made = card()
    assert send(made, "0020000003123456") == "9000"
    assert send(made, "00A4000002EF07") == "9000"
    assert send(made, "00B2010400") == "6A83"
    assert send(made, "00A4040006D15600000503").endswith("9000")
    assert send(made, "00A4000002EF05") == "9000"
    assert send(made, "00B2010400") == "6982", "the PIN of the environment opens no folder below it"
    assert send(made, SELECT).endswith("9000")
    assert send(made, "00A4000002EF07") == "9000"
    assert send(made, "00B2010400") == "6982"


@pytest.mark.parametrize(
    ("coding", "value", "length"),
    [
        (Coding.TEXT, "张" * 16, 30),
        (Coding.DIGITS, "1A", 1),
        (Coding.DIGITS, "123", 1),
        (Coding.DATE, "20181301", 4),
        (Coding.DATE, "2018", 4),
        (Coding.BYTES, "GG", 1),
    ],
)
def test_values_that_do_not_fit(coding: Coding, value: str, length: int) -> None:
    with pytest.raises(Usage):
        encode_field(coding, value, length)
    with pytest.raises(Usage):
        record_contents(RECORDS, {"no such": "x"})
    with pytest.raises(Usage, match="born on"):
        record_contents(RECORDS, {"born on": "19991399"})


@given(st.sampled_from(list(Coding)), st.binary(max_size=40))
def test_any_bytes_are_a_value_or_refused(coding: Coding, raw: bytes) -> None:
    try:
        value = decode_field(coding, raw)
    except Usage:
        return
    if coding is Coding.NUMBER:
        assert value in ("", str(int.from_bytes(raw, "big")))
    else:
        assert coding is Coding.TEXT or value in ("", raw.hex().upper())
    assert value.isprintable()


def _append(made: Card) -> str:
    send(made, "00A4040006D15600000503")
    send(made, "00A4000002EF05")
    authenticate(made, ROOT_KEYS[0xDF03, KeyUse.EXTERNAL_AUTHENTICATE, 2], 2)
    return secure(made, ROOT_KEYS[0xDF03, KeyUse.MAINTENANCE, 0], "04E20004", bytes.fromhex("010401020304"))


def _verify(made: Card) -> str:
    return send(made, "0020000003123457")


@pytest.mark.parametrize("act", [_append, _verify])
def test_power_cuts_at_every_write(act: Callable[[Card], str]) -> None:
    made = card()
    states = {bytes(made.nvm.memory)}
    commit = type(made.nvm).commit

    class Watched(type(made.nvm)):
        __slots__ = ()

        def commit(self, entries: object) -> None:
            commit(self, entries)
            states.add(bytes(self.memory))

    made.nvm.__class__ = Watched
    act(made)
    for write in range(200):
        one = card()
        one.nvm.cut_after(write, torn=bool(write % 2))
        try:
            act(one)
        except PowerCut:
            one.nvm.cut_after(None)
            assert bytes(reloaded(one).nvm.memory) in states
        else:
            assert write > 3
            return
    pytest.fail("never through")


CARD = card()


@settings(max_examples=150)
@given(
    st.lists(
        st.builds(
            lambda cla, ins, p1, p2, body: bytes((cla, ins, p1, p2, len(body))) + body,
            st.sampled_from([0x00, 0x04, 0x80, 0x84]),
            st.sampled_from([0x20, 0x82, 0x84, 0xA4, 0xB0, 0xB2, 0xD6, 0xDC, 0xE2, 0xE0, 0xD4, 0x0E]),
            st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 2])),
            st.one_of(st.integers(0, 255), st.sampled_from([0, 4, 0x2C, 0x34])),
            st.one_of(st.binary(max_size=60), st.sampled_from([b"\xef\x05", b"\xef\x06", b"\xdf\x03"])),
        ),
        max_size=12,
    )
)
def test_hostile_bytes(attack: list[bytes]) -> None:
    made = reloaded(CARD)
    send(made, SELECT)
    for command in attack:
        assert 2 <= len(made.transmit(command)) <= 258
    made.power_up()
    assert holder_values(read_records(made, AID, RECORDS)) == VALUES
