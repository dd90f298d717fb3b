"""Orders: keys reach a PSAM by its own WRITE KEY and a bureau under a transport key, and nothing else of use leaves."""

from __future__ import annotations

import json

import numpy as np
import pytest

from jinka.card import Psam, make_psam
from jinka.codec import Algorithm
from jinka.keys import KeyName, Purpose, SoftKeyService, open_store
from jinka.keys.acts import draw
from jinka.keys.orders import SAM_USAGE
from jinka.kit import Refused, Usage
from tests.keys.ground import REGION, Dice, held

TERMINAL = bytes.fromhex("440300000001")
SERIAL = TERMINAL.rjust(10, b"\x01")
OK = b"\x90\x00"
BUREAU = "bureau.sz"


def keys_with_transport(*, simulated: bool = True, seed: int = 0) -> SoftKeyService:
    ceremony = held(seed, simulated=simulated)
    store = open_store(ceremony.sealed, list(ceremony.shares[:2]))
    for name in ("transport/TDES/1", f"transport/AES-256-GCM/1@{BUREAU}"):
        store = draw(store, KeyName.parse(name), Dice(7)).store
    return SoftKeyService(store, region=REGION)


KEYS = keys_with_transport()
REAL = keys_with_transport(simulated=False)


def module(serial: bytes = SERIAL) -> Psam:
    psam = make_psam(
        terminal_id=TERMINAL,
        psam_id=serial,
        keys=[],
        transport_key=KEYS.sam_transport_key(psam_id=serial),
        randomness=Dice(3),
    )
    psam.transmit(bytes.fromhex("00A40000 02 DF01"))
    return psam


def challenge(psam: Psam) -> bytes:
    return psam.transmit(bytes.fromhex("0084000004"))[:4]


def purchase(psam: Psam, version: int = 1, label: int = 0) -> bytes:
    data = bytes.fromhex("A1A2A3A4 0001 000000C8 06 20180901 083000") + bytes((version, label))
    return psam.transmit(b"\x80\x70\x00\x00\x24" + data + bytes(range(8)) + KEYS.city_factor8 + b"\x08")


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_module_takes_its_key_and_makes_the_mac1_of_one_that_was_made_with_it(algorithm: Algorithm) -> None:
    from jinka.card import SamKey

    psam = module()
    asked = {"psam_id": SERIAL, "purpose": Purpose.PURCHASE, "algorithm": algorithm, "version": 2}
    command = REAL.write_sam_key(rand4=challenge(psam), **asked)
    assert psam.transmit(command) == OK
    value = KEYS.sam_key(Purpose.PURCHASE, algorithm=algorithm, version=2)
    assert value not in command
    made = make_psam(
        terminal_id=TERMINAL,
        psam_id=SERIAL,
        keys=[SamKey(version=2, algorithm=algorithm, level=2, key=value)],
        transport_key=bytes(16),
        randomness=Dice(4),
    )
    made.transmit(bytes.fromhex("00A40000 02 DF01"))
    label = {Algorithm.TDES: 0, Algorithm.SM4: 4}[algorithm]
    answer = purchase(psam, 2, label)
    assert answer[-2:] == OK
    assert answer == purchase(made, 2, label)


def test_a_command_serves_one_module_once() -> None:
    psam, other = module(), module(b"\x02" * 10)
    asked = {"psam_id": SERIAL, "purpose": Purpose.PURCHASE, "algorithm": Algorithm.TDES, "version": 1}
    rand = challenge(psam)
    command = REAL.write_sam_key(rand4=rand, **asked)
    for at in range(5, len(command)):
        challenge(psam)
        changed = command[:at] + bytes((command[at] ^ 1,)) + command[at + 1 :]
        assert psam.transmit(changed)[-2:] != OK
        if at % 5 == 0:  # a right one gives the tries back
            assert psam.transmit(REAL.write_sam_key(rand4=challenge(psam), **(asked | {"version": 3}))) == OK
    assert psam.transmit(command)[-2:] != OK
    assert purchase(psam) == b"\x94\x03"
    rand = challenge(psam)
    command = REAL.write_sam_key(rand4=rand, **asked)
    assert psam.transmit(command) == OK
    challenge(psam)
    assert psam.transmit(command)[-2:] != OK  # again
    challenge(other)
    assert other.transmit(REAL.write_sam_key(rand4=challenge(other), **asked))[-2:] != OK
    assert purchase(other) == b"\x94\x03"


