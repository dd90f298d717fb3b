"""Parcels over HTTPS. Goal: a child's parcels arrive once and in order, and a cut at any byte loses nothing.

Method: two desks, a real server with client certificates, and a wire between them that is cut.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from jinka.codec.parcel import Kind
from jinka.kit import Usage
from jinka.node.parcel_client import WAIT_MAX_S, Parent, Synced, wait_s
from jinka.node.parcel_desk import OutgoingFile, ParcelDesk
from jinka.node.switch_tls import LineTls
from jinka.node.system import SystemRandomness
from tests.api.centre_rig import Door, Wire, door, papers
from tests.parcels import CITY, DAY, OTHER, PARENT, ROWS, desk, rows

FILE = "rows.parquet"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[ParcelDesk]:
    with desk(tmp_path, CITY, {PARENT}) as made:
        yield made


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[ParcelDesk]:
    with desk(tmp_path, PARENT, {CITY, OTHER}) as made:
        yield made


@pytest.fixture
def site(tmp_path: Path, parent: ParcelDesk) -> Iterator[Door]:
    with door(parent, papers(tmp_path, PARENT)) as made:
        yield made


@pytest.fixture
def tls(tmp_path: Path) -> LineTls:
    return papers(tmp_path, CITY)


def _send(sender: ParcelDesk, receiver: str, days: int, count: int = 10, kind: Kind = Kind.RECORDS) -> None:
    for day in range(days):
        one = OutgoingFile(name=FILE, schema=ROWS.name, rows=rows(count, day))
        sender.send(receiver, kind, f"day {day}", DAY, [one])


def _apply(desk_: ParcelDesk) -> list[tuple[str, int, pa.Table]]:
    found = []
    for parcel in desk_.ready():
        found.append((parcel.manifest.sender, parcel.manifest.number, desk_.rows(parcel)[FILE]))
        desk_.applied(parcel)
    return found


def test_a_round_sends_and_fetches(city: ParcelDesk, parent: ParcelDesk, site: Door, tls: LineTls) -> None:
    _send(city, PARENT, 3)
    _send(parent, CITY, 2, kind=Kind.VERDICTS)
    _send(parent, OTHER, 1, kind=Kind.VERDICTS)
    assert site.client(city, tls).sync_once() == Synced(sent=3, taken=2)
    assert _apply(parent) == [(CITY, day + 1, rows(10, day)) for day in range(3)]
    assert _apply(city) == [(PARENT, day + 1, rows(10, day)) for day in range(2)]
    assert parent.waiting_for(CITY) == []
    assert len(parent.waiting_for(OTHER)) == 1
    assert site.client(city, tls).sync_once() == Synced()


def test_a_line_that_is_cut_anywhere_loses_and_doubles_nothing(
    city: ParcelDesk, parent: ParcelDesk, site: Door, tls: LineTls
) -> None:
    _send(city, PARENT, 2, 2000)
    _send(parent, CITY, 1, 2000, Kind.VERDICTS)
    rounds = 0
    with closing(Wire(site.port)) as wire:
        client = site.client(city, tls, port=wire.port)
        # Steps that fall on other places each time: handshake, piece, manifest, receipt.
        while city.waiting_for(PARENT) or parent.waiting_for(CITY):
            rounds += 1
            wire.left = 1500 + 937 * rounds
            client.sync_once()
            assert rounds < 60
    assert rounds > 5
    assert _apply(parent) == [(CITY, day + 1, rows(2000, day)) for day in range(2)]
    assert _apply(city) == [(PARENT, 1, rows(2000))]


def test_a_parent_that_is_away_is_a_problem_in_words(city: ParcelDesk, tls: LineTls) -> None:
    _send(city, PARENT, 1)
    with closing(Wire(1)) as wire:
        gone = wire.port
    found = Door(gone, PARENT).client(city, tls).sync_once()
    assert found.sent == 0
    assert len(found.problems) == 1
    assert len(city.waiting_for(PARENT)) == 1


def test_a_round_ends_at_its_deadline(city: ParcelDesk, tls: LineTls) -> None:
    """A server that takes the connection and never says anything."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as place:
        silent = Door(place.getsockname()[1], PARENT)
        found = silent.client(city, tls, answer_s=0.2).sync_once()
        assert found.problems
        found = silent.client(city, tls, round_s=0.2, answer_s=20).sync_once()
        assert found.problems


