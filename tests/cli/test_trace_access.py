"""`jinka trace access`. Goal: participants are put, stopped and listed, a token is told once, faults have their codes.

Method: the commands in this process, on a repository of their own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from jinka.cli.main import app


def test_participants_live_as_the_commands_say(tmp_path: Path) -> None:
    file = tmp_path / "trace.toml"
    file.write_text("[trace]\n", encoding="utf-8")

    def run(verb: str, *words: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, ["trace", "access", verb, str(file), *words])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if "--json" in words else result.output

    shown = run(
        "put", "mill", "--owns", "6901234", "--owns", "urn:epc:id:pgln:4012345.00000", "--down", "whole"
    )
    assert shown.startswith(
        "mill: 6901234, https://id.gs1.org/417/4012345000009; up redacted, down whole\njkt_"
    )
    token = shown.split()[-1]
    assert "token" not in run("put", "mill", "--owns", "6901234", "--json")
    other = run("put", "mill", "--signs", "--new-token", "--json")["token"]
    assert other != token
    named = run("put", "mill", "--name", "Mill Ltd", "--json")  # what is not named stays
    assert (named["name"], named["signs"], named["down"], "token" in named) == (
        "Mill Ltd", True, "whole", False,
    )  # fmt: skip
    assert run("list") == "mill: 6901234; up redacted, down whole; signs\n"
    assert run("put", "mill", "--owns", "", "--no-signs", "--json")["owns"] == []
    assert run("put", "mill", "--owns", "6901234") == "mill: 6901234; up redacted, down whole\n"
    assert run("looks") == "nobody looked\n"
    assert run("looks", "--lang", "zh") == "尚无查阅记录\n"
    shown = run("put", "mill", "--captures", "4012345", "--lang", "zh")
    assert shown == "mill：6901234；对上游脱敏可见，对下游全部可见；可代报 4012345\n"
    assert "captures for 4012345" in run("list")
    assert run("put", "mill", "--captures", "", "--json")["captures"] == []
    assert run("stop", "mill", "--json")["active"] is False
    assert "stopped" in run("list")
    assert other not in run("list", "--json")[0].values()
    assert run("put", "mill", "--json")["token"] not in (token, other)
    run("stop", "nobody", code=3)
    run("put", "shop", "--up", "all", code=2)
    run("put", "shop", "--owns", "x", code=2)


def test_whatever_speaks_to_a_person_speaks_both_languages() -> None:
    group = typer.main.get_command(app).commands["trace"]  # type: ignore[attr-defined]
    found: list[tuple[str, set[str]]] = []

    def walk(command: Any, path: str) -> None:
        for name, each in getattr(command, "commands", {}).items():
            walk(each, f"{path} {name}")
        if not hasattr(command, "commands"):
            found.append((path, {option for one in command.params for option in one.opts}))

    walk(group, "trace")
    assert len(found) > 20
    plain = {
        "trace serve",
        "trace readers run",
        "trace readers bind",
        "trace readers emulate",
        "trace recall things",
    }  # they speak JSON, or names alone
    assert {path for path, options in found if "--lang" not in options} <= plain
