"""`jinka bench trace`, the part of documents: events read, hashed and written a second on one core, beside a peer.

The same documents of four kinds of events (observation, packing, sensor data, transformation; each with things of its
own) go through Jinka and through epcis-event-hash-generator, in JSON and in XML, from bytes to hashes; both have to
give the same hashes. The peer expands each document's context anew, so its cost of an event depends on how many stand
in one: both are measured with one event a document, as the peer's own examples have it and as a capture of single
events is, and with forty. Rates are events in a second of processor time, the best of several turns that take one
another's place, so that a busy machine harms all; each turn has things that no turn had before,
and no turn the collector of cycles.
"""

from __future__ import annotations

import importlib
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jinka.codec.epcis import Event, event_hash, event_text, read_json, read_xml, write_xml
from jinka.kit import JinkaError, NotFound
from jinka.kit.collection import no_collection

_CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_SIZES = (1, 40)  # events of a document
_TURN = 1_000  # events of a turn
_PEER_TURN = {1: 8, 40: 80}  # of the peer's: as many take it a tenth of a second or more
Texts = list[bytes]


def bench_hash(seconds: float = 6.0) -> dict[str, Any]:
    """Return the figures as a dictionary that JSON can hold. Raises `JinkaError` when the two do not agree."""
    peer = _peer()
    sizes = {f"{size} a document": _bench(size, peer, seconds / len(_SIZES)) for size in _SIZES}
    return {
        "part": "documents",
        "bytes_of_an_event": len(sample_document(40)) // 40,
        "clock": "processor time of one core, best of several turns",
        **sizes,
    }


def _bench(size: int, peer: dict[str, Callable[[bytes], list[str]]], seconds: float) -> dict[str, Any]:
    best, start, end = dict[str, float](), 0, time.process_time() + seconds
    while not best or time.process_time() < end:
        texts = [sample_document(size, start=start + at) for at in range(0, _TURN, size)]
        as_xml = [write_xml(read_json(text), urns=True) for text in texts]
        start += _TURN
        _ours(texts, as_xml, size, best)
        few = _PEER_TURN[size] // size
        for form, documents in (("JSON", texts[:few]), ("XML", as_xml[:few])):
            hashes, spent = _hashed(peer[form], documents)
            _keep(best, f"peer, {form} to hash", size * few, spent)
            if hashes != [event_hash(event) for text in texts[:few] for event in read_json(text).events]:
                raise JinkaError(f"the peer gives other hashes ({form})", where="bench trace")
    return {
        "microseconds_each": {name: round(1e6 / rate, 1) for name, rate in best.items()},
        "per_second": {name: round(rate) for name, rate in best.items()},
        "ratio_to_peer": {
            form: round(best[f"{form} to hash"] / best[f"peer, {form} to hash"], 1)
            for form in ("JSON", "XML")
        },
    }


def _hashed(peer: Callable[[bytes], list[str]], documents: Texts) -> tuple[list[str], float]:
    hashes = list[str]()
    spent = _spent(lambda: hashes.extend(one for text in documents for one in peer(text)))
    return hashes, spent


def _ours(texts: Texts, as_xml: Texts, size: int, best: dict[str, float]) -> None:
    """From bytes to hashes in both forms, each step by itself; what is measured first meets its things first."""
    events, hashes = list[Event](), list[str]()
    reading = _spent(lambda: events.extend(event for text in texts for event in read_json(text).events))
    hashing = _spent(lambda: hashes.extend(map(event_hash, events)))
    writing = _spent(lambda: [event_text(event) for event in events])
    reading_xml = _spent(lambda: [read_xml(text) for text in as_xml])
    for name, spent in (
        ("read JSON", reading),
        ("hash", hashing),
        ("write JSON", writing),
        ("JSON to hash", reading + hashing),
        ("JSON to hash and JSON", reading + hashing + writing),
        ("read XML", reading_xml),
        ("XML to hash", reading_xml + hashing),
    ):
        _keep(best, name, len(texts) * size, spent)


def _keep(best: dict[str, float], name: str, count: int, spent: float) -> None:
    best[name] = max(best.get(name, 0.0), count / spent)


