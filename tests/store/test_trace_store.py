"""Events are kept once, whole jobs or nothing. Goal: no half captures, no doubles, nothing that is not found at once.

Method: small stories on SQLite and PostgreSQL.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.kit import Finding, Refused, Severity
from jinka.store import database_at
from jinka.store.trace_capture import Judging, Outcome, Unreadable, prepare
from jinka.store.trace_parameters import read_query
from jinka.store.trace_store import TraceStore, event_of
from tests.epcis_rig import NOW, Clock, events_of, facts, keep, store_at

ACCEPTED, DUPLICATE, REFUSED = Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.REFUSED


def _all(store: TraceStore) -> list[str]:
    return [event.event_id or "" for event in store.events(read_query({}), 1_000)[0]]


def test_what_was_captured_is_found_with_its_id_and_its_record_time(where: Path | str) -> None:
    with store_at(where) as store:
        (answer,) = keep(store, facts())
        (event,), page = store.events(read_query({}), 10)
    assert answer.outcome is ACCEPTED
    assert answer.event_id.startswith("ni:///sha-256;")
    assert page.after is None
    assert (event.event_id, event.record_time_us) == (answer.event_id, answer.seq)
    assert answer.seq > NOW
    assert replace(event, event_id=None, record_time_us=None) == events_of(facts())[0]


def test_the_same_event_again_changes_nothing_whatever_it_is_written_in(where: Path | str) -> None:
    with store_at(where) as store:
        keep(store, facts())
        again = keep(store, facts(), facts(epcList=["https://id.gs1.org/01/06901234123453/21/1"]))
        assert [one.outcome for one in again] == [DUPLICATE, ACCEPTED]  # another item: not the same event
        link = facts(epcList=["https://example.com/gtin/06901234123456/ser/1?x=1"])
        assert keep(store, link)[0].outcome is DUPLICATE
        assert len(_all(store)) == 2


def test_an_event_twice_in_one_job_is_kept_once(where: Path | str) -> None:
    with store_at(where) as store:
        assert [one.outcome for one in keep(store, facts(), facts())] == [ACCEPTED, DUPLICATE]
        assert len(_all(store)) == 1


def test_an_id_stands_for_one_content(where: Path | str) -> None:
    with store_at(where) as store:
        keep(store, facts(eventID="urn:uuid:1"))
        (answer,) = keep(store, facts(eventID="urn:uuid:1", action="DELETE"))
        assert answer.outcome is REFUSED
        assert "another event has this id" in answer.what
        assert keep(store, facts(eventID="urn:uuid:1"))[0].outcome is DUPLICATE
        assert keep(store, facts(eventID="urn:uuid:2"))[0].outcome is ACCEPTED  # two ids are two events


def test_without_proceed_one_bad_event_keeps_all_out(where: Path | str) -> None:
    with store_at(where) as store:
        keep(store, facts(eventID="urn:uuid:1"))
        answers = keep(store, facts(eventID="urn:uuid:2"), facts(eventID="urn:uuid:1", action="DELETE"))
        assert [one.outcome for one in answers] == [REFUSED, REFUSED]
        assert _all(store) == ["urn:uuid:1"]
        answers = keep(
            store, facts(eventID="urn:uuid:2"), facts(eventID="urn:uuid:1", action="DELETE"), proceed=True
        )
        assert [one.outcome for one in answers] == [ACCEPTED, REFUSED]
        assert _all(store) == ["urn:uuid:1", "urn:uuid:2"]


def test_an_event_that_could_not_be_read_has_its_answer_in_its_place(where: Path | str) -> None:
    with store_at(where) as store:
        good = prepare(events_of(facts())[0])
        bad = Unreadable(
            error=Refused("no time", where="/eventTime", fix="say when"), where="/epcisBody/eventList/1"
        )
        answers = store.capture([good, bad], proceed=True)
    assert [one.outcome for one in answers] == [ACCEPTED, REFUSED]
    assert (answers[1].where, answers[1].what) == ("/epcisBody/eventList/1/eventTime", "no time")


_WRONG = facts(eventID="urn:uuid:wrong")
_RIGHT = facts(eventID="urn:uuid:right", action="ADD")
_DECLARED = _WRONG | {
    "errorDeclaration": {
        "declarationTime": "2026-03-02T00:00:00.000Z", "reason": "incorrect_data",
        "correctiveEventIDs": ["urn:uuid:right"],
    }
}  # fmt: skip


def test_a_declaration_bears_the_id_of_its_event_and_stands_beside_it(where: Path | str) -> None:
    with store_at(where) as store:
        keep(store, _WRONG)
        assert [one.outcome for one in keep(store, _DECLARED, _RIGHT)] == [ACCEPTED, ACCEPTED]
        both = [event_of(row) for row in store.by_id("urn:uuid:wrong")]
        assert [one.error is not None for one in both] == [False, True]
        assert [one.outcome for one in keep(store, _DECLARED, _RIGHT)] == [DUPLICATE, DUPLICATE]
        found, _ = store.events(read_query({"EXISTS_errorDeclaration": True}), 10)
        assert [one.event_id for one in found] == ["urn:uuid:wrong"]


def test_a_declaration_and_its_corrections_stand_or_fall_together(where: Path | str) -> None:
    with store_at(where) as store:
        keep(store, _WRONG, facts(eventID="urn:uuid:right"))  # the id of the correction is taken
        answers = keep(store, facts(eventID="urn:uuid:other"), _DECLARED, _RIGHT, proceed=True)
        assert [one.outcome for one in answers] == [ACCEPTED, REFUSED, REFUSED]
        assert "belongs with an event that was refused" in answers[1].what
        assert len(store.by_id("urn:uuid:wrong")) == 1


def test_with_an_event_falls_what_declares_it_an_error_behind_it(where: Path | str) -> None:
    regretted = _RIGHT | {"errorDeclaration": {"declarationTime": "2026-03-03T00:00:00.000Z"}}
    with store_at(where) as store:
        keep(store, _WRONG)
        answers = keep(store, _DECLARED | {"action": "DELETE"}, _RIGHT, regretted, proceed=True)
        assert [one.outcome for one in answers] == [REFUSED, REFUSED, REFUSED]
        assert _all(store) == ["urn:uuid:wrong"]
        # what comes before its event, or after it was kept, rests on nothing in the job
        assert [one.outcome for one in keep(store, _RIGHT, proceed=True)] == [ACCEPTED]
        answers = keep(store, _DECLARED | {"action": "DELETE"}, _RIGHT, regretted, proceed=True)
        assert [one.outcome for one in answers] == [REFUSED, DUPLICATE, ACCEPTED]


def test_a_declaration_waits_for_a_correction_that_could_not_be_read(where: Path | str) -> None:
    bad = Unreadable(error=Refused("no time", where="/eventTime"), where="/epcisBody/eventList/1")
    with store_at(where) as store:
        keep(store, _WRONG)
        declared, right = (prepare(events_of(one)[0]) for one in (_DECLARED, _RIGHT))
        answers = store.capture([declared, bad], proceed=True)
        assert [one.outcome for one in answers] == [REFUSED, REFUSED]
        assert answers[0].where == "/epcisBody/eventList/1/eventTime"
        assert store.capture([right])[0].outcome is ACCEPTED
        # the correction is kept: what could not be read is none of this declaration's
        assert [one.outcome for one in store.capture([declared, bad], proceed=True)] == [ACCEPTED, REFUSED]


def test_a_declaration_must_repeat_its_event(where: Path | str) -> None:
    with store_at(where) as store:
        keep(store, _WRONG)
        (answer,) = keep(store, _DECLARED | {"action": "DELETE"})
        assert answer.outcome is REFUSED
        assert "does not repeat" in answer.what


@pytest.mark.parametrize("together", [True, False])
def test_an_event_that_was_declared_an_error_has_no_edges(where: Path | str, together: bool) -> None:
    packed = facts(
        type="AggregationEvent", epcList=None, parentID="urn:epc:id:sscc:6901234.0000000001",
        childEPCs=["urn:epc:id:sgtin:6901234.012345.1"], action="ADD", eventID="urn:uuid:packed",
    )  # fmt: skip
    declared = packed | {"errorDeclaration": {"declarationTime": "2026-03-02T00:00:00.000Z"}}
    with database_at(where) as database:
        store = TraceStore(database, Clock())
        if together:
            keep(store, packed, declared)
        else:
            keep(store, packed)
            assert _edges(database) > 0
            keep(store, declared)
        assert _edges(database) == 0
        keep(store, packed)  # again: a duplicate brings nothing back
        assert _edges(database) == 0


def test_a_declaration_that_comes_first_voids_what_comes_later(where: Path | str) -> None:
    declared = facts(eventID="urn:uuid:1", errorDeclaration={"declarationTime": "2026-03-02T00:00:00.000Z"})
    with database_at(where) as database:
        store = TraceStore(database, Clock())
        keep(store, declared)
        keep(store, facts(eventID="urn:uuid:1", bizLocation={"id": "urn:epc:id:sgln:6901234.00001.0"}))
        assert len(store.by_id("urn:uuid:1")) == 1  # another content: refused
        keep(store, facts(eventID="urn:uuid:1"))
        assert len(store.by_id("urn:uuid:1")) == 2
        assert _edges(database) == 0


def _edges(database: sa.Engine) -> int:
    with database.begin() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM trace_edges").scalar() or 0)


def test_a_judge_keeps_an_event_out_or_leaves_a_remark(where: Path | str) -> None:
    class Judge(Judging):
        def findings(self, event: object) -> list[Finding]:
            severity = Severity.ERROR if "bad" in str(event) else Severity.WARNING
            return [Finding(code="ODD", severity=severity, where="/epcList/0", what="odd")]

    with database_at(where) as database:
        store = TraceStore(database, Clock(), judges=lambda _connection, _events: Judge())
        good, bad = keep(store, facts(), facts(eventID="urn:uuid:bad"), proceed=True)
        assert (good.outcome, [one.code for one in good.findings]) == (ACCEPTED, ["ODD"])
        assert (bad.outcome, bad.what, bad.where) == (REFUSED, "odd", "/epcList/0")


def test_jobs_are_kept_with_an_answer_for_each_event_the_newest_first(where: Path | str) -> None:
    with store_at(where) as store:
        for number in range(3):
            prepared = [prepare(one) for one in events_of(facts(), facts(eventID=f"urn:uuid:{number}"))]
            store.capture(prepared, job=f"job{number}", captured_by="me")
        assert [job.id for job in store.jobs(0, 2)] == ["job2", "job1"]
        assert [job.id for job in store.jobs(2, 2)] == ["job0"]
        job = store.job("job1")
        assert job is not None
        assert (job.accepted, job.duplicates, job.refused, job.success) == (1, 1, 0, True)
        assert [one["outcome"] for one in job.answers] == ["duplicate", "accepted"]
        assert store.job("nothing") is None


def test_a_capture_that_fails_leaves_nothing_behind(
    where: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no more")

    with store_at(where) as store:
        with monkeypatch.context() as once:
            once.setattr("jinka.store.trace_store.write_edges", broken)
            with pytest.raises(RuntimeError, match="no more"):
                keep(store, facts())
        assert _all(store) == []
        assert (
            keep(store, facts())[0].outcome is ACCEPTED
        )  # its month's partition was taken back, and made again


def test_a_month_that_ends_within_a_capture_costs_nothing(where: Path | str) -> None:
    with database_at(where) as database:
        clock = Clock()
        store = TraceStore(database, clock)
        clock.micros = 1_775_001_600_000_000 - 1_003  # two microseconds before April, when it is asked again
        answers = keep(store, *(facts(eventID=f"urn:x:{n}") for n in range(2_010)))
        assert {one.outcome for one in answers} == {ACCEPTED}
        clock.micros = NOW  # and back in March
        assert keep(store, facts())[0].seq == answers[-1].seq + 1


def test_record_times_grow_even_when_the_clock_goes_back(where: Path | str) -> None:
    with database_at(where) as database:
        clock = Clock()
        store = TraceStore(database, clock)
        first = keep(store, facts())[0].seq
        clock.micros = NOW - 1_000_000_000
        answers = keep(store, *(facts(eventID=f"urn:uuid:{n}") for n in range(3)))
        assert [one.seq for one in answers] == [first + 1, first + 2, first + 3]


def test_captures_at_once_are_all_kept_once(where: Path | str) -> None:
    with store_at(where) as store:

        def capture(number: int) -> None:
            keep(store, facts(), facts(eventID=f"urn:uuid:{number}"))

        threads = [threading.Thread(target=capture, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found, _ = store.events(read_query({}), 100)
    assert len(found) == 9
    assert len({one.record_time_us for one in found}) == 9


def test_events_cannot_be_changed_or_removed(where: Path | str) -> None:
    with database_at(where) as database:
        keep(TraceStore(database, Clock()), facts())
        for statement in ("DELETE FROM trace_events", "UPDATE trace_events SET event_micros = 1"):
            with database.connect() as connection, pytest.raises(sa.exc.DatabaseError, match="append-only"):
                connection.exec_driver_sql(statement)
