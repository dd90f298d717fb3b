"""Access keys: what a desk proves to a card. In memory, on a SoftHSM2 token, over a socket; never under another key.

The oracle is `cryptography`'s cipher, used by hand: factor and complement give the card's key, which enciphers the
challenge (3DES; SM4 with its halves joined).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from jinka.card import Personal, personalised
from jinka.codec import Algorithm
from jinka.crypto.mac import MacAlgorithm
from jinka.issuer import AccessHost
from jinka.keys import KeyName, KeyStore, Purpose, SoftKeyService, open_store
from jinka.keys.acts import Act, draw, move
from jinka.keys.audit import AuditEvent, Outcome
from jinka.keys.border import Caller
from jinka.keys.cryptograms import SessionKey
from jinka.keys.hierarchy import chip_key_name, chip_keys_of
from jinka.kit import Refused, Usage
from jinka.profile import KeyUse
from jinka.sectors.social_security import AID, FOLDER_NAMES, PROFILE
from jinka.sim.randomness import SeededRandomness
from tests.card.rig import send
from tests.keys import payments
from tests.keys.ground import REGION, Dice, held
from tests.keys.payments import KEY, OTHER, Rig

READS, UPDATES = (f"access/TDES/1@cn.social-security.DF01.{kid}" for kid in (1, 2))
SM4 = "access/SM4/1@jinka.identity.0000.2"
VALUES = {READS: KEY, UPDATES: OTHER, SM4: KEY}
FACTOR = bytes.fromhex("0000000000001234")
CHALLENGES = (bytes.fromhex("A1B2C3D4"), bytes.fromhex("0123456789ABCDEF"))


@pytest.fixture(params=["soft", "pkcs11+soft", "socket"])
def rig(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    for name, value in VALUES.items():
        monkeypatch.setitem(payments.KEYS, name, (value, ()))
    made = payments.rig(payments.routed() if request.param == "pkcs11+soft" else None)
    try:
        if request.param == "socket":
            with payments.over_socket(made, tmp_path) as remote:
                yield remote
        else:
            yield made
    finally:
        made.holding.provider.close()


def ecb(key: bytes, data: bytes, *, sm4: bool = False) -> bytes:
    cipher = algorithms.SM4(key) if sm4 else TripleDES(key + key[:8])
    return Cipher(cipher, modes.ECB()).encryptor().update(data)


def card_key(root: bytes, factor8: bytes = FACTOR, *, sm4: bool = False) -> bytes:
    return ecb(root, factor8 + bytes(byte ^ 0xFF for byte in factor8), sm4=sm4)


@pytest.mark.parametrize("challenge", CHALLENGES, ids=len)
def test_the_answer_is_the_challenge_under_the_cards_key(rig: Rig, challenge: bytes) -> None:
    for name in (READS, UPDATES):
        wanted = ecb(card_key(VALUES[name]), challenge.ljust(8, b"\x00"))
        assert rig.service.answer_challenge(challenge, key=name, factor8=FACTOR) == wanted
    for given in (challenge, bytes(range(16))):
        block = ecb(card_key(KEY, sm4=True), given.ljust(16, b"\x00"), sm4=True)
        wanted = bytes(a ^ b for a, b in zip(block[:8], block[8:], strict=True))
        assert rig.service.answer_challenge(given, key=SM4, factor8=FACTOR) == wanted


def test_nothing_but_a_challenge_under_nothing_but_an_access_key(rig: Rig) -> None:
    ask = rig.service.answer_challenge
    for bad in (b"", bytes(3), bytes(7), bytes(9), bytes(16), bytes(24)):
        with pytest.raises(Usage):
            ask(bad, key=READS, factor8=FACTOR)
    for bad in (b"", bytes(7), bytes(10), bytes(16)):
        with pytest.raises(Usage):
            ask(bytes(8), key=READS, factor8=bad)
    for name in set(payments.KEYS) - set(VALUES):
        with pytest.raises(Refused, match="not access"):
            ask(bytes(8), key=name, factor8=FACTOR)
    with pytest.raises(Refused, match="no such key"):
        ask(bytes(8), key=READS.replace("/1@", "/2@"), factor8=FACTOR)
    with pytest.raises(Usage):
        ask(bytes(8), key="access", factor8=FACTOR)


def test_no_other_verb_takes_an_access_key(rig: Rig) -> None:
    with pytest.raises(Refused, match="the key is for access"):
        rig.service.generate_mac(bytes(8), key=READS, algorithm=MacAlgorithm.CBC_MAC)
    with pytest.raises(Refused, match="the key is for access"):
        rig.service.make_script_mac(
            bytes(5), b"", key=READS, pan="6225880000000000", sequence="00", counter=1,
            cryptogram8=bytes(8), session=SessionKey.CARD,
        )  # fmt: skip
    with pytest.raises(Refused):
        rig.service.sam_key(Purpose.ACCESS, algorithm=Algorithm.TDES, version=1)
    with pytest.raises(Refused, match="simulated"):
        rig.service.chip_keys(
            Purpose.ACCESS,
            algorithm=Algorithm.TDES,
            version=1,
            factors8=np.zeros((1, 8), np.uint8),
            owner=READS.partition("@")[2],
        )


class Lines(list[AuditEvent]):
    """An audit log that remembers."""

    def commit(self) -> None: ...

    def close(self) -> None: ...


def test_who_may_read_one_folder_opens_no_other_and_each_try_is_noted() -> None:
    made = SoftKeyService(simulated_store(), region=REGION)
    lines = Lines()
    caller = Caller(name="clinic", verbs=("answer_challenge",), keys=("access/*@cn.social-security.DF04.1",))
    seen = Rig(made, payments.StillClock(), made.holding).seen_by(caller, audit=lines)
    mine, other = ("access/TDES/1@cn.social-security.DF04.1", "access/TDES/1@cn.social-security.DF04.2")
    assert len(seen.answer_challenge(CHALLENGES[1], key=mine, factor8=FACTOR)) == 8
    with pytest.raises(Refused, match="was not given this key"):
        seen.answer_challenge(CHALLENGES[1], key=other, factor8=FACTOR)
    with pytest.raises(Refused, match="was not given the verb"):
        seen.chip_keys(
            Purpose.ACCESS, algorithm=Algorithm.TDES, version=1, factors8=np.zeros((1, 8), np.uint8)
        )
    assert [(line.act, line.subject, line.outcome) for line in lines] == [
        ("keys.answer_challenge", mine, Outcome.OK),
        ("keys.answer_challenge", other, Outcome.REFUSED),
        ("keys.chip_keys", "", Outcome.REFUSED),
    ]
    assert CHALLENGES[1].hex() not in repr(lines).lower()


def simulated_store() -> KeyStore:
    ceremony = held()
    store = open_store(ceremony.sealed, list(ceremony.shares[:2]))
    for key in PROFILE.keys:
        if key.use is KeyUse.EXTERNAL_AUTHENTICATE:
            store = draw(store, chip_key_name(PROFILE, key), Dice(10 * key.folder + key.kid)).store
    return store


def test_a_card_opens_each_folder_to_its_own_key_alone() -> None:
    keys, number = SoftKeyService(simulated_store(), region=REGION), bytes.fromhex("00000000000000001234")
    factors = np.frombuffer(number[2:], np.uint8).reshape(1, 8)
    personal = Personal(
        card_no=number,
        keys=tuple(
            bytes.fromhex("123456")
            if key.use is KeyUse.PIN
            else chip_keys_of(keys, chip_key_name(PROFILE, key), factors)[0].tobytes()
            for key in PROFILE.keys
        ),
    )
    card = personalised(PROFILE, personal, SeededRandomness("access"))
    places = [key for key in PROFILE.keys if key.use is KeyUse.EXTERNAL_AUTHENTICATE]
    for here in places:
        name = AID if not here.folder else FOLDER_NAMES[here.folder]
        send(card, f"00A40400{len(AID):02X}{AID.hex()}")
        send(card, f"00A40400{len(name):02X}{name.hex()}")
        for proved in places:
            challenge = bytes.fromhex(send(card, "0084000008"))[:8]
            answer = AccessHost(keys, chip_key_name(PROFILE, proved)).answer(number, challenge)
            status = send(card, f"008200{here.kid:02X}08{answer.hex()}")
            assert (status == "9000") == (proved is here), (here, proved)
            if status != "9000" and status.endswith(("C2", "C1", "C0")):
                challenge = bytes.fromhex(send(card, "0084000008"))[:8]  # give the tries back
                right = AccessHost(keys, chip_key_name(PROFILE, here)).answer(number, challenge)
                assert send(card, f"008200{here.kid:02X}08{right.hex()}") == "9000"


def test_a_retired_access_key_proves_nothing() -> None:
    store = move(simulated_store(), KeyName.parse(READS), Act.RETIRE).store
    keys = SoftKeyService(store, region=REGION)
    with pytest.raises(Refused, match="retired"):
        keys.answer_challenge(bytes(8), key=READS, factor8=FACTOR)
    assert len(keys.answer_challenge(bytes(8), key=UPDATES, factor8=FACTOR)) == 8
