"""`jinka gateway` as a process, killed at random under load: no order paid twice, none lost, no callback lost.

The key service is this process, behind its socket; keys are those of published vectors.
"""

from __future__ import annotations

import http.client
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jinka.issuer.chart import IssuerAccount, office_account
from jinka.keys import KeyName, KeyRecord, Purpose
from jinka.keys.provider import KeyKind
from jinka.registry.check_digits import luhn_digit
from jinka.store import SqlLedger, database_at
from tests.issuer.host_rig import Bank
from tests.keys import payments

JINKA = (sys.executable, "-c", "from jinka.cli import main; main()")
OPENING, FEN, BUYERS, PURCHASES = 1_000_000, 1_000, 4, 8
PANS = [body + luhn_digit(body) for body in (f"62258801234{n:04}" for n in range(BUYERS))]
ISSUER = """
[issuer]
name = "bank"
acquirers = ["gw"]
[names]
pin = "pin_verify/TDES/1"
card_value = "card_verify/TDES/1"
"""
GATEWAY = """
[gateway]
issuer = "issuer.toml"
acquirer = "gw"
listen = "127.0.0.1:{port}"
[callbacks]
plain = true
inside = true
[keys]
socket = "keys.sock"
caller = "day"
"""


def jinka(*args: object) -> Any:
    done = subprocess.run([*JINKA, *map(str, args)], capture_output=True, text=True, timeout=120, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else done


class Receiver:
    """Where callbacks come in."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/"

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Serving:
    """The gateway as a process."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*JINKA, "gateway", "serve", str(folder / "gateway.toml")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            text += line

    def stop(self, how: int = signal.SIGTERM) -> str:
        self.process.send_signal(how)
        _, error = self.process.communicate(timeout=30)
        return error


def ask(
    port: int, key: str, method: str, path: str, body: dict[str, Any] | None, again: str
) -> tuple[int, Any]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        head = {
            "Authorization": f"Bearer {key}",
            "Idempotency-Key": again,
            "Content-Type": "application/json",
        }
        link.request(method, path, None if body is None else json.dumps(body), head)
        answer = link.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        link.close()


def persist(*args: Any, until: float) -> Any:
    """Ask until there is an answer, with the same key, as a merchant does."""
    while time.monotonic() < until:
        with suppress(OSError, http.client.HTTPException, ValueError):
            status, said = ask(*args)
            if status < 300:
                return said
            assert status == 409, said
        time.sleep(0.05)
    raise AssertionError("no answer in time")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    keys = payments.rig()
    for kind in (KeyKind.GCM, KeyKind.HMAC):  # what seals the vault's key
        name = KeyName(purpose=Purpose.RECORD_SEAL, algorithm=kind.value, version=1)
        key = keys.holding.provider.load(kind, bytes(range(32)), extractable=False)
        keys.holding.working.keys.add(KeyRecord(name=name, check=""), key)
    bank = Bank()
    (tmp_path / "issuer.toml").write_text(ISSUER)
    rows = ["pan,account,expiry4,chip,sequence,pin_reference,opening_fen"]
    rows += [f"{pan},A{pan},2812,0,00,{bank.card(pan, 'A').pin_reference},{OPENING}" for pan in PANS]
    (tmp_path / "cards.csv").write_text("\n".join(rows) + "\n")
    assert jinka("issuer", "cards", tmp_path / "issuer.toml", tmp_path / "cards.csv")["cards"] == BUYERS
    with payments.over_socket(keys, tmp_path):
        yield tmp_path


def test_killed_under_load_nothing_is_paid_twice_and_no_callback_is_lost(folder: Path) -> None:
    chance, receiver = random.Random(7), Receiver()
    port = chance.randrange(20_000, 30_000)
    (folder / "gateway.toml").write_text(GATEWAY.format(port=port))
    merchant = ("gateway", "merchant", folder / "gateway.toml", "teahouse", "--name", "TEA", "--terminal",
                "00000001", "--rate", 1_000_000, "--callback", receiver.url)  # fmt: skip
    key = jinka(*merchant)["key"]
    value = {pan: Bank().value("000", pan).value for pan in PANS}
    until, failed = time.monotonic() + 120, []
    serving = Serving(folder)

    def buy(pan: str) -> None:
        try:
            for number in range(PURCHASES):
                name = f"{pan[-4:]}-{number}"
                made = persist(
                    port, key, "POST", "/v1/orders", {"amount_minor": FEN}, f"make-{name}", until=until
                )
                card = {"number": pan, "expiry": "2812", "card_value": value[pan]}
                persist(
                    port, key, "POST", f"/v1/orders/{made['id']}/pay", {"kind": "card", "card": card},
                    f"pay-{name}", until=until,
                )  # fmt: skip
        except AssertionError as error:
            failed.append(error)

    buyers = [threading.Thread(target=buy, args=(pan,)) for pan in PANS]
    try:
        for buyer in buyers:
            buyer.start()
        for _ in range(3):
            time.sleep(chance.uniform(0.3, 0.8))
            serving.stop(signal.SIGKILL)
            serving = Serving(folder)
        for buyer in buyers:
            buyer.join()
        assert not failed
        seen = ask(port, key, "GET", "/v1/orders?limit=100", None, "x")[1]["orders"]
        paid = [order for order in seen if order["state"] == "captured"]
        assert {order["state"] for order in seen} <= {"captured", "created"}
        assert len(seen) == BUYERS * PURCHASES
        wanted = {order["id"] for order in paid}
        told: set[str] = set()
        while not wanted <= told and time.monotonic() < until:
            time.sleep(0.1)
            told = {b["data"]["id"] for b in receiver.bodies if b["type"] == "order.captured"}
        assert wanted <= told
    finally:
        error = serving.stop()
        receiver.stop()
    assert serving.process.returncode == 0, error
    with database_at(folder / "issuer.db") as database:
        office = office_account(IssuerAccount.ACQUIRER, "gw").id
        found = SqlLedger(database).balances([office])[office]
    assert found.credits_posted - found.debits_posted == len(paid) * FEN
    assert len(paid) > BUYERS * PURCHASES - 12  # at most one payment of each buyer was under way at each kill
    stored = b"".join(path.read_bytes() for path in folder.glob("gateway.db*"))
    assert not [pan for pan in PANS if pan.encode() in stored]


def test_what_is_wrong_in_the_file_is_named(folder: Path) -> None:
    path = folder / "gateway.toml"
    for text, where in (
        ("[gateway]\nissuer = 'i'\n", "gateway.acquirer"),
        ("[gateway]\ncolour = 1\n", "gateway"),
        ("[callbacks]\nplain = 1\n[gateway]\nissuer = 'i'\nacquirer = 'a'\n", "callbacks.plain"),
        ("[gateway]\nissuer = 'i'\nacquirer = 'a'\nlisten = 'x'\n", "gateway.listen"),
        ("[", "not TOML"),
    ):
        path.write_text(text)
        done = jinka("gateway", "serve", path)
        assert done.returncode == 2
        assert where in done.stderr
    path.write_text(GATEWAY.format(port=1))
    inside = (
        "gateway",
        "merchant",
        path,
        "m",
        "--name",
        "M",
        "--terminal",
        "00000009",
        "--callback",
        "ftp://x/",
    )
    assert "callback_url" in jinka(*inside).stderr
    assert "gateway.toml" in jinka("gateway", "serve", folder / "no" / "gateway.toml").stderr
