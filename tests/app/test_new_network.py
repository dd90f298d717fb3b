"""A small network is made whole or not at all, its file is one that every part reads, and a taken port is named.

Method: one network for the module, made in process; nothing is started.
"""

from __future__ import annotations

import json
import shutil
import socket
import stat
import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jinka.app import new_network, serving
from jinka.app.card_files import open_key_folder, read_opened
from jinka.app.key_folder import KeyFolder
from jinka.app.new_network import CASH_TERMINAL, FILE, TERMINAL, free_port, make_network, open_network
from jinka.app.parts_file import parts_of
from jinka.app.pos_config import read_pad, read_pos_file
from jinka.app.serve_file import Ports
from jinka.app.serve_status import network_status
from jinka.app.serving import parts_to_start, serve
from jinka.cli.main import app
from jinka.kit import JinkaError, NotFound, Refused, Usage

DATE = "2026-11-22"
PORTS = Ports(**{name: at for at, name in enumerate(asdict(Ports()), 2)})  # where nobody listens


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("network") / "n"
    told = make_network(made, PORTS, date=DATE)
    assert told["merchant"]["key"].startswith("jk_")
    yield made
    for terminal in (TERMINAL, CASH_TERMINAL):  # stand for terminals' own hardware: their keys are in them
        shutil.rmtree(made / f"terminal-{terminal}")


def test_every_part_reads_the_file_and_leans_on_the_key_service(folder: Path) -> None:
    assert parts_of(folder / FILE) == ("issuer", "switch", "gateway")
    parts = parts_to_start(folder / FILE)
    assert [(part.name, part.leans_on) for part in parts] == [
        ("keys", ()), ("issuer", ("keys",)), ("switch", ("keys",)), ("gateway", ("keys",)),
    ]  # fmt: skip
    assert {part.up for part in network_status(folder / FILE)} == {False}


def test_parts_that_the_file_leaves_out_are_not_started(folder: Path, tmp_path: Path) -> None:
    text = (folder / FILE).read_text(encoding="utf-8")
    head, _, rest = text.partition("# ---- the issuer's host")
    switch = "# ---- the switch" + rest.partition("# ---- the switch")[2].partition("# ---- the gateway")[0]
    alone = tmp_path / FILE
    alone.write_text(head.replace('service = "keys"', 'socket = "keys.sock"') + switch, encoding="utf-8")
    (tmp_path / "terminals.csv").write_bytes((folder / "terminals.csv").read_bytes())
    assert [part.name for part in parts_to_start(alone)] == ["switch"]
    alone.write_text(head, encoding="utf-8")
    with pytest.raises(Usage, match="no part to start"):
        parts_to_start(alone)


def test_a_switch_with_two_workers_is_two_parts(folder: Path) -> None:
    two = folder / "two.toml"
    text = (folder / FILE).read_text(encoding="utf-8")
    two.write_text(text.replace("workers = 1 ", "workers = 2 "), encoding="utf-8")
    parts = {part.name: part.command[-2:] for part in parts_to_start(two)}
    assert list(parts) == ["keys", "issuer", "switch-0", "switch-1", "gateway"]
    assert (parts["switch-0"], parts["switch-1"]) == (("--worker", "0"), ("--worker", "1"))
    assert [part.part for part in network_status(two)] == list(parts)
    two.write_text(text.replace("workers = 1 ", "workers = 0 "), encoding="utf-8")
    with pytest.raises(Usage, match="not a number of processes"):
        parts_to_start(two)
    two.unlink()


def test_all_of_it_says_that_it_is_simulated_and_only_its_owner_reads_it(folder: Path) -> None:
    assert all(minutes.simulated for minutes in KeyFolder(folder / "keys").minutes())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("holders.csv", "keys/keys.toml", "cards/1.jcs", "vault.sealed"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
    assert not list(folder.rglob("cards.csv"))


def test_cards_are_sealed_and_the_terminal_has_its_master_key(folder: Path) -> None:
    keys = open_key_folder(folder / "keys")
    try:
        image, context = read_opened(folder / "cards" / "1.jcs", keys)
    finally:
        keys.close()
    assert (image[:3], context) == (b"JCI", "jinka.serve/1|card 1")
    with pytest.raises(Refused):
        read_opened(folder / "cards" / "1.jcs")
    assert len(read_pad(read_pos_file(folder / "pos.toml").pad).master) == 16
    cash = read_pos_file(folder / "atm.toml", atm=True)
    assert (len(read_pad(cash.pad).pin), len(read_pad(cash.pad).mac), cash.cash_fen) == (16, 16, 10_000_000)


def test_the_file_keeps_its_comments_and_no_secret(folder: Path) -> None:
    text = (folder / FILE).read_text(encoding="utf-8")
    assert text.startswith("# A small network")
    assert tomllib.loads(text)["gateway"]["institution"] in tomllib.loads(text)["issuer"]["acquirers"]
    assert "jk_" not in text


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(Refused, match=r"no jinka\.toml"):
        open_network(None, tmp_path, Path("x"))
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    with pytest.raises(Usage, match="a file or a folder"):
        open_network(tmp_path / FILE, tmp_path, Path("x"))
    with pytest.raises(NotFound):
        parts_to_start(tmp_path / FILE)
    with pytest.raises(Usage, match="too long"):
        open_network(None, tmp_path / ("n" * 90), Path("x"))


def test_what_breaks_while_it_is_made_leaves_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(new_network, "_make_terminal", broken)
    with pytest.raises(JinkaError, match="no space is left"):
        make_network(tmp_path / "n", PORTS, date=DATE)
    assert not list(tmp_path.iterdir())


def test_a_port_that_somebody_has_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_PORTS_S", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
        assert free_port(port) != port
        text = (folder / FILE).read_text(encoding="utf-8")
        taken = folder / "taken.toml"
        taken.write_text(text.replace(f'"127.0.0.1:{PORTS.till}"', f'"127.0.0.1:{port}"'), encoding="utf-8")
        with pytest.raises(Refused, match=r"somebody listens on 127\.0\.0\.1") as caught:
            serve(taken, tell=lambda *_: None, ready=lambda _: None)
        assert caught.value.where == "peers.till"


def test_the_commands_say_what_is_down_and_what_is_missing(folder: Path) -> None:
    told = CliRunner().invoke(app, ["status", str(folder / FILE), "--json"])
    assert [(part["part"], part["up"]) for part in json.loads(told.stdout)] == [
        ("keys", False), ("issuer", False), ("switch", False), ("gateway", False),
    ]  # fmt: skip
    assert told.exit_code == 6
    table = CliRunner().invoke(app, ["status", "--dir", str(folder)])
    assert table.exit_code == 6
    assert table.stdout.count(" no ") == 4
    assert CliRunner().invoke(app, ["status", str(folder / "none.toml")]).exit_code == 3
    assert CliRunner().invoke(app, ["serve", str(folder / "none.toml")]).exit_code == 3
