"""The world of a journey: virtual cards with their domains, terminals with modules, keys, books; all of it seeded.

Each application has an issuer with a key service of its own and lies in a security domain of its own on the card,
made and personalised over GlobalPlatform sessions; terminals have PSAMs and see a card through APDUs alone. Nothing
here outlives the journey.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from jinka.app.sector_cards import VirtualCard, make_card
from jinka.app.sector_register import CardRegister, Making, migrated
from jinka.card import Psam, SamKey, make_psam
from jinka.codec.clearing import ClearingRecord
from jinka.declaration import Counted, Device, DeviceKind, Issue, Journey, JourneyCard, Sector
from jinka.issuer import AccessHost, MaintenanceHost
from jinka.keys import KeyName, Purpose, SoftKeyService, hold_ceremony
from jinka.keys.ceremony import issuer_names
from jinka.keys.hierarchy import chip_key_name
from jinka.kit import JinkaError, NotFound, Refused, Unit, Usage
from jinka.ledger import AccountFlag, MemoryLedger
from jinka.profile import ApplicationProfile, KeySpec, KeyUse
from jinka.profile.records import RecordSpec
from jinka.settlement import BusinessDay
from jinka.settlement.chart import AccountCode, AccountName, TransferCode
from jinka.settlement.posting import Entry, post
from jinka.sim.field import PSAM_NAME
from jinka.sim.randomness import SeededRandomness
from jinka.store import open_database
from jinka.tariff import Pricer, SheetPricer, Tariff
from jinka.tariff.sheet import Fact, Sheet
from jinka.terminal import DeviceData, LoadDevice, LoadTerminal, PurseTerminal

_S = TypeVar("_S")
ZONE = "Asia/Shanghai"
TRIP_FILE = 0x001E  # JT/T 978.2


class StepFailed(JinkaError):
    """A step did not end as the journey says that it must."""


class NotItsOwn(Refused):
    """A device turned to an application that is none of its authority's."""

    reason = "NOT_ITS_OWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that a report may count; ``by`` holds what it can be grouped by."""

    counted: Counted
    unit: Unit = Unit.FEN
    amount: int = 0
    by: Mapping[str, str] = field(default_factory=dict)


@functools.lru_cache(maxsize=64)
def issuer_keys(issuer: str, region: str, access: tuple[KeyName, ...] = ()) -> SoftKeyService:
    """The key service of an issuer of journeys: simulated, and the same on every machine. ``access`` are the roots of
    what its cards open to a key.
    """
    ceremony = hold_ceremony(
        issuer=issuer, date="2024-01-01", custodians=("1", "2", "3"),
        randomness=SeededRandomness(f"journey keys of {issuer}"), simulated=True,
        names=(*issuer_names(), *access),
    )  # fmt: skip
    return SoftKeyService.open(ceremony.sealed, list(ceremony.shares[:2]), region=region)


