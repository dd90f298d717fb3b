"""Errors of the EPCIS REST interface: the standard's exceptions as RFC 7807 problems in JSON or XML.

EPCIS 2.0, 12.8 and its OpenAPI: each exception has a status and a type ``epcisException:NAME``. Beyond title, status
and detail a problem has what any of Jinka's has: where, and what to do.
"""

from __future__ import annotations

import json
from enum import Enum
from xml.sax.saxutils import escape

from jinka.api.problems import Unauthorised
from jinka.kit import Fault, JinkaError, NotFound, Refused, Usage

JSON_KIND, XML_KIND = "application/problem+json", "application/problem+xml"
_NAMESPACE = "urn:epcglobal:epcis:xsd:2"


class Exceptions(Enum):
    """The standard's exceptions: name, status, title."""

    CAPTURE_LIMIT = ("CaptureLimitExceededException", 413, "Capture payload too large")
    IMPLEMENTATION = ("ImplementationException", 500, "A server-side error occurred")
    NOT_IMPLEMENTED = ("ImplementationException", 501, "Functionality not supported by server")
    BUSY = ("ImplementationException", 503, "Not now")
    NO_SUCH_NAME = ("NoSuchNameException", 404, "Resource not found")
    NO_SUCH_RESOURCE = ("NoSuchResourceException", 404, "Resource not found")
    METHOD = ("ValidationException", 405, "No such method of this resource")
    TIMEOUT = ("ValidationException", 408, "The body did not come in time")
    NOT_ACCEPTABLE = ("NotAcceptableException", 406, "Conflicting request and response headers")
    QUERY_PARAMETER = ("QueryParameterException", 400, "EPCIS query exception")
    QUERY_TOO_COMPLEX = ("QueryTooComplexException", 413, "Query too complex")
    QUERY_TOO_LARGE = ("QueryTooLargeException", 413, "Query result too large")
    QUERY_VALIDATION = ("QueryValidationException", 400, "EPCIS query exception")
    EXISTS = (
        "ResourceAlreadyExistsException",
        409,
        "A resource with the provided identifier already exists.",
    )
    UNAUTHORISED = ("SecurityException", 401, "Unauthorised request")
    FORBIDDEN = ("SecurityException", 403, "Access to resource forbidden")
    SUBSCRIPTION = ("SubscriptionControlsException", 400, "Subscription error")
    URI_TOO_LONG = ("URITooLongException", 414, "URI Too Long")
    MEDIA_TYPE = ("UnsupportedMediaTypeException", 415, "Unsupported Media Type")
    VALIDATION = ("ValidationException", 400, "EPCIS validation exception")
    TOO_MANY = ("SecurityException", 429, "Too many requests")

    @property
    def type(self) -> str:
        """The problem's type, a URI."""
        return f"epcisException:{self.value[0]}"

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return self.value[1]

    @property
    def title(self) -> str:
        """The same for every problem of this type."""
        return self.value[2]


class EpcisError(JinkaError):
    """A request that is answered with one of the standard's exceptions."""

    fault = Fault.PEER

    def __init__(self, exception: Exceptions, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.exception = exception


_BY_NAME = {one.value[0].removesuffix("Exception"): one for one in Exceptions}


def exception_of(error: JinkaError) -> Exceptions:
    """The standard's exception for an error of ours."""
    if isinstance(error, EpcisError):
        return error.exception
    kind = getattr(error, "kind", "")  # of a query's faults, by the standard's names
    if kind in _BY_NAME:
        return _BY_NAME[kind]
    if isinstance(error, Unauthorised):
        return Exceptions.UNAUTHORISED
    if isinstance(error, NotFound):
        return Exceptions.NO_SUCH_RESOURCE
    if isinstance(error, Refused | Usage):
        return Exceptions.VALIDATION
    return Exceptions.IMPLEMENTATION


def facts_of(error: JinkaError) -> dict[str, str | int]:
    """A problem's members; what is our own fault says no more than that."""
    exception = exception_of(error)
    facts: dict[str, str | int] = {
        "type": exception.type,
        "title": exception.title,
        "status": exception.status,
    }
    if exception.status == Exceptions.IMPLEMENTATION.status:
        return facts
    facts["detail"] = str(error)
    for name in ("where", "what", "fix"):
        if value := getattr(error, name):
            facts[name] = value
    return facts


def problem_body(error: JinkaError, *, xml: bool) -> bytes:
    """The body of a problem."""
    facts = facts_of(error)
    if not xml:
        return json.dumps(facts, ensure_ascii=False).encode()
    inside = "".join(f"<{name}>{escape(_printable(str(value)))}</{name}>" for name, value in facts.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><epcis:EPCISException xmlns:epcis="{_NAMESPACE}">'
        f"{inside}</epcis:EPCISException>"
    ).encode()


def _printable(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(c if c.isprintable() else "?" for c in text)
