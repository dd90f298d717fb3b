"""A small network to begin with: what `jinka serve` makes in an empty folder when it is given no file.

A simulated bank with keys of its own ceremony (every part of them marked as simulated, all shares in the folder), five
accounts with cards, a merchant of the gateway, a terminal, and ``jinka.toml``, which ties them together on this machine
alone. It is made in a folder beside and takes its name when it is whole, so a kill leaves none or all of it.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinka.acquirer import Merchant
from jinka.app.gateway_config import read_gateway_file
from jinka.app.gateway_serving import put_merchant
from jinka.app.issue_gate import refuse_simulated
from jinka.app.issuer_host import import_cards
from jinka.app.key_acts import Asked, hold, perform
from jinka.app.key_folder import KeyFolder
from jinka.app.key_serving import today
from jinka.app.keyring import open_logged_keys
from jinka.app.new_cards import CVK, PVK, holder_rows, issuer_rows, new_card, write_chips
from jinka.app.pos_config import read_pos_file, write_pad
from jinka.app.serve_file import Ports, cash_terminal_file, network_file, terminal_file
from jinka.app.serving import is_free
from jinka.app.workspace import Workspace
from jinka.keys import KeyName, SoftKeyService, acts
from jinka.keys.acts import Act
from jinka.keys.ceremony import SEALING
from jinka.keys.store import KeyStore
from jinka.kit import Refused, Usage
from jinka.node import file_errors, write_durable
from jinka.node.files import flush_folder
from jinka.node.system import SystemRandomness
from jinka.terminal import PadKeys
from jinka.terminal.pin_pad import STORAGE_SIZE

FILE = "jinka.toml"
KEYS = "keys"
ISSUER = "bank"
CARDS = 5
REGION = "440300"
TERMINAL, TERMINAL_MERCHANT = "T0000001", "M00000000000001"
TERMINAL_MASTER = f"terminal_master/TDES/1@{TERMINAL}"
CASH_TERMINAL, CASH_FEN = "T0000002", 10_000_000
CASH_KEYS = ("zone_pin/TDES/1@atm", "zone_mac/TDES/1@atm")
CUSTODIANS = ("custodian-1", "custodian-2", "custodian-3")
NAMES = (
    *map(str, SEALING), "zone_mac/TDES/1@gateway", "zone_mac/TDES/1@bank", "zone_pin/TDES/1@bank", PVK, CVK,
    *(f"{use}/{kind}/1" for use in ("cryptogram", "script_mac", "script_data") for kind in ("TDES", "SM4")),
)  # fmt: skip
MERCHANT = Merchant(
    id="teahouse", name="TEA HOUSE", local_name="茶馆", category="5814", city="SHENZHEN", terminal="00000001",
    key_hash=b"", requests_per_minute=600,
)  # fmt: skip
_HALF = ".making"
_SOCKET_PATH_MAX = 107  # sun_path, with its end (unix(7))


def make_network(folder: Path, ports: Ports, *, date: str) -> dict[str, Any]:
    """Make all of it; returns what is told now and never again. `Refused` for a folder with something else in it."""
    if folder.exists() and any(folder.iterdir()):
        raise Refused(
            f"the folder is not empty and has no {FILE}", where=str(folder), fix="name another --dir"
        )
    place = folder.resolve() / KEYS / "keys.sock"
    if len(os.fsencode(place)) > _SOCKET_PATH_MAX:
        raise Usage("a socket's name would be too long", where=str(place), fix="a shorter --dir")
    refuse_simulated(folder)
    half = folder.with_name(f".{folder.name}{_HALF}")
    with file_errors(half):
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True, mode=0o700)
        try:
            told = _fill(half, ports, date)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
        folder.mkdir(exist_ok=True)
        half.replace(folder)
        flush_folder(folder.parent)
    return told


def _fill(folder: Path, ports: Ports, date: str) -> dict[str, Any]:
    shared = _make_keys(folder / KEYS, date)
    write_durable(folder / KEYS / "keys.toml", _callers().encode(), private=True)
    path = folder / FILE
    path.write_text(network_file(ports), encoding="utf-8")
    _make_terminal(folder, ports, shared[TERMINAL_MASTER])
    _make_cash_terminal(folder, ports, *(shared[name] for name in CASH_KEYS))
    with _opened(folder / KEYS) as keys:
        cards = [new_card(keys, number, dt.date.fromisoformat(date)) for number in range(CARDS)]
        write_chips(cards, folder, keys)
        merchant = put_merchant(read_gateway_file(path), keys, MERCHANT, "")
        rows = folder / "cards.csv"
        write_durable(rows, issuer_rows(cards).encode(), private=True)
        import_cards(path, rows, keys)
        rows.unlink()
    write_durable(folder / "holders.csv", holder_rows(cards).encode(), private=True)
    return {"merchant": merchant}


def _make_keys(folder: Path, date: str) -> dict[str, bytes]:
    """The ceremony; then the keys that terminals hold too, which are returned."""
    room, drawn = KeyFolder(folder), SystemRandomness()
    shared = {name: drawn.token_bytes(16) for name in (TERMINAL_MASTER, *CASH_KEYS)}
    places = tuple(room.place(name) for name in CUSTODIANS)
    names = tuple(KeyName.parse(name) for name in NAMES)
    hold(room, Asked(issuer=ISSUER, places=places, needed=2, date=date, simulated=True, names=names))
    perform(room, Act.ADD, places[:2], lambda store, _: _taken_in(store, shared), date=date)
    return shared


def _taken_in(store: KeyStore, shared: Mapping[str, bytes]) -> acts.Done:
    touched: tuple[KeyName, ...] = ()
    for name, value in shared.items():
        done = acts.add(store, KeyName.parse(name), value)
        store, touched = done.store, touched + done.touched
    return acts.Done(store=store, touched=touched)


def _make_terminal(folder: Path, ports: Ports, master: bytes) -> None:
    """A shop's terminal, its pad with the master key that the switch has too."""
    (folder / "terminals.csv").write_text(
        f"{TERMINAL},{TERMINAL_MERCHANT},{TERMINAL_MASTER}\n", encoding="ascii"
    )
    path = folder / "pos.toml"
    path.write_text(terminal_file(ports, terminal=TERMINAL, merchant=TERMINAL_MERCHANT), encoding="utf-8")
    keys = PadKeys(storage=SystemRandomness().token_bytes(STORAGE_SIZE), master=master)
    write_pad(read_pos_file(path).pad, keys)


