"""A try is spent before a secret is compared: pulling the card at that moment saves nobody a try.

Method: the power goes inside the comparison itself, for every command that compares; after power-up a try must be
missing, money and keys must be as they were, and with the right proof the tries must be whole again.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

import pytest

from jinka.card import Card, PowerCut, Psam, SamKey
from jinka.card.access import encipher, message_mac4
from jinka.card.files import BLOCKED, GREY_TRIES, KEY_TRIES, STATE, TRIES
from jinka.card.psam_keys import COUNTERS, GREY_TYPE
from jinka.codec import Algorithm, Command
from jinka.crypto import diversify, grey_session, load_session, mac4, purchase_session
from jinka.profile import KeyUse
from tests.card import purse_rig
from tests.card.purse_rig import BUY, LOAD, MAINTAIN, MOMENT, RAND, RELOAD, TDES, TERMINAL, UNBLOCK
from tests.card.rig import module, reloaded

SERIAL = bytes.fromhex("00000007")
PARENT = bytes(range(16))
FACTORS = bytes.fromhex("1111111111111111")


def _secured(card: Card, key: bytes, head: str, body: bytes) -> bytes:
    rand = card.transmit(bytes.fromhex("0084000004"))[:4]
    message = bytes.fromhex(head) + bytes((len(body) + 4,)) + body
    return message + message_mac4(TDES, key, rand, message)


def _debit(card: Card) -> bytes:
    purse_rig.send(card, "80500102", b"\x01\x00\x00\x00\x64" + TERMINAL, 15)
    session = purchase_session(TDES, BUY, bytes.fromhex(RAND), 0, SERIAL)
    mac1 = mac4(TDES, session, bytes.fromhex("0000006406") + TERMINAL + MOMENT)
    return bytes.fromhex("805401000F") + SERIAL + MOMENT + mac1


def _credit(card: Card) -> bytes:
    purse_rig.send(card, "80500002", b"\x01\x00\x00\x00\x64" + TERMINAL, 16)
    session = load_session(TDES, LOAD, bytes.fromhex(RAND), 0)
    return (
        bytes.fromhex("805200000B")
        + MOMENT
        + mac4(TDES, session, bytes.fromhex("0000006402") + TERMINAL + MOMENT)
    )


def _reload(card: Card) -> bytes:
    key = bytes(a ^ b for a, b in zip(RELOAD[:8], RELOAD[8:], strict=True))
    return bytes.fromhex("805E0000071234FF") + mac4(TDES, key, bytes.fromhex("1234FF"))


def _purse(card: Card) -> int:
    return card.folder.children[2].at + TRIES


def _key(use: KeyUse) -> Callable[[Card], int]:
    def place(card: Card) -> int:
        assert card.folder.key_file is not None
        return card.folder.key_file.keys[use, 0] + KEY_TRIES

    return place


def _gmac(card: Card) -> int:
    return card.folder.children[2].at + GREY_TRIES


# The command, right as it stands, and the cell that counts its tries.
COMMANDS: dict[str, tuple[Callable[[Card], bytes], Callable[[Card], int]]] = {
    "debit": (_debit, _purse),
    "load": (_credit, _purse),
    "unload": (lambda card: purse_rig.unload_command(card, 100), lambda card: card.folder.children[1].at + TRIES),
    "grey lock": (lambda card: purse_rig.lock_command(card)[:-1], _purse),
    "release": (lambda card: purse_rig.lock(card) and purse_rig.debit_command(700)[:-1], _gmac),
    "verify": (lambda _: bytes.fromhex("0020000003") + bytes.fromhex(purse_rig.PIN), _key(KeyUse.PIN)),
    "secured update": (
        lambda card: _secured(card, MAINTAIN, "04D69500", b"\x01\x02"),
        _key(KeyUse.MAINTENANCE),
    ),
    "block application": (lambda card: _secured(card, MAINTAIN, "841E0000", b""), _key(KeyUse.MAINTENANCE)),
    "unblock PIN": (
        lambda card: _secured(card, UNBLOCK, "84240000", encipher(TDES, UNBLOCK, b"\x12\x34")),
        _key(KeyUse.PIN_UNBLOCK),
    ),
    "reload PIN": (_reload, _key(KeyUse.PIN_RELOAD)),
}  # fmt: skip


def _pull(*_: bytes) -> bool:
    raise PowerCut("pulled while comparing")


def _ready(name: str) -> tuple[Card, bytes, int]:
    card = purse_rig.card_with()
    purse_rig.verify(card)
    make, place = COMMANDS[name]
    return card, make(card), place(card)


@pytest.mark.parametrize("spoil", [0, 1], ids=["right", "wrong"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_pull_while_comparing_costs_a_try(name: str, spoil: int, monkeypatch: pytest.MonkeyPatch) -> None:
    card, command, place = _ready(name)
    before = bytes(card.nvm.memory)
    with monkeypatch.context() as patch:
        patch.setattr(hmac, "compare_digest", _pull)
        with pytest.raises(PowerCut):
            card.transmit(command[:-1] + bytes((command[-1] ^ spoil,)))
    again = reloaded(card)
    changed = [at for at, (a, b) in enumerate(zip(before, again.nvm.memory, strict=True)) if a != b]
    assert changed == [place]
    assert again.nvm.memory[place] & 0x0F == (before[place] & 0x0F) - 1


@pytest.mark.parametrize("name", COMMANDS)
def test_a_right_proof_gives_the_tries_back(name: str) -> None:
    card, command, place = _ready(name)
    before = card.nvm.memory[place]
    assert card.transmit(command)[-2:] == b"\x90\x00"
    assert card.nvm.memory[place] == before


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "release"])
def test_pulling_again_and_again_locks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    card, _, place = _ready(name)
    for _ in range(card.nvm.memory[place] & 0x0F):
        command = _presented(card, name)
        with monkeypatch.context() as patch:
            patch.setattr(hmac, "compare_digest", _pull)
            with pytest.raises(PowerCut):
                card.transmit(command)
        card = reloaded(card)
    assert not card.nvm.memory[place] & 0x0F
    money = bytes(card.nvm.memory)
    if name in ("debit", "load", "unload", "grey lock"):
        assert _opened(card, name) == bytes.fromhex("9303")
    else:
        assert card.transmit(_presented(card, name)) == bytes.fromhex("6983")
    assert card.nvm.memory == money


def _presented(card: Card, name: str) -> bytes:
    """The command on a card that was powered up again; its random numbers go on, so it is mostly a wrong one."""
    card.transmit(bytes.fromhex("00A40000023F01"))
    if name == "verify" or not card.nvm.memory[_key(KeyUse.PIN)(card)] & 0x0F:
        return COMMANDS[name][0](card)
    purse_rig.verify(card)
    return COMMANDS[name][0](card)


def _opened(card: Card, name: str) -> bytes:
    head = {"debit": "80500102", "load": "80500002", "unload": "80500501"}.get(name)
    card.transmit(bytes.fromhex("00A40000023F01"))
    purse_rig.verify(card)
    if head is None:
        return purse_rig.send(card, "E07A0802", b"\x01" + TERMINAL, 15)
    return purse_rig.send(card, head, b"\x01\x00\x00\x00\x64" + TERMINAL, 15)


def test_three_pulls_at_the_release_block_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    card = purse_rig.card_with()
    purse_rig.verify(card)
    assert purse_rig.lock(card)[-2:] == b"\x90\x00"
    header = card.folder.header
    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(hmac, "compare_digest", _pull)
            with pytest.raises(PowerCut):
                card.transmit(purse_rig.debit_command(700)[:-1])
        card = reloaded(card)
        card.transmit(bytes.fromhex("00A40000023F01"))
        if card.nvm.memory[header + STATE] != BLOCKED:
            purse_rig.verify(card)
    assert card.nvm.memory[header + STATE] == BLOCKED


def test_the_third_try_of_a_release_may_be_the_right_one() -> None:
    card = purse_rig.card_with()
    purse_rig.verify(card)
    purse_rig.lock(card)
    for _ in range(2):
        assert card.transmit(purse_rig.debit_command(700, gmac=bytes(4))) == bytes.fromhex("9302")
    assert card.transmit(purse_rig.debit_command(700)[:-1])[-2:] == b"\x90\x00"
    assert purse_rig.balance(card) == 4300


def _module() -> Psam:
    keys = [
        SamKey(version=1, algorithm=Algorithm.TDES, level=1, key=PARENT),
        SamKey(version=1, algorithm=Algorithm.TDES, level=1, key=PARENT, type=GREY_TYPE),
    ]
    psam = module(keys)
    psam.transmit(bytes.fromhex("00A4000002DF01"))
    return psam


def _purchase(psam: Psam) -> bytes:
    data = bytes(4) + bytes(2) + bytes.fromhex("0000006406") + MOMENT + b"\x01\x00" + FACTORS
    answer = psam.transmit(Command(0x80, 0x70, 0, 0, data, 8).build())
    assert answer[-2:] == b"\x90\x00"
    session = purchase_session(TDES, diversify(TDES, PARENT, FACTORS), bytes(4), 0, answer[:4])
    return Command(0x80, 0x72, 0, 0, mac4(TDES, session, bytes.fromhex("00000064"))).build()


def _certify(psam: Psam) -> bytes:
    data = bytes(4) + bytes(2) + bytes.fromhex("0000138808") + MOMENT + b"\x01\x00" + FACTORS
    answer = psam.transmit(Command(0xE0, 0x40, 0, 0, data, 12).build())
    assert answer[-2:] == b"\x90\x00"
    session = grey_session(TDES, diversify(TDES, PARENT, FACTORS), bytes(4), 0, answer[:4], answer[4:8])
    return Command(0xE0, 0x42, 0, 0, mac4(TDES, session, bytes.fromhex("000013880000"))).build()


@pytest.mark.parametrize("make", [_purchase, _certify])
@pytest.mark.parametrize("spoil", [0, 1], ids=["right", "wrong"])
def test_a_module_counts_before_it_compares(
    make: Callable[[Psam], bytes], spoil: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    psam = _module()
    place = psam.folder.children[COUNTERS].at + 5
    command = make(psam)
    before = bytes(psam.nvm.memory)
    with monkeypatch.context() as patch:
        patch.setattr(hmac, "compare_digest", _pull)
        with pytest.raises(PowerCut):
            psam.transmit(command[:-1] + bytes((command[-1] ^ spoil,)))
    psam.power_up()
    changed = [at for at, (a, b) in enumerate(zip(before, psam.nvm.memory, strict=True)) if a != b]
    assert changed == [place]
    assert psam.nvm.memory[place] == before[place] - 1
    psam.transmit(bytes.fromhex("00A4000002DF01"))
    assert psam.transmit(make(psam)) == b"\x90\x00"
    assert psam.nvm.memory[place] == before[place]
