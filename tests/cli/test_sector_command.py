"""`jinka sector`: what a person is told who names what is not there. Goal: one line, the right code, no traceback.

Method: the commands in this process; nothing is played but the one story whose rows are read.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from typer.main import get_command

from jinka.cli.main import app as commands

COMMANDS = get_command(commands)


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(COMMANDS, ["sector", *arguments])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "nope"), 3, "no sector 'nope'"),
        (("run", "campus", "--journey", "nope"), 3, "no journey 'nope' (one of day, school, enrolment)"),
        (("check",), 2, "name a sector, or --all"),
        (("check", "campus", "--all"), 2, "name a sector, or --all"),
        (("docs",), 2, "the pages of all sectors need a folder"),
        (("docs", "campus", "--to", "/proc/none"), 2, "no folder can be made here"),
        (("new", "Bad_Name"), 2, "'Bad_Name' is no name"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(arguments: tuple[str, ...], code: int, said: str) -> None:
    found = _run(*arguments)
    assert found.exit_code == code
    assert said in found.stderr
    assert "Traceback" not in found.stderr


def test_a_file_is_no_folder_for_pages(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    found = _run("docs", "campus", "--to", str(tmp_path / "file"))
    assert (found.exit_code, (tmp_path / "file").read_text()) == (2, "x")


def test_reports_have_titles_in_the_language_asked_for() -> None:
    found = _run("run", "campus", "--journey", "school", "--lang", "zh")
    assert found.exit_code == 0
    assert "课堂考勤" in found.stdout
    assert "attend" not in found.stdout


def test_a_sector_is_shown_with_its_stories_by_name() -> None:
    found = _run("show", "campus", "--lang", "zh")
    assert "- 学生的一天 (`day`)" in found.stdout
    assert "钱包终端" in found.stdout
