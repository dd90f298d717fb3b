"""The bank application when the power goes or the bytes are hostile.

Goal: counters, electronic cash and scripts happen whole or not at all, and any input gets a status word. Method: every
writing command is cut at every write; Hypothesis sends commands and fills files with nonsense.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.card import Card, PowerCut
from jinka.card.emv import EmvApplet
from jinka.card.emv_data import EXPONENT, PRIME_P, PRIME_Q, RSA_FILE
from jinka.codec import Algorithm, tlv
from jinka.codec.dol import fill_dol
from jinka.codec.emv_tags import Tag
from jinka.crypto import emv
from jinka.sectors import bank
from tests.card.emv_rig import (
    ICC,
    answer,
    arpc,
    card_keys,
    data,
    generate,
    gpo,
    issued,
    options,
    reading,
    scripted,
    select,
    session,
    values,
)

TAP = {"terminal_qualifiers": bytes.fromhex("36000080")}
ONLINE_TAP = {"terminal_qualifiers": bytes.fromhex("36800080")}
OK = b"\x90\x00"
CASH = "000000090000"


def _online(card: Card) -> dict[int, bytes]:
    """A transaction up to the card's ARQC."""
    assert options(card)[-2:] == OK
    return answer(generate(card, 0x80))


# ---- power cuts

Prepared = tuple[Card, bytes]


def _gpo_bytes(given: dict[int, bytes]) -> bytes:
    body = fill_dol(bank.SPEC.pdol, given)
    return b"\x80\xa8\x00\x00" + bytes((len(body) + 2, 0x83, len(body))) + body


def _selected() -> Card:
    card = issued()
    select(card)
    return card


def _before_the_last_record() -> Prepared:
    card = issued()
    *before, last = reading(answer(options(card, values(1234, **TAP)))[Tag.AFL])
    for command in before:
        card.transmit(command)
    return card, last


def _cdol(p1: int, second: bool = False) -> bytes:
    body = fill_dol(bank.SPEC.cdol2 if second else bank.SPEC.cdol1, values())
    return bytes((0x80, 0xAE, p1, 0, len(body))) + body


def _after_options(command: bytes) -> Callable[[], Prepared]:
    def make() -> Prepared:
        card = issued()
        options(card)
        return card, command

    return make


def _after_arqc(make_command: Callable[[dict[int, bytes]], bytes], *before: str) -> Callable[[], Prepared]:
    def make() -> Prepared:
        card = issued()
        first = _online(card)
        for step in before:
            card.transmit(arpc(first) if step == "arpc" else scripted(first, step))
        return card, make_command(first)

    return make


def _unblocking() -> Prepared:
    card = issued()
    card.transmit(scripted(_online(card), "841E0000"))
    select(card)
    gpo(card)
    return card, scripted(answer(generate(card, 0x80)), "84180000")


def _new_pin(first: dict[int, bytes]) -> bytes:
    block = emv.pin_change_block(card_keys(Algorithm.TDES)[0], "87654321")
    plain = emv.script_encipher(Algorithm.TDES, session("script_cipher", 1), block)
    return scripted(first, "84240002", plain)


def _worse(command: bytes) -> bytes:
    return command[:-1] + bytes((command[-1] ^ 1,))


CUTS: dict[str, Callable[[], Prepared]] = {
    "get processing options": lambda: (_selected(), _gpo_bytes(values())),
    "qPBOC, to be paid": lambda: (_selected(), _gpo_bytes(values(1234, **TAP))),
    "qPBOC, last record": _before_the_last_record,
    "qPBOC online": lambda: (_selected(), _gpo_bytes(values(1234, **ONLINE_TAP))),
    "first GENERATE AC, TC": _after_options(_cdol(0x40)),
    "first GENERATE AC, TC signed": _after_options(_cdol(0x50)),
    "first GENERATE AC, ARQC": _after_options(_cdol(0x80)),
    "first GENERATE AC, AAC": _after_options(_cdol(0x00)),
    "second GENERATE AC, TC": _after_arqc(lambda f: _cdol(0x40, True), "arpc"),
    "second GENERATE AC, AAC": _after_arqc(lambda f: _cdol(0x00, True)),
    "external authenticate, wrong": _after_arqc(lambda f: _worse(arpc(f))),
    "verify": _after_options(b"\x00\x20\x00\x80\x08" + emv.pin_block("123456")),
    "verify, wrong": _after_options(b"\x00\x20\x00\x80\x08" + emv.pin_block("123457")),
    "put data": _after_arqc(lambda f: scripted(f, "04DA9F79", bytes.fromhex(CASH))),
    "put data, wrong MAC": _after_arqc(lambda f: _worse(scripted(f, "04DA9F79", bytes.fromhex(CASH)))),
    "update record": _after_arqc(lambda f: scripted(f, "04DC010C", RECORD)),
    "application block": _after_arqc(lambda f: scripted(f, "841E0000")),
    "application unblock": _unblocking,
    "card block": _after_arqc(lambda f: scripted(f, "84160000")),
    "PIN change": _after_arqc(_new_pin),
    "PIN unblock": _after_arqc(lambda f: scripted(f, "84240000")),
}


def _record() -> bytes:
    """The first record with another last letter of the name."""
    card = issued()
    select(card)
    return card.transmit(bytes.fromhex("00B2010C00"))[:-3] + b"X"


RECORD = _record()


