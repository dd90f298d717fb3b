"""Plays the events of things that are followed: each becomes an EPCIS event that the journey's repository captures.

Every event is a document on the capture road (`jinka.app.sector_trace_world`); a rule that refuses it, or remarks on
it, is what the step must have said. Questions to what was captured are played by `jinka.app.sector_trace_answers`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_reasons import reason_text
from jinka.app.sector_remembered import forget, remember, spend, why_missing
from jinka.app.sector_trace_storage import goods_of, laid, not_here, stock, take_out, why_not
from jinka.app.sector_trace_world import (
    Named,
    Repository,
    amount_text,
    code_number,
    repository,
    tag_of,
)
from jinka.app.sector_world import ZONE, StepFailed, World
from jinka.codec.epcis import (
    Action,
    Event,
    EventType,
    Extension,
    Place,
    SensorElement,
    SensorReport,
    Typed,
)
from jinka.codec.tags.tid import parse_tid
from jinka.declaration import Counted
from jinka.declaration.steps_trace import (
    Commissioned,
    Destroyed,
    Measured,
    Observed,
    Packed,
    Received,
    Shipped,
    Sold,
    StoreGoods,
    TraceStep,
    Transformed,
    Unpacked,
)
from jinka.kit import JinkaError, Usage, utc_micros
from jinka.reports.day import Text
from jinka.trace.conditions import SEAL
from jinka.trace.rules import RULES

CBV = "https://ref.gs1.org/cbv/"
VOC = "https://gs1.org/voc/"
UNREADABLE = "UNREADABLE"
MADE = "transforming"  # how a transformation is counted
_OFFSET = "+08:00"  # of `ZONE`, all year
_MASTER = "urn:epcglobal:cbv:mda"
_LOCATION, _PARTY = f"{CBV}SDT-location", f"{CBV}SDT-possessing_party"
_LEAVING = frozenset(
    {"shipping", "departing", "retail_selling", "dispensing", "destroying", "decommissioning", "loading"}
)
_STEPS = {  # CBV 2.0, 7.1, as a sentence has them
    "accepting": ("accepts", "验收"), "arriving": ("takes in on arrival", "到达"), "assembling": ("assembles", "装配"),
    "collecting": ("collects", "收集"), "commissioning": ("puts codes on", "赋码"), "consigning": ("consigns", "托运"),
    "creating_class_instance": ("begins", "建批"), "cycle_counting": ("counts", "盘点"),
    "decommissioning": ("takes codes off", "注销"), "departing": ("sends off", "发车"),
    "destroying": ("destroys", "销毁"), "disassembling": ("takes apart", "拆解"), "dispensing": ("dispenses", "发药"),
    "encoding": ("writes tags of", "写标签"), "entering_exiting": ("sees pass", "进出"),
    "holding": ("holds back", "扣留"),
    "inspecting": ("inspects", "检验"), "installing": ("installs", "安装"), "killing": ("kills tags of", "灭活标签"),
    "loading": ("loads", "装车"), "packing": ("packs", "装箱"), "picking": ("picks", "拣货"),
    "receiving": ("receives", "收货"), "removing": ("removes", "拆下"), "repackaging": ("repacks", "改包装"),
    "repairing": ("repairs", "维修"), "replacing": ("replaces", "更换"), "reserving": ("reserves", "预留"),
    "retail_selling": ("sells", "销售"), "sampling": ("takes samples of", "抽样"),
    "sensor_reporting": ("measures", "传感器上报"), "shipping": ("ships", "发货"),
    "staging_outbound": ("stages", "待运"),
    "stock_taking": ("takes stock of", "清点"), "stocking": ("stocks", "上架"), "storing": ("stores", "入库"),
    "transforming": ("makes", "制造"), "transporting": ("carries", "运输"), "unloading": ("unloads", "卸车"),
    "unpacking": ("unpacks", "拆箱"), "void_shipping": ("takes back the shipment of", "撤销发货"),
}  # fmt: skip
_CANONICAL = re.compile(r"(?:https://id\.gs1\.org/|urn:)[^\s,;]+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")


def play_commissioned(step: Commissioned, world: World) -> Text:
    here = repository(world)
    named = here.named(step.what)
    word = "commissioning" if named.epcs else "creating_class_instance"
    event = _object(
        world, step, word, named, step.place, action=Action.ADD, ilmd=_ilmd(here, named, step.lot, step.data)
    )
    tags = [tag_of(item, uri) for item, uri in zip(named.classes, named.epcs[:1], strict=False) if item.tag]
    if step.tid:
        _bind(here, step, named)
    tail = Text(f", lot {step.lot}", f"，批次{step.lot}") if step.lot else Text("", "")
    if tags:
        tail = Text(f"{tail.en}; tag {tags[0]}", f"{tail.zh}；标签{tags[0]}")
    return _captured(step, world, word, event, named, step.place, tail)


def _bind(here: Repository, step: Commissioned, named: Named) -> None:
    if len(named.epcs) != 1:
        raise Usage("one chip bears one code", where="Commissioned.tid", fix="commission each alone")
    tid = bytes.fromhex(step.tid)
    parse_tid(tid)
    if here.chips.saw(named.ids[0], tid, here.clock.now_micros(), step.place) is not True:
        raise StepFailed(
            f"the chip {step.tid} names no one chip, or is bound already", where="Commissioned.tid"
        )


def play_packed(step: Packed, world: World) -> Text:
    return _group(step, world, Action.ADD, step.parent, step.what, step.place)


def play_unpacked(step: Unpacked, world: World) -> Text:
    return _group(step, world, Action.DELETE, step.parent, step.what, step.place)


def _group(step: TraceStep, world: World, action: Action, parent: str, what: str, place: str) -> Text:
    here = repository(world)
    container, named = here.named(parent), here.named(what)
    if len(container.epcs) != 1:
        raise Usage(f"{parent!r} is not one container", where="trace", fix="pallet/1")
    word = "packing" if action is Action.ADD else "unpacking"
    event = replace(
        _begun(EventType.AGGREGATION, word, step, world, place),
        action=action, parent_id=container.epcs[0], child_epcs=named.epcs, child_quantities=named.quantities,
    )  # fmt: skip
    both = Named(
        epcs=(*named.epcs, *container.epcs), quantities=named.quantities,
        classes=(*named.classes, *container.classes), text=named.text if what else Text("all", "全部"),
    )  # fmt: skip
    box = container.text
    tail = Text(f" into {box.en}", f"，装入{box.zh}") if action is Action.ADD else Text(
        f" out of {box.en}", f"（自{box.zh}）"
    )  # fmt: skip
    return _captured(step, world, word, event, both, place, tail)


def play_shipped(step: Shipped, world: World) -> Text:
    here = repository(world)
    named, to = here.named(step.what), here.trace.place(step.to)
    ends = [Typed(id=to.location, type=_LOCATION)]
    if to.possessor:
        ends.append(Typed(id=to.possessor, type=_PARTY))
    event = _object(
        world, step, "shipping", named, step.place, disposition="in_transit", destinations=tuple(ends)
    )
    return _captured(
        step, world, "shipping", event, named, step.place, Text(f" to {to.title_en}", f"，发往{to.title_zh}")
    )


def play_received(step: Received, world: World) -> Text:
    here = repository(world)
    named = here.named(step.what)
    sources = (Typed(id=here.trace.place(step.source).location, type=_LOCATION),) if step.source else ()
    event = _object(world, step, "receiving", named, step.place, disposition="in_progress", sources=sources)
    return _captured(step, world, "receiving", event, named, step.place)


def play_sold(step: Sold, world: World) -> Text:
    word = "dispensing" if step.dispensed else "retail_selling"
    done = "dispensed" if step.dispensed else "retail_sold"
    here = repository(world)
    named = here.named(step.what)
    forget(world, step.remembers)
    event = _object(world, step, word, named, step.place, disposition=done)
    told = _captured(step, world, word, event, named, step.place)
    if step.remembers and not step.refused:
        remember(world, step.remembers, {"number": code_number(here.one(step.what))})
    return told


def play_destroyed(step: Destroyed, world: World) -> Text:
    named = repository(world).named(step.what)
    event = _object(
        world, step, "destroying", named, step.place, action=Action.DELETE, disposition="destroyed"
    )
    return _captured(step, world, "destroying", event, named, step.place)


def play_observed(step: Observed, world: World) -> Text:
    if step.biz_step not in _STEPS or step.biz_step == MADE:
        raise Usage(f"no business step {step.biz_step!r}", where="CBV 2.0, 7.1", fix=", ".join(_STEPS))
    named = repository(world).named(step.what)
    action = Action.DELETE if step.biz_step == "decommissioning" else Action.OBSERVE
    event = _object(world, step, step.biz_step, named, step.place, action=action)
    return _captured(step, world, step.biz_step, event, named, step.place)


def play_transformed(step: Transformed, world: World) -> Text:
    here = repository(world)
    inputs, outputs = here.named(step.inputs), here.named(step.outputs)
    event = replace(
        _begun(EventType.TRANSFORMATION, "commissioning", step, world, step.place),
        input_epcs=inputs.epcs, input_quantities=inputs.quantities, output_epcs=outputs.epcs,
        output_quantities=outputs.quantities, ilmd=_ilmd(here, outputs, step.lot, step.data),
    )  # fmt: skip
    lot = Text(f", lot {step.lot}", f"，批次{step.lot}") if step.lot else Text("", "")
    tail = Text(f"{lot.en} out of {inputs.text.en}", f"{lot.zh}，用料{inputs.text.zh}")
    both = Named(
        epcs=inputs.epcs, quantities=inputs.quantities, text=outputs.text,
        classes=tuple(dict.fromkeys((*outputs.classes, *inputs.classes))),
    )  # fmt: skip
    return _captured(step, world, MADE, event, both, step.place, tail)


def play_measured(step: Measured, world: World) -> Text:
    here = repository(world)
    named = here.named(step.what)
    kind = step.type if ":" in step.type else VOC + step.type
    reports = tuple(
        SensorReport(
            type=kind, value=Decimal(value), uom=step.uom, device_id=step.device or None,
            time_us=utc_micros(at_time(world, time), ZONE),
        )
        for time, value in step.values.items()
    )  # fmt: skip
    event = _object(
        world, step, "sensor_reporting", named, step.place, sensors=(SensorElement(reports=reports),)
    )
    said = [(at_time(world, time), amount_text(value, step.uom)) for time, value in step.values.items()]
    shown = [f"{at:%H:%M} {much}" for at, much in said]
    tail = Text(f": {', '.join(shown)}", f"：{'、'.join(shown)}")
    return _captured(step, world, "sensor_reporting", event, named, step.place, tail)


def play_store(step: StoreGoods, world: World) -> Text:
    here = repository(world)
    zone, named = here.trace.zone(step.zone), here.named(step.what)
    fresh = goods_of(zone, named)
    fault = why_not(zone, here.zones.get(zone.name, {}), fresh) or not_here(here, zone, named)
    if fault is not None:
        expect_refused(step.refused, fault.reason, fault.said.en)
        world.count(Counted.REFUSED, step="storing", place=zone.place, zone=zone.name, reason=fault.reason)
        return Text(
            f"{named.text.en} in {zone.title_en}: refused, {fault.said.en}",
            f"{named.text.zh}存入{zone.title_zh}：拒绝，{fault.said.zh}",
        )
    event = _object(world, step, "storing", named, zone.place)
    into = Text(f" in {zone.title_en}", f"，存入{zone.title_zh}")
    told = _captured(step, world, "storing", event, named, zone.place, into)
    if not step.refused:
        here.zones[zone.name] = laid(here.zones.get(zone.name, {}), fresh)
        world.remembered |= stock(here)
    return told


# Events


def _object(
    world: World, step: TraceStep, word: str, named: Named, place: str, *, action: Action = Action.OBSERVE,
    disposition: str = "", sensors: tuple[SensorElement, ...] = (), destinations: tuple[Typed, ...] = (),
    sources: tuple[Typed, ...] = (), ilmd: tuple[Extension, ...] = (),
) -> Event:  # fmt: skip
    begun = _begun(EventType.OBJECT, word, step, world, place, disposition)
    return replace(
        begun, action=action, epcs=named.epcs, quantities=named.quantities, destinations=destinations,
        sources=sources, ilmd=ilmd, sensors=(*sensors, *begun.sensors),
    )  # fmt: skip


def _begun(
    kind: EventType, word: str, step: TraceStep, world: World, place: str, disposition: str = ""
) -> Event:
    """What every type of event has: time, places, step, disposition, documents, seals."""
    at = Place(id=repository(world).trace.place(place).location)
    told = step.disposition or disposition
    document_kind, _, document = step.document.rpartition(" ")
    paper = Typed(id=document, type=f"{CBV}BTT-{document_kind}" if document_kind else None)
    seal = SensorReport(type=SEAL, biz_rules=SEAL, string_value=step.seal)
    return Event(
        event_type=kind, event_time_us=utc_micros(world.now, ZONE), zone_offset=_OFFSET,
        biz_step=f"{CBV}BizStep-{word}", read_point=at, biz_location=None if word in ("shipping", "departing") else at,
        disposition=f"{CBV}Disp-{told}" if told else None, transactions=(paper,) if document else (),
        sensors=(SensorElement(reports=(seal,)),) if step.seal else (),
    )  # fmt: skip


def _ilmd(here: Repository, named: Named, lot: str, data: Mapping[str, str]) -> tuple[Extension, ...]:
    """Master data of a lot; it is known by its short name from now on."""
    for item in named.classes:
        if lot and named.epcs:
            here.named(f"{item.name}#{lot}")
    rows = {**({"lotNumber": lot} if lot else {}), **data}
    return tuple(Extension(namespace=_MASTER, name=name, text=value) for name, value in rows.items())


def _captured(step: TraceStep, world: World, word: str, event: Event, named: Named, place: str,
              tail: Text | None = None) -> Text:  # fmt: skip
    """Put an event down and hold what the repository says to what the step does."""
    here, tail = repository(world), tail or Text("", "")
    where = here.place_text(place)
    item = named.classes[0].name if named.classes else ""
    verb = Text(*(getattr(step, "verb", None) or _STEPS[word]))
    head = Text(
        f"{where.en} {verb.en} {named.text.en}{tail.en}", f"{where.zh}{verb.zh}：{named.text.zh}{tail.zh}"
    )
    if missing := why_missing(world, [f"={name}" for name in (*step.needs, *step.spends)]):
        expect_refused(step.refused, missing, ", ".join((*step.needs, *step.spends)))
        world.count(Counted.REFUSED, step=word, place=place, item=item, reason=missing)
        why = reason_text(missing)
        return Text(f"{head.en}; refused: {why.en}", f"{head.zh}；拒绝：{why.zh}")
    try:
        said = here.capture(event)
    except JinkaError as error:
        expect_refused(step.refused, UNREADABLE, error)
        world.count(Counted.REFUSED, step=word, place=place, item=item, reason=UNREADABLE)
        return Text(f"{head.en}; refused: {error}", f"{head.zh}；拒绝：不是有效事件")
    if said.refused:
        expect_refused(step.refused, said.refused, said.what)
        world.count(Counted.REFUSED, step=word, place=place, item=item, reason=said.refused)
        what = _CANONICAL.sub(lambda found: here.shown(found[0]), said.what)
        what = _MOMENT.sub(_local, what)
        return Text(f"{head.en}; refused: {what}", f"{head.zh}；拒绝：{_rule_zh(said.refused)}")
    expect_done(step.refused)
    if set(said.found) != set(step.found):
        raise StepFailed(
            f"the rules remark {', '.join(said.found) or 'nothing'}, wanted {', '.join(step.found) or 'nothing'}",
            where=word,
        )
    spend(world, step.spends)
    if word in _LEAVING or word == MADE:
        take_out(here, named)
        if here.zones:
            world.remembered |= stock(here)
    world.count(Counted.EVENT, step=word, place=place, item=item)
    noted_en = f" (noted: {', '.join(step.found)})" if step.found else ""
    noted_zh = f"（提示：{'、'.join(_rule_zh(code) for code in step.found)}）" if step.found else ""
    return Text(head.en + noted_en, head.zh + noted_zh)


def _local(found: re.Match[str]) -> str:
    return f"{dt.datetime.fromisoformat(found[0]).astimezone(ZoneInfo(ZONE)):%m-%d %H:%M}"


def _rule_zh(code: str) -> str:
    return RULES[code].chinese if code in RULES else code


def at_time(world: World, text: str) -> dt.datetime:
    """``08:30`` of the journey's date, or ``+1 08:30`` a day later."""
    days, _, time = text.rpartition(" ")
    try:
        day = world.journey.date + dt.timedelta(days=int(days or 0))
        return dt.datetime.combine(day, dt.time.fromisoformat(time))
    except ValueError:
        raise Usage(f"{text!r} is no time", where=world.journey.name, fix="08:30 or +1 08:30") from None
