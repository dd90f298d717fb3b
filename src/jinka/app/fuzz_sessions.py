"""Sessions that `jinka fuzz apdu` opens with the test keys, to attack what lies behind an authentication.

GlobalPlatform channels (SCP02, SCP03), the secure messaging of a travel document (ICAO Doc 9303-11), and a PSAM in the
middle of a purchase with a real card. Two things go wrong: on the wire, where the caller's link changes and repeats
what was already wrapped, so the MAC is wrong; and before wrapping, so the MAC is right and what it protects is not.
A session raises as the honest side does when it gives up; that is no fault of the card.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

from jinka.app.bench_purchase import FlatPricer, make_device
from jinka.app.card_samples import SPECIMEN_ZONE, sample_card
from jinka.card import Personal
from jinka.card.files import ISSUER_AID
from jinka.codec import Command, lds
from jinka.codec.apdu import ApduError
from jinka.crypto import scp02, scp03
from jinka.crypto.scp import Channel, KeyFamily, KeySet
from jinka.crypto.scp02 import Scp02
from jinka.crypto.scp03 import Scp03
from jinka.issuer.field_update import FieldUpdate
from jinka.profile import ApplicationProfile
from jinka.sectors.transit_shenzhen import PROFILE
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import TapKind
from jinka.terminal import ApduLink, PurseTerminal
from jinka.terminal.inspection import open_document

Session = Callable[[ApduLink, random.Random, Callable[[bytes], bytes]], None]
_AT = dt.datetime(2018, 9, 1, 8, 30)
_COMMANDS = 12  # in one channel; a wrong MAC ends it before
_CHANGED = 0.5  # of the commands whose MAC is right
# What a domain is told once the channel stands: keys, domains, packages, data, states, removal.
_MANAGEMENT = tuple(
    bytes.fromhex(text)
    for text in (
        "80F28002024F0000", "80F24002024F0000", "80F22002024F0000", "80CA006600", "80CA00E000", "80CA00C100",
        "80E60C001A0007F04A494E4B410107F04A494E4B4106010004C900EF0000" + "00",
        "80E602000E07F04A494E4B4106000000000000" + "00", "80E80000100102030405060708090A0B0C0D0E0F1000",
        "80E8800004C402FFFF00", "80E2900008010203040506070800", "80E2000008010203040506070800",
        "80E40000094F07F04A494E4B410600", "80F0408007F04A494E4B4106", "80F0400007F04A494E4B4106",
        "80D8008117018010" + "00" * 16 + "0300000000", "80D8018110" + "00" * 16,
    )
)  # fmt: skip
_FILES = (
    lds.COM, lds.SOD, *(0x0100 | group for group in (1, 2, 14, 15)), 0x0010,
)  # fmt: skip


def channel_session(keys: KeySet, *, domain: bytes = ISSUER_AID) -> Session:
    """Open a channel, then management commands; half of them changed before they are wrapped."""

    def session(link: ApduLink, dice: random.Random, mutate: Callable[[bytes], bytes]) -> None:
        channel = _open(link, keys, domain, dice)
        for _ in range(_COMMANDS):
            plain = dice.choice(_MANAGEMENT)
            try:
                command = Command.parse(mutate(plain) if dice.random() < _CHANGED else plain)
            except ApduError:
                continue
            channel.read(link.transmit(channel.wrap(command).build()))

    return session


def _open(link: ApduLink, keys: KeySet, domain: bytes, dice: random.Random) -> Channel:
    link.transmit(Command(0x00, 0xA4, 0x04, 0, domain).build())
    host8 = dice.randbytes(8)
    answer = link.transmit(Command(0x80, 0x50, keys.version, 0, host8, 256).build())
    session: Scp02 | Scp03
    if keys.family is KeyFamily.TDES:
        session = Scp02(keys, counter2=answer[12:14], host8=host8, card6=answer[14:20])
        level = dice.choice(sorted(scp02.LEVELS))
    else:
        session = Scp03(keys, host8=host8, card8=answer[13:21])
        level = dice.choice(sorted(scp03.LEVELS))
    link.transmit(session.external_authenticate(level).build())
    return session


def life_session(keys: KeySet, profile: ApplicationProfile, secrets: tuple[bytes, ...]) -> Session:
    """A domain made, an application loaded, personalised, locked and removed: the issuer's own code, on a bad wire."""

    def session(link: ApduLink, dice: random.Random, _mutate: Callable[[bytes], bytes]) -> None:
        update = FieldUpdate(
            link, domain=ISSUER_AID, keys=keys, randomness=SeededRandomness(str(dice.random()))
        )
        update.open()
        person = Personal(card_no=bytes(10), keys=secrets)
        steps: list[Callable[[], object]] = [
            lambda: update.load(profile),
            lambda: update.install(profile),
            lambda: update.personalise(profile, person),
            lambda: update.lock(profile.aid),
            update.content,
            lambda: update.unlock(profile.aid),
            lambda: update.remove(profile.aid),
        ]
        if dice.random() < _CHANGED:  # out of order as well
            dice.shuffle(steps)
        for step in steps:
            step()

    return session


def document_session(link: ApduLink, dice: random.Random, mutate: Callable[[bytes], bytes]) -> None:
    """Files of a travel document in its secure channel; selections, offsets and lengths changed inside."""
    inside = open_document(link, SPECIMEN_ZONE, SeededRandomness(str(dice.random())))
    for _ in range(_COMMANDS):
        plain = dice.choice(
            (
                bytes((0x00, 0xA4, 0x02, 0x0C, 0x02)) + dice.choice(_FILES).to_bytes(2, "big"),
                bytes(
                    (0x00, 0xB0, dice.randrange(256), dice.randrange(256), dice.choice((0, 4, 0xE0, 0xFF)))
                ),
                bytes.fromhex("0088000008") + dice.randbytes(8) + b"\x00",
                bytes.fromhex("00D6000004") + dice.randbytes(4),
                bytes.fromhex("00820000") + bytes((40,)) + dice.randbytes(40) + b"\x28",
            )
        )
        try:
            inside.transmit(mutate(plain) if dice.random() < _CHANGED else plain)
        except ApduError:
            continue


def module_session(link: ApduLink, dice: random.Random, mutate: Callable[[bytes], bytes]) -> None:
    """A PSAM that is asked for MAC1 by an honest terminal and hears MAC2 from a card, both over the bad wire."""
    card = sample_card(PROFILE.name, balance=20_000, randomness=SeededRandomness(str(dice.random())))
    bus = PurseTerminal(make_device(), link, FlatPricer(), _AT.date())
    for _ in range(2):
        bus.tap(card, kind=TapKind.BOARD, line=113, station=0, gross_fare=dice.randrange(1, 500), at=_AT)
        link.transmit(mutate(bytes.fromhex("8072000004") + dice.randbytes(4)))
