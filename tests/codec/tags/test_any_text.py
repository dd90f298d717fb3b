"""Whatever text is given, a codec answers or raises an error of its own, quickly. Method: Hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jinka.app.trace_epc import Asked, describe_codes
from jinka.codec.tags import (
    decode,
    decode_hex,
    digital_link,
    encode,
    parse_elements,
    parse_link,
    parse_tag_urn,
    parse_urn,
    scan_elements,
    show_elements,
)
from jinka.codec.tags.chinese import parse_drug_code, parse_ecode, parse_product_barcode
from jinka.codec.tags.hostname import write_hostname
from jinka.codec.tags.tid import parse_tid
from jinka.kit import JinkaError

near = st.builds(
    str.__add__,
    st.sampled_from(
        [
            "", "urn:epc:id:", "urn:epc:id:sgtin:0614141.112345.", "urn:epc:idpat:itip:", "urn:epc:class:lgtin:",
            "(", "(01)", "(21)", "]C1", "^", "https://id.gs1.org/01/", "https://a/00/", "http://a/b?",
            "urn:epc:tag:sgtin-96:", "F7", "30", "8", "10001",
        ]
    ),
    st.text("0123456789ABCDEFabcdef.:*%/()\\\x1d^-_?&=;", max_size=40) | st.text(max_size=20),
)  # fmt: skip
PARSERS = [
    parse_urn, parse_tag_urn, parse_elements, parse_link, decode_hex, parse_drug_code, parse_ecode,
    parse_product_barcode,
]  # fmt: skip


def _told(parse: Callable[[Any], Any], given: Any) -> Any:
    """What is read, or None where a fault was told with its place."""
    found, fault = None, None
    try:
        found = parse(given)
    except JinkaError as error:
        fault = error
    assert fault is None or (fault.what and fault.where)
    return found


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@given(text=near)
@example(text="\x00")
@example(text="(01)" + "(" * 500)
def test_texts(parse: Callable[[str], Any], text: str) -> None:
    _told(parse, text)


@given(text=near)
def test_what_is_shown_of_a_code(text: str) -> None:
    try:
        forms = describe_codes([text], Asked())[0]
    except JinkaError:
        return
    assert forms.data["code"] == text
    assert forms.rows


@given(text=near)
def test_what_is_read_is_written_and_read_the_same(text: str) -> None:
    for parse in (parse_link, parse_elements):
        try:
            found = parse(text)
        except JinkaError:
            continue
        assert parse_elements(show_elements(found)) == found
        assert parse_elements(scan_elements(found)) == found
        if digital_link(found):
            assert dict(parse_link(digital_link(found))) == dict(found)


@given(raw=st.binary(max_size=70) | st.binary(min_size=1, max_size=40).map(lambda raw: b"\xf7" + raw))
def test_bytes(raw: bytes) -> None:
    _told(parse_tid, raw)
    tag = _told(decode, raw)
    assert tag is None or decode(encode(tag)) == tag


@given(name=st.text(max_size=70))
def test_host_names(name: str) -> None:
    from jinka.codec.tags.bits import BitReader, BitWriter
    from jinka.codec.tags.hostname import read_hostname

    writer = BitWriter()
    try:
        write_hostname(name, writer)
    except JinkaError:
        return
    assert read_hostname(BitReader(writer.value, writer.size)) == name
