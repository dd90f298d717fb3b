"""The key service over sockets. Goal: the same answers as in process, and nothing for whoever was not admitted.

Method: `jinka keys serve` in a process of its own; callers with few rights; messages that lie; another user.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.app.key_serving import read_config, read_pin
from jinka.app.keyring import open_keys, unlock_store
from jinka.app.workspace import Workspace
from jinka.codec import Algorithm
from jinka.keys import Purpose, SoftKeyService
from jinka.keys.port import KeyService
from jinka.keys.wire import PREFIX, read_message, sizes_of, write_message
from jinka.kit import JinkaError, NotFound, Refused, Usage
from jinka.node.key_server import CONNECTIONS_MAX
from jinka.node.key_socket import connect_unix
from tests.keys.ground import batch_of, signed
from tests.keys.serving import ALL, connected, key_folder, served

FACTOR = bytes(range(8))
LOAD: dict[str, Any] = {
    "algorithm": Algorithm.TDES,
    "version": 1,
    "factor8": FACTOR,
    "session_seed": (b"rand", 7),
    "data": b"load",
}
CONFIG = (
    ALL
    + """
[callers.clearing]
uid = {uid}
verbs = ["verify_tacs"]
keys = ["tac/*"]

[callers.one]
uid = {uid}
verbs = ["*_load_mac?"]
keys = ["load/TDES/1"]

