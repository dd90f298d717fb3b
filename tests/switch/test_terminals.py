"""A terminal signs in, and from then on speaks under keys of its own: PINs, MACs, and a batch that ends.

Method: a terminal of the test, which has nothing but its master key and what the switch sends it, against the core in
a world of memory; its keys are opened and its MACs made by the block cipher alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jinka.codec.iso8583 import Message, dialect
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.pin_block import PinFormat, PinZone, decipher_pin, encipher_pin
from jinka.crypto.unionpay_mac import pos_mac
from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.provider import KeyKind
from jinka.kit import Usage
from jinka.node.switch_keys import KeyDesk
from jinka.switch import KeyLayout, MacKind, MacRule, PinRule, Terminal
from tests.keys.ground import Dice
from tests.keys.payments import OTHER, rig
from tests.switch.ground import BANK_PIN, PANS, World, config, peer

POS = dialect("unionpay-pos")
pytestmark = pytest.mark.usefixtures("engine")
MASTERS = {
    "T0000001": bytes.fromhex("70F2A84CCBC2AE8625CBB0F2C22AB923"),
    "T0000002": bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"),
}


def town(**changes: object) -> World:
    rigged = rig()
    for number, value in MASTERS.items():
        name = KeyName.parse(f"terminal_master/TDES/1@{number}")
        key = rigged.holding.provider.load(KeyKind.TDES, value)
        rigged.holding.working.keys.add(KeyRecord(name=name, check=""), key)
    till = {
        "codec": POS,
        "mac": MacRule(kind=MacKind.POS, key=""),
        "pin": PinRule(key="", format=PinFormat.ISO_0),
        "terminals": {n: Terminal(number=n, merchant="M1", master=f"terminal_master/TDES/1@{n}") for n in MASTERS},
        "sign_ins": {
            "001": KeyLayout.SINGLE, "003": KeyLayout.DOUBLE, "005": KeyLayout.DOUBLE_MAC,
        },
    }  # fmt: skip
    return World(
        config(till=till, bank={"pin": BANK_PIN}, **changes), keys=KeyDesk(rigged.service, remote=False)
    )


class Pos:
    """A terminal: its master key, its number, and the keys that it was last given."""

    def __init__(self, world: World, number: str = "T0000001") -> None:
        self.world, self.number, self.trace = world, number, 0
        self.master = BlockKey(cipher=BlockCipher.TDES, value=MASTERS[number])
        self.batch = "000007"
        self.pin = self.mac = BlockKey(cipher=BlockCipher.TDES, value=bytes(16))

    def message(self, mti: str, **fields: Any) -> Message:
        self.trace += 1
        all_ = {11: f"{self.trace:06d}", 41: self.number, 42: "M1".ljust(15)}
        all_ |= {int(name[1:]): value for name, value in fields.items()}
        return Message(mti=mti, fields=dict(sorted(all_.items())))

    def sign_in(self, code: str = "003") -> Message:
        answer = self.world.pay(self.message("0800", f60=f"00{self.batch}{code}"))
        assert answer is not None
        keys = answer.fields.get(62, b"")
        if answer.text(39) == "00" and isinstance(keys, bytes):
            self.batch = answer.text(60)[2:8]
            half = len(keys) // 2
            self.pin, self.mac = self._open(keys[:half]), self._open(keys[half:])
        return answer

    def _open(self, part: bytes) -> BlockKey:
        size = 8 if len(part) == 12 or part[8:16] == bytes(8) else 16
        key = BlockKey(cipher=BlockCipher.TDES, value=self.master.decrypt(part[:size]))
        assert key.encrypt(bytes(8))[:4] == part[-4:]
        return key

    def sealed(self, message: Message) -> bytes:
        raw = POS.encode(message.changed({64: bytes(8)}))[:-8]
        return raw + pos_mac(self.mac, raw)

    def sale(self, fen: int = 1_000, **fields: Any) -> Message:
        more = {
            "f2": PANS[0], "f3": "000000", "f4": f"{fen:012d}", "f25": "00", "f49": "156",
            "f60": f"22{self.batch}000",
        }  # fmt: skip
        return self.message("0200", **(more | fields))

    def send(self, message: Message, seal: Callable[[Message], bytes] | None = None) -> str:
        answer = self.world.pay(message, seal or self.sealed)
        assert answer is not None
        if 64 in answer.fields:
            raw = POS.encode(answer)
            assert raw[-8:] == pos_mac(self.mac, raw[:-8])
        return answer.text(39)


def test_who_has_not_signed_in_gets_77_and_no_keys_reach_an_unknown_terminal() -> None:
    world = town()
    pos = Pos(world)
    assert pos.send(pos.sale(), POS.encode) == "77"
    assert pos.send(pos.sale()) == "77"
    for answer in (
        world.pay(pos.message("0800", f41="T0000009", f60="00000001003")),
        world.pay(pos.message("0800", f42="M2".ljust(15), f60="00000001003")),
    ):
        assert answer is not None
        assert answer.text(39) == "97"
        assert 62 not in answer.fields
    assert world.bank.seen == []


@pytest.mark.parametrize(
    ("code", "size", "pin", "mac"), [("001", 24, 8, 8), ("003", 40, 16, 8), ("005", 40, 16, 16)]
)
def test_each_layout_of_field_62(code: str, size: int, pin: int, mac: int) -> None:
    pos = Pos(town())
    answer = pos.sign_in(code)
    keys = answer.fields[62]
    assert isinstance(keys, bytes)
    assert (len(keys), pos.pin.size, pos.mac.size) == (size, pin, mac)
    assert answer.text(60) == "00000007" + code
    assert pos.send(pos.sale()) == "00"


def test_a_code_that_is_not_agreed_is_refused() -> None:
    pos = Pos(town())
    assert pos.sign_in("004").text(39) == "12"
    assert pos.send(pos.sale()) == "77"


def test_no_pin_comes_in_under_a_single_des_key() -> None:
    world = town()
    pos = Pos(world)
    pos.sign_in("001")
    assert pos.send(pos.sale(f26="12", f52=bytes(8), f53="1000000000000000")) == "99"
    assert world.bank.seen == []


def test_pin_and_mac_are_under_the_terminals_own_keys() -> None:
    world = town()
    pos = Pos(world)
    pos.sign_in()
    zone = PinZone(key=pos.pin, format=PinFormat.ISO_0)
    block = encipher_pin(zone, "1234", PANS[0], Dice())
    assert pos.send(pos.sale(f26="12", f52=block, f53="2600000000000000")) == "00"
    [seen] = world.bank.seen
    at_bank = PinZone(key=BlockKey(cipher=BlockCipher.TDES, value=OTHER), format=PinFormat.ISO_0)
    given = seen.fields[52]
    assert isinstance(given, bytes)
    assert decipher_pin(at_bank, given, PANS[0]) == "1234"


def test_a_terminal_is_not_believed_under_anothers_keys() -> None:
    world = town()
    pos, other = Pos(world), Pos(world, "T0000002")
    pos.sign_in()
    other.sign_in()
    assert pos.mac != other.mac
    stolen = pos.sale(f41="T0000002")
    assert _code(world, stolen, pos.sealed) == "A0"
    assert other.send(other.sale()) == "00"
    assert pos.send(pos.sale()) == "00"


def _code(world: World, message: Message, seal: Callable[[Message], bytes]) -> str:
    answer = world.pay(message, seal)
    assert answer is not None
    return answer.text(39)


def test_a_new_sign_in_ends_the_former_keys() -> None:
    world = town()
    pos = Pos(world)
    pos.sign_in()
    former = pos.mac
    world.wait(1)
    pos.sign_in()
    new, pos.mac = pos.mac, former
    assert _code(world, pos.sale(), pos.sealed) == "A0"
    pos.mac = new
    assert pos.send(pos.sale()) == "00"
    service: Any = world.keys._service if world.keys else None
    held = [str(name) for name in service.holding.working.keys._held if "@T0000001" in str(name)]
    assert sorted(name.split("/")[0] for name in held) == ["terminal_mac", "terminal_master", "terminal_pin"]


def test_a_settled_batch_is_closed_and_the_next_sign_in_opens_the_next() -> None:
    world = town()
    pos = Pos(world)
    pos.sign_in()
    assert pos.send(pos.sale(700)) == "00"
    totals = "000000000700001000000000000000"
    settle = pos.message("0500", f48=totals, f49="156", f60=f"00{pos.batch}201")
    assert pos.send(settle) == "00"
    assert pos.send(settle) == "00"  # its answer was lost
    assert pos.send(pos.sale()) == "77"
    world.wait(1)
    pos.sign_in()
    assert pos.batch == "000008"
    assert pos.send(pos.sale(f60="22000007000")) == "77"  # the batch of yesterday
    assert pos.send(pos.sale()) == "00"


def test_signed_off_means_signed_off() -> None:
    pos = Pos(town())
    pos.sign_in()
    assert pos.send(pos.message("0820", f60=f"00{pos.batch}002")) == "00"
    assert pos.send(pos.sale()) == "77"


def test_a_sign_in_outlives_the_process_where_the_keys_do() -> None:
    world = town()
    pos = Pos(world)
    pos.sign_in()
    world.restart()
    assert pos.send(pos.sale()) == "00"


def test_a_sign_in_ends_with_the_keys_that_it_gave() -> None:
    """The key service began anew: its working keys are gone, and the journal's word for them is worth nothing."""
    world = town()
    pos = Pos(world)
    pos.sign_in()
    assert pos.send(pos.sale()) == "00"
    world.keys = town().keys
    world.restart()
    assert _code(world, pos.sale(), pos.sealed) == "77"
    world.wait(1)
    pos.sign_in()
    assert pos.send(pos.sale()) == "00"


