"""One exchange of the EPCIS REST interface as values: what was asked, what is answered, the negotiation between them.

EPCIS 2.0, 12 (REST binding), its OpenAPI, RFC 9110 (content negotiation). Handlers take an `Ask` and return a `Reply`;
neither knows of sockets, so each can be tested by itself. Versions: 2.0 is spoken; documents of 1.2 are taken in XML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from jinka import __version__
from jinka.api.epcis_problems import EpcisError, Exceptions
from jinka.codec.epcis.formats import EpcFormat

VERSION = "2.0.0"
OLDEST = "1.2.0"
JSON, LD_JSON, XML, TEXT_XML = "application/json", "application/ld+json", "application/xml", "text/xml"
VERSIONS: Mapping[str, str] = {"GS1-EPCIS-Version": VERSION, "GS1-CBV-Version": VERSION}
DISCOVERY: Mapping[str, str] = {
    **VERSIONS,
    "GS1-EPCIS-Min": OLDEST,
    "GS1-EPCIS-Max": VERSION,
    "GS1-CBV-Min": OLDEST,
    "GS1-CBV-Max": VERSION,
    "GS1-EPC-Format": EpcFormat.NO_PREFERENCE.value,
    "GS1-CBV-XML-Format": "No_Preference",
    "GS1-Vendor-Version": f"jinka-{__version__}",
}
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}")
_EXTENSION = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(\S+?)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. ``scope`` narrows what is seen: tests that every event must pass besides."""

    name: str = ""
    scope: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request: ``path`` in decoded segments, ``query`` as pairs in their order, ``headers`` by lower-case names."""

    method: str
    path: tuple[str, ...]
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = ""  # scheme, host and mount point, for links
    caller: Caller = field(default_factory=Caller)

    def header(self, name: str, default: str = "") -> str:
        """A header's value."""
        return self.headers.get(name.lower(), default)

    @property
    def prefixes(self) -> dict[str, str]:
        """The namespaces that ``GS1-Extensions`` declares: ``prefix=uri`` with commas between."""
        found: dict[str, str] = {}
        for part in filter(None, self.header("GS1-Extensions").split(",")):
            match = _EXTENSION.fullmatch(part)
            if match is None:
                raise EpcisError(
                    Exceptions.NOT_ACCEPTABLE, f"{part[:80]!r} is no extension",
                    where="GS1-Extensions", fix="PREFIX=NAMESPACE, with commas between",
                )  # fmt: skip
            found[match[1]] = match[2]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; versions are added by the server to every one that succeeds."""

    status: int = 200
    body: bytes = b""
    kind: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def location(ask: Ask, *segments: str) -> str:
    """The URL of a resource; every segment is escaped whole."""
    return f"{ask.base}/" + "/".join(quote(segment, safe=":") for segment in segments)


def check_versions(ask: Ask) -> None:
    """Refuse whom nothing that is spoken here would suit; raises `EpcisError` (406)."""
    for standard in ("EPCIS", "CBV"):
        least = _version(ask, f"GS1-{standard}-Min", "0")
        most = _version(ask, f"GS1-{standard}-Max", "9999")
        if not least <= _numbers(VERSION) <= most:
            raise EpcisError(
                Exceptions.NOT_ACCEPTABLE, f"{standard} {VERSION} is what is spoken here",
                where=f"GS1-{standard}-Min", fix=f"a range that includes {VERSION}",
            )  # fmt: skip


def check_written_version(ask: Ask) -> None:
    """Refuse what says to be written in a version that is not read; raises `EpcisError` (406)."""
    for name in ("GS1-EPCIS-Version", "GS1-CBV-Version"):
        if name.lower() in ask.headers and not (
            _numbers(OLDEST)[:2] <= _version(ask, name, VERSION)[:2] <= _numbers(VERSION)[:2]
        ):
            raise EpcisError(
                Exceptions.NOT_ACCEPTABLE, f"from {OLDEST} to {VERSION} is read here", where=name, fix=VERSION
            )  # fmt: skip


def _version(ask: Ask, name: str, default: str) -> tuple[int, ...]:
    text = ask.header(name, default)
    if not _VERSION.fullmatch(text):
        raise EpcisError(Exceptions.NOT_ACCEPTABLE, "no version", where=name, fix=VERSION)
    return _numbers(text)


def _numbers(text: str) -> tuple[int, ...]:
    found = [int(part) for part in text.split(".")]
    return tuple(found + [0] * (4 - len(found)))


def accepted(ask: Ask, *offered: str) -> str:
    """The kind of content that the client likes best of those offered; raises `EpcisError` (406)."""
    wanted = _weights(ask.header("Accept") or "*/*")
    best, weight = "", 0.0
    for kind in offered:
        found = max(((len(pattern), q) for pattern, q in wanted if _fits(pattern, kind)), default=(0, 0.0))[
            1
        ]  # the most exact pattern speaks
        if found > weight:
            best, weight = kind, found
    if not best:
        raise EpcisError(
            Exceptions.NOT_ACCEPTABLE, "nothing that is offered is accepted", where="Accept",
            fix=" or ".join(offered),
        )  # fmt: skip
    return best


def _weights(text: str) -> list[tuple[str, float]]:
    found = []
    for part in text.split(",")[:50]:
        pattern, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    weight = min(max(float(value), 0.0), 1.0)
                except ValueError:
                    weight = 0.0
        if pattern:
            found.append((pattern, weight if weight == weight else 0.0))
    return found


def _fits(pattern: str, kind: str) -> bool:
    return pattern in ("*/*", "*", kind) or (pattern.endswith("/*") and kind.startswith(pattern[:-1]))


def epc_format(ask: Ask) -> EpcFormat:
    """How identifiers are to be written; raises `EpcisError` (406)."""
    text = ask.header("GS1-EPC-Format", EpcFormat.LINK.value)
    try:
        return EpcFormat(text)
    except ValueError:
        raise EpcisError(
            Exceptions.NOT_ACCEPTABLE, f"{text[:40]!r} is no format", where="GS1-EPC-Format",
            fix=", ".join(one.value for one in EpcFormat),
        ) from None  # fmt: skip


def media_type(ask: Ask) -> str:
    """The kind of content that was sent, without its parameters."""
    return ask.header("Content-Type").partition(";")[0].strip().lower()
