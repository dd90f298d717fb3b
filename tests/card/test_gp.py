"""The domain's commands: what they tell, how channels are abused, and bytes that nobody sane sends.

Goal: a status word, never an exception, never a change without a right MAC. Hostile first.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.card import Card, Nvm
from jinka.card.domain_keys import KEY_TRIES, Option
from jinka.card.domains import (
    with_issuer_domain,
)
from jinka.card.files import ISSUER_AID, blank_memory
from jinka.card.globalplatform import SecurityDomain
from jinka.codec import Command, find, tlv
from jinka.crypto.scp import ChannelBroken, Diversification, KeyFamily, KeySet, Level
from jinka.crypto.scp03 import Scp03
from jinka.issuer.field_update import DomainRefused, FieldUpdate
from jinka.kit import Refused
from jinka.sim.randomness import SeededRandomness
from tests.card.domain_rig import (
    AUTHORITIES,
    ISSUER_KEYS,
    PROFILES,
    card_of_authorities,
    factory_card,
    key_set,
    put_on,
    session,
)
from tests.card.rig import Scripted, send

SELECT = "00A4040008" + ISSUER_AID.hex()


class Wire:
    """A link that keeps the commands of a session and lets a test change them."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.sent: list[bytes] = []

    def transmit(self, command: bytes) -> bytes:
        self.sent.append(command)
        return self.card.transmit(command)


@pytest.fixture(scope="module")
def memory() -> bytes:
    card = card_of_authorities("transit", "fuel")
    put_on(card, "transit")
    return bytes(card.nvm.memory)


def _card(memory: bytes) -> Card:
    return Card(Nvm(memory), SeededRandomness("gp"))


def _opened(memory: bytes, name: str = "transit") -> tuple[Card, Wire, FieldUpdate]:
    card = _card(memory)
    wire = Wire(card)
    aid, keys = AUTHORITIES[name]
    update = FieldUpdate(wire, domain=aid, keys=keys, randomness=SeededRandomness("host"))
    update.open()
    return card, wire, update


commands = st.builds(
    lambda name, p1, p2, data, le: (
        bytes((*name, p1, p2)) + (bytes((len(data),)) + data if data else b"") + le
    ),
    st.sampled_from(sorted(SecurityDomain.table)),
    st.sampled_from([0, 1, 2, 4, 8, 0x0C, 0x20, 0x40, 0x60, 0x80, 0x81, 0x88, 0xE0]) | st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=80)
    | st.binary(max_size=40).map(lambda raw: tlv(0x4F, raw))
    | st.lists(st.binary(max_size=16), max_size=7).map(lambda v: b"".join(bytes((len(x),)) + x for x in v)),
    st.sampled_from([b"", b"\x00"]),
)


@settings(max_examples=250)
@given(st.lists(commands, max_size=4))
def test_hostile_commands_without_a_channel_change_nothing(raws: list[bytes]) -> None:
    card = factory_card()
    before = bytes(card.nvm.memory)
    card.transmit(bytes.fromhex(SELECT))
    for raw in raws:
        answer = card.transmit(raw)
        assert len(answer) >= 2
    changed = sum(a != b for a, b in zip(card.nvm.memory, before, strict=True))
    assert changed <= 1, "a try of EXTERNAL AUTHENTICATE at most"


@settings(max_examples=250)
@given(st.lists(commands, max_size=4))
def test_hostile_commands_under_a_right_mac_end_in_a_status_word(raws: list[bytes]) -> None:
    """An authority that sends nonsense harms nobody, not even the card's own structure."""
    card = _card(_MEMORY)
    wire, (aid, keys) = Wire(card), AUTHORITIES["transit"]
    update = FieldUpdate(wire, domain=aid, keys=keys, randomness=SeededRandomness("host"))
    update.open()
    channel = update._channel
    assert channel is not None
    for raw in raws:
        plain = Command.parse(raw)
        if plain.ins in (0x50, 0x82) or plain.cla & 4 or len(plain.data) > 200:
            continue
        answer = card.transmit(channel.wrap(plain).build())
        assert len(answer) >= 2
    card.power_up()
    assert card.directory.root.children
    assert bytes(card.nvm.memory).count(AUTHORITIES["fuel"][1].enc) == 1


