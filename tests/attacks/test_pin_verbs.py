"""Attacks on PINs and card values through the verbs of the key service, each by its name.

Goal: nobody searches for a PIN through a verb, and nothing tells one. Method: the good case passes first, then it is
attacked; time is a clock that the test moves.
"""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jinka.crypto.pin_block import PinFormat
from jinka.keys.audit import AuditEvent
from jinka.keys.border import Caller
from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.guards import BLOCK_LIMITS, PIN_LIMITS, FailureGuard, FailureLimits, SerialGuard
from jinka.kit import JinkaError, Refused, Usage
from tests.attacks.key_rig import (
    AT,
    IBM,
    OTHER_PAN,
    PAN,
    PIN,
    PVK,
    TO,
    ZMK,
    ZPK,
    block,
    changed,
)
from tests.keys import payments
from tests.keys.payments import KEY, Rig, StillClock


@pytest.fixture
def rig() -> Rig:
    return payments.rig()


def test_wrong_method_of_a_pin_key(rig: Rig) -> None:
    """One key under two methods would let the one tell about the other."""
    with pytest.raises(Refused, match="the key is for ibm3624"):
        rig.service.make_pvv(block(), key=IBM, index=1, pan=PAN, **AT)
    with pytest.raises(Refused, match="the key is for pvv"):
        rig.service.make_offset(block(), key=PVK, pan=PAN, **AT)


@pytest.mark.parametrize("key", [PVK, IBM])
def test_pin_oracle_rate(rig: Rig, key: str) -> None:
    """After some wrong PINs the right one is refused too, until the window is over; other numbers go on."""
    made = rig.service.make_pvv(block(), key=PVK, index=1, pan=PAN, **AT)
    reference = made if key == PVK else rig.service.make_offset(block(), key=IBM, pan=PAN, **AT)
    right = lambda: rig.service.verify_pin(block(), pan=PAN, key=key, reference=reference, **AT)  # noqa: E731
    for number in range(3 * PIN_LIMITS.failures):
        rig.clock.pass_s(1)
        with pytest.raises(Refused, match="too many" if number >= PIN_LIMITS.failures else "refused"):
            rig.service.verify_pin(block(f"{number:04}"), pan=PAN, key=key, reference=reference, **AT)
    with pytest.raises(Refused, match="too many"):
        right()
    with pytest.raises(Refused, match="the PIN is refused"):
        rig.service.verify_pin(
            block(PIN, OTHER_PAN), pan=OTHER_PAN, key=key, reference="99999"[: len(reference)], **AT
        )
    rig.clock.pass_s(-7200)  # a clock that is set back opens nothing
    with pytest.raises(Refused, match="too many"):
        right()
    rig.clock.pass_s(7200 + PIN_LIMITS.window_s)
    right()


def test_pin_oracle_rate_under_a_second_name(rig: Rig) -> None:
    """The same key brought in again under another name is no second row of tries."""
    changed(rig, PVK, terms=(("export", "trusted"),))
    taken = rig.service.wrap_key(key=PVK, under=ZMK)
    rig.service.unwrap_key(taken, under=ZMK, name="pin_verify/TDES/9")
    for _ in range(PIN_LIMITS.failures):
        with pytest.raises(Refused, match="the PIN is refused"):
            rig.service.verify_pin(block(), pan=PAN, key=PVK, reference="19999", **AT)
    with pytest.raises(Refused, match="too many"):
        rig.service.verify_pin(block(), pan=PAN, key="pin_verify/TDES/9", reference="19999", **AT)


