"""The transit terminal: one tap from SELECT to a clearing record, by APDUs to card and PSAM (JR/T 0025.1, CJ/T 166).

Every tap is a composite purchase: an entry debits nothing and writes where the ride began. The terminal knows no key.
A debit whose answer never came is kept and settled when the card is presented here again. The gate opens for MAC2
alone, also then: a log and a TAC that no module can check may come from a card without keys.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from jinka.codec import StatusWord, TransactionType
from jinka.codec.clearing import ClearingRecord
from jinka.codec.record import CounterKind, RecordState
from jinka.kit import Refused, bcd_date, bcd_time
from jinka.tariff import ENTRY_PRODUCT, Charge, Mode, Pricer, RideFacts, RideState, TapKind, tariff_from_body
from jinka.terminal import torn
from jinka.terminal.key_choice import KeyPeriod, first_that_is_there, key_indexes, resolve_torn, settle_torn
from jinka.terminal.link import ApduLink, CardRemoved, ChipRefused, ask, ask_exactly
from jinka.terminal.lists import Acknowledgement, BlockList, Calendar, DownloadKind
from jinka.terminal.lists_download import Download, Downloads
from jinka.terminal.outcome import TapOutcome, TapStatus
from jinka.terminal.reading import DATA_WRONG, PublicData, read_holder, read_public, read_ride, select
from jinka.terminal.ride import RIDE_SIZE, TRIP_HEAD, RideStamp, ride_command
from jinka.terminal.spent import Spent, cache_spent, read_spent
from jinka.terminal.torn import Unresolved
from jinka.terminal.torn_state import TornTap, TornTaps

_RESUME = dt.timedelta(minutes=20)
_CAPP = bytes((TransactionType.CAPP_PURCHASE,))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceData:
    """What a device is told when it is set up. ``issuers`` maps the issuer's 8 bytes to the participant's code."""

    aid: bytes
    profile: str
    profile_version: int
    ride_record_id: int
    key_index: int  # which of the card's purchase keys to use, unless `key_periods` say so by date
    mode: Mode
    zone: str
    operator: str
    acquirer: str
    issuers: Mapping[bytes, str]
    psam_name: bytes
    region: bytes = bytes(2)
    acquirer_number: bytes = bytes(8)
    key_periods: tuple[KeyPeriod, ...] = ()  # the preferred one first
    spent_record_id: int = 0  # of cards that keep what they spent; 0 asks for none
    keeps_trips: bool = False  # of cards with the trip file 001E (JT/T 978.2)


@dataclass(frozen=True, slots=True)
class _Tap:
    kind: TapKind
    line: int
    station: int
    gross_fare: int
    at: dt.datetime
    line_code: str | None
    stop_code: str | None


class PurseTerminal:
    """A gate or a bus reader with its PSAM."""

    __slots__ = (
        "_data",
        "_psam",
        "_read_tariff",
        "_session",
        "block_list",
        "business_date",
        "calendar",
        "downloads",
        "pricer",
        "psam_id",
        "terminal_id",
        "unconfirmed",
    )

    def __init__(
        self,
        data: DeviceData,
        psam: ApduLink,
        pricer: Pricer,
        business_date: dt.date,
        *,
        downloads: Downloads | None = None,
        torn_taps: TornTaps | None = None,
        read_tariff: Callable[[bytes], Pricer] = tariff_from_body,
    ) -> None:
        """Read the terminal's number and the PSAM's serial, then select the purchase application of the PSAM.

        ``downloads`` and ``torn_taps`` are what was kept over a restart; ``read_tariff`` makes a pricer from the body
        of a tariff.
        """
        self._data, self._psam, self.pricer = data, psam, pricer
        self.business_date = business_date
        self.block_list, self.calendar = BlockList(), Calendar()
        self._read_tariff = read_tariff
        self._session: bytes | None = None  # the serial of the purchase whose MAC2 the module still waits for
        self.terminal_id = ask_exactly(psam, "psam 0016", bytes.fromhex("00B0960006"), 6)
        self.psam_id = ask_exactly(psam, "psam 0015", bytes.fromhex("00B095000A"), 10)
        select(psam, data.psam_name)
        self.downloads = downloads if downloads is not None else Downloads(self.terminal_id)
        self.unconfirmed = torn_taps if torn_taps is not None else TornTaps(self.terminal_id)
        if {self.downloads.terminal_id, self.unconfirmed.terminal_id} != {self.terminal_id}:
            raise Refused("another terminal's state", where="state", fix="give each terminal its own")
        self._obey(frozenset(DownloadKind))

    def receive(self, download: Download, at: dt.datetime) -> Acknowledgement:
        """Take a download; it is obeyed from its time on. Raises `Refused`, and `Usage` for a body without sense."""
        self._read(download)
        before = {kind: self.downloads.current(kind) for kind in DownloadKind}
        answer = self.downloads.install(download, at)
        self._obey(
            frozenset(kind for kind in DownloadKind if self.downloads.current(kind) is not before[kind])
        )
        return answer

    def _obey(self, kinds: frozenset[DownloadKind]) -> None:
        for kind in kinds:
            download = self.downloads.current(kind)
            if download is None:
                continue
            found = self._read(download)
            if isinstance(found, BlockList):
                if found.version >= self.block_list.version:  # one that was installed by hand may be newer
                    self.block_list = found
            elif isinstance(found, Calendar):
                self.calendar = found
            else:
                self.pricer = found

    def _read(self, download: Download) -> BlockList | Calendar | Pricer:
        if download.kind is DownloadKind.BLOCK_LIST:
            return BlockList.from_body(download.version, download.body)
        if download.kind is DownloadKind.CALENDAR:
            return Calendar.from_body(download.body)
        return self._read_tariff(download.body)

    def install_list(self, block_list: BlockList, at: dt.datetime) -> Acknowledgement:
        """Obey a newer list from now on; an older one is not taken. Returns the version in force."""
        if block_list.version > self.block_list.version:
            self.block_list = block_list
        return Acknowledgement(
            terminal_id=self.terminal_id, list_version=self.block_list.version, acknowledged_at=at
        )

    def tap(
        self,
        card: ApduLink,
        *,
        kind: TapKind,
        line: int,
        station: int,
        gross_fare: int,
        at: dt.datetime,
        line_code: str | None = None,
        stop_code: str | None = None,
    ) -> TapOutcome:
        """Serve one card. ``at`` is local time without a zone; the codes go into the record as they are."""
        tap = _Tap(kind, line, station, gross_fare, at, line_code, stop_code)
        change = self.downloads.next_change
        if change is not None and change <= at:
            self._obey(self.downloads.switch(at))
        try:
            return self._serve(card, tap)
        except ChipRefused as error:
            return TapOutcome(status=TapStatus.REFUSED, sw=error.sw, step=error.step)
        except CardRemoved as error:
            return TapOutcome(status=TapStatus.REMOVED, step=error.where)

    def resolve(self, card: ApduLink, unconfirmed: ClearingRecord) -> ClearingRecord | Unresolved:
        """Settle a torn debit of this terminal: the confirmed record, or why there is none."""
        data = self._data
        found = resolve_torn(card, data.aid, data.key_periods, data.key_index, unconfirmed)
        if found is not Unresolved.UNKNOWN:
            self.unconfirmed.forget(unconfirmed.card_no)
        return found

    def _serve(self, card: ApduLink, tap: _Tap) -> TapOutcome:
        data = self._data
        select(card, data.aid)
        public = read_public(card)
        if self.block_list.blocks(public.card_no, tap.at):
            return TapOutcome(status=TapStatus.BLOCKED, step="list")
        date = bcd_date(tap.at)
        if not public.start <= date <= public.expiry:
            return TapOutcome(status=TapStatus.REFUSED, step="dates")
        issuer = data.issuers.get(public.issuer)
        if issuer is None:
            return TapOutcome(status=TapStatus.REFUSED, step="issuer")
        resolved = void = None
        torn_tap = self.unconfirmed.get(public.card_no)
        if torn_tap is not None:
            resolved, void, same_ride = self._settle(card, torn_tap, tap)
            if same_ride and resolved is not None:
                return self._reopen(card, tap, public, resolved, torn_tap)
        try:
            outcome = self._purchase(card, tap, public, issuer)
        except ChipRefused as error:
            outcome = TapOutcome(status=TapStatus.REFUSED, sw=error.sw, step=error.step)
        except CardRemoved as error:
            outcome = TapOutcome(status=TapStatus.REMOVED, step=error.where)
        return outcome.with_settled(resolved, void) if resolved or void else outcome

    def _settle(
        self, card: ApduLink, torn_tap: TornTap, tap: _Tap
    ) -> tuple[ClearingRecord | None, ClearingRecord | None, bool]:
        """(confirmed, void, whether this tap is the torn one over again) for the card's torn debit here."""
        record = torn_tap.record
        found = settle_torn(card, self._data.key_periods, self._data.key_index, record)
        self.unconfirmed.forget(record.card_no)
        if found is Unresolved.UNKNOWN:
            return None, None, False
        if found is Unresolved.NOT_DEBITED:
            return None, record, False
        assert isinstance(found, ClearingRecord)
        same = torn_tap.kind is tap.kind and dt.timedelta(0) <= tap.at - torn_tap.at <= _RESUME
        return found, None, same

    def _reopen(
        self, card: ApduLink, tap: _Tap, public: PublicData, resolved: ClearingRecord, torn_tap: TornTap
    ) -> TapOutcome:
        """The torn tap over again: open for the MAC2 that was missed.

        A module that has served others since has forgotten the session; then a purchase of nothing shows that the card
        has keys. Until one of them is right the tap counts as torn, so that nobody pays twice.
        """
        self.unconfirmed.expect(torn_tap)
        if self._session == resolved.terminal_serial.to_bytes(4, "big"):
            mac2 = torn.prove(card, resolved)[:4]
            self._session = None
            ask(self._psam, "psam credit for purchase", b"\x80\x72\x00\x00\x04" + mac2)
            self.unconfirmed.forget(public.card_no)
            return TapOutcome(status=TapStatus.DONE, record=resolved, resolved=resolved)
        nothing = replace(tap, gross_fare=0)
        try:
            outcome = self._pay(card, nothing, public, resolved.issuer, Charge(0, ENTRY_PRODUCT), None)
        except ChipRefused:
            self.unconfirmed.expect(torn_tap)
            raise
        if outcome.status in (TapStatus.DONE, TapStatus.TORN):  # torn: the purchase of nothing now waits here
            return outcome.with_settled(resolved, None)
        return outcome

    def _purchase(self, card: ApduLink, tap: _Tap, public: PublicData, issuer: str) -> TapOutcome:
        data = self._data
        holder = read_holder(card)
        state = read_ride(card, data.ride_record_id)
        spent = read_spent(card, data.spent_record_id, tap.at) if data.spent_record_id else None
        facts = RideFacts(
            mode=data.mode, kind=tap.kind, line=tap.line, station=tap.station, gross_fare=tap.gross_fare,
            holder=holder, state=state, at=tap.at, rest_day=self.calendar.is_rest_day(tap.at.date()),
            spent_today=spent.today if spent else 0, spent_month=spent.month if spent else 0,
        )  # fmt: skip
        charge = self.pricer.price(facts)
        return self._pay(card, tap, public, issuer, charge, (state,), spent)

    def _pay(
        self,
        card: ApduLink,
        tap: _Tap,
        public: PublicData,
        issuer: str,
        charge: Charge,
        ride: tuple[RideState | None] | None,
        spent: Spent | None = None,
    ) -> TapOutcome:
        """The composite purchase of ``charge``; ``ride`` is the state to go on from, or None to leave it as it is."""
        data = self._data
        amount4 = charge.amount.to_bytes(4, "big")
        indexes = key_indexes(
            data.key_periods, data.key_index, region8=public.region_factor, day=tap.at.date()
        )
        step, rest = "initialize for capp purchase", amount4 + self.terminal_id + b"\x0f"
        try:
            opened = first_that_is_there(
                indexes,
                step,
                lambda kid: ask_exactly(card, step, b"\x80\x50\x03\x02\x0b" + bytes((kid,)) + rest, 15),
            )
        except ChipRefused as error:
            if error.sw != StatusWord.BALANCE_INSUFFICIENT:
                raise
            held = ask_exactly(card, "get balance", bytes.fromhex("805C000204"), 4)
            return TapOutcome(
                status=TapStatus.NEEDS_LOAD, shortfall=charge.amount - int.from_bytes(held, "big")
            )
        balance = int.from_bytes(opened[:4], "big") - charge.amount
        if balance < 0:
            raise ChipRefused("initialize for capp purchase", DATA_WRONG)
        moment = bcd_date(tap.at) + bcd_time(tap.at)
        factors = public.factor8 + public.region_factor
        request = opened[11:15] + opened[4:6] + amount4 + _CAPP + moment + opened[9:11] + factors
        signed = ask_exactly(
            self._psam, "psam init for purchase", b"\x80\x70\x00\x00\x24" + request + b"\x08", 8
        )
        self._session = signed[:4]
        if ride is not None:
            self._cache_ride(card, tap, ride[0], charge, balance)
        if spent is not None and charge.amount:
            cache_spent(card, data.spent_record_id, spent, charge.amount, tap.at)
        record = self._record(tap, public, issuer, charge, opened, signed, moment, balance)
        return self._debit(card, tap, record, signed, moment)

    def _cache_ride(
        self, card: ApduLink, tap: _Tap, state: RideState | None, charge: Charge, balance: int
    ) -> None:
        data = self._data
        before = state.last_paid if state is not None and tap.kind is TapKind.ENTRY else None
        ride = RideState(
            kind=tap.kind, mode=data.mode, line=tap.line, station=tap.station, at=tap.at, before=before
        )
        stamp = RideStamp(
            terminal_id=self.terminal_id,
            amount=charge.amount,
            balance=balance,
            city=data.region,
            acquirer=data.acquirer_number,
        )
        command = ride_command(data.ride_record_id, ride, stamp)
        ask(card, "update capp data cache", command)
        if data.keeps_trips:
            ask(card, "update capp data cache", TRIP_HEAD + command[-RIDE_SIZE:])

    def _record(
        self,
        tap: _Tap,
        public: PublicData,
        issuer: str,
        charge: Charge,
        opened: bytes,
        signed: bytes,
        moment: bytes,
        balance: int,
    ) -> ClearingRecord:
        """The record before the card's answer: unconfirmed, without a TAC."""
        data = self._data
        return ClearingRecord(
            state=RecordState.UNCONFIRMED,
            card_no=public.card_no,
            card_len=public.card_len,
            profile=data.profile,
            profile_version=data.profile_version,
            txn_type=TransactionType.CAPP_PURCHASE.value,
            amount=charge.amount,
            balance=balance,
            gross_fare=tap.gross_fare if charge.gross is None else charge.gross,
            product=charge.product,
            counter=opened[4] << 8 | opened[5],
            counter_kind=CounterKind.OFFLINE,
            terminal_id=self.terminal_id,
            terminal_serial=int.from_bytes(signed[:4], "big"),
            psam_id=self.psam_id,
            local_date=moment[:4],
            local_time=moment[4:],
            zone=data.zone,
            business_date=self.business_date,
            issuer=issuer,
            acquirer=data.acquirer,
            operator=data.operator,
            line=tap.line_code,
            stop=tap.stop_code,
            key_version=public.key_version,
            algorithm=public.algorithm,
            tac=None,
        )

    def _debit(
        self, card: ApduLink, tap: _Tap, record: ClearingRecord, signed: bytes, moment: bytes
    ) -> TapOutcome:
        """From here on the card may have paid: whatever goes wrong leaves an unconfirmed record."""
        command = b"\x80\x54\x01\x00\x0f" + signed[:4] + moment + signed[4:8] + b"\x08"
        torn_outcome = TapOutcome(status=TapStatus.TORN, record=record)
        self.unconfirmed.expect(TornTap(record=record, kind=tap.kind, at=tap.at))
        try:
            answer = ask(card, "debit", command)
        except CardRemoved:
            return torn_outcome
        except ChipRefused:
            self.unconfirmed.forget(record.card_no)
            raise
        if len(answer) != 8:
            return torn_outcome
        self._session = None
        try:
            ask(self._psam, "psam credit for purchase", b"\x80\x72\x00\x00\x04" + answer[4:])
        except (CardRemoved, ChipRefused):
            return torn_outcome
        self.unconfirmed.forget(record.card_no)
        return TapOutcome(status=TapStatus.DONE, record=record.confirmed(answer[:4]))
