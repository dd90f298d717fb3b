"""Plays the steps of tables and accounts: a sheet is filled and its money moves; accounts stand where they must."""

from __future__ import annotations

from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_reasons import reason_text
from jinka.app.sector_remembered import (
    forget,
    known_number,
    number_of,
    remember,
    remember_payment,
    spend,
    why_missing,
    why_unpaid,
)
from jinka.app.sector_titles import account_title
from jinka.app.sector_world import StepFailed, World
from jinka.declaration import Assess, Counted, Move, Stands
from jinka.kit import Unit, Usage, format_minor
from jinka.reports.day import Text


def play_assess(step: Assess, world: World) -> Text:
    sheet = world.sheet(step.sheet)
    rests_on = (*step.facts.values(), *(f"={name}" for name in step.spends))
    if missing := [value for value in rests_on if why_missing(world, (value,))]:
        return _not_shown(step, world, str(missing[0]))
    paid = {name: step.facts[name] for name in sheet.spends if name in step.facts}
    if why := why_unpaid(world, paid):
        return _not_shown(step, world, why)
    for name in sheet.shown:
        if not str(step.facts.get(name, "")).startswith("="):
            raise Usage(f"{name} is typed", where=sheet.name, fix="=name of what an earlier step remembers")
    facts = {name: known_number(world, value) for name, value in step.facts.items()}
    try:
        lines = world.fill(sheet, facts)
        moved = []
        for line in sheet.lines:
            if step.posts and line.payer and lines[line.code]:
                world.move(line.payer, line.payee, lines[line.code])
                moved.append(line)
    except Usage as error:
        expect_refused(step.refused, "REFUSED", error)
        forget(world, step.remembers)
        world.count(Counted.REFUSED, sheet=sheet.name, reason="ASSESS")
        return Text(
            f"{sheet.title_en}: refused ({error.what})", f"{sheet.title_zh}：拒绝（{error.zh or error.what}）"
        )
    expect_done(step.refused)
    for code, wanted in step.gives.items():
        if lines[code] != wanted:
            raise StepFailed(f"{code} comes to {lines[code]}, not {wanted}", where=sheet.name)
    spend(world, (*step.spends, *(str(value)[1:] for value in paid.values())))
    (remember_payment if moved else remember)(world, step.remembers, {**facts, **lines})
    world.count(Counted.ASSESSED, lines[sheet.result], sheet.line(sheet.result).unit, sheet=sheet.name)
    for line in moved:
        world.count(Counted.MOVED, lines[line.code], account=line.payee, sheet=sheet.name)
    told = [(line, format_minor(lines[line.code], line.unit)) for line in sheet.lines
            if line.shown and (lines[line.code] or line.code == sheet.result)]  # fmt: skip
    return Text(
        f"{sheet.title_en}: " + ", ".join(f"{line.title_en} {shown}" for line, shown in told),
        f"{sheet.title_zh}：" + "，".join(f"{line.title_zh}{shown}" for line, shown in told),
    )


def _not_shown(step: Assess, world: World, missing: str) -> Text:
    """What an assessment rests on is not there: nobody established it, or it has settled something before."""
    sheet, why = world.sheet(step.sheet), why_missing(world, (missing,))
    expect_refused(step.refused, why, f"nothing is remembered as {missing[1:]!r}")
    forget(world, step.remembers)
    world.count(Counted.REFUSED, sheet=sheet.name, reason=why)
    said = reason_text(why)
    return Text(f"{sheet.title_en}: refused ({said.en})", f"{sheet.title_zh}：拒绝（{said.zh}）")


def play_move(step: Move, world: World) -> Text:
    amount = number_of(world, step.amount)
    shown = format_minor(amount)
    try:
        world.move(step.payer, step.payee, amount)
    except Usage as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, account=step.payer, reason="MOVE")
        return Text(f"{step.why_en}: {shown} is refused ({error})", f"{step.why_zh}：{shown}被拒绝")
    expect_done(step.refused)
    world.count(Counted.MOVED, amount, Unit.FEN, account=step.payee)
    payer, payee = account_title(world, step.payer), account_title(world, step.payee)
    return Text(
        f"{step.why_en}: {shown} from {payer.en} to {payee.en}",
        f"{step.why_zh}：{shown}，由{payer.zh}付{payee.zh}",
    )


def play_stands(step: Stands, world: World) -> Text:
    found = world.stands_at(step.account)
    if found != step.amount:
        raise StepFailed(f"{step.account} stands at {found}, not {step.amount}", where=world.journey.name)
    if step.remembers:
        remember(world, {step.remembers: "stands"}, {"stands": found})
    shown = format_minor(found)
    title = account_title(world, step.account)
    return Text(f"{title.en} stands at {shown}", f"{title.zh}余额{shown}")
