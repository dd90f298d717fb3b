"""Keys that are exchanged while payments run: by age, with an overlap, and remembered where they live on.

Method: the core in a world of memory over a real key service; the bank takes keys as a bank does, by the key block.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jinka.app.switch_serving import exchanged_keys
from jinka.codec.iso8583 import Message
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.pin_block import PinZone, encipher_pin
from jinka.kit import Refused, Usage
from jinka.switch import ExchangeKey, KeyExchange
from jinka.switch.sessions import key_id
from tests.keys.ground import Dice
from tests.keys.payments import KEY
from tests.switch.ground import BANK_PIN, CODEC, MAC, PANS, TILL_PIN, World, config, key_desk, request

pytestmark = pytest.mark.usefixtures("engine")
MASTER = "zone_master/AES/1@bank"


def town(*, mac: Any = MAC, every_s: int = 0, journal: Any = None, keys: Any = None) -> World:
    exchange = KeyExchange(under=MASTER, every_s=every_s, overlap_ms=20_000)
    rules = config(
        till={"pin": TILL_PIN, "exchange": replace(exchange, every_s=0), "timeout_ms": 5_000},
        bank={"mac": mac, "pin": BANK_PIN, "exchange": exchange, "timeout_ms": 5_000},
    )
    return World(rules, keys=keys or key_desk(), journal=journal)


def keys(world: World) -> tuple[str, str]:
    rules = world.core.board.peers["bank"]
    assert rules.mac is not None
    assert rules.pin is not None
    return rules.mac.key, rules.pin.key


def offers(world: World) -> list[str]:
    return [m.text(53)[:1] for m in map(CODEC.decode, world.to_bank) if m.text(70) == "101"]


def test_keys_grow_old_each_in_its_turn() -> None:
    world = town(every_s=3_600)
    world.wait(3_599)
    assert keys(world) == ("zone_mac/TDES/1@bank", "zone_pin/TDES/2@bank")
    world.wait(2)
    assert keys(world)[0] == "zone_mac/TDES/2@bank"
    world.wait(30)
    assert keys(world)[1] == "zone_pin/TDES/3@bank"
    world.wait(3_600)
    assert keys(world)[0] == "zone_mac/TDES/3@bank"
    service: Any = world.keys._service if world.keys else None
    world.wait(60)
    with pytest.raises(Refused, match="no such key"):
        service.wrap_key(key="zone_mac/TDES/2@bank", under=MASTER)  # what is out of use is forgotten


def test_no_key_for_whom_there_is_none() -> None:
    world = town()
    for peer in ("nobody", "till"):
        with pytest.raises(Usage):
            world.step(ExchangeKey(peer=peer))


def test_an_offer_that_is_not_answered_holds_nothing_up() -> None:
    world = town()
    world.bank_answers = False
    world.step(ExchangeKey(peer="bank"))
    with pytest.raises(Usage, match="under way"):
        world.step(ExchangeKey(peer="bank"))
    world.wait(6)
    assert keys(world)[0] == "zone_mac/TDES/1@bank"
    world.to_bank.clear()
    world.bank_answers = True
    world.step(ExchangeKey(peer="bank"))
    assert keys(world)[0] == "zone_mac/TDES/3@bank"  # the second was drawn, and nobody knows who has it


def test_names_that_an_earlier_life_of_the_switch_drew_are_passed_over() -> None:
    world = town()
    service: Any = world.keys._service if world.keys else None
    for version in (2, 3):
        service.draw_key(name=f"zone_mac/TDES/{version}@bank", size=16)
    world.step(ExchangeKey(peer="bank"))
    assert keys(world)[0] == "zone_mac/TDES/4@bank"


def test_a_pin_under_the_former_key_is_good_for_a_while() -> None:
    world = town(mac=None)
    zone = PinZone(key=BlockKey(cipher=BlockCipher.TDES, value=KEY), format=TILL_PIN.format)
    block = encipher_pin(zone, "1234", PANS[0], Dice())
    assert _code(world, request(1, f52=block)) == "00"
    _till_takes_a_key(world)
    assert _code(world, request(2, f52=block)) == "00"  # on its way when the key changed
    world.wait(21)
    assert _code(world, request(3, f52=block)) == "99"


def _till_takes_a_key(world: World) -> None:
    world.step(ExchangeKey(peer="till", pin=True))
    offer = world.sent[-1]
    assert offer.text(70) == "101"
    yes = Message(mti="0810", fields={n: offer.fields[n] for n in (7, 11, 33)} | {39: "00", 70: "101"})
    world.pay(Message(mti=yes.mti, fields=dict(sorted(yes.fields.items()))))


def _code(world: World, message: Message) -> str:
    answer = world.pay(message)
    assert answer is not None
    return answer.text(39)


def test_the_key_in_use_is_remembered() -> None:
    world = town()
    world.step(ExchangeKey(peer="bank"))
    world.step(ExchangeKey(peer="bank"))
    assert keys(world)[0] == "zone_mac/TDES/3@bank"
    record = world.journal.find(key_id("bank", pin=False))
    assert record is not None
    assert (record.note, record.version) == ("zone_mac/TDES/3@bank", 2)
    again = town(journal=world.journal, keys=world.keys)
    assert keys(again)[0] == "zone_mac/TDES/3@bank"
    again.step(ExchangeKey(peer="bank"))
    assert keys(again)[0] == "zone_mac/TDES/4@bank"


def test_a_key_service_that_begins_anew_gets_the_keys_again_by_their_blocks() -> None:
    world = town()
    world.step(ExchangeKey(peer="bank"))
    world.step(ExchangeKey(peer="bank", pin=True))
    old, anew = world.keys, key_desk()
    assert old is not None
    names = ("zone_mac/TDES/2@bank", "zone_pin/TDES/3@bank")
    for service in (old._service, anew._service):  # one that has them, and one that has not
        found = exchanged_keys(world.config, world.journal, service)
        assert tuple(record.note for record in found) == names
    assert keys(town(journal=world.journal, keys=anew)) == names
    made = [
        desk._service.generate_mac(b"a message", key=names[0], algorithm=MAC.algorithm)
        for desk in (old, anew)
    ]
    assert made[0] == made[1]