def test_a_parcel_that_is_refused_holds_up_its_own_stream_alone(
    city: ParcelDesk, parent: ParcelDesk, site: Door, tls: LineTls
) -> None:
    _send(city, PARENT, 2)
    _send(city, PARENT, 2, 20, Kind.VERDICTS)
    real, seen = parent.folder.append, list[int]()

    def full(centre: str, digest: bytes, size: int, offset: int, piece: bytes) -> int:
        if size == big and not seen:
            seen.append(size)
            raise Usage("not today", where="file")
        return real(centre, digest, size, offset, piece)

    big = next(s.manifest for s in city.waiting_for(PARENT) if s.manifest.kind is Kind.VERDICTS).files[0].size
    parent.folder.append = full  # type: ignore[method-assign]
    found = site.client(city, tls).sync_once()
    assert found.sent == 2
    assert "not today" in found.problems[0]
    assert {one.manifest.kind for one in city.waiting_for(PARENT)} == {Kind.VERDICTS}
    assert site.client(city, tls).sync_once() == Synced(sent=2)


def test_it_goes_round_until_it_is_stopped(
    city: ParcelDesk, parent: ParcelDesk, site: Door, tls: LineTls
) -> None:
    stop, seen = threading.Event(), list[Synced]()

    def told(done: Synced) -> None:
        seen.append(done)
        if len(seen) == 2:
            stop.set()

    class Zeros:
        def token_bytes(self, count: int) -> bytes:
            return bytes(count)

    _send(city, PARENT, 1)
    site.client(city, tls).run(stop, 0.01, Zeros(), told)
    assert seen == [Synced(sent=1), Synced()]


def test_what_is_put_into_the_outbox_goes_at_once(
    city: ParcelDesk, parent: ParcelDesk, site: Door, tls: LineTls
) -> None:
    """The next round would come in an hour."""
    stop, first, client = threading.Event(), threading.Event(), site.client(city, tls)
    thread = threading.Thread(
        target=client.run, args=(stop, 3600.0, SystemRandomness(), lambda _: first.set())
    )
    thread.start()
    try:
        assert first.wait(20)
        _send(city, PARENT, 1)
        for _ in range(2000):
            if not city.waiting_for(PARENT):
                break
            time.sleep(0.01)
        assert len(parent.ready()) == 1
    finally:
        stop.set()
        client.give_up()
        thread.join()


def test_waits_double_and_are_bounded_and_jittered() -> None:
    class Fixed:
        def __init__(self, value: int) -> None:
            self.value = value

        def token_bytes(self, count: int) -> bytes:
            return self.value.to_bytes(count, "big")

    least, most = Fixed(0), Fixed(65535)
    assert wait_s(0, 5.0, most) == 5.0
    assert [wait_s(failed, 1.0, least) for failed in (1, 2, 3)] == [1.0, 2.0, 4.0]
    assert wait_s(99, 1.0, most) < WAIT_MAX_S
    assert wait_s(99, 1.0, least) == WAIT_MAX_S / 2


@pytest.mark.parametrize(
    "url", ["http://a:1", "https://", "https://a/path", "https://u@a", "https://a:x", "https://[", "a"]
)
def test_an_address_must_be_plain_https(url: str) -> None:
    with pytest.raises(Usage):
        Parent.at(PARENT, url)
    assert Parent.at(PARENT, "https://a.b:8443") == Parent(code=PARENT, host="a.b", port=8443)
