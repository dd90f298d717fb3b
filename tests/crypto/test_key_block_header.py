"""The header of a key block as a parser: any text is read or refused, and what is read is written back alike."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.crypto.key_block_header import (
    MODES,
    Exportability,
    KeyAlgorithm,
    KeyBlockHeader,
    KeyBlockVersion,
    KeyMode,
    KeyUsage,
    parse_header,
)
from jinka.kit import Refused, Usage

_plain = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
_names = st.text("ABCDEFGHIJKLMNOQRSTUVWXYZ0123456789", min_size=2, max_size=2)
_lengths = st.sampled_from([0, 1, 11, 12, 250, 251, 252, 253, 600])
headers = st.builds(
    KeyBlockHeader,
    version=st.sampled_from(KeyBlockVersion),
    usage=st.sampled_from(KeyUsage),
    algorithm=st.sampled_from(KeyAlgorithm),
    mode=st.sampled_from(KeyMode),
    exportability=st.sampled_from(Exportability),
    key_version=_names,
    optional=st.lists(
        st.tuples(_names, st.builds(lambda size, letter: letter * size, _lengths, _plain)),
        max_size=5,
        unique_by=lambda pair: pair[0],
    ).map(tuple),
)


@given(headers, st.integers(3, 60))
def test_what_is_written_is_read(header: KeyBlockHeader, body: int) -> None:
    text = header.text(body)
    assert (len(text) - 16) % header.version.block == 0
    read, at = parse_header(text + "00" * body)
    assert (read, at) == (header, len(text))


@settings(max_examples=300)
@given(st.text(max_size=80), st.text("0123456789ABCDEFKSPBTX \x00é٣", max_size=120), headers)
def test_any_text_is_read_or_refused(garbage: str, tail: str, header: KeyBlockHeader) -> None:
    head = header.text(10)
    for text in (garbage, f"D{16 + len(tail):04}P0TB00N0200{tail}", head[:14] + tail, head + garbage):
        try:
            read, at = parse_header(text)
        except Refused:
            continue
        assert read.text((len(text) - at) // 2)[5:12] == text[5:12]


@pytest.mark.parametrize(
    "changes",
    [
        {"key_version": "0"},
        {"key_version": "é1"},
        {"optional": (("K", ""),)},
        {"optional": (("KS", ""), ("KS", ""))},
        {"optional": (("PB", "0000"),)},
        {"optional": (("KS", "\n"),)},
        {"optional": (("KS", "é"),)},
        {"optional": tuple((f"{number:02}", "") for number in range(99))},
    ],
)
def test_headers_that_cannot_be_sent(changes: dict[str, object]) -> None:
    values: dict[str, object] = {
        "version": KeyBlockVersion.D,
        "usage": KeyUsage.PIN,
        "algorithm": KeyAlgorithm.TDES,
        "mode": KeyMode.BOTH,
        "exportability": Exportability.NO,
    }
    KeyBlockHeader(**values)
    with pytest.raises(Usage):
        KeyBlockHeader(**(values | changes))


def test_a_block_longer_than_its_length_field() -> None:
    header = KeyBlockHeader(
        version=KeyBlockVersion.D,
        usage=KeyUsage.PIN,
        algorithm=KeyAlgorithm.TDES,
        mode=KeyMode.BOTH,
        exportability=Exportability.NO,
        optional=(("CT", "0" * 9900),),
    )
    assert len(header.text(20)) == 9936
    with pytest.raises(Usage):
        header.text(40)


def test_every_usage_has_its_modes() -> None:
    assert set(MODES) == set(KeyUsage)
    assert KeyMode.DECRYPT not in MODES[KeyUsage.MAC_CMAC] | MODES[KeyUsage.CARD_VALUE] | MODES[KeyUsage.BDK]
    assert KeyMode.GENERATE not in MODES[KeyUsage.PIN] | MODES[KeyUsage.KEK]
    assert MODES[KeyUsage.INITIAL_VECTOR] == {KeyMode.ANY}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("D0015P0TB00N000", "plain characters"),
        ("D0017P0TB00N0000", "another length"),
        ("D00 6P0TB00N0000", "another length"),
        ("D0016P0TB00Nx000", "number of optional blocks"),
        ("D0016P0TB00N0001", "number of optional blocks and 00"),
        ("F0016P0TB00N0000", "KeyBlockVersion"),
        ("D0016Z0TB00N0000", "KeyUsage"),
        ("D0016P0XB00N0000", "KeyAlgorithm"),
        ("D0016P0TZ00N0000", "KeyMode"),
        ("D0016P0TB00X0000", "Exportability"),
        ("D0016P0TB-0N0000", "two letters or digits"),
        ("D0016P0TB00N0100", "without its length"),
        ("D0026P0TB00N0100KS0AABCDEF", "whole blocks"),
        ("B0026P0TB00N0100KS0AABCDEF", "whole blocks"),
        ("D0032P0TB00N0100KS11ABCDEFGHIJKL", "leads out"),
        ("D0032P0TB00N0100KS03ABCDEFGHIJKL", "leads out"),
        ("D0032P0TB00N0100KS0004000900000000"[:32], "leads out"),
        ("D0032P0TB00N0100KS00030010000000", "without its length"),
        ("D0032P0TB00N0200PB080000KS080000", "not the last"),
        ("D0032P0TB00N0200KS080000KS080000", "twice"),
    ],
)
def test_each_rule_of_the_header(text: str, said: str) -> None:
    """Under its MAC a wrong header shows as a wrong MAC; here each rule stands by itself."""
    with pytest.raises(Refused, match=said):
        parse_header(text)


def test_headers_that_are_right() -> None:
    for text in ("D0016P0TB00N0000", "B0024P0TB00N0100KS080000", "D0032P0TB00N0200KS080000PB080000"):
        assert parse_header(text)[1] == len(text)
    for announced in ("02", "04"):
        text = f"D0032P0TB00N0100KS00{announced}0010ABCDEF"
        assert parse_header(text)[0].optional == (("KS", "ABCDEF"),)
