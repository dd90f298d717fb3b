"""Plays the step that empties an old card into a new one: unloaded at one counter, loaded at the same or another.

JR/T 0025.1: the unload is authorised and concluded by the issuer's host, under its unload key; the load likewise. What
the counter took off and paid in is cleared with the day, each under its own application.
"""

from __future__ import annotations

from jinka.app.sector_purse import balance_of, play_load
from jinka.app.sector_world import ZONE, StepFailed, World
from jinka.declaration import DeviceKind, Load, MoveBalance
from jinka.issuer import UnloadHost
from jinka.kit import Usage, format_minor
from jinka.profile import KeyUse
from jinka.reports.day import Text
from jinka.terminal import PassbookDevice, PassbookTerminal


def play_move_balance(step: MoveBalance, world: World) -> Text:
    """The amount must be all that the old card holds, and nothing is left on it."""
    old = world.card(step.old)
    sector, device = world.device(step.device)
    if device.kind is not DeviceKind.LOAD:
        raise Usage(
            f"{step.device} is a {device.kind.value}", where=world.journey.name, fix="use a load counter"
        )
    application = world.application_of(step.device)
    profile, owner = world.profile(application), world.sector_of(application)
    if not any(key.use is KeyUse.UNLOAD for key in profile.keys):
        raise Usage("no unload key", where=profile.name, fix="declare the application with unloads")
    held = balance_of(old, profile)
    if held != step.amount:
        raise StepFailed(f"the card holds {held}, not {step.amount}", where=step.old)
    counter = PassbookTerminal(
        PassbookDevice(
            terminal_id=world.terminal_number(step.device), aid=profile.aid, profile=profile.name,
            profile_version=profile.version, unload_key_index=1, limit_key_index=1, zone=ZONE,
            operator=device.operator or sector.load_agent, acquirer=sector.acquirer,
            issuers={world.issuer_number(owner): owner.issuer}, purse=profile.purse_spec.fid & 0x1F,
        ),
        world.now.date(),
    )  # fmt: skip
    host = UnloadHost(world.keys(owner), world.concluded(application))
    record = counter.unload(old.link, step.amount, world.now, host)
    world.records.setdefault(application, []).append(record)
    if (left := balance_of(old, profile)) != 0:
        raise StepFailed(f"{left} is left on the old card", where=step.old)
    loaded = play_load(Load(step.new, step.new_device or step.device, step.amount), world)
    shown = format_minor(step.amount, profile.purse_spec.unit)
    return Text(
        f"{shown} unloaded from {old.title.en} at {device.title_en}, nothing is left on it. {loaded.en}",
        f"{old.title.zh}在{device.title_zh}圈提{shown}，旧卡余额为零。{loaded.zh}",
    )
