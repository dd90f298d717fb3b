"""Gateway, switch and issuer as processes, each killed in turn under load: no order paid twice, no callback lost.

The key service is this process, behind its socket; keys are those of published vectors. All lines have MACs. In the end
the merchant's orders, the switch's journal and the issuer's ledger say the same.
"""

from __future__ import annotations

import http.client
import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jinka.acquirer import Merchant
from jinka.app.gateway_config import read_gateway_file
from jinka.app.gateway_serving import add_merchant, put_merchant
from jinka.app.issuer_host import import_cards
from jinka.issuer.authorisation import card_id
from jinka.issuer.chart import IssuerAccount, office_account
from jinka.kit import NotFound, Usage
from jinka.registry.check_digits import luhn_digit
from jinka.store import SqlLedger, SwitchJournal, database_at
from jinka.switch.record import Entity
from tests.issuer.host_rig import Bank
from tests.keys import payments

JINKA = (sys.executable, "-c", "from jinka.cli import main; main()")
OPENING, FEN, BUYERS, PURCHASES = 1_000_000, 1_000, 4, 12
PANS = [body + luhn_digit(body) for body in (f"62258801234{n:04}" for n in range(BUYERS))]
ACQUIRER = "101"
KEYS = """
[keys]
socket = "keys.sock"
caller = "day"
"""
ISSUER = """
[issuer]
name = "bank"
acquirers = ["101"]
[peer]
listen = "127.0.0.1:{issuer}"
mac = "zone_mac/TDES/1@bank"
[names]
pin = "pin_verify/TDES/1"
card_value = "card_verify/TDES/1"
"""
MAC = 'mac = { kind = "iso", key = "zone_mac/TDES/1@bank", field = 128 }'
SWITCH = """
[switch]
institution = "88001"
[peers.shop]
listen = "127.0.0.1:{switch}"
institution = "101"
sign_on = "peer"
{mac}
[peers.bank]
connect = "127.0.0.1:{issuer}"
institution = "202"
retry_ms = 200
retry_max_ms = 500
{mac}
[routes]
622588 = "bank"
"""
GATEWAY = """
[gateway]
institution = "101"
listen = "127.0.0.1:{gateway}"
[gateway.switch]
connect = "127.0.0.1:{switch}"
{mac}
[callbacks]
plain = true
inside = true
"""
SHOP = Merchant(
    id="teahouse", name="TEA", local_name="", category="5999", city="SHENZHEN", terminal="00000001", key_hash=b"",
    requests_per_minute=1_000_000,
)  # fmt: skip
PARTS = {"issuer": ISSUER, "switch": SWITCH, "gateway": GATEWAY}


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
    """One part as a process."""

    def __init__(self, folder: Path, part: str) -> None:
        self.process = subprocess.Popen(
            [*JINKA, part, "serve", str(folder / f"{part}.toml")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ready(self) -> None:
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


def free_ports(count: int) -> list[int]:
    places = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [place.getsockname()[1] for place in places]
    for place in places:
        place.close()
    return ports


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    keys, bank = payments.sealing(payments.rig()), Bank()
    ports = dict(zip(PARTS, free_ports(len(PARTS)), strict=True))
    for part, text in PARTS.items():
        (tmp_path / f"{part}.toml").write_text(text.format(**ports, mac=MAC) + KEYS)
    (tmp_path / "port").write_text(str(ports["gateway"]))
    rows = ["pan,account,expiry4,chip,sequence,pin_reference,opening_fen"]
    rows += [
        f"{pan},A{number},2812,0,00,{bank.card(pan, 'A').pin_reference},{OPENING}"
        for number, pan in enumerate(PANS)
    ]
    (tmp_path / "cards.csv").write_text("\n".join(rows) + "\n")
    assert import_cards(tmp_path / "issuer.toml", tmp_path / "cards.csv", keys.service)["cards"] == BUYERS
    with payments.over_socket(keys, tmp_path):
        yield tmp_path


def test_each_part_killed_under_load_nothing_is_paid_twice_and_no_callback_is_lost(folder: Path) -> None:
    chance, receiver = random.Random(7), Receiver()
    port = int((folder / "port").read_text())
    key = add_merchant(folder / "gateway.toml", SHOP, receiver.url)["key"]
    value = {pan: Bank().value("000", pan).value for pan in PANS}
    until, failed = time.monotonic() + 120, []
    serving = {part: Serving(folder, part) for part in PARTS}
    for process in serving.values():
        process.ready()

    def buy(pan: str) -> None:
        try:
            for number in range(PURCHASES):
                name = f"{pan[-4:]}-{number}"
                made = persist(
                    port, key, "POST", "/v1/orders", {"amount_minor": FEN}, f"make-{name}", until=until
                )
                card = {"number": pan, "expiry": "2812", "card_value": value[pan]}
                for attempt in range(3):
                    found = persist(
                        port, key, "POST", f"/v1/orders/{made['id']}/pay", {"kind": "card", "card": card},
                        f"pay-{name}-{attempt}", until=until,
                    )  # fmt: skip
                    if found["state"] != "created":  # captured, or in doubt
                        break
                    time.sleep(0.5)
        except AssertionError as error:
            failed.append(error)

    def orders() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask(port, key, "GET", "/v1/orders?limit=100", None, "x")[1]["orders"]
        return found

    buyers = [threading.Thread(target=buy, args=(pan,)) for pan in PANS]
    try:
        for buyer in buyers:
            buyer.start()
        for part in ("gateway", "issuer", "switch"):
            time.sleep(chance.uniform(0.2, 0.5))
            serving[part].stop(signal.SIGKILL)
            serving[part] = Serving(folder, part)
            serving[part].ready()
        for buyer in buyers:
            buyer.join()
        assert not failed
        seen = orders()
        while {order["state"] for order in seen} & {"unknown", "pending"} and time.monotonic() < until:
            time.sleep(0.2)
            seen = orders()
        paid = [order for order in seen if order["state"] == "captured"]
        assert {order["state"] for order in seen} <= {"captured", "created"}
        assert len(seen) == BUYERS * PURCHASES
        wanted = {order["id"] for order in paid}
        told: set[str] = set()
        while not wanted <= told and time.monotonic() < until:
            time.sleep(0.1)
            told = {b["data"]["id"] for b in receiver.bodies if b["type"] == "order.captured"}
        assert wanted <= told
        while owed(folder) != len(paid) * FEN and time.monotonic() < until:  # reversals are on their way
            time.sleep(0.2)
    finally:
        errors = {part: serving[part].stop() for part in reversed(PARTS)}
        receiver.stop()
    assert {part: serving[part].process.returncode for part in PARTS} == dict.fromkeys(PARTS, 0), errors
    assert (owed(folder), settled(folder)) == (len(paid) * FEN, len(paid) * FEN)
    assert len(paid) > BUYERS
    assert not leaks(folder)


def owed(folder: Path) -> int:
    """What the issuer owes the acquirer."""
    with database_at(folder / "issuer.db") as database:
        office = office_account(IssuerAccount.ACQUIRER, ACQUIRER).id
        found = SqlLedger(database).balances([office])[office]
    return found.credits_posted - found.debits_posted


def settled(folder: Path) -> int:
    """What the switch's journal says was paid; nothing in it waits any more."""
    with database_at(folder / "switch.db") as database:
        lines = SwitchJournal(database, NoSealer()).lines(limit=10_000)
    lines = [
        line for line in lines if line.entity != Entity.TAKEN.value
    ]  # what is taken of an original is no payment
    newest = {(line.entity, line.trace, line.at_micros): line for line in reversed(lines)}
    assert {line.state for line in newest.values()} <= {"approved", "declined", "reversed", "done"}
    return sum(line.amount_fen for line in newest.values() if line.state == "approved")


class NoSealer:
    """The journal's open lines need no key."""

    def seal_image(self, plain: bytes, *, context: str) -> bytes:
        raise AssertionError(context)

    def open_image(self, blob: bytes, *, context: str) -> bytes:
        raise AssertionError(context)


def leaks(folder: Path) -> list[tuple[str, str]]:
    """Card numbers in any database of the journey: in clear, packed, or as hashes that whoever guesses can make."""
    stored = {path.name: path.read_bytes() for path in folder.glob("*.db*")}
    assert {"gateway.db", "issuer.db", "switch.db"} <= stored.keys()
    forms = {pan: (pan.encode(), bytes.fromhex(pan), card_id(pan)) for pan in PANS}
    return [
        (name, pan) for name, held in stored.items() for pan in PANS if any(f in held for f in forms[pan])
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[gateway]\ninstitution = '1'\n", "gateway.switch"),
        ("[gateway]\ncolour = 1\n", "gateway"),
        ("[callbacks]\nplain = 1\n[gateway]\ninstitution = '1'\nswitch.connect = ':1'\n", "callbacks.plain"),
        ("[gateway]\ninstitution = 'x'\nswitch.connect = ':1'\n", "gateway.institution"),
        ("[gateway]\ninstitution = '1'\nswitch.connect = ':1'\nlisten = 'x'\n", "gateway.listen"),
        ("[gateway]\ninstitution = '1'\nswitch = { mac = {} }\n", "gateway.switch.connect"),
        ("[gateway]\ninstitution = '1'\nswitch = { connect = ':1', listen = 'x' }\n", "gateway.switch"),
        ("[gateway]\ninstitution = '1'\nswitch = { connect = ':1', dialect = 'unionpay-pos' }\n", "dialect"),
        ("[", "not TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, where: str) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    with pytest.raises(Usage) as raised:
        read_gateway_file(path)
    assert where in str(raised.value)


def test_a_merchant_that_messages_cannot_carry_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(GATEWAY.format(gateway=1, switch=2, mac=""))
    file = read_gateway_file(path)
    good = Merchant(
        id="m", name="M", local_name="", category="5999", city="X", terminal="00000009", key_hash=b""
    )
    for change, where in (
        ({"id": "m" * 16}, "merchant"),
        ({"name": "茶馆"}, "merchant"),
        ({"terminal": "1"}, "terminal"),
        ({"category": "tea"}, "category"),
    ):
        with pytest.raises(Usage, match=where):
            put_merchant(file, NoSealer(), replace(good, **change), "")
    with pytest.raises(Usage, match="callback_url"):
        put_merchant(file, NoSealer(), good, "ftp://x/")
    with pytest.raises(NotFound):
        read_gateway_file(tmp_path / "no" / "gateway.toml")
