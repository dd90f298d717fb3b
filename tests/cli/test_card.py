"""`jinka card read|apdu|script|tree` without a reader. Goal: what is known is read and masked, what is not is said, and
a transcript stops where a card deviates. Method: fresh test cards, and cards played from published answers.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jinka.app.card_files import CardFile, fresh_psam, open_card
from jinka.app.card_read import SOCIAL, read_card
from jinka.app.card_reading import masked, masked_name
from jinka.app.card_samples import sample_card, secrets_of
from jinka.app.card_script import fits, read_script
from jinka.app.card_tree import card_tree, declared_tree, right_words
from jinka.app.card_words import explain
from jinka.card import Card, CardTemplate, Personal, personalised
from jinka.cli.main import app
from jinka.codec import StatusWord
from jinka.kit import NotFound, Usage
from jinka.profile import ApplicationProfile, FileKind
from jinka.sectors import PROFILES, fuel
from jinka.sectors.transit_shenzhen import PROFILE
from jinka.sim.randomness import SeededRandomness

TRANSIT = PROFILE.name


def _jinka(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["card", *arguments])


class Played:
    """A card that knows some commands and answers 6A82 to all others."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = {bytes.fromhex(sent): bytes.fromhex(answer) for sent, answer in answers.items()}

    def transmit(self, command: bytes) -> bytes:
        return self.answers.get(command, b"\x6a\x82")


# --- read


def test_a_purse_is_read_and_masked() -> None:
    plain = json.loads(_jinka("read", "--profile", TRANSIT, "--show", "--json").stdout)
    hidden = json.loads(_jinka("read", "--profile", TRANSIT, "--json").stdout)
    [purse] = plain["applications"]
    assert purse["number"] == "5180000000012345"
    assert (purse["holder_class_en"], purse["balance"], purse["unit"]) == ("ordinary", 0, "fen")
    assert (purse["valid_from"], purse["valid_to"]) == ("2018-01-01", "2040-12-31")
    assert hidden["applications"][0]["number"] == "************2345"
    for text in (_jinka("read", "--profile", TRANSIT), _jinka("read", "--profile", TRANSIT, "--lang", "zh")):
        assert text.exit_code == 0
        assert "************2345" in text.stdout
        assert "518000" not in text.stdout


def test_a_t_union_card_of_another_city() -> None:
    """The selection answer of a card of Beijing as an NFC reader saw it, and the log record of T-Union_Master."""
    name = "A000000632010105"
    public = "01011000FFFFFFFF020103105170010170907984201908062040123100" + "00"
    card = Played(
        {
            f"00A4040008{name}00": f"6F318408{name}A5259F0801029F0C1E{public}9000",
            "00B095001E": public + "9000",
            "00B0960001": "099000",
            "805C000204": "000001F49000",
            "00B201C417": "042D000000000001F409300089000340202412291417409000",
            "00B202C417": "042C000000000001F477300089000340202412291417409000",
            "00B203C417": "FF" * 23 + "9000",
            "00B204C417": "042A000000000001F409300089000340209912329999999000",
        }
    )
    [purse] = read_card(card).readings
    assert (purse.number, purse.valid_to) == ("3105170010170907984", "2040-12-31")
    assert purse.balance_text == "5.00 ¥"
    newest, odd = purse.log
    assert (newest.kind_en, newest.kind_zh, newest.amount) == ("composite purchase", "复合消费", 500)
    assert (newest.at, newest.counter) == ("2024-12-29 14:17:40", 0x042D)
    assert odd.kind_en == "type 77"
    assert purse.unknown == [
        "0016: holder class 09 is not in this program's table",
        "0018 record 2: transaction type 77",
        "0018 record 4: no date and time where they belong",
        "0017: the place of issue is not given",
        "001E: no trips are given",
    ]


def test_a_t_union_card_tells_its_trips_and_where_it_was_issued() -> None:
    """The layouts of 0017 and 001E as open card readers have them; the values are made up."""
    name = "A000000632010105"
    out = "04" + "0000300089000340" + "01" + "00000113000027" + "000000C8" + "0000012C" + "20241229141740"
    out += "1000" + "0102030405060708" + bytes(6).hex()
    strange = "7F" + out[2:18] + "09" + out[20:]
    answers = {
        f"00A4040008{name}00": "6F009000",
        "805C000204": "0000012C9000",
        "00B0970000": "00000000" + "5840" + "5840" + "000001" + "9000",
        "00B201F430": out + "9000",
        "00B202F430": bytes(48).hex() + "9000",
        "00B203F430": strange + "9000",
        "00B204F430": "04009000",
    }
    [purse] = read_card(Played(answers)).readings
    assert purse.issued_in == "5840 / 5840"
    trip, odd = purse.trips
    assert (trip.kind_en, trip.kind_zh, trip.amount, trip.balance) == ("metro, out", "地铁出站", 200, 300)
    assert (trip.at, trip.place, trip.city) == ("2024-12-29 14:17:40", "00000113000027", "1000")
    assert odd.kind_en == "industry 09, type 7F"
    assert purse.unknown[-3:] == [
        "001E record 3: trip type 7F", "001E record 3: industry 09", "001E record 4: 2 bytes instead of 48",
    ]  # fmt: skip
    answers["00B0970000"] = "01029000"
    assert (
        "0017: no place of issue where T-Union cards have it"
        in read_card(Played(answers)).readings[0].unknown
    )


