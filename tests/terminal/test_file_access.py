"""Records that open to their authority's access key, on a real card: read with the key, refused without, PIN or not.

Goal: what is sensitive is kept by the card and not by a rule of devices. Method: the key's answer is made here from the
card's own key, as a second way beside the key service; each other way in is tried and must be refused.
"""

from __future__ import annotations

import datetime as dt

import pytest

from jinka.card import Card, Personal, personalised
from jinka.card.records import record_contents
from jinka.codec import Algorithm
from jinka.codec.fields import Coding
from jinka.crypto.block import tdes_encrypt
from jinka.profile import KeyUse
from jinka.profile.applications import pin, purse_application, record, record_application
from jinka.profile.entitlement import Condition, Entitlement
from jinka.profile.entitlement import Test as Asked
from jinka.sim.randomness import SeededRandomness
from jinka.terminal.entitlement import NotEntitled, admit
from jinka.terminal.link import ApduLink, ChipRefused
from jinka.terminal.records import FileAccess, holder_values, read_records

MAINTENANCE, ACCESS, PIN = b"maintenance key.", b"key to read with", bytes.fromhex("123456")
FREE_FILE, PIN_FILE, KEY_FILE = 0x0005, 0x0006, 0x0007
RECORDS = (
    record(1, "ward", Coding.TEXT, 12, "oncology", "Ward", "科室", fid=KEY_FILE),
    record(1, "name", Coding.TEXT, 30, "周婷", "Name", "姓名", fid=PIN_FILE),
    record(2, "visits", Coding.NUMBER, 1, "3", "Visits", "次数", fid=KEY_FILE),
    record(1, "class", Coding.TEXT, 4, "A", "Class", "类别", fid=FREE_FILE),
)
VALUES = {"ward": "oncology", "name": "周婷", "visits": "3", "class": "A"}
PROFILE = record_application(
    name="test.ward", aid=b"JINKA.KEPT.TEST", fid=0x3F72, title_en="Ward", title_zh="病房", authority="Test",
    standards=("ISO/IEC 7816-4",), records=RECORDS, after_pin=(PIN_FILE,), by_key=(KEY_FILE,), extra_keys=(pin(),),
)  # fmt: skip
RIGHT = Entitlement(
    name="visit", title_en="A visit", title_zh="就诊", application=PROFILE.name,
    conditions=(Condition("visits", Asked.AT_LEAST, 3, "NONE_LEFT"),),
)  # fmt: skip


class Holder:
    """Whoever has the key; counts how often it was asked."""

    def __init__(self, key: bytes) -> None:
        self._key, self.asked = key, 0

    def answer(self, card_no: bytes, challenge: bytes) -> bytes:
        self.asked += 1
        assert card_no == bytes(9) + b"\x01"
        return tdes_encrypt(self._key, challenge)


def card() -> Card:
    kept = {KeyUse.MAINTENANCE: MAINTENANCE, KeyUse.PIN: PIN, KeyUse.EXTERNAL_AUTHENTICATE: ACCESS}
    personal = Personal(
        card_no=bytes(9) + b"\x01",
        keys=tuple(kept[key.use] for key in PROFILE.keys),
        contents=record_contents(RECORDS, VALUES),
    )
    return personalised(PROFILE, personal, SeededRandomness("kept"))


def access(key: bytes = ACCESS) -> FileAccess:
    [(fid, spec)] = PROFILE.access_keys().items()
    assert fid == KEY_FILE
    assert spec.algorithm is Algorithm.TDES
    return FileAccess(kid=spec.kid, files=frozenset((fid,)), provider=Holder(key))


def readings(link: ApduLink, pin: bytes, key: FileAccess | None) -> dict[str, str]:
    found = read_records(link, PROFILE.aid, RECORDS, pin=pin, access=key)
    assert [one.record for one in found] == list(RECORDS)  # in the order that was asked
    assert {one.sw for one in found if one.value is None} <= {0x6982}
    return holder_values(found)


@pytest.mark.parametrize(
    ("pin", "key", "seen"),
    [
        (b"", False, {"class"}),
        (PIN, False, {"class", "name"}),
        (b"", True, {"class", "ward", "visits"}),
        (PIN, True, {"class", "name", "ward", "visits"}),
    ],
)
def test_each_file_opens_to_what_it_says(pin: bytes, key: bool, seen: set[str]) -> None:
    proved = access() if key else None
    assert readings(card(), pin, proved) == {name: VALUES[name] for name in seen}
    assert proved is None or proved.provider.asked == 1  # type: ignore[attr-defined]


def test_another_key_is_refused_once_and_what_is_kept_stays_shut() -> None:
    chip, wrong = card(), access(b"some other's key")
    for left in (9, 8):
        with pytest.raises(ChipRefused, match=f"63C{left}"):
            read_records(chip, PROFILE.aid, RECORDS, access=wrong)
    assert wrong.provider.asked == 2  # type: ignore[attr-defined]
    assert readings(chip, b"", None) == {"class": "A"}
    assert readings(chip, b"", access()).keys() == {"class", "ward", "visits"}


def test_the_key_is_not_asked_for_where_nothing_needs_it() -> None:
    key = access()
    assert holder_values(read_records(card(), PROFILE.aid, RECORDS[3:], access=key)) == {"class": "A"}
    assert key.provider.asked == 0  # type: ignore[attr-defined]


def test_a_right_on_kept_records_is_judged_with_the_key_and_refused_by_the_card_without() -> None:
    at = dt.datetime(2026, 4, 1, 12)

    def judged(key: FileAccess | None, right: Entitlement = RIGHT) -> dict[str, str]:
        made = admit(card(), right, aid=PROFILE.aid, records=RECORDS, at=at, facts={}, pin=PIN, access=key)
        return dict(made.values)

    assert judged(access()) == {"visits": "3"}
    with pytest.raises(ChipRefused, match="6982"):
        judged(None)
    more = Entitlement(
        name="more", title_en="More", title_zh="更多", application=PROFILE.name,
        conditions=(Condition("visits", Asked.AT_LEAST, 4, "NONE_LEFT"),),
    )  # fmt: skip
    with pytest.raises(NotEntitled):
        judged(access(), more)


def test_a_file_that_the_pin_opens_as_well_needs_no_key() -> None:
    purse = purse_application(
        name="test.purse", aid=b"JINKA.KEPT.PURSE", fid=0x3F73, title_en="P", title_zh="包", authority="Test",
        standards=("JR/T 0025.2",), limit=1_000, records=RECORDS[3:],
    )  # fmt: skip
    assert purse.access_keys() == {}