_MEMORY = b""


@pytest.fixture(autouse=True)
def _shared(memory: bytes) -> None:
    global _MEMORY
    _MEMORY = memory


def test_a_replayed_command_is_refused_and_ends_the_session(memory: bytes) -> None:
    card, wire, update = _opened(memory)
    update.lock(PROFILES["transit"].aid)
    locked = bytes(card.nvm.memory)
    update.unlock(PROFILES["transit"].aid)
    free = bytes(card.nvm.memory)
    assert locked != free
    lock = wire.sent[-2]
    assert card.transmit(lock) == b"\x69\x82"
    assert bytes(card.nvm.memory) == free
    with pytest.raises(Refused):
        update.lock(PROFILES["transit"].aid)
    assert bytes(card.nvm.memory) == free


def test_a_replayed_session_is_refused(memory: bytes) -> None:
    """The counter moves on, so yesterday's EXTERNAL AUTHENTICATE fits no challenge of today."""
    for name in ("transit", "fuel"):
        card, wire, _ = _opened(memory, name)
        answers = [card.transmit(raw) for raw in wire.sent]
        assert answers[0][-2:] == answers[1][-2:] == b"\x90\x00"
        assert answers[2] == b"\x63\x00"


def test_plain_commands_are_refused_inside_a_session(memory: bytes) -> None:
    card, _, update = _opened(memory)
    aid = PROFILES["transit"].aid
    assert send(card, "80E4000009 4F07" + aid.hex()) == "6982"
    assert send(card, "80F0408307" + aid.hex()) == "6982"
    assert send(card, "80F24000024F00") == "6982"
    assert update.content()


def test_a_changed_response_is_noticed(memory: bytes) -> None:
    card = _card(memory)
    update = FieldUpdate(
        _Liar(card), domain=ISSUER_AID, keys=ISSUER_KEYS, randomness=SeededRandomness("host")
    )
    update.open()
    with pytest.raises(ChannelBroken, match="MAC is wrong"):
        update.content()


class _Liar(Wire):
    """Changes the answer to GET STATUS."""

    def transmit(self, command: bytes) -> bytes:
        answer = super().transmit(command)
        if command[1] == 0xF2 and len(answer) > 2:
            return bytes((answer[0] ^ 1,)) + answer[1:]
        return answer


def test_a_card_that_does_not_know_the_keys_is_noticed() -> None:
    card = factory_card(key_set("another issuer"))
    with pytest.raises(ChannelBroken, match="card cryptogram"):
        session(card)


def test_wrong_keys_are_counted_and_the_set_is_spent() -> None:
    card = factory_card()
    for _ in range(KEY_TRIES):
        card.transmit(bytes.fromhex(SELECT))
        card.transmit(bytes.fromhex("8050000008") + bytes(8))
        assert send(card, "8482030010" + "00" * 16) == "6300"
        card.power_up()
    card.transmit(bytes.fromhex(SELECT))
    assert send(card, "8050000008" + "00" * 8) == "6983"
    with pytest.raises(DomainRefused, match="6983"):
        session(card)


def test_a_right_authentication_gives_the_tries_back() -> None:
    card = factory_card()
    fresh = bytes(card.nvm.memory)
    card.transmit(bytes.fromhex(SELECT))
    card.transmit(bytes.fromhex("8050000008") + bytes(8))
    assert send(card, "8482030010" + "00" * 16) == "6300"
    session(card)
    assert sum(a != b for a, b in zip(card.nvm.memory, fresh, strict=True)) == 1, "the counter alone"


