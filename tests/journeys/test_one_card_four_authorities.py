"""One card, four authorities: transit, fuel, social security and a bank, each with a domain, keys and an application.

Goal: each application is used by its own terminals as if it were alone; one is blocked, one removed, one updated in the
field, and none is touched by what happens to another. Method: everything by APDU, from the factory's card on, through
the real terminals, with SCP02 and SCP03 as each authority likes.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.app.bench_purchase import ISSUER
from jinka.card import Card, CardImage, ImageBase, Nvm, Personal
from jinka.card.domains import Life
from jinka.card.emv_issue import contents as bank_contents
from jinka.card.emv_issue import environment_contents
from jinka.card.records import record_contents
from jinka.issuer.field_update import DomainRefused
from jinka.profile import ApplicationProfile, FileKind, FileSpec
from jinka.sectors import bank, fuel, social_security, transit_shenzhen
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import TapKind
from jinka.terminal import EmvStatus, FuelStatus, TapStatus
from jinka.terminal.records import holder_values, read_records
from tests.card.domain_rig import AUTHORITIES, authority, card_of_authorities, session
from tests.card.emv_rig import ENTRY, HOLDER, ICC, card_keys
from tests.card.emv_rig import ISSUER as ISSUER_KEY
from tests.card.emv_rig import authority as certificate_authority
from tests.card.test_social_security import VALUES, key_of
from tests.terminal import fuel_rig
from tests.terminal.emv_rig import Nobody, Tap, reader, sale
from tests.terminal.rig import AT, City

CARD_NO = bytes.fromhex("00005180000000000001")
LATER = fuel_rig.AT.replace(hour=10)


class Wallet:
    """The card and what the four authorities have to use it: their roots, terminals and holders' data."""

    def __init__(self) -> None:
        self.city = City(cards=1)
        self.oil = fuel_rig.Oil()
        self.card = card_of_authorities()
        for name, applications in self.applications().items():
            update = authority(self.card, name)
            for profile, personal in applications:
                update.load(profile)
                update.install(profile)
                update.personalise(profile, personal)
        self.oil.card = self.card
        self.pump = self.oil.pump()

    def applications(self) -> dict[str, list[tuple[ApplicationProfile, Personal]]]:
        oil, social = self.oil, social_security.PROFILE
        oil_keys = tuple(oil.card_key(key.use) for key in fuel.PROFILE.keys)
        bank_files = bank_contents(bank.SPEC, HOLDER, certificate_authority(), ICC)
        tdes = transit_shenzhen.PROFILE.keys[0].algorithm
        return {
            "transit": [
                (
                    transit_shenzhen.PROFILE,
                    Personal(
                        card_no=CARD_NO,
                        keys=self.city.roots.card_keys(CARD_NO),
                        issuer=ISSUER,
                        balance=5000,
                    ),
                )
            ],
            "fuel": [
                (
                    fuel.PROFILE,
                    Personal(card_no=fuel_rig.CARD_NO, keys=oil_keys, issuer=fuel_rig.ISSUER, balance=50_000),
                )
            ],
            "social": [
                (
                    social,
                    Personal(
                        card_no=bytes(10),
                        keys=tuple(key_of(key.folder, key.use, key.kid) for key in social.keys),
                        contents=record_contents(social_security.RECORDS, VALUES),
                    ),
                )
            ],
            "bank": [
                (bank.PROFILE, Personal(card_no=bytes(10), keys=card_keys(tdes), contents=bank_files)),
                (
                    bank.ENVIRONMENT,
                    Personal(card_no=bytes(10), keys=(), contents=environment_contents([ENTRY])),
                ),
            ],
        }

    def ride(self) -> TapStatus:
        outcome = self.city.bus.tap(self.card, kind=TapKind.BOARD, line=113, station=0, gross_fare=200, at=AT)
        if outcome.record is not None:
            assert outcome.record.tac == self.city.issuer.tac(outcome.record)
        return outcome.status

    def refuel(self) -> FuelStatus:
        locked = self.pump.lock(self.card, fuel_rig.AT)
        if locked.status is not FuelStatus.LOCKED:
            return locked.status
        done = self.pump.release(self.card, self.pump.settle(fuel_rig.CARD_NO, 700), LATER)
        assert done.record is not None
        assert done.record.tac == self.oil.tac(done.record)
        return done.status

    def holder(self) -> dict[str, str]:
        return holder_values(read_records(self.card, social_security.AID, social_security.RECORDS))

    def pay(self, seed: str = "1") -> EmvStatus:
        return reader(seed).tap(Tap(self.card), sale(1234), Nobody()).status

    def bytes_of(self, *names: str) -> list[bytes]:
        """All bytes of the applications of these authorities, headers included."""
        found = []
        for name in names:
            for profile, _ in self.applications()[name]:
                folder = self.card.directory.by_name[profile.aid]
                places = [folder, *folder.children.values()]
                found += [bytes(self.card.nvm.memory[file.header : file.at + file.size]) for file in places]
        return found