[callers.stranger]
uid = 4294967294
verbs = ["*"]
keys = ["*"]
"""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = key_folder(tmp_path_factory.mktemp("keys"))
    (made / "keys.toml").write_text(CONFIG.format(uid=os.getuid()))
    return made


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    with served(folder) as (facts, process):
        assert facts["callers"] == ["clearing", "day", "one", "stranger"]
        assert facts["provider"] == "soft"
        assert facts["memory_locked"]
        assert facts["certified"] is False
        yield Path(facts["socket"]), process


@pytest.fixture
def remote(service: tuple[Path, subprocess.Popen[str]]) -> Iterator[KeyService]:
    with connected(service[0]) as made:
        yield made


@pytest.fixture(scope="module")
def local(folder: Path) -> SoftKeyService:
    return open_keys(Workspace(folder), "440300")


def test_it_answers_as_in_process(remote: KeyService, local: SoftKeyService) -> None:
    assert (remote.issuer, remote.simulated) == (local.issuer, True)
    assert remote.make_load_mac2(**LOAD) == local.make_load_mac2(**LOAD)
    remote.check_load_mac1(mac4=local.make_load_mac2(**LOAD), **LOAD)
    factors = np.random.default_rng(1).integers(0, 256, (1000, 8), dtype=np.uint8)
    for purpose in (Purpose.TAC, Purpose.PURCHASE):
        asked: dict[str, Any] = {"algorithm": Algorithm.SM4, "version": 2, "factors8": factors}
        assert np.array_equal(remote.chip_keys(purpose, **asked), local.chip_keys(purpose, **asked))
    blob = remote.seal_image(b"image" * 1000, context="card 1")
    assert blob == local.seal_image(b"image" * 1000, context="card 1")
    assert remote.open_image(blob, context="card 1") == b"image" * 1000
    seal = remote.seal_batch(terminal_id=b"term00", header=b"h", digest32=bytes(32))
    answers = remote.check_batch_seals([b"term00"] * 2, [b"h", b"x"], [bytes(32)] * 2, [seal] * 2)
    assert answers.tolist() == [True, False]


def test_tacs_of_a_batch_travel_in_slices(
    folder: Path, remote: KeyService, local: SoftKeyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jinka.node.key_socket.ROWS_MAX", 100)
    store = unlock_store(Workspace(folder)).store
    rows = [signed(store, number, issuer=store.issuer) for number in range(350)]
    rows[17]["tac"], rows[300]["tac"], rows[301]["tac"] = b"0000", None, b"123"
    batch = batch_of(rows)
    assert remote.verify_tacs(batch).equals(local.verify_tacs(batch))
    assert sorted(set(remote.verify_tacs(batch).to_pylist())) == [0, 1, 2, 4]
    assert remote.verify_tacs(batch.slice(0, 0)).to_pylist() == []
    with pytest.raises(Usage, match="the column is missing"):
        remote.verify_tacs(batch.drop_columns(["amount"]))
    assert remote.verify_tacs(batch).equals(local.verify_tacs(batch))


def test_errors_cross_as_they_are(remote: KeyService) -> None:
    with pytest.raises(Refused, match="MAC1 is wrong") as refused:
        remote.check_load_mac1(mac4=b"0000", **LOAD)
    assert (refused.value.where, refused.value.fix) == ("load", "present the card again")
    with pytest.raises(Usage):
        remote.make_load_mac2(**(LOAD | {"session_seed": (b"r", 7)}))
    with pytest.raises(Refused, match="does not open"):
        remote.open_image(b"JKS1" + bytes(60), context="x")
    with pytest.raises(Usage, match="wrong arguments"):
        remote.make_load_mac2(1, 2, 3)
    with pytest.raises(JinkaError, match="the key service failed"):
        remote.make_load_mac2(**(LOAD | {"data": "a text"}))
    assert len(remote.make_load_mac2(**LOAD)) == 4, "the connection lives on"


def test_a_caller_has_what_it_was_given(service: tuple[Path, subprocess.Popen[str]]) -> None:
    with connected(service[0], "clearing") as clearing, connected(service[0], "one") as one:
        with pytest.raises(Refused, match="clearing was not given the verb make_load_mac2"):
            clearing.make_load_mac2(**LOAD)
        with pytest.raises(Refused, match="was not given this key"):
            one.make_load_mac2(**(LOAD | {"algorithm": Algorithm.SM4}))
        assert len(one.make_load_mac2(**LOAD)) == 4
    for name in ("stranger", "nobody", "", "day\n"):
        with pytest.raises(Refused, match="no such caller"):
            connect_unix(service[0], caller=name)
    with pytest.raises(NotFound):
        connect_unix(service[0].with_name("none"), caller="day")


def test_only_verbs_are_served(remote: KeyService) -> None:
    for name in ("holding", "_root", "__class__", "caller", "__init__", "issuer"):
        with pytest.raises(Usage, match="no such verb"):
            remote._line.ask({"verb": name, "arguments": {}, "positional": []})


HOSTILE = {
    "nothing": b"",
    "half a prefix": b"\0\0",
    "no message": b"GET / HTTP/1.1\r\n\r\n" + bytes(100),
    "a length that lies": PREFIX.pack(0xFFFFFFFF, 2**63),
    "parts before the greeting": PREFIX.pack(2, 1 << 28) + b"{}",
    "not JSON": PREFIX.pack(4, 0) + b"\xff\xfe{}",
    "deep": PREFIX.pack(200_000, 0) + b"[" * 200_000,
    "another version": PREFIX.pack(30, 0) + b'{"version":2,"parts":[],"body":{}}'[:30],
    "a list": PREFIX.pack(2, 0) + b"[]",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_greetings_end_their_connection_alone(
    name: str, service: tuple[Path, subprocess.Popen[str]], remote: KeyService
) -> None:
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(20)
        link.connect(str(service[0]))
        link.sendall(HOSTILE[name])
        with contextlib.suppress(OSError):
            link.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):  # it hung up on what was still under way
            assert link.recv(1000) == b""
    assert len(remote.make_load_mac2(**LOAD)) == 4
    assert service[1].poll() is None


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text(max_size=9)
    | st.binary(max_size=40)
    | st.sampled_from([Algorithm.TDES, Purpose.TAC]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=8,
)


def across(content: dict[str, Any]) -> dict[str, Any]:
    raw = b"".join(bytes(piece) for piece in write_message(content))
    header, parts = sizes_of(raw[: PREFIX.size])
    assert len(raw) == PREFIX.size + header + parts
    return read_message(raw[PREFIX.size :][:header], memoryview(raw[PREFIX.size + header :]))


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=3))
def test_what_is_written_is_read(content: dict[str, Any]) -> None:
    assert across(content) == content


def test_arrays_and_batches_travel() -> None:
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    batch = pa.record_batch({"a": [1, None], "b": ["x", "y"]})
    found = across(
        {"a": array, "r": batch, "c": pa.array([1, 2], pa.uint8()), "n": np.zeros((0, 8), np.uint8)}
    )
    assert np.array_equal(found["a"], array)
    assert found["r"].equals(batch)
    assert found["c"].to_pylist() == [1, 2]
    assert found["n"].shape == (0, 8)
    with pytest.raises(Usage):
        write_message({"x": object()})


@given(st.binary(max_size=200), st.integers(0, 2**16), st.integers(0, 255))
def test_changed_messages_never_do_worse_than_usage(extra: bytes, at: int, to: int) -> None:
    batch = pa.record_batch({"a": pa.array([b"xy", b"z"]), "n": pa.array([1, 2])})
    pieces = [
        bytearray(piece) for piece in write_message({"r": batch, "b": extra, "a": np.arange(9, dtype="<u4")})
    ]
    raw = bytearray(b"".join(pieces))
    raw[at % len(raw)] = to
    try:
        header, parts = sizes_of(bytes(raw[: PREFIX.size]))
        read_message(
            bytes(raw[PREFIX.size :][:header]), memoryview(bytes(raw[PREFIX.size + header :][:parts]))
        )
    except Usage:
        pass


def test_every_verb_is_in_the_audit_log_before_its_answer(folder: Path, remote: KeyService) -> None:
    before = (folder / "keys-audit.jsonl").read_text().count("\n")
    remote.make_load_mac2(**LOAD)
    with pytest.raises(Refused):
        remote.check_load_mac1(mac4=b"0000", **LOAD)
    lines = [json.loads(line) for line in (folder / "keys-audit.jsonl").read_text().splitlines()[before:]]
    found = [(line["actor"], line["act"], line["subject"], line["outcome"]) for line in lines]
    assert found == [
        ("day", "keys.make_load_mac2", "load/TDES/1", "ok"),
        ("day", "keys.check_load_mac1", "load/TDES/1", "refused"),
    ]


NOBODY = 65534
DUMP = """
import os, sys
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
for name in ("mem", "maps", "environ", "fd"):
    try:
        os.listdir(f"/proc/{sys.argv[1]}/fd") if name == "fd" else open(f"/proc/{sys.argv[1]}/{name}", "rb").read(1)
    except PermissionError:
        continue
    sys.exit(f"{name} can be read")