def _make_cash_terminal(folder: Path, ports: Ports, pin: bytes, mac: bytes) -> None:
    """A cash terminal, its pad with the work keys that the switch has too."""
    path = folder / "atm.toml"
    text = cash_terminal_file(ports, terminal=CASH_TERMINAL, merchant=TERMINAL_MERCHANT, cash_fen=CASH_FEN)
    path.write_text(text, encoding="utf-8")
    keys = PadKeys(storage=SystemRandomness().token_bytes(STORAGE_SIZE), pin=pin, mac=mac)
    write_pad(read_pos_file(path, atm=True).pad, keys)


def _callers() -> str:
    """What each part may ask of the key service. Programs of one user cannot be told apart: see docs/serve.md."""
    uid = os.getuid()
    return f"""# Who may ask what of the key service (docs/key-service.md). All keys here are simulated.
[callers.switch]
uid = {uid}
verbs = ["*_mac", "*_macs", "translate_pin*", "draw_key", "drop_key", "wrap_*", "unwrap_*", "seal_image", "open_image"]
keys = ["zone_*", "terminal_*", "record_seal/*"]

[callers.issuer]
uid = {uid}
verbs = ["*_mac", "*_macs", "verify_*", "make_response", "check_cryptogram", "make_script_mac", "encipher_script",
         "seal_image", "open_image"]
keys = ["zone_*@bank", "pin_verify/*", "card_verify/*", "cryptogram/*", "script_*", "record_seal/*"]

[callers.gateway]
uid = {uid}
verbs = ["*_mac", "*_macs", "seal_image", "open_image"]
keys = ["zone_mac/*@gateway", "record_seal/*"]
"""


@contextmanager
def _opened(folder: Path) -> Iterator[SoftKeyService]:
    workspace = Workspace(folder)
    keys = open_logged_keys(workspace, REGION, log=workspace.keys_log)
    try:
        yield keys
    finally:
        keys.commit()
        keys.close()


def free_port(wanted: int) -> int:
    """``wanted`` if nobody listens there, else some other port of this machine."""
    if is_free("127.0.0.1", wanted):
        return wanted
    with socket.create_server(("127.0.0.1", 0)) as place:
        return int(place.getsockname()[1])


def open_network(
    file: Path | None, folder: Path | None, default: Path, first_port: int = 0
) -> tuple[Path, dict[str, Any]]:
    """The file to serve, and what was made if there was none: what is told once is in it and nowhere else.

    ``first_port`` is the first of as many in a row as a network needs; without it the usual ones, or free ones.
    """
    if file is not None:
        if folder is not None:
            raise Usage("a file or a folder", where="--dir", fix="a file brings its own folder")
        return file, {}
    folder = folder or default
    path = folder / FILE
    if path.exists():
        return path, {}
    usual = asdict(Ports())
    if first_port:
        ports = {name: first_port + at for at, name in enumerate(usual)}
    else:
        ports = {name: free_port(port) for name, port in usual.items()}
    return path, make_network(folder, Ports(**ports), date=today())
