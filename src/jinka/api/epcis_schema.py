"""The OpenAPI 3.1 of this EPCIS server, made from its own tables: what GS1's says, as this server keeps it.

GS1's own document (EPCIS 2.0, REST binding) refers to schemas elsewhere, and declares a 409 whose status is 406 and a
job that no object can be; a client that checks answers is better served by this one. Parameters of queries that are
made of parts (``EQ_example:field``, ``GE_value_CEL``) have no place in OpenAPI; the description of /events names them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jinka import __version__
from jinka.api.epcis_exchange import JSON, LD_JSON, TEXT_XML, XML, Reply
from jinka.api.epcis_problems import JSON_KIND, XML_KIND, Exceptions
from jinka.api.epcis_schema_subscriptions import SCHEMAS, subscription_paths
from jinka.api.epcis_schema_trace import SCHEMAS as TRACE_SCHEMAS
from jinka.api.epcis_schema_trace import trace_paths
from jinka.api.epcis_services import PER_PAGE_MAX, EpcisServices
from jinka.codec.epcis import EventType
from jinka.codec.epcis.formats import EpcFormat
from jinka.codec.epcis.vocabulary import BIZ_STEPS, DISPOSITIONS, ERROR_REASONS, MEASUREMENTS
from jinka.store.trace_parameters import CONTROLS, FIXED_NAMES

_Schema = dict[str, Any]
_URI: _Schema = {"type": "string", "pattern": "^[a-z]{2,8}:[A-Za-z0-9:./_-]{1,80}$"}
_TIME: _Schema = {
    "type": "string",
    "pattern": r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$",
}
# The ranges of versions that include 2.0.
_LEAST: _Schema = {"type": "string", "pattern": r"^([01](\.[0-9]{1,4}){0,3}|2(\.0){0,3})$"}
_MOST: _Schema = {"type": "string", "pattern": r"^([2-9]|[1-9][0-9]{1,3})(\.[0-9]{1,4}){0,3}$"}
_TYPES = [one.value for one in EventType]
_WORDS: Mapping[str, list[str]] = {
    "EQ_bizStep": sorted(BIZ_STEPS.words), "EQ_disposition": sorted(DISPOSITIONS.words),
    "EQ_persistentDisposition_set": sorted(DISPOSITIONS.words),
    "EQ_persistentDisposition_unset": sorted(DISPOSITIONS.words), "EQ_errorReason": sorted(ERROR_REASONS.words),
    "EQ_type": sorted(MEASUREMENTS.words), "eventType": _TYPES, "EQ_action": ["ADD", "OBSERVE", "DELETE"],
}  # fmt: skip
_TEXTS = frozenset({"EQ_transformationID", "EQ_stringValue", "EQ_hexBinaryValue"})
_VALUES: Mapping[str, _Schema] = {
    "epc": _URI, "bizLocation": _URI, "readPoint": _URI, "bizStep": {"type": "string", "minLength": 1},
    "disposition": {"type": "string", "minLength": 1}, "eventType": {"type": "string", "minLength": 1},
    "eventID": {"type": "string", "minLength": 1}, "captureID": {"type": "string", "minLength": 1},
    "queryName": {"type": "string", "minLength": 1}, "token": {"type": "string", "minLength": 1},
}  # fmt: skip
_MEMBERS = {
    "eventTypes": "eventType", "epcs": "epc", "bizSteps": "bizStep", "bizLocations": "bizLocation",
    "readPoints": "readPoint", "dispositions": "disposition",
}  # fmt: skip
_DESCRIPTION = (
    "Parameters of SimpleEventQuery (EPCIS 2.0, 8.2.7.1). Besides those listed there are parameters that are made "
    "of parts: EQ_bizTransaction_TYPE, EQ_source_TYPE, EQ_destination_TYPE; EQ|GT|GE|LT|LE with value, minValue, "
    "maxValue, meanValue, sDev, percValue or quantity and a unit (GE_value_CEL); "
    "EQ|GT|GE|LT|LE|EXISTS with an extension "
    "(PREFIX:NAME declared in GS1-Extensions, or a full URI), also with INNER_, ILMD_, ERROR_DECLARATION_, "
    "SENSORELEMENT_, SENSORMETADATA_, SENSORREPORT_, readPoint_ and bizLocation_; HASATTR_FIELD and EQATTR_FIELD_NAME."
)


def openapi(services: EpcisServices, *, subscriptions: bool = False, traces: bool = False) -> Reply:
    """GET /openapi.json."""
    made = document(services, subscriptions=subscriptions, traces=traces)
    return Reply(body=json.dumps(made, ensure_ascii=False).encode())


def document(services: EpcisServices, *, subscriptions: bool = False, traces: bool = False) -> _Schema:
    """The whole document; ``subscriptions`` and ``traces``: those too, where the server has them."""
    paths: _Schema = {
        "/": {"get": _get("Top-level resources", "Collection", {}, _versions())},
        "/capture": {
            "get": _get("Capture jobs, the newest first", "Jobs", {}, [*_paging(), *_versions()]),
            "post": _post("Capture a document", "EPCISDocument", 202, services),
        },
        "/capture/{captureID}": {"get": _get("A capture job", "Job", {}, [_path("captureID"), *_versions()], xml=True)},
        "/events": {
            "get": _events() | {"description": _DESCRIPTION},
            "post": _post("Capture one event", "EPCISEvent", 201, services),
        },
        "/events/{eventID}": {"get": _document("An event by its id", [_path("eventID"), *_formats(), *_versions()])},
        "/queries": {
            "get": _get("Named queries", "Queries", {}, [*_paging(), *_versions()]),
            "post": _post("Make a named query", "Query", 201, services),
        },
        "/queries/{queryName}": {
            "get": _get("A named query", "Query", {}, [_path("queryName"), *_versions()]),
            "delete": _plain("Forget a query and its subscriptions", 204, [_path("queryName")]),
        },
        "/queries/{queryName}/events": {
            "get": _document(
                "The events of a named query", [_path("queryName"), *_paging(), *_formats(), *_versions()]
            )
        },
        "/nextPageToken/{token}": {"delete": _plain("Give a token back", 204, [_path("token")])},
    }  # fmt: skip
    for name, value in _MEMBERS.items():
        formats = [] if name in ("eventTypes",) else _formats()
        paths[f"/{name}"] = {
            "get": _get(f"Known {name}", "Collection", {}, [*_paging(), *formats, *_versions()])
        }
        paths[f"/{name}/{{{value}}}"] = {
            "get": _get(f"What there is of one of {name}", "Collection", {}, [_path(value), *_versions()])
        }
        paths[f"/{name}/{{{value}}}/events"] = {
            "get": _document(
                "Its events, with the parameters of /events besides",
                [_path(value), *_paging(), *_formats(), *_versions()],
            )
        }
    for path, item in paths.items():
        if not path.startswith("/nextPageToken"):
            names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
            item["options"] = _plain("What is possible here", 204, [_path(name) for name in names])
    schemas = _SCHEMAS
    if subscriptions:
        paths |= subscription_paths(_path("queryName"), _versions(), _paging(), _problems())
        schemas = schemas | dict(SCHEMAS)
    if traces:
        paths |= trace_paths(_paging(), _problems())
        schemas = schemas | dict(TRACE_SCHEMAS)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Jinka EPCIS 2.0", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _events() -> _Schema:
    return _document(
        "Events", [*_paging(), *_formats(), *_versions(), *(_query(name) for name in sorted(FIXED_NAMES))]
    )


def _query(name: str) -> _Schema:
    found: _Schema = {"name": name, "in": "query", "required": False}
    if name in CONTROLS:
        return found | {"schema": CONTROLS[name]}
    if name.endswith(("Time", "_time", "_Time")):
        return found | {"schema": _TIME}
    if name.startswith("EXISTS_") or name == "EQ_booleanValue":
        return found | {"schema": {"type": "boolean"}}
    if name.endswith(("_quantity", "_percRank")):
        return found | {"schema": {"type": "number", "minimum": -1e300, "maximum": 1e300}}
    if name in _WORDS:
        items: _Schema = {"type": "string", "enum": _WORDS[name]}
    else:
        items = {"type": "string", "pattern": "^[A-Za-z0-9:._-]{1,80}$"} if name in _TEXTS else _URI
    return found | {
        "style": "pipeDelimited", "explode": False, "schema": {"type": "array", "minItems": 1, "items": items},
    }  # fmt: skip


def _path(name: str) -> _Schema:
    return {"name": name, "in": "path", "required": True, "schema": _VALUES[name]}


def _header(name: str, schema: _Schema) -> _Schema:
    return {"name": name, "in": "header", "required": False, "schema": schema}


def _paging() -> list[_Schema]:
    return [
        {
            "name": "perPage", "in": "query", "required": False,
            "schema": {"type": "integer", "minimum": 1, "default": 30},
            "description": f"At most {PER_PAGE_MAX}.",
        },
        {
            "name": "nextPageToken", "in": "query", "required": False, "schema": {"type": "string"},
            "description": "From the Link of the page before.",
        },
    ]  # fmt: skip


def _versions() -> list[_Schema]:
    ends = (("Min", _LEAST), ("Max", _MOST))
    return [_header(f"GS1-{one}-{end}", schema) for one in ("EPCIS", "CBV") for end, schema in ends]


def _formats() -> list[_Schema]:
    return [_header("GS1-EPC-Format", {"type": "string", "enum": [one.value for one in EpcFormat]})]


def _get(
    summary: str, schema: str, headers: _Schema, parameters: list[_Schema], *, xml: bool = False
) -> _Schema:
    body = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    content: _Schema = {JSON: body}
    if schema == "Collection":
        content[LD_JSON] = body
    if xml:
        content |= {XML: {}, TEXT_XML: {}}
    return {
        "summary": summary,
        "parameters": parameters,
        "responses": {"200": {"description": summary, "content": content, "headers": headers}} | _problems(),
    }


def _document(summary: str, parameters: list[_Schema]) -> _Schema:
    found = _get(summary, "EPCISQueryDocument", {}, parameters, xml=True)
    content = found["responses"]["200"]["content"]
    content[LD_JSON] = content[JSON]
    return found


def _post(summary: str, schema: str, status: int, services: EpcisServices) -> _Schema:
    body: _Schema = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    content: _Schema = {JSON: body, LD_JSON: body}
    if schema != "Query":
        content |= {XML: {"schema": {"type": "string"}}}
    parameters = [
        _header(f"GS1-{one}-Version", {"type": "string", "enum": ["2.0", "2.0.0"]})
        for one in ("EPCIS", "CBV")
    ]
    if schema == "EPCISDocument":
        parameters.append(
            _header("GS1-Capture-Error-Behaviour", {"type": "string", "enum": ["rollback", "proceed"]})
        )
    answer: _Schema = {"description": summary, "headers": {"Location": {"schema": {"type": "string"}}}}
    if schema == "EPCISEvent":
        answer["content"] = {JSON: {"schema": {"type": "object"}}}
    return {
        "summary": summary,
        "description": f"At most {services.capture_events_max} events and {services.capture_bytes_max} bytes.",
        "parameters": parameters,
        "requestBody": {"required": True, "content": content},
        "responses": {str(status): answer} | _problems(),
    }


def _plain(summary: str, status: int, parameters: list[_Schema]) -> _Schema:
    return {
        "summary": summary,
        "parameters": parameters,
        "responses": {str(status): {"description": summary}} | _problems(),
    }


def _problems() -> _Schema:
    body = {"schema": {"$ref": "#/components/schemas/Problem"}}
    statuses = sorted({one.status for one in Exceptions})
    return {
        str(status): {"description": "A problem", "content": {JSON_KIND: body, XML_KIND: {}}}
        for status in statuses
    }


_STRINGS: _Schema = {"type": "array", "items": {"type": "string"}}
_EVENT: _Schema = {
    "type": "object",
    "required": ["@context", "type", "eventTime", "eventTimeZoneOffset", "epcList", "action"],
    "properties": {
        "@context": {},
        "type": {"const": "ObjectEvent"},
        "eventTime": _TIME,
        "eventTimeZoneOffset": {"type": "string", "pattern": r"^\+0[0-9]:00$"},
        "epcList": {"type": "array", "items": _URI},
        "action": {"enum": ["ADD", "OBSERVE", "DELETE"]},
        "bizStep": {"enum": sorted(BIZ_STEPS.words)},
        "disposition": {"enum": sorted(DISPOSITIONS.words)},
    },
}
_SCHEMAS: _Schema = {
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"enum": sorted({one.type for one in Exceptions})},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "where": {"type": "string"},
            "what": {"type": "string"},
            "fix": {"type": "string"},
        },
    },
    "Collection": {
        "type": "object",
        "required": ["@context", "type", "member"],
        "properties": {"type": {"const": "Collection"}, "member": _STRINGS | {"uniqueItems": True}},
    },
    "Job": {
        "type": "object",
        "required": ["captureID", "createdAt", "running", "success", "captureErrorBehaviour", "errors"],
        "properties": {
            "captureID": {"type": "string"},
            "createdAt": {"type": "string", "format": "date-time"},
            "finishedAt": {"type": "string", "format": "date-time"},
            "running": {"type": "boolean"},
            "success": {"type": "boolean"},
            "captureErrorBehaviour": {"enum": ["rollback", "proceed"]},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Problem"}},
        },
    },
    "Jobs": {"type": "array", "items": {"$ref": "#/components/schemas/Job"}},
    "Query": {
        "type": "object",
        "required": ["name", "query"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
            "query": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "eventType": {"type": "array", "minItems": 1, "items": {"enum": _TYPES}},
                    "EQ_bizStep": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"enum": sorted(BIZ_STEPS.words)},
                    },
                    "GE_eventTime": _TIME,
                    "MATCH_anyEPC": {"type": "array", "minItems": 1, "items": _URI},
                },
            },
        },
    },
    "Queries": {"type": "array", "items": {"$ref": "#/components/schemas/Query"}},
    "EPCISEvent": _EVENT,
    "EPCISDocument": {
        "type": "object",
        "required": ["type", "epcisBody"],
        "properties": {
            "@context": {},
            "type": {"const": "EPCISDocument"},
            "schemaVersion": {"const": "2.0"},
            "creationDate": _TIME,
            "epcisBody": {
                "type": "object",
                "required": ["eventList"],
                "additionalProperties": False,
                "properties": {
                    "eventList": {"type": "array", "items": {"$ref": "#/components/schemas/EPCISEvent"}}
                },
            },
        },
    },
    "EPCISQueryDocument": {
        "type": "object",
        "required": ["@context", "type", "schemaVersion", "creationDate", "epcisBody"],
        "properties": {"type": {"const": "EPCISQueryDocument"}, "epcisBody": {"type": "object"}},
    },
}
