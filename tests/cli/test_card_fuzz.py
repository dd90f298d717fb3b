"""`jinka fuzz apdu`. Goal: no command breaks a card, and the fuzzer would see it if one did. Method: a short run over
every application, and cards that are broken on purpose.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jinka.app import fuzz_apdu
from jinka.app.card_script import read_script
from jinka.app.fuzz_apdu import fuzz
from jinka.app.fuzz_targets import targets
from jinka.card import Card, globalplatform, psam, purse
from jinka.card.files import Directory
from jinka.card.psam_keys import COUNTERS
from jinka.cli.main import app
from jinka.crypto.bac import SecureChannel
from jinka.crypto.scp02 import Scp02
from jinka.crypto.scp03 import Scp03
from jinka.sectors import PROFILES

SECONDS = 5.0


def test_a_short_run_over_every_application(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["fuzz", "apdu", "--seconds", str(SECONDS), "--seed", "7", "--dir", str(tmp_path), "--json"]
    )
    found = json.loads(result.stdout)
    assert (result.exit_code, found["failure"]) == (0, ""), found
    assert set(found["by_application"]) == {profile.name for profile in PROFILES} | {
        "psam", "globalplatform", "globalplatform-scp02",
    }  # fmt: skip
    assert min(found["by_application"].values()) > 200
    assert found["commands_inside_sessions"] > 200
    assert found["different_answers"] > 300, "it must get into the commands, not only be refused at the door"


def test_the_same_seed_attacks_in_the_same_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chosen = [target for target in targets() if target.name == PROFILES[0].name]
    sent: list[list[bytes]] = []
    for _ in range(2):
        commands: list[bytes] = []
        whole = Card.transmit

        def spy(card: Card, command: bytes, commands: list[bytes] = commands, whole=whole) -> bytes:
            commands.append(command)
            return whole(card, command)

        with monkeypatch.context() as patch:
            patch.setattr(Card, "transmit", spy)
            fuzz(seconds=0.5, seed=3, directory=tmp_path, targets=chosen)
        sent.append(commands)
    shorter = min(map(len, sent))
    assert shorter > 200
    assert sent[0][:shorter] == sent[1][:shorter]


def test_a_mac_that_nobody_checks_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(purse, "require_mac", lambda *anything: None)
    found = fuzz(seconds=30, seed=1, directory=tmp_path, only="cn.shenzhen.transit")
    assert found.failure.startswith("money moved from ")
    text = Path(found.transcript).read_text()
    assert "# application: cn.shenzhen.transit\n# seed: 1\n# broken: money moved" in text
    steps = read_script(text, where="t")
    assert steps[-1].command[1] in (0x52, 0x54)
    result = CliRunner().invoke(app, ["card", "script", found.transcript, "--profile", "cn.shenzhen.transit"])
    assert result.exit_code == 0, "its transcript is one that card script replays"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda card, command: 1 / 0, "ZeroDivisionError"),
        (lambda card, command: b"", "an answer without a status word"),
        (lambda card, command: b"\x12\x34", "an answer without a status word"),
        (lambda card, command: bytes(300) + b"\x90\x00", "an answer without a status word"),
        (lambda card, command: card.nvm.journal.extend(b"x") or b"\x90\x00", "a journal was left behind"),
        (lambda card, command: time.sleep(9), "did not end within"),
    ],
)
def test_every_broken_promise_is_found(
    fault: object, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = Card.transmit
    monkeypatch.setattr(
        Card,
        "transmit",
        lambda card, command: fault(card, command) if command[1:2] == b"\x84" else whole(card, command),
    )
    monkeypatch.setattr(fuzz_apdu, "_BATCH_S", 0.5)
    found = fuzz(seconds=30, seed=1, directory=tmp_path, only="cn.fuel")
    assert said in found.failure
    assert Path(found.transcript).exists()


def test_which_changes_of_an_honest_debit_a_card_cannot_see() -> None:
    """Found by this fuzzer: the upper half of the terminal's serial is in neither the session nor MAC1."""
    debit = bytes.fromhex("805401000F 00000001 20180901 083000 4C2B140D 08")
    assert fuzz_apdu._was_signed(debit, debit)
    assert fuzz_apdu._was_signed(bytes.fromhex("805401000F 007F0001 20180901 083000 4C2B140D 08"), debit)
    for other in ("00000101 20180901 083000 4C2B140D", "00000001 20180902 083000 4C2B140D",
                  "00000001 20180901 083000 4C2B140E"):  # fmt: skip
        assert not fuzz_apdu._was_signed(bytes.fromhex(f"805401000F {other} 08"), debit)
    assert not fuzz_apdu._was_signed(debit, None)
    load = bytes.fromhex("805200000B 20180901 083000 26CB429F 04")
    assert not fuzz_apdu._was_signed(bytes.fromhex("805200000B 21180901 083000 26CB429F 04"), load)


def test_money_that_comes_out_of_nothing_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = Card.transmit

    def generous(card: Card, command: bytes) -> bytes:
        answer = whole(card, command)
        if command[1:2] == b"\x5c" and answer[-2:] == b"\x90\x00":
            folder = Directory(card.nvm.memory).named(PROFILES[0].aid)
            assert folder is not None
            card.nvm.memory[folder.children[2].at + 3] ^= 1
        return answer

    monkeypatch.setattr(Card, "transmit", generous)
    found = fuzz(seconds=30, seed=1, directory=tmp_path, only=PROFILES[0].name)
    assert found.failure.startswith("money moved from ")


def test_every_target_starts_anew_from_its_snapshot() -> None:
    for target in targets():
        chips = [target.restore(fuzz_apdu.SeededRandomness("same")) for _ in range(2)]
        assert chips[0].nvm.memory == chips[1].nvm.memory
        assert chips[0] is not chips[1]
        assert target.names
        assert all(target.corpus)
    assert CliRunner().invoke(app, ["fuzz", "apdu", "--only", "nobody"]).exit_code == 2


@pytest.mark.parametrize(
    ("owner", "name", "only"),
    [
        (SecureChannel, "protect_answer", "icao.passport"),
        (Scp03, "unwrap", "globalplatform"),
        (Scp02, "unwrap", "globalplatform-scp02"),
        (globalplatform, "_read_key", "globalplatform"),
        (psam, "forgiven", "psam"),
    ],
)
def test_a_fault_behind_an_authentication_is_found(
    owner: object, name: str, only: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing of this runs before the other side has shown that it holds the keys."""

    def fault(*anything: object) -> bytes:
        raise LookupError("planted")

    monkeypatch.setattr(owner, name, fault)
    found = fuzz(seconds=30, seed=1, directory=tmp_path, only=only)
    assert found.failure == "LookupError: planted"
    assert found.inside


def test_a_counter_that_falls_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = psam.Psam.transmit

    def forgetful(chip: psam.Psam, command: bytes) -> bytes:
        answer = whole(chip, command)
        if command[1:2] == b"\x70" and answer[-2:] == b"\x90\x00":
            file = next(
                f[COUNTERS] for f in (d.children for d in chip.directory.folders.values()) if COUNTERS in f
            )
            chip.nvm.memory[file.at : file.at + 4] = bytes(4)
        return answer

    monkeypatch.setattr(psam.Psam, "transmit", forgetful)
    found = fuzz(seconds=30, seed=1, directory=tmp_path, only="psam")
    assert found.failure.startswith("a transaction counter fell")
