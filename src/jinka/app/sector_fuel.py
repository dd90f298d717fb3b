"""Plays the steps of fuel cards: real pumps with PSAMs, the issuer's hosts, and the clearing of what cards paid.

JR/T 0025.9 (`jinka.terminal.fuel`, `jinka.issuer.ReleaseHost`). A pump keeps its claims in memory as long as the
journey; loss of power has its own tests (tests/terminal).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from jinka.app.sector_cards import VirtualCard, pin_bytes
from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_remembered import number_of
from jinka.app.sector_world import ZONE, StepFailed, World
from jinka.card import SamKey, make_psam
from jinka.card.nvm import PowerCut
from jinka.card.psam_keys import GREY_TYPE
from jinka.codec.clearing import ClearingRecord
from jinka.declaration import (
    Counted,
    DeviceKind,
    Distribute,
    Fill,
    FundMaster,
    Lock,
    Restrict,
    Step,
    Unlock,
    UnlockOnline,
)
from jinka.issuer import LoadHost, ReleaseHost, UnloadHost
from jinka.keys import Purpose
from jinka.kit import Refused, Usage, format_minor
from jinka.reports.day import Text
from jinka.sim.field import PSAM_NAME
from jinka.terminal import (
    BlockList,
    FuelDevice,
    FuelOutcome,
    FuelStatus,
    FuelTerminal,
    LoadDevice,
    LoadTerminal,
    PassbookDevice,
    PassbookTerminal,
)
from jinka.terminal.link import ApduLink, CardRemoved, ask, ask_exactly
from jinka.terminal.reading import select

_GREY_LOCK, _GREY_UNLOCK = 0x7C, 0x7E
_RULE_FILE = 0x1C


@dataclass(slots=True)
class _PulledAfter:
    """A reader from which the card is pulled after one command reached it, before the answer did."""

    card: VirtualCard
    instruction: int

    def transmit(self, command: bytes) -> bytes:
        chip = self.card.link.card
        if command[1] != self.instruction:
            return chip.transmit(command)
        with contextlib.suppress(PowerCut):
            chip.transmit(command)
        chip.power_up()
        raise CardRemoved("pulled away", where="reader", fix="present the card again")


def play_lock(step: Lock, world: World) -> Text:
    card, device = world.card(step.card), world.device(step.device)[1]
    head = Text(f"{card.title.en} at {device.title_en}", f"{card.title.zh}在{device.title_zh}")
    outcome = _pump(world, step.device).lock(_link(card, _GREY_LOCK if step.torn else 0), world.now)
    if step.torn and outcome.status is FuelStatus.UNSURE:
        return Text(f"{head.en} is pulled away at the lock: nothing flows", f"{head.zh}灰锁时被拿走：不出油")
    if outcome.status is FuelStatus.LOCKED and step.pays is None:
        expect_done(step.refused)
        assert outcome.hold is not None
        most = format_minor(outcome.hold.most)
        return Text(f"{head.en} is locked grey, for {most} at most", f"{head.zh}灰锁，最多加{most}")
    if outcome.status is FuelStatus.DONE and outcome.record is not None and step.pays is not None:
        expect_done(step.refused)
        return _paid(world, step.device, outcome.record, step.pays, head)
    return _refused(world, step.device, outcome, step.refused, head)


def play_fill(step: Fill, world: World) -> Text:
    card, device = world.card(step.card), world.device(step.device)[1]
    amount = number_of(world, step.amount)
    shown = format_minor(amount)
    try:
        _pump(world, step.device).settle(card.number, amount)
    except Refused as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, device=step.device, reason="FILL")
        return Text(f"{device.title_en} stops before {shown} ({error})", f"{device.title_zh}在{shown}前停止")
    expect_done(step.refused)
    return Text(f"{device.title_en} has filled {shown}", f"{device.title_zh}加油{shown}")


def play_unlock(step: Unlock, world: World) -> Text:
    card, device = world.card(step.card), world.device(step.device)[1]
    owner = step.pump or step.device
    claim = _pump(world, owner).claims.get(card.number)
    if claim is None:
        raise StepFailed("no claim", where=owner, fix="fill first")
    head = Text(f"{card.title.en} at {device.title_en}", f"{card.title.zh}在{device.title_zh}")
    link = _link(card, _GREY_UNLOCK if step.torn else 0)
    outcome = _pump(world, step.device).release(link, claim, world.now)
    if outcome.record is not None and outcome.status is FuelStatus.TORN and step.torn:
        _keep(world, step.device, outcome.record)
        return Text(f"{head.en} is pulled away while it pays", f"{head.zh}扣款时被拿走")
    if outcome.status is not FuelStatus.DONE or outcome.record is None:
        return _refused(world, step.device, outcome, step.refused, head)
    expect_done(step.refused)
    if step.pump:
        _pump(world, owner).settled(outcome.record)
    return _paid(world, step.device, outcome.record, number_of(world, step.pays), head)


def play_unlock_online(step: UnlockOnline, world: World) -> Text:
    card, device = world.card(step.card), world.device(step.device)[1]
    application = world.application_of(step.device)
    host = _release_host(world, application)
    pump = _pump(world, step.pump)
    if step.told:
        host.take(pump.claims[card.number])
    head = Text(f"{card.title.en} at {device.title_en}", f"{card.title.zh}在{device.title_zh}")
    try:
        amount = _pump(world, step.device).release_online(card.link, world.now, host)
    except Refused as error:
        card.link.card.power_up()
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, device=step.device, reason="RELEASE")
        return Text(f"{head.en}: the issuer does not release it ({error})", f"{head.zh}：发卡方未予解锁")
    expect_done(step.refused)
    record = next(one for one in host.concluded.values() if one.card_no == card.number)
    pump.settled(record)
    return _paid(
        world, step.device, record, step.pays, Text(f"{head.en}, by the issuer", f"{head.zh}联机解锁"), amount
    )


def play_fund_master(step: FundMaster, world: World) -> Text:
    card, device = world.card(step.master), world.device(step.device)[1]
    application = world.application_of(step.device)
    record = _loads(world, step.device, application, purse=1).load(
        card.link, step.amount, world.now, _load_host(world, application), pin=pin_bytes(step.pin)
    )
    world.records.setdefault(application, []).append(record)
    shown = format_minor(step.amount)
    return Text(
        f"{shown} paid onto the passbook of {card.title.en} at {device.title_en}",
        f"{card.title.zh}在{device.title_zh}存入存折{shown}",
    )


def play_distribute(step: Distribute, world: World) -> Text:
    master, sub, device = world.card(step.master), world.card(step.sub), world.device(step.device)[1]
    application = world.application_of(step.device)
    shown = format_minor(step.amount)
    head = Text(
        f"{master.title.en} gives {shown} to {sub.title.en}", f"{master.title.zh}向{sub.title.zh}分配{shown}"
    )
    host = UnloadHost(world.keys(world.sector_of(application)), world.concluded(application))
    kept = world.records.setdefault(application, [])
    try:
        taken = _desk(world, step.device, application).unload(
            master.link, step.amount, world.now, host, pin=pin_bytes(step.pin)
        )
    except Refused as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, device=step.device, reason="DISTRIBUTE")
        return Text(f"{head.en}: refused ({error})", f"{head.zh}：拒绝")
    expect_done(step.refused)
    kept.append(taken)
    kept.append(
        _loads(world, step.device, application, purse=2).load(
            sub.link, step.amount, world.now, _load_host(world, application)
        )
    )
    world.count(Counted.MOVED, step.amount, account=device.name)
    return head


def play_restrict(step: Restrict, world: World) -> Text:
    """UPDATE BINARY of 001C under the maintenance key."""
    card, device = world.card(step.card), world.device(step.device)[1]
    application = world.application_of(step.device)
    select(card.link, world.profile(application).aid)
    rand4 = ask_exactly(card.link, "get challenge", bytes.fromhex("0084000004"), 4)
    body = step.grades.to_bytes(2, "big") + step.most.to_bytes(4, "big")
    message = bytes((0x04, 0xD6, 0x80 | _RULE_FILE, 0, len(body) + 4)) + body
    mac = world.maintenance(application).message_mac(card.number, rand4, message)
    ask(card.link, "update 001C", message + mac)
    world.count(Counted.WRITTEN, record="001C", application=application, device=step.device)
    shown = format_minor(step.most)
    return Text(
        f"{device.title_en} limits {card.title.en} to grades {step.grades:06b}, {shown} for one refuelling",
        f"{device.title_zh}限定{card.title.zh}：油品{step.grades:06b}，单次{shown}",
    )


def _product(world: World, application: str) -> str:
    """What a pump sells is the one product of the cards' tariff."""
    products = world.sector_of(application).tariffs[application].products
    if len(products) != 1:
        raise Usage(f"{len(products)} products", where=f"tariff of {application}", fix="a pump sells one")
    return products[0].code