def test_workers_agree_on_who_has_signed_in() -> None:
    world = town(workers=2)
    pos = Pos(world)
    pos.sign_in()
    other = World(world.config, keys=world.keys, journal=world.journal)
    pos.world = other
    assert pos.send(pos.sale()) == "00"
    pos.world = world
    world.wait(1)
    pos.sign_in()
    pos.world = other  # it knows the former keys, and learns of the new ones
    assert pos.send(pos.sale()) == "00"


def test_several_workers_compare_no_totals_but_each_item() -> None:
    world = town(workers=2)
    pos = Pos(world)
    pos.sign_in()
    assert pos.send(pos.sale(700)) == "00"
    sold = pos.trace
    settle = pos.message("0500", f48="000000000700001000000000000000", f49="156", f60=f"00{pos.batch}201")
    answer = world.pay(settle, pos.sealed)
    assert answer is not None
    assert (answer.text(39), answer.text(48)[-1]) == ("00", "3")
    item = pos.sale(700, f11=f"{sold:06d}", f60=f"00{pos.batch}201")
    assert pos.send(Message(mti="0320", fields=item.fields)) == "00"
    assert world.core.board.counts["upload_same", "till"] == 1
    assert pos.send(pos.message("0320", f60=f"00{pos.batch}207")) == "00"
    assert pos.send(pos.sale()) == "77"  # the end of an upload closes the batch


