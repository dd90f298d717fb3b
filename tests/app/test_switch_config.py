"""The file of the switch is read as its page says, and a mistake in it is named. Method: that example, and bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from jinka.app.switch_config import read_switch_file
from jinka.crypto.mac import MacAlgorithm
from jinka.kit import NotFound, Usage
from jinka.switch import MacKind, SignOn

PAGE = Path(__file__).parents[2] / "docs" / "switch.md"
SMALL = """
[switch]
institution = "1"
[keys]
folder = "."
[peers.a]
listen = "127.0.0.1:0"
"""
_STAND_IN = "[stand_in.a]\nkinds = {}\neach_fen = 1\ncard_fen = 1\ncard_count = 1\n[peers.a]"


def test_the_example_of_the_page_is_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "bins.csv").write_text("bin,bank,type,length\n622848,ABC,DC,16\n")
    (tmp_path / "blocked.txt").write_text("6228480000000007\n")
    text = PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    text += '[peers.bank]\nconnect = "127.0.0.1:7002"\n'
    (tmp_path / "switch.toml").write_text(text, encoding="utf-8")
    file = read_switch_file(tmp_path / "switch.toml")
    till = file.config.peers["till"]
    assert till.mac is not None
    assert (till.mac.kind, till.mac.algorithm, till.mac.field) == (MacKind.ISO, MacAlgorithm.RETAIL, 128)
    assert till.sign_on is SignOn.PEER
    assert file.config.stand_in["bank"].blocked == {"6228480000000007"}
    assert [(a.peer, a.port, a.listen) for a in file.addresses] == [
        ("till", 7001, True),
        ("bank", 7002, False),
    ]
    assert (file.metrics, file.config.worker) == (("127.0.0.1", 9108), "0")
    assert len(file.keys.blocks) == 1


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("[switch]", "[switch]\ntypo = 1"), "unknown: typo"),
        (('listen = "127.0.0.1:0"', ""), "listen or connect"),
        (("[peers.a]", '[peers.a]\nframing = "3-binary"'), "framing"),
        (("[peers.a]", "[peers.a]\nsign_on = 'they'"), "they"),
        (('folder = "."', ""), "a socket or a folder, and one"),
        (("[peers.a]", "[routes]\n62 = 'b'\n[peers.a]"), "no peer b"),
        (("[peers.a]", "[peers.a]\nterminals = 'pos.csv'"), "line 2"),
        (("[peers.a]", "[peers.a]\nterminals = 'good.csv'"), "need mac"),
        (("[peers.a]", "[peers.a]\ntls = { certificate = 'a', key = 'b', name = 'c' }"), "authority"),
        (("[switch]", "[switch]\ncut_over = 'noon'"), "no time"),
        (("[switch]", "[switch"), "not TOML"),
        (("[peers.a]", _STAND_IN.format("'purchase'")), "not a list"),
        (("[peers.a]", _STAND_IN.format("['purchase', 'sale']")), "'sale' is never stood in for"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: tuple[str, str], what: str) -> None:
    file = tmp_path / "switch.toml"
    (tmp_path / "pos.csv").write_text("terminal,merchant,master\nT1,M1,zone_master/TDES/1@T1\n")
    (tmp_path / "good.csv").write_text("T1,M1,terminal_master/TDES/1@T1\n")
    file.write_text(SMALL.replace(*change))
    with pytest.raises(Usage) as caught:
        read_switch_file(file)
    assert what in str(caught.value)


def test_several_workers_share_a_cards_limits_and_exchange_no_keys(tmp_path: Path) -> None:
    file = tmp_path / "switch.toml"
    stand_in = "[stand_in.a]\nkinds = ['purchase']\neach_fen = 50\ncard_fen = 101\ncard_count = 3\n"
    file.write_text(SMALL + stand_in)
    rules = read_switch_file(file, worker=1, workers=2).config.stand_in["a"]
    assert (rules.each_fen, rules.card_fen, rules.card_count) == (
        50,
        50,
        1,
    )  # together never more than is allowed
    with pytest.raises(Usage, match="no share"):
        read_switch_file(file, worker=1, workers=4)
    file.write_text(SMALL + "exchange = { under = 'zone_master/AES/1@a' }\n")
    with pytest.raises(Usage, match="by one worker"):
        read_switch_file(file, worker=1, workers=2)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_switch_file(tmp_path / "none.toml")
