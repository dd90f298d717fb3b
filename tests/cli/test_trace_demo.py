"""What `jinka trace demo` makes can be asked as it says, and nothing that lies there is written over."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from jinka.cli.main import app


def jinka(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["trace", *map(str, words)])
    assert result.exit_code == code, result.output
    return result.stdout


def test_what_it_says_can_be_asked(tmp_path: Path) -> None:
    made = json.loads(jinka("demo", "--dir", tmp_path / "demo", "--items", 120, "--json"))
    assert made["accepted"] > 50
    assert made["refused"] == 0
    back = json.loads(jinka("back", made["item"], "--at", made["file"], "--json"))
    assert made["lot"] in {node["id"] for node in back["nodes"]}
    drafted = json.loads(
        jinka("recall", "draft", "mould", made["lot"], "--by", "li", "--at", made["file"], "--json")
    )
    assert made["holder"] in {holder["holder"] for holder in drafted["holders"]}
    events = json.loads(jinka("query", f"MATCH_anyEPC={made['item']}", "--at", made["file"], "--json"))
    assert events["epcisBody"]["queryResults"]["resultsBody"]["eventList"]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    jinka("demo", "--dir", tmp_path, code=4)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_same_seed_makes_the_same_documents(tmp_path: Path) -> None:
    for name in ("one", "two"):
        jinka("demo", "--dir", tmp_path / name, "--items", 120, "--seed", 7)
    one, two = (sorted((tmp_path / name / "documents").iterdir()) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
