"""Turns a file of real taps into a plan, inferring what the file does not say, and labelling every inference.

The file is a window of one morning and a sample of the riders: it has no card balances, no holder classes, exits whose
entry came before, and transfers whose first ride is not in it. What the charges prove is put onto the cards
before the day (or before the tap); the terminal then prices every tap by itself from what it reads.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jinka.codec import Algorithm
from jinka.kit import Usage
from jinka.registry import Participant, Role
from jinka.sim.parties import common_parties
from jinka.sim.plan import CityPlan, PlannedCard, PlannedDevice, PlannedTap, card_number
from jinka.sim.screening import screen
from jinka.tariff import HolderClass, Mode, PaidRide, RideFacts, RideState, TapKind, Tariff
from jinka.tariff.tap_rows import TapFile, TapRow

_UNSEEN_LINE = 0  # no real line has this number
_UNSEEN_BEFORE = dt.timedelta(minutes=30)
_SM4_SHARE = 0.25
_LOW_BALANCE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class _Names:
    """Numbers for the names that occur, sorted, so that they never depend on the rows' order."""

    lines: dict[str, int]
    stations: dict[str, int]
    devices: dict[str, int]

    @classmethod
    def of(cls, rows: Sequence[TapRow]) -> _Names:
        def numbered(names: set[str], start: int) -> dict[str, int]:
            return {name: number for number, name in enumerate(sorted(names), start)}

        return cls(
            numbered({_line_name(row) for row in rows}, 1),
            numbered({row.station for row in rows if row.station}, 1),
            numbered({row.device for row in rows}, 0),
        )


def _line_name(row: TapRow) -> str:
    """A metro line is its company; a bus line stands in the station column; a blank one is known by its device."""
    if row.mode is Mode.METRO:
        return row.company
    return row.station or f"{row.company} {row.device}"


def plan_from_file(
    taps: TapFile, tariff: Tariff, *, name: str, seed: int, date: dt.date | None = None
) -> CityPlan:
    """Build the plan of one day (see `screen`); `Usage` when the file has no row to play."""
    if not taps.rows:
        first = taps.findings[0] if taps.findings else None
        raise Usage(
            f"no row could be read: {first.what}" if first else "no row in it",
            where=first.where if first else name,
            fix="check the columns and the rows",
        )
    played, left_out = screen(taps.rows, name=name, date=date)
    names = _Names.of(played)
    by_card: dict[str, list[TapRow]] = defaultdict(list)
    for row in sorted(played, key=lambda row: (row.at, row.number)):
        by_card[row.card].append(row)
    draw = random.Random(f"replay|{seed}")  # noqa: S311 a seeded simulation
    inferred: Counter[str] = Counter()
    cards: list[PlannedCard] = []
    planned: list[tuple[int, PlannedTap]] = []
    for index, (pseudonym, rows) in enumerate(sorted(by_card.items())):
        card, story = _card_story(index, pseudonym, rows, names, tariff, inferred)
        low = draw.random() < _LOW_BALANCE_SHARE
        balance = draw.randrange(0, 1_000) if low else draw.randrange(2_000, 20_000)
        sm4 = draw.random() < _SM4_SHARE
        cards.append(replace(card, balance=balance, algorithm=Algorithm.SM4 if sm4 else Algorithm.TDES))
        planned += zip((row.number for row in rows), story, strict=True)
    planned.sort(key=lambda pair: (pair[1].at, pair[0]))
    inferred["unflagged_transfers"] = sum(
        not row.flagged_transfer
        and bool(found := tariff.explain(row.mode, row.gross_fen, row.charged_fen))
        and all(product.code.endswith(".transfer") for product in found)
        for row in played
    )
    operators, codes = _operators({row.company for row in played})
    devices = {row.device: row for row in played}
    return CityPlan(
        source=name,
        region="440300",
        zone="Asia/Shanghai",
        date=planned[0][1].at.date(),
        participants=(*common_parties("440300"), *operators),
        lines={number: line for line, number in names.lines.items()},
        stations={number: station for station, number in names.stations.items()},
        devices=tuple(
            PlannedDevice(
                number=number,
                operator=codes[devices[number].company],
                mode=devices[number].mode,
                line=names.lines[_line_name(devices[number])],
                station=names.stations.get(devices[number].station, 0)
                if devices[number].mode is Mode.METRO
                else 0,
            )
            for number in names.devices
        ),
        cards=tuple(cards),
        taps=tuple(tap for _, tap in planned),
        rows_read=taps.rows_read,
        duplicates_dropped=taps.duplicates_dropped,
        inferred=dict(sorted(inferred.items())),
        findings=(*taps.findings, *left_out),
    )