class Guarded:
    """A bank card that shows no record before GET PROCESSING OPTIONS, as cards in the field."""

    def __init__(self, card: Card) -> None:
        self.card, self.started, self.asked = card, False, b""

    def transmit(self, command: bytes) -> bytes:
        if command[1] == 0xA8:
            self.started, self.asked = True, command
        return b"\x69\x85" if command[1] == 0xB2 and not self.started else self.card.transmit(command)


def test_a_bank_card_that_has_to_be_started_is_started_for_nothing() -> None:
    card = sample_card("cn.bank.debit", balance=4321)
    card.power_up()
    held = Guarded(card)
    [bank] = read_card(held).readings
    assert (bank.number, bank.balance) == ("5180000000012345", 4321)
    assert "to show its records the card counted one transaction, of nothing" in bank.unknown
    length = held.asked[6]
    assert held.asked[5:] == bytes((0x83, length)) + bytes(length + 1), "zeros: no qPBOC, no amount"
    assert read_card(held).readings[0].balance == 4321


@pytest.mark.parametrize(
    "options",
    ["80" + "04" + "7D000801", "7704940208FF", "770A94080801FF0008000100", "80", "6985", "77817F94"],
)
def test_a_bank_card_may_answer_what_it_likes_to_the_start(options: str) -> None:
    """False lengths, places that are none, a range of 255 records: the reading ends, without a number."""
    aid = "A000000333010101"
    card = Played(
        {
            f"00A4040008{aid}00": f"6F138408{aid}A507 9F3803 9F6604 9000",
            "80A8000006830400000000 00": options + "9000",
        }
    )
    [bank] = read_card(card).readings
    assert bank.number == ""
    assert any("no number" in text for text in bank.unknown)


def test_a_social_security_card() -> None:
    """LD/T 33; the card identifier is that of a real card's record, name and number are made up."""
    answers = {
        f"00A404000F{SOCIAL.hex()}00": "6F009000",
        "00A4000002EF05": "9000",
        "00B2010400": "0110330300D15600000599110145FFFFFFFF9000",
        "00B2020400": "0201339000",
        "00B2030400": "0704" + b"X123".hex() + "9000",
        "00A4000002EF06": "6A82",
    }
    [social] = read_card(Played(answers)).readings
    assert (social.number, social.holder_class_zh, social.balance) == ("X123", "卡的类别 3", None)
    assert "EF06: the holder's data are not given without a PIN or key" in social.unknown
    name = "张三".encode("gbk").hex()
    answers = {
        f"00A404000F{SOCIAL.hex()}00": "6F009000",
        "00A4000002EF06": "9000",
        "00B2010400": "0103313233" + "9000",
        "00B2020400": f"0204{name}9000",
    }
    [social] = read_card(Played(answers)).readings
    assert (social.holder, social.number) == ("张三", "123")
    assert social.as_dict(show=False)["holder"] == "张*"
    assert "EF05: the card's class is not given" in social.unknown


def test_a_qpboc_card_is_read_without_starting_a_transaction() -> None:
    aid = "A000000333010101"
    card = Played(
        {
            "00A404000E325041592E5359532E444446303100": f"6F0FBF0C0C610A4F08{aid}50004F".replace("50004F", "")
            + "9000",
            f"00A4040008{aid}00": f"6F188408{aid}A50C500A50424F43204445424954" + "9000",
            "00B2010C00": "70105A0862280000010000115F24033012319000",
            "80CA9F7900": "9F79060000000123459000",
        }
    )
    sent: list[bytes] = []
    play = card.transmit
    card.transmit = lambda command: (sent.append(command), play(command))[1]
    [bank] = read_card(card).readings
    assert (bank.number, bank.valid_to, bank.balance) == ("6228000001000011", "2030-12-31", 12345)
    assert bank.title_en == "PBOC debit (PBOC DEBIT)"
    assert not [command for command in sent if command[1] in (0xA8, 0xAE, 0x20, 0x50)], (
        "nothing that moves money"
    )


