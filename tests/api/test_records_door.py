"""The door of base records: a certificate says who a department is, rules are the register's, each look is noted.

Method: the real server over mutual TLS, the demo's register behind it; what a stranger, a wrong form and a refusal get;
and schemathesis against its OpenAPI, with a bounded run.
"""

from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jinka.api.peer_tls import tls_server
from jinka.api.records import records_app
from jinka.app.records import Office, office
from jinka.app.records_demo import _NUMBER, play
from jinka.app.records_serving import read_records_file
from jinka.kit import NotFound, Usage
from jinka.node.switch_tls import LineTls
from jinka.node.system import SystemClock
from tests.api.centre_rig import live_line, papers

DEPARTMENTS = {"bank.example": "bank", "clinic.example": "health", "tax.example": "tax"}
OPENS: dict[str, Any] = {
    "kind": "person", "officer": "zhao-liu", "purpose": "account-opening", "case": "account 89",
    "find": {"field": "identity_number", "value": _NUMBER}, "fields": ["name"],
}  # fmt: skip
LOAN = OPENS | {"purpose": "loan-review", "case": "loan 10", "fields": ["employments"]}
_CONFIG = Path(__file__).with_name("schemathesis.toml")


@dataclass(frozen=True)
class Door:
    """The server, its register, and the papers of those who come."""

    port: int
    register: Office
    papers: dict[str, LineTls]

    def ask(
        self, who: str, body: Any, path: str = "/v1/looks", *, method: str = "POST"
    ) -> tuple[int, dict[str, Any]]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        link = http.client.HTTPSConnection(
            "localhost", self.port, timeout=20, context=self.papers[who].client()
        )
        try:
            link.request(method, path, raw or None, {"content-type": "application/json"})
            answer = link.getresponse()
            text = answer.read()
            assert answer.status < 500, text
            return answer.status, json.loads(text)
        finally:
            link.close()

    def noted(self) -> list[dict[str, Any]]:
        return self.register.log(looks=True)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    play(folder / "records")
    shown = {name: papers(folder, name) for name in (*DEPARTMENTS, "stranger.example")}
    own = papers(folder, "register.example")
    with office(folder / "records") as open_, socket.create_server(("127.0.0.1", 0)) as place:
        runner = tls_server(records_app(open_, DEPARTMENTS, SystemClock()), own.server())
        thread = threading.Thread(target=runner.run, kwargs={"sockets": [place]})
        thread.start()
        try:
            while not runner.started:
                time.sleep(0.01)
            yield Door(place.getsockname()[1], open_, shown)
        finally:
            runner.should_exit = True
            thread.join()


def test_a_look_is_shown_with_its_ground_and_noted_under_the_certificates_department(door: Door) -> None:
    before = len(door.noted())
    status, shown = door.ask("bank.example", OPENS)
    assert (status, shown["record"], list(shown["values"])) == (200, "person:1", ["name"])
    assert shown["grounds"]["name"].startswith("real-name"), shown
    noted = door.noted()
    assert len(noted) == before + 1
    assert (noted[-1]["department"], noted[-1]["officer"], noted[-1]["seq"]) == (
        "bank", "zhao-liu", shown["entry"],
    )  # fmt: skip


def test_nobody_says_which_department_he_is(door: Door) -> None:
    before = len(door.noted())
    for more in ({"department": "public-security"}, {"actor": "bank"}):
        assert door.ask("tax.example", OPENS | more)[0] == 400
    assert len(door.noted()) == before
    assert door.ask("tax.example", OPENS)[0] == 403, "the bank's rule is not the tax office's"
    assert door.noted()[-1]["department"] == "tax"


def test_a_refusal_is_noted_and_says_the_same_whatever_its_cause(door: Door) -> None:
    withdrawn = door.ask("bank.example", LOAN)
    nobody = door.ask(
        "bank.example", LOAN | {"find": {"field": "identity_number", "value": "11010519491231002X"}}
    )
    assert withdrawn[0] == nobody[0] == 403
    assert withdrawn == nobody
    assert "neither a law nor a consent" in withdrawn[1]["detail"]
    last = door.noted()[-2:]
    assert [row["outcome"] for row in last] == ["refused", "refused"]
    assert last[0]["why"] != withdrawn[1]["detail"], "the cause stands in the log, for the holder"


def test_the_glass_is_broken_with_a_review(door: Door) -> None:
    asked = {
        "kind": "person", "officer": "dr-he", "purpose": "treatment", "record": "person:1", "emergency": True,
        "reason": "unconscious", "fields": ["name", "emergency_contact"],
    }  # fmt: skip
    status, shown = door.ask("clinic.example", asked)
    assert (status, set(shown["values"])) == (200, {"name", "emergency_contact"})
    assert shown["review"] > 0


def test_a_credit_record_takes_its_own_ground(door: Door) -> None:
    asked = {name: LOAN[name] for name in ("officer", "purpose", "case", "find")} | {"kind": "credit"}
    assert door.ask("bank.example", asked, "/v1/credit-looks")[0] == 403, "a person has to consent"
    assert door.noted()[-1]["outcome"] == "refused"
    assert door.ask("bank.example", OPENS | {"kind": "credit"})[0] in (400, 422)