def _pump(world: World, name: str) -> FuelTerminal:
    """The pump of a device with its PSAM; it obeys the list of now."""
    sector, device = world.device(name)
    if device.kind is not DeviceKind.PUMP:
        raise Usage(f"{name} is a {device.kind.value}", where=world.journey.name, fix="use a pump")
    profile = world.profile(world.application_of(name))
    owner = world.sector_of(profile.name)
    if profile.purse_spec.grey is None:
        raise Usage("a purse without a grey lock", where=profile.name, fix="declare its GreySpec")
    number, algorithm = world.terminal_number(name), profile.keys[0].algorithm
    root = world.keys(owner).sam_key(Purpose.GREY_LOCK, algorithm=algorithm, version=1)
    data = FuelDevice(
        aid=profile.aid, profile=profile.name, profile_version=profile.version, purse=2, key_index=1,
        release_key_index=1, grey=profile.purse_spec.grey, station=device.station or name, zone=ZONE,
        product=_product(world, profile.name),
        operator=device.operator, acquirer=sector.acquirer, issuers={world.issuer_number(owner): owner.issuer},
        psam_name=PSAM_NAME, grade=device.grade,
    )  # fmt: skip

    def make() -> FuelTerminal:
        psam = make_psam(
            terminal_id=number, psam_id=number.rjust(10, b"\x01"), transport_key=world.randomness.token_bytes(16),
            keys=[SamKey(version=1, algorithm=algorithm, level=2, key=root, type=GREY_TYPE)],
            randomness=world.randomness,
        )  # fmt: skip
        return FuelTerminal(data, psam, world.now.date())

    pump = world.service(f"pump {name}", make)
    pump.business_date = world.now.date()
    pump.block_list = BlockList(version=len(world.blocked) + 1, entries=dict(world.blocked))
    return pump


