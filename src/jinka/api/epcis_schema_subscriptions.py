"""The OpenAPI 3.1 of what is delivered: subscriptions, and a participant's receiver of recall notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinka.trace.schedule import FIELDS

_Schema = dict[str, Any]
_ONE = "#/components/schemas/Subscription"
_FIELD: _Schema = {
    "type": "string",
    "pattern": r"^(\d{1,2}(/\d{1,2})?|\[\d{1,2}-\d{1,2}\])(,(\d{1,2}|\[\d{1,2}-\d{1,2}\]))*$",
}
_SCHEDULE: _Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {name: _FIELD for name, _, _ in FIELDS},
}
_TIME: _Schema = {"type": "string", "format": "date-time"}
_DEST: _Schema = {"type": "string", "format": "uri", "maxLength": 500}
_WISHED: _Schema = {
    "dest": _DEST,
    "signatureToken": {"type": "string", "minLength": 1, "maxLength": 256},
    "initialRecordTime": _TIME,
}
SCHEMAS: Mapping[str, _Schema] = {
    "SubscriptionWish": {
        "oneOf": [
            {
                "type": "object",
                "required": ["dest", "stream"],
                "additionalProperties": False,
                "properties": _WISHED | {"stream": {"const": True}},
            },
            {
                "type": "object",
                "required": ["dest", "schedule"],
                "additionalProperties": False,
                "properties": _WISHED | {"schedule": _SCHEDULE, "reportIfEmpty": {"type": "boolean"}},
            },
        ]
    },
    "Subscription": {
        "type": "object",
        "required": [
            "subscriptionID",
            "queryName",
            "dest",
            "createdAt",
            "initialRecordTime",
            "minRecordTime",
        ],
        "properties": {
            "subscriptionID": {"type": "string"},
            "queryName": {"type": "string"},
            "dest": _DEST,
            "createdAt": _TIME,
            "initialRecordTime": _TIME,
            "minRecordTime": _TIME,
            "lastNotifiedAt": _TIME,
            "epcFormat": {"type": "string"},
            "stream": {"const": True},
            "schedule": _SCHEDULE,
            "reportIfEmpty": {"type": "boolean"},
            "state": {"enum": ["active", "halted"]},
            "attempts": {"type": "integer"},
            "outcome": {"type": "string"},
        },
    },
    "Receiver": {
        "type": "object",
        "required": ["dest", "createdAt", "taken", "waiting"],
        "properties": {
            "dest": _DEST,
            "createdAt": _TIME,
            "taken": {"type": "integer"},
            "waiting": {"type": "integer"},
            "outcome": {"type": "string"},
        },
    },
}
_RECEIVER_WISH: _Schema = {
    "type": "object",
    "required": ["dest"],
    "additionalProperties": False,
    "properties": {"dest": _DEST, "signatureToken": _WISHED["signatureToken"]},
}


def subscription_paths(
    query_name: _Schema, headers: list[_Schema], paging: list[_Schema], problems: _Schema
) -> _Schema:
    """The paths, with the parameters and problems that all paths of the document have."""
    id_ = {
        "name": "subscriptionID", "in": "path", "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    }  # fmt: skip

    def answered(status: int, summary: str, schema: _Schema | None = None, **more: Any) -> _Schema:
        answer: _Schema = {"description": summary}
        if schema is not None:
            answer["content"] = {"application/json": {"schema": schema}}
        return {"summary": summary, "responses": {str(status): answer} | problems} | more

    wish = {"application/json": {"schema": {"$ref": "#/components/schemas/SubscriptionWish"}}}
    made = answered(
        201,
        "Subscribe",
        {"$ref": _ONE},
        parameters=[query_name],
        requestBody={"required": True, "content": wish},
    )
    made["responses"]["201"]["headers"] = {"Location": {"schema": {"type": "string"}}}
    receiver = {"$ref": "#/components/schemas/Receiver"}
    several = {"type": "array", "items": {"$ref": _ONE}}
    possible = "What is possible here"
    stem = "/queries/{queryName}/subscriptions"
    return {
        stem: {
            "get": answered(200, "One's subscriptions", several, parameters=[query_name, *paging, *headers]),
            "post": made,
            "options": answered(204, possible, parameters=[query_name]),
        },
        stem + "/{subscriptionID}": {
            "get": answered(200, "A subscription", {"$ref": _ONE}, parameters=[query_name, id_, *headers]),
            "delete": answered(204, "Unsubscribe", parameters=[query_name, id_]),
            "options": answered(204, possible, parameters=[query_name, id_]),
        },
        "/trace/receiver": {
            "get": answered(200, "Where one's recall notices go", receiver),
            "put": answered(
                200,
                "Have recall notices sent there",
                receiver,
                requestBody={
                    "required": True,
                    "content": {"application/json": {"schema": _RECEIVER_WISH}},
                },
            ),
            "delete": answered(204, "Have none sent"),
            "options": answered(204, possible),
        },
    }
