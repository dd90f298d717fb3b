"""The USIM and the network. Method: the published vectors through the card itself, then the network in every mood."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.card import Card, PowerCut, personalised
from jinka.card.usim import SUBSCRIBER_FID, subscriber_data
from jinka.codec import find
from jinka.codec.imsi import decode_imsi, encode_imsi
from jinka.crypto import milenage
from jinka.kit import NotFound, Refused, Usage
from jinka.sectors.usim import PROFILE
from jinka.sim.randomness import SeededRandomness
from jinka.terminal.usim_auth import AttachStatus, AuthenticationCentre, NetworkTerminal, Subscriber
from tests.card.rig import reloaded, send
from tests.vectors.test_milenage import ROWS

IMSI = "460001234567890"
PIN, UNBLOCK = b"1234", b"12345678"
SELECT = "00A4040410" + PROFILE.aid.hex()
VERIFY = "0020000108" + PIN.hex() + "FFFFFFFF"
K, RAND, SQN, AMF, _, OPC, MAC_A, _, RES, AK, CK, IK, _ = ROWS[0]


def usim(*, verified: bool = True, k: bytes = K, opc: bytes = OPC) -> Card:
    personal = subscriber_data(PROFILE, imsi=IMSI, k=k, opc=opc, pin=PIN, unblock=UNBLOCK)
    card = personalised(PROFILE, personal, SeededRandomness("usim"))
    assert send(card, SELECT).endswith("9000")
    if verified:
        assert send(card, VERIFY) == "9000"
    return card


def autn(k: bytes, opc: bytes, sqn: int, rand: bytes = RAND) -> str:
    return milenage.make_vector(k, opc, rand, sqn.to_bytes(6, "big"), AMF).autn.hex()


def authenticate(card: Card, sqn: int, *, k: bytes = K, opc: bytes = OPC, rand: bytes = RAND) -> str:
    return send(card, "008800812210" + rand.hex() + "10" + autn(k, opc, sqn, rand) + "00")


@pytest.mark.parametrize("row", ROWS, ids=[f"set {number}" for number in range(1, 7)])
def test_the_card_gives_the_published_answers(row: list[bytes]) -> None:
    """3GPP TS 35.207; the card's numbers start just below the set's, as the jump is limited."""
    k, rand, sqn, amf, _, opc, _, _, res, _, ck, ik, _ = row
    card = usim(k=k, opc=opc)
    folder = card.directory.named(PROFILE.aid)
    assert folder is not None
    at = folder.children[SUBSCRIBER_FID].at + 32
    before = (int.from_bytes(sqn, "big") - 64).to_bytes(6, "big")
    index = int.from_bytes(sqn, "big") % 32
    card.nvm.memory[at + 6 * index : at + 6 * index + 6] = before
    vector = milenage.make_vector(k, opc, rand, sqn, amf)
    answer = send(card, "008800812210" + rand.hex() + "10" + vector.autn.hex() + "00")
    kc = milenage.gsm_answer(milenage.f2345(k, opc, rand))[1]
    wanted = b"\xdb\x08" + res + b"\x10" + ck + b"\x10" + ik + b"\x08" + kc
    assert answer == wanted.hex().upper() + "9000"
    assert send(card, "008800801110" + rand.hex() + "00").endswith("08" + kc.hex().upper() + "9000")


def test_gsm_context_of_the_first_set() -> None:
    """3GPP TS 55.205, test set 1."""
    assert send(usim(), "008800801110" + RAND.hex() + "00") == "0446F8416A08EAE4BE823AF9A08B9000"


def test_a_number_works_once_and_each_index_keeps_its_own() -> None:
    card = usim()
    assert authenticate(card, 5 * 32 + 3).startswith("DB")
    assert authenticate(card, 5 * 32 + 3).startswith("DC0E")
    assert authenticate(card, 4 * 32 + 3).startswith("DC0E")
    assert authenticate(card, 4 * 32 + 4).startswith("DB"), "another index may lag behind"
    assert authenticate(card, 6 * 32 + 3).startswith("DB")
    assert authenticate(card, ((1 << 28) + 10) * 32).startswith("DC0E"), "too far ahead"
    card = reloaded(card)
    send(card, SELECT)
    send(card, VERIFY)
    assert authenticate(card, 6 * 32 + 3).startswith("DC0E"), "the numbers last"


def test_auts_carries_the_highest_number() -> None:
    card = usim()
    authenticate(card, 7 * 32 + 9)
    answer = authenticate(card, 1)
    assert milenage.open_auts(K, OPC, RAND, bytes.fromhex(answer)[2:16]) == (7 * 32 + 9).to_bytes(6, "big")


def test_a_false_network_moves_nothing() -> None:
    card = usim()
    before = bytes(card.nvm.memory)
    assert authenticate(card, 64, k=bytes(16)) == "9862"
    good = autn(K, OPC, 64)
    for at in range(0, len(good), 2):
        broken = good[:at] + f"{int(good[at : at + 2], 16) ^ 1:02x}" + good[at + 2 :]
        assert send(card, "008800812210" + RAND.hex() + "10" + broken + "00") == "9862"
    assert bytes(card.nvm.memory) == before


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("008800812210" + "00" * 16 + "11" + "00" * 16 + "00", "6700"),
        ("008800811110" + "00" * 16 + "00", "6700"),
        ("008800802210" + "00" * 16 + "10" + "00" * 16 + "00", "6700"),
        ("0088008100", "6700"),
        ("0088008200", "6A86"),
        ("0088018100", "6A86"),
        ("00A4000C026F02", "6A82"),
        ("00B09F0001", "6A82"),
        ("00B0900001", "6A82"),
        ("0020000208" + "00" * 8, "6A86"),
        ("0020008108" + "00" * 8, "6A88"),
        ("80F2000300", "6A86"),
    ],
)
def test_wrong_commands(command: str, answer: str) -> None:
    assert send(usim(), command) == answer


def test_nothing_without_the_pin() -> None:
    card = usim(verified=False)
    assert authenticate(card, 64) == "6982"
    assert send(card, "008800801110" + RAND.hex() + "00") == "6982"
    assert send(card, "00B0870009") == "6982"
    assert send(card, "00B0830004") == "000000029000", "administrative data are free"
    assert send(card, "00D68B00014F") == "6982"


def test_the_subscriber_key_is_given_to_nobody() -> None:
    card = usim()
    assert send(card, "00A4000C026F01") == "9000"
    assert send(card, "00B0000010") == "6981"
    assert send(card, "00D6000010" + "00" * 16) in ("6981", "6982")
    assert send(card, "00B2010400") == "6981"
    assert send(card, "80D43A010C" + "F0EF0133" + "31" * 8) == "6982", "nor is the PIN replaced"


def test_files_by_short_identifier_and_their_templates() -> None:
    card = usim()
    assert decode_imsi(bytes.fromhex(send(card, "00B0870009"))[:9]) == IMSI
    assert send(card, "00D68B000B" + "01" * 11) == "9000"
    assert send(card, "00B08B000B") == "01" * 11 + "9000"
    assert send(card, "00D6870001FF") == "6982", "the IMSI is the operator's"
    fcp = bytes.fromhex(send(card, "00A40004026F07"))[:-2]
    assert find(fcp, 0x62, 0x83) == b"\x6f\x07"
    assert find(fcp, 0x62, 0x80) == b"\x00\x09"
    assert find(fcp, 0x62, 0x88) == b"\x38"
    assert find(bytes.fromhex(send(card, "00A40004026FB7"))[:-2], 0x62, 0x82) == bytes.fromhex("4221000402")
    assert send(card, "00B2020404") == "11F2FF009000"
    assert send(card, "00A4000C026F07") == "9000"
    assert find(bytes.fromhex(send(card, "80F2000000"))[:-2], 0x62, 0x84) == PROFILE.aid
    assert find(bytes.fromhex(send(card, SELECT))[:-2], 0x62, 0xC6, 0x90) == b"\x80"


def test_pin_life() -> None:
    card = usim(verified=False)
    wrong = "0020000108" + "00" * 8
    assert send(card, "00200001") == "63C3"
    assert [send(card, wrong) for _ in range(4)] == ["63C2", "63C1", "6983", "6983"]
    assert send(card, VERIFY) == "6983"
    puk, new = UNBLOCK.hex(), b"43210".hex() + "FFFFFF"
    assert send(card, "002C0001") == "63CA"
    assert send(card, "002C000110" + "00" * 8 + new) == "63C9"
    assert send(card, "002C000110" + puk + "12" * 8) == "6A80", "digits only"
    assert send(card, "002C000110" + puk + new) == "9000"
    assert send(card, VERIFY) == "63C2"
    assert send(card, "0020000108" + new) == "9000"
    assert send(card, "0024000110" + new + PIN.hex() + "FFFFFFFF") == "9000"
    assert send(card, "0026000108" + "00" * 8) == "63C2"
    assert send(card, "0026000108" + PIN.hex() + "FFFFFFFF") == "9000"
    card = reloaded(card)
    assert find(bytes.fromhex(send(card, SELECT))[:-2], 0x62, 0xC6, 0x90) == b"\x00"
    assert authenticate(card, 64).startswith("DB"), "a disabled PIN is not asked for"
    assert send(card, VERIFY) == "6985"
    assert send(card, "0028000108" + PIN.hex() + "FFFFFFFF") == "9000"
    send(card, SELECT)
    assert authenticate(card, 128) == "6982"


def test_ten_wrong_unblocking_keys_end_it() -> None:
    card = usim(verified=False)
    for _ in range(10):
        send(card, "002C000110" + "00" * 8 + PIN.hex() + "FFFFFFFF")
    assert send(card, "002C000110" + UNBLOCK.hex() + PIN.hex() + "FFFFFFFF") == "6983"


def centre(**changed: object) -> AuthenticationCentre:
    one = Subscriber(k=K, opc=OPC)
    for name, value in changed.items():
        setattr(one, name, value)
    return AuthenticationCentre({IMSI: one}, SeededRandomness("home"))


def test_attach() -> None:
    card, home = usim(verified=False), centre()
    network = NetworkTerminal(PROFILE.aid, home)
    first, second = network.attach(card, PIN), network.attach(card, PIN)
    assert first.status is second.status is AttachStatus.DONE
    assert (first.imsi, len(first.ck), len(first.ik)) == (IMSI, 16, 16)
    assert first.ck != second.ck
    assert first.ck.hex() not in repr(first)


def test_forty_attaches_go_round_the_indices() -> None:
    card, network = usim(verified=False), NetworkTerminal(PROFILE.aid, centre())
    for _ in range(40):
        found = network.attach(card, PIN)
        assert (found.status, found.resynchronised) == (AttachStatus.DONE, False)


@pytest.mark.parametrize("sqn", [0, 5, 1 << 40])
def test_a_home_network_that_lost_count_resynchronises(sqn: int) -> None:
    card = usim(verified=False)
    network = NetworkTerminal(PROFILE.aid, centre())
    for _ in range(40):
        network.attach(card, PIN)
    found = NetworkTerminal(PROFILE.aid, centre(sqn=sqn)).attach(card, PIN)
    assert (found.status, found.resynchronised) == (AttachStatus.DONE, True)


def test_strangers() -> None:
    card = usim(verified=False)
    assert (
        NetworkTerminal(PROFILE.aid, centre(k=bytes(16))).attach(card, PIN).status
        is AttachStatus.NETWORK_FALSE
    )
    with pytest.raises(NotFound, match="7890"):
        NetworkTerminal(PROFILE.aid, AuthenticationCentre({}, SeededRandomness("1"))).attach(card, PIN)
    refused = NetworkTerminal(PROFILE.aid, centre()).attach(card, b"0000")
    assert (refused.status, refused.sw, refused.step) == (AttachStatus.REFUSED, 0x63C2, "verify PIN")
    with pytest.raises(Refused, match="used up"):
        centre(sqn=(1 << 48) - 1).vector(IMSI)


class Meddler:
    """A card whose answer to AUTHENTICATE is changed."""

    def __init__(self, card: Card, change: Callable[[bytes], bytes]) -> None:
        self.card, self.change = card, change

    def transmit(self, command: bytes) -> bytes:
        answer = self.card.transmit(command)
        return self.change(answer) if command[1] == 0x88 else answer


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a[:4] + b"\x00" + a[5:],
        lambda a: b"\xdb\x90\x00",
        lambda a: b"\x90\x00",
        lambda a: b"\xdc\x0e" + bytes(14) + b"\x90\x00",
        lambda a: b"\xdc\xff" + bytes(14) + b"\x90\x00",
        lambda a: a[:10] + b"\x90\x00",
    ],
)
def test_a_false_card_is_found_out(change: Callable[[bytes], bytes]) -> None:
    found = NetworkTerminal(PROFILE.aid, centre()).attach(Meddler(usim(verified=False), change), PIN)
    assert found.status is AttachStatus.CARD_FALSE


@pytest.mark.parametrize("imsi", ["460001234567890", "46000123456789", "460001"])
def test_imsi(imsi: str) -> None:
    assert decode_imsi(encode_imsi(imsi)) == imsi
    for broken in (b"", bytes(9), b"\xff" * 9, b"\x09" + bytes(8), b"\x08" + b"\xa9" + bytes(7)):
        with pytest.raises(Usage):
            decode_imsi(broken)


def test_a_published_imsi() -> None:
    """pySim, EF.IMSI in ts_51_011.py: 082982608200002080 is 228062800000208."""
    assert encode_imsi("228062800000208") == bytes.fromhex("082982608200002080")
    assert decode_imsi(bytes.fromhex("082982608200002080")) == "228062800000208"


WRITERS: dict[str, tuple[str, str]] = {
    "authenticate": ("", "DB"),
    "verify": (VERIFY, "9000"),
    "verify, wrong": ("0020000108" + "00" * 8, "63C2"),
    "change": ("0024000110" + PIN.hex() + "FFFFFFFF" + "39" * 8, "9000"),
    "disable": ("0026000108" + PIN.hex() + "FFFFFFFF", "9000"),
    "unblock": ("002C000110" + UNBLOCK.hex() + "39" * 8, "9000"),
    "update": ("00D68B000B" + "01" * 11, "9000"),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("torn", [False, True])
def test_power_cuts_at_every_write(name: str, torn: bool) -> None:
    text, answer = WRITERS[name]
    text = text or "008800812210" + RAND.hex() + "10" + autn(K, OPC, 64) + "00"
    card = usim()
    states = [bytes(card.nvm.memory)]
    commit = type(card.nvm).commit

    class Watched(type(card.nvm)):
        __slots__ = ()

        def commit(self, entries: object) -> None:
            commit(self, entries)
            states.append(bytes(self.memory))

    card.nvm.__class__ = Watched
    assert send(card, text).startswith(answer)
    card = usim()
    card.nvm.cut_after(10_000)
    send(card, text)
    total = card.nvm.writes
    assert total > 0
    for write in range(total):
        card = usim()
        card.nvm.cut_after(write, torn=torn)
        with pytest.raises(PowerCut):
            send(card, text)
        card.nvm.cut_after(None)
        assert bytes(reloaded(card).nvm.memory) in states
        if name == "authenticate":
            again = reloaded(card)
            send(again, SELECT)
            send(again, VERIFY)
            assert send(again, text)[:2] in ("DB", "DC"), (
                "the vector works now, or the network resynchronises"
            )


_ins = st.sampled_from([0x20, 0x24, 0x26, 0x28, 0x2C, 0x88, 0xA4, 0xB0, 0xB2, 0xD6, 0xDC, 0xF2, 0xC0])
_byte = st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 4, 0x80, 0x81, 0x87]))


_VECTOR_LIKE = st.binary(min_size=32, max_size=32).map(lambda raw: b"\x10" + raw[:16] + b"\x10" + raw[16:])


@settings(max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=262),
            _VECTOR_LIKE.map(lambda body: bytes.fromhex("0088008122") + body),
            st.builds(
                lambda cla, ins, p1, p2, body: bytes((cla, ins, p1, p2, len(body))) + body,
                st.sampled_from([0x00, 0x80, 0x04]),
                _ins,
                _byte,
                _byte,
                st.binary(max_size=40),
            ),
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_hostile_bytes(attack: list[bytes], verified: bool) -> None:
    card = usim(verified=verified)
    folder = card.directory.named(PROFILE.aid)
    assert folder is not None
    at = folder.children[SUBSCRIBER_FID].at
    for command in attack:
        answer = card.transmit(command)
        assert 2 <= len(answer) <= 258
    assert bytes(card.nvm.memory[at : at + 32]) == K + OPC
    assert not any(card.nvm.memory[at + 32 : at + 32 + 192]), "no number moves without the key"
