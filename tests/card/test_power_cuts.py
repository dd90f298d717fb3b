"""The power goes at every write of every command: afterwards the card is as before, or as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jinka.card import (
    Card,
    PowerCut,
    Psam,
    SamKey,
    authenticate,
    file_access,
    grey,
    issuing,
    lifecycle,
    purse,
)
from jinka.card.access import encipher, message_mac4
from jinka.codec import Algorithm
from jinka.crypto import load_session, mac4, purchase_session
from tests.card import purse_rig
from tests.card.rig import OK, Scripted, application, module, reloaded, select, watch

KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
K = KEY.hex()
RAND = "A1A2A3A4"
MOMENT = bytes.fromhex("20180901083000")
TERMINAL = bytes.fromhex("440300000001")

KEYS = [
    f"01 3E F0 EF 01 00 {K}",
    f"01 3F F0 EF 01 00 {K}",
    f"00 34 F0 EF 00 00 {K}",
    f"00 36 F0 EF FF 33 {K}",
    f"00 39 F0 EF 01 33 {K}",
    "00 3A F0 EF 01 33 123456",
]
FILES = [
    "0015 A8 001E F0 F0 FFFF",
    "001A AC 0040 F0 F0 FFFF",
    "0017 2A 0304 F0 F0 FFFF",
    "0019 2E 0304 F0 F0 FFFF",
]
CONTENT = [
    "00D6820008 00001388 0000 0000",
    "00E200D406 3104 11223344",
    "00E200BC04 01010101",
]


def issued(*, seal: bool = True) -> Card:
    return application(Scripted(*[RAND] * 8), KEYS, files=FILES, content=CONTENT, seal=seal)


def secure(card: Card, head: str, data: str) -> bytes:
    """A class 04 or 84 command with its MAC; draws the challenge first."""
    card.transmit(bytes.fromhex("0084000004"))
    message = bytes.fromhex(head) + bytes((len(bytes.fromhex(data)) + 4,)) + bytes.fromhex(data)
    return message + message_mac4(Algorithm.TDES, KEY, bytes.fromhex(RAND), message)


def plain(text: str) -> Callable[[Card], bytes]:
    return lambda _card: bytes.fromhex(text)


def a_debit(card: Card) -> bytes:
    card.transmit(bytes.fromhex("805003020B 01 00000064") + TERMINAL)
    assert card.transmit(bytes.fromhex("80DC31D0063104AABBCCDD")) == OK
    session = purchase_session(Algorithm.TDES, KEY, bytes.fromhex(RAND), 0, bytes(4))
    mac1 = mac4(Algorithm.TDES, session, bytes.fromhex("0000006409") + TERMINAL + MOMENT)
    return bytes.fromhex("805401000F00000000") + MOMENT + mac1


def a_wrong_debit(card: Card) -> bytes:
    return a_debit(card)[:-1] + b"\x00"


def a_load(card: Card) -> bytes:
    card.transmit(bytes.fromhex("805000020B 01 00000064") + TERMINAL)
    session = load_session(Algorithm.TDES, KEY, bytes.fromhex(RAND), 0)
    mac2 = mac4(Algorithm.TDES, session, bytes.fromhex("0000006402") + TERMINAL + MOMENT)
    return bytes.fromhex("805200000B") + MOMENT + mac2


COMMANDS: dict[str, tuple[bool, Callable[[Card], bytes], str]] = {
    "debit for capp purchase": (True, a_debit, "9000"),
    "debit with a wrong MAC": (True, a_wrong_debit, "9302"),
    "credit for load": (True, a_load, "9000"),
    "update binary with MAC": (True, lambda c: secure(c, "04D69500", "0102030405"), "9000"),
    "update binary with a wrong MAC": (True, lambda c: secure(c, "04D69500", "0102")[:-1] + b"\x00", "6988"),
    "update record with MAC": (True, lambda c: secure(c, "04DC31D0", "310455667788"), "9000"),
    "append to a fixed file": (True, plain("00E200BC0402020202"), "9000"),
    "update a fixed record": (True, plain("00DC01BC0403030303"), "9000"),
    "append to a cyclic file": (True, plain("00DC00CB0405050505"), "9000"),
    "verify": (True, plain("0020000003123456"), "9000"),
    "verify with a wrong PIN": (True, plain("0020000003123457"), "63C2"),
    "external authenticate, wrong": (
        True,
        lambda c: c.transmit(bytes.fromhex("0084000004")) and bytes.fromhex("00820000080000000000000000"),
        "63C2",
    ),
    "create a binary file": (False, plain("80E0001407280010F0F0FFFF"), "9000"),
    "create a cyclic file": (False, plain("80E00013072E0A17F1EFFFFF"), "9000"),
    "create a folder": (False, plain("80E0DF010D380100F0F095FFFF4142434445"), "9000"),
    "write a key": (False, plain(f"80D4010215 3E F0 EF 02 00 {K}"), "9000"),
    "replace a key": (False, plain(f"80D43F0114 F0 EF 02 00 {K}"), "9000"),
    "seal the folder": (False, plain("00A40000023F00"), ""),
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn write"])
def test_every_write(name: str, torn: bool) -> None:
    sealed, make, answer = COMMANDS[name]
    first = issued(seal=sealed)
    if not sealed:
        assert first.folder.fid == 0x3F01
    states = [bytes(first.nvm.memory)]
    watch(first, states)
    command = make(first)
    found = first.transmit(command)
    assert found[-2:].hex().upper() == answer or not answer
    after = len(states)
    total = _count_writes(sealed, make)
    assert total > 0, "a command that writes nothing does not belong here"
    for write in range(total):
        card = issued(seal=sealed)
        command = make(card)
        card.nvm.cut_after(write, torn=torn)
        with pytest.raises(PowerCut):
            card.transmit(command)
        with pytest.raises(PowerCut, match="no power"):
            card.transmit(bytes.fromhex("0084000004"))
        card.nvm.cut_after(None)
        card.power_up()
        assert not card.nvm.journal
        assert bytes(card.nvm.memory) in states, f"write {write}"
    assert after == len(states)


@pytest.mark.parametrize("name", ["debit for capp purchase", "credit for load", "create a folder"])
def test_a_second_cut_while_recovering(name: str) -> None:
    sealed, make, _ = COMMANDS[name]
    clean = issued(seal=sealed)
    states = [bytes(clean.nvm.memory)]
    watch(clean, states)
    clean.transmit(make(clean))
    for write in range(_count_writes(sealed, make)):
        for again in range(4):
            card = issued(seal=sealed)
            command = make(card)
            card.nvm.cut_after(write)
            with pytest.raises(PowerCut):
                card.transmit(command)
            card.nvm.cut_after(again, torn=True)
            try:
                card.power_up()
            except PowerCut:
                card.nvm.cut_after(None)
                card.power_up()
            assert bytes(card.nvm.memory) in states


@pytest.mark.parametrize(
    ("name", "kind", "balances"),
    [("debit for capp purchase", "09", (5000, 4900)), ("credit for load", "02", (5000, 5100))],
)
def test_the_proof_tells_which(name: str, kind: str, balances: tuple[int, int]) -> None:
    _, make, _ = COMMANDS[name]
    seen = set()
    for write in range(_count_writes(True, make)):
        card = issued()
        command = make(card)
        card.nvm.cut_after(write)
        with pytest.raises(PowerCut):
            card.transmit(command)
        card.nvm.cut_after(None)
        card.power_up()
        select(card, "3F01")
        proof = card.transmit(bytes.fromhex(f"805A00{kind}02000108"))
        happened = proof[-2:] == OK
        assert happened or proof == bytes.fromhex("9406")
        balance = int.from_bytes(card.transmit(bytes.fromhex("805C000204"))[:4], "big")
        assert balance == balances[happened]
        ride = card.transmit(bytes.fromhex("00B231D000"))[2:6]
        assert ride == bytes.fromhex("AABBCCDD" if happened and kind == "09" else "11223344")
        seen.add(happened)
    assert seen == {False, True}, "the cut must fall on both sides of the commit"


def test_a_cut_leaves_its_journal_in_the_memory_that_is_saved() -> None:
    card = issued()
    command = a_debit(card)
    card.nvm.cut_after(_count_writes(True, a_debit) - 2)
    with pytest.raises(PowerCut):
        card.transmit(command)
    assert card.nvm.journal[0] == 0xA5
    other = reloaded(card)
    select(other, "3F01")
    assert other.transmit(bytes.fromhex("805C000204")) == bytes.fromhex("000013249000")


def test_the_serial_of_a_module_is_never_given_twice() -> None:
    asked = bytes.fromhex("8070000024 A1A2A3A4 0000 00000064 09 20180901083000 01 00") + bytes(16)
    for write in range(20):
        psam = module([SamKey(version=1, algorithm=Algorithm.TDES, level=2, key=KEY)])
        select(psam, "DF01")
        psam.nvm.cut_after(write, torn=True)
        try:
            first = psam.transmit(asked)[:4]
        except PowerCut:
            first = None
        psam.nvm.cut_after(None)
        again = Psam.from_bytes(psam.to_bytes(), Scripted())
        select(again, "DF01")
        assert again.transmit(asked)[:4] != first


def _count_writes(sealed: bool, make: Callable[[Card], bytes]) -> int:
    card = issued(seal=sealed)
    command = make(card)
    card.nvm.cut_after(10_000)
    card.transmit(command)
    return card.nvm.writes


# Every command of the common table that writes, each in a card that has all of it; the walker below finds new ones.

PURSE_COMMANDS: dict[str, Callable[[Card], bytes]] = {
    "unload": lambda c: purse_rig.unload_command(c, 100),
    "new overdraft limit": lambda c: purse_rig.limit_command(c, 1000),
    "grey lock": lambda c: purse_rig.lock_command(c),
    "grey lock with a wrong MAC": lambda c: purse_rig.lock_command(c)[:-2] + b"\x00\x08",
    "debit for unlock": lambda c: purse_rig.lock(c) and purse_rig.debit_command(700),
    "debit with a wrong GMAC": lambda c: purse_rig.lock(c) and purse_rig.debit_command(700, gmac=bytes(4)),
    "third wrong GMAC": lambda c: [
        purse_rig.lock(c),
        *(c.transmit(purse_rig.debit_command(7, gmac=bytes(4))) for _ in range(2)),
        purse_rig.debit_command(7, gmac=bytes(4)),
    ][-1],
    "grey unlock": lambda c: purse_rig.lock(c) and purse_rig.release_command(c, 700),
    "clear TAC unread": lambda c: [
        purse_rig.lock(c), c.transmit(purse_rig.debit_command(1)), bytes.fromhex("E0CA01001E")
    ][-1],
    "change PIN": lambda c: bytes.fromhex("805E010007 123456 FF 654321"),
    "reload PIN": lambda c: _reload_pin(),
    "unblock PIN": lambda c: _secured_by(
        c, purse_rig.UNBLOCK, "84240000", encipher(TDES, purse_rig.UNBLOCK, b"\x12\x34")
    ),
    "erase": lambda c: bytes.fromhex("800E000000"),
    "block application": lambda c: _secured_by(c, purse_rig.MAINTAIN, "841E0000", b""),
    "unblock application": lambda c: [
        c.transmit(_secured_by(c, purse_rig.MAINTAIN, "841E0000", b"")),
        _secured_by(c, purse_rig.MAINTAIN, "84180000", b""),
    ][-1],
    "block card": lambda c: _secured_by(c, purse_rig.MAINTAIN, "84160000", b""),
    "secured read with a wrong MAC": lambda c: _secured_by(c, purse_rig.MAINTAIN, "04B09500", b"")[:-1] + b"\x00",
    "secured record with a wrong MAC": lambda c: [
        purse_rig.buy(c, 1, 2), _secured_by(c, purse_rig.MAINTAIN, "04B201C4", b"")[:-1] + b"\x00"
    ][-1],
}  # fmt: skip
TDES = Algorithm.TDES


def _secured_by(card: Card, key: bytes, head: str, body: bytes) -> bytes:
    rand = card.transmit(bytes.fromhex("0084000004"))[:4]
    message = bytes.fromhex(head) + bytes((len(body) + 4,)) + body
    return message + message_mac4(TDES, key, rand, message)


def _reload_pin() -> bytes:
    key = bytes(a ^ b for a, b in zip(purse_rig.RELOAD[:8], purse_rig.RELOAD[8:], strict=True))
    return bytes.fromhex("805E000006 1234") + mac4(TDES, key, bytes.fromhex("1234"))


def _ready(name: str) -> tuple[Card, bytes]:
    card = purse_rig.card_with(seal=name != "erase")
    purse_rig.verify(card)
    return card, PURSE_COMMANDS[name](card)


@pytest.mark.parametrize("name", PURSE_COMMANDS)
@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn write"])
def test_every_write_of_purse_and_keys(name: str, torn: bool) -> None:
    first, command = _ready(name)
    states = [bytes(first.nvm.memory)]
    watch(first, states)
    first.transmit(command)
    assert len(states) > 1, "a command that writes nothing does not belong here"
    counted, command = _ready(name)
    counted.nvm.cut_after(10_000)
    counted.transmit(command)
    seen = set()
    for write in range(counted.nvm.writes):
        card, command = _ready(name)
        card.nvm.cut_after(write, torn=torn)
        with pytest.raises(PowerCut):
            card.transmit(command)
        card.nvm.cut_after(None)
        card.power_up()
        assert bytes(card.nvm.memory) in states, f"write {write}"
        seen.add(bytes(card.nvm.memory))
    assert states[0] in seen
    assert states[-1] in seen, "the last write only clears the mark"


# Commands that write nothing, whatever they are sent. What is neither here nor cut above fails the walker.
SILENT = {
    (0x00, 0x84), (0x00, 0x88), (0x00, 0xB0), (0x00, 0xB2), (0x00, 0xC0), (0x80, 0x50), (0x80, 0x5A),
    (0x80, 0x5C), (0x80, 0xDC), (0xE0, 0x7A),
}  # fmt: skip


def test_every_command_that_writes_is_cut() -> None:
    cut = set()
    for sealed, make, _ in COMMANDS.values():
        cut.add(tuple(make(issued(seal=sealed))[:2]))
    for name in PURSE_COMMANDS:
        cut.add(tuple(_ready(name)[1][:2]))
    tables = (file_access, authenticate, issuing, purse, grey, lifecycle)
    known = {name for module in tables for name in module.TABLE}
    functions = {module.TABLE[name] for module in tables for name in cut if name in module.TABLE}
    aliases = {n for module in tables for n, f in module.TABLE.items() if f in functions}
    assert known - SILENT - cut - aliases == set(), "a writing command without a cut test"
    assert SILENT.isdisjoint(cut), "a silent command that is cut"
