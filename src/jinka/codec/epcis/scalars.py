"""The small values of an EPCIS document: times, zone offsets, URIs, numbers, units; and how much of them is too much.

EPCIS 2.0 clause 7.3 (attribute types) and its XML schema's ``DateTimeStamp``: a time has a zone, always. RFC 3986 (URIs
are ASCII: what is not is percent-encoded). Each function takes text and raises `Refused` without a place; the reader
that called it knows the place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from jinka.kit.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a document may be at most. Beyond it, it is refused before it costs more."""

    document_bytes: int = 32 << 20
    events: int = 100_000
    elements: int = 1_000_000  # of XML
    depth: int = 32  # of extensions within extensions
    prefixes: int = 200  # that one document or event declares


LIMITS = Limits()
TEXT_MAX = 1 << 16  # characters of one text in an extension
_URI_MAX = 2048
_DIGITS_MAX = 40
_EXPONENT_MAX = 400

_TIME = re.compile(
    r"([0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])"
    r"(?:\.([0-9]+))?(Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
).fullmatch
_ZONE = re.compile(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)").fullmatch
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+").fullmatch
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?").fullmatch
_UOM = re.compile(r"[A-Z0-9]{2,3}").fullmatch
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+").fullmatch
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = 253_370_764_800_000_000  # 9999-01-01: so that no zone leads out of the calendar
_FIRST_US = -62_104_060_800_000_000  # 0002-01-01


def time_us(text: str) -> int:
    """UTC microseconds of an ISO 8601 time with its zone. Digits beyond the microsecond are cut off."""
    found = _TIME(text)
    if found is None:
        raise Refused(
            f"{text[:40]!r} is no time with a zone", fix="such as 2026-01-02T03:04:05.678Z or ...+08:00"
        )
    stem, fraction, zone = found.groups()
    try:
        when = datetime.fromisoformat(f"{stem}{'+00:00' if zone == 'Z' else zone}")
    except ValueError:
        raise Refused(f"{text[:40]!r} is no day of the calendar") from None
    since = when - _EPOCH
    micros = (since.days * 86_400 + since.seconds) * 1_000_000
    if fraction:
        micros += int(fraction[:6].ljust(6, "0"))
    if not _FIRST_US <= micros < _LAST_US:
        raise Refused(f"{text[:40]!r} is no time of this calendar", fix="a year from 0002 to 9998")
    return micros


def time_text(micros: int, zone: str = "Z") -> str:
    """ISO 8601 in a zone (``Z`` or an offset), to the millisecond, or the microsecond where there is one."""
    if zone == "Z":
        local, tail = _EPOCH + timedelta(microseconds=micros), "Z"
    else:
        shift = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        local, tail = (
            (_EPOCH + timedelta(microseconds=micros)).astimezone(
                timezone(-shift if zone[0] == "-" else shift)
            ),
            zone,
        )
    spec = "microseconds" if micros % 1000 else "milliseconds"
    return local.replace(tzinfo=None).isoformat(timespec=spec) + tail


def zone_offset(text: str) -> str:
    """An ``eventTimeZoneOffset``, as it is."""
    if not _ZONE(text):
        raise Refused(f"{text[:20]!r} is no zone offset", fix="such as +08:00, between -14:00 and +14:00")
    return text


def uri(text: str) -> str:
    """An absolute URI, as it is."""
    if not _URI(text) or len(text) > _URI_MAX:
        raise Refused(
            f"{text[:60]!r} is no URI", fix="a full URI of ASCII characters, what is not is percent-encoded"
        )
    return text


def number(text: str) -> Decimal:
    """A finite decimal number, exactly."""
    if len(text) > _DIGITS_MAX or not _NUMBER(text):
        raise Refused(
            f"{text[:45]!r} is no number", fix=f"a finite decimal number of up to {_DIGITS_MAX} characters"
        )
    value = Decimal(text)
    if value and abs(value.adjusted()) > _EXPONENT_MAX:
        raise Refused(f"{text[:45]!r} is out of all measure")
    return value


def number_text(value: Decimal) -> str:
    """The plainest writing of a number that both JSON and ``xsd:decimal`` take: no exponent, no empty fraction."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def unit(text: str) -> str:
    """A unit of measure of UN/ECE Recommendation 20: two or three capital letters or digits."""
    if not _UOM(text):
        raise Refused(f"{text[:20]!r} is no unit of UN/ECE Rec. 20", fix="such as KGM, CEL or C62")
    return text


def hex_text(text: str) -> str:
    """Octets in hexadecimal, as they are."""
    if not _HEX(text):
        raise Refused(f"{text[:40]!r} is not hexadecimal", fix="two digits for each octet")
    return text