def _link(card: VirtualCard, pulled_at: int) -> ApduLink:
    return _PulledAfter(card, pulled_at) if pulled_at else card.link


def _release_host(world: World, application: str) -> ReleaseHost:
    def make() -> ReleaseHost:
        keys = world.keys(world.sector_of(application))
        return ReleaseHost(keys, world.now.date(), world.concluded(application))

    host = world.service(f"releases {application}", make)
    host.business_date = world.now.date()
    return host


def _load_host(world: World, application: str) -> LoadHost:
    limit = world.profile(application).purse_spec.limit
    return LoadHost(world.keys(world.sector_of(application)), purse_limit=limit)


def _loads(world: World, name: str, application: str, *, purse: int) -> LoadTerminal:
    (sector, device), profile = world.device(name), world.profile(application)
    owner = world.sector_of(application)
    return LoadTerminal(
        LoadDevice(
            terminal_id=world.terminal_number(name), aid=profile.aid, profile=profile.name, key_index=1,
            profile_version=profile.version, zone=ZONE, operator=device.operator or sector.load_agent,
            acquirer=sector.acquirer, issuers={world.issuer_number(owner): owner.issuer}, purse=purse,
        ),
        world.now.date(),
    )  # fmt: skip


def _desk(world: World, name: str, application: str) -> PassbookTerminal:
    (sector, device), profile = world.device(name), world.profile(application)
    owner = world.sector_of(application)
    return PassbookTerminal(
        PassbookDevice(
            terminal_id=world.terminal_number(name), aid=profile.aid, profile=profile.name, zone=ZONE,
            profile_version=profile.version, unload_key_index=1, limit_key_index=1, acquirer=sector.acquirer,
            operator=device.operator or sector.load_agent, issuers={world.issuer_number(owner): owner.issuer},
        ),
        world.now.date(),
    )  # fmt: skip


def _keep(world: World, device: str, record: ClearingRecord) -> None:
    """A later word on the same lock takes the place of the earlier."""
    records = world.records.setdefault(world.application_of(device), [])
    for place, one in enumerate(records):
        if (one.terminal_id, one.terminal_serial) == (record.terminal_id, record.terminal_serial):
            records[place] = replace(record, business_date=one.business_date)
            return
    records.append(record)


def _paid(
    world: World, device: str, record: ClearingRecord, wanted: int, head: Text, told: int | None = None
) -> Text:
    if wanted not in (record.amount,) or told not in (None, record.amount):
        raise StepFailed(f"{record.amount} was debited, not {wanted}", where=device)
    _keep(world, device, record)
    shown, left = format_minor(record.amount), format_minor(record.balance)
    return Text(f"{head.en} pays {shown} and is free, {left} left", f"{head.zh}扣{shown}并解锁，余额{left}")


def _refused(world: World, device: str, outcome: FuelOutcome, wanted: str, head: Text) -> Text:
    expect_refused(wanted, outcome.status.name, f"{outcome.status.value} {outcome.step} {outcome.sw:04X}")
    world.count(Counted.REFUSED, device=device, reason=outcome.status.name)
    return Text(
        f"{head.en}: {outcome.status.value} {outcome.step}".rstrip(),
        f"{head.zh}：拒绝（{outcome.status.name}）",
    )


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {
    Lock: play_lock,
    Fill: play_fill,
    Unlock: play_unlock,
    UnlockOnline: play_unlock_online,
    FundMaster: play_fund_master,
    Distribute: play_distribute,
    Restrict: play_restrict,
}
