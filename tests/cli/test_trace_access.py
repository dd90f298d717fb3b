"""`jinka trace access`. Goal: participants are put, stopped and listed, a token is told once, faults have their codes.

Method: the commands in this process, on a repository of their own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
    assert run("stop", "mill", "--json")["active"] is False
    assert "stopped" in run("list")
    assert other not in run("list", "--json")[0].values()
    assert run("put", "mill", "--json")["token"] not in (token, other)
    run("stop", "nobody", code=3)
    run("put", "shop", "--up", "all", code=2)
    run("put", "shop", "--owns", "x", code=2)
