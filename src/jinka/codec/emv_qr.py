"""Payment codes of EMVCo, both ways: EMV QRCPS Merchant-Presented Mode 1.1 and Consumer-Presented Mode 1.1.

A merchant's code is text in objects of two digits of id, two of length (in characters) and a value, closed by
CRC-16/CCITT in object 63 (clause 4.7.3). A consumer's code is base64 over BER-TLV: ``CPV01``, application templates
61, a common template 62, and transparent templates inside them (63, 64). Both end at 512 characters. Not here: what a
code is worth (`jinka.acquirer`), and pictures.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from jinka.codec.tlv import TlvError, parse, tlv
from jinka.kit import Fault, JinkaError

SIZE_MAX = 512
_FORMAT, _CRC = "00", "63"
_ADDITIONAL, _LANGUAGE = "62", "64"
_ID = re.compile(r"[0-9]{2}")
_AMOUNT = re.compile(r"(?=.*[1-9])(?:[0-9]{1,13}|[0-9]{1,12}\.[0-9]{0,11})")
_CONSUMER = b"CPV01"
_T_FORMAT, _T_APPLICATION, _T_COMMON, _T_OWN, _T_COMMON_OWN = 0x85, 0x61, 0x62, 0x63, 0x64
_T_AID = 0x4F

Objects = tuple[tuple[str, str], ...]


class QrError(JinkaError):
    """The text is no payment code; ``where`` is the object or the offset in characters."""

    fault = Fault.PEER


class Initiation(Enum):
    """Whether a code is shown to many payers or was made for one payment (object 01)."""

    STATIC = "11"
    DYNAMIC = "12"


# Objects of the additional data template (62), by their field's name here.
ADDITIONAL_IDS: Mapping[str, str] = MappingProxyType(
    {
        "bill": "01", "mobile": "02", "store": "03", "loyalty": "04", "reference": "05", "customer": "06",
        "terminal": "07", "purpose": "08", "asked": "09",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantCode:
    """What a merchant shows. ``accounts`` are objects 02 to 51, ``unreserved`` 80 to 99, as (id, value).

    ``amount`` is decimal text as the standard has it, empty when the payer enters it. ``tip`` is object 55 with 56 or
    57. ``additional`` uses the names of `ADDITIONAL_IDS`; ``***`` asks the payer's application for a value.
    """

    accounts: Objects
    category: str  # ISO 18245
    currency: str  # ISO 4217 numeric
    country: str
    name: str
    city: str
    initiation: Initiation | None = None
    amount: str = ""
    tip: Objects = ()
    postal: str = ""
    additional: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    local_name: str = ""
    local_city: str = ""
    unreserved: Objects = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application template of a consumer's code: AID, data objects by tag, and those for the issuer alone (63)."""

    aid: bytes
    values: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    own: Mapping[int, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerCode:
    """What a payer shows. ``common`` (62) and ``common_own`` (64) hold for every application."""

    applications: tuple[Application, ...]
    common: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    common_own: Mapping[int, bytes] = field(default_factory=dict, repr=False)

    def value(self, tag: int, application: int = 0) -> bytes | None:
        """A data object that holds for an application: its own templates first, then the common ones."""
        found = self.applications[application]
        for place in (found.values, found.own, self.common, self.common_own):
            if tag in place:
                return place[tag]
        return None


def crc(text: str) -> str:
    """CRC-16/CCITT (polynomial 1021, initial FFFF) over UTF-8, four hexadecimal digits."""
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"


def parse_objects(text: str, where: str = "code") -> Objects:
    """Split text into (id, value); raises `QrError` for a wrong length, an id twice, or what is no object."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        id_, size = text[at : at + 2], text[at + 2 : at + 4]
        if not (_ID.fullmatch(id_) and _ID.fullmatch(size)):
            raise QrError("not an id and a length of two digits each", where=f"{where}, offset {at}")
        value = text[at + 4 : at + 4 + int(size)]
        if not value or len(value) != int(size):
            raise QrError(f"claims {int(size)} characters, {len(value)} are left", where=f"{where}.{id_}")
        if id_ in found:
            raise QrError("stands there twice", where=f"{where}.{id_}")
        found[id_] = value
        at += 4 + int(size)
    return tuple(found.items())


def build_objects(objects: Iterable[tuple[str, str]], where: str = "code") -> str:
    """The inverse of `parse_objects`; raises `QrError` for what does not fit."""
    parts = []
    for id_, value in objects:
        if not _ID.fullmatch(id_) or not 1 <= len(value) <= 99 or not value.isprintable():
            raise QrError("not 1 to 99 printable characters", where=f"{where}.{id_}")
        parts.append(f"{id_}{len(value):02d}{value}")
    return "".join(parts)


def seal_objects(objects: Iterable[tuple[str, str]]) -> str:
    """A code from its objects, the CRC (63) added at the end."""
    text = build_objects(objects) + f"{_CRC}04"
    sealed = text + crc(text)
    if len(sealed) > SIZE_MAX:
        raise QrError(f"{len(sealed)} characters", where="code", fix=f"at most {SIZE_MAX}")
    return sealed


def open_objects(text: str) -> Objects:
    """The objects of a code whose format and CRC are right, without the CRC; raises `QrError`."""
    if len(text) > SIZE_MAX or not text.isprintable():
        raise QrError("too long, or not printable", where="code", fix=f"at most {SIZE_MAX} characters")
    objects = parse_objects(text)
    if not objects or objects[0] != (_FORMAT, "01"):
        raise QrError("does not begin with the format 01", where=f"code.{_FORMAT}")
    if objects[-1][0] != _CRC or len(objects[-1][1]) != 4:
        raise QrError("does not end with a CRC", where=f"code.{_CRC}")
    if crc(text[:-4]) != objects[-1][1].upper():
        raise QrError("the CRC is wrong", where=f"code.{_CRC}", fix="scan it again")
    return objects[:-1]


def merchant_code(code: MerchantCode) -> str:
    """The text of a merchant's code; raises `QrError` for fields that are not of their kind."""
    additional = [(ADDITIONAL_IDS[name], value) for name, value in code.additional.items()]
    local = [("00", code.language), ("01", code.local_name), ("02", code.local_city)]
    objects = [
        (_FORMAT, "01"),
        ("01", code.initiation.value if code.initiation else ""),
        *sorted(code.accounts),
        ("52", code.category), ("53", code.currency), ("54", code.amount), *sorted(code.tip),
        ("58", code.country), ("59", code.name), ("60", code.city), ("61", code.postal),
        (_ADDITIONAL, build_objects(sorted(additional), "code.62")),
        (_LANGUAGE, build_objects([pair for pair in local if pair[1]], "code.64")),
        *sorted(code.unreserved),
    ]  # fmt: skip
    text = seal_objects([pair for pair in objects if pair[1]])
    parse_merchant_code(text)
    return text


def parse_merchant_code(text: str) -> MerchantCode:
    """Read a merchant's code; raises `QrError` that names the object."""
    values = dict(open_objects(text))
    for id_, pattern in _KINDS.items():
        if id_ in values and not re.fullmatch(pattern, values[id_]):
            raise QrError("not of its kind", where=f"code.{id_}", fix=f"as in {pattern}")
    accounts = tuple(pair for pair in values.items() if "02" <= pair[0] <= "51")
    missing = [id_ for id_ in ("52", "53", "58", "59", "60") if id_ not in values]
    if missing or not accounts:
        raise QrError("missing", where=f"code.{missing[0] if missing else '02'}", fix="objects 02 to 60")
    if "54" in values and not _AMOUNT.fullmatch(values["54"]):
        raise QrError("not an amount", where="code.54", fix="decimal, at most 13 characters, not zero")
    names = {id_: name for name, id_ in ADDITIONAL_IDS.items()}
    additional = parse_objects(values.get(_ADDITIONAL, ""), f"code.{_ADDITIONAL}")
    local = dict(parse_objects(values.get(_LANGUAGE, ""), f"code.{_LANGUAGE}"))
    if local and not (re.fullmatch("[A-Za-z]{2}", local.get("00", "")) and local.get("01")):
        raise QrError("a language of two letters and a name", where=f"code.{_LANGUAGE}")
    return MerchantCode(
        accounts=accounts,
        category=values["52"],
        currency=values["53"],
        country=values["58"],
        name=values["59"],
        city=values["60"],
        initiation=Initiation(values["01"]) if "01" in values else None,
        amount=values.get("54", ""),
        tip=tuple((id_, values[id_]) for id_ in ("55", "56", "57") if id_ in values),
        postal=values.get("61", ""),
        additional={names[id_]: value for id_, value in additional if id_ in names},
        language=local.get("00", ""),
        local_name=local.get("01", ""),
        local_city=local.get("02", ""),
        unreserved=tuple(pair for pair in values.items() if pair[0] >= "80"),
    )


_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "01": "1[12]", "52": "[0-9]{4}", "53": "[0-9]{3}", "54": ".{1,13}", "55": "0[123]", "58": "[A-Z]{2}",
        "59": ".{1,25}", "60": ".{1,15}", "61": ".{1,10}",
    }
)  # fmt: skip


