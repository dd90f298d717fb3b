"""Plays the steps of purses: loads, taps, lists, what cards hold. What is cleared of it: `jinka.app.sector_clear`."""

from __future__ import annotations

from jinka.app.sector_cards import VirtualCard
from jinka.app.sector_devices import block_list
from jinka.app.sector_remembered import forget, number_of, remember
from jinka.app.sector_world import StepFailed, World
from jinka.codec.clearing import ClearingRecord
from jinka.declaration import Counted, Holds, List, Load, Tap
from jinka.issuer import CardListed, LoadHost
from jinka.kit import JinkaError, Refused, format_minor
from jinka.profile import ApplicationProfile
from jinka.reports.day import Text
from jinka.tariff import TapKind
from jinka.terminal import TapOutcome, TapStatus
from jinka.terminal.link import ask_exactly
from jinka.terminal.reading import select

_KIND_WORDS = {
    TapKind.ENTRY: Text("in at", "进"),
    TapKind.EXIT: Text("out at", "出"),
    TapKind.BOARD: Text("taps", "刷"),
}


def play_load(step: Load, world: World) -> Text:
    card, terminal = world.card(step.card), world.load_terminal(step.device)
    application = world.application_of(step.device)
    profile, sector = world.profile(application), world.sector_of(application)
    host = LoadHost(world.keys(sector), purse_limit=profile.purse_spec.limit, listed=world.blocked)
    amount = number_of(world, step.amount)
    shown = format_minor(amount, profile.purse_spec.unit)
    device = world.device(step.device)[1]
    try:
        record = terminal.load(card.link, amount, world.now, host)
    except Refused as error:
        listed = isinstance(error, CardListed)
        expect_refused(step.refused, CardListed.reason if listed else "REFUSED", error)
        reason = CardListed.reason if listed else "LOAD"
        world.count(Counted.REFUSED, device=step.device, application=application, reason=reason)
        return Text(
            f"{card.title.en}: a load of {shown} is refused ({error})", f"{card.title.zh}：充值{shown}被拒绝"
        )
    expect_done(step.refused)
    world.records.setdefault(application, []).append(record)
    held = format_minor(record.balance, profile.purse_spec.unit)
    return Text(
        f"{card.title.en}: {shown} loaded at {device.title_en}, now {held}",
        f"{card.title.zh}在{device.title_zh}充值{shown}，余额{held}",
    )


def play_tap(step: Tap, world: World) -> Text:
    card, terminal = world.card(step.card), world.purse_terminal(step.device)
    application = world.application_of(step.device)
    device, unit = world.device(step.device)[1], world.profile(application).purse_spec.unit
    terminal.install_list(block_list(world), world.now)
    if step.torn:
        card.link.pull = "after"
    forget(world, step.remembers)
    outcome = terminal.tap(
        card.link, kind=step.kind, line=step.line, station=step.stop,
        gross_fare=number_of(world, step.gross), at=world.now, line_code=None, stop_code=None,
    )  # fmt: skip
    keep(world.records.setdefault(application, []), outcome)
    word = _KIND_WORDS[step.kind]
    head = Text(f"{card.title.en} {word.en} {device.title_en}", f"{card.title.zh}{word.zh}{device.title_zh}")
    if step.torn and outcome.status is TapStatus.TORN:
        return Text(f"{head.en}, and is pulled away before the answer", f"{head.zh}，应答前卡被拿走")
    if outcome.status is not TapStatus.DONE or outcome.record is None:
        expect_refused(step.refused, outcome.status.name, f"{outcome.status.value} {outcome.step}")
        world.count(Counted.REFUSED, device=step.device, application=application, reason=outcome.status.name)
        return Text(
            f"{head.en}: refused ({outcome.status.value})", f"{head.zh}：拒绝（{outcome.status.name}）"
        )
    expect_done(step.refused)
    paid = outcome.record
    if step.pays is not None and paid.amount != (wanted := number_of(world, step.pays)):
        raise StepFailed(f"{paid.amount} was debited, not {wanted}", where=step.device)
    remember(world, step.remembers, {"paid": paid.amount, "balance": paid.balance})
    shown, left = format_minor(paid.amount, unit), format_minor(paid.balance, unit)
    if step.kind is TapKind.ENTRY and not paid.amount:
        return Text(f"{head.en}: {left} on the card", f"{head.zh}：余额{left}")
    return Text(f"{head.en}: {shown} ({paid.product}), {left} left", f"{head.zh}：扣{shown}，余额{left}")


def keep(records: list[ClearingRecord], outcome: TapOutcome) -> None:
    """Keep the record of a tap; a torn one that was proven or disproven takes its place or goes."""
    for settled, by in ((outcome.void, None), (outcome.resolved, outcome.resolved)):
        if settled is None:
            continue
        place = next(
            place
            for place, one in enumerate(records)
            if (one.terminal_id, one.terminal_serial) == (settled.terminal_id, settled.terminal_serial)
        )
        records[place : place + 1] = [by] if by is not None else []
    if outcome.record is not None and outcome.record is not outcome.resolved:
        records.append(outcome.record)


def play_holds(step: Holds, world: World) -> Text:
    card = world.card(step.card)
    application = world.only_application(card, step.application)
    profile = world.profile(application)
    held = balance_of(card, profile)
    if held != step.amount:
        raise StepFailed(f"the card holds {held}, not {step.amount}", where=card.name)
    if step.remembers:
        world.remembered[step.remembers] = held
    shown = format_minor(held, profile.purse_spec.unit)
    return Text(f"{card.title.en} holds {shown}", f"{card.title.zh}余额{shown}")


def balance_of(card: VirtualCard, profile: ApplicationProfile) -> int:
    """What the card itself says (GET BALANCE)."""
    select(card.link, profile.aid)
    return int.from_bytes(ask_exactly(card.link, "get balance", bytes.fromhex("805C000204"), 4), "big")


def play_list(step: List, world: World) -> Text:
    card = world.card(step.card)
    if step.blocked:
        world.blocked[card.number] = world.now
        return Text(f"{card.title.en} is put onto the list", f"{card.title.zh}列入黑名单")
    world.blocked.pop(card.number, None)
    return Text(f"{card.title.en} is taken off the list", f"{card.title.zh}移出黑名单")


def expect_refused(wanted: str, reason: str, error: object) -> None:
    """Raise `StepFailed` unless exactly this refusal was wanted."""
    if wanted != reason:
        cause = error if isinstance(error, JinkaError) else None
        raise StepFailed(
            f"refused as {reason} ({error}), wanted {wanted or 'that it be done'}", where="step"
        ) from cause


def expect_done(wanted: str) -> None:
    if wanted:
        raise StepFailed(f"it was done, and should have been refused as {wanted}", where="step")