def test_every_writing_command_is_cut() -> None:
    """A command of the tables that writes and stands in no case above fails here."""
    writing = {0xA8, 0xAE, 0x82, 0x20, 0xDA, 0xDC, 0x1E, 0x18, 0x16, 0x24, 0xB2}
    asking = {0xCA, 0x88, 0x5E}
    assert {ins for _, ins in EmvApplet.table} == writing | asking
    assert {make()[1][1] for make in CUTS.values()} == writing


@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn write"])
def test_power_cut_at_every_write(name: str, torn: bool) -> None:
    card, command = CUTS[name]()
    states = [bytes(card.nvm.memory)]
    commit = type(card.nvm).commit

    class Watched(type(card.nvm)):
        __slots__ = ()

        def commit(self, entries: object) -> None:
            commit(self, entries)
            states.append(bytes(self.memory))

    card.nvm.__class__ = Watched
    card.transmit(command)
    card, command = CUTS[name]()
    card.nvm.cut_after(10_000)
    card.transmit(command)
    total = card.nvm.writes
    assert total > 0
    for write in range(total):
        card, command = CUTS[name]()
        card.nvm.cut_after(write, torn=torn)
        with pytest.raises(PowerCut):
            card.transmit(command)
        card.nvm.cut_after(None)
        card.power_up()
        assert bytes(card.nvm.memory) in states, f"write {write}"


def test_the_log_tells_whether_a_torn_tap_was_paid() -> None:
    seen = set()
    for write in range(40):
        card, last = _before_the_last_record()
        card.nvm.cut_after(write)
        try:
            card.transmit(last)
        except PowerCut:
            card.nvm.cut_after(None)
            card.power_up()
        select(card)
        paid = int(data(card, Tag.ECASH_BALANCE).hex()) == 50_000 - 1234
        log = card.transmit(bytes.fromhex("00B2015C00"))
        assert (log[-2:] == OK) is paid
        assert not paid or log[25:29].hex() == "1e78eebc"
        seen.add(paid)
    assert seen == {False, True}


# ---- hostile bytes

INSTRUCTIONS = sorted(set(EmvApplet.table) | {(0x00, 0xA4), (0x00, 0x84)})


@settings(max_examples=150)
@given(
    commands=st.lists(
        st.tuples(
            st.sampled_from(INSTRUCTIONS),
            st.integers(0, 255),
            st.integers(0, 255),
            st.binary(max_size=255),
            st.booleans(),
        ),
        max_size=8,
    )
)
def test_any_bytes_get_a_status_word(commands: list[tuple[tuple[int, int], int, int, bytes, bool]]) -> None:
    card = _SHARED
    card.power_up()
    select(card)
    for (cla, ins), p1, p2, body, ask in commands:
        raw = (
            bytes((cla, ins, p1, p2))
            + (bytes((len(body),)) + body if body else b"")
            + (b"\0" if ask else b"")
        )
        reply = card.transmit(raw)
        assert len(reply) >= 2
        assert reply[-2] >> 4 in (6, 9)
    card.power_up()
    select(card)
    assert int(data(card, Tag.ECASH_BALANCE).hex()) <= 50_000


_SHARED = issued()


@settings(max_examples=80)
@given(raw=st.binary(max_size=320), which=st.sampled_from([0x1C, 0x1D, 0x1E, 0x02]))
def test_files_full_of_nonsense_get_a_status_word(raw: bytes, which: int) -> None:
    card = issued()
    folder = card.directory.named(bank.AID_DEBIT)
    assert folder is not None
    file = folder.children[which]
    card.nvm.memory[file.at : file.at + min(len(raw), file.size)] = raw[: file.size]
    for command in (
        b"\x00\xa4\x04\x00\x08" + bank.AID_DEBIT,
        _gpo_bytes(values(1234, **TAP)),
        bytes.fromhex("00B2010C00"),
        bytes.fromhex("00B2031400"),
        b"\x00\xa4\x04\x00\x08" + bank.AID_DEBIT,
        _gpo_bytes(values()),
        bytes.fromhex("0088000004AABBCCDD"),
        _cdol(0x90),
        bytes.fromhex("80CA9F7900"),
    ):
        assert len(card.transmit(command)) >= 2


@pytest.mark.parametrize(("p", "q"), [(ICC.p, ICC.p), (ICC.p * 7, ICC.q), (ICC.p + 1, ICC.q), (1, ICC.q)])
def test_a_damaged_key_gives_a_status_word_and_no_signature(p: int, q: int) -> None:
    half = 80
    raw = (
        tlv(PRIME_P, p.to_bytes(half, "big")) + tlv(PRIME_Q, q.to_bytes(half, "big")) + tlv(EXPONENT, b"\x03")
    )
    for asked in (values(), values(1234, **TAP)):
        card = issued()
        file = card.directory.named(bank.AID_DEBIT).children[RSA_FILE]
        card.nvm.memory[file.at : file.at + len(raw)] = raw
        found = options(card, asked)
        if found[-2:] == OK:
            before = bytes(card.nvm.memory)
            assert generate(card, 0x50)[-2:] == b"\x69\x85"
            assert bytes(card.nvm.memory) == before
            assert card.transmit(bytes.fromhex("0088000004AABBCCDD00"))[-2:] == b"\x69\x85"
        assert int(data(card, Tag.ECASH_BALANCE).hex()) == 50_000
