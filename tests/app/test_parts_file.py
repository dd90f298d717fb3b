"""One file for all parts: each reads its own tables; what is nobody's is refused. Method: good files and bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from jinka.app.parts_file import TABLES, parts_of, read_key_source, read_tables
from jinka.kit import NotFound, Usage

ALL = """
[keys]
service = "keys"
blocks = [{ name = "zone_mac/TDES/1@bank", under = "zone_master/AES/1@bank", block = "D0" }]
[switch]
institution = "1"
[peers.a]
listen = "127.0.0.1:0"
[issuer]
name = "bank"
[gateway]
acquirer = "gw"
"""


def put(folder: Path, text: str) -> Path:
    path = folder / "jinka.toml"
    path.write_text(text)
    return path


def test_each_part_reads_its_own_tables_and_the_keys(tmp_path: Path) -> None:
    path = put(tmp_path, ALL)
    assert parts_of(path) == ("issuer", "switch", "gateway")
    assert set(read_tables(path, "issuer")) == {*TABLES["issuer"], "keys"}
    assert "switch" not in TABLES["issuer"]
    assert read_tables(path, "switch")["peers"] == {"a": {"listen": "127.0.0.1:0"}}
    assert read_tables(path, "gateway")["gateway"] == {"acquirer": "gw"}


def test_the_service_has_one_caller_for_each_part_and_one_part_takes_the_blocks_in(tmp_path: Path) -> None:
    path = put(tmp_path, ALL)
    found = {
        part: read_key_source(tmp_path, read_tables(path, part)["keys"], part)
        for part in ("issuer", "switch", "gateway")
    }
    assert {part: source.caller for part, source in found.items()} == {part: part for part in found}
    assert {source.socket for source in found.values()} == {tmp_path / "keys" / "keys.sock"}
    assert [part for part, source in found.items() if source.blocks] == ["switch"]
    alone = put(tmp_path, ALL.replace('[switch]\ninstitution = "1"\n[peers.a]\nlisten = "127.0.0.1:0"\n', ""))
    assert read_tables(alone, "issuer")["keys"]["blocks"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("[switch]", "[colour]"), "unknown: colour"),
        (('[switch]\ninstitution = "1"\n', ""), "[peers] belongs to [switch]"),
        (("[keys]", "gateway = 1\n[keys]"), "not TOML"),
        (('service = "keys"', 'service = "keys"\ncaller = "x"'), "several parts have one name"),
        (("[issuer]", "[[policy]]\n[issuer]"), "not a table"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: tuple[str, str], what: str) -> None:
    path = put(tmp_path, ALL.replace(*change))
    with pytest.raises(Usage) as caught:
        read_tables(path, "gateway")
    assert what in str(caught.value)


@pytest.mark.parametrize("given", [{}, {"service": "a", "socket": "b"}, {"service": "a", "colour": 1}])
def test_the_keys_are_in_one_place(tmp_path: Path, given: dict[str, object]) -> None:
    with pytest.raises(Usage):
        read_key_source(tmp_path, given, "switch")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        parts_of(tmp_path / "none.toml")
