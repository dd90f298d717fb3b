"""A small nation's day: cards of every city ride at home and in the other cities, over real chips and security modules.

Each city has its own issuer and key service; what they share are the purchase roots, which come down from the nation,
so any module meets any card. Buses alone, at the prices of one tariff. A few debits are torn, and a few things are put
out of order on purpose (`Mischief`), so that verdicts have reasons to give; one card in
23 was never registered. Everything is drawn from the seed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import pyarrow as pa

from jinka.card import Card, CardImage, CardTemplate, SamKey, make_psam
from jinka.codec import Algorithm, digits_to_bcd
from jinka.codec.clearing import ClearingRecord
from jinka.issuer import CardOrder, LoadHost, make_cards
from jinka.keys import KeyService, Purpose
from jinka.profile import ApplicationProfile
from jinka.registry import (
    ACKNOWLEDGEMENTS,
    CARDS,
    LISTINGS,
    PARTICIPANTS,
    PSAMS,
    TERMINALS,
    Registry,
    Role,
)
from jinka.sim.field import LOAD_STEP_FEN, PSAM_NAME, PURCHASE_VERSIONS, Reader
from jinka.sim.plan import psam_id
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import HolderClass, Mode, Pricer, TapKind
from jinka.terminal import DeviceData, LoadDevice, LoadTerminal, PurseTerminal, TapOutcome, TapStatus
from jinka.terminal.batching import batch_up

ZONE = "Asia/Shanghai"
_BUSES = 6  # of a city, in two companies
_FARES_FEN = (200, 250, 300)


class Mischief(Enum):
    """What is put out of order in some records of foreign cards, as they reach the centre that takes them in."""

    NONE = "none"
    WRONG_TAC = "wrong_tac"
    TWICE = "twice"  # the same tap again in another batch


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelCity:
    """A city of the nation: its code is four digits of GB/T 2260."""

    code: str
    name_en: str
    name_zh: str

    @property
    def issuer(self) -> str:
        return f"issuer.{self.code}"

    @property
    def acquirer(self) -> str:
        return f"acq.{self.code}"

    @property
    def agent(self) -> str:
        return f"agent.{self.code}"

    @property
    def government(self) -> str:
        return f"gov.{self.code}"

    @property
    def operators(self) -> tuple[str, str]:
        return f"op.{self.code}.east", f"op.{self.code}.west"

    @property
    def participants(self) -> dict[str, Role]:
        """Everybody whose books the city's centre keeps."""
        return {
            self.issuer: Role.ISSUER, self.acquirer: Role.ACQUIRER, self.agent: Role.LOAD_AGENT,
            self.government: Role.GOVERNMENT, **dict.fromkeys(self.operators, Role.OPERATOR),
        }  # fmt: skip

    @property
    def issuer_number(self) -> bytes:
        return bytes.fromhex(self.code + "000000000001")

    def card_no(self, number: int) -> bytes:
        """310 (T-Union), the city, and a number: 19 digits."""
        return digits_to_bcd(f"310{self.code}{number:012d}", 10)

    def terminal_id(self, device: int) -> bytes:
        """The city and the device's number; device 0 loads."""
        return digits_to_bcd(f"{self.code}{device:08d}", 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelDay:
    """What one city's centre gets: its registry, and deliveries as (name, records, batches)."""

    city: TravelCity
    registry: Registry
    deliveries: tuple[tuple[str, pa.Table, pa.Table], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rider:
    city: TravelCity
    card_no: bytes
    holder: HolderClass
    algorithm: Algorithm
    balance: int
    registered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ride:
    second: int
    rider: int
    city: TravelCity
    bus: int
    torn: str


class TravelField:
    """All cards and buses of the nation, for one day."""

    def __init__(
        self,
        cities: Sequence[TravelCity],
        keys: Mapping[str, KeyService],
        *,
        riders: int,
        seed: int,
        date: dt.date,
        tariff: Pricer,
        profile: ApplicationProfile,
    ) -> None:
        """``riders`` are those of each city, ``profile`` is on their cards.

        ``keys`` are the key services by city code, all of them simulated.
        """
        self.cities, self.date = tuple(cities), date
        self._keys, self._tariff, self.profile = keys, tariff, profile
        self._random = SeededRandomness(f"travel|{seed}|{riders}|{date}")
        self.riders = [self._rider(city, number) for city in self.cities for number in range(1, riders + 1)]
        self._images = self._personalise()
        self._cards: dict[int, Card] = {}
        self._buses: dict[tuple[str, int], PurseTerminal] = {}
        self._loaders = {city.code: self._loader(city) for city in self.cities}
        self._hosts = {
            city.code: LoadHost(keys[city.code], purse_limit=self.profile.purse_spec.limit)
            for city in self.cities
        }
        self._records: dict[str, list[ClearingRecord]] = defaultdict(list)

    def play(self) -> list[TravelDay]:
        """Play the day; what each city's centre gets of it."""
        for ride in sorted(self._rides(), key=lambda ride: (ride.second, ride.rider)):
            self._play(ride)
        return [self._day(city) for city in self.cities]

    def _chance(self, below: int) -> int:
        return int.from_bytes(self._random.token_bytes(8), "big") % below

    def _rider(self, city: TravelCity, number: int) -> _Rider:
        holder = (HolderClass.ORDINARY, HolderClass.ORDINARY, HolderClass.ORDINARY, HolderClass.HALF_FARE)
        return _Rider(
            city=city, card_no=city.card_no(number), holder=holder[self._chance(4)],
            algorithm=Algorithm.SM4 if self._chance(4) == 0 else Algorithm.TDES,
            balance=300 if self._chance(12) == 0 else 2_000 + self._chance(8_000),
            registered=number % 23 != 0,
        )  # fmt: skip

    def _rides(self) -> Iterable[_Ride]:
        for index, rider in enumerate(self.riders):
            second = 6 * 3600 + self._chance(3 * 3600)
            for _ in range(2 + self._chance(3)):
                away = self._chance(3) == 0
                city = self.cities[self._chance(len(self.cities))] if away else rider.city
                torn = ("before", "after")[self._chance(2)] if self._chance(40) == 0 else ""
                yield _Ride(second=second, rider=index, city=city, bus=1 + self._chance(_BUSES), torn=torn)
                second += 2_400 + self._chance(7_200)

    def _play(self, ride: _Ride) -> None:
        rider, at = self.riders[ride.rider], dt.datetime.combine(self.date, dt.time())
        at += dt.timedelta(seconds=ride.second)
        card = self._cards.get(ride.rider)
        if card is None:
            card = self._cards[ride.rider] = Card.from_image(self._images[ride.rider], self._random)
            card.power_up()
        reader = Reader(card)
        reader.pull = ride.torn or None
        outcome = self._tap(reader, ride, at)
        if outcome.status is TapStatus.NEEDS_LOAD and ride.city is rider.city:
            steps = -(-outcome.shortfall // LOAD_STEP_FEN)
            loader, host = self._loaders[rider.city.code], self._hosts[rider.city.code]
            self._records[rider.city.code].append(loader.load(reader, steps * LOAD_STEP_FEN, at, host))
            outcome = self._tap(reader, ride, at)
        if outcome.status is TapStatus.TORN:
            outcome = self._tap(reader, ride, at + dt.timedelta(seconds=20), torn=outcome.record)

    def _tap(
        self, reader: Reader, ride: _Ride, at: dt.datetime, torn: ClearingRecord | None = None
    ) -> TapOutcome:
        bus = self._bus(ride.city, ride.bus)
        outcome = bus.tap(
            reader, kind=TapKind.BOARD, line=ride.bus, station=0,
            gross_fare=_FARES_FEN[ride.bus % len(_FARES_FEN)], at=at, line_code=f"{ride.bus}", stop_code=None,
        )  # fmt: skip
        taken = self._records[ride.city.code]
        if torn is not None and (outcome.void is not None or outcome.resolved is not None):
            place = taken.index(torn)
            if outcome.resolved is not None:
                taken[place] = outcome.resolved
            else:
                del taken[place]
        if outcome.record is not None and outcome.record is not outcome.resolved:
            taken.append(outcome.record)
        return outcome

    def _personalise(self) -> dict[int, CardImage]:
        images: dict[int, CardImage] = {}
        templates = {one: CardTemplate(self.profile.with_algorithm(one)) for one in Algorithm}
        for city in self.cities:
            for algorithm in Algorithm:
                mine = [
                    index for index, rider in enumerate(self.riders)
                    if rider.city is city and rider.algorithm is algorithm
                ]  # fmt: skip
                orders = [
                    CardOrder(card_no=rider.card_no, holder=rider.holder, balance=rider.balance)
                    for rider in (self.riders[index] for index in mine)
                ]
                made = make_cards(
                    orders, template=templates[algorithm], algorithm=algorithm, issuer=city.issuer_number,
                    keys=self._keys[city.code],
                )  # fmt: skip
                images.update(zip(mine, made, strict=True))
        return images

    def _bus(self, city: TravelCity, bus: int) -> PurseTerminal:
        found = self._buses.get((city.code, bus))
        if found is None:
            number, keys = city.terminal_id(bus), self._keys[city.code]
            psam = make_psam(
                terminal_id=number, psam_id=psam_id(number), transport_key=self._random.token_bytes(16),
                randomness=self._random,
                keys=[
                    SamKey(
                        version=version, algorithm=algorithm, level=2,
                        key=keys.sam_key(Purpose.PURCHASE, algorithm=algorithm, version=version),
                    )
                    for version in PURCHASE_VERSIONS
                    for algorithm in Algorithm
                ],
            )  # fmt: skip
            psam.power_up()
            found = PurseTerminal(self._device(city, bus), psam, self._tariff, self.date)
            self._buses[city.code, bus] = found
        return found

    def _device(self, city: TravelCity, bus: int) -> DeviceData:
        return DeviceData(
            aid=self.profile.aid, profile=self.profile.name, profile_version=self.profile.version,
            ride_record_id=self.profile.ride_record_id, key_index=1, mode=Mode.BUS, zone=ZONE,
            operator=city.operators[bus % 2], acquirer=city.acquirer, psam_name=PSAM_NAME,
            issuers={each.issuer_number: each.issuer for each in self.cities}, region=bytes.fromhex(city.code),
        )  # fmt: skip

    def _loader(self, city: TravelCity) -> LoadTerminal:
        device = LoadDevice(
            terminal_id=city.terminal_id(0), aid=self.profile.aid, profile=self.profile.name,
            profile_version=self.profile.version, key_index=1, zone=ZONE, operator=city.agent,
            acquirer=city.acquirer, issuers={city.issuer_number: city.issuer},
        )  # fmt: skip
        return LoadTerminal(device, self.date)

    def _day(self, city: TravelCity) -> TravelDay:
        records = self._records[city.code]
        batches: dict[int, list[ClearingRecord]] = {1: [], 2: []}
        foreign = 0
        for record in records:
            done = Mischief.NONE
            if record.issuer != city.issuer and record.tac is not None:
                foreign += 1
                done = {5: Mischief.WRONG_TAC, 9: Mischief.TWICE}.get(foreign % 11, Mischief.NONE)
            if done is Mischief.WRONG_TAC:
                assert record.tac is not None
                record = replace(record, tac=bytes([record.tac[0] ^ 1]) + record.tac[1:])
            batches[1].append(record)
            if done is Mischief.TWICE:
                batches[2].append(record)
        deliveries = [
            (f"{city.code}-{number}", *batch_up(rows, number, self._keys[city.code]))
            for number, rows in batches.items()
            if rows
        ]
        return TravelDay(city=city, registry=self._registry(city), deliveries=tuple(deliveries))

    def _registry(self, city: TravelCity) -> Registry:
        parties = [
            {
                "code": code, "role": role.value, "region": city.code, "name_en": f"{city.name_en} {role.value}",
                "name_zh": f"{city.name_zh}{role.value}",
            }
            for code, role in city.participants.items()
        ]  # fmt: skip
        terminals = [
            {
                "terminal_id": city.terminal_id(device), "device": str(device), "acquirer": city.acquirer,
                "operator": city.operators[device % 2] if device else city.agent, "line": None, "stop": None,
                "status": 1,
            }
            for device in range(_BUSES + 1)
        ]  # fmt: skip
        psams = [
            {"psam_id": psam_id(row["terminal_id"]), "terminal_id": row["terminal_id"], "status": 1}  # type: ignore[arg-type]
            for row in terminals
        ]
        cards = [
            {
                "card_no": rider.card_no, "issuer": city.issuer, "profile": self.profile.name,
                "profile_version": self.profile.version, "holder": int(rider.holder), "algorithm": int(rider.algorithm),
                "key_version": 1, "opening_counter": 0, "opening_online": 0, "opening_balance": rider.balance,
                "status": 1,
            }
            for rider in self.riders
            if rider.city is city and rider.registered
        ]  # fmt: skip
        return Registry(
            participants=pa.Table.from_pylist(parties, schema=PARTICIPANTS),
            terminals=pa.Table.from_pylist(terminals, schema=TERMINALS),
            psams=pa.Table.from_pylist(psams, schema=PSAMS),
            cards=pa.Table.from_pylist(cards, schema=CARDS),
            listings=LISTINGS.empty_table(),
            acknowledgements=ACKNOWLEDGEMENTS.empty_table(),
        )


CITIES = (
    TravelCity(code="4403", name_en="Shenzhen", name_zh="深圳"),
    TravelCity(code="4401", name_en="Guangzhou", name_zh="广州"),
    TravelCity(code="3201", name_en="Nanjing", name_zh="南京"),
    TravelCity(code="3205", name_en="Suzhou", name_zh="苏州"),
)
SCHEME = "scheme.jinka"
