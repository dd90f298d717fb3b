"""Any bytes at all: a status word, never an exception, never another balance."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.app.bench_purchase import ISSUER, KeyRoots
from jinka.card import Card, CardTemplate, Personal, Psam, SamKey
from jinka.codec import Algorithm
from jinka.sectors.transit_shenzhen import PROFILE, PROFILE_SM4
from jinka.sim.randomness import SeededRandomness
from tests.card.rig import Scripted, application, module, select
from tests.card.test_power_cuts import CONTENT, FILES, KEYS

CARD_NO = bytes.fromhex("00005180000000012345")
ROOTS = {name: KeyRoots.drawn(name, SeededRandomness("1")) for name in Algorithm}
IMAGES = {
    name: CardTemplate(PROFILE_SM4 if name is Algorithm.SM4 else PROFILE).clone(
        Personal(card_no=CARD_NO, keys=ROOTS[name].card_keys(CARD_NO), issuer=ISSUER, balance=5000)
    )
    for name in Algorithm
}

_byte = st.integers(0, 255)
_known = st.sampled_from(sorted({*Card.table, *Psam.table}))
_p2 = st.one_of(_byte, st.sampled_from([0x00, 0x01, 0x02, 0xC4, 0xD0, 0xD4, 0xCB]))
_p1 = st.one_of(_byte, st.sampled_from([0x00, 0x01, 0x02, 0x03, 0x31, 0x95, 0x82]))


@st.composite
def commands(draw: st.DrawFn) -> bytes:
    """Commands near enough to real ones to get past the first check, and some that are not."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.binary(max_size=300))
    cla, ins = draw(_known)
    head = bytes((cla, ins, draw(_p1), draw(_p2)))
    data = draw(st.one_of(st.binary(max_size=60), _purse_data()))
    shape = draw(st.integers(0, 6))
    if shape == 0:
        return head
    if shape == 1:
        return head + bytes((draw(_byte),))
    if shape == 2:  # a false Lc
        return head + bytes((draw(_byte),)) + data
    tail = bytes((draw(_byte),)) if draw(st.booleans()) else b""
    return head + bytes((len(data),)) + data + tail


def _purse_data() -> st.SearchStrategy[bytes]:
    amounts = st.sampled_from([0, 1, 100, 5000, 5001, 0x7FFFFFFF, 0xFFFFFFFF])
    begin = st.builds(
        lambda kid, a, t: bytes((kid,)) + a.to_bytes(4, "big") + t,
        _byte,
        amounts,
        st.binary(min_size=6, max_size=6),
    )
    return st.one_of(
        begin, st.binary(min_size=15, max_size=15), st.binary(min_size=11, max_size=11), st.just(b"\x3f\x00")
    )


AID = PROFILE.aid
_SELECT = b"\x00\xa4\x04\x00\x08" + AID


@settings(max_examples=400)
@given(st.sampled_from(list(Algorithm)), st.lists(commands(), max_size=12), st.booleans())
def test_an_issued_card(algorithm: Algorithm, attack: list[bytes], selected: bool) -> None:
    card = Card.from_image(IMAGES[algorithm], SeededRandomness("2"))
    if selected:
        card.transmit(_SELECT)
    for command in attack:
        answer = card.transmit(command)
        assert 2 <= len(answer) <= 258
        assert answer[-2] & 0xF0 in (0x60, 0x90)
    card.power_up()
    card.transmit(_SELECT)
    assert card.transmit(bytes.fromhex("805C000204")) == bytes.fromhex("000013889000")
    assert len(card.nvm.memory) == len(IMAGES[algorithm].template.memory)
    assert card.transmit(bytes.fromhex("00B095001E"))[10:20] == CARD_NO
    assert card.transmit(bytes.fromhex("00B201C417")) == bytes.fromhex("6A83"), "nothing was logged"


@settings(max_examples=300)
@given(st.lists(commands(), max_size=12), st.booleans())
def test_a_card_with_every_kind_of_file_and_key(attack: list[bytes], seal: bool) -> None:
    card = application(Scripted(), KEYS, files=FILES, content=CONTENT, seal=seal)
    for command in attack:
        answer = card.transmit(command)
        assert 2 <= len(answer) <= 258
    card.power_up()
    select(card, "3F01")
    if seal:
        assert card.transmit(bytes.fromhex("805C000204")) == bytes.fromhex("000013889000")


@settings(max_examples=300)
@given(st.lists(commands(), max_size=12))
def test_a_module(attack: list[bytes]) -> None:
    psam = module([SamKey(version=1, algorithm=Algorithm.TDES, level=2, key=bytes(16))])
    select(psam, "DF01")
    for command in attack:
        answer = psam.transmit(command)
        assert 2 <= len(answer) <= 258
    psam.power_up()
    assert psam.transmit(bytes.fromhex("00B0960006")) == bytes.fromhex("4403000000019000")


@settings(max_examples=200)
@given(st.lists(commands(), max_size=6))
def test_a_blank_card(attack: list[bytes]) -> None:
    card = Card.blank(Scripted())
    for command in attack:
        assert len(card.transmit(command)) >= 2
    card.power_up()
