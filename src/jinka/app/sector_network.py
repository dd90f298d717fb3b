"""Plays the steps of phones: a real USIM answers by APDU to a home network that holds its key, or to one that does
not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinka.app.sector_purse import expect_done, expect_refused, play_tap
from jinka.app.sector_remembered import fact_of
from jinka.app.sector_world import StepFailed, World
from jinka.card import personalised
from jinka.card.usim import subscriber_data
from jinka.crypto.milenage import compute_opc
from jinka.declaration import Attach, Counted, PayBySheet, Step, Tap
from jinka.reports.day import Text
from jinka.sim.field import Reader
from jinka.sim.randomness import SeededRandomness
from jinka.terminal.usim_auth import AttachStatus, AuthenticationCentre, NetworkTerminal, Subscriber

_NETWORK, _UNBLOCK = "46000", b"12345678"
_WORDS = {
    AttachStatus.NETWORK_FALSE: Text("the card refuses the network", "卡拒绝该网络"),
    AttachStatus.CARD_FALSE: Text("the network refuses the card", "网络拒绝该卡"),
    AttachStatus.OUT_OF_STEP: Text("numbers stay out of step", "序列号未能同步"),
    AttachStatus.REFUSED: Text("the card refuses", "卡拒绝"),
}


@dataclass(slots=True)
class _Phones:
    subscribers: dict[str, Subscriber] = field(default_factory=dict)
    sims: dict[str, tuple[Reader, str]] = field(default_factory=dict)  # and its IMSI


def _phones(world: World) -> _Phones:
    return world.service("phones", _Phones)


def _sim(world: World, step: Attach) -> tuple[Reader, str]:
    """The SIM of this name, personalised with a key that only it and the home network know."""
    phones = _phones(world)
    if step.sim not in phones.sims:
        profile, source = world.profile(step.application), SeededRandomness(f"{world.label}|sim {step.sim}")
        k, imsi = source.token_bytes(16), f"{_NETWORK}{len(phones.sims) + 1:010d}"
        opc = compute_opc(k, SeededRandomness(f"{world.label}|op").token_bytes(16))
        personal = subscriber_data(profile, imsi=imsi, k=k, opc=opc, pin=step.pin.encode(), unblock=_UNBLOCK)
        phones.subscribers[imsi] = Subscriber(k=k, opc=opc)
        phones.sims[step.sim] = Reader(personalised(profile, personal, source)), imsi
    return phones.sims[step.sim]


def play_attach(step: Attach, world: World) -> Text:
    link, imsi = _sim(world, step)
    known = _phones(world).subscribers
    if step.restored:
        known[imsi].sqn = 0
    if step.false_network:
        guess = world.randomness.token_bytes
        known = {imsi: Subscriber(k=guess(16), opc=guess(16), sqn=known[imsi].sqn)}
    home = AuthenticationCentre(known, world.randomness)
    network = Text("a false network", "伪网络") if step.false_network else Text("the network", "网络")
    head = Text(f"The phone of {step.sim} asks {network.en}", f"{step.sim}的手机接入{network.zh}")
    done = NetworkTerminal(world.profile(step.application).aid, home).attach(link, step.pin.encode())
    if done.status is not AttachStatus.DONE:
        expect_refused(step.refused, done.status.name, f"{done.step} {done.sw:04X}")
        world.count(Counted.REFUSED, reason=done.status.name, application=step.application)
        word = _WORDS[done.status]
        return Text(
            f"{head.en}: {word.en} ({done.status.name})", f"{head.zh}：{word.zh}（{done.status.name}）"
        )
    expect_done(step.refused)
    if done.resynchronised is not step.resynchronises:
        raise StepFailed(f"resynchronised: {done.resynchronised}", where=step.sim)
    world.count(Counted.ADMITTED, application=step.application, service="attach")
    tail_en = ", after the card has told its number" if done.resynchronised else ""
    tail_zh = "（先由卡报出序列号重新同步）" if done.resynchronised else ""
    return Text(f"{head.en}: both have proven themselves{tail_en}", f"{head.zh}：双向鉴权成功{tail_zh}")


def play_pay_by_sheet(step: PayBySheet, world: World) -> Text:
    sheet = world.sector.sheet(step.sheet)
    facts_given = {name: fact_of(world, value) for name, value in step.facts.items()}
    due = world.fill(sheet, facts_given)[sheet.result]
    paid = play_tap(Tap(step.card, step.device, step.pays, gross=due, refused=step.refused), world)
    facts = ", ".join(f"{name} {value}" for name, value in step.facts.items())
    return Text(f"{sheet.title_en} ({facts}). {paid.en}", f"{sheet.title_zh}。{paid.zh}")


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {
    Attach: play_attach,
    PayBySheet: play_pay_by_sheet,
}
