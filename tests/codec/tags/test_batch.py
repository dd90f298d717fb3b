"""A batch says of each row what reading it alone says. Method: random rows of every scheme of 96 bits, good and bad."""

from __future__ import annotations

import random

import numpy as np
import pytest

from jinka.codec.tags import SCHEMES, Tag, TagError, decode, digital_link, encode, make_tag, parse_urn
from jinka.codec.tags.batch import Status, decode_batch
from jinka.codec.tags.batch_texts import batch_links, batch_urns
from jinka.kit import Usage
from tests.codec.tags.random_epcs import random_epc

SCHEMES_96 = [scheme for scheme in SCHEMES if scheme.bits == 96]
DIGITS_OF_KEY = {"01": 14, "00": 18, "414": 13, "8003": 14, "8018": 18, "8017": 18, "253": 13, "255": 13}


def rows(raws: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(raws), np.uint8).reshape(-1, 12)


def good(count: int) -> list[bytes]:
    rng = random.Random(96)
    made = []
    for n in range(count):
        scheme = SCHEMES_96[n % len(SCHEMES_96)]
        filters = 1 << scheme.filter_bits
        made.append(encode(make_tag(scheme, random_epc(scheme, rng), rng.randrange(filters))))
    return made


def alone(raw: bytes) -> Tag | None:
    try:
        tag = decode(raw)
    except TagError:
        return None
    return tag if tag.scheme in SCHEMES_96 else None  # those of other lengths are not for a batch


def test_good_rows_are_read_as_alone() -> None:
    raws = good(9_000)  # more than a block
    columns = decode_batch(rows(raws))
    assert not columns.status.any()
    for row, raw in enumerate(raws):
        assert columns.tag(row) == decode(raw), raw.hex()


def test_keys_have_their_check_digits() -> None:
    raws = good(500)
    keys = decode_batch(rows(raws)).keys()
    seen = set()
    for raw, key in zip(raws, keys.tolist(), strict=True):
        elements = decode(raw).elements
        ai = elements[0][0] if elements else ""
        want = int(elements[0][1][: DIGITS_OF_KEY[ai]]) if ai in DIGITS_OF_KEY else 0
        assert key == want, raw.hex()
        seen.add(ai)
    assert seen >= set(DIGITS_OF_KEY)


def test_random_rows_are_good_or_bad_as_alone() -> None:
    rng = random.Random(69)
    headers = [scheme.header for scheme in SCHEMES if scheme.name != "usdod-96"] + [0x00, 0xE2, 0xFF]
    raws = [bytes([rng.choice(headers)]) + rng.randbytes(11) for _ in range(6_000)]
    raws += [raw[:9] + bytes(3) for raw in raws[:2_000]]
    columns = decode_batch(rows(raws))
    for row, raw in enumerate(raws):
        assert columns.tag(row) == alone(raw), raw.hex()
    assert set(columns.status.tolist()) == {int(status) for status in Status}
    assert not columns.keys()[columns.status != Status.OK].any()


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("000000000000000000000000", Status.UNKNOWN_HEADER),
        ("F73795211411234538566CB0", Status.UNKNOWN_HEADER),
        ("307C257BF7194E4000001A85", Status.BAD_PARTITION),
        ("3074257BF7FFFFC000000001", Status.OUT_OF_RANGE),
        ("31143E6D1E05AFE63C000001", Status.NOT_ZERO),
        ("3F76451FD612640000000001", Status.OUT_OF_RANGE),
        ("3074257BF7194E4000001A85", Status.OK),
    ],
)
def test_the_status_says_why(raw: str, status: Status) -> None:
    assert decode_batch(rows([bytes.fromhex(raw)])).status.tolist() == [status]


def test_shapes() -> None:
    assert len(decode_batch(np.zeros((0, 12), np.uint8)).status) == 0
    wide = np.zeros((4, 24), np.uint8)
    wide[:, 0] = 0x30
    assert decode_batch(wide[:, :12]).header.tolist() == [0x30] * 4, "rows need not lie behind one another"
    for wrong in (np.zeros((4, 11), np.uint8), np.zeros(12, np.uint8), np.zeros((4, 12), np.int8)):
        with pytest.raises(Usage, match=r"shape \(rows, 12\)"):
            decode_batch(wrong)


def test_texts_of_a_batch_are_those_of_each_row() -> None:
    rng = random.Random(97)
    raws = good(900)
    raws += [bytes([scheme.header]) + rng.randbytes(11) for scheme in SCHEMES_96 for _ in range(40)]
    # No extension, a serial of 0, the largest numbers, no digit of reference.
    for urn in (
        "urn:epc:id:sgln:0614141.12345.0",
        "urn:epc:id:sgln:061414112345..7",
        "urn:epc:id:sgtin:061414112345.8.274877906943",
        "urn:epc:id:sgtin:0614141.812345.0",
        "urn:epc:id:giai:061414.4611686018427387903",
        "urn:epc:id:giai:061414112345.0",
        "urn:epc:id:sgcn:061414112345..0",
    ):
        epc = parse_urn(urn)
        raws.append(encode(make_tag(next(s for s in SCHEMES_96 if s.epc == epc.scheme), epc)))
    rng.shuffle(raws)
    columns = decode_batch(rows(raws))
    tags = [alone(raw) for raw in raws]
    assert batch_urns(columns) == [tag.epc_urn if tag else "" for tag in tags]
    assert batch_links(columns) == [digital_link(tag.elements) if tag else "" for tag in tags]
    assert None in tags


def test_texts_of_an_empty_batch_and_of_one_without_a_good_row() -> None:
    for bad in (np.empty((0, 12), np.uint8), np.zeros((3, 12), np.uint8)):
        columns = decode_batch(bad)
        assert batch_urns(columns) == batch_links(columns) == [""] * len(bad)
