"""Plays the steps in which a second card decides what a purse pays, such as a pass card at the exit of a motorway."""

from __future__ import annotations

from jinka.app.sector_purse import play_tap
from jinka.app.sector_remembered import fact_of
from jinka.app.sector_world import StepFailed, World
from jinka.declaration import PayFor, Tap
from jinka.reports.day import Text
from jinka.terminal.records import read_records


def play_pay_for(step: PayFor, world: World) -> Text:
    """Numbers are read as numbers, all else as words; a record that the device cannot read ends the step."""
    other = world.card(step.other)
    specs = {spec.name: spec for spec in world.record_specs(step.application)}
    wanted = [specs[name] for name in step.reads.values()]
    readings = read_records(other.link, world.profile(step.application).aid, wanted)
    found = {one.record.name: one for one in readings}
    facts = {name: fact_of(world, value) for name, value in step.facts.items()}
    for fact, name in step.reads.items():
        value = found[name].value
        if value is None:
            raise StepFailed(f"{name} cannot be read ({found[name].reason})", where=step.device)
        facts[fact] = int(value) if value.isdigit() else value
    sheet = world.sector.sheet(step.sheet)
    due = world.fill(sheet, facts)[sheet.result]
    tapped = Tap(step.card, step.device, step.pays, gross=due, refused=step.refused)
    paid = play_tap(tapped, world)
    read_en = ", ".join(f"{specs[name].title_en} {found[name].value}" for name in step.reads.values())
    read_zh = "，".join(f"{specs[name].title_zh}{found[name].value}" for name in step.reads.values())
    return Text(f"{other.title.en} says {read_en}. {paid.en}", f"读{other.title.zh}：{read_zh}。{paid.zh}")