def test_pin_oracle_rate_with_many_at_once(rig: Rig) -> None:
    """Tries that run at the same time count before they are answered."""
    answers: list[str] = []

    def attack(number: int) -> None:
        try:
            rig.service.verify_pin(block(f"{number:04}"), pan=PAN, key=PVK, reference="19999", **AT)
        except Refused as refusal:
            answers.append(str(refusal))

    threads = [threading.Thread(target=attack, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("the PIN is refused" in answer for answer in answers) == PIN_LIMITS.failures


def test_pin_oracle_words(rig: Rig) -> None:
    """A wrong PIN, another number's block, noise, no block at all: one message, so a digit cannot be tried apart."""
    said = set()
    for bad in (block("9999"), block(pan=OTHER_PAN), random.Random(1).randbytes(8), b""):
        with pytest.raises(Refused) as refusal:
            rig.service.verify_pin(bad, pan=PAN, key=PVK, reference="19999", **AT)
        said.add(str(refusal.value))
    assert said == {"PIN: the PIN is refused"}


def test_pin_blocks_tried_by_translation(rig: Rig) -> None:
    """Whether a block is one is told a thousand times an hour for a zone, in a batch or one by one, and not oftener."""
    noise = np.frombuffer(random.Random(2).randbytes(8 * 2000), np.uint8).reshape(-1, 8)
    half = BLOCK_LIMITS.failures // 2
    _, good = rig.service.translate_pins(noise[:half], **TO, pans=[PAN] * half)
    assert not good.any()
    with pytest.raises(Refused, match="too many"):
        rig.service.translate_pins(noise[:1500], **TO, pans=[PAN] * 1500)
    with pytest.raises(Refused, match="too many"):
        rig.service.translate_pin(block(), **TO, pan=PAN)
    with pytest.raises(Refused, match="too many"):
        rig.service.translate_pins(np.frombuffer(block(), np.uint8)[None], **TO, pans=[PAN])
    rig.clock.pass_s(BLOCK_LIMITS.window_s)
    assert rig.service.translate_pin(block(), **TO, pan=PAN)


def test_pan_swap(rig: Rig) -> None:
    assert rig.service.translate_pin(block(), **TO, pan=PAN)
    with pytest.raises(Refused):
        rig.service.translate_pin(block(), **TO, pan=OTHER_PAN)
    rows = np.frombuffer(block(), np.uint8)[None]
    out, good = rig.service.translate_pins(rows, **TO, pans=[OTHER_PAN])
    assert not good.any()
    assert not out.any()
    with pytest.raises(Refused):
        rig.service.make_pvv(block(), key=PVK, index=1, pan=OTHER_PAN, **AT)


@pytest.mark.parametrize("form", [PinFormat.ISO_1, PinFormat.ISO_2])
def test_pin_block_downgrade(rig: Rig, form: PinFormat) -> None:
    with pytest.raises(Refused):
        rig.service.translate_pin(block(), **TO | {"target_format": form}, pan=PAN)
    with pytest.raises(Refused):
        rig.service.translate_pins(
            np.frombuffer(block(), np.uint8)[None], **TO | {"target_format": form}, pans=[PAN]
        )


def test_a_decimal_table_of_the_callers(rig: Rig, tmp_path: Path) -> None:
    """With a table of one's own a PIN is found in some fifteen tries: no verb takes one, here or over the socket."""
    with pytest.raises(TypeError):
        rig.service.verify_pin(block(), pan=PAN, key=IBM, reference="0000", table="0" * 16, **AT)
    with payments.over_socket(rig, tmp_path) as remote, pytest.raises(Usage, match="wrong arguments"):
        remote.service.verify_pin(block(), pan=PAN, key=IBM, reference="0000", table="0" * 16, **AT)
    changed(rig, IBM, terms=(("method", "ibm3624"), ("table", "0" * 16)))
    with pytest.raises(Refused, match="weak decimal table"):
        rig.service.make_offset(block(), key=IBM, pan=PAN, **AT)


def test_card_values_tried(rig: Rig) -> None:
    card: dict[str, Any] = {"key": "card_verify/TDES/1", "pan": PAN, "date4": "2912", "service3": "201"}
    right = rig.service.make_card_value(**card)
    said = []
    for number in range(1000):
        value = f"{number:03}"
        if value != right:
            with pytest.raises(Refused) as refusal:
                rig.service.verify_card_value(value=value, **card)
            said.append("too many" in str(refusal.value))
    assert said.count(False) == 10
    with pytest.raises(Refused, match="too many"):
        rig.service.verify_card_value(value=right, **card)


class Notes:
    """An audit log that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    def append(self, event: AuditEvent) -> int:
        self.events.append(event)
        return len(self.events)


def test_nothing_about_pins_is_told(rig: Rig) -> None:
    """No PIN, block, account number or key in the audit log, in errors and in reprs."""
    notes, said = Notes(), []
    service = rig.seen_by(Caller(name="a", verbs=("*",), keys=("*",)), audit=notes)
    pvv = service.make_pvv(block(), key=PVK, index=1, pan=PAN, **AT)
    for bad in (block("9876"), block(pan=OTHER_PAN), b""):
        try:
            service.verify_pin(bad, pan=PAN, key=PVK, reference=pvv, **AT)
        except JinkaError as error:
            said.append(f"{error!r} {error} {error.__cause__} {error.__context__}")
    for pan in ("622588012345678x", "", "9" * 20):
        with pytest.raises(Usage) as refusal:
            service.translate_pin(block(), **TO, pan=pan)
        said.append(repr(refusal.value))
    assert [event.act for event in notes.events].count("keys.verify_pin") == 3
    assert {event.subject for event in notes.events[1:4]} == {f"{PVK} {ZPK}"}
    text = " ".join(
        [*said, repr(notes.events), repr(service), repr(rig.holding.working.pins), repr(rig.holding)]
    )
    for secret in (PAN, OTHER_PAN, "9876", pvv[1:], block().hex(), KEY.hex(), "622588012345678x"):
        assert secret not in text


def test_memory_of_failures_is_bounded() -> None:
    """Where it is full, strangers wait and nobody known is forgotten."""
    clock = StillClock()
    guard = FailureGuard(
        clock, b"secret", FailureLimits(failures=2, window_s=10, places=3), threading.RLock()
    )

    def fail(who: str) -> None:
        with pytest.raises(Refused, match="wrong"), guard.attempt(who):
            raise Refused("wrong")

    for who in ("a", "a", "b", "c"):
        fail(who)
    for who in ("a", "d"):
        with pytest.raises(Refused, match="too many"), guard.attempt(who):
            pass
    with guard.attempt("b"):
        pass
    clock.pass_s(10)
    for who in ("d", "e", "f"):
        fail(who)
    with pytest.raises(KeyError), guard.attempt("d"):  # not the verb's answer: not counted
        raise KeyError
    fail("d")
    serials = SerialGuard(threading.RLock(), places=1)
    serials.accept("k", b"t", "PIN", 1)
    with pytest.raises(Refused, match="no room"):
        serials.accept("k", b"u", "PIN", 1)
    serials.accept("k", b"t", "PIN", 2)


def test_a_service_without_a_clock_verifies_no_pin(rig: Rig) -> None:
    """Rather none than an unthrottled one."""
    from jinka.keys.working import Working

    bare = Working()
    for record, key in rig.holding.working.keys._held.values():
        bare.keys.add(record, key)
    service = replace(rig, holding=replace(rig.holding, working=bare)).seen_by(
        Caller(name="a", verbs=("*",), keys=("*",))
    )
    with pytest.raises(Refused, match="no clock"):
        service.verify_pin(block(), pan=PAN, key=PVK, reference="19999", **AT)
    with pytest.raises(Usage):
        KeyRecord(name=KeyName.parse(PVK), check="", terms=(("table", "x,y"),))
