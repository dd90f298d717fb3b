"""Capturing over HTTP: jobs, one event, headers, paging of jobs. Method: requests handed to the application."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.epcis_rig import CONTEXT, ITEM, Desk, desk_at, document, facts, many, next_url


@pytest.fixture
def desk(fresh_sqlite: Callable[[], Path]) -> Iterator[Desk]:
    with desk_at(fresh_sqlite()) as made:
        yield made


def test_a_job_tells_of_every_event(desk: Desk) -> None:
    done = desk.post("/capture", document(facts(), facts(), facts(eventID="urn:x:1")))
    assert (done.status, done.body) == (202, b"")
    job = desk.get(done.headers["Location"].removeprefix("http://epcis")).json
    assert (job["running"], job["success"], job["captureErrorBehaviour"]) == (False, True, "rollback")
    assert [one["outcome"] for one in job["events"]] == ["accepted", "duplicate", "accepted"]
    assert job["counts"] == {"accepted": 2, "duplicate": 1, "refused": 0}
    assert job["errors"] == []
    assert job["createdAt"] <= job["finishedAt"]
    assert len(desk.get("/events").events) == 2


def test_events_without_an_id_within_one_millisecond_are_one_and_the_job_says_so(desk: Desk) -> None:
    """CBV 2.0, 8.9: the hash, which becomes the id, has times to the millisecond."""
    early, late, later = (
        facts(eventTime=f"2026-03-01T10:00:00.{micros}Z") for micros in (123100, 123400, 124000)
    )
    job = desk.capture(early, late, later)
    assert [one["outcome"] for one in job["events"]] == ["accepted", "duplicate", "accepted"]
    known, again, _ = job["events"]
    assert again["eventID"] == known["eventID"]
    assert "known already" in again["what"]
    assert "millisecond" in again["what"]
    named = desk.capture(early | {"eventID": "urn:x:1"}, late | {"eventID": "urn:x:2"})
    assert [one["outcome"] for one in named["events"]] == ["accepted", "accepted"]


def test_a_conflict_is_the_jobs_to_tell_and_takes_all_back(desk: Desk) -> None:
    desk.capture(facts(eventID="urn:x:1"))
    job = desk.capture(facts(), facts(eventID="urn:x:1", action="ADD"))
    assert job["success"] is False
    assert [one["outcome"] for one in job["events"]] == ["refused", "refused"]
    error = job["errors"][1]
    assert (error["type"], error["where"]) == (
        "epcisException:ResourceAlreadyExistsException", "/epcisBody/eventList/1/eventID",
    )  # fmt: skip
    assert len(desk.get("/events").events) == 1


def test_what_cannot_be_read_is_told_at_once_and_nothing_is_kept(desk: Desk) -> None:
    body = document(facts(), facts(eventTime="2026-03-01T10:00:00"), facts(action="LOOK"))
    refused = desk.post("/capture", body)
    assert (refused.status, refused.problem) == (400, "ValidationException /epcisBody/eventList/1/eventTime")
    assert "/epcisBody/eventList/2/action" in refused.json["detail"]
    assert desk.get("/events").events == []
    assert desk.get("/capture").json == []


def test_proceed_keeps_what_is_good_and_tells_of_the_rest(desk: Desk) -> None:
    body = document(facts(), facts(eventTime="2026-03-01T10:00:00"), facts(eventID="urn:x:3"))
    done = desk.post("/capture", body, GS1_Capture_Error_Behaviour="proceed")
    job = desk.get(done.headers["Location"].removeprefix("http://epcis")).json
    assert (job["success"], job["captureErrorBehaviour"]) == (False, "proceed")
    assert [one["outcome"] for one in job["events"]] == ["accepted", "refused", "accepted"]
    assert job["errors"][0]["where"] == "/epcisBody/eventList/1/eventTime"
    assert len(desk.get("/events").events) == 2


def test_a_job_can_be_read_in_xml(desk: Desk) -> None:
    job = desk.capture(facts(eventID="urn:x:1"), facts(eventID="urn:x:1", action="ADD"))
    told = desk.get(f"/capture/{job['captureID']}", Accept="application/xml")
    assert told.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?><epcis:EPCISCaptureJob ')
    assert b' running="false" success="false" ' in told.body
    assert told.body.count(b"<error>") == 2


def test_jobs_come_in_pages_the_newest_first(desk: Desk) -> None:
    ids = [desk.capture(facts(eventID=f"urn:x:{n}"))["captureID"] for n in range(5)]
    found: list[str] = []
    url = "/capture?perPage=2"
    while url:
        page = desk.get(url)
        found += [one["captureID"] for one in page.json]
        url = next_url(page)
    assert found == ids[::-1]


def test_one_event_is_answered_with_the_event(desk: Desk) -> None:
    made = desk.post("/events", json.dumps({"@context": CONTEXT} | facts()))
    assert made.status == 201, made.body
    assert made.json["epcList"] == [f"{ITEM}1"]
    assert made.json["eventID"].startswith("ni:///sha-256;")
    at = made.headers["Location"].removeprefix("http://epcis")
    assert desk.get(at).events[0]["eventID"] == made.json["eventID"]
    again = desk.post("/events", json.dumps({"@context": CONTEXT} | facts()))
    assert (again.status, again.json) == (201, made.json)
    error = {"declarationTime": "2026-03-02T00:00:00.000Z"}
    declared = desk.post("/events", json.dumps({"@context": CONTEXT} | facts(errorDeclaration=error)))
    assert "errorDeclaration" in declared.json
    again = desk.post("/events", json.dumps({"@context": CONTEXT} | facts()))
    assert again.json == made.json  # the event, not what declared it an error since


def test_an_event_id_that_is_taken_is_a_conflict(desk: Desk) -> None:
    desk.post("/events", json.dumps({"@context": CONTEXT} | facts(eventID="urn:x:1")))
    refused = desk.post("/events", json.dumps({"@context": CONTEXT} | facts(eventID="urn:x:1", action="ADD")))
    assert (refused.status, refused.problem) == (409, "ResourceAlreadyExistsException /eventID")
    two = desk.post("/events", document(facts(), facts(eventID="urn:x:2")))
    assert (two.status, two.problem) == (400, "ValidationException body")


@pytest.mark.parametrize(
    ("change", "status", "problem"),
    [
        ({"kind": "text/plain"}, 415, "UnsupportedMediaTypeException Content-Type"),
        ({"kind": ""}, 415, "UnsupportedMediaTypeException Content-Type"),
        ({"GS1_Capture_Error_Behaviour": "all"}, 400, "ValidationException GS1-Capture-Error-Behaviour"),
        ({"GS1_EPCIS_Version": "3.0.0"}, 406, "NotAcceptableException GS1-EPCIS-Version"),
        ({"GS1_EPCIS_Version": "two"}, 406, "NotAcceptableException GS1-EPCIS-Version"),
        ({"GS1_CBV_Version": "1.0"}, 406, "NotAcceptableException GS1-CBV-Version"),
    ],
)
def test_a_capture_with_wrong_headers_is_refused(desk: Desk, change: Any, status: int, problem: str) -> None:
    refused = desk.post("/capture", document(facts()), **change)
    assert (refused.status, refused.problem) == (status, problem)
    assert desk.get("/events").events == []


@pytest.mark.parametrize("version", ["2.0", "2.0.0", "1.2"])
def test_versions_that_are_read_are_taken(desk: Desk, version: str) -> None:
    assert desk.post("/capture", document(facts()), GS1_EPCIS_Version=version).status == 202


def test_the_limits_of_a_capture_are_kept(fresh_sqlite: Callable[[], Path]) -> None:
    with desk_at(fresh_sqlite(), capture_events_max=2) as desk:
        refused = desk.post("/capture", document(*many(3)))
        assert (refused.status, refused.problem) == (
            413,
            "CaptureLimitExceededException GS1-EPCIS-Capture-Limit",
        )
        assert desk.post("/capture", document(*many(2))).status == 202
