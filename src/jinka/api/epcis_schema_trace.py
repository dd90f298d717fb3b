"""The OpenAPI 3.1 of what stands beside the EPCIS resources: graphs, recalls and their notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinka.trace.recall import Fate

_Schema = dict[str, Any]
_TEXT: _Schema = {"type": "string"}
_BY: _Schema = {"type": "string", "pattern": "^[A-Za-z0-9 ]{1,100}$"}
_AMOUNT: _Schema = {"type": "string", "pattern": r"^[0-9]{1,15}(\.[0-9]{1,9})?$"}
_OUTCOME: _Schema = {
    "type": "object", "required": ["fate", "amount"], "additionalProperties": False,
    "properties": {
        "subject": {"type": "string", "maxLength": 100}, "fate": {"enum": [fate.value[0] for fate in Fate]},
        "amount": _AMOUNT,
    },
}  # fmt: skip
_LINES: _Schema = {
    "type": "array",
    "items": {
        "type": "object", "required": ["subject", "amount", "unit"],
        "properties": {"subject": _TEXT, "amount": {"type": ["string", "null"]}, "unit": _TEXT},
    },
}  # fmt: skip
SCHEMAS: Mapping[str, _Schema] = {
    "Graph": {
        "type": "object", "required": ["direction", "nodes", "edges", "breaks", "journeys"],
        "properties": {
            "direction": {"enum": ["back", "forward"]}, "nodes": {"type": "array"}, "edges": {"type": "array"},
            "breaks": {"type": "array"}, "journeys": {"type": "object"},
        },
    },
    "Recall": {
        "type": "object", "required": ["number", "title", "grade", "drill", "state"],
        "properties": {
            "number": {"type": "integer"}, "title": _TEXT, "grade": {"enum": ["1", "2", "3"]},
            "drill": {"type": "boolean"}, "state": _TEXT,
            "notices": {"type": "array", "items": {"$ref": "#/components/schemas/Notice"}},
        },
    },
    "Notice": {
        "type": "object", "required": ["holder", "state", "lines", "open_lines", "outcomes"],
        "properties": {
            "holder": _TEXT, "state": {"enum": ["issued", "acknowledged", "reported", "settled"]},
            "lines": _LINES, "open_lines": _LINES, "outcomes": {"type": "array"}, "text": _TEXT,
        },
    },
}  # fmt: skip


def trace_paths(paging: list[_Schema], problems: _Schema) -> _Schema:
    """The paths, with the parameters and problems that all paths of the document have."""
    number = _parameter("number", {"type": "integer", "minimum": 1, "maximum": 999_999_999})
    holder = _parameter("holder", {"type": "string", "pattern": "^[a-z]{2,8}:[A-Za-z0-9:._-]{1,80}$"})
    language = _asked("lang", {"enum": ["en", "zh"]})

    def answered(summary: str, schema: _Schema, parameters: list[_Schema], **more: Any) -> _Schema:
        content = {"application/json": {"schema": schema}}
        found: _Schema = {"summary": summary, "parameters": parameters}
        found["responses"] = {"200": {"description": summary, "content": content}} | problems
        return found | more

    def graph(summary: str) -> _Schema:
        things = {"type": "array", "minItems": 1, "maxItems": 20, "items": {"type": "string", "minLength": 1}}
        asked = [
            _asked("thing", things) | {"required": True, "explode": True},
            _asked("since", _TIME), _asked("until", _TIME), language,
        ]  # fmt: skip
        made = answered(summary, {"$ref": "#/components/schemas/Graph"}, asked)
        made["responses"]["200"]["content"]["image/svg+xml"] = {}
        return made

    def said(summary: str, properties: _Schema) -> _Schema:
        schema = {
            "type": "object", "required": sorted(properties), "additionalProperties": False,
            "properties": properties,
        }  # fmt: skip
        body = {"required": True, "content": {"application/json": {"schema": schema}}}
        return answered(
            summary, {"$ref": "#/components/schemas/Notice"}, [number, holder], requestBody=body
        )  # fmt: skip

    recall, notice = {"$ref": "#/components/schemas/Recall"}, {"$ref": "#/components/schemas/Notice"}
    stem = "/trace/recalls/{number}/notices/{holder}"
    outcomes = {"type": "array", "minItems": 1, "maxItems": 1_000, "items": _OUTCOME}
    paths: _Schema = {
        "/trace/back": {"get": graph("Where things come from")},
        "/trace/forward": {"get": graph("Where things went")},
        "/trace/recalls": {
            "get": answered("Recalls that concern the caller", {"type": "array", "items": recall}, paging)
        },
        "/trace/recalls/{number}": {"get": answered("A recall", recall, [number])},
        stem: {"get": answered("A notice of the caller's", notice, [number, holder, language])},
        stem + "/things": {
            "get": answered("What it is about", {"type": "array", "items": _TEXT}, [number, holder, *paging])
        },
        stem + "/acknowledgement": {"post": said("Acknowledge it", {"by": _BY})},
        stem + "/report": {"post": said("Tell what became of it", {"by": _BY, "outcomes": outcomes})},
    }
    for path, item in paths.items():
        parts = [one for one, name in ((number, "{number}"), (holder, "{holder}")) if name in path]
        possible = {"description": "What is possible here"}
        item["options"] = {"parameters": parts, "responses": {"204": possible} | problems}
    return paths


_TIME: _Schema = {
    "type": "string",
    "pattern": r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$",
}


def _parameter(name: str, schema: _Schema) -> _Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _asked(name: str, schema: _Schema) -> _Schema:
    return {"name": name, "in": "query", "required": False, "schema": schema}
