"""`jinka sector run`: plays a sector's journeys on virtual cards, step by step, and says what happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from jinka.app import (
    sector_bank,
    sector_base,
    sector_chip,
    sector_clear,
    sector_copies,
    sector_folders,
    sector_fuel,
    sector_identity,
    sector_invoice,
    sector_meter,
    sector_money,
    sector_move,
    sector_network,
    sector_pass,
    sector_purse,
    sector_records,
    sector_replace,
    sector_subscription,
    sector_tags,
    sector_television,
    sector_tickets,
    sector_trace,
    sector_trace_answers,
    sector_travel,
)
from jinka.app.installed import cause_of
from jinka.app.sector_catalogue import catalogue_of
from jinka.app.sector_masking import Masks
from jinka.app.sector_uses import Use, uses
from jinka.app.sector_words import Wording
from jinka.app.sector_world import Happening, StepFailed, World
from jinka.declaration import (
    Admit,
    Agree,
    AnswerRecall,
    Ask,
    Assess,
    Block,
    CheckItem,
    Clear,
    CloseRecall,
    Commissioned,
    Conditions,
    Destroyed,
    Holds,
    Issue,
    Journey,
    Keep,
    List,
    Load,
    Measured,
    Move,
    MoveBalance,
    Observed,
    OpenFolder,
    Packed,
    PayFor,
    Reads,
    Recall,
    Received,
    Replace,
    Report,
    Review,
    Sector,
    Shipped,
    Sold,
    Stands,
    Step,
    StoreGoods,
    Tap,
    Tell,
    TraceBack,
    TraceForward,
    Transformed,
    Unpacked,
    Viewed,
    Withdraw,
    Write,
)
from jinka.kit import Usage
from jinka.reports.day import Text
from jinka.tariff.sheet import Fact, Sheet

_MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One step as it went."""

    at: dt.datetime
    kind: str
    said: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A journey that went as declared."""

    sector: Sector
    journey: Journey
    told: tuple[Told, ...]
    happenings: tuple[Happening, ...]
    uncleared: int = 0  # records that no step cleared
    filled: tuple[tuple[Sheet, Mapping[str, Fact]], ...] = ()  # sheets, with the facts that they were given
    uses: tuple[Use, ...] = ()  # of rights that write
    masks: Masks = field(default_factory=lambda: Masks({}))  # what no table of it may show


def _tell(step: Tell, _: World) -> Text:
    return Text(step.en, step.zh)


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {
    Tell: _tell,
    Load: sector_purse.play_load,
    Tap: sector_purse.play_tap,
    PayFor: sector_pass.play_pay_for,
    MoveBalance: sector_move.play_move_balance,
    Holds: sector_purse.play_holds,
    List: sector_purse.play_list,
    Clear: sector_clear.play_clear,
    Write: sector_records.play_write,
    Reads: sector_records.play_reads,
    OpenFolder: sector_folders.play_open_folder,
    Admit: sector_records.play_admit,
    Block: sector_records.play_block,
    Issue: sector_replace.play_issue,
    Replace: sector_replace.play_replace,
    Assess: sector_money.play_assess,
    Move: sector_money.play_move,
    Stands: sector_money.play_stands,
    **sector_bank.PLAYERS,
    **sector_chip.PLAYERS,
    **sector_copies.PLAYERS,
    **sector_tags.PLAYERS,
    Keep: sector_base.play_keep,
    Agree: sector_base.play_agree,
    Withdraw: sector_base.play_withdraw,
    Ask: sector_base.play_ask,
    Viewed: sector_base.play_viewed,
    Review: sector_base.play_review,
    Commissioned: sector_trace.play_commissioned,
    Packed: sector_trace.play_packed,
    Unpacked: sector_trace.play_unpacked,
    Shipped: sector_trace.play_shipped,
    Received: sector_trace.play_received,
    Transformed: sector_trace.play_transformed,
    Sold: sector_trace.play_sold,
    Destroyed: sector_trace.play_destroyed,
    Observed: sector_trace.play_observed,
    Measured: sector_trace.play_measured,
    StoreGoods: sector_trace.play_store,
    TraceBack: sector_trace_answers.play_back,
    TraceForward: sector_trace_answers.play_forward,
    Recall: sector_trace_answers.play_recall,
    AnswerRecall: sector_trace_answers.play_answer,
    CloseRecall: sector_trace_answers.play_close,
    CheckItem: sector_trace_answers.play_check,
    Conditions: sector_trace_answers.play_conditions,
    **sector_fuel.PLAYERS,
    **sector_identity.PLAYERS,
    **sector_invoice.PLAYERS,
    **sector_travel.PLAYERS,
    **sector_meter.PLAYERS,
    **sector_subscription.PLAYERS,
    **sector_network.PLAYERS,
    **sector_tickets.PLAYERS,
    **sector_television.PLAYERS,
}


def play(sector: Sector, journey: Journey, sectors: Iterable[Sector]) -> Played:
    """Play one journey; raises `StepFailed` with the step that did not go as declared."""
    with closing(World(sector, journey, catalogue_of(sector, sectors))) as world:
        return _played(world)


def _played(world: World) -> Played:
    sector, journey = world.sector, world.journey
    told_of = (journey, *sector.journeys)  # who is named in one is often met in another
    declared = sector_base.declared_records(world)
    masks = Masks.of(told_of, world.record_specs, world.application_of, declared)
    sectors = {one.name: one for one in (sector, *world.catalogue.values())}
    wording = Wording(sectors.values(), {code: law.title for code, law in declared.laws.items()})
    told = []
    for number, step in enumerate(journey.steps, 1):
        world.now = moment(journey, step, world.now)
        where = f"{sector.name}.{journey.name}, step {number} ({type(step).__name__})"
        try:
            said = PLAYERS[type(step)](step, world)
        except StepFailed as failed:
            raise StepFailed(masks.hide(failed.what), where=where, fix=masks.hide(failed.fix)) from failed
        except Exception as error:  # a bare error too is the step's, and must not tell what is masked
            raise StepFailed(masks.hide(cause_of(error)), where=where) from error
        told.append(Told(at=world.now, kind=type(step).__name__, said=masks.text(wording.text(said))))
    return Played(
        sector=sector,
        journey=journey,
        told=tuple(told),
        happenings=tuple(world.happenings),
        uncleared=sum(map(len, world.records.values())),
        filled=tuple(world.filled),
        uses=tuple(uses(world)),
        masks=masks,
    )


def moment(journey: Journey, step: Step, before: dt.datetime) -> dt.datetime:
    """When a step happens: ``08:30``, ``+2 08:30``, or a minute after the last. Time does not run backwards."""
    if not step.at:
        return before + _MINUTE
    days, _, time = step.at.rpartition(" ")
    try:
        at = dt.datetime.combine(
            journey.date + dt.timedelta(days=int(days or 0)), dt.time.fromisoformat(time)
        )
    except (ValueError, OverflowError):
        raise Usage(f"{step.at!r} is no time", where=journey.name, fix="08:30 or +2 08:30") from None
    if at < before:
        raise Usage(
            f"{step.at} lies before the last step", where=journey.name, fix="put steps in their order"
        )
    return at


def report_rows(report: Report, happenings: Iterable[Happening]) -> list[tuple[str, int, int]]:
    """(what, how often, how much) of a report, in the order of what."""
    rows: dict[str, list[int]] = {}
    for one in happenings:
        if one.counted is report.counts and report.by in one.by:
            row = rows.setdefault(one.by[report.by], [0, 0])
            row[0] += 1
            row[1] += one.amount if one.unit is report.unit else 0
    return [(name, count, amount) for name, (count, amount) in sorted(rows.items())]
