"""Plays the events of things that are followed: each becomes an EPCIS event that the journey's repository captures.

Every event is a document on the capture road (`jinka.app.sector_trace_world`); a rule that refuses it, or remarks on
it, is what the step must have said. Questions to what was captured are played by `jinka.app.sector_trace_answers`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_trace_world import Lying, Named, Repository, repository, tag_of
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
from jinka.codec.tags import canonical_id
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
from jinka.declaration.trace import StorageZone
from jinka.kit import JinkaError, Usage, utc_micros
from jinka.reports.day import Text
from jinka.trace.conditions import SEAL
from jinka.trace.rules import RULES
from jinka.trace.storage import Goods, Zone, judge_storage

CBV = "https://ref.gs1.org/cbv/"
VOC = "https://gs1.org/voc/"
UNREADABLE = "UNREADABLE"
_OFFSET = "+08:00"  # of `ZONE`, all year
_MASTER = "urn:epcglobal:cbv:mda"
_LOCATION, _PARTY = f"{CBV}SDT-location", f"{CBV}SDT-possessing_party"
_LEAVING = frozenset(
    {"shipping", "departing", "retail_selling", "dispensing", "destroying", "decommissioning", "loading"}
)
_STEPS_ZH = {
    "accepting": "验收", "arriving": "到达", "assembling": "装配", "collecting": "收集", "commissioning": "赋码",
    "consigning": "托运", "creating_class_instance": "建批", "cycle_counting": "盘点", "decommissioning": "注销",
    "departing": "离开", "destroying": "销毁", "disassembling": "拆解", "dispensing": "发药", "encoding": "写标签",
    "entering_exiting": "进出", "holding": "扣留", "inspecting": "检验", "installing": "安装", "killing": "灭活标签",
    "loading": "装车", "packing": "装箱", "picking": "拣货", "receiving": "收货", "removing": "拆下",
    "repackaging": "改包装", "repairing": "维修", "replacing": "更换", "reserving": "预留", "retail_selling": "销售",
    "sampling": "抽样", "sensor_reporting": "传感器上报", "shipping": "发货", "staging_outbound": "待运",
    "stock_taking": "清点", "stocking": "上架", "storing": "入库", "transporting": "运输", "unloading": "卸车",
    "unpacking": "拆箱", "void_shipping": "撤销发货",
}  # fmt: skip


def play_commissioned(step: Commissioned, world: World) -> Text:
    here = repository(world)
    named = here.named(step.what)
    word = "commissioning" if named.epcs else "creating_class_instance"
    event = _object(world, step, word, named, step.place, action=Action.ADD, ilmd=_ilmd(step.lot, step.data))
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
        f" out of {box.en}", f"，自{box.zh}取出"
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
    named = repository(world).named(step.what)
    event = _object(world, step, word, named, step.place, disposition=done)
    return _captured(step, world, word, event, named, step.place)


def play_destroyed(step: Destroyed, world: World) -> Text:
    named = repository(world).named(step.what)
    event = _object(
        world, step, "destroying", named, step.place, action=Action.DELETE, disposition="destroyed"
    )
    return _captured(step, world, "destroying", event, named, step.place)


def play_observed(step: Observed, world: World) -> Text:
    if step.biz_step not in _STEPS_ZH:
        raise Usage(f"no business step {step.biz_step!r}", where="CBV 2.0, 7.1", fix=", ".join(_STEPS_ZH))
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
        output_quantities=outputs.quantities, ilmd=_ilmd(step.lot, step.data),
    )  # fmt: skip
    lot = Text(f", lot {step.lot}", f"，批次{step.lot}") if step.lot else Text("", "")
    tail = Text(f" into {outputs.text.en}{lot.en}", f"，产出{outputs.text.zh}{lot.zh}")
    both = Named(
        epcs=inputs.epcs, quantities=inputs.quantities, text=inputs.text,
        classes=tuple(dict.fromkeys((*outputs.classes, *inputs.classes))),
    )  # fmt: skip
    return _captured(step, world, "transforming", event, both, step.place, tail)


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
    shown = ", ".join(f"{time} {value} {step.uom}" for time, value in step.values.items())
    return _captured(
        step, world, "sensor_reporting", event, named, step.place, Text(f": {shown}", f"：{shown}")
    )


def play_store(step: StoreGoods, world: World) -> Text:
    here = repository(world)
    zone, named = here.trace.zone(step.zone), here.named(step.what)
    lying = here.zones.setdefault(zone.name, {})
    fresh = _goods(zone, named, step.amount)
    declared = Zone(
        name=zone.name, apart=zone.apart, most={kind: Decimal(most) for kind, most in zone.most.items()}
    )
    faults = judge_storage([each.goods for each in (*lying.values(), *fresh.values())], [declared])
    head = Text(f"{named.text.en} in {zone.title_en}", f"{named.text.zh}存入{zone.title_zh}")
    if faults:
        first = faults[0]
        classes = {kind for each in fresh.values() for kind in each.goods.classes[:1]}
        reason = (
            "SEGREGATION"
            if first.needs is not None
            else "TOO_MUCH"
            if classes <= zone.most.keys()
            else "CLASS"
        )
        expect_refused(step.refused, reason, first.what)
        world.count(Counted.REFUSED, step="storing", place=zone.place, zone=zone.name, reason=reason)
        words = f"（{first.needs.words[1]}）" if first.needs is not None else ""
        return Text(f"{head.en} is refused: {first.what}", f"{head.zh}被拒绝：{reason}{words}")
    event = _object(world, step, "storing", named, zone.place)
    told = _captured(
        step, world, "storing", event, named, zone.place, Text(f", {zone.title_en}", f"，{zone.title_zh}")
    )
    if not step.refused:
        lying.update(fresh)
    return told


def _goods(zone: StorageZone, named: Named, amount: int) -> dict[str, Lying]:
    """What is to lie in a zone, thing by thing; an amount is shared out to single things evenly."""
    hazard = next((item.hazard for item in named.classes if item.hazard), ())
    if not hazard or len(named.classes) != 1:
        raise Usage("not one class of dangerous goods", where=zone.name, fix="give ItemClass.hazard")
    found = dict[str, Lying]()
    each = Decimal(amount) / len(named.epcs) if amount and named.epcs else Decimal(1)
    for uri in named.epcs:
        found[canonical_id(uri)] = Lying(
            goods=Goods(name=uri, classes=hazard, amount=each, zone=zone.name), left=Decimal(1)
        )
    for part in named.quantities:
        much = part.quantity or Decimal(1)
        found[canonical_id(part.epc_class)] = Lying(
            goods=Goods(name=part.epc_class, classes=hazard, amount=Decimal(amount) or much, zone=zone.name),
            left=much,
        )
    return found


def _take_out(here: Repository, named: Named) -> None:
    """What left its place lies in no zone any more; of a quantity its share."""
    gone: dict[str, Decimal | None] = {canonical_id(uri): None for uri in named.epcs}
    gone |= {canonical_id(part.epc_class): part.quantity for part in named.quantities}
    for lying in here.zones.values():
        for name, much in gone.items():
            found = lying.get(name)
            if found is None:
                continue
            if much is None or much >= found.left:
                del lying[name]
                continue
            rest = found.left - much
            goods = found.goods
            amount = goods.amount * rest / found.left
            lying[name] = Lying(
                goods=Goods(name=goods.name, classes=goods.classes, amount=amount, zone=goods.zone), left=rest
            )


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


def _ilmd(lot: str, data: Mapping[str, str]) -> tuple[Extension, ...]:
    rows = {**({"lotNumber": lot} if lot else {}), **data}
    return tuple(Extension(namespace=_MASTER, name=name, text=value) for name, value in rows.items())


def _captured(step: TraceStep, world: World, word: str, event: Event, named: Named, place: str,
              tail: Text | None = None) -> Text:  # fmt: skip
    """Put an event down and hold what the repository says to what the step does."""
    here, tail = repository(world), tail or Text("", "")
    where = here.place_text(place)
    item = named.classes[0].name if named.classes else ""
    title = "制造" if word == "transforming" else _STEPS_ZH[word]
    head = Text(
        f"{where.en}, {word.replace('_', ' ')}: {named.text.en}{tail.en}",
        f"{where.zh}{title}：{named.text.zh}{tail.zh}",
    )
    try:
        said = here.capture(event)
    except JinkaError as error:
        expect_refused(step.refused, UNREADABLE, error)
        world.count(Counted.REFUSED, step=word, place=place, item=item, reason=UNREADABLE)
        return Text(f"{head.en} is refused: {error}", f"{head.zh}被拒绝：不是有效事件")
    if said.refused:
        expect_refused(step.refused, said.refused, said.what)
        world.count(Counted.REFUSED, step=word, place=place, item=item, reason=said.refused)
        return Text(f"{head.en} is refused: {said.what}", f"{head.zh}被拒绝：{_rule_zh(said.refused)}")
    expect_done(step.refused)
    if set(said.found) != set(step.found):
        raise StepFailed(
            f"the rules remark {', '.join(said.found) or 'nothing'}, wanted {', '.join(step.found) or 'nothing'}",
            where=word,
        )
    if word in _LEAVING or word == "transforming":
        _take_out(here, named)
    world.count(Counted.EVENT, step=word, place=place, item=item)
    noted_en = f" (noted: {', '.join(step.found)})" if step.found else ""
    noted_zh = f"（提示：{'、'.join(_rule_zh(code) for code in step.found)}）" if step.found else ""
    return Text(head.en + noted_en, head.zh + noted_zh)


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
