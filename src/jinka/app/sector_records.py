"""Plays the steps of records and rights: written by their authority, read by devices, judged at a gate or counter."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from jinka.app.sector_cards import pin_bytes
from jinka.app.sector_devices import access_at, block_list, maintenance_at, uses_own
from jinka.app.sector_masking import shown_value
from jinka.app.sector_payments import refused_order, spend_order
from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_remembered import fact_of, forget, remember, spend, texts_of
from jinka.app.sector_titles import authority_title, lacking, recorded_text, written_text
from jinka.app.sector_uses import use_right
from jinka.app.sector_world import NotItsOwn, StepFailed, World
from jinka.declaration import Admit, Block, Counted, Reads, Sector, Write
from jinka.kit import Refused, Usage
from jinka.profile.entitlement import Entitlement, Fact
from jinka.profile.records import RecordSpec
from jinka.reports.day import Text
from jinka.terminal.entitlement import Admission, NotEntitled, UseTorn, write_records
from jinka.terminal.link import ChipRefused
from jinka.terminal.lists import Listed
from jinka.terminal.records import read_records

_NOT_SATISFIED = 0x6982


class Admitted(NamedTuple):
    """An admission as its device keeps it until it reports."""

    device: str
    right: str
    at: dt.datetime
    found: Admission


def admissions(world: World) -> list[Admitted]:
    """All admissions of the journey so far."""
    made: list[Admitted] = world.service("admissions", list)
    return made


def play_write(step: Write, world: World) -> Text:
    card, device = world.card(step.card), world.device(step.device)[1]
    application = step.application or world.application_of(step.device)
    if unpaid := refused_order(step, world, application):
        return unpaid
    values = texts_of(world, step.values)
    names = ", ".join(values)
    try:
        write_records(
            card.link, maintenance_at(world, step.device, application), aid=world.profile(application).aid,
            card_no=card.number, records=world.record_specs(application), values=values, pin=_pin(step.pin),
            block_list=block_list(world), at=world.now,
        )  # fmt: skip
    except Refused as error:
        reason = _why(error, world, step.device, application)
        expect_refused(step.refused, reason or "REFUSED", error)
        world.count(Counted.REFUSED, device=step.device, application=application, reason=reason or "WRITE")
        return Text(
            f"{device.title_en} may not write {names}: {error}",
            f"{device.title_zh}不得写入" + (f"（{reason}）" if reason else ""),
        )
    expect_done(step.refused)
    world.written_onto(step.card, application).update(values)
    spend_order(step, world, application)
    for name in values:
        world.count(Counted.WRITTEN, record=name, application=application, device=step.device)
    specs = {spec.name: spec for spec in world.record_specs(application)}
    shown = recorded_text(specs, values, empty=Text("empty", "空"))
    return Text(
        f"{device.title_en} writes onto {card.title.en}: {shown.en}",
        f"{device.title_zh}写入{card.title.zh}：{shown.zh}",
    )


def _why(error: Refused, world: World, device: str, application: str) -> str:
    """Why nothing was written, where that is more than a word of the card's to its own authority."""
    if isinstance(error, (Listed, NotItsOwn)):
        return error.reason
    if uses_own(world, device, application) or not isinstance(error, ChipRefused):
        return ""
    return f"{error.sw:04X}"


def play_reads(step: Reads, world: World) -> Text:
    card, device = world.card(step.card), world.device(step.device)[1]
    application = step.application or world.application_of(step.device)
    specs = {spec.name: spec for spec in world.record_specs(application)}
    wanted = [specs[name] for name in (*step.values, *step.refused)]
    try:
        world.require_own(step.device, application)
    except NotItsOwn as error:
        expect_refused(step.reason, error.reason, error)
        if step.values or not step.refused:
            raise StepFailed(f"nothing of {application} is shown here", where=step.device) from error
        world.count(Counted.REFUSED, device=step.device, application=application, reason=error.reason)
        asked_en = ", ".join(specs[name].title_en for name in step.refused)
        asked_zh = "、".join(specs[name].title_zh for name in step.refused)
        profile = world.profile(application)
        return Text(
            f"{device.title_en} asks {card.title.en} for {asked_en} of {profile.title_en}: refused, not its own",
            f"{device.title_zh}欲读{card.title.zh}上{profile.title_zh}的{asked_zh}：非本机构应用，拒绝",
        )
    if step.reason != "READ":
        raise StepFailed(
            f"the application is its own, so it is not refused as {step.reason}", where=step.device
        )
    readings = read_records(
        card.link, world.profile(application).aid, wanted, pin=_pin(step.pin),
        access=access_at(world, step.device, application),
    )  # fmt: skip
    for one in readings:
        name = one.record.name
        if name in step.refused:
            if one.value is not None:
                raise StepFailed(f"{name} was read, and may not be", where=step.device)
            if one.sw != _NOT_SATISFIED:
                raise StepFailed(f"{name}: the card does not refuse it, {one.reason}", where=step.device)
            world.count(Counted.REFUSED, device=step.device, application=application, reason="READ")
        elif one.value != step.values[name]:
            found, sought = (
                shown_value(specs[name], value) for value in (one.value or "", step.values[name])
            )
            raise StepFailed(f"{name} is {found!r} {one.reason}, not {sought!r}", where=step.device)
    remember(world, step.remembers, {one.record.name: one.value for one in readings if one.value is not None})
    read = recorded_text(specs, step.values, empty=Text("empty", "空"))
    kept_en = ", ".join(specs[name].title_en for name in step.refused)
    kept_zh = "、".join(specs[name].title_zh for name in step.refused)
    return Text(
        f"{device.title_en} reads {card.title.en}: "
        + "; ".join(part for part in (read.en, kept_en and f"the card refuses {kept_en}") if part),
        f"{device.title_zh}读{card.title.zh}："
        + "；".join(part for part in (read.zh, kept_zh and f"卡拒绝读出{kept_zh}") if part),
    )