def sample_document(count: int, *, start: int = 0) -> bytes:
    """A capture document of so many events of four kinds, in JSON; ``start`` numbers its things."""
    makers = (_observed, _packed, _sensed, _made)
    events = [makers[at % 4](at) for at in range(start, start + count)]
    return json.dumps(
        {
            "@context": [_CONTEXT, {"example": "https://ns.example.com/epcis/"}],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-05-01T08:00:00Z",
            "epcisBody": {"eventList": events},
        }
    ).encode()


def _event(kind: str, at: int, step: str, **more: Any) -> dict[str, Any]:
    minute, second = at // 60 % 60, at % 60
    return {
        "type": kind,
        "eventTime": f"2026-05-01T{at // 3600 % 24:02d}:{minute:02d}:{second:02d}.{at % 1000:03d}+08:00",
        "eventTimeZoneOffset": "+08:00",
        "bizStep": step,
        "readPoint": {"id": f"urn:epc:id:sgln:6901234.{at % 99999:05d}.0"},
        **more,
    }


def _items(at: int, count: int) -> list[str]:
    return [f"urn:epc:id:sgtin:6901234.012345.{at}{number:02d}" for number in range(1, count + 1)]


def _observed(at: int) -> dict[str, Any]:
    order = {"type": "po", "bizTransaction": f"urn:epcglobal:cbv:bt:6901234000009:{at}"}
    more = {"disposition": "in_transit", "epcList": _items(at, 3), "bizTransactionList": [order]}
    return _event("ObjectEvent", at, "shipping", action="OBSERVE", **more)


def _packed(at: int) -> dict[str, Any]:
    parent = f"urn:epc:id:sscc:6901234.{at % 10**10:010d}"
    return _event("AggregationEvent", at, "packing", action="ADD", parentID=parent, childEPCs=_items(at, 12))


def _sensed(at: int) -> dict[str, Any]:
    reports = [{"type": "Temperature", "value": 2 + at % 50 / 10, "uom": "CEL"}]
    reports.append({"type": "RelativeHumidity", "minValue": 40, "maxValue": 60 + at % 9, "uom": "A93"})
    metadata = {"time": "2026-05-01T07:00:00Z", "deviceID": f"urn:epc:id:giai:6901234.{at}"}
    sensors = [{"sensorMetadata": metadata, "sensorReport": reports}]
    more = {"epcList": _items(at, 1), "sensorElementList": sensors, "example:line": "A"}
    return _event("ObjectEvent", at, "sensor_reporting", action="OBSERVE", **more)


def _made(at: int) -> dict[str, Any]:
    lots = [{"epcClass": f"urn:epc:class:lgtin:6901234.054321.L{at}", "quantity": 12.5, "uom": "KGM"}]
    ilmd = {"example:lot": f"L{at}", "example:bestBefore": "2026-11-01"}
    more = {"inputQuantityList": lots, "outputEPCList": _items(at, 4), "ilmd": ilmd}
    return _event("TransformationEvent", at, "creating_class_instance", **more)


def _peer() -> dict[str, Callable[[bytes], list[str]]]:
    try:
        package = "epcis_event_hash_generator"
        hashes = importlib.import_module(f"{package}.hash_generator").epcis_hashes_from_events
        from_json = importlib.import_module(f"{package}.json_to_py").event_list_from_epcis_document_str
        from_xml = importlib.import_module(f"{package}.xml_to_py").event_list_from_epcis_document_str
    except ModuleNotFoundError:
        raise NotFound(
            "no peer is installed", where="bench trace", fix="make test installs what the checks need"
        ) from None

    def road(read: Callable[[str], Any]) -> Callable[[bytes], list[str]]:
        def run(text: bytes) -> list[str]:
            with _quiet():
                return list(hashes(read(text.decode())))

        return run

    return {"JSON": road(from_json), "XML": road(from_xml)}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the peer's log lines and its use of what is deprecated."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _spent(call: Callable[[], Any]) -> float:
    with no_collection():  # of either: when it looks through what is kept is chance
        started = time.process_time()
        call()
        return max(time.process_time() - started, 1e-9)
