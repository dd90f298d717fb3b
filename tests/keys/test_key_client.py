"""A caller of the key service against services that hang, lie, die and come back: it never waits for ever, never takes
one question's answer for another's, and speaks again when the service is back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jinka.keys.payment_port import FullKeyService
from jinka.keys.wire import PREFIX, Part, write_message
from jinka.kit import JinkaError, NotFound, Refused, Usage
from jinka.node.key_socket import connect_unix, receive_message, send_message

FACTS = {"issuer": "9100", "simulated": True, "city_factor8": bytes(8)}
Turn = Callable[[socket.socket, dict[str, Any]], None]


class Scripted:
    """Greets, then lets ``turns`` answer, one connection after the other."""

    def __init__(self, path: Path) -> None:
        self.facts, self.turns, self.greeted = dict(FACTS), list[Turn](), 0
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._held: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self._held.append(link)
            try:
                receive_message(link)
                self.greeted += 1
                send_message(link, {"result": self.facts})
                while (content := receive_message(link)) is not None:
                    self.turns.pop(0)(link, content)
            except (OSError, JinkaError):
                continue

    def close(self) -> None:
        self._listener.close()
        for link in self._held:
            link.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.sock"


@pytest.fixture
def service(path: Path) -> Iterator[Scripted]:
    made = Scripted(path)
    yield made
    made.close()


@pytest.fixture
def remote(service: Scripted, path: Path) -> Iterator[FullKeyService]:
    del service
    made = connect_unix(path, caller="day")
    yield made
    made.close()


def answer(value: bytes) -> Turn:
    return lambda link, _: send_message(link, {"result": value})


def raw(*pieces: Part, hang_up: bool = False) -> Turn:
    def turn(link: socket.socket, _: dict[str, Any]) -> None:
        for piece in pieces:
            link.sendall(piece)
        if hang_up:
            link.shutdown(socket.SHUT_RDWR)

    return turn


def silent(link: socket.socket, _: dict[str, Any]) -> None:
    """No answer; the connection stays open until the caller leaves, then the next one is served."""
    link.settimeout(10)
    assert link.recv(1) == b""


def test_a_service_that_never_answers_is_left(
    service: Scripted, remote: FullKeyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jinka.node.key_socket.ANSWER_S", 0.05)
    service.turns = [silent, answer(b"second")]
    with pytest.raises(JinkaError, match=r"no answer in 0\.05 s"):
        remote.sign(b"first", key="sign/P-256/1")
    monkeypatch.setattr("jinka.node.key_socket.ANSWER_S", 10.0)
    assert remote.sign(b"second", key="sign/P-256/1") == b"second"
    assert service.greeted == 2, "a new connection: a late answer to the first question cannot arrive on it"


ANSWER = write_message({"result": b"x"})
HOSTILE = {
    "half a prefix": raw(b"\0\0", hang_up=True),
    "half an answer": raw(ANSWER[0], hang_up=True),
    "nothing": raw(hang_up=True),
    "a length that lies": raw(PREFIX.pack(0xFFFFFFFF, 2**63)),
    "no message": raw(PREFIX.pack(4, 0) + b"\xff\xfe{}"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_service_that_lies_is_left(
    service: Scripted, remote: FullKeyService, path: Path, name: str
) -> None:
    service.turns = [HOSTILE[name], answer(b"right")]
    with pytest.raises(JinkaError) as lost:
        remote.sign(b"1", key="sign/P-256/1")
    assert lost.value.where == str(path)
    assert remote.sign(b"2", key="sign/P-256/1") == b"right"


def test_a_service_that_comes_back_with_other_keys_is_refused(
    service: Scripted, remote: FullKeyService
) -> None:
    service.turns = [raw(hang_up=True), answer(b"right")]
    with pytest.raises(JinkaError, match="hung up"):
        remote.sign(b"1", key="sign/P-256/1")
    service.facts["issuer"] = "9200"
    with pytest.raises(Refused, match="another key service"):
        remote.sign(b"2", key="sign/P-256/1")


def test_what_does_not_travel_leaves_the_connection_as_it_was(
    service: Scripted, remote: FullKeyService
) -> None:
    service.turns = [answer(b"right")]
    with pytest.raises(Usage, match="does not travel"):
        remote.sign(1.5, key="sign/P-256/1")
    assert remote.sign(b"1", key="sign/P-256/1") == b"right"
    assert service.greeted == 1


def test_nobody_there_and_closed(service: Scripted, remote: FullKeyService, path: Path) -> None:
    service.turns = [raw(hang_up=True)]
    with pytest.raises(JinkaError, match="hung up"):
        remote.sign(b"1", key="sign/P-256/1")
    path.unlink()
    with pytest.raises(NotFound, match="no key service there"):
        remote.sign(b"1", key="sign/P-256/1")
    remote.close()
    with pytest.raises(Refused, match="was closed"):
        remote.sign(b"1", key="sign/P-256/1")
