"""`jinka issuer` as processes: cards in, a host on TCP killed under load, and books that agree with the acquirer.

The key service is this process, behind its socket; keys are those of published vectors.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from jinka.app.issuer_host import import_cards, opened_host, read_issuer_file
from jinka.app.issuer_journal import issuer_journal
from jinka.codec.iso8583 import Message
from jinka.issuer.chart import IssuerAccount, office_account
from jinka.issuer.day_totals import DayTotals
from jinka.kit import make_id
from jinka.store import SqlIssuerBooks, SqlLedger, database_at
from tests.issuer.host_rig import Bank, pin_data
from tests.keys import payments
from tests.switch.ground import CODEC, MAC, request, reversal
from tests.switch.tcp import Till

JINKA = (sys.executable, "-c", "from jinka.cli import main; main()")
OPENING, FEN = 10_000_000, 1_000
PANS = [f"62258801234{n:05}" for n in range(40)]
TOML = """
[issuer]
name = "bank"
database = {database}
acquirers = ["101"]
[peer]
listen = "127.0.0.1:{port}"
zone = "zone_pin/TDES/1@bank"
{mac}
[names]
pin = "pin_verify/TDES/1"
card_value = "card_verify/TDES/1"
[keys]
socket = "keys.sock"
caller = "day"
[policy.pin]
kinds = ["cash"]
channels = []
"""


def jinka(*args: object) -> Any:
    return subprocess.run([*JINKA, *map(str, args)], capture_output=True, text=True, timeout=120)


@pytest.fixture
def keys() -> payments.Rig:
    return payments.sealing(payments.rig())


@pytest.fixture
def folder(tmp_path: Path, keys: payments.Rig) -> Iterator[Path]:
    write(tmp_path)
    bank = Bank()
    rows = ["pan,account,expiry4,chip,sequence,pin_reference,opening_fen"]
    for pan in PANS:
        rows.append(f"{pan},A{pan},2812,0,00,{bank.card(pan, 'A').pin_reference},{OPENING}")
    (tmp_path / "cards.csv").write_text("\n".join(rows) + "\n")
    with payments.over_socket(keys, tmp_path):
        yield tmp_path


def write(folder: Path, *, mac: str = "", port: int = 0, database: Path | str = "issuer.db") -> Path:
    text = TOML.format(mac=mac, port=port, database=json.dumps(str(database)))
    (folder / "issuer.toml").write_text(text)
    return folder / "issuer.toml"


class Serving:
    """The host as a process."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*JINKA, "issuer", "serve", str(folder / "issuer.toml")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            text += line
        self.told = json.loads(text)
        self.port = int(self.told["port"])

    def stop(self, how: int = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        out = self.process.wait(30)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return out


def test_cards_come_in_once_and_the_report_is_told_in_both_languages(folder: Path) -> None:
    made = jinka("issuer", "cards", folder / "issuer.toml", folder / "cards.csv")
    assert json.loads(made.stdout) == {"cards": 40, "accounts": 40, "known": 0}, made.stderr
    again = jinka("issuer", "cards", folder / "issuer.toml", folder / "cards.csv")
    assert json.loads(again.stdout) == {"cards": 0, "accounts": 0, "known": 40}
    assert "伪卡责任" in jinka("issuer", "migration", folder / "issuer.toml", "--lang", "zh").stdout
    told = json.loads(jinka("issuer", "migration", folder / "issuer.toml", "--json").stdout)
    assert told["cards"] == 0
    assert json.loads(jinka("issuer", "journal", folder / "issuer.toml", "--state", "lapsed").stdout) == []
    with opened_host(read_issuer_file(folder / "issuer.toml"), None) as opened:
        days = DayTotals(opened.books.days, ["101"])
        for fen in (0, 7):
            fields = {15: "0105", 32: "101", 74: "0", 76: "0", 86: "0", 88: str(fen)}
            days.answer(Message(mti="0500", fields=fields), 1_767_600_000_000_000)
    [line] = issuer_journal(folder / "issuer.toml", states=["differ"], limit=5)
    assert (line["business_date"], line["acquirer"], line["claimed"]["debit_fen"], line["ours"]["debit_fen"]) == (
        "2026-01-05", "101", 7, 0
    )  # fmt: skip
    both = issuer_journal(folder / "issuer.toml", states=["differ", "equal"], limit=5)
    assert [one["state"] for one in both] == ["equal", "differ"]
    assert issuer_journal(folder / "issuer.toml", states=[], limit=5) == []
    wrong = jinka("issuer", "journal", folder / "issuer.toml", "--state", "gone")
    assert (wrong.returncode, "neither a state nor a reason" in wrong.stderr) == (2, True)
    (folder / "bad.csv").write_text(
        "pan,account,expiry4,chip,sequence,pin_reference,opening_fen\nx,A,2812,0,00,,5\n"
    )
    bad = jinka("issuer", "cards", folder / "issuer.toml", folder / "bad.csv")
    assert bad.returncode == 2
    assert "bad.csv:2" in bad.stderr
    write(folder, mac="colour = 1")
    assert jinka("issuer", "migration", folder / "issuer.toml").returncode == 2


def test_macs_and_pins_over_the_wire(folder: Path, keys: payments.Rig) -> None:
    import_cards(folder / "issuer.toml", folder / "cards.csv")
    write(folder, mac=f'mac = "{MAC.key}"\nmac_algorithm = "{MAC.algorithm.name}"')

    def sealed(message: Message) -> bytes:
        raw = CODEC.encode(message.changed({128: bytes(8)}))[:-8]
        return raw + keys.service.generate_mac(raw, key=MAC.key, algorithm=MAC.algorithm)

    async def live(port: int) -> None:
        till = await Till().connect(port)
        good = await asyncio.wait_for(till.send(request(1, pan=PANS[0]), sealed), 20)
        assert good.text(39) == "00"
        raw = CODEC.encode(good)
        keys.service.verify_mac(raw[:-8], raw[-8:], key=MAC.key, algorithm=MAC.algorithm)
        for wrong in (request(2, pan=PANS[0]), request(3, pan=PANS[0], f128=bytes(8))):
            assert (await asyncio.wait_for(till.send(wrong), 20)).text(39) == "A0"
        right, false = (pin_data(pin, PANS[1]).block for pin in ("123456", "111111"))
        for trace, block, code in ((4, false, "55"), (5, right, "00")):
            asked = request(trace, pan=PANS[1], code="010000", f52=block)
            assert (await asyncio.wait_for(till.send(asked, sealed), 20)).text(39) == code
        await till.close()

    serving = Serving(folder)
    try:
        asyncio.run(live(serving.port))
    finally:
        assert serving.stop() == 0
    found = issuer_journal(folder / "issuer.toml", states=["declined"], limit=5)
    assert [(line["trace"], line["terminal"], line["card"]) for line in found] == [
        ("000004", "T0000001", "622588******0001")
    ], "what an acquirer is asked about it by"


def test_killed_under_load_the_books_agree_with_the_acquirer(folder: Path, where: Path | str) -> None:
    write(folder, database=where)
    import_cards(folder / "issuer.toml", folder / "cards.csv")
    approved: set[int] = set()
    unknown: set[int] = set()

    async def load(port: int, traces: range, kill: Any) -> None:
        till = await Till().connect(port)

        room, dead = asyncio.Semaphore(60), False

        async def one(trace: int) -> None:
            nonlocal dead
            async with room:
                if dead:
                    return
                asked = request(trace, pan=PANS[trace % len(PANS)], fen=FEN)
                try:
                    answer = await asyncio.wait_for(till.send(asked), 3)
                except (ConnectionError, TimeoutError):
                    unknown.add(trace)
                    return
            assert answer.text(39) == "00"
            approved.add(trace)
            if len(approved) % 130 == 0:
                await asyncio.sleep(0.003)  # into the middle of a group
                kill()
                dead = True

        await asyncio.gather(*(one(trace) for trace in traces))
        with suppress(OSError):
            await till.close()

    async def undo(port: int) -> None:
        till = await Till().connect(port)
        backs = [
            till.send(reversal(request(trace, pan=PANS[trace % len(PANS)], fen=FEN), 90_000 + trace))
            for trace in sorted(unknown)
        ]
        assert {answer.text(39) for answer in await asyncio.gather(*backs)} == {"00"}
        again = request(min(approved), pan=PANS[min(approved) % len(PANS)], fen=FEN)
        assert (await till.ask(again)).text(39) == "00", "the first answer, and no second charge"
        await till.close()

    for turn in range(2):
        serving = Serving(folder)
        asyncio.run(load(serving.port, range(1 + turn * 300, 301 + turn * 300), serving.process.kill))
        serving.stop(signal.SIGKILL)
    assert unknown, "it was killed under load"
    serving = Serving(folder)
    asyncio.run(undo(serving.port))
    assert serving.stop() == 0
    with database_at(where) as database:
        ledger, books = SqlLedger(database), SqlIssuerBooks(database)
        office = office_account(IssuerAccount.ACQUIRER, "101").id
        owed = ledger.balances([office])[office]
        assert owed.credits_posted - owed.debits_posted == FEN * len(approved)
        held = ledger.balances([make_id("jinka.issuer.account", f"A{pan}") for pan in PANS])
        left = sum(b.credits_posted - b.debits_posted for b in held.values())
        assert left == OPENING * len(PANS) - FEN * len(approved)
        assert books.unfinished() == []