def consumer_code(code: ConsumerCode) -> str:
    """The text of a consumer's code, which is what its picture holds."""
    if not code.applications:
        raise QrError("no application", where="code.61")
    parts = [tlv(_T_FORMAT, _CONSUMER)]
    for found in code.applications:
        parts.append(tlv(_T_APPLICATION, tlv(_T_AID, found.aid), _joined(found.values, _T_OWN, found.own)))
    if code.common or code.common_own:
        parts.append(tlv(_T_COMMON, _joined(code.common, _T_COMMON_OWN, code.common_own)))
    text = base64.b64encode(b"".join(parts)).decode()
    if len(text) > SIZE_MAX:
        raise QrError(f"{len(text)} characters", where="code", fix=f"at most {SIZE_MAX}")
    return text


def parse_consumer_code(text: str) -> ConsumerCode:
    """Read a consumer's code; raises `QrError`. Only the one way to write a code is taken."""
    if not 0 < len(text) <= SIZE_MAX:
        raise QrError("empty or too long", where="code", fix=f"at most {SIZE_MAX} characters")
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
        objects = [(tag, value) for tag, value, _ in parse(raw)]
        code = _read(objects)
    except (binascii.Error, UnicodeEncodeError):
        raise QrError("not base64", where="code") from None
    except TlvError as error:
        raise QrError(error.what, where=f"code, {error.where}") from None
    if consumer_code(code) != text:
        raise QrError(
            "not written in the one way that there is", where="code", fix="shortest lengths, no filling"
        )
    return code


