"""Outbox and inbox of parcels. Goal: nothing is lost, applied twice or out of order, and who answers twice is shown up.

Method: streams of manifests in all orders, twice, with other content, on each engine.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.codec.parcel import Kind, Manifest, Receipt
from jinka.kit import Finding, JinkaError, NotFound, Refused, Severity, Usage
from jinka.store.database import database_at
from jinka.store.parcel_findings import findings_in, resume, suspend
from jinka.store.parcel_tables import conflicts, taken
from jinka.store.parcels_sent import Draft, Outbox
from jinka.store.parcels_taken import AHEAD_MAX, Inbox, TakenState
from tests.parcels import CITY, DAY, NOW, OTHER, PARENT, chain, entry, manifest, signatory


@pytest.fixture
def engine(where: Path | str) -> Iterator[sa.Engine]:
    with database_at(where) as made:
        yield made


def _draft(reference: str = "window 1", **more: object) -> Draft:
    known = {
        "receiver": PARENT, "kind": Kind.RECORDS, "reference": reference, "business_date": DAY,
        "files": (entry(),), "amount_fen": 750,
    }  # fmt: skip
    return Draft(**known | more)  # type: ignore[arg-type]


def _envelope(made: Manifest) -> bytes:
    return signatory(made.sender).seal(made).to_bytes()


def _take(inbox: Inbox, made: Manifest, receipt: bytes = b"receipt") -> bytes:
    return inbox.take(made, _envelope(made), receipt, NOW)


def _codes(engine: sa.Engine) -> list[str]:
    return [found.code for found in findings_in(engine)]


def test_the_outbox_numbers_and_chains(engine: sa.Engine) -> None:
    outbox = Outbox(engine, CITY)
    sent = [outbox.put(_draft(f"window {at}"), signatory(CITY).seal, NOW + at).manifest for at in range(3)]
    other = outbox.put(_draft("window 0", kind=Kind.POSITIONS), signatory(CITY).seal, NOW).manifest
    assert [one.number for one in sent] == [1, 2, 3]
    assert [one.previous for one in sent[1:]] == [one.digest for one in sent[:2]]
    assert other.number == 1
    assert [one.manifest for one in outbox.waiting_for(PARENT)] == [other, *sent]
    assert outbox.waiting_for(OTHER) == []


def test_a_stream_that_is_held_up_keeps_no_other_waiting(engine: sa.Engine) -> None:
    outbox = Outbox(engine, CITY)
    for at in range(4):
        outbox.put(_draft(f"{at}", kind=Kind.LISTS), signatory(CITY).seal, NOW)
    for at in range(2):
        outbox.put(_draft(f"{at}"), signatory(CITY).seal, NOW)
    found = [(one.manifest.kind, one.manifest.number) for one in outbox.waiting_for(PARENT, 3)]
    lists, records = Kind.LISTS, Kind.RECORDS
    assert found == [(lists, 1), (records, 1), (lists, 2), (records, 2), (lists, 3)]


def test_a_reference_is_one_parcel(engine: sa.Engine) -> None:
    outbox = Outbox(engine, CITY)
    first = outbox.put(_draft(), signatory(CITY).seal, NOW)
    assert outbox.put(_draft(), signatory(CITY).seal, NOW + 9) == first
    with pytest.raises(Refused, match="another content"):
        outbox.put(_draft(amount_fen=751), signatory(CITY).seal, NOW + 9)
    assert _codes(engine) == ["REFERENCE_TWICE"]
    assert [one.manifest for one in outbox.waiting_for(PARENT)] == [first.manifest]


def test_only_a_receipt_for_this_very_parcel_ends_its_wait(engine: sa.Engine) -> None:
    outbox = Outbox(engine, CITY)
    made = outbox.put(_draft(), signatory(CITY).seal, NOW).manifest
    right = Receipt(
        sender=CITY, receiver=PARENT, kind=Kind.RECORDS, number=1, manifest=made.digest, taken_micros=NOW
    )
    for wrong, error in ((replace(right, manifest=bytes(32)), Refused), (replace(right, number=2), NotFound)):
        with pytest.raises(error):
            outbox.receipted(wrong, b"no", NOW)
    assert len(outbox.waiting_for(PARENT)) == 1
    outbox.receipted(right, b"first", NOW + 1)
    outbox.receipted(right, b"second", NOW + 2)
    assert outbox.waiting_for(PARENT) == []
    assert (outbox.sent(PARENT, Kind.RECORDS, 1).receipt) == b"first"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_whatever_the_order_of_arrival_parcels_are_applied_in_order(
    fresh_sqlite: object, order: tuple[int, ...]
) -> None:
    stream = chain(3)
    with database_at(fresh_sqlite()) as engine:  # type: ignore[operator]
        inbox, applied = Inbox(engine, PARENT), list[int]()
        for at in order:
            _take(inbox, stream[at])
            for parcel in inbox.ready():
                inbox.settle(parcel, TakenState.APPLIED, NOW)
                applied.append(parcel.manifest.number)
        assert applied == [1, 2, 3]
        assert _codes(engine) == []


def test_the_same_parcel_twice_is_one_with_one_receipt(engine: sa.Engine) -> None:
    inbox, made = Inbox(engine, PARENT), manifest()
    assert inbox.known(made, _envelope(made), NOW) == b""
    assert _take(inbox, made, b"first") == b"first"
    assert _take(inbox, made, b"second") == b"first"
    assert inbox.known(made, _envelope(made), NOW) == b"first"
    assert len(inbox.ready()) == 1


def test_another_content_under_the_same_number_is_refused_and_kept_as_evidence(engine: sa.Engine) -> None:
    inbox, made = Inbox(engine, PARENT), manifest()
    _take(inbox, made)
    for amount in range(20):
        with pytest.raises(Refused, match="another parcel has this number"):
            _take(inbox, replace(made, amount_fen=amount))
    assert [one.manifest for one in inbox.ready()] == [made]
    with engine.connect() as connection:
        kept = connection.execute(sa.select(conflicts.c.envelope)).scalars().all()
    assert len(kept) == 8
    assert _codes(engine) == ["NUMBER_TWICE"]


@pytest.mark.parametrize("late", [1, 2])
def test_a_chain_that_does_not_close_is_refused(engine: sa.Engine, late: int) -> None:
    inbox = Inbox(engine, PARENT)
    first, second = chain(2)
    false = (
        (replace(first, amount_fen=1), second)
        if late == 1
        else (first, replace(second, previous=bytes([7] * 32)))
    )
    _take(inbox, false[2 - late])
    with pytest.raises(Refused, match="name another one"):
        _take(inbox, false[late - 1])
    assert _codes(engine) == ["CHAIN_BROKEN"]


def test_a_gap_is_told_with_since_when(engine: sa.Engine) -> None:
    inbox, stream = Inbox(engine, PARENT), chain(7)
    for number, at in ((1, 5), (6, 8), (3, 9), (7, 20)):
        inbox.take(stream[number - 1], _envelope(stream[number - 1]), b"r", NOW + at)
    gaps = [(gap.first, gap.last, gap.since_micros - NOW) for gap in inbox.gaps()]
    assert gaps == [(2, 2, 8), (4, 5, 8)]
    assert [one.manifest.number for one in inbox.ready()] == [1]


def test_nothing_is_applied_before_what_precedes_it(engine: sa.Engine) -> None:
    inbox, stream = Inbox(engine, PARENT), chain(4)
    for number in (1, 2, 4):
        _take(inbox, stream[number - 1])
    for number in (2, 4):
        with pytest.raises(Refused, match="not the next"):
            inbox.settle(inbox.taken(stream[0].stream, number), TakenState.APPLIED, NOW)
    first = inbox.ready()[0]
    inbox.settle(first, TakenState.APPLIED, NOW)
    with pytest.raises(Refused, match="not waiting"):
        inbox.settle(first, TakenState.APPLIED, NOW)


def test_a_mark_and_what_belongs_to_it_are_committed_together(engine: sa.Engine) -> None:
    inbox = Inbox(engine, PARENT)
    _take(inbox, manifest())

    def fail(connection: sa.Connection) -> None:
        raise Usage("no")

    with pytest.raises(Usage):
        inbox.settle(inbox.ready()[0], TakenState.APPLIED, NOW, within=fail)
    assert len(inbox.ready()) == 1


def test_what_is_parked_holds_up_nobody_and_can_be_released(engine: sa.Engine) -> None:
    inbox, stream = Inbox(engine, PARENT), chain(2)
    for made in stream:
        _take(inbox, made)
    found = Finding(code="STRANGE", severity=Severity.ERROR, where="x", what="y")
    inbox.settle(inbox.ready()[0], TakenState.PARKED, NOW, finding=found)
    assert [one.manifest.number for one in inbox.ready()] == [2]
    inbox.settle(inbox.ready()[0], TakenState.APPLIED, NOW)
    inbox.release(stream[0].stream, 1, NOW)
    assert [one.manifest.number for one in inbox.ready()] == [1]
    with pytest.raises(Refused):
        inbox.release(stream[0].stream, 2, NOW)
    assert _codes(engine) == ["STRANGE"]


def test_the_parcels_of_a_suspended_centre_wait(engine: sa.Engine) -> None:
    inbox = Inbox(engine, PARENT)
    suspend(engine, CITY, "wang", "no cover", NOW)
    suspend(engine, CITY, "zhao", "again", NOW)
    _take(inbox, manifest())
    _take(inbox, manifest(sender=OTHER))
    assert [one.manifest.sender for one in inbox.ready()] == [OTHER]
    with pytest.raises(Refused, match="another officer"):
        resume(engine, CITY, "Wang", "paid", NOW)
    resume(engine, CITY, "li", "paid", NOW)
    assert len(inbox.ready()) == 2
    assert _codes(engine) == ["SENDER_SUSPENDED"]
    with pytest.raises(Refused, match="not suspended"):
        resume(engine, CITY, "li", "paid", NOW)


def test_a_clock_that_runs_wrong_is_told_and_no_reason_to_refuse(engine: sa.Engine) -> None:
    inbox, stream = Inbox(engine, PARENT), chain(2)
    late = replace(stream[0], made_micros=NOW - 90 * 86_400_000_000)
    _take(inbox, late)  # a centre that was cut off for a season
    assert _codes(engine) == []
    back = replace(stream[1], previous=late.digest, made_micros=late.made_micros - 1)
    _take(inbox, back)
    _take(inbox, manifest(kind=Kind.LISTS, made_micros=NOW + 11 * 60 * 1_000_000))
    assert sorted(_codes(engine)) == ["CLOCK_AHEAD", "CLOCK_BACK"]
    assert len(inbox.ready()) == 3


def test_a_number_that_is_absurdly_far_ahead_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(Refused, match="are missing"):
        _take(Inbox(engine, PARENT), manifest(AHEAD_MAX + 1))
    with pytest.raises(NotFound):
        Inbox(engine, PARENT).taken(manifest().stream, 1)


def test_who_reads_waits_for_no_writer_and_who_writes_says_that_it_is_busy(
    fresh_sqlite: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jinka.store.database.BUSY_TIMEOUT_MS", 20)
    with database_at(fresh_sqlite()) as engine, engine.begin():
        inbox, outbox = Inbox(engine, PARENT), Outbox(engine, CITY)
        assert (inbox.ready(), inbox.gaps(), outbox.waiting_for(PARENT)) == ([], [], [])
        for act in (
            lambda: _take(inbox, manifest()),
            lambda: outbox.put(_draft(), signatory(CITY).seal, NOW),
        ):
            with pytest.raises(JinkaError, match="busy"):
                act()


def test_two_that_did_not_see_each_other_are_not_both_applied(engine: sa.Engine) -> None:
    """Taken in at the same moment, on a database where neither waits for the other."""
    inbox, stream = Inbox(engine, PARENT), chain(2)
    _take(inbox, stream[0])
    _take(inbox, stream[1])
    with engine.begin() as connection:
        connection.execute(taken.update().where(taken.c.number == 2).values(previous=bytes([9] * 32)))
    first, second = inbox.ready()
    inbox.settle(first, TakenState.APPLIED, NOW)
    with pytest.raises(Refused, match="another parcel before it"):
        inbox.settle(second, TakenState.APPLIED, NOW)


def _at_once(acts: list[Callable[[], bytes]]) -> list[bytes | Refused]:
    gate, answers = threading.Barrier(len(acts)), list[bytes | Refused]()

    def run(act: Callable[[], bytes]) -> None:
        gate.wait()
        try:
            answers.append(act())
        except Refused as error:
            answers.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_the_same_parcel_from_several_connections_at_once_is_one(engine: sa.Engine) -> None:
    inbox, made = Inbox(engine, PARENT), manifest()
    acts = [lambda name=name: _take(inbox, made, name) for name in (b"a", b"b", b"c", b"d")]
    answers = _at_once(acts)
    assert len(answers) == 4
    assert len(set(answers)) == 1
    assert inbox.taken(made.stream, 1).receipt == answers[0]


def test_of_two_contents_under_one_number_at_once_one_is_taken(engine: sa.Engine) -> None:
    inbox = Inbox(engine, PARENT)
    acts = [lambda amount=amount: _take(inbox, manifest(amount_fen=amount)) for amount in range(4)]
    answers = _at_once(acts)
    assert sorted(type(answer).__name__ for answer in answers) == ["Refused"] * 3 + ["bytes"]
    assert len(inbox.ready()) == 1
    assert len(inbox.conflicts()) == 3


def test_numbers_that_are_asked_for_at_once_have_no_gap(engine: sa.Engine) -> None:
    outbox = Outbox(engine, CITY)
    acts = [
        lambda at=at: bytes([outbox.put(_draft(f"r {at % 3}"), signatory(CITY).seal, NOW).manifest.number])
        for at in range(6)
    ]
    _at_once(acts)
    sent = [one.manifest for one in outbox.waiting_for(PARENT)]
    assert [one.number for one in sent] == [1, 2, 3]
    assert [one.previous for one in sent[1:]] == [one.digest for one in sent[:2]]
