"""One lane of the field: real cards, real PSAMs and terminals, playing a plan through APDUs.

A lane holds the cards whose number selects its SAM slot, and that slot of every device; so two lanes share nothing
and run side by side. Everything random in it comes from the seed, the lane and the slice of the day.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from jinka.card import Card, CardImage, CardTemplate, PowerCut, Psam, SamKey, make_psam
from jinka.codec import Algorithm
from jinka.codec.clearing import ClearingRecord
from jinka.issuer import CardOrder, LoadHost, MaintenanceHost, make_cards
from jinka.keys import KeyService, Purpose
from jinka.kit import FIRST_DATE, LAST_DATE, Randomness, Refused, bcd_date
from jinka.profile import ApplicationProfile
from jinka.sim.parties import ACQUIRER, ISSUER, LOAD_AGENT
from jinka.sim.plan import CityPlan, PlannedTap, Torn, psam_id, terminal_id
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import Pricer, RideState
from jinka.terminal import (
    BlockList,
    CardRemoved,
    DeviceData,
    LoadDevice,
    LoadTerminal,
    PurseTerminal,
    RideStamp,
    TapOutcome,
    TapStatus,
    encode_ride,
    write_ride_state,
)
from jinka.terminal.link import ask, ask_exactly
from jinka.terminal.reading import select

ISSUER_NUMBER = bytes.fromhex("4403000000000001")
LOAD_DEVICE = "45900000000"  # with a prefix of its own: the 9 digits belong to the operators
LOAD_STEP_FEN = 5_000
PSAM_NAME = b"JINKA.PSAM"
PURCHASE_VERSIONS = (1, 2, 3)
_DEBIT = 0x54
_NOT_SERVED = frozenset(
    {TapStatus.REFUSED, TapStatus.REMOVED, TapStatus.NEEDS_LOAD}
)  # a list is another matter


class Reader:
    """A card in a reader; ``pull`` takes it away at the next debit, before or after the card has seen it."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.pull: str | None = None

    def transmit(self, command: bytes) -> bytes:
        if self.pull is None or command[1] != _DEBIT:
            return self.card.transmit(command)
        when, self.pull = self.pull, None
        if when == "before":
            self.card.nvm.cut_after(0)
        with contextlib.suppress(PowerCut):
            self.card.transmit(command)
        self.card.nvm.cut_after(None)
        self.card.power_up()
        raise CardRemoved("pulled away", where="reader", fix="present the card again")


@dataclass(slots=True)
class SliceResult:
    """What a slice of the day left behind: records in the order of the taps, and counts of what happened."""

    records: list[ClearingRecord]
    counts: Counter[str]