def _read(objects: list[tuple[int, bytes]]) -> ConsumerCode:
    if not objects or objects[0] != (_T_FORMAT, _CONSUMER):
        raise QrError("does not begin with CPV01", where="code.85")
    applications: list[Application] = []
    common: tuple[dict[int, bytes], dict[int, bytes]] = ({}, {})
    for tag, value in objects[1:]:
        if tag == _T_APPLICATION and not common[0]:
            values, own = _split(value, _T_OWN)
            aid = values.pop(_T_AID, b"")
            if not 5 <= len(aid) <= 16:
                raise QrError("not 5 to 16 bytes", where="code.61.4F")
            applications.append(Application(aid=aid, values=values, own=own))
        elif tag == _T_COMMON and not (common[0] or common[1]):
            common = _split(value, _T_COMMON_OWN)
        else:
            raise QrError("out of its place", where=f"code.{tag:X}")
    if not applications:
        raise QrError("no application", where="code.61")
    return ConsumerCode(applications=tuple(applications), common=common[0], common_own=common[1])


def _split(raw: bytes, inner: int) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """The data objects of a template, and those of its transparent template."""
    values: dict[int, bytes] = {}
    for tag, value, _ in parse(raw):
        if tag in values:
            raise QrError("stands there twice", where=f"code.{tag:X}")
        values[tag] = value
    own: dict[int, bytes] = {}
    for tag, value, _ in parse(values.pop(inner, b"")):
        if tag in own:
            raise QrError("stands there twice", where=f"code.{inner:X}.{tag:X}")
        own[tag] = value
    return values, own


def _joined(values: Mapping[int, bytes], inner: int, own: Mapping[int, bytes]) -> bytes:
    body = b"".join(tlv(tag, value) for tag, value in values.items())
    return body + (tlv(inner, *(tlv(tag, value) for tag, value in own.items())) if own else b"")
