"""Capturing over HTTP: POST /capture and its jobs, POST /events. EPCIS 2.0, 12.6.

A document is captured before it is answered: 202 names a job that has ended, and what it reports as captured can be
asked for at once. What is no EPCIS document, and without ``proceed`` an event that cannot be read, is answered 400 with
the place; what only the repository can tell (an id that is taken, a rule) stands in the job.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from jinka.api.epcis_exchange import (
    JSON,
    LD_JSON,
    TEXT_XML,
    XML,
    Ask,
    Reply,
    accepted,
    check_versions,
    check_written_version,
    location,
    media_type,
)
from jinka.api.epcis_pages import next_page, page_start, per_page
from jinka.api.epcis_problems import EpcisError, Exceptions
from jinka.api.epcis_services import EpcisServices, Resource
from jinka.codec.epcis import Document, read_json, read_xml
from jinka.codec.epcis.scalars import Limits, time_text
from jinka.kit import Refused
from jinka.kit.collection import no_collection
from jinka.store.trace_capture import Outcome, Prepared, Unreadable, prepare
from jinka.store.trace_document import as_text
from jinka.store.trace_store import Job

XMLS = (XML, TEXT_XML)
_PLACE, _PLACE_XML = "/epcisBody/eventList/{at}", "/EPCISBody/EventList/*[{number}]"
_ERRORS_MAX = 100  # of a job that are listed
_FAULTS_MAX = 20  # of a document that are told at once


@no_collection()
def capture(ask: Ask, services: EpcisServices) -> Reply:
    """POST /capture."""
    check_written_version(ask)
    signed = services.check_signature(ask)
    proceed = _behaviour(ask)
    document, faults = _read(ask, services)
    if faults and not proceed:
        raise _several(faults)
    batch = _batch(document, faults, _PLACE_XML if media_type(ask) in XMLS else _PLACE)
    if not proceed:
        for one in batch:
            if isinstance(one, Unreadable):
                raise one.error
    batch = _allowed(ask, services, batch)
    _check_master(ask, services, document)
    job = services.randomness.token_bytes(16).hex()
    services.store.capture(
        batch, job=job, proceed=proceed, captured_by=ask.caller.name,
        declares_own=_declares_own(ask, services), vocabularies=document.vocabularies, signed=signed,
    )  # fmt: skip
    services.captured()
    return Reply(status=202, kind="", headers={"Location": location(ask, "capture", job)})


def capture_event(ask: Ask, services: EpcisServices) -> Reply:
    """POST /events: one event, as it is kept."""
    check_written_version(ask)
    signed = services.check_signature(ask)
    accepted(ask, JSON, LD_JSON)
    document, faults = _read(ask, services)
    if faults:
        raise faults[0][1]
    if len(document.events) != 1:
        raise EpcisError(
            Exceptions.VALIDATION,
            f"{len(document.events)} events",
            where="body",
            fix="one; /capture takes more",
        )
    prepared = prepare(document.events[0])
    (one,) = _allowed(ask, services, [prepared])
    if isinstance(one, Unreadable):
        raise one.error
    job = services.randomness.token_bytes(16).hex() if signed else ""  # a signature is kept with a job
    answer = services.store.capture(
        [prepared], job=job, captured_by=ask.caller.name, declares_own=_declares_own(ask, services),
        signed=signed,
    )[0]  # fmt: skip
    if answer.outcome is Outcome.REFUSED:
        taken = answer.where == "/eventID"
        raise EpcisError(
            Exceptions.EXISTS if taken else Exceptions.VALIDATION,
            answer.what,
            where=answer.where,
            fix=answer.fix,
        )
    services.captured()
    (row,) = [row for row in services.store.by_id(answer.event_id) if row.seq == answer.seq]
    body = as_text(row.document, row.seq).encode()
    return Reply(status=201, body=body, headers={"Location": location(ask, "events", answer.event_id)})


def _allowed(
    ask: Ask, services: EpcisServices, batch: list[Prepared | Unreadable]
) -> list[Prepared | Unreadable]:
    """The same with what the caller may not capture taken for what cannot be read."""
    if services.sight is None or not services.sight.bounded(ask.caller):
        return batch
    told = iter(services.sight.why_not(ask.caller, [one.event for one in batch if isinstance(one, Prepared)]))
    found = list[Prepared | Unreadable]()
    for one in batch:
        what, where = next(told) if isinstance(one, Prepared) else ("", "")
        error = EpcisError(Exceptions.FORBIDDEN, what, where=where, fix="the operator lets you (captures)")
        found.append(Unreadable(error=error, where=one.where) if what else one)
    return found


def _check_master(ask: Ask, services: EpcisServices, document: Document) -> None:
    """Raise `EpcisError` (403) for master data of what is another's: it would replace that one's own."""
    if services.sight is None or not services.sight.bounded(ask.caller):
        return
    ids = [element.id for each in document.vocabularies for element in each.elements]
    if other := services.sight.others(ask.caller, ids):
        raise EpcisError(
            Exceptions.FORBIDDEN, f"master data of another participant's: {other[:200]}", where="epcisMasterData",
            fix="describe what is your own",
        )  # fmt: skip


def _declares_own(ask: Ask, services: EpcisServices) -> bool:
    """Whether the caller may declare errors only of its own events: who sees all may of every event."""
    return services.sight is not None and services.sight.bounded(ask.caller)


def jobs(ask: Ask, services: EpcisServices) -> Reply:
    """GET /capture: jobs, the newest first; who has a name sees its own."""
    check_versions(ask)
    accepted(ask, JSON)
    start, most = page_start(ask, services), per_page(ask)
    found = services.store.jobs(int(start[0]) if start else 0, most + 1, by=ask.caller.name)
    headers = next_page(ask, services, [found[most - 1].number]) if len(found) > most else {}
    body = [_job_facts(job) for job in found[:most]]
    return Reply(body=json.dumps(body, ensure_ascii=False).encode(), headers=headers)


def job(ask: Ask, services: EpcisServices) -> Reply:
    """GET /capture/{captureID}."""
    check_versions(ask)
    kind = accepted(ask, JSON, XML, TEXT_XML)
    found = _require_job(ask, services)
    facts = _job_facts(found)
    facts["counts"] = {"accepted": found.accepted, "duplicate": found.duplicates, "refused": found.refused}
    facts["events"] = list(found.answers)
    if kept := services.store.signed(found.id):
        facts["signature"] = dict(services.signer(kept))
    if kind == JSON:
        return Reply(body=json.dumps(facts, ensure_ascii=False).encode())
    return Reply(body=_job_xml(facts).encode(), kind=kind)


def _require_job(ask: Ask, services: EpcisServices) -> Job:
    found = services.store.job(ask.path[1])
    if found is None or (ask.caller.name and found.captured_by != ask.caller.name):
        raise EpcisError(Exceptions.NO_SUCH_RESOURCE, "no such capture job", where="captureID")
    return found


def _behaviour(ask: Ask) -> bool:
    text = ask.header("GS1-Capture-Error-Behaviour", "rollback")
    if text not in ("rollback", "proceed"):
        raise EpcisError(
            Exceptions.VALIDATION,
            f"{text[:40]!r}",
            where="GS1-Capture-Error-Behaviour",
            fix="rollback or proceed",
        )
    return text == "proceed"


def _read(ask: Ask, services: EpcisServices) -> tuple[Document, list[tuple[int, Refused]]]:
    """The document, and its events that are none with their places; raises `EpcisError` and `Refused`."""
    kind = media_type(ask)
    if kind not in (JSON, LD_JSON, *XMLS):
        raise EpcisError(
            Exceptions.MEDIA_TYPE, f"{kind[:60] or 'nothing'!r}", where="Content-Type",
            fix=", ".join((JSON, LD_JSON, XML, TEXT_XML)),
        )  # fmt: skip
    limits = Limits(document_bytes=services.capture_bytes_max)
    faults: list[tuple[int, Refused]] = []
    read = read_xml if kind in XMLS else read_json
    document = read(ask.body, limits=limits, faults=faults)
    if len(document.events) + len(faults) > services.capture_events_max:
        raise EpcisError(
            Exceptions.CAPTURE_LIMIT, f"{len(document.events) + len(faults)} events",
            where="GS1-EPCIS-Capture-Limit", fix=f"at most {services.capture_events_max} at a time",
        )  # fmt: skip
    return document, faults


def _several(faults: list[tuple[int, Refused]]) -> Refused:
    """The first fault, with the places of the others."""
    first = faults[0][1]
    if len(faults) == 1:
        return first
    others = "; ".join(str(fault) for _, fault in faults[1:_FAULTS_MAX])
    return Refused(first.what, where=first.where, fix=f"{first.fix}; and {len(faults) - 1} more: {others}")


def _batch(document: Document, faults: list[tuple[int, Refused]], place: str) -> list[Prepared | Unreadable]:
    """Everything of a document in its order; ``place`` is that of an event, with its index or its number."""
    bad, good = dict(faults), iter(document.events)
    batch: list[Prepared | Unreadable] = []
    for at in range(len(document.events) + len(faults)):
        if at in bad:
            batch.append(Unreadable(error=bad[at]))
            continue
        event = next(good)
        try:
            batch.append(prepare(event, place.format(at=at, number=at + 1)))
        except Refused as error:
            batch.append(Unreadable(error=error, where=place.format(at=at, number=at + 1)))
    return batch


def _job_facts(job: Job) -> dict[str, Any]:
    refused = [answer for answer in job.answers if answer["outcome"] == Outcome.REFUSED.value]
    return {
        "captureID": job.id,
        "createdAt": time_text(job.created_micros),
        "finishedAt": time_text(job.finished_micros),
        "running": False,
        "success": job.success,
        "captureErrorBehaviour": job.behaviour,
        "errors": [_error_facts(answer) for answer in refused[:_ERRORS_MAX]],
    }


def _error_facts(answer: Mapping[str, Any]) -> dict[str, Any]:
    exception = (
        Exceptions.EXISTS if str(answer.get("where", "")).endswith("/eventID") else Exceptions.VALIDATION
    )
    said = {name: answer[name] for name in ("what", "where", "fix", "eventID") if name in answer}
    detail = ": ".join(str(said[name]) for name in ("where", "what") if name in said)
    return {
        "type": exception.type,
        "title": exception.title,
        "status": exception.status,
        "detail": detail,
    } | said


def _job_xml(facts: Mapping[str, Any]) -> str:
    """As GS1's examples of capture jobs have it: attributes, elements, and each error a problem."""
    attributes = "".join(
        f" {name}={quoteattr(str(facts[name]).lower())}" for name in ("running", "success", "captureID")
    )
    plain = "".join(
        f"<{name}>{escape(str(facts[name]))}</{name}>"
        for name in ("captureErrorBehaviour", "createdAt", "finishedAt")
    )
    errors = "".join(
        f"<error>{''.join(f'<{name}>{escape(str(error[name]))}</{name}>' for name in _XML_ERROR)}</error>"
        for error in facts["errors"]
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><epcis:EPCISCaptureJob xmlns:epcis="urn:epcglobal:epcis:xsd:2"'
        f"{attributes}>{plain}<errors>{errors}</errors></epcis:EPCISCaptureJob>"
    )


_XML_ERROR = ("type", "title", "status", "detail")


def capture_headers(services: EpcisServices) -> dict[str, str]:
    """What OPTIONS and a refusal tell of the limits."""
    return {
        "GS1-EPCIS-Capture-Limit": str(services.capture_events_max),
        "GS1-EPCIS-Capture-File-Size-Limit": str(services.capture_bytes_max),
        "GS1-Capture-Error-Behaviour": "all",
    }


def _job_exists(ask: Ask, services: EpcisServices) -> None:
    _require_job(ask, services)


RESOURCES = (
    Resource(path="/capture", methods={"GET": jobs, "POST": capture}, headers=capture_headers),
    Resource(path="/capture/{captureID}", methods={"GET": job}, exists=_job_exists),
)
