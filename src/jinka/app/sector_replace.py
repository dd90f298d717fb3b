"""Plays the issue of a card, and its replacement: a new card on which each authority puts its own application.

A card is issued once the register has it (`jinka.app.sector_register`); what is missing is told at once.

Nobody reads the lost card. Records come from the authority's own file of what it issued and wrote; a purse's balance
from the issuer's books after the last clearing, once the claim period is over and no record of the old card waits.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from jinka.app.sector_cards import VirtualCard, put_on
from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_reasons import reason_text
from jinka.app.sector_register import MADE, MAKER, Making
from jinka.app.sector_world import World
from jinka.declaration import Counted, Issue, JourneyCard, Replace, Start
from jinka.kit import NotFound, Refused, format_minor
from jinka.registry import MissingGrants
from jinka.reports.day import Text


class NotReplaced(Refused):
    """An authority does not put its application onto a new card yet; ``reason`` is a code."""

    def __init__(self, reason: str, what: str, where: str, fix: str) -> None:
        super().__init__(what, where=where, fix=fix)
        self.reason = reason


def play_issue(step: Issue, world: World) -> Text:
    [wanted] = [one for one in world.journey.cards if one.name == step.card]
    asked, zh_asked = "", ""
    if step.maker:
        asked, zh_asked = " from another maker", "（另一厂商制卡）"
    if step.made:
        asked, zh_asked = asked + " on another chip", zh_asked + "（另一型号芯片）"
    if step.fee:
        fee = format_minor(step.fee)
        asked, zh_asked = f"{asked} for {fee}", f"{zh_asked}，工本费{fee}"
    world.making = Making(maker=step.maker or MAKER, made={**MADE, **step.made}, fee_fen=step.fee)
    try:
        world.issue(wanted)
    except MissingGrants as error:
        codes = sorted({found.code for found in error.findings})
        expect_refused(step.refused, ", ".join(codes), error)
        for code in codes:
            world.count(Counted.REFUSED, card=step.card, reason=code)
        why = [reason_text(code) for code in codes]
        return Text(
            f"{wanted.title_en} is not issued{asked}: " + ", ".join(one.en for one in why),
            f"{wanted.title_zh}不得发行{zh_asked}：" + "、".join(one.zh for one in why),
        )
    finally:
        world.making = Making()
    expect_done(step.refused)
    if step.fee:
        world.move("outside", step.paid_to, step.fee)
    return Text(f"{wanted.title_en} is entered in the register and issued{asked}",
                f"{wanted.title_zh}登记并发行{zh_asked}")  # fmt: skip


def play_replace(step: Replace, world: World) -> Text:
    lost = world.card(step.lost)
    wanted = step.applications or tuple(lost.applications)
    head = Text(f"{lost.title.en} is lost", f"{lost.title.zh}遗失")
    try:
        starts = [_start(step, world, lost, name) for name in wanted]
    except NotReplaced as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, reason=error.reason, application=", ".join(wanted))
        return Text(f"{head.en}: not replaced yet, {error.what}", f"{head.zh}：暂不补发（{error.reason}）")
    expect_done(step.refused)
    new = world.cards.get(step.new) or world.issue(
        JourneyCard(step.new, f"the card after {lost.title.en}", f"{lost.title.zh}的补发卡", (), lost.holder)
    )
    told = []
    world.making = Making(again=True)
    for start in starts:
        put_on(world, new, start)
        profile = world.profile(start.application)
        world.written_onto(new.name, start.application).update(start.records)
        held = ""
        if profile.purse is not None:
            _take_over(lost, new, start.application)
            held = " " + format_minor(start.balance, profile.purse_spec.unit)
        told.append(Text(profile.title_en + held, profile.title_zh + held))
    world.making = Making()
    lost.lost = True
    return Text(
        f"{head.en}; onto {new.title.en} come " + ", ".join(one.en for one in told),
        f"{head.zh}；{new.title.zh}写入" + "、".join(one.zh for one in told),
    )


def _start(step: Replace, world: World, lost: VirtualCard, application: str) -> Start:
    if application not in lost.applications:
        raise NotFound(f"{lost.name} has no {application}", where=world.journey.name)
    if lost.number not in world.blocked:
        raise NotReplaced("NOT_LISTED", "the old card is not on the list", application, "List it first")
    issued = [
        start for card in world.journey.cards if card.name == lost.name for start in card.starts
        if start.application == application
    ]  # fmt: skip
    if not issued:
        raise NotFound(f"no file of {application} on {lost.name}", where=world.journey.name)
    records = dict(world.written_onto(lost.name, application))
    if world.profile(application).purse is None:
        return replace(issued[0], records=records)
    until = world.blocked[lost.number] + dt.timedelta(days=step.claim_days)
    if world.now < until:
        raise NotReplaced("CLAIM_PERIOD", f"claims are heard until {until:%Y-%m-%d}", application, "wait")
    if any(one.card_no == lost.number for one in world.records.get(application, ())):
        raise NotReplaced("NOT_CLEARED", "records of the old card wait", application, "Clear first")
    return replace(issued[0], balance=lost.opening[application][2], records=records)


def _take_over(lost: VirtualCard, new: VirtualCard, application: str) -> None:
    """What the issuer owed to the old card it owes to the new one: the float stays as it is."""
    offline, online, _ = lost.opening[application]
    lost.opening[application] = (offline, online, 0)
    assert application in new.opening, "it was put on just now"
