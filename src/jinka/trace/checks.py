"""The rules that an event breaks by itself, whatever happened before: one function a clause.

GS1 EPCIS 2.0, 7.3 and 7.4 with CBV 2.0, 7. Each looks at one event and adds what it finds as (rule, JSON pointer,
words); `jinka.trace.rules` has the table. No state, no clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from jinka.codec.epcis import Action, Event, EventType, Quantity, SensorReport
from jinka.codec.epcis.vocabulary import (
    BIZ_STEPS,
    DISPOSITIONS,
    ERROR_REASONS,
    PARTY_TYPES,
    TRANSACTION_TYPES,
    Words,
)
from jinka.trace.choreography import Contradiction, Key
from jinka.trace.lineage import is_class, is_lot

Found = list[Contradiction]
_ZONE = re.compile(r"[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00")
_UNIT = re.compile(r"[A-Z0-9]{2,3}")
_ZONES = frozenset(f"{sign}{hour:02}:00" for sign in "+-" for hour in range(15))  # the usual ones, at once


def check_time(event: Event, latest_us: int, found: Found) -> None:
    """No event is later than now."""
    if event.event_time_us > latest_us:
        found.append(Contradiction("TIME_AHEAD", "/eventTime", ""))


def _zone(event: Event, _: Key, found: Found) -> None:
    if event.zone_offset not in _ZONES and not _ZONE.fullmatch(event.zone_offset):
        found.append(Contradiction("ZONE", "/eventTimeZoneOffset", repr(event.zone_offset[:20])))


def _words(event: Event, _: Key, found: Found) -> None:
    """A word within the vocabulary's own namespace is one of its words; elsewhere words are free."""
    step, disposition = event.biz_step, event.disposition
    if step is not None and step not in BIZ_STEPS.bare:
        _word(step, BIZ_STEPS, "/bizStep", found)
    if disposition is not None and disposition not in DISPOSITIONS.bare:
        _word(disposition, DISPOSITIONS, "/disposition", found)
    if event.dispositions_set or event.dispositions_unset:
        for name, words in (("set", event.dispositions_set), ("unset", event.dispositions_unset)):
            for at, word in enumerate(words):
                _word(word, DISPOSITIONS, f"/persistentDisposition/{name}/{at}", found)
        if both := set(event.dispositions_set) & set(event.dispositions_unset):
            found.append(Contradiction("SET_AND_UNSET", "/persistentDisposition", min(both)))
    for name, typed, table in (
        ("bizTransactionList", event.transactions, TRANSACTION_TYPES),
        ("sourceList", event.sources, PARTY_TYPES),
        ("destinationList", event.destinations, PARTY_TYPES),
    ):
        for at, each in enumerate(typed):
            if each.type is not None and each.type not in table.bare:
                _word(each.type, table, f"/{name}/{at}/type", found)
    if event.error is not None:
        if event.error.reason is not None:
            _word(event.error.reason, ERROR_REASONS, "/errorDeclaration/reason", found)
        if event.event_id is not None and event.event_id in event.error.corrective_event_ids:
            found.append(Contradiction("OWN_CORRECTION", "/errorDeclaration/correctiveEventIDs", ""))


def _word(word: str, table: Words, where: str, found: Found) -> None:
    stem = table.stem.rsplit("/", 1)[0] + "/"
    if word not in table.bare and word.startswith(stem):
        found.append(Contradiction("UNKNOWN_WORD", where, f"{word[:120]} is no {table.what} of CBV 2.0"))


def _shape(event: Event, key: Key, found: Found) -> None:
    """What each type of event must name (7.4.2 to 7.4.7)."""
    kind, action = event.event_type, event.action
    if kind is EventType.OBJECT or kind is EventType.TRANSACTION:
        if not (event.epcs or event.quantities or event.sensors or event.parent_id is not None):
            found.append(Contradiction("NOTHING_NAMED", "/epcList", ""))
    elif kind is EventType.TRANSFORMATION:
        inputs = event.input_epcs or event.input_quantities
        outputs = event.output_epcs or event.output_quantities
        if event.transformation_id is None and not (inputs and outputs):
            where = "/outputEPCList" if inputs else "/inputEPCList"
            found.append(Contradiction("HALF_MADE", where, "and no transformationID says where the rest is"))
        elif not inputs and not outputs:
            found.append(Contradiction("NOTHING_NAMED", "/inputEPCList", ""))
    else:
        if event.parent_id is None and action is not Action.OBSERVE:
            found.append(Contradiction("NO_PARENT", "/parentID", ""))
        elif event.parent_id is not None and event.child_epcs:
            parent = key(event.parent_id)
            for at, child in enumerate(event.child_epcs):
                if key(child) == parent:
                    found.append(Contradiction("OWN_PARENT", f"/childEPCs/{at}", ""))
        if action is Action.ADD and not (event.child_epcs or event.child_quantities):
            found.append(Contradiction("NO_CHILD", "/childEPCs", ""))
    if event.ilmd and action is not None and action is not Action.ADD:
        found.append(Contradiction("ILMD_NOT_BORN", "/ilmd", f"with action {action.value}"))