def play_admit(step: Admit, world: World) -> Text:
    card, (sector, device) = world.card(step.card), world.device(step.device)
    right = sector.entitlement(step.entitlement)
    head = Text(
        f"{card.title.en} at {device.title_en}: {right.title_en}",
        f"{card.title.zh}在{device.title_zh}：{right.title_zh}",
    )
    try:
        world.require_own(step.device, right.application)
    except NotItsOwn as error:
        expect_refused(step.refused, error.reason, error)
        forget(world, step.remembers)
        world.count(Counted.REFUSED, device=step.device, entitlement=right.name, reason=error.reason)
        return Text(f"{head.en} is refused, not its own application", f"{head.zh}拒绝，非本机构应用")
    facts = {**device.knows, **_told(step, right, sector, world)}
    forget(world, step.remembers)  # who is refused now leaves nothing behind of an earlier time
    try:
        found = use_right(world, card, step.device, right, facts, pin=_pin(step.pin), torn=step.torn)
    except UseTorn:
        if not step.torn:
            raise
        expect_done(step.refused)
        world.count(Counted.REFUSED, device=step.device, entitlement=right.name, reason="TORN")
        return Text(
            f"{head.en}: the card has written, and is pulled away before the device hears of it; nobody passes",
            f"{head.zh}：卡已写入，应答前卡片离开，未放行",
        )
    except Listed as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, device=step.device, entitlement=right.name, reason=error.reason)
        return Text(f"{head.en} is refused, the card is on the list", f"{head.zh}拒绝，卡在黑名单")
    except NotEntitled as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, device=step.device, entitlement=right.name, reason=error.reason)
        needs = lacking(error.condition, _specs(world, right.application), facts)
        return Text(
            f"{head.en} is refused: {error.reason} (needs: {needs.en})",
            f"{head.zh}拒绝：须{needs.zh}（{error.reason}）",
        )
    except ChipRefused as error:
        expect_refused(step.refused, f"{error.sw:04X}", error)
        world.count(Counted.REFUSED, device=step.device, entitlement=right.name, reason=f"{error.sw:04X}")
        return Text(f"{head.en} is refused by the card ({error})", f"{head.zh}被卡拒绝（{error.sw:04X}）")
    expect_done(step.refused)
    world.written_onto(step.card, right.application).update(found.written)
    admissions(world).append(Admitted(step.device, right.name, world.now, found))
    world.count(Counted.ADMITTED, device=step.device, entitlement=right.name, application=right.application)
    spend(world, [step.facts[one.name][1:] for one in _of_changes(right) if one.shown])
    remember(world, step.remembers, {
        "admitted": 1, "card": found.card_no.hex().upper(), **found.values, **found.written,
    })  # fmt: skip
    written = written_text(_specs(world, right.application), found.written)
    return Text(head.en + " holds" + (f"; written: {written.en}" if written.en else ""),
                head.zh + "成立" + (f"；写入{written.zh}" if written.zh else ""))  # fmt: skip


def _told(step: Admit, right: Entitlement, sector: Sector, world: World) -> dict[str, str]:
    """The facts of an admission beside those that the device knows of itself. What devices know, or only an earlier
    step can establish, is never typed; not established, it is empty, so that no record equals it.
    """
    of_places = {name for device in sector.devices for name in device.knows}
    if typed := sorted(of_places & step.facts.keys()):
        raise Usage(
            f"{typed[0]} is typed, and devices know it", where=step.device, fix="declare it in Device.knows"
        )
    needed = [each.against for each in right.conditions if isinstance(each.against, Fact)]
    shown = {one.name for one in (*needed, *_of_changes(right)) if one.shown}
    facts = dict[str, str]()
    for name, value in step.facts.items():
        if name in shown and not value.startswith("="):
            raise Usage(
                f"{name} is typed", where=right.name, fix="=name of what an Admit or Verify remembers"
            )
        unknown = name in shown and value[1:] not in world.remembered
        facts[name] = "" if unknown else str(fact_of(world, value))
    return facts


def _of_changes(right: Entitlement) -> list[Fact]:
    return [change.fact for change in right.changes if change.fact is not None]


def play_block(step: Block, world: World) -> Text:
    card = world.card(step.card)
    application = world.only_application(card, step.application)
    made = card.applications[application]
    session = card.session(application)
    if step.blocked:
        session.lock(made.profile.aid)
    else:
        session.unlock(made.profile.aid)
    profile, authority = made.profile, authority_title(made.profile.authority)
    return Text(
        f"{authority.en}: {profile.title_en} on {card.title.en} is {'blocked' if step.blocked else 'released'}",
        f"{authority.zh}：{card.title.zh}上的{profile.title_zh}{'锁定' if step.blocked else '解锁'}",
    )


def _specs(world: World, application: str) -> dict[str, RecordSpec]:
    return {spec.name: spec for spec in world.record_specs(application)}


def _pin(digits: str) -> bytes:
    return pin_bytes(digits) if digits else b""
