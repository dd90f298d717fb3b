"""`jinka fuzz switch`: the switch holds for a while, and the fuzzer sees each promise that is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jinka.app.fuzz_switch import fuzz_switch
from jinka.app.fuzz_world import Bank
from jinka.cli.main import app
from jinka.switch.keeping import Keeping
from jinka.switch.memory import Memory
from jinka.switch.transactions import Transactions


def test_a_short_run_holds(tmp_path: Path) -> None:
    words = ["fuzz", "switch", "--seconds", "2", "--seed", "1", "--dir", str(tmp_path), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["states_missed"] == []
    assert found["events"] > 60
    assert {"transaction: approved -> reversing", "forward: queued -> done"} <= set(found["steps"])


def forget_to_undo(_: Bank, __: object) -> str:
    return "00"


def tell_at_once(self: Keeping, tx: Any, item: Any = None, then: Any = None, **_: Any) -> None:
    self._ended_with(tx, item, tx.state, then, {})


def take_another_answer(self: Transactions, tx: Any, code: str) -> None:
    tx.answer = {39: code}
    self.keep(tx, None, lambda _: None)
    tx.answer = {39: "96"}
    self.keep(tx, None, lambda _: None)


def never_rest(_: Memory, __: object) -> None:
    pass


@pytest.mark.parametrize(
    ("where", "name", "wrong", "promise"),
    [
        (Bank, "_undo", forget_to_undo, "taken at the bank"),
        (Keeping, "end_with", tell_at_once, "not kept"),
        (Transactions, "decline", take_another_answer, "became 96"),
        (Memory, "rest", never_rest, "nothing would end it|come to rest|under way"),
    ],
)
def test_what_is_broken_is_found(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: type,
    name: str,
    wrong: Callable[..., Any],
    promise: str,
) -> None:
    monkeypatch.setattr(where, name, wrong)
    found = fuzz_switch(seconds=60, seed=1, directory=tmp_path)
    assert any(words in found.failure for words in promise.split("|")), found.failure
    assert f"round {found.rounds}" in Path(found.kept).read_text()