@pytest.fixture
def wallet() -> Wallet:
    return Wallet()


def test_each_is_used_one_blocked_one_removed_one_updated(wallet: Wallet) -> None:
    # each is used
    assert wallet.ride() is TapStatus.DONE
    assert wallet.refuel() is FuelStatus.DONE
    assert wallet.holder() == VALUES
    assert wallet.pay() is EmvStatus.APPROVED_OFFLINE

    # the bank blocks its card: nothing else notices
    others = wallet.bytes_of("transit", "fuel", "social")
    authority(wallet.card, "bank").lock(bank.PROFILE.aid)
    assert wallet.pay("2") is not EmvStatus.APPROVED_OFFLINE
    assert wallet.bytes_of("transit", "fuel", "social") == others
    assert wallet.ride() is TapStatus.DONE

    # fuel is removed: its room is free, its keys are gone
    others = wallet.bytes_of("transit", "social", "bank")
    key = wallet.oil.card_key(fuel.PROFILE.keys[0].use)
    assert key in bytes(wallet.card.nvm.memory)
    update = authority(wallet.card, "fuel")
    update.remove(update.content()[-1].aid, with_related=True)
    assert update.content() == []
    assert key not in bytes(wallet.card.nvm.memory)
    gone = wallet.pump.lock(wallet.card, fuel_rig.AT)
    assert (gone.status, gone.sw) == (FuelStatus.REFUSED, 0x6A82)
    assert wallet.bytes_of("transit", "social", "bank") == others

    # transit is updated: a later version with one more file; money and rides stay
    old = transit_shenzhen.PROFILE
    permit = FileSpec(
        fid=0x0006, kind=FileKind.BINARY, size=8, title_en="Permit", title_zh="许可", write_right=0x11
    )
    new = replace(old, version=2, files=(*old.files, permit))
    others = wallet.bytes_of("social", "bank")
    before = wallet.bytes_of("transit")
    update = authority(wallet.card, "transit")
    update.load(new)
    update.install(new)
    update.write(new.aid, [bytes.fromhex("00D68600082024010100000000")])
    assert wallet.bytes_of("social", "bank") == others
    assert wallet.bytes_of("transit")[1 : len(before)] == before[1:]
    assert wallet.ride() is TapStatus.DONE
    found = authority(wallet.card, "transit").content()
    assert [line.life for line in found if line.aid == new.aid] == [Life.PERSONALISED]

    # and the bank lets its application live again
    authority(wallet.card, "bank").unlock(bank.PROFILE.aid)
    assert wallet.pay("3") is EmvStatus.APPROVED_OFFLINE
    assert wallet.holder() == VALUES
    assert _balance(wallet.card) == 5000 - 3 * 200


def _balance(card: Card) -> int:
    card.power_up()
    card.transmit(b"\x00\xa4\x04\x00\x08" + transit_shenzhen.PROFILE.aid)
    return int.from_bytes(card.transmit(bytes.fromhex("805C000204"))[:4], "big")


def test_an_update_makes_no_electronic_cash(wallet: Wallet) -> None:
    """Not even the bank writes what its card counts: that takes an issuer script, under the card's own counters."""
    update = authority(wallet.card, "bank")
    opened = bytes(wallet.card.nvm.memory)
    secrets = [spec for spec in bank.PROFILE.files if spec.kind is FileKind.SECRET]
    assert secrets
    for spec in secrets:
        choose = b"\x00\xa4\x00\x00\x02" + spec.fid.to_bytes(2, "big")
        with pytest.raises(DomainRefused, match="6985"):
            update.write(bank.PROFILE.aid, [choose, bytes.fromhex("00D6000004FFFFFFFF")])
        assert bytes(wallet.card.nvm.memory) == opened


