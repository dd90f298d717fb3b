"""Many PINs and card values in one verb. Goal: each row has the answer of one by one, and no more tries than that.

Method: rows of all kinds both ways, over numbers of several lengths, PVV and IBM 3624, in process and over the socket;
then the attacks of `tests.attacks.test_pin_verbs`, with lists.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.pin_block import PinFormat, PinZone, encipher_pin
from jinka.keys.audit import AuditEvent
from jinka.keys.border import Caller
from jinka.keys.guards import BLOCK_LIMITS, PIN_LIMITS, VALUE_LIMITS
from jinka.kit import JinkaError, Refused, Usage
from tests.attacks.key_rig import AT, IBM, OTHER_PAN, PAN, PVK, ZPK, block
from tests.keys.ground import Dice
from tests.keys.payments import KEY, KEYS, Rig, over_socket, rig

CVK = "card_verify/TDES/1"
PANS = [PAN, OTHER_PAN, "622588012345", "6225880123456789012", "4123456789012345"]
ISO_4 = {"zone": "zone_pin/AES/1@bank", "zone_format": PinFormat.ISO_4}


def pin_rows(made: Rig, key: str, how: dict[str, Any]) -> list[tuple[bytes, str, str]]:
    """Right ones, wrong ones, other numbers' blocks, noise, blocks of another size, numbers and references of none."""
    value = KEYS[how["zone"]][0]
    cipher = BlockCipher.AES if "AES" in how["zone"] else BlockCipher.TDES
    zone = PinZone(key=BlockKey(cipher=cipher, value=value), format=how["zone_format"])
    width = len(encipher_pin(zone, "1234", PAN, Dice()))
    rows = []
    for pan in PANS:
        for pin in ("1234", "9999", "123456789012"):
            given = encipher_pin(zone, pin, pan, Dice())
            if key == PVK:
                reference = made.service.make_pvv(given, pan=pan, key=key, index=3, **how)
            elif len(pan) < 14:
                reference = "0123"  # such a number has no natural PIN under this key
            else:
                reference = made.service.make_offset(given, pan=pan, key=key, **how)
            rows.append((given, pan, reference))
        rows.append((encipher_pin(zone, "4321", pan, Dice()), pan, rows[-3][2]))
        rows.append((random.Random(pan).randbytes(width), pan, rows[-3][2]))
    right = rows[0]
    return [*rows, (right[0], OTHER_PAN, right[2]), (b"", PAN, right[2]), (right[0] * 2, PAN, right[2]),
            (right[0], "12", right[2]), (right[0], "x" * 16, right[2]), (right[0], PAN, "1")]  # fmt: skip


def one_by_one(made: Rig, key: str, rows: list[tuple[bytes, str, str]], how: dict[str, Any]) -> list[str]:
    said = []
    for given, pan, reference in rows:
        made.clock.pass_s(PIN_LIMITS.window_s + 1)
        try:
            made.service.verify_pin(given, pan=pan, key=key, reference=reference, **how)
            said.append("right")
        except JinkaError as error:
            said.append("wrong" if error.where == "PIN" else "nothing")
    return said


def words(checked: Any) -> list[str]:
    right, answered = (list(map(bool, rows)) for rows in checked)
    return ["right" if r else "wrong" if a else "nothing" for r, a in zip(right, answered, strict=True)]


@pytest.mark.parametrize("how", [AT, ISO_4])
@pytest.mark.parametrize("key", [PVK, IBM])
def test_pins_as_one_by_one(key: str, how: dict[str, Any], tmp_path: Path) -> None:
    made = rig()
    rows = pin_rows(made, key, how)
    said = one_by_one(made, key, rows, how)
    assert set(said) == {"right", "wrong", "nothing"}
    with over_socket(rig(), tmp_path) as remote:
        for service in (rig().service, remote.service):
            for start in range(0, len(rows), 5):  # of one number fewer are wrong than close its way
                some = rows[start : start + 5]
                blocks, pans, references = (list(column) for column in zip(*some, strict=True))
                checked = service.verify_pins(blocks, pans=pans, key=key, references=references, **how)
                assert words(checked) == said[start : start + 5], start


def test_card_values_as_one_by_one(tmp_path: Path) -> None:
    made = rig()
    right = [made.service.make_card_value(key=CVK, pan=pan, date4="2812", service3="201") for pan in PANS]
    wrong = [f"{(int(value) + 1) % 1000:03}" for value in right]
    values = [*right, *wrong, right[0][:2], "", right[0] + "9", "٣٣٣", right[0], right[0]]
    pans = [*PANS, *PANS, PAN, PAN, PAN, PAN, "12", PAN]
    dates, services = ["2812"] * 16, [*["201"] * 15, "20"]
    want = ["right"] * 5 + ["wrong"] * 9 + ["nothing"] * 2
    with over_socket(made, tmp_path) as remote:
        for service in (rig().service, remote.service):
            checked = service.verify_card_values(
                key=CVK, pans=pans, dates=dates, services=services, values=values
            )
            assert words(checked) == want
            assert words(service.verify_card_values(key=CVK, pans=[], dates=[], services=[], values=[])) == []


