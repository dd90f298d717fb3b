"""What happens at a place as EPCIS events.

Goal: what belongs together is one event at its time, with the words of its place; each tag has its name. Method:
changes given by hand, and the events read back from JSON.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jinka.codec.epcis import Document, Event, event_hash, read_json, write_json
from jinka.codec.tags import SCHEME_BY_NAME, encode, make_plus_tag, make_tag, parse_urn
from jinka.trace.passage import Gate
from jinka.trace.presence import Arrival, Departure, SideSeen
from jinka.trace.read_events import EventMaker, Meaning, ReadPlace, Words, chip_mismatches, tag_name
from jinka.trace.tag_chips import ChipMismatch, ChipSign

SECOND = 1_000_000
POINT, HALL = "urn:epc:id:sgln:0614141.07346.1", "urn:epc:id:sgln:0614141.07346.0"


def _epc(number: int) -> str:
    return f"urn:epc:id:sgtin:0614141.812345.{number}"


def _maker(**more: Any) -> EventMaker:
    place = ReadPlace(name="p", read_point=POINT, biz_location=HALL, **more)
    return EventMaker({"p": place}, offset_of=lambda at: "+08:00" if at < 1_000 * SECOND else "+09:00")


def _came(number: int, at: int) -> tuple[Arrival, str]:
    return Arrival(tag=number, place="p", at_micros=at), _epc(number)


def _went(number: int, at: int, *sides: SideSeen, uncertain: int | None = None) -> tuple[Departure, str]:
    gone = Departure(
        tag=number,
        place="p",
        arrived_micros=0,
        at_micros=at,
        reads=1,
        sides=sides,
        uncertain_until_micros=uncertain,
    )
    return gone, _epc(number)


def _told(maker: EventMaker) -> list[Event]:
    return list(maker.due(0, all_of_them=True))


def _words(event: Event) -> tuple[str, str]:
    return str(event.biz_step).rpartition("-")[2], str(event.disposition).rpartition("-")[2]


def test_what_comes_in_a_short_time_is_one_event_and_its_time_is_the_last() -> None:
    maker = _maker(together_micros=SECOND)
    for number, at in ((2, 500_000), (1, 0), (3, SECOND), (4, 3 * SECOND)):
        maker.take(*_came(number, at), now_micros=at)
    assert not list(maker.due(900_000))
    pallet, later = _told(maker)
    assert (pallet.epcs, pallet.event_time_us) == ((_epc(1), _epc(2), _epc(3)), SECOND)
    assert (later.epcs, later.event_time_us) == ((_epc(4),), 3 * SECOND)
    assert _words(pallet) == ("arriving", "in_progress")
    assert pallet.biz_location is not None


def test_departures_that_are_found_out_together_keep_their_own_times() -> None:
    maker = _maker(together_micros=SECOND)
    for number, at in ((1, 0), (2, 20 * SECOND), (3, SECOND // 2)):
        maker.take(*_went(number, at), now_micros=50 * SECOND)
    assert not list(maker.due(50 * SECOND + 999_999))
    first, second = maker.due(51 * SECOND)
    assert (first.epcs, first.event_time_us) == ((_epc(1), _epc(3)), SECOND // 2)
    assert (second.epcs, second.event_time_us) == ((_epc(2),), 20 * SECOND)
    assert first.biz_location is None
    assert not _told(maker)


def test_a_large_event_is_told_before_its_time() -> None:
    maker = _maker()
    for number in range(1_500):
        maker.take(*_came(number, 0), now_micros=0)
    assert [len(event.epcs) for event in maker.due(0)] == [1_000]
    assert [len(event.epcs) for event in _told(maker)] == [500]


def test_words_and_offsets_are_the_places_and_what_has_no_words_is_counted() -> None:
    maker = _maker(words={Meaning.ARRIVED: Words(step="receiving", disposition="in_progress")})
    maker.take(*_came(1, 2_000 * SECOND), now_micros=0)
    maker.take(*_went(1, 2_100 * SECOND), now_micros=0)
    (event,) = _told(maker)
    assert (_words(event), event.zone_offset) == (("receiving", "in_progress"), "+09:00")
    assert maker.counts == {"arrived": 1, "departed": 1, "events": 1}


def test_a_gate_tells_ways_and_not_arrivals() -> None:
    def side(name: str, at: int) -> SideSeen:
        return SideSeen(side=name, first_micros=at, last_micros=at, count=1, centre_micros=at)

    maker = _maker(gate=Gate(outer="o", inner="i"))
    maker.take(*_came(1, 0), now_micros=0)
    maker.take(*_went(1, SECOND, side("o", 0), side("i", SECOND)), now_micros=0)
    maker.take(*_went(2, SECOND, side("i", 0), side("o", SECOND)), now_micros=0)
    maker.take(*_went(3, SECOND, side("o", 0)), now_micros=0)
    told = {event.epcs[0][-1]: _words(event) for event in _told(maker)}
    assert told == {
        "1": ("arriving", "in_progress"),
        "2": ("departing", "in_transit"),
        "3": ("entering_exiting", "unknown"),
    }


def test_an_uncertain_departure_and_a_wrong_chip_stand_in_the_events_and_survive_json() -> None:
    maker = _maker()
    maker.take(*_went(1, SECOND, uncertain=9 * SECOND), now_micros=0)
    maker.mismatch(
        ChipMismatch(
            sign=ChipSign.EPC_ON_ANOTHER_CHIP, epc=_epc(2), tid=b"\xe2", bound_epc=_epc(2), bound_tid=b"\xe0",
            at_micros=5, place="p",
        )
    )  # fmt: skip
    wrong, gone = sorted(_told(maker), key=lambda event: event.event_time_us)
    assert [(each.name, each.text) for each in gone.extensions] == [
        ("uncertainUntil", "1970-01-01T08:00:09.000+08:00")
    ]
    assert _words(wrong) == ("inspecting", "mismatch_instance")
    for event in (wrong, gone):
        assert read_json(write_json(Document(events=(event,), creation_time_us=0))).events == (event,)
        assert event.event_id == event_hash(event)


def test_a_wrong_chip_is_read_back_from_the_event_and_nothing_else_is_taken_for_one() -> None:
    found = ChipMismatch(
        sign=ChipSign.CHIP_WITH_ANOTHER_EPC, epc=_epc(2), tid=b"\xe2\x01", bound_epc=_epc(1), bound_tid=b"\xe2\x01",
        at_micros=7, place="p",
    )  # fmt: skip
    maker = _maker()
    maker.mismatch(found)
    (event,) = _told(maker)
    assert list(chip_mismatches(event)) == [replace(found, place=POINT)]
    (told,) = event.extensions
    for name, text in (("sign", "none"), ("tid", "xyz"), ("boundTid", "0")):
        wrong = tuple(replace(each, text=text) if each.name == name else each for each in told.children)
        assert not list(chip_mismatches(replace(event, extensions=(replace(told, children=wrong),))))
    assert not list(chip_mismatches(replace(event, extensions=(replace(told, namespace="urn:x:"),))))
    assert not list(chip_mismatches(replace(event, extensions=(replace(told, children=()),))))


def test_each_tag_has_its_name() -> None:
    sgtin = encode(make_tag(SCHEME_BY_NAME["sgtin-96"], parse_urn(_epc(7)), 1))
    assert tag_name(sgtin, 96, 0x3000) == (_epc(7), True)
    assert tag_name(bytes(12), 96) == (f"urn:epc:raw:96.x{'00' * 12}", False)
    assert tag_name(sgtin, 96, 0x3129) == (f"urn:epc:raw:96.x29.x{sgtin.hex().upper()}", False)
    assert tag_name(sgtin[:5], 40)[1] is False


@pytest.mark.parametrize("serial", ["1", "AB-9"])
def test_a_tag_of_tds_2_is_named_by_its_link(serial: str) -> None:
    raw = encode(make_plus_tag(SCHEME_BY_NAME["sgtin+"], [("01", "00614141123452"), ("21", serial)]))
    assert tag_name(raw, 8 * len(raw)) == (f"https://id.gs1.org/01/00614141123452/21/{serial}", True)