def test_strangers_are_kept_out_and_leave_nothing(door: Door, tmp_path: Path) -> None:
    before = len(door.noted())
    status, said = door.ask("stranger.example", OPENS)
    assert (status, said["detail"].split(" (")[0]) == (403, "TLS: no department has this certificate")
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.load_verify_locations(door.papers["bank.example"].authority)
    link = http.client.HTTPSConnection("localhost", door.port, timeout=20, context=bare)
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        link.request("POST", "/v1/looks", b"{}")
        link.getresponse()
    link.close()
    forged = papers(tmp_path, "bank.example", line=type(live_line())(live_line().at))
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        Door(door.port, door.register, {"bank.example": LineTls(
            certificate=forged.certificate, key=forged.key, authority=door.papers["bank.example"].authority, name="",
        )}).ask("bank.example", OPENS)  # fmt: skip
    assert len(door.noted()) == before


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', OPENS | {"find": None}, OPENS | {"record": "person:1"},
        OPENS | {"kind": "no such kind"}, OPENS | {"purpose": "\x00"}, OPENS | {"officer": ""},
        OPENS | {"officer": "x" * 65}, OPENS | {"fields": ["name"] * 65}, OPENS | {"fields": ["no such field"]},
        OPENS | {"on": "2026-13-40"}, OPENS | {"find": {"field": "identity_number", "value": "\u0000"}},
        OPENS | {"find": {"field": "name", "value": "x"}}, OPENS | {"find": None, "record": f"person:{10**20}"},
        OPENS | {"find": None, "record": "../x"}, b'{"kind":"\\ud800","officer":"x","purpose":"x"}',
        OPENS | {"case": "x" * 201}, b"[" * 10_000, OPENS | {"reason": "x" * 20_000},
    ],
)  # fmt: skip
def test_what_is_no_look_is_refused_and_crashes_nothing(door: Door, body: Any) -> None:
    status, said = door.ask("bank.example", body)
    assert status in (400, 403, 404, 413, 422), said
    assert said["status"] == status
    assert _NUMBER not in json.dumps(said)


def test_only_looks_are_offered(door: Door) -> None:
    for method, path in (("GET", "/v1/looks"), ("GET", "/v1/log"), ("POST", "/v1/records"), ("GET", "/docs")):
        assert door.ask("bank.example", b"", path, method=method)[0] in (404, 405)


def test_schemathesis_finds_no_fault(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jinka.api.records.REQUESTS_PER_MINUTE", 10_000_000)
    own = door.papers["bank.example"]
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIG), "run",
            f"https://localhost:{door.port}/openapi.json", "--request-cert", str(own.certificate),
            "--request-cert-key", str(own.key), "--tls-verify", str(own.authority),
            "--max-examples", "3", "--seed", "1", "--no-color", "--generation-database", "none",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert "2 passed" in done.stdout


# Its file and its process


def file_of(folder: Path, tls: LineTls, **changes: str) -> Path:
    lines = {
        "listen": '"127.0.0.1:0"', "dir": '"records"', "certificate": f'"{tls.certificate}"', "key": f'"{tls.key}"',
        "authority": f'"{tls.authority}"',
    } | changes  # fmt: skip
    text = "[records]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items() if value)
    made = folder / "door.toml"
    made.write_text(text + '[departments]\n"bank.example" = "bank"\n')
    return made


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"key": ""}, "missing"),
        ({"certificate": "", "key": "", "authority": ""}, "no TLS"),
        ({"port": "1"}, "unknown: port"),
        ({"listen": '"x"'}, "not an address"),
    ],
)
def test_a_file_without_tls_or_with_more_is_refused(
    tmp_path: Path, change: dict[str, str], match: str
) -> None:
    tls = LineTls(certificate=tmp_path / "c", key=tmp_path / "k", authority=tmp_path / "a", name="")
    with pytest.raises(Usage, match=match):
        read_records_file(file_of(tmp_path, tls, **change))
    with pytest.raises(NotFound):
        read_records_file(tmp_path / "none.toml")
    empty = tmp_path / "empty.toml"
    empty.write_text("[records]\n")
    with pytest.raises(Usage, match="nobody may come in"):
        read_records_file(empty)


def test_the_command_serves_and_ends_by_its_signal(tmp_path: Path) -> None:
    play(tmp_path / "records")
    own, bank = papers(tmp_path, "register.example"), papers(tmp_path, "bank.example")
    command = [sys.executable, "-c", "from jinka.cli import main; main()", "records", "serve"]
    process = subprocess.Popen([*command, str(file_of(tmp_path, own))], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, "it did not start"
            text += line
        facts = json.loads(text)
        assert facts["departments"] == ["bank"]
        with office(tmp_path / "records") as open_:
            at = Door(facts["port"], open_, {"bank.example": bank})
            assert at.ask("bank.example", OPENS)[0] == 200
            assert at.noted()[-1]["seq"] == at.register.log()[-1]["seq"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.communicate()
