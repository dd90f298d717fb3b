"""What `jinka fuzz apdu` attacks: a card of each declared application, one with security domains, and a PSAM.

A target knows how to start anew, which commands its tables name, and sequences of commands that make sense.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from jinka.app.bench_purchase import FlatPricer, make_device
from jinka.app.card_files import ISSUER_NUMBER, TEST_ISSUER, declared_profiles, fresh_psam, make_test_keys
from jinka.app.card_samples import TEST_PIN, sample_card, secrets_of
from jinka.app.fuzz_sessions import (
    Session,
    channel_session,
    document_session,
    life_session,
    module_session,
)
from jinka.card import Card, CardOs, Nvm, Personal, Psam, script
from jinka.card.cos import CARD_TABLE
from jinka.card.domains import with_issuer_domain
from jinka.card.files import ISSUER_AID, blank_memory
from jinka.codec import Command
from jinka.crypto.scp import KeyFamily, KeySet
from jinka.issuer.hosts import LoadHost
from jinka.kit import JinkaError, Randomness
from jinka.profile import ApplicationKind, ApplicationProfile, FileKind
from jinka.sectors import identity_card
from jinka.sectors.transit_shenzhen import PROFILE, PURSE_LIMIT_FEN
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import TapKind
from jinka.terminal import ApduLink, LoadDevice, LoadTerminal, PurseTerminal

Chip = CardOs
Sequence = tuple[bytes, ...]
_AT = dt.datetime(2018, 9, 1, 8, 30)
_BALANCE = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One chip to attack. ``restore`` gives it as it was, with this randomness."""

    name: str
    restore: Callable[[Randomness], Chip]
    names: tuple[tuple[int, int], ...]
    corpus: tuple[Sequence, ...]
    has_ecash: bool = False
    honest: bool = False  # `honest_session` can talk to it
    sessions: tuple[Session, ...] = ()  # what is opened with the keys, and then attacked inside


def _application(profile: ApplicationProfile) -> Target:
    purse = profile.purse is not None or profile.application is ApplicationKind.EMV
    card = sample_card(
        profile.name, balance=_BALANCE if purse else 0, randomness=SeededRandomness(profile.name)
    )
    image = card.to_image()
    select = Command(0x00, 0xA4, 0x04, 0, profile.aid).build()
    card.transmit(select)
    names = {*CARD_TABLE, *(card.applet.table if card.applet is not None else ())}
    return Target(
        name=profile.name,
        restore=lambda randomness: Card.from_image(image, randomness),
        names=tuple(sorted(names)),
        corpus=tuple(_walks(profile, select)),
        has_ecash=profile.application is ApplicationKind.EMV,
        honest=profile.name == PROFILE.name,
        sessions=(document_session,) if profile.application is ApplicationKind.TRAVEL else (),
    )


def _walks(profile: ApplicationProfile, select: bytes) -> list[Sequence]:
    reading = [select]
    for spec in profile.files:
        reading.append(Command(0x00, 0xA4, 0, 0, spec.fid.to_bytes(2, "big")).build())
        if spec.kind is FileKind.BINARY:
            reading.append(bytes((0x00, 0xB0, 0x80 | spec.sfi, 0, 0)))
        reading += [bytes((0x00, 0xB2, number, spec.sfi << 3 | 4, 0)) for number in (1, 2)]
    reading += [
        bytes((0x80, 0xCA, tag >> 8, tag & 0xFF, 0)) for tag in (0x9F36, 0x9F13, 0x9F17, 0x9F79, 0x9F4F)
    ]
    try:
        making = tuple(script(profile, Personal(card_no=bytes(10), keys=secrets_of(profile))))
    except JinkaError:  # this application's contents take more than keys
        making = (select,)
    pin = [select, *(bytes((0x00, 0x20, 0, kid, len(TEST_PIN))) + TEST_PIN for kid in (0, 1))]
    return [tuple(reading), making, tuple(pin + reading[1:]), *_KINDS[profile.application](select)]


def _hex(select: bytes, *texts: str) -> Sequence:
    return (select, *(bytes.fromhex(text) for text in texts))


def _purse(select: bytes) -> list[Sequence]:
    zeros = "00" * 11
    return [
        _hex(select, "805000020B010000006444030000000310", f"805200000B{zeros}04"),
        _hex(select, "805001020B01000000644403000000010F", "805401000F" + "00" * 15 + "08"),
        _hex(
            select,
            "805003020B01000000644403000000010F",
            "80DC31D0323130" + "00" * 48,
            "805401000F" + "00" * 15,
        ),
        _hex(
            select,
            "E07A080207014403000000010F",
            "E07C080013" + "00" * 19 + "08",
            "E07E08021B" + "00" * 27 + "04",
        ),
        _hex(
            select,
            "805A0009020001",
            "805C000204",
            "0084000004",
            "841E000004" + "00" * 4,
            "8424000014" + "00" * 20,
        ),
        _hex(
            select,
            "0084000008",
            "04D6950008" + "00" * 8,
            "0084000004",
            "84D4010020" + "00" * 32,
            "0084000010",
        ),
    ]