def test_a_silent_terminals_line_is_closed_and_is_asked_nothing() -> None:
    rules = town().config
    quiet = replace(rules, peers={**rules.peers, "till": replace(rules.peers["till"], echo_ms=1_000)})
    world = World(quiet)
    world.wait(10)
    assert world.sent == []
    assert [(one.peer, one.reason) for one in world.closed] == [("till", "silent")]


_CUSTOMS = st.builds(
    lambda kind, batch, code: kind + batch + code,
    st.sampled_from(["00", "22"]),
    st.sampled_from(["000007", "000008", "000000"]),
    st.sampled_from(["000", "001", "002", "003", "009", "201", "207"]),
)
_TALK = st.tuples(
    st.sampled_from(["0800", "0820", "0200", "0400", "0500", "0320", "0810", "0220"]),
    st.sampled_from(["T0000001", "T0000002", "T0000009", "        "]),
    _CUSTOMS | st.sampled_from(["", "0", "0000000"]),
    st.sampled_from(["sealed", "bare", "other"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_TALK, max_size=25), st.sampled_from([1, 2]))
def test_whatever_terminals_send_the_core_goes_on(
    talk: list[tuple[str, str, str, str]], workers: int
) -> None:
    world = town(workers=workers)
    pos, other = Pos(world), Pos(world, "T0000002")
    pos.sign_in()
    paid = 0
    for mti, number, custom, how in talk:
        message = pos.sale(f41=number, f60=custom or None)
        message = Message(mti=mti, fields={n: v for n, v in message.fields.items() if v is not None})
        seal = {"sealed": pos.sealed, "bare": POS.encode, "other": other.sealed}[how]
        answer = world.pay(message, seal)
        good = answer is not None and answer.text(39) == "00" and mti in ("0200", "0220")
        paid += good
        assert not good or (number, how) == ("T0000001", "sealed")
        world.wait(1)
    assert len([m for m in world.bank.seen if m.mti in ("0200", "0220")]) == paid


def test_terminals_without_a_mac_are_a_mistake() -> None:
    with pytest.raises(Usage, match="need mac"):
        peer("till", codec=POS, terminals={"T1": Terminal(number="T1", merchant="M", master="x")})
