"""What is past its date of expiry when it is sold, handed to a patient, or used to make something of.

CBV 2.0, 9.3 (``itemExpirationDate`` in the master data of a thing or its lot). A thing is good until the end of its
date, by the clock of the place where the event happened. What is told late is judged by its own time. What lies in a
container that is sold whole is not looked at. Speaks through the rule EXPIRED (`jinka.trace.rules`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

from jinka.codec.epcis import Event, EventType
from jinka.codec.tags import canonical_id
from jinka.trace.choreography import Contradiction

NAMES = frozenset({"itemExpirationDate", "expirationDate"})  # CBV 9.3; GS1 Web Vocabulary
_GIVING = frozenset(f"https://ref.gs1.org/cbv/BizStep-{word}" for word in ("retail_selling", "dispensing"))


def spent(event: Event) -> Iterator[tuple[str, str]]:
    """(place in the event, id) of all that an event sells or uses; nothing of an error declaration."""
    if event.error is not None:
        return
    if event.event_type is EventType.TRANSFORMATION:
        listed: Iterable[tuple[str, str]] = (
            *((f"/inputEPCList/{n}", epc) for n, epc in enumerate(event.input_epcs)),
            *(
                (f"/inputQuantityList/{n}/epcClass", part.epc_class)
                for n, part in enumerate(event.input_quantities)
            ),
        )
    elif event.biz_step in _GIVING:
        listed = (
            *((f"/epcList/{n}", epc) for n, epc in enumerate(event.epcs)),
            *((f"/quantityList/{n}/epcClass", part.epc_class) for n, part in enumerate(event.quantities)),
        )
    else:
        return
    for where, text in listed:
        yield where, canonical_id(text)


def date_told(event: Event) -> dt.date | None:
    """The date that an event's master data tell; what is no date tells none."""
    found = list[dt.date]()
    for each in event.ilmd:
        if each.name in NAMES and each.text:
            try:
                found.append(dt.date.fromisoformat(each.text.strip()[:10]))
            except ValueError:
                continue
    return min(found, default=None)


class Expiry:
    """The gate of one capture job (`jinka.trace.rules.Gate`): ``dates`` are those of its things, by canonical id."""

    def __init__(self, dates: Mapping[str, dt.date]) -> None:
        self._dates = dates

    def __call__(self, event: Event) -> Iterator[Contradiction]:
        today = _day(event)
        for where, thing in spent(event):
            until = self._dates.get(thing)
            if until is not None and until < today:
                yield Contradiction("EXPIRED", where, f"it was good until {until.isoformat()}")


def _day(event: Event) -> dt.date:
    """The date on the wall where the event happened."""
    sign, hours, minutes = event.zone_offset[:1], event.zone_offset[1:3], event.zone_offset[4:6]
    offset = 0
    if hours.isdigit() and minutes.isdigit():
        offset = (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1)
    return (
        dt.datetime.fromtimestamp(event.event_time_us // 1_000_000, dt.UTC) + dt.timedelta(minutes=offset)
    ).date()
