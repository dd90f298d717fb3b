"""The small values of an EPCIS document: times, zone offsets, URIs, numbers, units; and how much of them is too much.

EPCIS 2.0 clause 7.3 (attribute types) and its XML schema's ``DateTimeStamp``: a time has a zone, always. RFC 3986 (URIs
are ASCII: what is not is percent-encoded). Each function takes text and raises `Refused` without a place; the reader
that called it knows the place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from jinka.kit.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a document may be at most. Beyond it, it is refused before it costs more."""

    document_bytes: int = 32 << 20
    events: int = 100_000
    values: int = 3_000_000  # of JSON: what commas and brackets separate
    elements: int = 1_000_000  # of XML
    depth: int = 32  # of extensions within extensions
    prefixes: int = 200  # that one document or event declares


LIMITS = Limits()
TEXT_MAX = 1 << 16  # characters of one text in an extension
_DIGITS_MAX, _EXPONENT_MAX = 40, 300
_NUMBER_MAX = _EXPONENT_MAX + _DIGITS_MAX + 10  # written without an exponent

_TIME = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.([0-9]+))?(Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
).fullmatch
_ZONE = re.compile(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)").fullmatch
# RFC 3986: scheme, escapes of two digits, one fragment; of web addresses, a host and no user.
_BODY = r"[!$&'()*+,\-./0-9:;=?@A-Z_a-z~]*(?:%[0-9A-Fa-f]{2}[!$&'()*+,\-./0-9:;=?@A-Z_a-z~]*)*"
_URI = re.compile(
    r"urn:[A-Za-z0-9][A-Za-z0-9:._*\-]+"  # most of them
    rf"|https?://[A-Za-z0-9._~\-]+(?::[0-9]{{1,5}})?(?:[/?]{_BODY})?(?:#{_BODY})?"
    rf"|(?!https?:)[A-Za-z][A-Za-z0-9+.\-]{{0,63}}:(?=[^#]){_BODY}(?:#{_BODY})?",
    re.DOTALL,
).fullmatch
_URI_MAX = 2_000
ABSOLUTE = ("urn:", "http")  # no document may declare a prefix of these
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?").fullmatch
_UOM = re.compile(r"[A-Z0-9]{2,3}").fullmatch
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+").fullmatch
_PLAIN = re.compile(
    r"(?:urn:[A-Za-z0-9][A-Za-z0-9:._*\-]+|https://[A-Za-z0-9._~\-]+/[A-Za-z0-9._~/\-]*)"
    r"(?:\n(?:urn:[A-Za-z0-9][A-Za-z0-9:._*\-]+|https://[A-Za-z0-9._~\-]+/[A-Za-z0-9._~/\-]*))*"
).fullmatch  # URIs of the commonest characters, one a line
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MINUTES = _NUMBERS = 4_000  # remembered: events come by the minute, and measures again and again
_USUAL = len("2026-01-02T03:04:05.678+08:00")
_SECONDS = {f"{second:02d}": second * 1_000_000 for second in range(60)}
_LAST_US = 253_370_764_800_000_000  # 9999-01-01: so that no zone leads out of the calendar
_FIRST_US = -62_104_060_800_000_000  # 0002-01-01


def time_us(text: str) -> int:
    """UTC microseconds of an ISO 8601 time with its zone. Digits beyond the microsecond are cut off."""
    if len(text) <= _USUAL:
        try:
            return _minute(text[:17]) + _SECONDS[text[17:19]] + _rest(text[19:])
        except LookupError:  # a fault, or so near to the calendar's ends that the zone decides
            pass
    found = _TIME(text)
    if found is None:
        raise Refused(
            f"{text[:40]!r} is no time with a zone", fix="such as 2026-01-02T03:04:05.678Z or ...+08:00"
        )
    fraction = found[1]
    try:
        micros = _minute_us(text[:16], found[2]) + int(text[17:19]) * 1_000_000
    except ValueError:
        raise Refused(f"{text[:40]!r} is no day of the calendar") from None
    if fraction:
        micros += int(fraction) if len(fraction) == 6 else int(fraction[:6].ljust(6, "0"))
    if not _FIRST_US <= micros < _LAST_US:
        raise Refused(f"{text[:40]!r} is no time of this calendar", fix="a year from 0002 to 9998")
    return micros