class Lane:
    """The cards and SAM slots of one lane."""

    def __init__(
        self,
        plan: CityPlan,
        lane: int,
        *,
        seed: int,
        keys: KeyService,
        tariff: Pricer,
        profile: ApplicationProfile,
    ) -> None:
        """``profile`` is what is on each card, with whichever algorithm the card has."""
        self.profile = profile
        self.plan, self.number, self._seed, self._keys, self._tariff = plan, lane, seed, keys, tariff
        self.mine = [index for index, card in enumerate(plan.cards) if card.lane == lane]
        self.templates = {one: CardTemplate(profile.with_algorithm(one)) for one in Algorithm}
        self.images: dict[int, CardImage] = {}
        self.psams: dict[int, bytes] = {}
        self._terminals: dict[int, tuple[Psam, PurseTerminal]] = {}
        self._randomness: Randomness | None = None
        self._list = BlockList(
            version=1,
            entries={plan.cards[i].card_no: dt.datetime.combine(plan.date, dt.time()) for i in plan.blocked},
        )
        self._loads = LoadTerminal(self._load_device(), plan.date)
        self._load_host = LoadHost(keys, purse_limit=profile.purse_spec.limit)
        self._maintenance = {algorithm: MaintenanceHost(keys, algorithm) for algorithm in Algorithm}
        self._sam_keys = [
            SamKey(
                version=version,
                algorithm=algorithm,
                level=2,
                key=keys.sam_key(Purpose.PURCHASE, algorithm=algorithm, version=version),
            )
            for version in PURCHASE_VERSIONS
            for algorithm in Algorithm
        ]

    def personalise(self) -> None:
        """Make all cards of the lane, keys derived in bulk."""
        for algorithm in Algorithm:
            indices = [index for index in self.mine if self.plan.cards[index].algorithm is algorithm]
            orders = [self._order(index) for index in indices]
            made = make_cards(
                orders,
                template=self.templates[algorithm],
                algorithm=algorithm,
                issuer=ISSUER_NUMBER,
                keys=self._keys,
            )
            self.images.update(zip(indices, made, strict=True))

    def begin_slice(self, number: int) -> None:
        """Seed the chips for a slice, so that it can be played again after a crash with the same result."""
        self._randomness = SeededRandomness(f"field|{self._seed}|{self.number}|{number}")
        self._terminals.clear()

    def play(
        self, taps: Iterable[PlannedTap], progress: Callable[[int], None] = lambda _done: None
    ) -> SliceResult:
        """Play the taps of a slice in their order; unresolved torn debits are handed over with the rest."""
        records: list[ClearingRecord] = []
        counts: Counter[str] = Counter()
        cards: dict[int, Card] = {}
        for number, tap in enumerate(taps):
            card = cards.get(tap.card)
            if card is None:
                card = cards[tap.card] = Card.from_image(self.images[tap.card], self._drawn())
                card.power_up()
            self._tap(tap, card, records, counts)
            if number % 256 == 0:
                progress(number)
        for index, card in cards.items():
            self.images[index] = card.to_image()
        for device, (psam, _) in self._terminals.items():
            self.psams[device] = psam.to_bytes()
        return SliceResult(records, counts)

    def read_purse(self, index: int) -> tuple[int, int, int]:
        """What a card says of itself: balance, offline and online counter (GET BALANCE, two INITIALIZE over zero)."""
        card = Card.from_image(self.images[index], SeededRandomness("census"))
        card.power_up()
        select(card, self.profile.aid)
        balance = ask_exactly(card, "get balance", bytes.fromhex("805C000204"), 4)
        opened = ask_exactly(card, "initialize", bytes.fromhex("805003020B01") + bytes(10) + b"\x0f", 15)
        loading = ask_exactly(card, "initialize", bytes.fromhex("805000020B01") + bytes(10) + b"\x10", 16)
        held, offline, online = (int.from_bytes(raw, "big") for raw in (balance, opened[4:6], loading[4:6]))
        return held, offline, online

    def _tap(self, tap: PlannedTap, card: Card, records: list[ClearingRecord], counts: Counter[str]) -> None:
        planned, link = self.plan.cards[tap.card], Reader(card)
        if tap.unseen is not None:
            self._write_unseen(link, planned.card_no, planned.algorithm, tap.unseen)
        if tap.reclassed is not None:
            self._write_class(link, planned.card_no, planned.algorithm, tap.reclassed)
        counts["taps"] += 1
        terminal = self._terminal(tap.device)
        if tap.torn is not None:
            link.pull = "before" if tap.at.second % 2 else "after"
        outcome = self._once(terminal, link, tap)
        if outcome.status is TapStatus.NEEDS_LOAD:
            steps = -(-outcome.shortfall // LOAD_STEP_FEN)
            with contextlib.suppress(Refused):  # then the tap stays one that needs a load
                records.append(self._loads.load(link, steps * LOAD_STEP_FEN, tap.at, self._load_host))
                counts["loads"] += 1
                outcome = self._once(terminal, link, tap)
        self._settle(outcome, records, counts)
        if outcome.record is not None and tap.expected_fen not in (None, outcome.record.amount):
            counts["price_differs"] += 1
        if outcome.status is TapStatus.TORN and tap.torn is Torn.TAPS_AGAIN:
            self._settle(self._once(terminal, link, tap), records, counts)

    def _once(self, terminal: PurseTerminal, link: Reader, tap: PlannedTap) -> TapOutcome:
        return terminal.tap(
            link,
            kind=tap.kind,
            line=tap.line,
            station=tap.station,
            gross_fare=tap.gross_fen,
            at=tap.at,
            line_code=self.plan.lines.get(tap.line),
            stop_code=self.plan.stations.get(tap.station),
        )

    def _settle(self, outcome: TapOutcome, records: list[ClearingRecord], counts: Counter[str]) -> None:
        """Keep the record; a torn one that was proven or disproven takes its place or goes."""
        counts[outcome.status.name.lower()] += 1
        if outcome.void is not None:
            counts["torn_void"] += 1
            _replace(records, outcome.void, None)
        if outcome.resolved is not None:
            counts["torn_proven"] += 1
            _replace(records, outcome.resolved, outcome.resolved)
        if outcome.record is not None and outcome.record is not outcome.resolved:
            records.append(outcome.record)
        if outcome.status in _NOT_SERVED:
            counts["tap_refused"] += 1

    def _drawn(self) -> Randomness:
        assert self._randomness is not None, "begin_slice comes first"
        return self._randomness

    def _terminal(self, device: int) -> PurseTerminal:
        """The slot of a device with power: its module from the last slice, or a new one."""
        found = self._terminals.get(device)
        if found is None:
            planned = self.plan.devices[device]
            stored = self.psams.get(device)
            number = terminal_id(planned.number, self.number)
            if stored is None:
                psam = make_psam(
                    terminal_id=number,
                    psam_id=psam_id(number),
                    keys=self._sam_keys,
                    transport_key=self._drawn().token_bytes(16),
                    randomness=self._drawn(),
                )
            else:
                psam = Psam.from_bytes(stored, self._drawn())
            psam.power_up()
            terminal = PurseTerminal(self._device(device), psam, self._tariff, self.plan.date)
            terminal.install_list(self._list, dt.datetime.combine(self.plan.date, dt.time()))
            found = self._terminals[device] = (psam, terminal)
        return found[1]

    def _device(self, device: int) -> DeviceData:
        planned = self.plan.devices[device]
        return DeviceData(
            aid=self.profile.aid,
            profile=self.profile.name,
            profile_version=self.profile.version,
            ride_record_id=self.profile.ride_record_id,
            key_index=1,
            mode=planned.mode,
            zone=self.plan.zone,
            operator=planned.operator,
            acquirer=ACQUIRER,
            issuers={ISSUER_NUMBER: ISSUER},
            psam_name=PSAM_NAME,
            region=ISSUER_NUMBER[:2],
        )

    def _load_device(self) -> LoadDevice:
        return LoadDevice(
            terminal_id=terminal_id(LOAD_DEVICE, self.number),
            aid=self.profile.aid,
            profile=self.profile.name,
            profile_version=self.profile.version,
            key_index=1,
            zone=self.plan.zone,
            operator=LOAD_AGENT,
            acquirer=ACQUIRER,
            issuers={ISSUER_NUMBER: ISSUER},
        )

    def _order(self, index: int) -> CardOrder:
        card = self.plan.cards[index]
        ride = b"" if card.state is None else encode_ride(card.state, _UNSEEN)
        return CardOrder(
            card_no=card.card_no,
            holder=card.holder,
            balance=card.balance,
            ride=ride,
            start=bcd_date(FIRST_DATE),
            expiry=bcd_date(LAST_DATE),
        )

    def _write_unseen(self, link: Reader, card_no: bytes, algorithm: Algorithm, ride: RideState) -> None:
        write_ride_state(
            link,
            self._maintenance[algorithm],
            aid=self.profile.aid,
            card_no=card_no,
            record_id=self.profile.ride_record_id,
            ride=encode_ride(ride, _UNSEEN),
        )

    def _write_class(self, link: Reader, card_no: bytes, algorithm: Algorithm, holder: int) -> None:
        """UPDATE BINARY of 0016 under secure messaging: the holder's class changed."""
        select(link, self.profile.aid)
        rand4 = ask_exactly(link, "get challenge", bytes.fromhex("0084000004"), 4)
        message = bytes((0x04, 0xD6, 0x96, 0x00, 5, holder))
        ask(link, "update 0016", message + self._maintenance[algorithm].message_mac(card_no, rand4, message))


# A ride that no terminal of the plan served: what the file does not show names no terminal.
_UNSEEN = RideStamp(terminal_id=bytes(6), amount=0, balance=0, city=ISSUER_NUMBER[:2], acquirer=bytes(8))


def _replace(records: list[ClearingRecord], torn: ClearingRecord, by: ClearingRecord | None) -> None:
    """Put ``by`` in the place of the torn record of the same debit, or take it out."""
    for place in range(len(records) - 1, -1, -1):
        found = records[place]
        if found.terminal_id == torn.terminal_id and found.terminal_serial == torn.terminal_serial:
            if by is None:
                del records[place]
            else:
                records[place] = by
            return
    raise AssertionError("a torn debit is settled in the slice in which it was torn")