def test_many_at_once_are_no_more_tries() -> None:
    """Of one number as many are compared as one by one, the right one behind them is not, and others go on."""
    made = rig()
    reference = made.service.make_pvv(block(), pan=PAN, key=PVK, index=1, **AT)
    other = made.service.make_pvv(block(pan=OTHER_PAN), pan=OTHER_PAN, key=PVK, index=1, **AT)
    blocks = [*(block(f"{n:04}") for n in range(40)), block(), block(pan=OTHER_PAN)]
    pans, references = [PAN] * 41 + [OTHER_PAN], [reference] * 41 + [other]
    checked = words(made.service.verify_pins(blocks, pans=pans, key=PVK, references=references, **AT))
    assert checked == ["wrong"] * PIN_LIMITS.failures + ["nothing"] * (41 - PIN_LIMITS.failures) + ["right"]
    with pytest.raises(Refused, match="too many"):
        made.service.verify_pin(block(), pan=PAN, key=PVK, reference=reference, **AT)
    made.clock.pass_s(PIN_LIMITS.window_s + 1)
    assert words(made.service.verify_pins([block()], pans=[PAN], key=PVK, references=[reference], **AT)) == [
        "right"
    ]
    values = [f"{n:03}" for n in range(60)]
    asked = {"pans": [PAN] * 60, "dates": ["2812"] * 60, "services": ["201"] * 60, "values": values}
    assert (
        words(made.service.verify_card_values(key=CVK, **asked)).count("nothing")
        == 60 - VALUE_LIMITS.failures
    )


def test_noise_closes_the_zone_and_costs_no_holder_a_try() -> None:
    made = rig()
    half = BLOCK_LIMITS.failures // 2
    noise = [random.Random(n).randbytes(8) for n in range(2 * half + 1)]
    pans = [f"{4_000_000_000_000_000 + n}" for n in range(len(noise))]

    def tried(rows: slice) -> list[str]:
        some = noise[rows]
        return words(
            made.service.verify_pins(some, pans=pans[rows], key=PVK, references=["10000"] * len(some), **AT)
        )

    assert set(tried(slice(half))) == {"wrong"}
    with pytest.raises(Refused, match="too many"):
        tried(slice(half, None))
    assert not any(
        made.holding.working.pins._mark((made.service._mark(PVK), pan)) in made.holding.working.pins._failed
        for pan in pans[half:]
    ), "who had no answer did not fail"


def test_who_may_check_one_may_check_many_and_it_is_noted_once() -> None:
    made = rig()
    events: list[AuditEvent] = []

    class Notes:
        def append(self, event: AuditEvent) -> int:
            events.append(event)
            return len(events)

        def commit(self) -> None: ...
        def close(self) -> None: ...

    reference = made.service.make_pvv(block(), pan=PAN, key=PVK, index=1, **AT)
    asked: dict[str, Any] = {"pans": [PAN] * 2, "references": [reference] * 2, "key": PVK, **AT}
    given = made.seen_by(Caller(name="host", verbs=("verify_pin",), keys=(PVK, ZPK)), audit=Notes())
    assert words(given.verify_pins([block()] * 2, **asked)) == ["right"] * 2
    assert [(event.act, event.subject) for event in events] == [("keys.verify_pins", f"{PVK} {ZPK}")]
    for verbs, keys in (
        (("verify_card_value",), (PVK, ZPK)),
        (("verify_*",), (PVK,)),
        (("verify_*",), (ZPK,)),
    ):
        with pytest.raises(Refused, match="was not given"):
            made.seen_by(Caller(name="other", verbs=verbs, keys=keys)).verify_pins([block()] * 2, **asked)
    for changed in ({"pans": [PAN]}, {"references": []}):
        with pytest.raises(Usage, match="lists of"):
            made.service.verify_pins([block()] * 2, **(asked | changed))
    with pytest.raises(Refused, match="for pin_verify, not card_verify"):
        made.service.verify_card_values(key=PVK, pans=[], dates=[], services=[], values=[])


def test_a_key_that_is_gone_costs_no_try() -> None:
    """A token that breaks off in the middle: no row has an answer, and none has failed."""
    made = rig()

    class Broken:
        cipher, size = BlockCipher.TDES, len(KEY)

        def strong(self) -> None: ...
        def encrypt(self, _: bytes) -> bytes:
            raise JinkaError("gone", where="token")

    reference = made.service.make_pvv(block(), pan=PAN, key=PVK, index=1, **AT)
    whole = made.service._checker
    asked: dict[str, Any] = {"pans": [PAN], "references": [reference], "key": PVK, **AT}
    made.service._checker = lambda key, use: (Broken(), whole(key, use)[1])
    for _ in range(PIN_LIMITS.failures + 1):
        with pytest.raises(JinkaError, match="gone"):
            made.service.verify_pins([block()], **asked)
    made.service._checker = whole
    assert words(made.service.verify_pins([block()], **asked)) == ["right"]
