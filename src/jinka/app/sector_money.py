"""Plays the steps of tables and accounts: a sheet is filled and its money moves; accounts stand where they must."""

from __future__ import annotations

from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_world import StepFailed, World
from jinka.declaration import Assess, Counted, Move, Stands
from jinka.kit import Unit, Usage, format_minor
from jinka.reports.day import Text
from jinka.tariff.sheet import Fact


def play_assess(step: Assess, world: World) -> Text:
    sheet = world.sheet(step.sheet)
    facts = {name: fact_of(world, value) for name, value in step.facts.items()}
    try:
        lines = sheet.fill(facts)
        moved = []
        for line in sheet.lines:
            if step.posts and line.payer and lines[line.code]:
                world.move(line.payer, line.payee, lines[line.code])
                moved.append(line)
    except Usage as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, sheet=sheet.name, reason="ASSESS")
        return Text(f"{sheet.title_en}: refused ({error})", f"{sheet.title_zh}：拒绝（{error.what}）")
    expect_done(step.refused)
    for code, wanted in step.gives.items():
        if lines[code] != wanted:
            raise StepFailed(f"{code} comes to {lines[code]}, not {wanted}", where=sheet.name)
    for name, code in step.remembers.items():
        world.remembered[name] = lines[code]
    world.count(Counted.ASSESSED, lines[sheet.result], sheet.line(sheet.result).unit, sheet=sheet.name)
    for line in moved:
        world.count(Counted.MOVED, lines[line.code], account=line.payee, sheet=sheet.name)
    told = [(line, format_minor(lines[line.code], line.unit)) for line in sheet.lines if lines[line.code]]
    return Text(
        f"{sheet.title_en}: " + ", ".join(f"{line.title_en} {shown}" for line, shown in told),
        f"{sheet.title_zh}：" + "，".join(f"{line.title_zh}{shown}" for line, shown in told),
    )


def fact_of(world: World, value: Fact) -> Fact:
    """``=name`` is what an earlier step remembered."""
    if isinstance(value, str) and value.startswith("="):
        if value[1:] not in world.remembered:
            raise Usage(f"nothing is remembered as {value[1:]!r}", where=world.journey.name)
        return world.remembered[value[1:]]
    return value


def play_move(step: Move, world: World) -> Text:
    shown = format_minor(step.amount)
    try:
        world.move(step.payer, step.payee, step.amount)
    except Usage as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, account=step.payer, reason="MOVE")
        return Text(f"{step.why_en}: {shown} is refused ({error})", f"{step.why_zh}：{shown}被拒绝")
    expect_done(step.refused)
    world.count(Counted.MOVED, step.amount, Unit.FEN, account=step.payee)
    return Text(
        f"{step.why_en}: {shown} from {step.payer} to {step.payee}",
        f"{step.why_zh}：{shown}，由{step.payer}付{step.payee}",
    )


def play_stands(step: Stands, world: World) -> Text:
    found = world.stands_at(step.account)
    if found != step.amount:
        raise StepFailed(f"{step.account} stands at {found}, not {step.amount}", where=world.journey.name)
    shown = format_minor(found)
    return Text(f"{step.account} stands at {shown}", f"{step.account}余额{shown}")
