"""Counts of failures that outlive the service. Goal: no restart, kill or torn line gives a fresh try or takes a serial
number twice. Method: services that come up one after another over one file; the process itself, killed.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from jinka.app.keyring import CUSTODIANS, unlock_store, write_ceremony
from jinka.app.workspace import Workspace
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.pin_block import PinFormat, PinZone, encipher_pin
from jinka.keys import KeyName, hold_ceremony
from jinka.keys.ceremony import SEALING
from jinka.keys.guards import PIN_LIMITS
from jinka.keys.working import Working
from jinka.kit import JinkaError, Refused
from jinka.node.guard_notes import GuardNotes
from jinka.sim.randomness import SeededRandomness
from tests.attacks.key_rig import AT, OTHER_PAN, PAN, PVK, block
from tests.keys import payments
from tests.keys.ground import Dice
from tests.keys.payments import Rig, StillClock
from tests.keys.serving import connected, served

SECRET = bytes(range(32))


def _started(path: Path, passed_s: int = 0) -> Rig:
    """A service that has just come up over the notes."""
    made = payments.rig()
    made.clock.pass_s(passed_s)
    made.holding.working.keep(GuardNotes(path), SECRET)
    return made


def _try(rig: Rig, pin_block: bytes, pvv: str, pan: str = PAN) -> None:
    rig.service.verify_pin(pin_block, pan=pan, key=PVK, reference=pvv, **AT)


def test_a_restart_gives_no_fresh_try(tmp_path: Path) -> None:
    path = tmp_path / "guards.log"
    rig = _started(path)
    pvv = rig.service.make_pvv(block(), key=PVK, index=1, pan=PAN, **AT)
    other = rig.service.make_pvv(block(pan=OTHER_PAN), key=PVK, index=1, pan=OTHER_PAN, **AT)
    for n in range(PIN_LIMITS.failures):
        with pytest.raises(Refused) as refused:
            _try(_started(path, n), block("9876"), pvv)
        assert "too many" not in str(refused.value)
        _try(_started(path, n), block(pan=OTHER_PAN), other, OTHER_PAN)
        if n + 1 < PIN_LIMITS.failures:
            _try(_started(path, n), block(), pvv)
    for n in range(3):
        with pytest.raises(Refused, match="too many"):
            _try(_started(path, 10 + n), block(), pvv)
    text = path.read_text()
    assert len(text.splitlines()) == 1 + PIN_LIMITS.failures
    assert PAN not in text
    assert PAN[-13:-1] not in text
    _try(_started(path, PIN_LIMITS.window_s + 10), block(), pvv)
    assert len(path.read_text().splitlines()) == 1, "what is over is not kept"


def test_a_clock_that_was_ahead_closes_nothing_for_good(tmp_path: Path) -> None:
    path = tmp_path / "guards.log"
    ahead = _started(path, 10**9)
    pvv = ahead.service.make_pvv(block(), key=PVK, index=1, pan=PAN, **AT)
    for _ in range(PIN_LIMITS.failures):
        with pytest.raises(Refused):
            _try(ahead, block("9876"), pvv)
    rig = _started(path)
    with pytest.raises(Refused, match="too many"):
        _try(rig, block(), pvv)
    rig.clock.pass_s(PIN_LIMITS.window_s + 1)
    _try(rig, block(), pvv)


def test_failures_of_a_batch_and_serial_numbers_stay(tmp_path: Path) -> None:
    path = tmp_path / "guards.log"
    working = _started(path).holding.working
    working.blocks.add(600, "zone")
    working.serials.accept("k", b"t1", "PIN", 7)
    working.serials.accept("k", b"t1", "MAC", 3)
    with pytest.raises(Refused, match="too many"):
        working.blocks.add(600, "zone")
    for _ in range(2):
        working = _started(path).holding.working
        with pytest.raises(Refused, match="too many"):
            working.blocks.add(1, "zone")
        working.blocks.add(1, "other zone")
        for counter in (1, 7):
            with pytest.raises(Refused, match="used before"):
                working.serials.accept("k", b"t1", "PIN", counter)
    working.serials.accept("k", b"t1", "PIN", 8)
    working.serials.accept("k", b"t1", "MAC", 4)
    assert sorted(line for line in path.read_text().splitlines() if line.startswith("used"))[-1].endswith(
        "PIN 8"
    )


def test_a_line_that_was_cut_off_is_dropped_and_a_strange_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "guards.log"
    working = _started(path).holding.working
    for counter in (1, 2):
        working.serials.accept("k", b"t", "PIN", counter)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])  # the kill came within the second line: nobody was answered
    _started(path).holding.working.serials.accept("k", b"t", "PIN", 2)
    for strange in (
        b"used k zz PIN 1\n", b"used k 74 PIN\n", b"failed pin 00 x 1\n", b"failed pin 00 1 0\n", b"\n",
        b"failed nobody 00 1 1\n", b"forget all\n", b"used k 74 PIN 1 more\n",
    ):  # fmt: skip
        path.write_bytes(whole + strange)
        with pytest.raises(Refused, match="line 4 is no note"):
            _started(path)
    path.write_bytes(b"something else\n")
    with pytest.raises(Refused, match="not the notes"):
        _started(path)


def test_many_notes_are_written_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jinka.keys.working._NOTES_MOST", 50)
    path = tmp_path / "guards.log"
    working = _started(path).holding.working
    for counter in range(1, 120):
        working.serials.accept("k", b"t", "PIN", counter)
        working.commit()
        assert len(path.read_text().splitlines()) <= 53
    with pytest.raises(Refused, match="used before"):
        _started(path).holding.working.serials.accept("k", b"t", "PIN", 119)


def test_a_disk_that_fails_lets_nothing_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "guards.log"
    working = Working(clock=StillClock(), randomness=Dice())
    working.keep(GuardNotes(path), SECRET)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda *_: 3)  # a full disk takes a part
        with pytest.raises(JinkaError, match="cannot be written"):
            working.serials.accept("k", b"t", "PIN", 1)
    with pytest.raises(JinkaError, match="cannot be written"):
        working.serials.accept("k", b"t", "PIN", 2)
    with pytest.raises(JinkaError, match="cannot be written"):
        working.commit()


def test_a_killed_service_remembers_wrong_pins(tmp_path: Path) -> None:
    names = [KeyName.parse(name) for name in (PVK, AT["zone"])]
    ceremony = hold_ceremony(
        issuer="bank", date="2026-01-05", custodians=CUSTODIANS, randomness=SeededRandomness("guards"),
        simulated=True, names=[*names, *SEALING],
    )  # fmt: skip
    write_ceremony(Workspace(tmp_path), ceremony)
    value = unlock_store(Workspace(tmp_path)).store.roots[names[1]]
    zone = PinZone(key=BlockKey(cipher=BlockCipher.TDES, value=value), format=PinFormat.ISO_0)
    right, wrong = (encipher_pin(zone, pin, PAN, SeededRandomness("pin")) for pin in ("123456", "654321"))
    with served(tmp_path) as (facts, process):
        assert facts["guards_durable"] is True
        with connected(Path(facts["socket"])) as link:
            keys: Any = link
            pvv = keys.make_pvv(right, key=PVK, index=1, pan=PAN, **AT)
            for _ in range(PIN_LIMITS.failures):
                with pytest.raises(Refused):
                    keys.verify_pin(wrong, pan=PAN, key=PVK, reference=pvv, **AT)
        process.send_signal(signal.SIGKILL)
        process.wait()
    (tmp_path / "keys.sock").unlink(missing_ok=True)
    with served(tmp_path) as (facts, _), connected(Path(facts["socket"])) as link:
        keys = link
        with pytest.raises(Refused, match="too many"):
            keys.verify_pin(right, pan=PAN, key=PVK, reference=pvv, **AT)
