"""An event as it is kept: EPCIS 2.0 JSON-LD that stands for itself, with its id and without its record time.

So what is in the database can be read by anyone, and put into an answer without being read at all.
"""

from __future__ import annotations

from dataclasses import replace
from json.encoder import encode_basestring as quoted

from jinka.codec.epcis import Event, event_hash
from jinka.codec.epcis.json_reader import read_event
from jinka.codec.epcis.json_text import load_json
from jinka.codec.epcis.json_writer import event_text
from jinka.codec.epcis.scalars import time_text


def id_of_content(event: Event) -> str:
    """The id of an event that has none: its hash (CBV 2.0, 8.9)."""
    return event_hash(event)


def pack(event: Event, event_id: str) -> bytes:
    """The text that is kept."""
    if event.record_time_us is not None:
        event = replace(event, record_time_us=None)
    text = event_text(event)
    if event.event_id is None:
        text = f'{{"eventID":{quoted(event_id)},{text[1:]}'
    return text.encode()


def unpack(document: bytes, seq: int) -> Event:
    """The event, with its record time."""
    return replace(read_event(load_json(document)), record_time_us=seq)


def as_text(document: bytes, seq: int) -> str:
    """The text for an answer, with its record time."""
    return f'{{"recordTime":"{time_text(seq)}",{document.decode()[1:]}'
