"""Plays the steps at folders of a card: a key is proved by EXTERNAL AUTHENTICATE, records are read and written by APDU.

Each folder has a key to read and one to update, each with a root of its own in the authority's key service, which
answers the card's challenge and makes the MAC of what is written.
"""

from __future__ import annotations

from jinka.app.sector_cards import VirtualCard
from jinka.app.sector_masking import shown_value
from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_remembered import remember, texts_of
from jinka.app.sector_world import StepFailed, World
from jinka.codec import Command
from jinka.codec.fields import decode_field, encode_field
from jinka.declaration import Counted
from jinka.declaration.steps_folders import OpenFolder
from jinka.profile import ApplicationProfile, FileSpec, KeyUse
from jinka.profile.records import RecordSpec
from jinka.reports.day import Text
from jinka.terminal.link import ChipRefused, ask, ask_exactly
from jinka.terminal.reading import select
from jinka.terminal.records import prove_access

_RANDOM = bytes.fromhex("0084000004")


def play_open_folder(step: OpenFolder, world: World) -> Text:
    card, device = world.card(step.card), world.device(step.device)[1]
    application = world.application_of(step.device)
    world.require_own(step.device, application)
    specs = {spec.name: spec for spec in world.record_specs(application)}
    writes = texts_of(world, step.writes)
    head = Text(f"{device.title_en} opens {card.title.en}", f"{device.title_zh}外部认证{card.title.zh}")
    try:
        for name, wanted in step.reads.items():
            _open(step, world, card, application, specs[name], writes=False)
            found = _read(card, specs[name])
            if found != wanted:
                found, wanted = (shown_value(specs[name], value) for value in (found, wanted))
                raise StepFailed(f"{name} is {found!r}, not {wanted!r}", where=step.device)
        for name, value in writes.items():
            _open(step, world, card, application, specs[name], writes=not step.reading)
            _write(world, card, application, specs[name], value)
            world.count(Counted.WRITTEN, record=name, application=application, device=step.device)
    except ChipRefused as error:
        expect_refused(step.refused, f"{error.sw:04X}", error)
        world.count(Counted.REFUSED, device=step.device, application=application, reason=f"{error.sw:04X}")
        return Text(f"{head.en}: refused by the card ({error})", f"{head.zh}：卡拒绝（{error.sw:04X}）")
    expect_done(step.refused)
    world.written_onto(step.card, application).update(writes)
    remember(world, step.remembers, {**step.reads, **writes})
    known = (*step.reads.items(), *writes.items())
    rows = [(name, shown_value(specs[name], value)) for name, value in known]
    return Text(
        f"{head.en}: " + ", ".join(f"{specs[name].title_en} {value or 'empty'}" for name, value in rows),
        f"{head.zh}：" + "，".join(f"{specs[name].title_zh}{value or '未写'}" for name, value in rows),
    )


def _open(
    step: OpenFolder, world: World, card: VirtualCard, application: str, spec: RecordSpec, *, writes: bool
) -> None:
    profile = world.profile(application)
    select(card.link, profile.aid)
    if spec.folder:
        select(card.link, next(folder.name for folder in profile.folders if folder.fid == spec.folder))
    if not step.proves:
        return
    file = _file(profile, spec)
    level = (file.write_right if writes else file.read_right) & 0x0F
    key = next(
        key for key in profile.keys
        if key.use is KeyUse.EXTERNAL_AUTHENTICATE and (key.folder, key.state_after) == (spec.folder, level)
    )  # fmt: skip
    prove_access(card.link, key.kid, world.access(application, key), card.number)


def _file(profile: ApplicationProfile, spec: RecordSpec) -> FileSpec:
    return next(file for file in profile.files if (file.folder, file.fid) == (spec.folder, spec.fid))


def _read(card: VirtualCard, spec: RecordSpec) -> str:
    ask(card.link, f"select {spec.fid:04X}", Command(0x00, 0xA4, 0, 0, spec.fid.to_bytes(2, "big")).build())
    raw = ask(card.link, f"read {spec.name}", bytes((0x00, 0xB2, spec.number, 0x04, spec.length + 2)))
    return decode_field(spec.coding, raw[2:])


def _write(world: World, card: VirtualCard, application: str, spec: RecordSpec, value: str) -> None:
    body = bytes((spec.number, spec.length)) + encode_field(spec.coding, value, spec.length)
    rand4 = ask_exactly(card.link, "get challenge", _RANDOM, 4)
    place = (spec.fid & 0x1F) << 3 | 0x04
    message = Command(0x04, 0xDC, spec.number, place, body + bytes(4)).build()[: 5 + len(body)]
    mac = world.maintenance(application).message_mac(card.number, rand4, message)
    ask(card.link, f"update {spec.name}", message + mac)