def _card_story(
    index: int,
    pseudonym: str,
    rows: list[TapRow],
    names: _Names,
    tariff: Tariff,
    inferred: Counter[str],
) -> tuple[PlannedCard, list[PlannedTap]]:
    """Walk one card through its rows: infer its class, and the unseen rides that its charges prove."""
    classes = [_holder(row, tariff) for row in rows]
    holder = next((found for found in classes if found is not None), HolderClass.ORDINARY)
    inferred["holder_classes"] += 1
    opening: RideState | None = None
    state: RideState | None = None
    current = holder
    story: list[PlannedTap] = []
    for position, (row, found) in enumerate(zip(rows, classes, strict=True)):
        reclassed = found if found not in (None, current) else None
        current = reclassed or current
        inferred["holder_classes_changed"] += reclassed is not None
        unseen = _unseen(row, state, current, names, tariff, story, rows[position + 1 :])
        if unseen is not None:
            open_entry = unseen.kind is TapKind.ENTRY
            inferred["entries_before_the_window" if open_entry else "unseen_rides"] += 1
            inferred["unseen_rides"] += open_entry and unseen.before is not None
            state = unseen
            if not story:
                opening, unseen = unseen, None
        tap = PlannedTap(
            at=row.at,
            card=index,
            device=names.devices[row.device],
            mode=row.mode,
            kind=row.kind,
            line=names.lines[_line_name(row)],
            station=names.stations.get(row.station, 0),
            gross_fen=row.gross_fen,
            expected_fen=row.charged_fen,
            unseen=unseen,
            reclassed=reclassed,
        )
        story.append(tap)
        before = state.last_paid if state else None
        state = RideState(
            kind=row.kind, mode=row.mode, line=tap.line, station=tap.station, at=row.at, before=before
        )
    number = f"{len(pseudonym)}" + "".join(str(ord(letter) - ord("A")) for letter in pseudonym).rjust(9, "0")
    card = PlannedCard(
        card_no=card_number(number), holder=holder, balance=0, algorithm=Algorithm.TDES, state=opening
    )
    return card, story


def _holder(row: TapRow, tariff: Tariff) -> HolderClass | None:
    """The class that the charge proves; None for an entry, or a charge that no product explains."""
    if row.kind is TapKind.ENTRY:
        return None
    found = tariff.explain(row.mode, row.gross_fen, row.charged_fen)
    if any(HolderClass.ORDINARY in product.holders for product in found):
        return HolderClass.ORDINARY
    return found[0].holders[0] if found else None


def _unseen(
    row: TapRow,
    state: RideState | None,
    holder: HolderClass,
    names: _Names,
    tariff: Tariff,
    story: list[PlannedTap],
    later: list[TapRow],
) -> RideState | None:
    """What must have been on the card before this tap for the charge to be right; None when nothing is missing."""
    line = names.lines[_line_name(row)]
    orphan = row.kind is TapKind.EXIT and (state is None or state.kind is not TapKind.ENTRY)
    priced = _exit_of(row, later)
    wanted = None if priced is None or holder is not HolderClass.ORDINARY else _is_transfer(priced, tariff)
    earliest = story[-1].at if story else None
    boarded = _shortly_before(row.at, earliest) if orphan else row.at
    entry = RideState(
        kind=TapKind.ENTRY,
        mode=row.mode,
        line=line,
        station=0,
        at=boarded,
        before=state.last_paid if state else None,
    )
    if orphan:
        granted = tariff.transfer.grants(entry.before, row.mode, line, boarded)
        if wanted is None or granted == wanted:
            return entry
        return replace(entry, before=_paid(row.mode, line, wanted, _shortly_before(boarded, earliest)))
    if row.kind is TapKind.EXIT or wanted is None:
        return None  # what decides the price was settled at the entry
    facts = RideFacts(
        mode=row.mode,
        kind=TapKind.BOARD,
        line=line,
        station=0,
        gross_fare=0,
        holder=holder,
        state=state,
        at=row.at,
    )
    if tariff.is_transfer(facts) == wanted:
        return None
    paid = _paid(row.mode, line, wanted, _shortly_before(row.at, earliest))
    return RideState(kind=TapKind.BOARD, mode=paid.mode, line=paid.line, station=0, at=paid.at)


def _exit_of(row: TapRow, later: list[TapRow]) -> TapRow | None:
    """The row whose charge tells about this boarding: itself, or for an entry the exit that follows it."""
    if row.kind is not TapKind.ENTRY:
        return row
    return later[0] if later and later[0].kind is TapKind.EXIT else None


def _is_transfer(row: TapRow, tariff: Tariff) -> bool | None:
    found = [
        p
        for p in tariff.explain(row.mode, row.gross_fen, row.charged_fen)
        if HolderClass.ORDINARY in p.holders
    ]
    return found[0].code.endswith(".transfer") if found else None


def _paid(mode: Mode, line: int, transfer: bool, at: dt.datetime) -> PaidRide:
    """An unseen paid ride that makes the next one a transfer, or that keeps it from being one."""
    if transfer:
        return PaidRide(mode=Mode.BUS, line=_UNSEEN_LINE, at=at)
    return PaidRide(mode=mode, line=line, at=at)  # the same line again is no transfer


def _shortly_before(at: dt.datetime, earliest: dt.datetime | None) -> dt.datetime:
    """Half an hour before, or halfway to the tap before, in whole seconds."""
    if earliest is None or at - earliest > 2 * _UNSEEN_BEFORE:
        return at - _UNSEEN_BEFORE
    return (at - (at - earliest) / 2).replace(microsecond=0)


_ENGLISH = {
    "巴士集团": ("bus", "Bus Group"),
    "西部公共汽车": ("west", "Western Bus"),
    **{
        f"地铁{chinese}号线": (f"metro{number}", f"Metro Line {number}")
        for number, chinese in enumerate("一二三四五六七八九十", 1)
    },
    "地铁十一号线": ("metro11", "Metro Line 11"),
}


def _operators(companies: set[str]) -> tuple[list[Participant], dict[str, str]]:
    """One participant for each company of the file; a company without an English name keeps its own."""
    parties, codes = [], {}
    for number, company in enumerate(sorted(companies), 1):
        short, english = _ENGLISH.get(company, (f"op{number}", company))
        codes[company] = f"op.sz.{short}"
        parties.append(
            Participant(
                code=codes[company], role=Role.OPERATOR, region="440300", name_en=english, name_zh=company
            )
        )
    return parties, codes
