"""The station's file.

Goal: every mistake is named by its place, and a good file becomes what it says. Method: one wrong entry at a time.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jinka.app.readers_file import read_readers_file
from jinka.kit import JinkaError, NotFound
from jinka.trace.read_events import Meaning

GOOD = """
[station]
folder = "kept"
zone = "Europe/Berlin"

[capture]
url = "http://127.0.0.1:8490/"
token_file = "token"

[readers.dock]
address = "192.168.1.10"
antennas = [1, 2]
tid_words = 6

[readers.hall]
address = "[::1]:5085"
turn_ms = 500

[places.gate]
read_point = "urn:epc:id:sgln:0614141.07346.1"
biz_location = "https://id.gs1.org/414/0614141073467"
outer = ["dock:1"]
inner = ["dock:2"]
events = { unknown = false, in = { step = "receiving" } }

[places.shelf]
read_point = "urn:epc:id:sgln:0614141.07346.2"
antennas = ["hall"]
silence_least_ms = 2000
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "readers.toml"
    path.write_text(text, encoding="utf-8")
    (folder / "token").write_text("secret\n")
    return path


def test_a_good_file_becomes_what_it_says(tmp_path: Path) -> None:
    file = read_readers_file(_write(tmp_path, GOOD))
    dock, hall = file.station.readers
    assert (dock.host, dock.port, dock.antennas, dock.tid_words) == ("192.168.1.10", 5084, (1, 2), 6)
    assert (hall.host, hall.port, hall.antennas) == ("::1", 5085, ())
    assert file.station.antennas == {
        ("dock", 1): ("gate", "outer"), ("dock", 2): ("gate", "inner"), ("hall", 0): ("shelf", ""),
    }  # fmt: skip
    gate, shelf = file.station.places["gate"], file.station.places["shelf"]
    assert gate.gate is not None
    assert (gate.words[Meaning.ENTERED].step, gate.words[Meaning.ENTERED].disposition) == (
        "receiving",
        "in_progress",
    )
    assert set(gate.words) == {Meaning.ENTERED, Meaning.LEFT}
    assert (gate.rules.epoch_micros, shelf.rules.epoch_micros) == (250_000, 500_000)  # a reader's turn
    assert shelf.rules.silence_least_micros == 2_000_000
    assert set(shelf.words) == {Meaning.ARRIVED, Meaning.DEPARTED}
    assert file.station.folder == tmp_path / "kept"
    assert file.capture is not None
    assert (file.capture.url, file.capture.headers) == (
        "http://127.0.0.1:8490",
        {"Authorization": "Bearer secret"},
    )
    assert [file.offset_of(at * 1_000_000) for at in (1_700_000_000, 1_690_000_000)] == ["+01:00", "+02:00"]


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("[station]", "[stations]", "unknown: stations"),
        ('zone = "Europe/Berlin"', 'zone = "Mars/Olympus"', "station.zone: no such zone"),
        ('zone = "Europe/Berlin"', 'zone = "../../etc/passwd"', "station.zone: no such zone"),
        ('folder = "kept"', "buffer = 0", "station.buffer: not a whole number"),
        ('folder = "kept"', "raw = 1", "station.raw: not true or false"),
        ("http://127.0.0.1:8490/", "file:///etc", "capture.url"),
        ('"token"', '"absent"', "capture.token_file: no such file"),
        ("192.168.1.10", "192.168.1.10:0", "readers.dock.address: not an address"),
        ('address = "192.168.1.10"', 'adress = "x"', "readers.dock: unknown: adress"),
        ("[1, 2]", "[0]", "readers.dock.antennas"),
        ("[1, 2]", "[1]", "places.gate.inner: dock does not use antenna 2"),
        ("tid_words = 6", "tid_words = 99", "readers.dock.tid_words"),
        ("tid_words = 6", "tid_words = true", "readers.dock.tid_words"),
        ('["dock:1"]', '["door:1"]', "places.gate.outer: no reader door"),
        ('["dock:1"]', '["dock:x"]', "places.gate.outer: no antenna"),
        ('["dock:1"]', '["dock:2"]', "places.gate.inner: dock:2 serves another"),
        ('["dock:1"]', '["dock"]', "places.gate.inner: dock:2 serves another"),
        ('["dock:1"]', "[]", "places.gate.outer: not a list"),
        ('outer = ["dock:1"]', "", "places.gate.outer: not a list"),
        ('antennas = ["hall"]', 'antennas = ["hall"]\nouter = ["hall:1"]', "places.shelf: either antennas"),
        ("urn:epc:id:sgln:0614141.07346.2", "urn:epc:id:sgln:0614141.X.2", "places.shelf.read_point"),
        ("urn:epc:id:sgln:0614141.07346.2", "shelf", "places.shelf.read_point: not an identifier"),
        ('"receiving"', '"recieving"', "places.gate.events.in.step: no business step"),
        ("unknown = false", "arrived = false", "places.gate.events: unknown: arrived"),
        ("silence_least_ms = 2000", "silence_least_ms = 60000", "places.shelf.silence_least_ms"),
        ("silence_least_ms = 2000", "doubt = 0", "places.shelf.doubt"),
        ("[places.shelf]", '[places."a:b"]', "places.a:b: not a name"),
        ("[readers.dock]", "[readers.dock", "not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_place(old: str, new: str, where: str, tmp_path: Path) -> None:
    assert old in GOOD
    with pytest.raises(JinkaError) as caught:
        read_readers_file(_write(tmp_path, GOOD.replace(old, new, 1)))
    assert where in str(caught.value)


def test_no_file_and_no_readers_are_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"docs/readers\.md"):
        read_readers_file(tmp_path / "absent.toml")
    with pytest.raises(JinkaError, match="readers: none is named"):
        read_readers_file(_write(tmp_path, "[station]\n"))
