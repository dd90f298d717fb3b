"""Plays the steps of conditional access: EMMs and ECMs by APDU to the card, packets scrambled by DVB-CISSA."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_subscription import held
from jinka.app.sector_world import StepFailed, World
from jinka.crypto.cissa import scramble
from jinka.declaration import BuyTitle, Channel, Counted, Entitle, Pair, Step, Watch
from jinka.issuer.subscriptions import SubscriptionRefused
from jinka.keys import Purpose, card_factor
from jinka.kit import NotFound, format_minor
from jinka.profile import KeyUse
from jinka.reports.day import Text
from jinka.sim.randomness import SeededRandomness
from jinka.terminal.conditional_access import PAIRING, AccessRefused, EmmMaker, Receiver, make_ecm
from jinka.terminal.entitlement import write_records

_PICTURE = b"A picture of the channel. " * 7


@dataclass(slots=True)
class _HeadEnd:
    """The keys of receivers; service keys are made from the channel and its period."""

    receivers: dict[str, bytes] = field(default_factory=dict)


def _head_end(world: World) -> _HeadEnd:
    return world.service("head-end", _HeadEnd)


def _channel(world: World, code: str) -> Channel:
    for channel in world.sector.channels:
        if channel.code == code:
            return channel
    raise NotFound(f"no channel {code!r}", where=world.sector.name, fix="declare it among the channels")


def _service_key(world: World, channel: Channel) -> bytes:
    period = f"{world.now:%Y-%m-%d}" if channel.on_demand else f"{world.now:%Y-%m}"
    return SeededRandomness(f"{world.label}|{channel.code}|{period}").token_bytes(16)


def _receiver(world: World, device: str) -> Receiver:
    """With its own key, made when the receiver is first used."""
    keys = _head_end(world).receivers
    if device not in keys:
        keys[device] = world.randomness.token_bytes(16)
    return Receiver(world.profile(world.application_of(device)).aid, keys[device])


def _emms(world: World, card: str, device: str) -> EmmMaker:
    application = world.application_of(device)
    factors = np.frombuffer(card_factor(world.card(card).number), np.uint8).reshape(1, 8)
    algorithm = world.profile(application).keys[0].algorithm
    [key] = world.keys(world.sector_of(application)).chip_keys(
        Purpose.MAINTENANCE, algorithm=algorithm, version=1, factors8=factors
    )
    return EmmMaker(bytes(key.tobytes()))


def play_pair(step: Pair, world: World) -> Text:
    card, device = world.card(step.card), world.device(step.device)[1]
    _receiver(world, step.device)
    profile = world.profile(world.application_of(step.device))
    [factory] = [key for key in profile.keys if (key.use, key.kid) == (KeyUse.EXTERNAL_AUTHENTICATE, PAIRING)]
    own = _head_end(world).receivers[step.device]
    Receiver(profile.aid, factory.initial).pass_on(
        card.link, partial(_pairing, _emms(world, step.card, step.device), own)
    )
    return Text(
        f"{card.title.en} is paired with {device.title_en}", f"{card.title.zh}与{device.title_zh}配对"
    )


def _pairing(emms: EmmMaker, own: bytes, rand4: bytes) -> bytes:
    return emms.pairing_key(rand4, own)


def _service(emms: EmmMaker, slot: int, key16: bytes, rand4: bytes) -> bytes:
    return emms.service_key(rand4, slot, key16)


def _send(world: World, card: str, device: str, keys: Mapping[int, bytes]) -> None:
    receiver, emms = _receiver(world, device), _emms(world, card, device)
    for slot, key in keys.items():
        receiver.pass_on(world.card(card).link, partial(_service, emms, slot, key))


def _note(world: World, card: str, device: str, values: Mapping[str, str]) -> None:
    """What is entitled stands on the card for the holder to see; the keys decide."""
    application, found = world.application_of(device), world.card(card)
    write_records(
        found.link, world.maintenance(application), aid=world.profile(application).aid, card_no=found.number,
        records=world.record_specs(application), values=values,
    )  # fmt: skip


def play_entitle(step: Entitle, world: World) -> Text:
    card, sub = world.card(step.card), held(world, step.name)
    channels = [_channel(world, code) for code in sub.plan.services]
    head = Text(f"The head-end renews {card.title.en}", f"前端更新{card.title.zh}授权")
    try:
        sub.serve(world, sub.plan.services[0])
    except SubscriptionRefused as error:
        expect_refused(step.refused, error.reason, error)
        slots = {channel.slot for channel in world.sector.channels}
        _send(world, step.card, step.device, {slot: world.randomness.token_bytes(16) for slot in slots})
        _note(world, step.card, step.device, {"channels": "none"})
        world.count(Counted.REFUSED, reason=error.reason, product=sub.plan.code)
        return Text(
            f"{head.en}: refused, {error.reason}; its keys are spoilt", f"{head.zh}：{error.reason}，停授权"
        )
    expect_done(step.refused)
    _send(world, step.card, step.device, {one.slot: _service_key(world, one) for one in channels})
    until = (world.now.date().replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    _note(
        world,
        step.card,
        step.device,
        {"channels": ",".join(sub.plan.services), "paid until": f"{until:%Y%m%d}"},
    )
    for one in channels:
        world.count(Counted.WRITTEN, record=one.code, device=step.device)
    names = ", ".join(one.title_en for one in channels), "、".join(one.title_zh for one in channels)
    return Text(f"{head.en} until {until}: {names[0]}", f"{head.zh}至{until}：{names[1]}")


def play_buy_title(step: BuyTitle, world: World) -> Text:
    card, sub, channel = world.card(step.card), held(world, step.name), _channel(world, step.channel)
    shown = format_minor(step.amount)
    head = Text(
        f"{card.title.en} orders {channel.title_en} for {shown}",
        f"{card.title.zh}点播{channel.title_zh}，{shown}",
    )
    try:
        sub.serve(world, sub.plan.services[0])
        sub.own.charge(world.now.date(), step.amount)
    except SubscriptionRefused as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, reason=error.reason, product=channel.code)
        return Text(f"{head.en}: refused, {error.reason}", f"{head.zh}：拒绝（{error.reason}）")
    expect_done(step.refused)
    world.move(sub.plan.payee, step.owner, step.amount)
    _send(world, step.card, step.device, {channel.slot: _service_key(world, channel)})
    world.count(Counted.MOVED, step.amount, account=step.owner, product=channel.code)
    return Text(f"{head.en}, good until midnight", f"{head.zh}，当日有效")


def play_watch(step: Watch, world: World) -> Text:
    card, device, channel = world.card(step.card), world.device(step.device)[1], _channel(world, step.channel)
    head = Text(
        f"{card.title.en} in {device.title_en}: {channel.title_en}",
        f"{card.title.zh}在{device.title_zh}收看{channel.title_zh}",
    )
    word = world.randomness.token_bytes(16)
    packet, ecm = scramble(word, _PICTURE), make_ecm(_service_key(world, channel), word, channel.code)
    try:
        shown = _receiver(world, step.device).watch(card.link, channel.slot, channel.code, ecm, packet)
    except AccessRefused as error:
        expect_refused(step.refused, error.reason, error)
        world.count(Counted.REFUSED, reason=error.reason, device=step.device)
        return Text(f"{head.en} stays scrambled: {error.reason}", f"{head.zh}：无法解扰（{error.reason}）")
    expect_done(step.refused)
    if shown != _PICTURE or packet == _PICTURE:
        raise StepFailed("the picture is not clear", where=step.device)
    world.count(Counted.ADMITTED, device=step.device, product=channel.code)
    return Text(f"{head.en} is clear", f"{head.zh}：画面清晰")


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {
    Pair: play_pair,
    Entitle: play_entitle,
    BuyTitle: play_buy_title,
    Watch: play_watch,
}
