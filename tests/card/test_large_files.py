"""Files larger than the journal: made and erased in one transaction, whenever the power goes; too much is refused."""

from __future__ import annotations

import pytest

from jinka.card import Card, Nvm, PowerCut
from jinka.card.files import HEAD, free_offset
from jinka.card.nvm import JOURNAL_MAX, JournalFull
from tests.card.rig import OK, Scripted, expect, select

LARGE = 0x1C00
KEY = "AABBCCDD" * 4


def _folder() -> Card:
    card = Card.blank(Scripted())
    expect(card, "80E03F0110380000F0F095FFFFA000000386980701")
    select(card, "3F01")
    return card


def _full() -> Card:
    """An application of more than 14 KB, a folder and a key in it, every byte written."""
    card = _folder()
    expect(card, "80E00000073F018095EFFFFF")
    expect(card, "80D401001536F0EFFF33" + KEY)
    for fid in (1, 2):
        expect(card, f"80E000{fid:02X}0728{LARGE:04X}F0F0FFFF")
        _write(card, fid)
    expect(card, "80E0DF010D380000F0F095FFFF4142434445")
    select(card, "DF01")
    expect(card, "80E00003072808 00 F0F0FFFF".replace(" ", ""))
    _write(card, 3, 0x800)
    select(card, "3F00")
    select(card, "3F01")
    card.nvm.memory[card.folder.header + 9] = 0  # as on the day it was made, so that everything may be erased
    return card


def _write(card: Card, fid: int, size: int = LARGE) -> None:
    select(card, f"{fid:04X}")
    for at in range(0, size, 240):
        piece = b"\x5a" * min(240, size - at)
        assert card.transmit(bytes((0, 0xD6, at >> 8, at & 0xFF, len(piece))) + piece) == OK


CREATE = bytes.fromhex(f"80E000010728{LARGE:04X}F0F0FFFF")
ERASE = bytes.fromhex("800E000000")


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize(("make", "command"), [(_folder, CREATE), (_full, ERASE)], ids=["create", "erase"])
def test_old_or_new_and_never_between(make, command: bytes, torn: bool) -> None:
    start = make()
    before = bytes(start.nvm.memory)
    start.nvm.cut_after(10_000)
    assert start.transmit(command) == OK
    count, after = start.nvm.writes, bytes(start.nvm.memory)
    assert len(start.nvm.journal) == 0
    for write in range(count):
        card = Card(Nvm(before), Scripted())
        select(card, "3F01")
        card.nvm.cut_after(write, torn=torn)
        with pytest.raises(PowerCut):
            card.transmit(command)
        card.nvm.cut_after(None)
        card.power_up()
        assert bytes(card.nvm.memory).ljust(len(after), b"\x00") in (before.ljust(len(after), b"\x00"), after)


def test_erasing_wipes_all_and_gives_the_room_back() -> None:
    card = _full()
    used = free_offset(card.nvm.memory)
    assert card.transmit(ERASE) == OK
    memory = bytes(card.nvm.memory)
    assert bytes.fromhex(KEY) not in memory
    assert b"\x5a" not in memory
    assert free_offset(memory) < used - 2 * LARGE
    assert not any(memory[free_offset(memory) :])
    for _ in range(3):  # again and again in the same room
        assert card.transmit(CREATE) == OK
        card.nvm.memory[card.folder.header + 9] = 0
        assert card.transmit(ERASE) == OK
    assert len(card.nvm.memory) == len(memory)


@pytest.mark.parametrize("armed", [False, True])
def test_more_than_the_journal_takes_is_not_begun(armed: bool) -> None:
    nvm = Nvm(bytes(0x4000))
    if armed:
        nvm.cut_after(100_000)
    most = JOURNAL_MAX - 4
    nvm.commit([(HEAD, b"\x01" * most)])
    with pytest.raises(JournalFull):
        nvm.commit([(HEAD, b"\x02" * (most + 1))])
    with pytest.raises(JournalFull):
        nvm.commit([(at, b"\x02") for at in range(0, 2000, 2)])
    assert nvm.memory[HEAD : HEAD + most] == b"\x01" * most
    nvm.commit([(0, bytes(0x3000))])  # zeros take no room there
    assert not any(nvm.memory[:0x3000])