@lru_cache(_MINUTES)
def _minute(text: str) -> int:
    """The beginning of a minute, ``2026-01-02T03:04:``, as if in UTC; `LookupError` for what is none."""
    found = _TIME(f"{text}00Z")
    if found is None or not "0003" <= text[:4] <= "9997":
        raise LookupError
    try:
        return _minute_us(text[:16], "Z")
    except ValueError:
        raise LookupError from None


@lru_cache(_MINUTES)
def _rest(text: str) -> int:
    """What follows the seconds, ``.678+08:00``: the fraction less the zone; `LookupError` for what is neither."""
    found = _TIME(f"2000-01-01T00:00:00{text}")
    if found is None:
        raise LookupError
    fraction, zone = found.groups()
    return int((fraction or "")[:6].ljust(6, "0")) - (0 if zone == "Z" else _zone_seconds(zone) * 1_000_000)


@lru_cache(_MINUTES)
def _minute_us(text: str, zone: str) -> int:
    """The beginning of a minute in a zone."""
    minutes = (date.fromisoformat(text[:10]).toordinal() - _EPOCH_DAY) * 1_440
    seconds = (minutes + int(text[11:13]) * 60 + int(text[14:])) * 60
    return (seconds if zone == "Z" else seconds - _zone_seconds(zone)) * 1_000_000


def time_text(micros: int, zone: str = "Z") -> str:
    """ISO 8601 in a zone (``Z`` or an offset), to the millisecond, or the microsecond where there is one."""
    if zone != "Z":
        micros += _zone_seconds(zone) * 1_000_000
    minute, rest = divmod(micros, 60_000_000)
    seconds, fraction = divmod(rest, 1_000_000)
    if fraction % 1000:
        return f"{minute_text(minute)}{seconds:02d}.{fraction:06d}{zone}"
    return f"{minute_text(minute)}{seconds:02d}.{fraction // 1000:03d}{zone}"


@lru_cache(_MINUTES)
def minute_text(minute: int) -> str:
    """The beginning of a time in UTC, up to its seconds."""
    day, rest = divmod(minute, 1_440)
    return f"{date.fromordinal(day + _EPOCH_DAY).isoformat()}T{rest // 60:02d}:{rest % 60:02d}:"


@lru_cache(_MINUTES)
def _zone_seconds(zone: str) -> int:
    seconds = int(zone[1:3]) * 3_600 + int(zone[4:6]) * 60
    return -seconds if zone[0] == "-" else seconds


@lru_cache(_MINUTES)
def zone_offset(text: str) -> str:
    """An ``eventTimeZoneOffset``, as it is."""
    if not _ZONE(text):
        raise Refused(f"{text[:20]!r} is no zone offset", fix="such as +08:00, between -14:00 and +14:00")
    return text


def are_plain_uris(texts: list[str]) -> bool:
    """Whether each of some texts is a URI by a look at all together. Where it says no, each is looked at."""
    lines = "\n".join(texts)
    return (
        lines.count("\n") < len(texts)
        and (len(lines) <= _URI_MAX or len(max(texts, key=len)) <= _URI_MAX)
        and _PLAIN(lines) is not None
    )


def is_uri(text: str) -> bool:
    """Whether a text is an absolute URI of bearable length."""
    return len(text) <= _URI_MAX and _URI(text) is not None


def uri(text: str) -> str:
    """An absolute URI, as it is."""
    if len(text) > _URI_MAX or _URI(text) is None:
        raise Refused(
            f"{text[:60]!r} is no URI", fix="a full URI of ASCII characters, what is not is percent-encoded"
        )
    return text


@lru_cache(_NUMBERS)
def number(text: str) -> Decimal:
    """A finite decimal number, exactly."""
    if len(text) > _NUMBER_MAX or not _NUMBER(text):
        raise Refused(f"{text[:45]!r} is no number", fix="a finite decimal number")
    value = Decimal(text)
    if value and abs(value.adjusted()) > _EXPONENT_MAX:
        raise Refused(
            f"{text[:45]!r} is out of all measure", fix=f"within ten to the power of {_EXPONENT_MAX}"
        )
    if len(text) > _DIGITS_MAX and len("".join(map(str, value.as_tuple().digits)).strip("0")) > _DIGITS_MAX:
        raise Refused(f"{text[:45]!r} has too many digits", fix=f"at most {_DIGITS_MAX}")
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
