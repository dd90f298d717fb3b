"""The door of base records for departments in other houses: they look, over HTTPS, and each look is noted.

Who asks is whom the client's certificate names (`jinka.api.peer_tls`), and the department is what the register's keeper
wrote beside that name: no request says it. The rules, the entry in the log and the words of a refusal are
`jinka.store.base_records`'; here are limits, forms and statuses. OpenAPI 3.1, RFC 9457. Not here: writing, copies, the
log (its causes are for the holder), and a holder's own view: a holder has no certificate here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from jinka import __version__
from jinka.api import problems
from jinka.api.limits import BodyLimit, Buckets, SafeHeaders
from jinka.api.peer_tls import peer_code
from jinka.identity.base_records import Look, LookRefused, Ref, Sought
from jinka.kit import Clock, Fault, JinkaError, Refused, Usage
from jinka.store.base_records import Seen
from jinka.store.base_records_credit import CreditReport

REQUESTS_PER_MINUTE = 600  # of one certificate
_BODY_MAX = 16 * 1024
_FORBIDDEN: dict[int | str, dict[str, Any]] = {
    int(HTTPStatus.FORBIDDEN): {"model": problems.Problem, "description": "Refused, and noted in the log"}
}
router = APIRouter(prefix="/v1", responses={**problems.RESPONSES, **_FORBIDDEN})


class NoDepartment(JinkaError):
    """A certificate that the authority issued, and that is no department's here."""

    fault = Fault.PEER


class Register(Protocol):
    """What the door asks (`jinka.app.records.Office`)."""

    def look(self, look: Look, sought: Sought, *, on: dt.date | None = None) -> Seen: ...

    def look_at_credit(self, look: Look, sought: Sought) -> CreditReport: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsServices:
    """What the routes work with; ``departments`` by the name of their certificate."""

    register: Register
    departments: Mapping[str, str]
    buckets: Buckets


Word = Annotated[str, Field(min_length=1, max_length=64)]
Line = Annotated[str, Field(max_length=200)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FindBy(_Form):
    """A field that finds a record, such as identity_number, and its value."""

    field: Word
    value: Annotated[str, Field(min_length=1, max_length=200)]


class CreditAsked(_Form):
    """Whose credit record, and why. One of ``record`` and ``find``."""

    kind: Word
    officer: Word
    purpose: Word
    record: Annotated[str, Field(max_length=80, description="Such as person:12")] = ""
    find: FindBy | None = None
    case: Line = ""
    reason: Line = ""


class LookAsked(CreditAsked):
    """Which record, which fields and why. Without fields: whatever may be seen."""

    fields: Annotated[list[Word], Field(max_length=64)] = []
    emergency: Annotated[bool, Field(description="Break the glass: a review always follows")] = False
    on: Annotated[dt.date | None, Field(description="The day that is asked about; today without it")] = None


class LookShown(BaseModel):
    """What was seen. ``entry`` is the number of its note in the log, ``review`` that of the review that follows."""

    record: str
    values: dict[str, list[str]]
    grounds: dict[str, str]
    entry: int
    review: int


class CreditShown(BaseModel):
    """The entries that may be seen."""

    record: str
    entries: list[dict[str, Any]]


def records_app(register: Register, departments: Mapping[str, str], clock: Clock) -> FastAPI:
    """The application; run it with `jinka.api.peer_tls.tls_server`."""
    app = FastAPI(
        title="Jinka base records",
        version=__version__,
        summary="Looks of departments, under rules, each noted",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.records = RecordsServices(
        register=register, departments=dict(departments), buckets=Buckets(clock)
    )
    app.include_router(router)
    problems.install(app)
    app.add_exception_handler(Refused, _impossible)
    app.add_exception_handler(LookRefused, _forbidden)
    app.add_exception_handler(NoDepartment, _forbidden)
    app.add_middleware(BodyLimit, body_max=_BODY_MAX)
    app.add_middleware(SafeHeaders)
    problems.honest_schema(app)
    return app


def _forbidden(_: Request, error: Exception) -> JSONResponse:
    return _problem(HTTPStatus.FORBIDDEN, error)


def _impossible(_: Request, error: Exception) -> JSONResponse:
    """As the schema says, and yet no number, no record, no officer: nothing was looked at."""
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, error)


def _problem(status: HTTPStatus, error: Exception) -> JSONResponse:
    assert isinstance(error, JinkaError)
    place = problems.Place(where=error.where, what=error.what, fix=error.fix)
    return problems.problem(status, str(error), where=error.where, fault=error.fault, errors=[place])


def _services(request: Request) -> RecordsServices:
    found: RecordsServices = request.app.state.records
    return found


def _department(request: Request) -> str:
    services, name = _services(request), peer_code(request)
    services.buckets.take(name, REQUESTS_PER_MINUTE)
    if name not in services.departments:
        raise NoDepartment(
            "no department has this certificate", where="TLS", fix="ask who keeps the register"
        )
    return services.departments[name]


Department = Annotated[str, Depends(_department)]
Services = Annotated[RecordsServices, Depends(_services)]


@router.post("/looks")
def look(asked: LookAsked, department: Department, services: Services) -> LookShown:
    """Look at a record. Noted before it is answered, also when it is refused."""
    wanted = Look(
        department=department, officer=asked.officer, purpose=asked.purpose, kind=asked.kind,
        fields=tuple(asked.fields), case=asked.case, reason=asked.reason, emergency=asked.emergency,
    )  # fmt: skip
    seen = services.register.look(wanted, _sought(asked), on=asked.on)
    return LookShown(
        record=str(seen.ref),
        values={name: list(found) for name, found in seen.values.items()},
        grounds=dict(seen.grounds),
        entry=seen.entry,
        review=seen.review,
    )


@router.post("/credit-looks")
def look_at_credit(asked: CreditAsked, department: Department, services: Services) -> CreditShown:
    """Look at a credit record. Noted as any look."""
    wanted = Look(
        department=department, officer=asked.officer, purpose=asked.purpose, kind=asked.kind, case=asked.case,
        reason=asked.reason,
    )  # fmt: skip
    found = services.register.look_at_credit(wanted, _sought(asked))
    return CreditShown(record=str(found.subject), entries=[dict(one) for one in found.entries])


def _sought(asked: CreditAsked) -> Sought:
    if bool(asked.record) == (asked.find is not None):
        raise Usage(
            "which record?", where="body.record", fix="record person:12, or find with field and value"
        )
    if asked.find is not None:
        return Sought(field=asked.find.field, value=asked.find.value)
    return Sought(ref=Ref.parse(asked.record))