def test_what_is_there_and_not_read_is_said() -> None:
    content = read_card(Played({"00A4040007A000000247100100": "9000"}))
    assert content.notes == [
        "a travel document is there and not read: its machine-readable zone has to be read first"
    ]
    assert read_card(Played({})).notes == ["no application that this program knows answers its name"]


def test_reading_survives_every_answer() -> None:
    """Noise instead of answers: no exception but that of an answer without a status word."""
    dice = random.Random(1)

    class Noise:
        def transmit(self, command: bytes) -> bytes:
            return dice.randbytes(dice.randrange(0, 40)) + b"\x90\x00"

    for _ in range(60):
        read_card(Noise())


def test_masks() -> None:
    assert [masked_name(name) for name in ("", "张", "张三丰")] == ["", "*", "张**"]
    assert [masked(text) for text in ("", "123", "1234", "12345")] == ["", "***", "****", "*2345"]


# --- apdu


def test_one_command_is_explained() -> None:
    result = _jinka("apdu", "00A40400 08 A000000632010105", "--profile", TRANSIT)
    assert result.exit_code == 0
    assert "done / 执行成功" in result.stdout
    result = _jinka("apdu", "805C000204", "--profile", TRANSIT, "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["words"]["zh"] == "未找到文件或应用"
    for bad in ("00A4", "0", "zz", "00" * 262):
        assert _jinka("apdu", bad, "--profile", TRANSIT).exit_code == (4 if bad == "00A4" else 2)


def test_every_status_word_of_the_card_has_words() -> None:
    for sw in StatusWord:
        words = explain(sw)
        assert words.known, f"{sw:04X}"
        assert words.english
        assert words.chinese
    assert explain(0x63C2).english == "wrong; 2 tries left"
    assert explain(0x6C10).english == "wrong Le; 16 bytes are there"
    assert explain(0x61FF).known
    assert not explain(0x6999).known
    assert explain(0x6999).english == "the command is not allowed"
    assert not explain(0x1234).known


# --- script


def test_a_transcript_is_replayed_until_the_first_deviation(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_text("# a purse\n> 00A40400 08 A000000632010105\n< 6F31 .. 08*9000\n> 805C000204\n< 00000000 9000\n"
                    "reset\n> 805C000204\n< 6A82\n")  # fmt: skip
    result = _jinka("script", str(file), "--profile", TRANSIT)
    assert (result.exit_code, result.stdout) == (0, "3 exchanges, all as written / 共 3 条，全部一致\n")
    file.write_text("> 00A4040008A000000632010105\n> 805C000204\n< 000000019000 # one fen\n> 0084000004\n")
    result = _jinka("script", str(file), "--profile", TRANSIT)
    assert result.exit_code == 6
    assert "> 805C000204\n- 000000019000\n+ 000000009000\n        ^^\n  done / 执行成功" in result.stdout
    deviation = json.loads(_jinka("script", str(file), "--profile", TRANSIT, "--json").stdout)["deviation"]
    assert (deviation["line"], deviation["found"]) == (2, "000000009000")


@pytest.mark.parametrize(
    ("text", "line"),
    [("< 9000", 1), ("> 00A4\n< 9000\n< 9000", 3), ("> xyz", 1), ("> 00", 1), ("hello", 1), ("> 00A4\n< 9**0", 2),
     ("> 00A4\n< 900", 2), ("> 00A4\n<", 2), ("reset\n< 9000", 2), ("> " + "00" * 300, 1)],
)  # fmt: skip
def test_a_bad_line_of_a_transcript_is_named(text: str, line: int) -> None:
    with pytest.raises(Usage, match=f"^t:{line}: "):
        read_script(text, where="t")


def test_patterns() -> None:
    answer = bytes.fromhex("6F0102039000")
    for good in ("6F0102039000", "6F......9000", "*9000", "6F*", "6F*..9000", "*"):
        assert fits(good, answer), good
    for bad in ("6F01029000", "6F0102039001", "*9001", "7F*", "6F0102*02039000", "....", "6F01020390000000"):
        assert not fits(bad, answer), bad


# --- tree and files


def test_the_tree_of_a_card_is_the_declared_one() -> None:
    declared = declared_tree(PROFILE)
    found = card_tree(sample_card(TRANSIT)).children[0]
    assert found.name == PROFILE.aid
    wanted = [
        (node.fid, node.kind, node.size, node.read, node.write, node.mac) for _, node in declared.walk()
    ]
    real = [(node.fid, node.kind, node.size, node.read, node.write, node.mac) for _, node in found.walk()]
    assert real[1:] == [
        (fid, kind, size, read if fid else 0x95, write, mac)
        for fid, kind, size, read, write, mac in wanted[1:]
    ], "a key file's first right byte is fixed by its form"
    shown = _jinka("tree", "--profile", TRANSIT, "--lang", "zh").stdout
    assert "自由，带 MAC" in shown
    assert json.loads(_jinka("tree", "--profile", TRANSIT, "--json").stdout)["children"][1]["fid"] == "0015"
    assert _jinka("tree").exit_code == 2
    assert _jinka("tree", "--profile", "cn.nowhere").exit_code == 3


def test_rights_in_words() -> None:
    assert right_words(0xF0) == ("free", "自由")
    assert right_words(0xEF) == ("never", "禁止")
    assert right_words(0x41) == ("level 1 to 4", "安全状态 1 至 4")
    assert right_words(0x1F)[0] == "never"


def test_images_of_cards_and_modules_are_opened_and_kept(tmp_path: Path) -> None:
    for chip in (sample_card(TRANSIT, balance=700), fresh_psam()):
        path = tmp_path / "chip.jci"
        CardFile(chip, path).save()
        held = open_card(path)
        before = path.stat().st_mtime_ns
        held.save()
        assert path.stat().st_mtime_ns == before, "nothing changed, nothing is written"
        assert path.stat().st_mode & 0o077 == 0
        assert type(held.chip) is type(chip)
        assert bytes(held.chip.nvm.memory) == bytes(chip.nvm.memory)
    with pytest.raises(NotFound):
        open_card(tmp_path / "none")
    for raw in (b"", b"JCI", b"JCI\x02" + bytes(30), b"hello", b"JSI\x09" + bytes(9)):
        (tmp_path / "bad").write_bytes(raw)
        result = _jinka("read", "--image", str(tmp_path / "bad"))
        assert result.exit_code in (1, 2), raw
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_a_sample_of_every_application_is_kept_as_a_file_and_read(
    profile: ApplicationProfile, tmp_path: Path
) -> None:
    path = tmp_path / "chip.jci"
    card = sample_card(profile.name)
    CardFile(card, path).save()
    assert bytes(open_card(path).chip.nvm.memory) == bytes(card.nvm.memory)
    result = _jinka("read", "--image", str(path), "--json")
    found = json.loads(result.stdout)
    if profile.name == "jinka.identity":
        assert (result.exit_code, len(found["notes"])) == (3, 1)
    else:
        assert found["applications"] or found["notes"][0].endswith(("to be read first", "to the network"))
    chinese = _jinka("read", "--image", str(path), "--lang", "zh")
    said = found["notes"] + [line for one in found["applications"] for line in one["unknown"]]
    told = found["notes_zh"] + [line for one in found["applications"] for line in one["unknown_zh"]]
    assert len(said) == len(told)
    assert not [line for line in said if line in chinese.stdout + chinese.stderr], "in Chinese, all of it"
    assert all(line in chinese.stdout + chinese.stderr for line in told)


def test_the_tree_of_a_whole_bank_card_names_every_file(tmp_path: Path) -> None:
    path = tmp_path / "chip.jci"
    CardFile(sample_card("cn.bank.debit"), path).save()
    tree = card_tree(open_card(path).chip)
    assert all(node.title_en and node.title_zh for _, node in tree.walk())
    keys = next(node for _, node in tree.walk() if node.kind is FileKind.KEY)
    assert keys.as_dict()["read"] == "never"
    assert "使用中" in _jinka("tree", "--image", str(path), "--lang", "zh").stdout


def test_a_fresh_bank_card_is_found_by_the_contactless_environment() -> None:
    card = sample_card("cn.bank.debit")
    for name in (b"2PAY.SYS.DDF01", b"1PAY.SYS.DDF01"):
        assert card.transmit(bytes((0, 0xA4, 4, 0, len(name))) + name + b"\0")[-2:] == b"\x90\x00", name


def test_a_cloned_fuel_card_is_one_that_saw_every_apdu() -> None:
    """Its unblocking key is a derived key of 16 bytes, not a code of 8."""
    personal = Personal(card_no=bytes(9) + b"\x12", keys=secrets_of(fuel.PROFILE), balance=7)
    cloned = CardTemplate(fuel.PROFILE).clone(personal)
    dice = SeededRandomness("any")
    memory = personalised(fuel.PROFILE, personal, dice).nvm.memory
    assert Card.from_image(cloned, dice).nvm.memory == memory
