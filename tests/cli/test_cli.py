"""The command line: data apart from messages, one line for an error, the documented exit codes.

Commands run in this process with the functions of `app` replaced where a test is about the frame; those about
pipes, signals and colours run the installed script.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from jinka import __version__
from jinka.app import DayOptions, Progress
from jinka.cli.frame import EXIT_CODES
from jinka.cli.main import app
from jinka.kit import JinkaError, NotFound, Refused
from jinka.reports import DayReport
from tests.sample_day import sample_day

ROOT = Path(__file__).parents[2]
JINKA = Path(sys.executable).with_name("jinka")


@pytest.fixture
def run_day(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[DayOptions]]:
    """Replace `jinka.app.day` by one that answers with a report or raises."""

    def replace(answer: DayReport | BaseException) -> list[DayOptions]:
        asked: list[DayOptions] = []

        def run(options: DayOptions, progress: Progress) -> DayReport:
            asked.append(options)
            progress.step("taps", 0, 1000)
            progress.step("taps", 1000, 1000)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        module = types.ModuleType("jinka.app.day")
        module.run_day = run
        module.clear_again = lambda folder, progress: run(DayOptions(directory=folder), progress)
        monkeypatch.setitem(sys.modules, "jinka.app.day", module)
        return asked

    return replace


def _jinka(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def _script(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [JINKA, *arguments], capture_output=True, text=True, timeout=60, check=False, **more
    )


def test_help_opens_with_an_example_and_names_the_exit_codes() -> None:
    shown = _jinka("--help").stdout
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    assert lines[1].startswith("Example: jinka day"), "right after the line of usage"
    assert "4 refused by a rule" in " ".join(lines)


def test_version() -> None:
    assert _jinka("--version").stdout == f"{__version__}\n"


@pytest.mark.parametrize("command", [("day",), ("clear",), ("doctor",), ("bench",)])
def test_every_command_has_an_example(command: tuple[str, ...]) -> None:
    assert "Example: jinka" in _jinka(*command, "--help").stdout


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


_NO_JSON_OPTION = {
    "what it prints is JSON in any case": {
        "centre up", "certificate serve", "gateway serve", "issuer serve", "switch serve", "keys serve",
        "keys serve-job", "keys to-token",
        "records serve", "trace readers run", "trace readers emulate", "trace serve",
    },
    "a transcript, as jinka card script reads it": {"card vpcd"},
    "nothing on standard output": {
        "card domain new", "card domain install", "card domain lock", "card domain unlock", "card domain remove",
        "pos sign-in",
    },
}  # fmt: skip


def test_every_command_that_prints_data_prints_it_as_json() -> None:
    excused = set().union(*_NO_JSON_OPTION.values())
    without = set()
    for name, command in _commands(typer.main.get_command(app)):
        if "--json" not in {text for parameter in command.params for text in parameter.opts}:
            without.add(name)
        if name in _NO_JSON_OPTION["nothing on standard output"]:
            assert not re.search(r"\bput", inspect.getsource(inspect.unwrap(command.callback))), name
    assert without == excused


def test_every_command_shows_an_example() -> None:
    groups = {"bench", "bin", "tariff"}  # a group's own help has one for all its commands
    silent = {
        name
        for name, command in _commands(typer.main.get_command(app))
        if "Example: " not in (command.help or "") and name.split()[0] not in groups
    }
    assert silent == set()


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_exit_codes_are_documented(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    documented = [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]
    assert documented == list(EXIT_CODES)


def test_a_day_as_json_on_stdout_and_progress_on_stderr(run_day: Any, tmp_path: Path) -> None:
    asked = run_day(sample_day())
    result = _jinka(
        "day", "--riders", "50", "--seed", "7", "--spoil", "0.02", "--dir", str(tmp_path), "--json"
    )
    assert result.exit_code == 0
    assert json.loads(result.stdout)["charged_fen"] == 6_355_425
    assert result.stderr == f"taps: 1,000\nreport: {tmp_path}/report/index.html\n"
    assert (asked[0].riders, asked[0].seed, asked[0].spoil) == (50, 7, 0.02)


def test_a_day_as_a_table_in_chinese(run_day: Any) -> None:
    run_day(sample_day())
    result = _jinka("day", "--lang", "zh")
    assert "深圳地铁" in result.stdout
    assert "\x1b[" not in result.stdout, "no colours where there is no terminal"


def test_findings_and_unbalanced_books_have_their_codes(run_day: Any, tmp_path: Path) -> None:
    run_day(sample_day(balanced=False))
    assert _jinka("day").exit_code == 1
    run_day(sample_day(spoiled=True))
    assert _jinka("clear", str(tmp_path)).exit_code == 6


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (Refused("MAC wrong", where="card 1", fix="ask the issuer"), 4, "card 1: MAC wrong (ask the issuer)"),
        (NotFound("no such stop", where="line 3"), 3, "line 3: no such stop"),
        (JinkaError("disk full"), 1, "disk full"),
        (ZeroDivisionError("oops"), 1, "ZeroDivisionError: oops (run jinka --debug ... for the traceback)"),
    ],
)
def test_an_error_is_one_line(run_day: Any, error: Exception, code: int, message: str) -> None:
    run_day(error)
    result = _jinka("day", "--json")
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.splitlines()[1:] == [f"jinka: error: {message}"]


def test_debug_shows_the_traceback(run_day: Any) -> None:
    run_day(ZeroDivisionError("oops"))
    result = _jinka("--debug", "day")
    assert "Traceback (most recent call last)" in result.stderr
    assert result.stderr.endswith("jinka: error: ZeroDivisionError: oops\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["day", "--no-such-option"], 2),
        (["day", "--riders", "0"], 2),
        (["day", "--seed", "-1"], 2),
        (["day", "--spoil", "0.6"], 2),
        (["day", "--spoil", "nan"], 2),
        (["day", "--date", "1 September"], 2),
        (["day", "--lang", "fr"], 2),
        (["day", "--taps", "no/such/file.csv"], 3),
        (["clear", "no/such/folder"], 3),
        (["bench", "tac", "--count", "1"], 2),
        (["bench", "nothing"], 2),
    ],
)
def test_bad_command_lines(arguments: list[str], code: int) -> None:
    result = _jinka(*arguments)
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr


def test_doctor_says_what_adds_each_absent_part() -> None:
    parts = json.loads(_jinka("doctor", "--json").stdout)
    kinds = {part["kind"] for part in parts}
    assert {"engine", "reader", "security module", "font", "browser", "cache", "data"} <= kinds
    for part in parts:
        assert bool(part["add"]) is not part["present"]
        assert bool(part["version"]) == part["present"]
    assert next(part for part in parts if part["name"] == "DuckDB")["present"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    absent = {
        part["add"].split("'")[1] for part in _doctor_without_packages() if "pip install" in part["add"]
    }
    wanted = {one for name in ("postgres", "tigerbeetle", "hsm") for one in extras[name]}
    assert wanted <= absent, "an extra that doctor does not know"
    assert "DuckDB" in _jinka("doctor").stdout


def _doctor_without_packages() -> list[dict[str, Any]]:
    """What doctor says where no extra is installed."""
    from jinka.app import doctor

    def nothing(package: str) -> str:
        raise importlib.metadata.PackageNotFoundError(package)

    with pytest.MonkeyPatch.context() as patch:
        own = importlib.metadata.version("jinka")
        patch.setattr(
            doctor.importlib.metadata, "version", lambda name: own if name == "jinka" else nothing(name)
        )
        return [part.as_dict() for part in doctor.examine()]


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [JINKA, "doctor", "--json"], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_an_interrupt_is_130(run_day: Any) -> None:
    run_day(KeyboardInterrupt())
    result = _jinka("day")
    assert result.exit_code == 130
    assert result.stderr.endswith("jinka: interrupted\n")


def test_a_real_interrupt_of_a_real_process() -> None:
    code = (
        "import sys, types, os, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job inherits it ignored
        "day = types.ModuleType('jinka.app.day')\n"
        "day.run_day = lambda options, progress: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.modules['jinka.app.day'] = day\n"
        "sys.argv = ['jinka', 'day']\n"
        "from jinka.cli import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "jinka: interrupted\n")


def test_no_color_is_respected() -> None:
    forced = _script(
        "--help", env=os.environ | {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm-256color"}
    )
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", forced.stdout)


def test_help_loads_no_engine() -> None:
    code = "import sys; import jinka.cli; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {
        "duckdb",
        "ibis",
        "numba",
        "numpy",
        "pyarrow",
        "sqlalchemy",
        "cryptography",
        "jinja2",
    }