@pytest.mark.parametrize("attacker", AUTHORITIES)
def test_none_can_touch_another(wallet: Wallet, attacker: str) -> None:
    others = [name for name in AUTHORITIES if name != attacker]
    update = authority(wallet.card, attacker)
    opened = bytes(wallet.card.nvm.memory)
    for name in others:
        for profile, personal in wallet.applications()[name]:
            for attempt in (
                lambda aid=profile.aid: update.lock(aid),
                lambda aid=profile.aid: update.remove(aid),
                lambda aid=profile.aid: update.write(aid, [bytes.fromhex("00D6950001FF")]),
                lambda profile=profile: update.install(profile),
                lambda profile=profile, personal=personal: update.personalise(profile, personal),
            ):
                with pytest.raises(DomainRefused):
                    attempt()
                assert bytes(wallet.card.nvm.memory) == opened


def test_the_issuer_withdraws_one_authority(wallet: Wallet) -> None:
    session(wallet.card).lock(AUTHORITIES["fuel"][0], with_all=True)
    refused = wallet.pump.lock(wallet.card, fuel_rig.AT)
    assert (refused.status, refused.sw) == (FuelStatus.REFUSED, 0x6A81)
    assert wallet.ride() is TapStatus.DONE
    assert wallet.pay() is EmvStatus.APPROVED_OFFLINE
    session(wallet.card).unlock(AUTHORITIES["fuel"][0], with_all=True)
    assert wallet.refuel() is FuelStatus.DONE


class Specimen(Wallet):
    """The four authorities' specimen: made as every card, for nobody, with keys that open nothing."""

    def applications(self) -> dict[str, list[tuple[ApplicationProfile, Personal]]]:
        found = {
            name: [
                (profile, replace(personal, card_no=bytes(10), balance=0, keys=_zeros(personal)))
                for profile, personal in given
            ]
            for name, given in super().applications().items()
        }
        nobody = {
            "card id": "0" * 32,
            "initialiser": "0" * 24,
            "card number": "A00000000",
            "social security number": "0" * 18,
            "name": "样卡",
            "birthplace": "000000",
            "born on": "20000101",
        }
        social, personal = found["social"][0]
        values = record_contents(social_security.RECORDS, VALUES | nobody)
        found["social"] = [(social, replace(personal, contents=values))]
        holder = replace(HOLDER, pan="6228000000000003", pin="000000", ecash_fen=0)
        files = bank_contents(
            bank.SPEC, holder, certificate_authority(), ISSUER_KEY
        )  # of the same size as a card's
        debit, personal = found["bank"][0]
        found["bank"][0] = debit, replace(personal, contents=files)
        return found


def _zeros(personal: Personal) -> tuple[bytes, ...]:
    return tuple(bytes(len(key)) for key in personal.keys)


def test_how_large_used_cards_are(wallet: Wallet) -> None:
    """Bytes at rest after twelve rides, far below the 2,000 that put a million into two gigabytes.

    The base of the card with four applications is a specimen without secrets: every byte of a holder's own counts, all
    keys, the RSA pair and its certificates among them.
    """
    for _ in range(12):
        assert wallet.ride() is TapStatus.DONE
        assert (
            wallet.city.bus.tap(
                wallet.city.cards[0], kind=TapKind.BOARD, line=113, station=0, gross_fare=200, at=AT
            ).status
            is TapStatus.DONE
        )
    assert len(wallet.city.cards[0].to_image().to_bytes()) < 600

    assert wallet.refuel() is FuelStatus.DONE
    assert wallet.pay() is EmvStatus.APPROVED_OFFLINE
    template = ImageBase.of_specimen("four authorities", 1, bytes(Specimen().card.nvm.memory))
    card = Card(Nvm(wallet.card.nvm.memory), SeededRandomness("again"), template)
    image = CardImage.from_bytes(card.to_image().to_bytes(), {template.id: template})
    assert len(image.to_bytes()) < 2000
    assert Card.from_image(image, SeededRandomness("1")).nvm.memory == wallet.card.nvm.memory


def test_the_base_of_a_specimen_holds_no_secret(wallet: Wallet) -> None:
    """Whoever makes the specimen of a card in use by mistake gives away neither keys nor PINs."""
    memory = bytes(wallet.card.nvm.memory)
    base = ImageBase.of_specimen("four authorities", 1, memory).memory
    given = [
        key for parts in wallet.applications().values() for _, personal in parts for key in personal.keys
    ]
    domains = [key for _, keys in AUTHORITIES.values() for key in keys.keys]
    secrets = [
        key for key in (*given, *domains, ICC.p.to_bytes(64, "big")) if len(key) >= 6 and key in memory
    ]
    assert len(secrets) > 40
    assert not [key for key in secrets if key in base]
