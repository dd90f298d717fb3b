"""Plays the steps at meters: cards by APDU, tokens by their digits, readings through the head-end's checks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_reasons import reason_text
from jinka.app.sector_remembered import number_of, remember, spend, why_unpaid
from jinka.app.sector_world import StepFailed, World
from jinka.card import Card, Personal
from jinka.card.template import personalised
from jinka.declaration import (
    CallEmergency,
    ChangeMeterKey,
    Commodity,
    Consume,
    Counted,
    InsertCard,
    KeyIn,
    Meter,
    MeterKind,
    MeterShows,
    ReadRemotely,
    ReplaceMeter,
    SellToken,
    Step,
)
from jinka.issuer.remote_reading import ReadingBook, ReadingRefused, ReadingReport, sign_reading
from jinka.issuer.token_vending import TokenVendor
from jinka.kit import NotFound, Unit, Usage
from jinka.profile import KeyUse
from jinka.reports.day import Text
from jinka.sim.field import Reader
from jinka.terminal.keypad_meter import KeypadMeter, TokenRefused
from jinka.terminal.link import ask
from jinka.terminal.meter import CardMeter, MeterRefused
from jinka.terminal.reading import read_public, select

_DISPLAY = {
    Commodity.ELECTRICITY: "kWh",
    Commodity.WATER: "m³",
    Commodity.GAS: "m³",
    Commodity.HEAT: "kWh",
}  # what its register counts
_GROUP, _IIN = "123456", "600727"


@dataclass(slots=True)
class _RemoteMeter:
    key: bytes
    reading: int = 0
    last: ReadingReport | None = None


@dataclass(slots=True)
class _Meters:
    """All meters of a journey, and the two offices that speak with them."""

    vendor: TokenVendor
    book: ReadingBook
    made: dict[str, CardMeter | KeypadMeter | _RemoteMeter] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


def _meters(world: World) -> _Meters:
    def make() -> _Meters:
        found = _Meters(TokenVendor(world.randomness.token_bytes(8), _GROUP, world.randomness), ReadingBook())
        midnight = dt.datetime.combine(world.journey.date, dt.time())
        for meter in world.sector.meters:
            if meter.kind is MeterKind.CARD:
                found.made[meter.name] = CardMeter(number=meter.number, emergency=meter.emergency)
            elif meter.kind is MeterKind.KEYPAD:
                key = found.vendor.enrol(_pan(meter))
                found.made[meter.name] = KeypadMeter(key=key, commodity=meter.commodity.value)
            else:
                remote = _RemoteMeter(world.randomness.token_bytes(16))
                found.made[meter.name] = remote
                found.book.enrol(meter.number, remote.key, most_a_day=meter.most_a_day, at=midnight)
        return found

    return world.service("meters", make)


def _pan(meter: Meter) -> str:
    return f"{_IIN}{meter.number:011d}0"  # the last digit is no part of the key


def _declared(world: World, name: str) -> Meter:
    for meter in world.sector.meters:
        if meter.name == name:
            return meter
    raise NotFound(f"no meter {name!r}", where=world.sector.name, fix="declare it among the sector's meters")


def _card_meter(world: World, name: str) -> CardMeter:
    found = _meters(world).made[_declared(world, name).name]
    if not isinstance(found, CardMeter):
        raise Usage(f"{name} takes no card", where=world.sector.name)
    return found


def _keypad_meter(world: World, name: str) -> KeypadMeter:
    found = _meters(world).made[_declared(world, name).name]
    if not isinstance(found, KeypadMeter):
        raise Usage(f"{name} has no keypad", where=world.sector.name)
    return found


def _shown(amount: int, meter: Meter) -> str:
    """Thousandths of the unit on the display."""
    number = f"{amount / 1000:,.3f}".rstrip("0").rstrip(".")
    return f"{number} {_DISPLAY[meter.commodity]}"


def play_insert(step: InsertCard, world: World) -> Text:
    meter, card = _declared(world, step.meter), world.card(step.card)
    profile, records = world.profile(meter.application), world.record_specs(meter.application)
    link = _copy_of(world, step.card, meter.application) if step.copy else card.link
    title = Text("a copy of " + card.title.en, card.title.zh + "的复制卡") if step.copy else card.title
    head = Text(f"{title.en} goes into {meter.title_en}", f"{title.zh}插入{meter.title_zh}")
    try:
        credited = _card_meter(world, step.meter).insert(
            link, world.maintenance(meter.application), aid=profile.aid, records=records
        )
    except MeterRefused as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, device=step.meter, reason=error.reason)
        return Text(f"{head.en}: refused, {error.reason}", f"{head.zh}：拒绝（{error.reason}）")
    expect_done(step.refused)
    if credited != step.credits:
        raise StepFailed(f"{credited} was credited, not {step.credits}", where=step.meter)
    if credited:
        world.count(Counted.WRITTEN, credited, Unit.MILLILITRE, record="order", device=step.meter)
    said = _shown(credited, meter)
    return Text(f"{head.en}: {said} credited; its readings are on the card",
                f"{head.zh}：{'充入' + said if credited else '不再充入'}，读数回写卡内")  # fmt: skip


def _copy_of(world: World, name: str, application: str) -> Reader:
    """What anybody can read from the card, on a chip of the same make: number and records, but other keys."""
    card, profile = world.card(name), world.profile(application)
    select(card.link, profile.aid)
    public = read_public(card.link)
    contents: dict[tuple[int, int], bytes] = {}
    for spec in world.record_specs(application):
        ask(card.link, "select", b"\x00\xa4\x00\x00\x02" + spec.fid.to_bytes(2, "big"))
        read = ask(card.link, "read", bytes((0x00, 0xB2, spec.number, 0x04, spec.length + 2)))
        contents[(spec.folder, spec.fid)] = contents.get((spec.folder, spec.fid), b"") + read
    keys = tuple(
        b"\x12\x34\x56" if key.use is KeyUse.PIN else world.randomness.token_bytes(16) for key in profile.keys
    )
    personal = Personal(card_no=public.card_no, keys=keys, contents=contents)
    copied: Card = personalised(profile, personal, world.randomness)
    return Reader(copied)


def play_consume(step: Consume, world: World) -> Text:
    meter, made = _declared(world, step.meter), _meters(world).made[step.meter]
    if isinstance(made, _RemoteMeter):
        made.reading += step.amount
        flows = step.amount
    else:
        flows = made.draw(step.amount)
    wanted = step.amount if step.flows is None else step.flows
    if flows != wanted:
        raise StepFailed(f"{flows} flowed, not {wanted}", where=step.meter)
    closed = flows < step.amount
    return Text(
        f"{meter.title_en}: {_shown(flows, meter)} used" + (", then it closes" if closed else ""),
        f"{meter.title_zh}用去{_shown(flows, meter)}" + ("，随后关断" if closed else ""),
    )


def play_emergency(step: CallEmergency, world: World) -> Text:
    meter = _declared(world, step.meter)
    try:
        lent = _card_meter(world, step.meter).call_emergency()
    except MeterRefused as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, device=step.meter, reason=error.reason)
        return Text(
            f"{meter.title_en} lends nothing: {error.reason}", f"{meter.title_zh}不予应急：{error.reason}"
        )
    expect_done(step.refused)
    if lent != step.lends:
        raise StepFailed(f"it lends {lent}, not {step.lends}", where=step.meter)
    return Text(
        f"{meter.title_en} lends {_shown(lent, meter)}",
        f"{meter.title_zh}开通应急量{_shown(lent, meter)}",
    )


def play_shows(step: MeterShows, world: World) -> Text:
    meter, made = _declared(world, step.meter), _meters(world).made[step.meter]
    found = (getattr(made, "left", 0), made.reading, getattr(made, "owed", 0))
    if found != (step.left, step.reading, step.owed):
        raise StepFailed(f"left, reading and owed are {found}", where=step.meter)
    remember(
        world,
        step.remembers,
        {"left": found[0], "reading": found[1], "owed": found[2], "bought": sum(found[:2]) - found[2]},
    )
    left, reading, owed = (_shown(amount, meter) for amount in found)
    return Text(
        f"{meter.title_en} shows {left} left, reading {reading}" + (f", {owed} owed" if step.owed else ""),
        f"{meter.title_zh}显示：余量{left}，读数{reading}" + (f"，欠{owed}" if step.owed else ""),
    )


def play_replace_meter(step: ReplaceMeter, world: World) -> Text:
    old, new = _declared(world, step.old), _declared(world, step.new)
    _meters(world).made[step.new] = _card_meter(world, step.old).replaced_by(new.number)
    return Text(
        f"{new.title_en} takes the place of {old.title_en}: reading, rest and card move over",
        f"{new.title_zh}替换{old.title_zh}：读数、余量、绑卡一并转入",
    )


def play_sell_token(step: SellToken, world: World) -> Text:
    meter, meters = _declared(world, step.meter), _meters(world)
    if why := why_unpaid(world, {"amount": step.amount}):
        expect_refused(step.refused, why, "no payment for it")
        world.count(Counted.REFUSED, device=step.meter, reason=why)
        said = reason_text(why)
        return Text(
            f"No token for {meter.title_en}: its payment is refused ({said.en})",
            f"{meter.title_zh}不予售电：付款凭据被拒绝（{said.zh}）",
        )
    expect_done(step.refused)
    amount = number_of(world, step.amount)
    spend(world, [str(step.amount)[1:]])
    digits = meters.vendor.credit(_pan(meter), meter.commodity.value, amount, world.now)
    meters.tokens[step.name] = digits
    shown = " ".join(digits[at : at + 4] for at in range(0, 20, 4))
    return Text(
        f"The vendor sells {_shown(amount * 100, meter)} for {meter.title_en}: {shown}",
        f"售出{meter.title_zh}{_shown(amount * 100, meter)}：{shown}",
    )


def play_change_key(step: ChangeMeterKey, world: World) -> Text:
    meter, meters = _declared(world, step.meter), _meters(world)
    for section in meters.vendor.change_key(_pan(meter), step.tariff):
        _keypad_meter(world, step.meter).enter(section)
    return Text(
        f"{meter.title_en} takes both sections of a key change: tariff index {step.tariff}",
        f"{meter.title_zh}输入两段换钥代码：费率号{step.tariff}",
    )


def play_key_in(step: KeyIn, world: World) -> Text:
    meter, digits = _declared(world, step.meter), _meters(world).tokens.get(step.token, step.token)
    if step.wrong:
        digits = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    try:
        credited = _keypad_meter(world, step.meter).enter(digits)
    except TokenRefused as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, device=step.meter, reason=error.reason)
        return Text(
            f"{meter.title_en} refuses the token: {error.reason}", f"{meter.title_zh}拒绝代码：{error.reason}"
        )
    expect_done(step.refused)
    if credited != step.credits:
        raise StepFailed(f"{credited} was credited, not {step.credits}", where=step.meter)
    world.count(Counted.WRITTEN, credited, Unit.WATT_HOUR, record="token", device=step.meter)
    return Text(
        f"{meter.title_en} credits {_shown(credited, meter)}",
        f"{meter.title_zh}充入{_shown(credited, meter)}",
    )


def play_read_remotely(step: ReadRemotely, world: World) -> Text:
    meter, meters = _declared(world, step.meter), _meters(world)
    remote = meters.made[step.meter]
    if not isinstance(remote, _RemoteMeter):
        raise Usage(f"{step.meter} is not read from afar", where=world.sector.name)
    if step.again and remote.last is not None:
        report = remote.last
    elif step.forged is not None:
        report = sign_reading(world.randomness.token_bytes(16), meter.number, world.now, step.forged)
    else:
        report = remote.last = sign_reading(remote.key, meter.number, world.now, remote.reading)
    try:
        used = meters.book.take(report)
    except ReadingRefused as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, device=step.meter, reason=error.reason)
        return Text(
            f"The reading of {meter.title_en} is not believed: {error.reason}",
            f"{meter.title_zh}上报读数不予采信：{error.reason}",
        )
    expect_done(step.refused)
    if used != step.used:
        raise StepFailed(f"{used} was used, not {step.used}", where=step.meter)
    remember(world, step.remembers, {"used": used, "before": report.reading - used})
    return Text(
        f"{meter.title_en} reports {_shown(report.reading, meter)}: {_shown(used, meter)} used since the last reading",
        f"{meter.title_zh}上报读数{_shown(report.reading, meter)}，本期用量{_shown(used, meter)}",
    )


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {
    InsertCard: play_insert,
    Consume: play_consume,
    CallEmergency: play_emergency,
    MeterShows: play_shows,
    ReplaceMeter: play_replace_meter,
    SellToken: play_sell_token,
    ChangeMeterKey: play_change_key,
    KeyIn: play_key_in,
    ReadRemotely: play_read_remotely,
}
