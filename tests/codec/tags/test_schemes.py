"""The tables of schemes hold together: bits add up, headers and names are unique, every key has its words."""

from __future__ import annotations

from jinka.codec.tags import SCHEMES, filter_title
from jinka.codec.tags.ai_table import AI_LENGTHS, IDENTIFIERS
from jinka.codec.tags.keys import KEYS, QUALIFIERS
from jinka.codec.tags.schemes import PREFIX_BITS, SPLITS, Field


def test_bits_add_up() -> None:
    for scheme in SCHEMES:
        if scheme.bits:
            segments = sum(segment.bits + 3 * (segment.field in SPLITS) for segment in scheme.segments)
            assert 8 + scheme.filter_bits + segments == scheme.bits, scheme.name
            assert scheme.name.endswith(f"-{scheme.bits}")
        for segment in scheme.segments:
            if segment.field is Field.TEXT:
                assert segment.bits == 7 * segment.length
            if (
                segment.field is Field.SPLIT_DIGITS
            ):  # the longest company prefix leaves room for the rest of the digits
                digits = next(key.digits for key in KEYS if key.scheme == scheme.epc)
                for at, wide in enumerate(PREFIX_BITS):
                    assert 10 ** (12 - at) <= 1 << wide
                    assert 10 ** (digits - 12 + at) <= 1 << (segment.bits - wide), scheme.name


def test_names_and_headers_are_unique() -> None:
    assert (
        len({scheme.header for scheme in SCHEMES})
        == len({scheme.name for scheme in SCHEMES})
        == len(SCHEMES)
        == 46
    )
    assert len({key.scheme for key in KEYS}) == len(KEYS)


def test_every_filter_has_words_in_both_languages() -> None:
    for scheme in SCHEMES:
        for value in range(1 << scheme.filter_bits):
            english, chinese = filter_title(scheme, value)
            assert english.isascii()
            assert chinese
            assert not chinese.isascii()


def test_identifiers_are_known_to_each_other() -> None:
    named = {key.ai for key in KEYS} | {key.serial.ai for key in KEYS if key.serial and key.serial.ai}
    named |= set(QUALIFIERS) | {ai for row in QUALIFIERS.values() for ai in row}
    assert named <= set(IDENTIFIERS)
    assert all(len(ai) == AI_LENGTHS[ai[:2]] for ai in IDENTIFIERS), (
        "table K: the first two digits tell the length"
    )
    for key in KEYS:
        found = IDENTIFIERS[key.ai]
        if key.check:
            assert found.check, key.scheme
