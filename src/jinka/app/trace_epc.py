"""`jinka trace epc`: one code in all its forms, whichever of them it is given in.

What a code is follows from how it begins and how long it is; where two things would fit (twenty digits may be a drug
trace code or a barcode), ``kind`` says which is meant. Files are read here, translations are `jinka.codec.tags`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from jinka.codec.tags import (
    CHINA,
    SCHEME_BY_NAME,
    SCHEMES,
    Elements,
    Epc,
    PrefixList,
    Scheme,
    Tag,
    TagError,
    canonical_id,
    compressed_tag,
    decode,
    decode_hex,
    digital_link,
    encode,
    filter_title,
    hex_bytes,
    make_tag,
    pack_elements,
    parse_elements,
    parse_link,
    parse_tag_urn,
    parse_urn,
    read_prefix_list,
    scan_elements,
    show_elements,
    split_key,
)
from jinka.codec.tags.bank import parse_bank
from jinka.codec.tags.chinese import parse_drug_code, parse_ecode, parse_product_barcode
from jinka.codec.tags.keys import KEY_BY_SCHEME, KEYS, Key
from jinka.codec.tags.tid import TID_CLASS, parse_tid
from jinka.kit import JinkaError, NotFound, Usage

_FNC1_SHOWN = "^"
_AROUND = " \t\r\n"  # not FNC1, which Python takes for white space as well
_PAIRS = re.compile("(?:0[xX])?([0-9A-Fa-f]{2}(?:[ :-]?[0-9A-Fa-f]{2}){3,})").fullmatch
_RAW = re.compile(
    "urn:epc:raw:([1-9][0-9]{0,3})\\.x([0-9A-F]+)"
).fullmatch  # TDS 12: what is given out undecoded


class Kind(StrEnum):
    """What a code is given as."""

    AUTO = "auto"
    TAG = "tag"  # hexadecimal
    URN = "urn"
    LINK = "link"
    ELEMENTS = "elements"
    BARCODE = "barcode"
    BANK = "bank"  # the EPC bank from its first bit
    TID = "tid"
    DRUG = "drug"
    ECODE = "ecode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is wanted of each code."""

    kind: Kind = Kind.AUTO
    prefix_digits: int | None = None
    prefixes: PrefixList = CHINA
    scheme: str = ""
    filter_value: int | None = None


@dataclass(slots=True, kw_only=True)
class Forms:
    """A code in all its forms. ``rows`` are for a person: names in English and Chinese with what stands there."""

    code: str
    kind: Kind
    prefixes: PrefixList = CHINA
    tag: Tag | None = None
    epc: Epc | None = None
    elements: Elements = ()
    missing: str = ""  # why there is no URN
    other: list[tuple[tuple[str, str], str | tuple[str, str]]] = field(default_factory=list)
    hexes: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> list[tuple[tuple[str, str], str | tuple[str, str]]]:
        """What a person reads."""
        found: list[tuple[tuple[str, str], str | tuple[str, str]]] = [*self.other]
        key = KEY_BY_SCHEME.get(self.epc.scheme) if self.epc else _key_in(self.elements)
        if key is not None:
            found.append((("names a", "标识对象"), key.title))
        if self.tag is not None:
            scheme = self.tag.scheme
            found.append((("encoding", "编码方案"), f"{scheme.name} ({scheme.header:02X})"))
            if scheme.filter_bits:
                meaning = filter_title(scheme, self.tag.filter)
                texts = [f"{self.tag.filter} {text}" for text in meaning]
                found.append((("filter", "过滤值"), (texts[0], texts[1])))
            if not scheme.is_plus:
                found.append((("tag URN", "标签URN"), self.tag.urn))
            if self.tag.plus.hostname:
                found.append((("host name", "域名"), self.tag.plus.hostname))
        if self.epc is not None:
            found.append((("EPC URN", "EPC URN"), self.epc.urn))
        elif self.missing:
            chinese = "厂商识别代码的长度未知：请用--prefix-digits给出位数，或用--prefixes给出GS1长度表"
            found.append((("EPC URN", "EPC URN"), (self.missing, chinese)))
        if self.elements:
            found.append((("Digital Link", "数字链接"), digital_link(self.elements)))
            found.append((("element string", "元素字符串"), show_elements(self.elements)))
            found.append((("as scanned (^ is FNC1)", "扫描数据（^为FNC1）"), self._scanned()))
        if self.canonical:
            found.append((("canonical", "规范标识"), self.canonical))
        found += [((f"bits, {name}", f"二进制 {name}"), value) for name, value in self.hexes.items()]
        return found

    @property
    def canonical(self) -> str:
        """The name under which events know the thing."""
        if self.epc is not None:
            return canonical_id(self.epc.urn)
        link = digital_link(self.elements)
        return canonical_id(link) if link else ""

    @property
    def data(self) -> dict[str, Any]:
        """The same as JSON."""
        tag, epc = self.tag, self.epc
        return {
            "code": self.code,
            "kind": self.kind.value,
            **{
                english.replace(" ", "_"): value if isinstance(value, str) else value[0]
                for (english, _), value in self.other
            },
            "scheme": tag.scheme.name if tag else None,
            "filter": tag.filter if tag and tag.scheme.filter_bits else None,
            "tag_urn": tag.urn if tag and not tag.scheme.is_plus else None,
            "host_name": (tag.plus.hostname or None) if tag else None,
            "epc": epc.urn if epc else None,
            "epc_missing": self.missing or None,
            "company_prefix": epc.parts[0] if epc and epc.key else None,
            "digital_link": digital_link(self.elements) or None,
            "element_string": show_elements(self.elements) or None,
            "scanned": self._scanned() or None,
            "canonical": self.canonical or None,
            "bits": self.hexes,
        }

    def _scanned(self) -> str:
        return scan_elements(self.elements).replace("\x1d", _FNC1_SHOWN)