def test_a_level_without_mac_is_refused() -> None:
    card = factory_card()
    update = FieldUpdate(
        card, domain=ISSUER_AID, keys=ISSUER_KEYS, randomness=SeededRandomness("h"), level=Level.NONE
    )
    with pytest.raises(DomainRefused, match="6985"):
        update.open()


@pytest.mark.parametrize("level", [0x01, 0x03, 0x11, 0x13, 0x33])
@pytest.mark.parametrize("option", [Option.SCP03_RANDOM, Option.SCP03_PSEUDO])
def test_every_level_of_scp03_carries_an_application(level: int, option: Option) -> None:
    _carry(key_set("any", size=32), Level(level), option)


@pytest.mark.parametrize("level", [0x01, 0x03])
@pytest.mark.parametrize("option", [Option.SCP02_RANDOM, Option.SCP02_PSEUDO])
def test_every_level_of_scp02_carries_an_application(level: int, option: Option) -> None:
    _carry(key_set("any", family=KeyFamily.TDES), Level(level), option)


def _carry(keys: KeySet, level: Level, option: Option) -> None:
    """Load, install, personalise from the issuer's domain itself; keys cross only enciphered."""
    from tests.card.domain_rig import person

    card = Card(Nvm(with_issuer_domain(blank_memory(), keys, option=option)), SeededRandomness("1"))
    wire = Wire(card)
    update = FieldUpdate(wire, domain=ISSUER_AID, keys=keys, randomness=SeededRandomness("host"), level=level)
    update.open()
    profile = PROFILES["transit"]
    who = person("transit", profile)
    update.load(profile)
    update.install(profile)
    update.personalise(profile, who)
    assert send(card, "00A4040007" + profile.aid.hex()).endswith("9000")
    assert send(card, "805C000204") == "000013889000"
    crossed = b"".join(wire.sent)
    assert not any(key in crossed for key in who.keys)
    assert all(key in bytes(card.nvm.memory) for key in who.keys)


def test_plain_keys_are_not_taken_through_a_channel_that_does_not_encipher(memory: bytes) -> None:
    card = _card(memory)
    aid, keys = AUTHORITIES["fuel"]
    update = FieldUpdate(card, domain=aid, keys=keys, randomness=SeededRandomness("h"), level=Level.C_MAC)
    update.open()
    profile = PROFILES["fuel"]
    update.load(profile)
    update.install(profile)
    channel = update._channel
    assert channel is not None
    name = bytes((0, 0, len(profile.aid))) + profile.aid + bytes(3)
    card.transmit(channel.wrap(Command(0x80, 0xE6, 0x20, 0, name)).build())
    plain = Command(0x80, 0xE2, 0x88, 0, bytes.fromhex("8F010600D6950001FF"))
    assert card.transmit(channel.wrap(plain).build()) == b"\x69\x82"


@pytest.mark.parametrize("how", [Diversification.EMV, Diversification.VISA2])
def test_diversified_keys_open_the_card(how: Diversification) -> None:
    master = key_set("masters", family=KeyFamily.TDES)
    own = master.for_card(bytes(range(10)), how)
    card = factory_card(own)
    update = FieldUpdate(
        card, domain=ISSUER_AID, keys=master, randomness=SeededRandomness("h"), diversification=how
    )
    update.open()
    assert update.content() == []


def test_kdf3_keys_open_the_card() -> None:
    master = key_set("masters", size=32)
    card = factory_card(master.for_card(bytes(range(10)), Diversification.KDF3))
    update = FieldUpdate(
        card,
        domain=ISSUER_AID,
        keys=master,
        randomness=SeededRandomness("h"),
        diversification=Diversification.KDF3,
    )
    update.open()


