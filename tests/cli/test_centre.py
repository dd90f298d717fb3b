"""`jinka centre`: folders of centres from the command line. Goal: what is refused leaves nothing, and status tells.

Method: the commands in this process, on folders whose rounds another test plays.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jinka.app.centre_config import read_config
from jinka.app.centre_files import RoundFiles
from jinka.app.federation import DATE
from jinka.registry import Registry
from jinka.store.parquet_bytes import parquet_bytes
from tests.journeys.city import jinka_here


def _json(*arguments: object) -> Any:
    return json.loads(jinka_here(*arguments).stdout)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A nation with keys, a province and a city of its own."""
    root = tmp_path_factory.mktemp("centres")
    _json("centre", "init", root / "00", "--tier", "nation", "--code", "00", "--participant", "scheme.jinka")
    up = ("--parent", "https://localhost:8400", "--parent-code", "00", "--listen", "127.0.0.1:0")
    _json("centre", "init", root / "44", "--tier", "province", "--code", "44", *up, "--simulated")
    _json(
        "centre", "init", root / "4403", "--tier", "city", "--code", "4403", "--issuer", "issuer.4403",
        "--government", "gov.4403", "--parent", "https://localhost:8444", "--parent-code", "44",
    )  # fmt: skip
    _json("centre", "admit", root / "44", "4403", "--participant", "issuer.4403")
    return root


def test_a_centre_is_what_it_was_told(folders: Path) -> None:
    around = read_config(folders / "44").around
    assert (around.code, around.parent, sorted(around.children)) == ("44", "00", ["4403"])
    assert around.hop_to_party("issuer.4403") == "4403"
    assert around.hop_to_party("issuer.3201") == "00"
    city = read_config(folders / "4403").city
    assert city is not None
    assert (city.issuer, city.fees.total_bp) == ("issuer.4403", 50)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("init", "44", "--tier", "province", "--code", "44"), 4, "a centre is here already"),
        (("init", "new", "--tier", "village", "--code", "1"), 2, "no tier"),
        (("init", "new", "--tier", "province", "--code", "44"), 2, "the nation alone has no parent"),
        (("init", "new", "--tier", "nation", "--code", "0 0"), 2, "is no code"),
        (
            ("init", "new", "--tier", "nation", "--code", "00", "--parent", "https://x:1"),
            2,
            "one without the other",
        ),
        (("admit", "44", "4403"), 4, "is a child already"),
        (("admit", "44", "4401", "--participant", "issuer.4403"), 2, "has two places"),
        (("admit", "4403", "440305"), 2, "a city has no children"),
        (("close", "44", "2018-09-03"), 4, "to cities alone"),
        (("close", "4403", "2018-09-02"), 4, "first business day"),
        (("suspend", "44", "3201", "--officer", "chen", "--reason", "audit"), 4, "is no neighbour"),
        (("status", "new"), 3, "no centre is in this folder"),
        (("up", "44"), 3, "no certificate yet"),
        (("up", "00"), 3, "no key store"),
    ],
)
def test_what_is_refused_leaves_nothing(
    folders: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    before = {path: path.read_bytes() for path in folders.glob("*/centre.toml")}
    verb, name, *rest = arguments
    done = jinka_here("centre", verb, folders / name, *rest, code=code)
    assert words in done.stderr
    assert {path: path.read_bytes() for path in folders.glob("*/centre.toml")} == before
    assert not (folders / "new" / "centre.toml").exists()


def test_days_are_closed_in_their_order(folders: Path) -> None:
    for day in ("2018-09-03", "2018-09-05", "2018-09-05"):
        assert _json("centre", "close", folders / "4403", day) == {"closed": day}
    assert (
        "days are closed in order"
        in jinka_here("centre", "close", folders / "4403", "2018-09-04", code=4).stderr
    )


def test_another_officer_resumes(folders: Path) -> None:
    who = ("--officer", "chen", "--reason", "audit")
    assert _json("centre", "suspend", folders / "44", "4403", *who) == {"centre": "4403", "suspended": True}
    assert _json("centre", "status", folders / "44", "--json")["suspended"] == ["4403"]
    jinka_here("centre", "resume", folders / "44", "4403", *who, code=4)
    _json("centre", "resume", folders / "44", "4403", "--officer", "li", "--reason", "done")
    assert _json("centre", "status", folders / "44", "--json")["suspended"] == []


def test_a_registry_is_loaded_whole_or_not(folders: Path, tmp_path: Path) -> None:
    for name, schema in Registry.SCHEMAS.items():
        (tmp_path / f"{name}.parquet").write_bytes(parquet_bytes(schema.empty_table()))
    assert _json("centre", "load", folders / "4403", tmp_path) == dict.fromkeys(Registry.SCHEMAS, 0)
    (tmp_path / "cards.parquet").write_bytes(parquet_bytes(pa.table({"card_no": [b"1"]})))
    jinka_here("centre", "load", folders / "4403", tmp_path, code=2)


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("settled", "waits for records")), ("zh", ("已结算", "等待 records"))]
)
def test_status_in_both_languages(folders: Path, lang: str, words: tuple[str, ...]) -> None:
    files = RoundFiles(folders / "44", DATE)
    files.note(
        "settled",
        {
            "date": str(DATE), "position": {"due": -123, "children": {"4403": -123}, "own": 0},
            "trial": {"balances": True}, "proof": {"holds": True},
            "findings": [{"code": "CLAIM_EXCEEDS", "where": "there", "what": "too much", "fix": ""}],
        },
    )  # fmt: skip
    RoundFiles(folders / "44", DATE.replace(day=4)).note("heard-records", {})
    said = jinka_here("centre", "status", folders / "44", "--lang", lang).stdout
    assert all(word in said for word in (*words, "4403 -1.23", "CLAIM_EXCEEDS  there: too much"))
