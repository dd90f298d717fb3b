"""Commands reach the selected application first. Method: applications side by side, one of them with a toy applet."""

from __future__ import annotations

from typing import ClassVar

import pytest

from jinka.card import Card, CardOs
from jinka.card.applet import Applet, Handler
from jinka.card.cos import APPLETS
from jinka.card.files import CardError, File
from jinka.codec import Command
from jinka.profile import ApplicationKind
from tests.card.rig import Scripted, expect, reloaded, send

EMV = bytes.fromhex("A000000333010101").hex()
PLAIN = bytes.fromhex("A000000386980701").hex()


def _count(card: CardOs, command: Command) -> bytes:
    applet = card.applet
    assert isinstance(applet, Counting)
    applet.count += 1
    if command.p1 == 0xEE:
        raise CardError(0x6310, b"\x01\x02")
    return bytes((applet.count,))


class Counting(Applet):
    """Answers 80 CA with a running number, doubles SELECT's answer, and ends every response with its own mark."""

    table: ClassVar[dict[tuple[int, int], Handler]] = {(0x80, 0xCA): _count}

    def __init__(self, card: CardOs, folder: File) -> None:
        super().__init__(card, folder)
        self.count = 0

    def selected(self, file: File, p2: int) -> bytes | None:
        return b"EF" if file is not self.folder else None

    def receive(self, command: Command) -> Command:
        if command.cla == 0x8C:
            return Command(0x80, command.ins, command.p1, command.p2, command.data, command.le)
        return command

    def respond(self, data: bytes, sw: int) -> bytes:
        return data + b"!" + sw.to_bytes(2, "big")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    """Two applications under the root; the first with an applet and a folder below it."""
    monkeypatch.setitem(APPLETS, ApplicationKind.EMV, Counting)
    card = Card.blank(Scripted())
    expect(card, "80E03F0110 38 0600 F0 EF 95 FF 01" + EMV)
    expect(card, "80E03F0210 38 0600 F0 EF 95 FF FF" + PLAIN)
    send(card, "00A40000023F01")
    assert send(card, "80E00016 07 28 0004 F0 EF FFFF") == "219000"
    assert send(card, "80E0DF01 0D 38 0100 F0 EF 95 FFFF 4142434445") == "219000"
    send(card, "00A4000002DF01")
    assert send(card, "80E00017 07 28 0004 F0 EF FFFF") == "219000"
    send(card, "00A40000023F00")
    return card


def test_the_applet_answers_while_its_folder_or_one_below_is_selected(card: Card) -> None:
    expect(card, "80CA0000", "6D00")
    send(card, "00A4040008" + EMV)
    assert send(card, "80CA0000") == "01219000"
    assert send(card, "8CCA0000") == "02219000"
    assert send(card, "00A4000002DF01").endswith("219000")
    assert send(card, "80CA0000") == "03219000", "the same instance below its folder"
    assert send(card, "80CAEE00") == "0102216310"
    assert send(card, "00A4040008" + EMV).endswith("219000")
    assert send(card, "80CA0000") == "01219000", "a new selection starts anew"
    send(card, "00A4040008" + PLAIN)
    expect(card, "80CA0000", "6D00")
    expect(card, "8CCA0000", "6E00")


def test_the_common_table_serves_what_the_applet_does_not(card: Card) -> None:
    send(card, "00A4040008" + EMV)
    assert send(card, "0084000004") == "00000001219000"
    assert send(card, "00A40000020016") == "4546219000"
    assert send(card, "00B0000004") == "00000000219000"


def test_power_up_forgets_the_applet(card: Card) -> None:
    send(card, "00A4040008" + EMV)
    send(card, "80CA0000")
    card.power_up()
    assert card.applet is None
    expect(reloaded(card), "80CA0000", "6D00")


def test_paths_parents_and_the_next_name(card: Card) -> None:
    assert send(card, "00A4080004 3F01 DF01").endswith("219000")
    assert card.folder.fid == 0xDF01
    assert send(card, "00A4030000"[:8]).endswith("219000")
    assert card.folder.fid == 0x3F01
    expect(card, "00A40100020016", "216A82")
    expect(card, "00A4020002DF01", "216A82")
    assert send(card, "00A4090004 DF01 0017") == "4546219000"
    assert card.folder.fid == 0xDF01, "the folder of a file selected by path becomes current"
    assert send(card, "00A40800043F000000") == "216A82"
    assert send(card, "00A4080003 3F01DF") == "216700"
    assert send(card, "00A4040005 A000000333").endswith("219000")
    expect(card, "00A4040205 A000000333", "216A82")
    first, second = "A0000003", "00A40402"
    assert send(card, f"{second}05{first}86") == "6F0A8408" + PLAIN.upper() + "9000"


def test_a_file_beside_the_folder_is_not_reached_with_the_folders_rights(card: Card) -> None:
    """A file of the root must not be read under the security register of an application."""
    root = Card.blank(Scripted())
    expect(root, "80E00016 07 28 0004 F0 EF FFFF")
    expect(root, "80E03F0110 38 0600 F0 EF 95 FF FF" + PLAIN)
    send(root, "00A4040008" + PLAIN)
    expect(root, "00A40000020016", "6A82")


def test_a_blocked_application_blocks_the_folders_below_it(card: Card) -> None:
    folder = card.directory.named(bytes.fromhex(EMV))
    assert folder is not None
    card.nvm.memory[folder.header + 9] = 2
    assert send(card, "00A40800043F01DF01") == "216A81"
    assert send(card, "80CA0000") == "216A81"
    assert send(card, "00A40000020017") == "216A81" or send(card, "00B0000004") == "216A81"


def test_only_known_kinds_are_made_and_never_a_domain(card: Card) -> None:
    blank = Card.blank(Scripted())
    expect(blank, "80E03F0110 38 0600 F0 EF 95 FF 7E" + EMV, "6A80")
    expect(blank, "80E03F0110 38 0600 F0 EF 95 FF 05" + EMV, "6A80")