def _things(event: Event, key: Key, found: Found) -> None:
    """Each thing once in a list, instances and classes where they belong."""
    for name, epcs in (
        ("epcList", event.epcs),
        ("childEPCs", event.child_epcs),
        ("inputEPCList", event.input_epcs),
        ("outputEPCList", event.output_epcs),
    ):
        if not epcs:
            continue
        keys = [key(epc) for epc in epcs]
        if len(keys) > 1 and len(set(keys)) < len(keys):
            found += (Contradiction("LISTED_TWICE", f"/{name}/{at}", "") for at in _repeats(keys))
        for at, item in enumerate(keys):
            if len(item) < _CLASS_LENGTH_MAX and (is_class(item) or is_lot(item)):
                found.append(Contradiction("CLASS_AS_ITEM", f"/{name}/{at}", ""))


_CLASS_LENGTH_MAX = (
    len("https://id.gs1.org/01/12345678901234/10/") + 20 * 3 + 1
)  # each character may be escaped


def _repeats(keys: Iterable[str]) -> Iterator[int]:
    seen: set[str] = set()
    for at, item in enumerate(keys):
        if item in seen:
            yield at
        seen.add(item)


def _counts(event: Event, key: Key, found: Found) -> None:
    for name, quantities in (
        ("quantityList", event.quantities),
        ("childQuantityList", event.child_quantities),
        ("inputQuantityList", event.input_quantities),
        ("outputQuantityList", event.output_quantities),
    ):
        for at, each in enumerate(quantities):
            _count(each, f"/{name}/{at}", key, found)


def _count(each: Quantity, where: str, key: Key, found: Found) -> None:
    number, unit = each.quantity, each.uom
    if number is not None and (not number.is_finite() or number < 0):
        found.append(Contradiction("FALSE_COUNT", f"{where}/quantity", str(number)[:40]))
    elif number is not None and unit is None and number != number.to_integral_value():
        found.append(Contradiction("FALSE_COUNT", f"{where}/quantity", f"{str(number)[:40]} pieces"))
    if number is None and unit is not None:
        found.append(Contradiction("FALSE_COUNT", f"{where}/uom", "a unit of no quantity"))
    if unit is not None and not _UNIT.fullmatch(unit):
        found.append(Contradiction("UNIT", f"{where}/uom", repr(unit[:20])))
    if "/21/" in (item := key(each.epc_class)) or item.startswith("urn:epc:id:"):
        found.append(Contradiction("ITEM_AS_CLASS", f"{where}/epcClass", item[:120]))


def _sensors(event: Event, _: Key, found: Found) -> None:
    for at, element in enumerate(event.sensors):
        meta, where = element.metadata, f"/sensorElementList/{at}"
        start, end = (None, None) if meta is None else (meta.start_time_us, meta.end_time_us)
        if start is not None and end is not None and start > end:
            found.append(Contradiction("SENSOR_TIME", f"{where}/sensorMetadata/startTime", ""))
        for number, report in enumerate(element.reports):
            if (what := _nonsense(report)) is not None:
                found.append(Contradiction("SENSOR_RANGE", f"{where}/sensorReport/{number}", what))


def _nonsense(report: SensorReport) -> str | None:
    least, most = report.min_value, report.max_value
    if least is not None and most is not None and least > most:
        return "the least is above the most"
    for name, value in (("meanValue", report.mean_value), ("percValue", report.perc_value)):
        if value is not None and (
            (least is not None and value < least) or (most is not None and value > most)
        ):
            return f"{name} is outside the least and the most"
    if report.perc_rank is not None and not 0 <= report.perc_rank <= 100:
        return "a percentile is from 0 to 100"
    return "a deviation is not negative" if report.s_dev is not None and report.s_dev < 0 else None


CHECKS: tuple[Callable[[Event, Key, Found], None], ...] = (
    _zone, _words, _shape, _things, _counts, _sensors,
)  # fmt: skip