"""


def test_its_memory_is_locked_and_closed_to_others(service: tuple[Path, subprocess.Popen[str]]) -> None:
    process = service[1]
    status = Path(f"/proc/{process.pid}/status").read_text()
    locked = next(line for line in status.splitlines() if line.startswith("VmLck"))
    assert int(locked.split()[1]) > 10_000, "kB: all of it, not the keys' own pages alone"
    assert Path(f"/proc/{process.pid}/limits").read_text().split("Max core file size")[1].split()[0] == "0"
    if os.getuid() == 0:  # another user, by dropping to one
        subprocess.run([sys.executable, "-c", DUMP, str(process.pid), str(NOBODY)], check=True, timeout=60)
    # undumpable: /proc/PID belongs to root even where the process does not
    assert Path(f"/proc/{process.pid}/mem").stat().st_uid == 0


def test_as_an_ordinary_user_even_its_own_user_cannot_read_it(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("needs root to start the service as another user")
    folder = key_folder(tmp_path / "keys")
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(folder)], check=True)
    for parent in (tmp_path, *tmp_path.parents):  # the other user must get through to the folder
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(parent.stat().st_mode | 0o011)
    with served(folder, user=NOBODY) as (facts, process):
        assert facts["undumpable"]
        subprocess.run([sys.executable, "-c", DUMP, str(process.pid), str(NOBODY)], check=True, timeout=60)


def test_a_second_service_on_the_folder_is_refused(folder: Path, service: object) -> None:
    del service
    with pytest.raises(AssertionError, match="did not start"), served(folder):
        pass


def test_after_sigterm_the_socket_is_gone_and_the_log_whole(tmp_path: Path) -> None:
    folder = key_folder(tmp_path / "keys")
    with served(folder) as (facts, process):
        remote = connect_unix(Path(facts["socket"]), caller="day")
        remote.make_load_mac2(**LOAD)
    assert process.returncode == 0
    assert not Path(facts["socket"]).exists()
    with pytest.raises(JinkaError, match="still runs"):
        remote.make_load_mac2(**LOAD)
    remote.close()
    acts = [json.loads(line)["act"] for line in (folder / "keys-audit.jsonl").read_text().splitlines()]
    assert acts[-1] == "keys.stopped"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[service", "not TOML"),
        ("[service]\nregio = '1'", "unknown: regio"),
        ("[callers.x]\nuid = 'root'\nverbs=[]\nkeys=[]", "number"),
        ("[callers.x]\nverbs=[]\nkeys=[]", "uid or a certificate"),
        ("[callers.x]\nuid=0\nverbs=[]", "keys"),
        ("[token]\nlabel='x'", "module"),
        ("[tls]\nlisten='127.0.0.1'\ncertificate='a'\nkey='b'\nauthority='c'", "int"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "keys.toml").write_text(text)
    with pytest.raises(JinkaError, match=says):
        read_config(tmp_path)


def test_a_pin_is_read_from_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    with pytest.raises(NotFound):
        read_pin(pin)
    pin.write_text("1234\n")
    pin.chmod(0o644)
    with pytest.raises(Refused, match="others can read"):
        read_pin(pin)
    pin.chmod(0o600)
    assert read_pin(pin) == "1234"


def test_too_many_connections_are_turned_away(service: tuple[Path, subprocess.Popen[str]]) -> None:
    links = []
    try:
        for _ in range(100):
            link = socket.socket(socket.AF_UNIX)
            link.settimeout(5)
            links.append(link)
            with contextlib.suppress(BlockingIOError):  # the queue of the listener is full
                link.connect(str(service[0]))
        wanted, until = 100 - CONNECTIONS_MAX - 1, time.monotonic() + 20
        while sum(_closed(link) for link in links) < wanted and time.monotonic() < until:
            time.sleep(0.05)
        assert sum(_closed(link) for link in links) >= wanted, "beyond the bound they are closed at once"
    finally:
        for link in links:
            link.close()


def _closed(link: socket.socket) -> bool:
    link.setblocking(False)
    try:
        return link.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
