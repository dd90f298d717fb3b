"""`jinka serve` on an empty folder: a whole network that other people's software can pay in, and that mends itself.

One start for the module; the tests go on from one another in their order, and the last one stops it.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from csv import DictReader
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import iso8583
import pytest

from jinka.app.card_link import CardPlace
from jinka.app.key_scan import scan
from jinka.app.new_cards import OPENING_FEN
from jinka.app.new_network import FILE, open_network
from jinka.app.pos import Shown, opened_terminal
from jinka.app.serve_status import network_status
from jinka.app.serving import serve
from jinka.codec.iso8583 import DIALECTS
from jinka.issuer.chart import IssuerAccount, office_account
from jinka.kit import Refused, make_id
from jinka.store import SqlLedger, database_at
from jinka.terminal import VERBS
from tests.codec.iso8583.test_peers import pyiso_spec
from tests.node.test_metrics_http import LINE, get

SPEC = pyiso_spec(DIALECTS["iso1987-binary"])
WAIT_S = 60
PADS = ("terminal-T0000001", "terminal-T0000002")  # stand for terminals' own hardware: their keys are in them
APART = (*PADS, "holders.csv")  # and what the holders were told


@dataclass
class Network:
    folder: Path
    process: subprocess.Popen[str]
    told: dict[str, Any]
    paid_till: int = 0
    paid_gateway: int = 0
    paid_pos: int = 0
    paid_atm: int = 0
    trace: int = 0

    @property
    def cards(self) -> list[dict[str, str]]:
        with (self.folder / "holders.csv").open(encoding="utf-8") as rows:
            return list(DictReader(rows))

    def events(self, event: str) -> list[dict[str, Any]]:
        lines = (self.folder / "log" / "serve.jsonl").read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == event]

    def pid(self, part: str) -> int:
        return int([line["pid"] for line in self.events("started") if line["part"] == part][-1])

    def until_up(self) -> None:
        until = time.monotonic() + WAIT_S
        while True:
            found = network_status(self.folder / FILE)
            up = all(part.up for part in found)
            if up and found[-1].said["line"]["ready"] and found[2].said["peers"]["bank"]["ready"]:
                return
            assert time.monotonic() < until, found
            assert self.process.poll() is None
            time.sleep(0.1)

    def purchase(self, pan: str, fen: int) -> str:
        """A 0200 that is written and read by pyiso8583; the response code."""
        self.trace += 1
        now = time.strftime("%m%d%H%M%S")
        fields = {
            "t": "0200", "2": pan, "3": "000000", "4": f"{fen:012d}", "7": now, "11": f"{self.trace:06d}",
            "12": now[4:], "13": now[:4], "18": "5411", "25": "00", "32": "101", "41": "T0000009",
            "42": "M00000000000009", "49": "156",
        }  # fmt: skip
        raw, _ = iso8583.encode(fields, SPEC)
        port = self.told["parts"]["switch"]["ports"]["till"]
        with socket.create_connection(("127.0.0.1", port), timeout=30) as link:
            link.sendall(len(raw).to_bytes(2, "big") + raw)
            stream = link.makefile("rb")
            answer, _ = iso8583.decode(stream.read(int.from_bytes(stream.read(2), "big")), SPEC)
            stream.close()
        assert (answer["t"], answer["11"]) == ("0210", fields["11"])
        self.paid_till += fen * (answer["39"] == "00")
        return str(answer["39"])

    def sale(self, holder: dict[str, str]) -> tuple[str, str]:
        """A chip is sold to at the terminal, with its PIN; what the slip says."""
        card = CardPlace(image=self.folder / holder["chip"], keys=self.folder / "keys")
        with opened_terminal(self.folder / "pos.toml") as terminal:
            slip = terminal.with_card(VERBS["sale"], 4_321, Shown(card=card, pin=holder["pin"].strip))
        assert slip.entry_mode == "05"
        self.paid_pos += 4_321 * slip.approved
        return slip.status, slip.code

    def cash(self, holder: dict[str, str], fen: int) -> tuple[str, str]:
        """Cash is drawn with a chip and its PIN; what the slip says."""
        card = CardPlace(image=self.folder / holder["chip"], keys=self.folder / "keys")
        with opened_terminal(self.folder / "atm.toml", atm=True) as terminal:
            slip = terminal.with_card(VERBS["cash"], fen, Shown(card=card, pin=holder["pin"].strip))
        self.paid_atm += fen * slip.approved
        return slip.status, slip.code

    def post(self, path: str, body: dict[str, Any], again: str) -> dict[str, Any]:
        told = self.told["parts"]["gateway"]
        link = http.client.HTTPConnection(told["host"], told["port"], timeout=60)
        head = {
            "Authorization": f"Bearer {self.told['merchant']['key']}",
            "Idempotency-Key": again,
            "Content-Type": "application/json",
        }
        link.request("POST", path, json.dumps(body), head)
        answer = link.getresponse()
        said = json.loads(answer.read())
        link.close()
        assert answer.status < 300, said
        return dict(said)

    def order(self, card: dict[str, str], fen: int, name: str) -> str:
        """An order that is paid with a typed card; its state."""
        made = self.post("/v1/orders", {"amount_minor": fen}, f"make-{name}")
        typed = {"number": card["number"], "expiry": card["expiry_yymm"], "card_value": card["card_value"]}
        said = self.post(f"/v1/orders/{made['id']}/pay", {"kind": "card", "card": typed}, f"pay-{name}")
        self.paid_gateway += fen * (said["state"] == "captured")
        return str(said["state"])


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp("serve") / "n"
    port = random.Random(os.getpid()).randrange(20_000, 30_000)
    command = [sys.executable, "-c", "from jinka.cli import main; main()", "serve", "--json",
               "--dir", str(folder), "--first-port", str(port)]  # fmt: skip
    with (folder.parent / "errors").open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        text = ""
        while not text.endswith("\n}\n"):
            line = process.stdout.readline()
            assert line, (folder.parent / "errors").read_text()
            text += line
        made = Network(folder, process, json.loads(text))
        made.until_up()
        yield made
    finally:
        process.terminate()
        process.communicate(timeout=WAIT_S)
        for pad in PADS:
            shutil.rmtree(folder / pad, ignore_errors=True)


def test_one_line_a_part_says_where_it_is(network: Network) -> None:
    errors = (network.folder.parent / "errors").read_text().splitlines()
    said = [line.split()[0] for line in errors if line.split()[0] in network.told["parts"]]
    assert sorted(said) == ["gateway", "issuer", "keys", "switch"]
    assert said[0] == "keys"
    assert network.told["parts"]["keys"]["simulated"]


def test_other_peoples_message_is_answered(network: Network) -> None:
    pan = network.cards[0]["number"]
    assert network.purchase(pan, 1_234) == "00"
    assert network.purchase(pan, OPENING_FEN) == "51"
    assert network.purchase("4000000000000002", 100) == "15"


def test_an_order_is_paid_through_the_switch(network: Network) -> None:
    card = network.cards[1]
    assert network.order(card, 2_000, "one") == "captured"
    false = card | {"card_value": f"{(int(card['card_value']) + 1) % 1000:03d}"}
    assert network.order(false, 2_000, "two") == "created"
    lines = {part.part: part.words() for part in network_status(network.folder / FILE)}
    assert "gateway: lines 1, signed on 1, stored 0" in lines["switch"]


def test_each_part_gives_its_figures_to_prometheus(network: Network) -> None:
    for part, sample in (
        ("switch", 'jinka_switch_events_total{event="requests",peer="gateway"} 2'),
        ("issuer", 'jinka_issuer_answers_total{mti="0210",code="51"} 1'),
        ("gateway", 'jinka_gateway_requests_total{method="POST",status="201"} 2'),
    ):
        page = get(network.told["parts"][part]["metrics"], b"GET /metrics HTTP/1.1\r\n\r\n")[1].decode()
        assert sample in page.splitlines(), page
        assert all(LINE.fullmatch(line) for line in page.splitlines()), page


def test_a_terminal_signs_in_and_sells_to_a_chip_with_its_pin(network: Network) -> None:
    assert network.sale(network.cards[4] | {"pin": "000000"}) == ("declined", "55")
    assert network.sale(network.cards[4]) == ("done", "00")


def test_cash_is_drawn_with_a_chip_and_its_pin_and_not_with_another(network: Network) -> None:
    holder = network.cards[2]
    assert network.cash(holder, 20_000) == ("done", "00")
    wrong = holder | {
        "pin": f"{(int(holder['pin'][0]) + 1) % 10}{holder['pin'][1:]}"
    }  # a PVV is over four digits
    assert network.cash(wrong, 20_000)[1] == "55"
    assert network.cash(holder, 10_100_000)[0] != "done"  # more than there is in the dispenser


def test_another_serve_in_the_folder_is_refused_and_a_second_start_makes_nothing(network: Network) -> None:
    path, made = open_network(None, network.folder, Path("x"))
    assert (path, made) == (network.folder / FILE, {})
    with pytest.raises(Refused, match="another run"):
        serve(path, tell=lambda *_: None, ready=lambda _: None)


def test_after_a_kill_of_the_key_service_all_come_back_and_the_next_payments_work(network: Network) -> None:
    before = network.pid("gateway")
    os.kill(network.pid("keys"), signal.SIGKILL)
    until = time.monotonic() + WAIT_S
    while network.pid("gateway") == before:
        assert time.monotonic() < until
        time.sleep(0.05)
    network.until_up()
    assert network.purchase(network.cards[2]["number"], 500) == "00"
    assert network.order(network.cards[3], 700, "after") == "captured"
    # The terminal's work keys died with the service. It is told to sign in, by an answer that nothing proves: so it
    # takes its sale back, signs in, and sells.
    assert network.sale(network.cards[4]) == ("owed", "")
    assert network.sale(network.cards[4]) == ("done", "00")
    assert [line["part"] for line in network.events("died")] == ["keys"]
    assert {line["part"] for line in network.events("taken along")} == {"issuer", "switch", "gateway"}


def test_it_ends_without_a_process_or_a_key_left_and_the_books_agree(network: Network) -> None:
    pids = {line["pid"] for line in network.events("started") if "pid" in line}
    network.process.send_signal(signal.SIGTERM)
    network.process.communicate(timeout=WAIT_S)
    assert network.process.returncode == 0
    assert [line["part"] for line in network.events("stopped")] == ["gateway", "switch", "issuer", "keys"]
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not (network.folder / "keys" / "keys.sock").exists()
    assert {part.up for part in network_status(network.folder / FILE)} == {False}
    with database_at(network.folder / "issuer.db") as database:
        ledger = SqlLedger(database)
        owed = {who: office_account(IssuerAccount.ACQUIRER, who).id for who in ("101", "102", "103", "104")}
        accounts = [make_id("jinka.issuer.account", card["account"]) for card in network.cards]
        found = ledger.balances([*owed.values(), *accounts])
    sums = {id_: balance.credits_posted - balance.debits_posted for id_, balance in found.items()}
    paid = (network.paid_till, network.paid_gateway, network.paid_pos, network.paid_atm)
    assert tuple(sums[id_] for id_ in owed.values()) == paid
    spent = OPENING_FEN * len(accounts) - sum(sums[id_] for id_ in accounts)
    assert spent == sum(paid)
    assert all(paid)
    logged = (network.folder / "log" / "switch.jsonl").read_text()
    assert '"peers.bank.ready": true' in logged
    assert "counts.requests{till}" in logged
    left = [path for path in network.folder.iterdir() if path.name not in APART]
    scanned = scan([network.folder / "keys"], left)
    assert scanned.secrets > 10
    assert not scanned.findings
    files = [path for place in left for path in (place, *place.rglob("*")) if path.is_file()]
    assert not [
        (card["account"], path) for card in network.cards for path in files
        if card["number"].encode() in path.read_bytes()
    ]  # fmt: skip
