"""The tables of the contact kernel, phase by phase: restrictions, holder's verification, risk, action codes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from jinka.codec.emv_tags import Tag
from jinka.sim.randomness import SeededRandomness
from jinka.terminal import AidData, Sale, Tvr
from jinka.terminal.emv_cvm import CONDITIONS, METHODS, verify_holder
from jinka.terminal.emv_data import Capability, Run
from jinka.terminal.emv_risk import (
    RESTRICTIONS,
    Request,
    analyse,
    analyse_offline,
    manage_risk,
    restrict,
    selected_randomly,
)
from jinka.terminal.emv_selection import read_application
from jinka.terminal.link import ChipRefused
from tests.terminal.emv_rig import APPLICATION, AT, DEVICE


class Silent:
    """A card that answers GET DATA from a table and nothing else."""

    def __init__(self, **data: str) -> None:
        self.data = {bytes.fromhex(tag[1:]): bytes.fromhex(value) for tag, value in data.items()}

    def transmit(self, command: bytes) -> bytes:
        value = self.data.get(command[2:4]) if command[1] == 0xCA else None
        if value is None:
            return b"\x6a\x88"
        return command[2:4] + bytes((len(value),)) + value + b"\x90\x00"


def _run(sale: Sale | None = None, card: Silent | None = None, **device: object) -> Run:
    run = Run(
        replace(DEVICE, **device),
        card or Silent(),
        sale or Sale(amount_fen=1000, at=AT),
        SeededRandomness("1"),
        application=APPLICATION,
    )
    run.begin()
    run.values.update({Tag.EXPIRY: bytes.fromhex("281231"), Tag.AIP: b"\x7d\x00"})
    run.tvr = Tvr(0)
    return run


@pytest.mark.parametrize(
    ("values", "tvr"),
    [
        ({}, Tvr(0)),
        ({Tag.VERSION_CARD: b"\x00\x20"}, Tvr.VERSIONS_DIFFER),
        ({Tag.EXPIRY: bytes.fromhex("180831")}, Tvr.EXPIRED),
        ({Tag.EXPIRY: bytes.fromhex("180901")}, Tvr(0)),
        ({Tag.EFFECTIVE: bytes.fromhex("180902")}, Tvr.NOT_YET_EFFECTIVE),
        ({Tag.USAGE: b"\xfe\x00"}, Tvr.SERVICE_NOT_ALLOWED),
        ({Tag.USAGE: b"\xd7\x00", Tag.COUNTRY_ISSUER: b"\x01\x56"}, Tvr.SERVICE_NOT_ALLOWED),
        ({Tag.USAGE: b"\xd7\x00", Tag.COUNTRY_ISSUER: b"\x03\x44"}, Tvr(0)),
        ({Tag.USAGE: b"\xeb\x00", Tag.COUNTRY_ISSUER: b"\x03\x44"}, Tvr.SERVICE_NOT_ALLOWED),
    ],
)
def test_restrictions(values: dict[int, bytes], tvr: Tvr) -> None:
    run = _run()
    run.values.update(values)
    restrict(run)
    assert run.tvr == tvr
    assert len(RESTRICTIONS) == 4


X, Y = 5000, 20000


@pytest.mark.parametrize(
    ("condition", "fen", "type_", "atm", "applies"),
    [
        (0x00, 1, 0x00, False, True),
        (0x01, 1, 0x01, True, True),
        (0x01, 1, 0x01, False, False),
        (0x02, 1, 0x00, False, True),
        (0x02, 1, 0x01, False, False),
        (0x04, 1, 0x01, False, True),
        (0x04, 1, 0x01, True, False),
        (0x05, 1, 0x09, False, True),
        (0x05, 1, 0x00, False, False),
        (0x06, 4999, 0x00, False, True),
        (0x06, 5000, 0x00, False, False),
        (0x07, 5001, 0x00, False, True),
        (0x08, 19999, 0x00, False, True),
        (0x09, 20000, 0x00, False, False),
        (0x09, 20001, 0x00, False, True),
    ],
)
def test_conditions(condition: int, fen: int, type_: int, atm: bool, applies: bool) -> None:
    run = _run(Sale(amount_fen=fen, at=AT, type=type_), atm=atm)
    run.values[Tag.CURRENCY_APPLICATION] = b"\x01\x56"
    run.values[Tag.CVM_LIST] = X.to_bytes(4, "big") + Y.to_bytes(4, "big") + bytes((0x1F, condition))
    verify_holder(run)
    assert run.values[Tag.CVM_RESULTS] == (bytes((0x1F, condition, 2)) if applies else b"\x3f\x00\x01")
    assert bool(run.tvr & Tvr.CVM_FAILED) is not applies
    assert set(CONDITIONS) == set(range(10))


@pytest.mark.parametrize(
    ("rules", "capabilities", "result", "tvr"),
    [
        ("0203", 0xE0F8C8, "020300", Tvr.ONLINE_PIN),
        ("4200 1E00", 0xE0B8C8, "1e0000", Tvr.PIN_PAD_MISSING),
        ("0200 1E00", 0xE0B8C8, "3f0001", Tvr.PIN_PAD_MISSING | Tvr.CVM_FAILED),
        ("4100 4200", 0xE018C8, "3f0001", Tvr.PIN_PAD_MISSING | Tvr.CVM_FAILED),
        ("4000 5E01", 0xE0F8C8, "400001", Tvr.CVM_FAILED),
        ("7F00 1F00", 0xE0F8C8, "1f0002", Tvr.CVM_UNKNOWN),
        ("3F00 1F00", 0xE0F8C8, "3f0001", Tvr.CVM_UNKNOWN | Tvr.CVM_FAILED),
        ("0000", 0xE0F8C8, "000001", Tvr.CVM_FAILED),
        ("1F20", 0xE0F8C8, "3f0001", Tvr.CVM_FAILED),
        ("1F01 1F04", 0xE0F8C8, "3f0001", Tvr.CVM_FAILED),
        ("", 0xE0F8C8, "3f0000", Tvr.DATA_MISSING),
    ],
)
def test_methods(rules: str, capabilities: int, result: str, tvr: Tvr) -> None:
    run = _run(Sale(amount_fen=1, at=AT, pin=lambda: "1234"), capabilities=Capability(capabilities))
    run.values[Tag.CVM_LIST] = bytes(8) + bytes.fromhex(rules)
    verify_holder(run)
    assert run.values[Tag.CVM_RESULTS].hex() == result
    assert run.tvr == tvr
    assert len(METHODS) == 7


def test_a_card_that_never_says_the_pin_is_used_up() -> None:
    asked = []

    class Endless(Silent):
        def transmit(self, command: bytes) -> bytes:
            return b"\x63\xc3" if command[1] == 0x20 else super().transmit(command)

    def pin() -> str:
        asked.append(1)
        return "1234"

    run = _run(Sale(amount_fen=1, at=AT, pin=pin), Endless())
    run.values[Tag.CVM_LIST] = bytes(8) + b"\x01\x00"
    verify_holder(run)
    assert run.tvr & Tvr.CVM_FAILED
    assert len(asked) == 5


@pytest.mark.parametrize(
    ("fen", "number", "chosen"),
    [
        (1000, 10, True),
        (1000, 11, False),
        (7500, 30, True),
        (7500, 31, False),
        (9999, 49, True),
        (9999, 50, False),
    ],
)
def test_random_selection(fen: int, number: int, chosen: bool) -> None:
    """Ten of a hundred below the threshold, rising to fifty at the floor limit."""
    assert selected_randomly(fen, floor=10_000, threshold=5000, target=10, most=50, number=number) is chosen


@pytest.mark.parametrize(
    ("counter", "last", "tvr"),
    [
        ("0005", "0004", Tvr(0)),
        ("0005", "0002", Tvr.LOWER_LIMIT),
        ("0009", "0002", Tvr.LOWER_LIMIT | Tvr.UPPER_LIMIT),
        ("0001", "0000", Tvr.NEW_CARD),
        ("0005", "0005", Tvr.LOWER_LIMIT | Tvr.UPPER_LIMIT),
        ("05", "0004", Tvr.LOWER_LIMIT | Tvr.UPPER_LIMIT),
    ],
)
def test_velocity(counter: str, last: str, tvr: Tvr) -> None:
    run = _run(card=Silent(_9F36=counter, _9F13=last))
    run.values.update({Tag.OFFLINE_LOWER: b"\x02", Tag.OFFLINE_UPPER: b"\x05"})
    manage_risk(run)
    assert run.tvr == tvr


def test_floor_limit_lists_and_force() -> None:
    run = _run(Sale(amount_fen=50_000, at=AT, forced_online=True), exceptions=frozenset({"6228000100001117"}))
    run.values[Tag.PAN] = bytes.fromhex("6228000100001117")
    manage_risk(run)
    assert run.tvr == Tvr.FLOOR_LIMIT | Tvr.FORCED_ONLINE | Tvr.ON_EXCEPTION_FILE


@pytest.mark.parametrize(
    ("tvr", "online", "wanted"),
    [
        (Tvr(0), True, Request.TC),
        (Tvr.SERVICE_NOT_ALLOWED, True, Request.AAC),
        (Tvr.SERVICE_NOT_ALLOWED, False, Request.AAC),
        (Tvr.FLOOR_LIMIT, True, Request.ARQC),
        (Tvr.FLOOR_LIMIT, False, Request.AAC),
        (Tvr.EXPIRED, True, Request.ARQC),
        (Tvr.CDA_FAILED, True, Request.ARQC),
        (Tvr.CDA_FAILED, False, Request.AAC),
        (Tvr.SCRIPT_AFTER_FAILED, True, Request.TC),
    ],
)
def test_action_codes(tvr: Tvr, online: bool, wanted: Request) -> None:
    run = _run(online=online)
    for tag in (Tag.IAC_DENIAL, Tag.IAC_ONLINE, Tag.IAC_DEFAULT):
        run.values[tag] = bytes(5)
    run.tvr = tvr
    assert analyse(run) is wanted


def test_missing_issuer_codes_send_everything_online() -> None:
    run = _run()
    run.tvr = Tvr.CVM_UNKNOWN
    assert analyse(run) is Request.ARQC
    assert analyse_offline(run) is Request.AAC
    run.tvr = Tvr(0)
    assert analyse(run) is Request.TC


@pytest.mark.parametrize(
    "afl", ["", "08", "08010100 08", "09010100", "00010100", "F8010100", "08000100", "08020100", "08010102"]
)
def test_a_locator_that_is_none(afl: str) -> None:
    run = _run()
    run.values[Tag.AFL] = bytes.fromhex(afl)
    with pytest.raises(ChipRefused, match="file locator"):
        read_application(run)


def test_the_longest_fitting_application_counts() -> None:
    short, long = AidData(aid=bytes.fromhex("A000000333")), AidData(aid=bytes.fromhex("A00000033301"))
    device = replace(DEVICE, aids=(short, long))
    assert device.application(bytes.fromhex("A000000333010101")) is long
    assert dt.date(2018, 9, 1) == AT.date()