def describe_codes(codes: Sequence[str], asked: Asked) -> list[Forms]:
    """Every code in all its forms. The first that is wrong raises, and says which it is and where."""
    found = []
    for number, code in enumerate(codes, 1):
        try:
            found.append(_describe(code, asked))
        except JinkaError as error:
            if len(codes) > 1:
                error.where = f"code {number}, {error.where}"
            raise
    return found


def kind_of(text: str) -> Kind:
    """What ``--as`` says. Raises `Usage`."""
    try:
        return Kind(text)
    except ValueError:
        raise Usage(f"no kind of code {text[:20]!r}", where="--as", fix=", ".join(Kind)) from None


def load_prefixes(path: Path | None) -> PrefixList:
    """GS1's list of company prefixes from a file; without one what is declared."""
    if path is None:
        return CHINA
    try:
        return read_prefix_list(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise NotFound("no such file", where=str(path), fix="GS1's GCP Length Table as JSON") from None


def _key_in(elements: Elements) -> Key | None:
    """What application identifiers name where nobody knows how long the company prefix is: the finest key."""
    named = dict(elements)
    keys = [key for key in KEYS if key.ai in named]
    return next((key for key in keys if key.serial and key.serial.ai in named), keys[0] if keys else None)


def _bare(code: str) -> str:
    """A code without what programs and people put around and between hexadecimal digits."""
    code = code.strip(_AROUND)
    pairs = _PAIRS(code)
    return re.sub("[ :-]", "", pairs[1]) if pairs else code


def _describe(code: str, asked: Asked) -> Forms:
    bare = _bare(code)
    kind = _kind_of(bare) if asked.kind is Kind.AUTO else asked.kind
    forms = Forms(code=bare, kind=kind, prefixes=asked.prefixes)
    _READ[kind](forms)
    if forms.elements and forms.epc is None:
        try:
            forms.epc = split_key(forms.elements, asked.prefix_digits, asked.prefixes)
        except NotFound as error:
            forms.missing = str(error)
    _encode(forms, asked)
    return forms


def _kind_of(code: str) -> Kind:
    """Tell a code by its looks."""
    head = code[:8].lower()
    if head.startswith("urn:"):
        return Kind.URN
    if head.startswith(("http:", "https:")):
        return Kind.LINK
    if code.startswith(("(", "]", "^")) or "\x1d" in code:
        return Kind.ELEMENTS
    digits = re.fullmatch("[0-9]+", code)
    if digits and len(code) in (8, 12, 13, 14):
        return Kind.BARCODE
    if digits and len(code) == 20 and code.startswith("8"):
        return Kind.DRUG
    if re.fullmatch("[0-9A-Fa-f]+", code) and int(code[:2], 16) in _HEADERS and len(code) >= 20:
        return Kind.TAG
    if re.fullmatch("(?:[0-9A-Fa-f]{2}){4,}", code) and int(code[:2], 16) == TID_CLASS:
        return Kind.TID
    if digits and code.startswith(("00", "01")):
        return Kind.ELEMENTS
    if re.fullmatch("[0-9A-Fa-f]+", code) and not digits:
        return Kind.TAG
    raise Usage(
        f"{code[:40]!r} may be several things, or none",
        where="code",
        fix=f"say which with --as: {', '.join(kind.value for kind in Kind if kind is not Kind.AUTO)}",
    )


def _tag(forms: Forms) -> None:
    forms.tag = decode_hex(forms.code)
    forms.elements = forms.tag.elements
    if not forms.tag.scheme.is_plus:
        forms.epc = forms.tag.epc


def _bank(forms: Forms) -> None:
    found = parse_bank(hex_bytes(forms.code))
    forms.other = [(("memory bank", "EPC存储区"), found.urn)]
    if found.family is None:
        forms.tag = decode(found.epc)
        forms.elements = forms.tag.elements
        forms.epc = None if forms.tag.scheme.is_plus else forms.tag.epc


def _tid(forms: Forms) -> None:
    found = parse_tid(hex_bytes(forms.code))
    forms.other = [
        (("chip maker (MDID)", "芯片设计者"), f"{found.designer:03X}"),
        (("model (TMN)", "芯片型号"), f"{found.model:03X}"),
        (("serial", "芯片序列号"), found.serial or "-"),
        (("STID", "STID"), found.stid or "-"),
    ]


def _urn(forms: Forms) -> None:
    raw = _RAW(forms.code)
    if raw:
        if len(raw[2]) != -(-int(raw[1]) // 4):
            raise TagError(f"{raw[1]} bits are not {len(raw[2])} digits", where=f"character {raw.start(2)}")
        forms.code = raw[2]
        _tag(forms)
        return
    if forms.code[:12].lower() == "urn:epc:tag:":
        scheme, filter_value, epc = parse_tag_urn(forms.code)
        forms.tag = make_tag(scheme, epc, filter_value)
        encode(forms.tag)  # or else it names what no tag can hold
    else:
        epc = parse_urn(forms.code)
    forms.epc, forms.elements = epc, epc.elements


def _link(forms: Forms) -> None:
    forms.elements = parse_link(forms.code)
    forms.tag = compressed_tag(forms.code)
    if forms.tag is not None and not forms.tag.scheme.is_plus:
        forms.epc = forms.tag.epc


def _elements(forms: Forms) -> None:
    forms.elements = parse_elements(forms.code)


def _barcode(forms: Forms) -> None:
    code = forms.code
    if len(code) in (12, 14):  # a UPC, or a GTIN as it is written in links
        forms.elements = parse_elements(f"(01){code.zfill(14)}")
        return
    found = parse_product_barcode(code, forms.prefixes)
    forms.elements = found.elements
    known = found.company or "-"
    forms.other = [(("company", "厂商识别代码"), known), (("item", "商品项目代码"), found.item)]


def _drug(forms: Forms) -> None:
    found = parse_drug_code(forms.code)
    forms.other = [
        (("product", "药品标识码"), found.product),
        (("production", "生产标识码"), found.production),
        (("checked", "校验"), ("format only: its check algorithm is not public", "仅格式：校验算法未公开")),
    ]


def _ecode(forms: Forms) -> None:
    found = parse_ecode(forms.code)
    forms.other = [
        (("version", "版本"), str(found.version)),
        (("coding system", "编码体系标识"), found.system),
        (("item", "主码"), found.item),
        (("checked", "校验"), ("format only", "仅格式")),
    ]


_READ: dict[Kind, Callable[[Forms], None]] = {
    Kind.TAG: _tag, Kind.URN: _urn, Kind.LINK: _link, Kind.ELEMENTS: _elements, Kind.BARCODE: _barcode,
    Kind.BANK: _bank, Kind.TID: _tid, Kind.DRUG: _drug, Kind.ECODE: _ecode,
}  # fmt: skip
_HEADERS = frozenset(scheme.header for scheme in SCHEMES)


def _encode(forms: Forms, asked: Asked) -> None:
    """The bits in every encoding that holds the code, or in the one that was asked for."""
    if asked.scheme and asked.scheme not in SCHEME_BY_NAME:
        raise NotFound(f"no encoding {asked.scheme!r}", where="--scheme", fix=", ".join(SCHEME_BY_NAME))
    wanted = [SCHEME_BY_NAME[asked.scheme]] if asked.scheme else SCHEMES
    for scheme in wanted:
        try:
            tag = _make(scheme, forms, asked)
            if tag is not None:
                forms.hexes[scheme.name] = encode(tag).hex().upper()
        except TagError:
            if asked.scheme:
                raise
    if asked.scheme and not forms.hexes:
        raise TagError(f"{asked.scheme} holds no such code", where="--scheme")


def _make(scheme: Scheme, forms: Forms, asked: Asked) -> Tag | None:
    filter_value = asked.filter_value
    if filter_value is None:
        filter_value = forms.tag.filter if forms.tag and scheme.filter_bits else 0
    if scheme.is_plus:
        hostname = forms.tag.plus.hostname if forms.tag else ""
        if not forms.elements or scheme.hosted != bool(hostname):
            return None
        return pack_elements(scheme, forms.elements, filter_value=filter_value, hostname=hostname)
    if forms.epc is None or forms.epc.scheme != scheme.epc:
        return None
    return make_tag(scheme, forms.epc, filter_value if scheme.filter_bits else 0)