class World:
    """What the steps of one journey act upon. ``catalogue`` are all sectors, by the names of their profiles."""

    def __init__(self, sector: Sector, journey: Journey, catalogue: Mapping[str, Sector]) -> None:
        self.sector, self.journey, self.catalogue = sector, journey, catalogue
        self.label = f"{sector.name}|{journey.name}"
        self.randomness = SeededRandomness(f"journey|{self.label}")
        self.now = dt.datetime.combine(journey.date, dt.time())
        self.cards: dict[str, VirtualCard] = {}
        self.records: dict[str, list[ClearingRecord]] = {}  # by profile, not yet cleared
        self.happenings: list[Happening] = []
        self.ledger = MemoryLedger()
        self.remembered: dict[str, int | str] = {}
        self.filled: list[tuple[Sheet, Mapping[str, Fact]]] = []  # with the facts that each was given
        self.blocked: dict[bytes, dt.datetime] = {}
        self.cycle = 0
        self._moves = 0
        self.making = Making()  # what is said of the next card that is issued
        self._services: dict[str, object] = {}
        self._closing = ExitStack()
        self._terminals: dict[str, PurseTerminal | LoadTerminal] = {}
        self._numbers: dict[str, bytes] = {}
        self._open_accounts()
        later = {step.card for step in journey.steps if isinstance(step, Issue)}
        try:
            for card in (one for one in journey.cards if one.name not in later):
                self.issue(card)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give back what the journey opened; its files are gone then."""
        self._closing.close()

    def service(self, name: str, make: Callable[[], _S]) -> _S:
        """A part of the world that only some journeys need, made when it is first asked for."""
        if name not in self._services:
            self._services[name] = make()
        return self._services[name]  # type: ignore[return-value]

    def folder(self) -> Path:
        """A folder that lasts as long as the journey."""
        return self.service("folder", lambda: Path(self._closing.enter_context(TemporaryDirectory())))

    def database(self, name: str) -> Any:
        """A migrated SQLite database of the journey's own."""
        return self._opened(migrated(), name)

    def _opened(self, content: bytes, name: str = "register") -> Any:
        path = self.folder() / f"{name}.db"
        path.write_bytes(content)
        engine = open_database(path)
        self._closing.callback(engine.dispose)
        return engine

    def issue(self, wanted: JourneyCard) -> VirtualCard:
        """Make a card, which has to have a name of its own."""
        if wanted.name in self.cards:
            raise Usage(f"the card {wanted.name!r} stands twice", where=self.journey.name)
        self.cards[wanted.name] = card = make_card(self, wanted, len(self.cards) + 1)
        return card

    def demand(self, application: str, card_no: bytes, *, further: bool) -> None:
        """Enter a card into the journey's register before it is personalised, and ask for what is put on later."""
        sectors = (*self.catalogue.values(), self.sector)
        register = self.service("register", lambda: CardRegister(self.label, sectors, self._opened))
        owner = self.sector_of(application)
        profile = self.profile(application)
        if further:  # the card's fee was asked once
            register.check(owner, profile, card_no, replace(self.making, fee_fen=0), self.now.date())
        else:
            register.enter(owner, profile, card_no, self.making, self.now)

    # Names

    def card(self, name: str) -> VirtualCard:
        """A card of the journey; `NotFound` for another name."""
        if name not in self.cards:
            raise NotFound(
                f"no card {name!r}", where=self.journey.name, fix="declare it among the journey's cards"
            )
        return self.cards[name]

    def sector_of(self, application: str) -> Sector:
        """Whose application this is; `NotFound` when no sector that is known has it."""
        if application in self.catalogue:
            return self.catalogue[application]
        raise NotFound(f"no application {application!r}", where=self.sector.name, fix="see jinka sector list")

    def profile(self, application: str) -> ApplicationProfile:
        return next(p for p in self.sector_of(application).profiles if p.name == application)

    def record_specs(self, application: str) -> tuple[RecordSpec, ...]:
        return tuple(self.sector_of(application).records.get(application, ()))

    def device(self, name: str) -> tuple[Sector, Device]:
        """A device of this sector, or of one that it composes: ``transit:gate``."""
        of, colon, own = name.partition(":")
        sector = self._named(of, name) if colon else self.sector
        return sector, sector.device(own if colon else name)

    def _named(self, of: str, name: str) -> Sector:
        for sector in self.catalogue.values():
            if sector.name == of:
                return sector
        raise NotFound(f"no sector {of!r}", where=name, fix="see jinka sector list")

    def sheet(self, name: str) -> Sheet:
        """A sheet of this sector, or of one that it composes: ``tax:monthly``."""
        of, colon, own = name.partition(":")
        return self._named(of, name).sheet(own) if colon else self.sector.sheet(name)

    def fill(self, sheet: Sheet, facts: Mapping[str, Fact]) -> dict[str, int]:
        """Fill a sheet; with what is kept, since the walker tries these facts further."""
        lines = sheet.fill(facts)
        self.filled.append((sheet, dict(facts)))
        return lines

    def written_onto(self, card: str, application: str) -> dict[str, str]:
        """What the authority's own file says of its records on a card: as issued, and as it wrote since."""
        files: dict[tuple[str, str], dict[str, str]] = self.service("files of authorities", dict)
        if (card, application) not in files:
            starts = [start for one in self.journey.cards if one.name == card for start in one.starts]
            issued = [start.records for start in starts if start.application == application]
            files[card, application] = dict(issued[0]) if issued else {}
        return files[card, application]

    def application_of(self, device: str) -> str:
        sector, found = self.device(device)
        if found.application:
            return found.application
        if not sector.profiles:
            raise Usage(
                "no application", where=f"{sector.name}.{device}", fix="name the device's application"
            )
        return sector.profiles[0].name

    def require_own(self, device: str, application: str) -> None:
        """Raise `NotItsOwn` unless the device uses this application of its own sector: no authority's key is lent."""
        sector, found = self.device(device)
        if self.sector_of(application).name != sector.name:
            raise NotItsOwn(f"{application} is another sector's", where=device, fix="use its own device")
        if application not in (self.application_of(device), *found.also):
            raise NotItsOwn(
                f"{application} is none of its applications", where=device, fix="declare it in Device.also"
            )

    def only_application(self, card: VirtualCard, application: str = "") -> str:
        """The application that a step means: the one that it names, or the first of the card."""
        name = application or next(iter(card.applications))
        if name not in card.applications:
            raise NotFound(f"{card.name} has no {name}", where=self.journey.name)
        return name

    def keys(self, sector: Sector) -> SoftKeyService:
        """The key service of a sector's issuer, with the access keys of all that it issues."""
        issued = {
            profile.name: profile
            for one in (*self.catalogue.values(), sector)
            if one.issuer == sector.issuer
            for profile in one.profiles
        }
        access = [
            chip_key_name(profile, key)
            for _, profile in sorted(issued.items())
            for key in profile.keys
            if key.service_purpose == Purpose.ACCESS.value
        ]
        return issuer_keys(sector.issuer, sector.region, tuple(access))

    def access(self, application: str, key: KeySpec) -> AccessHost:
        """Whoever proves that key of an application to a card."""
        return AccessHost(
            self.keys(self.sector_of(application)), chip_key_name(self.profile(application), key)
        )

    def issuer_number(self, sector: Sector) -> bytes:
        """The 8 bytes by which a card names its issuer: region, then the issuer's place."""
        names = sorted({one.issuer for one in self.catalogue.values()} | {sector.issuer})
        return bytes.fromhex(f"{sector.region[:4]}{names.index(sector.issuer) + 1:012d}")

    # Terminals

    def purse_terminal(self, name: str) -> PurseTerminal:
        """The terminal of a device, made with its PSAM when it is first used; it obeys the list of now."""
        made = self._terminals.get(name)
        if made is None:
            made = self._terminals[name] = self._make_terminal(name)
        assert isinstance(made, PurseTerminal), "the kind of a device does not change"
        made.business_date = self.now.date()
        return made

    def _make_terminal(self, name: str) -> PurseTerminal:
        sector, device = self.device(name)
        if device.kind is not DeviceKind.PURSE:
            raise Usage(
                f"{name} is a {device.kind.value}", where=self.journey.name, fix="use a purse terminal"
            )
        profile = self.profile(self.application_of(name))
        owner = self.sector_of(profile.name)  # another sector where its cards are good here as well
        pricer = self._pricer(sector, device, profile)
        tariff = pricer.tariff if isinstance(pricer, SheetPricer) else pricer
        counts = isinstance(tariff, Tariff) and tariff.counts(device.mode)
        return PurseTerminal(
            DeviceData(
                aid=profile.aid, profile=profile.name, profile_version=profile.version,
                ride_record_id=profile.ride_record_id, key_index=1, mode=device.mode, zone=ZONE,
                operator=device.operator, acquirer=sector.acquirer,
                issuers={self.issuer_number(owner): owner.issuer}, psam_name=PSAM_NAME,
                region=self.issuer_number(sector)[:2], spent_record_id=profile.spent_record_id if counts else 0,
                keeps_trips=any(file.fid == TRIP_FILE for file in profile.files),
            ),
            self._psam(name, profile, owner), pricer, self.now.date(),
        )  # fmt: skip

    def _psam(self, name: str, profile: ApplicationProfile, sector: Sector) -> Psam:
        algorithm, number = profile.keys[0].algorithm, self.terminal_number(name)
        versions = [key.version for key in profile.keys if key.use is KeyUse.PURCHASE]
        keys = [
            SamKey(
                version=version, algorithm=algorithm, level=2,
                key=self.keys(sector).sam_key(Purpose.PURCHASE, algorithm=algorithm, version=version),
            )
            for version in versions
        ]  # fmt: skip
        return make_psam(
            terminal_id=number, psam_id=number.rjust(10, b"\x01"), keys=keys,
            transport_key=self.randomness.token_bytes(16), randomness=self.randomness,
        )  # fmt: skip

    def _pricer(self, sector: Sector, device: Device, profile: ApplicationProfile) -> Pricer:
        tariff = sector.tariffs.get(profile.name) or self.sector_of(profile.name).tariffs.get(profile.name)
        if tariff is None:
            raise Usage("a purse without a tariff", where=f"{sector.name}.{profile.name}", fix="declare one")
        if not device.fare:
            return tariff
        fare = sector.fare(device.fare)
        return SheetPricer(
            tariff=tariff, sheet=fare.sheet, measures=fare.measures, constants=fare.constants,
            lost_exit=fare.lost_exit,
        )  # fmt: skip

    def load_terminal(self, name: str) -> LoadTerminal:
        """The load counter of a device; it has a number and no PSAM."""
        sector, device = self.device(name)
        if device.kind is not DeviceKind.LOAD:
            raise Usage(f"{name} is a {device.kind.value}", where=self.journey.name, fix="use a load counter")
        profile = self.profile(self.application_of(name))
        owner = self.sector_of(profile.name)
        found = LoadDevice(
            terminal_id=self.terminal_number(name), aid=profile.aid, profile=profile.name,
            profile_version=profile.version, key_index=1, zone=ZONE, operator=device.operator or sector.load_agent,
            acquirer=sector.acquirer, issuers={self.issuer_number(owner): owner.issuer},
        )  # fmt: skip
        return LoadTerminal(found, self.now.date())

    def concluded(self, application: str) -> dict[tuple[bytes, int], ClearingRecord]:
        """What the hosts of an application's issuer concluded themselves: unloads, releases (`jinka.issuer`)."""
        return self.service(f"concluded {application}", dict)

    def terminal_number(self, name: str) -> bytes:
        """The 6 bytes of a device, given when it is first asked for."""
        sector, _ = self.device(name)
        return self._numbers.setdefault(
            name, bytes.fromhex(f"{sector.region[:4]}{len(self._numbers) + 1:08d}")
        )

    def numbered(self) -> Iterable[tuple[str, bytes]]:
        """The devices that have been used, with their numbers."""
        return self._numbers.items()

    def maintenance(self, application: str) -> MaintenanceHost:
        profile = self.profile(application)
        return MaintenanceHost(self.keys(self.sector_of(application)), profile.keys[0].algorithm)

    # Books

    @property
    def day(self) -> BusinessDay:
        return BusinessDay(date=self.now.date(), zone=ZONE, cycle=max(self.cycle, 1))

    def _open_accounts(self) -> None:
        """The sector's accounts, those of the sectors whose parts it uses included; openings come from outside."""
        sectors = {one.name: one for one in (*self.catalogue.values(), self.sector)}.values()
        declared = {account.code: account for sector in sectors for account in sector.accounts}
        self.payers = {"outside", *declared, *(party.code for sector in sectors for party in sector.parties)}
        flags = {False: AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS, True: AccountFlag.NONE}
        self.ledger.create_accounts([
            replace(account_name(one.code).opened(Unit.FEN), flags=flags[one.overdraws]) for one in declared.values()
        ])  # fmt: skip
        for account in declared.values():
            if account.opening:
                self.move("outside", account.code, account.opening)

    def move(self, payer: str, payee: str, amount: int) -> None:
        """Move money between declared accounts or parties; `Usage` when the ledger refuses, as for want of money."""
        if odd := {payer, payee} - self.payers:
            raise Usage(f"no account or party {min(odd)!r}", where="ledger", fix="declare it")
        self._moves += 1
        entry = Entry(
            debit=account_name(payer), credit=account_name(payee), amount=amount, code=TransferCode.FUND
        )
        day = replace(self.day, cycle=1_000 + self._moves)  # each move is a deed of its own
        _, findings = post(self.ledger, day, [entry])
        if findings:
            raise Usage(f"{findings[0].code}: {amount} from {payer} to {payee}", where="ledger")

    def stands_at(self, account: str) -> int:
        """What an account holds; below zero where more came out of it than went in."""
        name = account_name(account).id
        found = self.ledger.balances([name]).get(name)
        return 0 if found is None else found.credits_posted - found.debits_posted

    def count(self, counted: Counted, amount: int = 0, unit: Unit = Unit.FEN, **by: str) -> None:
        self.happenings.append(Happening(counted=counted, amount=amount, unit=unit, by=by))


def account_name(code: str) -> AccountName:
    """The ledger's account behind an account of a sector."""
    return AccountName(code=AccountCode.FUND, owner=code)