def _emv(select: bytes) -> list[Sequence]:
    return [
        _hex(
            select,
            "80A80000028300",
            "00B2010C00",
            "00B2011400",
            "80AE400020" + "00" * 32,
            "8026000008" + "00" * 8,
        ),
        _hex(
            select,
            "80A8000023832136000080000000000100000000000001560000000000015618090100" + "01020304" + "00" * 2,
        ),
        _hex(
            select,
            "80A80000028300",
            "80AE8000" + "1D" + "00" * 29,
            "008200000A" + "00" * 10,
            "80AE400020" + "00" * 32,
        ),
        _hex(
            select,
            "80A80000028300",
            "0020008008241234FFFFFFFFFF",
            "0088000004" + "01020304",
            "04DA9F790A" + "00" * 10,
        ),
    ]


def _travel(select: bytes) -> list[Sequence]:
    return [
        _hex(
            select,
            "0084000008",
            "0082000028" + "00" * 40 + "28",
            "0CA4020C158709" + "01" + "00" * 8 + "8E08" + "00" * 8 + "00",
        ),
        _hex(
            select,
            "00A4020C02011E",
            "00B0000004",
            "0CB000000D9701048E08" + "00" * 8 + "00",
            "0088000008" + "00" * 8 + "00",
        ),
    ]


def _usim(select: bytes) -> list[Sequence]:
    vector = "10" + "00" * 16 + "10" + "00" * 16
    return [
        _hex(
            select,
            "0020000108" + "31323334FFFFFFFF",
            f"0088008122{vector}00",
            "0088008011" + "10" + "00" * 16,
            "80F2000000",
        )
    ]


def _identity(select: bytes) -> list[Sequence]:
    return [_hex(select, "0020000003123456", "002A9E9A20" + "00" * 32 + "00", "0046810000", "00A40000020015")]


_KINDS: dict[ApplicationKind, Callable[[bytes], list[Sequence]]] = {
    ApplicationKind.NATIVE: _purse,
    ApplicationKind.EMV: _emv,
    ApplicationKind.TRAVEL: _travel,
    ApplicationKind.USIM: _usim,
    ApplicationKind.IDENTITY: _identity,
}


def _domains(name: str, family: KeyFamily) -> Target:
    source = SeededRandomness("jinka test domain")
    enc, mac, dek = (source.token_bytes(16) for _ in range(3))
    keys = KeySet(version=1, family=family, enc=enc, mac=mac, dek=dek)
    memory = with_issuer_domain(blank_memory(), keys)
    card = Card(Nvm(memory), source)
    select = Command(0x00, 0xA4, 0x04, 0, ISSUER_AID).build()
    card.transmit(select)
    assert card.applet is not None
    walk = _hex(
        select, "8050010008" + "01" * 8 + "00", "8482010010" + "00" * 16, "80CA006600", "80CA00E000", "80CA9F7F00",
        "80F28002024F0000", "84E60C0010" + "00" * 16, "84E8000010" + "00" * 16, "84E2900010" + "00" * 16,
        "84D8018110" + "00" * 16, "84E4000010" + "00" * 16, "84F040070A" + "00" * 10,
    )  # fmt: skip
    return Target(
        name=name,
        restore=lambda randomness: Card(Nvm(memory), randomness),
        names=tuple(sorted({*CARD_TABLE, *card.applet.table})),
        corpus=(walk,),
        sessions=(
            channel_session(keys),
            life_session(keys, identity_card.PROFILE, secrets_of(identity_card.PROFILE)),
        ),
    )


def _psam() -> Target:
    raw = fresh_psam(randomness=SeededRandomness("psam")).to_bytes()
    select = Command(0x00, 0xA4, 0x04, 0, b"JINKA.PSAM").build()
    walk = _hex(
        select, "8070000024" + "00" * 36 + "08", "8072000004" + "00" * 4, "801A420108" + "00" * 8,
        "80FA000008" + "00" * 8,
        "E04000001C" + "00" * 28 + "0C", "E042000004" + "00" * 4, "E04400000F" + "00" * 15, "0084000004",
        "84D400001C" + "00" * 28,
    )  # fmt: skip
    return Target(
        name="psam",
        restore=lambda randomness: Psam.from_bytes(raw, randomness),
        names=tuple(sorted(Psam.table)),
        corpus=(walk,),
        sessions=(module_session,),
    )


def targets() -> tuple[Target, ...]:
    """Every target, made anew."""
    return (
        *(_application(profile) for profile in declared_profiles().values()),
        _domains("globalplatform", KeyFamily.AES),
        _domains("globalplatform-scp02", KeyFamily.TDES),
        _psam(),
    )


def honest_session(card: ApduLink, amount: int) -> None:
    """A load and a purchase by terminals that hold the test keys; raises as they do."""
    device = LoadDevice(
        terminal_id=bytes.fromhex("440300000003"),
        aid=PROFILE.aid,
        profile=PROFILE.name,
        profile_version=1,
        key_index=1,
        zone="Asia/Shanghai",
        operator="op.fuzz",
        acquirer="acq.fuzz",
        issuers={ISSUER_NUMBER: TEST_ISSUER},
    )
    host = LoadHost(make_test_keys(), purse_limit=PURSE_LIMIT_FEN)
    LoadTerminal(device, _AT.date()).load(card, amount, _AT, host)
    bus = PurseTerminal(
        make_device(), fresh_psam(randomness=SeededRandomness("psam")), FlatPricer(), _AT.date()
    )
    bus.tap(card, kind=TapKind.BOARD, line=113, station=0, gross_fare=amount, at=_AT)
