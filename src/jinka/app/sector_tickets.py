"""Plays the steps of tickets: a card is copied cell by cell, offline gates report, and double use is found and paid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jinka.app.sector_records import admissions
from jinka.app.sector_world import StepFailed, World
from jinka.card import Card, Nvm
from jinka.clearing.tickets import TicketUse, used_twice
from jinka.declaration import Counted
from jinka.declaration.steps import Step
from jinka.declaration.steps_tickets import CopyCard, GatesReport
from jinka.kit import Usage, format_minor
from jinka.reports.day import Text
from jinka.sim.field import Reader
from jinka.sim.randomness import SeededRandomness


@dataclass(slots=True)
class _Reported:
    """What the gates of a journey have reported, and which uses were paid."""

    uses: list[TicketUse] = field(default_factory=list)
    paid: set[tuple[str, int]] = field(default_factory=set)


def play_copy_card(step: CopyCard, world: World) -> Text:
    card = world.card(step.card)
    if step.copy in world.cards:
        raise Usage(f"the card {step.copy!r} stands already", where=world.journey.name)
    memory = card.link.card.nvm
    chip = Card(
        Nvm(bytes(memory.memory), journal=bytes(memory.journal)),
        SeededRandomness(f"{world.label}|{step.copy}"),
    )
    title = Text(f"a copy of {card.title.en}", f"{card.title.zh}的复制品")
    world.cards[step.copy] = replace(
        card, name=step.copy, title=title, link=Reader(chip), applications=dict(card.applications),
        opening=dict(card.opening),
    )  # fmt: skip
    return Text(f"{card.title.en} is copied, keys and all", f"{card.title.zh}连同密钥被整卡复制")


def play_gates_report(step: GatesReport, world: World) -> Text:
    reported = world.service("reported tickets", _Reported)
    fresh = [
        TicketUse(
            ticket=one.found.values[step.ticket], left=int(one.found.values[step.left]), gate=one.device,
            card_no=one.found.card_no, at=one.at,
        )
        for one in admissions(world)
        if one.right == step.entitlement and one.device in step.gates
    ]  # fmt: skip
    fresh = sorted(set(fresh) - set(reported.uses), key=lambda use: (use.at, use.gate))
    if len(fresh) != step.uses:
        raise StepFailed(f"{len(fresh)} uses are new, not {step.uses}", where=step.entitlement)
    reported.uses += fresh
    doubled = [one for one in used_twice(reported.uses) if {one.first, *one.again} & set(fresh)]
    found = {one.first.ticket: tuple(use.gate for use in (one.first, *one.again)) for one in doubled}
    if found != dict(step.twice):
        raise StepFailed(f"used twice: {found or 'none'}", where=step.entitlement)
    for use in fresh:
        _pay(step, world, reported, use)
    for one in doubled:
        world.blocked.setdefault(one.first.card_no, world.now)
        world.count(Counted.REFUSED, step="gates report", reason="USED_TWICE", entitlement=step.entitlement)
    told_en = "; ".join(f"{ticket} was used at {', '.join(gates)}" for ticket, gates in found.items())
    told_zh = "；".join(f"{ticket}在{'、'.join(gates)}重复使用" for ticket, gates in found.items())
    each = format_minor(step.price)
    return Text(
        f"The gates report {len(fresh)} uses, {each} each"
        + (f"; {told_en}: {step.stands_in} stands in for it, the card is listed" if found else ""),
        f"闸机上报{len(fresh)}次使用，每次{each}"
        + (f"；{told_zh}，由{step.stands_in}承担，该卡列入黑名单" if found else ""),
    )


def _pay(step: GatesReport, world: World, reported: _Reported, use: TicketUse) -> None:
    """Whoever let the passenger through gets his money; the ticket pays for one use, the guarantor for others."""
    operator = world.device(use.gate)[1].operator
    key = (use.ticket, use.left)
    world.move(step.stands_in if key in reported.paid else step.pays, operator, step.price)
    reported.paid.add(key)
    world.count(Counted.MOVED, step.price, account=operator, step="gates report")


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {
    CopyCard: play_copy_card,
    GatesReport: play_gates_report,
}