@pytest.mark.parametrize("purpose", [p for p in Purpose if p not in SAM_USAGE])
def test_no_other_key_goes_into_a_module(purpose: Purpose) -> None:
    with pytest.raises(Refused):
        KEYS.write_sam_key(
            psam_id=SERIAL, purpose=purpose, algorithm=Algorithm.TDES, version=1, rand4=bytes(4)
        )


def test_senseless_orders_and_stores_without_a_transport_key_are_refused() -> None:
    asked = {"purpose": Purpose.PURCHASE, "algorithm": Algorithm.TDES, "version": 1}
    for change in ({"psam_id": bytes(9), "rand4": bytes(4)}, {"psam_id": SERIAL, "rand4": bytes(8)}):
        with pytest.raises(Usage):
            KEYS.write_sam_key(**asked, **change)
    ceremony = held()
    bare = SoftKeyService.open(ceremony.sealed, list(ceremony.shares[:2]), region=REGION)
    with pytest.raises(Refused, match="no such key"):
        bare.write_sam_key(psam_id=SERIAL, rand4=bytes(4), **asked)
    with pytest.raises(Refused, match="simulated"):
        REAL.sam_transport_key(psam_id=SERIAL)


FACTORS = np.random.default_rng(5).integers(0, 256, (50, 8), dtype=np.uint8)


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("purpose", [Purpose.PURCHASE, Purpose.LOAD, Purpose.TAC])
def test_card_keys_reach_a_bureau_wrapped_and_as_they_are_derived(
    purpose: Purpose, algorithm: Algorithm
) -> None:
    asked = {"purpose": purpose, "algorithm": algorithm, "version": 1}
    order = REAL.order_card_keys(factors8=FACTORS, bureau=BUREAU, **asked)
    wanted = KEYS.chip_keys(purpose, algorithm=algorithm, version=1, factors8=FACTORS)
    right = KEYS.order_card_keys(factors8=FACTORS, bureau=BUREAU, **asked)
    assert right == order
    assert (KEYS.open_card_keys(order, factors8=FACTORS) == wanted).all()
    assert not any(row.tobytes().hex().encode() in order for row in wanted)
    with pytest.raises(Refused, match="simulated"):
        REAL.open_card_keys(order, factors8=FACTORS)


def test_a_changed_order_or_one_for_other_cards_is_refused() -> None:
    asked = {"purpose": Purpose.LOAD, "algorithm": Algorithm.TDES, "version": 1, "bureau": BUREAU}
    order = KEYS.order_card_keys(factors8=FACTORS, **asked)
    body = json.loads(order)
    for name, value in (
        ("key", "tac/TDES/1"), ("issuer", "issuer.evil"), ("check", "000000"), ("city", "4401ff0000000000"),
        ("bureau", "bureau.other"), ("transport", 2), ("format", "x"), ("cards", 49),
        ("keys", body["keys"][:-2] + "00"), ("keys", "zz"), ("transport", "x"), ("transport", None),
    ):  # fmt: skip
        with pytest.raises((Refused, Usage)):
            KEYS.open_card_keys(json.dumps(body | {"extra": 1} | {name: value}).encode(), factors8=FACTORS)
        with pytest.raises((Refused, Usage)):
            KEYS.open_card_keys(json.dumps(body | {name: value}).encode(), factors8=FACTORS)
    for bad in (b"", b"[]", b"null", b"[" * 10000, order[:-30]):
        with pytest.raises(Refused):
            KEYS.open_card_keys(bad, factors8=FACTORS)
    with pytest.raises(Refused, match="other cards"):
        KEYS.open_card_keys(order, factors8=FACTORS[::-1])
    with pytest.raises(Refused):
        KEYS.order_card_keys(factors8=FACTORS, **(asked | {"purpose": Purpose.BATCH_SEAL}))
    with pytest.raises(Refused, match="no such key"):
        KEYS.order_card_keys(factors8=FACTORS, **(asked | {"bureau": "bureau.other"}))
