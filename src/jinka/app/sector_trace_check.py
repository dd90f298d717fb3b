"""The walker's part for things that are followed: codes that are codes, and nothing declared that no journey uses.

That a trace reaches what is declared and a recall its holders exactly, is what playing the journeys demands
(`jinka.app.sector_trace_answers`); here is that the journeys ask at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jinka.app.sector_trace_world import check_codes, check_place
from jinka.declaration import (
    AnswerRecall,
    CheckItem,
    CloseRecall,
    Commissioned,
    Conditions,
    Journey,
    Recall,
    Sector,
    Step,
    StoreGoods,
    Trace,
    TraceBack,
    TraceForward,
)
from jinka.kit import JinkaError

Complain = Callable[[str, str, str], None]
_NAMING = ("what", "parent", "inputs", "outputs", "code", "holds")
_PLACED = ("place", "to", "source", "holder")


def check_trace(sector: Sector, complain: Complain) -> int:
    """How many item classes and places were looked at; complains of what is wrong or unused."""
    trace = sector.trace
    steps = [step for journey in sector.journeys for step in journey.steps]
    if trace is None:
        return 0
    for item in trace.items:
        try:
            if wrong := check_codes(item):
                complain("CODE", item.name, wrong)
        except JinkaError as error:
            complain("CODE", item.name, str(error))
    for place in trace.places:
        try:
            check_place(place)
        except JinkaError as error:
            complain("CODE", place.name, str(error))
    _used(trace, steps, complain)
    _recalls(sector, complain)
    for journey in sector.journeys:
        for name in _unused(journey):
            complain("UNUSED", name, "what a check found is remembered, and no later step takes it")
    if not any(isinstance(step, TraceBack | TraceForward) for step in steps):
        complain("UNUSED", "trace", "no journey asks where a thing comes from or where it went")
    return len(trace.items) + len(trace.places)


def _used(trace: Trace, steps: list[Step], complain: Complain) -> None:
    items = {name for step in steps for name in _item_names(step)}
    for item in trace.items:
        if item.name not in items:
            complain("UNUSED", item.name, "no journey names one of this kind")
    zones = {zone.name: zone.place for zone in trace.zones}
    places = {getattr(step, field, "") for step in steps for field in _PLACED}
    places |= {zones.get(step.zone, "") for step in steps if isinstance(step, StoreGoods)}
    for place in trace.places:
        if place.name not in places:
            complain("UNUSED", place.name, "nothing happens at the place")
    for limit in trace.kept:
        seen = [
            step for step in steps
            if isinstance(step, Conditions) and (limit.name in step.limits or not step.limits)
        ]  # fmt: skip
        for broken in (False, True):
            if not any((step.excursions > 0) is broken for step in seen):
                how = "broken" if broken else "kept"
                complain("UNUSED", limit.name, f"no journey in which the limit is {how}")
    for zone in trace.zones:
        for refused in (False, True):
            if not any(
                isinstance(step, StoreGoods) and step.zone == zone.name and bool(step.refused) is refused
                for step in steps
            ):
                complain(
                    "UNUSED", zone.name, f"no journey in which goods are {'refused' if refused else 'taken'}"
                )
    for code in trace.rules:
        if trace.rules[code] == "refuse" and not any(getattr(step, "refused", "") == code for step in steps):
            complain("UNUSED", code, "no journey in which the rule refuses")


def _unused(journey: Journey) -> Iterator[str]:
    """Answers that a journey keeps and does nothing with: the story would look as if somebody had heeded them."""
    for at, step in enumerate(journey.steps):
        if isinstance(step, CheckItem | Conditions):
            later = repr(journey.steps[at + 1 :])
            yield from (name for name in step.remembers if f"'={name}'" not in later)


def _item_names(step: Step) -> Iterator[str]:
    for field in _NAMING:
        text = getattr(step, field, "")
        if isinstance(text, str) and not (isinstance(step, Recall) and step.kind in ("place", "device")):
            for part in text.split(","):
                yield part.strip().partition(" ")[0].partition("/")[0].partition("#")[0]


def _recalls(sector: Sector, complain: Complain) -> None:
    """A recall that holds back is seen to hold back, and every holder answers before it is closed."""
    for journey in sector.journeys:
        for at, step in enumerate(journey.steps):
            if not isinstance(step, Recall):
                continue
            after = journey.steps[at + 1 :]
            held = any(getattr(each, "refused", "") == "QUARANTINED" for each in after)
            if not step.drill and not held:
                complain("UNUSED", step.name, "nothing is seen to be held back by the recall")
            answered = {each.holder for each in after if isinstance(each, AnswerRecall) and not each.refused}
            closed = any(isinstance(each, CloseRecall) and each.recall == step.name for each in after)
            for name in step.holders:
                if closed and name not in answered:
                    complain("UNUSED", step.name, f"{name} does not answer the recall")
    if any(item.tag for item in (sector.trace.items if sector.trace else ())) and not any(
        isinstance(step, Commissioned) for journey in sector.journeys for step in journey.steps
    ):
        complain("UNUSED", "trace", "tags that no journey writes")


def trace_texts(trace: Trace) -> Iterator[tuple[str, str, str]]:
    """All wordings of a trace, by the name of what they call."""
    for group in (trace.items, trace.places, trace.kept, trace.zones):
        for one in group:
            yield one.name, one.title_en, one.title_zh
