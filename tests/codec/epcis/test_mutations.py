"""Goal: no document, however broken, ends in anything but events or a refusal, and what is read can be written.

Method: good documents in both formats, with bytes, names and values exchanged at random, from a fixed seed; each is
read within its bounds, and what still reads goes through the writers and back.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from jinka.codec.epcis import Document, event_hash, read_json, read_xml, write_json, write_xml
from jinka.kit import Refused
from tests.codec.epcis.test_json_refusals import EVENT
from tests.codec.epcis.test_json_refusals import document as json_document
from tests.codec.epcis.test_xml import NEW, OLD
from tests.codec.epcis.test_xml import document as xml_document

ODD = [
    None,
    True,
    0,
    -1,
    1e300,
    "",
    " ",
    "x",
    "urn:x:1",
    "\ud83d\ude00",
    [],
    {},
    [[]],
    {"": ""},
    {"type": 1},
    [{}] * 3,
]
SNIPPETS = [
    b"<",
    b">",
    b"&",
    b'"',
    b"\x00",
    b"\xff",
    b"]]>",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\u0000",
    b"<!--",
    b"</",
]


def _mutated_tree(found: Any, chance: random.Random) -> Any:
    """One place of a JSON value exchanged, renamed, doubled or taken away."""
    places = list[tuple[Any, Any]]()
    todo = [found]
    while todo:
        at = todo.pop()
        for key, value in at.items() if isinstance(at, dict) else enumerate(at):
            places.append((at, key))
            if isinstance(value, dict | list):
                todo.append(value)
    at, key = chance.choice(places)
    deed = chance.randrange(4)
    if deed == 0 and isinstance(at, dict):
        at[chance.choice(["type", "id", "ex:a", "q:z", "eventTime", "@context", "é", "a b"])] = at.pop(key)
    elif deed == 1 and isinstance(at, list):
        at.append(at[key])
    elif deed == 2:
        del at[key]
    else:
        at[key] = copy.deepcopy(chance.choice(ODD))
    return found


def _mutated_bytes(data: bytes, chance: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(found))
        end = min(len(found), at + chance.choice([0, 1, 1, 2, 20]))
        other = chance.randrange(len(found))
        found[at:end] = chance.choice([chance.choice(SNIPPETS), found[other : other + 30], b""])
    return bytes(found)


def _survives(read: Callable[..., Document], data: bytes) -> bool:
    faults: list[tuple[int, Refused]] = []
    try:
        document = read(data, faults=faults)
    except Refused:
        return False
    assert read_json(write_json(document)).events == document.events
    for event in document.events:
        assert event_hash(event).startswith("ni:///sha-256;")
        try:
            written = write_xml(Document(events=(event,), creation_time_us=0))
        except Refused as fault:
            assert "attribute" in fault.what or "name" in fault.what  # noqa: PT017 - what XML cannot hold
        else:
            (again,) = read_xml(
                written
            ).events  # but for types of a report's own fields, which are attributes
            assert event_hash(again) == event_hash(event)
    return not faults


@pytest.mark.parametrize("seed", range(4))
def test_a_mutated_tree_of_json_is_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    alive = 0
    for _ in range(150):
        found = json.loads(json_document(EVENT))
        for _ in range(chance.choice([1, 1, 3])):
            found = _mutated_tree(found, chance)
        alive += _survives(read_json, json.dumps(found).encode())
    assert 0 < alive < 150


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (read_json, json_document(EVENT)),
        (read_xml, xml_document(NEW)),
        (read_xml, xml_document(OLD, version="1")),
    ],
    ids=["json", "xml", "xml-1.2"],
)
def test_mutated_bytes_are_read_or_refused(read: Callable[..., Document], data: bytes) -> None:
    chance = random.Random(len(data))
    alive = sum(_survives(read, _mutated_bytes(data, chance)) for _ in range(400))
    assert alive < 400