def test_what_a_domain_tells_everybody() -> None:
    cplc = bytes(range(42))
    memory = with_issuer_domain(blank_memory(), ISSUER_KEYS, cplc=cplc, kdd10=bytes(range(10)))
    card = Card(Nvm(memory), Scripted())
    fci = bytes.fromhex(send(card, SELECT))
    assert find(fci, 0x6F, 0x84) == ISSUER_AID
    assert find(fci, 0x6F, 0xA5, 0x73, 0x06) == bytes.fromhex("2A864886FC6B01")
    assert send(card, "80CA00E000") == "E012C00401018810C00402018810C004030188109000"
    assert send(card, "80CA9F7F00") == "9F7F2A" + cplc.hex().upper() + "9000"
    assert send(card, "80CA00CF00") == "CF0A000102030405060708099000"
    assert send(card, "80CA00C100") == "C1030000009000"
    assert find(bytes.fromhex(send(card, "80CA006600"))[:-2], 0x66, 0x73) is not None
    room = bytes.fromhex(send(card, "00CAFF2100"))
    assert room[:3] == bytes.fromhex("FF2109")
    assert find(room[3:-2], 0x81) == b"\x00"
    assert int.from_bytes(find(room[3:-2], 0x82) or b"", "big") > 30_000
    assert send(card, "80CA004200") == "6A88"
    session(card)
    assert send(card, "80CA00C100") == "C1030000019000"


def test_the_pseudo_random_challenge_is_the_standards_own() -> None:
    from jinka.crypto.scp03 import card_challenge

    card = factory_card()
    card.transmit(bytes.fromhex(SELECT))
    answer = card.transmit(bytes.fromhex("8050000008 0102030405060708 00"))
    assert answer[:10] == bytes(range(10))
    assert answer[10:13] == bytes.fromhex("010370")
    assert answer[13:21] == card_challenge(ISSUER_KEYS, bytes(3), ISSUER_AID)
    twin = Scp03(ISSUER_KEYS, host8=bytes(range(1, 9)), card8=answer[13:21])
    assert answer[21:29] == twin.card_cryptogram
    assert answer[29:-2] == bytes(3)


def test_a_long_status_comes_in_parts() -> None:
    card = factory_card()
    update = session(card)
    names = [b"DOMAIN.%02d" % number for number in range(9)]
    for name in names:
        update.make_domain(name, quota=1000)
    wire = Wire(card)
    update = FieldUpdate(wire, domain=ISSUER_AID, keys=ISSUER_KEYS, randomness=SeededRandomness("h"))
    update.open()
    before = len(wire.sent)
    assert [line.aid for line in update.content()] == names
    assert len(wire.sent) - before > 2


def test_the_older_answer_form_of_get_status(memory: bytes) -> None:
    card, _, update = _opened(memory)
    channel = update._channel
    assert channel is not None
    raw = channel.read(card.transmit(channel.wrap(Command(0x80, 0xF2, 0x40, 0x00, b"\x4f\x00", 256)).build()))
    aid, own = PROFILES["transit"].aid, AUTHORITIES["transit"][0]
    assert raw == b"\x07" + own + b"\x0f\x80" + b"\x07" + aid + b"\x0f\x00" + b"\x90\x00"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[:-4] + bytes(3) + raw[-1:],
        lambda raw: raw[:1] + b"\x80" + raw[2:],
        lambda raw: raw[:-1],
        lambda raw: raw + b"\x00",
        lambda raw: b"",
        lambda raw: raw[:20],
    ],
)
def test_spoilt_keys_are_not_put(memory: bytes, spoil) -> None:
    card, _, update = _opened(memory)
    channel = update._channel
    assert channel is not None
    keys = key_set("next", version=9)
    body = b"\x09"
    for key, check in zip(keys.keys, keys.check_values, strict=True):
        body += b"\x88\x11\x10" + channel.wrap_key(key) + b"\x03" + check
    before = bytes(card.nvm.memory)
    answer = card.transmit(channel.wrap(Command(0x80, 0xD8, 0, 0x81, spoil(body), 256)).build())
    assert answer[-2:] in (b"\x6a\x80", b"\x67\x00")
    assert bytes(card.nvm.memory) == before
