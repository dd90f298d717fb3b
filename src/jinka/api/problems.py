"""Errors over HTTP: RFC 9457 problem details that name whose fault it was, where, and what to do.

400: not as the schema says. 422: as it says, and yet impossible, such as a card number with a wrong check digit or a
key that was used for another request. 409: not now, in the state that the order is in.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from jinka.acquirer import Busy, Conflict
from jinka.kit import Fault, JinkaError, NotFound, Refused

KIND = "application/problem+json"


class Place(BaseModel):
    """One fault of a request."""

    where: str = Field(description="Path of the field, such as body.amount_minor")
    what: str
    fix: str = ""


class Problem(BaseModel):
    """RFC 9457 with three members of our own: fault, where, errors."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    fault: str = Field(default=Fault.PEER.value, description="ours, peer, or rule")
    where: str = ""
    errors: list[Place] = []


class Unauthorised(JinkaError):
    """No API key, or one that nobody has."""

    fault = Fault.PEER


class TooMany(JinkaError):
    """More requests than the merchant may send; ``wait_s`` until the next."""

    fault = Fault.RULE

    def __init__(self, wait_s: int) -> None:
        super().__init__("too many requests", where="rate", fix=f"wait {wait_s} s")
        self.wait_s = wait_s


_STATUS: tuple[tuple[type[JinkaError], HTTPStatus], ...] = (
    (Unauthorised, HTTPStatus.UNAUTHORIZED),
    (TooMany, HTTPStatus.TOO_MANY_REQUESTS),
    (Busy, HTTPStatus.CONFLICT),
    (Conflict, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Refused, HTTPStatus.CONFLICT),
)
# What any request with a key may be answered; routes add their own.
RESPONSES: dict[int | str, dict[str, Any]] = {
    int(status): {"model": Problem, "description": status.phrase}
    for status in (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
}


def problem(
    status: int,
    detail: str,
    *,
    where: str = "",
    fault: Fault = Fault.PEER,
    errors: Iterable[Place] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """One answer of this kind."""
    body = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, fault=fault.value, where=where,
        errors=list(errors),
    )  # fmt: skip
    return JSONResponse(body.model_dump(), status, headers, media_type=KIND)


def of_error(error: JinkaError) -> JSONResponse:
    """The answer to an error of ours. What is our own fault says no more than that."""
    status = next((s for kind, s in _STATUS if isinstance(error, kind)), None)
    if status is None and error.fault is Fault.OURS:
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "our fault", fault=Fault.OURS)
    status = status or HTTPStatus.UNPROCESSABLE_ENTITY
    headers = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.wait_s)
    if isinstance(error, Busy):
        headers["Retry-After"] = "1"
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    place = Place(where=error.where, what=error.what, fix=error.fix)
    return problem(status, str(error), where=error.where, fault=error.fault, errors=[place], headers=headers)


def install(app: FastAPI) -> None:
    """Answer every error of an application with a problem."""

    def ours(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, JinkaError)
        return of_error(error)

    def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        places = [
            Place(where=".".join(str(part) for part in found["loc"]), what=found["msg"])
            for found in error.errors()[:20]
        ]
        return problem(
            HTTPStatus.BAD_REQUEST, "the request is not as the schema says", errors=places,
            where=places[0].where if places else "",
        )  # fmt: skip

    def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = _allowed(request)
        return problem(error.status_code, str(error.detail), headers=headers)

    def crashed(_: Request, _error: Exception) -> JSONResponse:
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "our fault", fault=Fault.OURS)

    app.add_exception_handler(JinkaError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, crashed)


def honest_schema(app: FastAPI) -> None:
    """Say that errors are problem+json, which FastAPI writes down as plain JSON."""
    made = app.openapi

    def schema() -> dict[str, Any]:
        found = made()
        for path in found["paths"].values():
            for act in path.values():
                for status, response in act["responses"].items():
                    content = response.get("content", {})
                    if int(status) >= 400 and "application/json" in content:
                        content[KIND] = content.pop("application/json")
        return found

    app.openapi = schema  # type: ignore[method-assign]


def _allowed(request: Request) -> str:
    """The methods of all routes with this path (RFC 9110, 15.5.6); the framework names those of the first alone."""
    found: set[str] = set()
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return ", ".join(sorted(found))
