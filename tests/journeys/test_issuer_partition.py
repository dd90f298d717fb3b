"""An issuer is cut off from the switch for a minute under load, and four books agree.

Method: `jinka switch serve` and `jinka issuer serve` as processes, each on its own database (SQLite, and at the same
time a second pair on PostgreSQL), and a network between them whose lines fail in every way: answers lost, all lost, all
held and let go when nobody expects it, reset. A till pays all along, repeats and reverses. Afterwards its book, the
switch's journal, the issuer's books and the issuer's ledger must say the same of every payment: stand-in kept its
limits, its advices came, no card was debited twice.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinka.app.keyring import make_keys, open_keys
from jinka.app.switch_serving import switch_status
from jinka.app.workspace import Workspace
from jinka.codec.framing import Framer
from jinka.codec.iso8583 import Message
from jinka.issuer import HolderAccount
from jinka.issuer.books import Booking, State
from jinka.issuer.chart import IssuerAccount, office_account
from jinka.issuer.iso import IsoTerms, request_of
from jinka.issuer.reasons import Reason
from jinka.ledger import Transfer, TransferFlag
from jinka.store import SqlIssuerBooks, SqlLedger, SwitchJournal, database_at
from jinka.switch import Record
from jinka.switch.standin import NOTE
from tests.cli.test_issuer import jinka
from tests.journeys.test_switch_kill import Process
from tests.switch.ground import CODEC, request, reversal
from tests.switch.partition import Fault, Network
from tests.switch.tcp import FRAMING, Till

MINUTE_S = 60
EACH_S = 0.04  # between payments
PANS = [f"62284801234{n:05}" for n in range(60)]
BLOCKED, POOR = PANS[0], PANS[1]
OPENING, POOR_OPENING = 10_000_000, 1_500
EACH_FEN, CARD_FEN, CARD_COUNT = 5_000, 12_000, 9

SWITCH = """
[switch]
institution = "88001"
business_date = "2023-11-14"
metrics = "127.0.0.1:0"
database = {database}
[keys]
folder = "."
[peers.till]
listen = "127.0.0.1:0"
institution = "101"
[peers.bank]
connect = "127.0.0.1:{port}"
connections = 4
sign_on = "we"
institution = "202"
timeout_ms = 1500
retry_ms = 300
retry_max_ms = 2000
echo_ms = 1000
echo_misses = 2
[routes]
622848 = "bank"
[stand_in.bank]
kinds = ["purchase", "cash", "pre_auth"]
each_fen = {each}
card_fen = {card}
card_count = {count}
blocked_file = "blocked.txt"
"""
ISSUER = """
[issuer]
name = "bank"
database = {database}
acquirers = ["101"]
[peer]
listen = "127.0.0.1:0"
[names]
pin = "pin_verify/TDES/1"
card_value = "card_verify/TDES/1"
[keys]
folder = "."
"""


@dataclass
class Load:
    """A till that pays all along. What it was told is its book."""

    dice: random.Random
    messages: dict[str, Message] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    approvals: list[tuple[float, str]] = field(default_factory=list)  # when, which
    undone: set[str] = field(default_factory=set)
    completed: set[str] = field(default_factory=set)
    going: bool = True

    async def run(self, till: Till) -> None:
        tasks = []
        while self.going:
            tasks.append(asyncio.ensure_future(self.pay(till)))
            await asyncio.sleep(EACH_S)
        await asyncio.gather(*tasks)

    async def pay(self, till: Till) -> None:
        trace = len(self.messages) + 1
        fen = self.dice.choice((100, 300, 700, 1_900, 4_999, 6_000))
        mti, code = self.dice.choices(
            (("0200", "000000"), ("0200", "010000"), ("0100", "030000")), (8, 1, 1)
        )[0]
        message = request(trace, pan=self.dice.choice(PANS), fen=fen, mti=mti, code=code)
        self.messages[message.text(11)] = message
        answer = await self.ask(till, message)
        self.codes[message.text(11)] = answer.text(39)
        if answer.text(39) != "00":
            return
        self.approvals.append((time.monotonic(), message.text(11)))
        if self.dice.random() < 0.1:
            back = await self.ask(till, reversal(message, 900_000 + trace))
            assert back.text(39) == "00"
            self.undone.add(message.text(11))

    async def complete(self, till: Till) -> None:
        """Complete what was held, most of it for less."""
        for trace, hold in [(trace, self.messages[trace]) for trace in self.holds()]:
            number = len(self.messages) + 1
            data = f"{hold.mti}{trace}{hold.text(7)}{'101'.zfill(11)}{'0' * 11}"
            fen = max(1, int(hold.text(4)) - number % 3)
            message = request(number, pan=hold.text(2), fen=fen, f25="06", f90=data)
            self.messages[message.text(11)] = message
            self.codes[message.text(11)] = (await self.ask(till, message)).text(39)
            self.completed.add(trace)

    def holds(self) -> list[str]:
        """What is held for the merchants."""
        return [trace for trace in self.stand() if self.messages[trace].mti == "0100"]

    async def ask(self, till: Till, message: Message) -> Message:
        while True:
            try:
                return await till.ask(message, 5)
            except TimeoutError:
                continue

    def stand(self) -> dict[str, int]:
        """What the till holds for paid: trace number -> fen."""
        return {
            trace: int(self.messages[trace].text(4))
            for trace, code in self.codes.items()
            if code == "00" and trace not in self.undone
        }


async def live(switch_file: Path, load: Load, network: Network) -> tuple[list[Message], float]:
    """The load, and the minute in it. Returns the answers to what came late, and when the minute began."""
    switch = Process(switch_file)
    facts = await switch.start()
    try:
        return await the_minute(facts, load, network)
    finally:
        assert await switch.end(signal.SIGTERM) == 0


async def the_minute(facts: dict[str, Any], load: Load, network: Network) -> tuple[list[Message], float]:
    address = f"127.0.0.1:{facts['metrics']}"

    async def bank() -> dict[str, int]:
        return dict((await asyncio.to_thread(switch_status, address))["peers"]["bank"])

    while not (await bank())["ready"] or len(network.lines) < 4:
        await asyncio.sleep(0.05)
    till = await Till().connect(facts["ports"]["till"])
    paying = asyncio.ensure_future(load.run(till))
    await asyncio.sleep(3)
    began = time.monotonic()
    network.part(
        (Fault.HOLD, Fault.HALF, Fault.DROP, Fault.RESET), (Fault.RESET, Fault.DROP, Fault.HALF, Fault.HOLD)
    )
    await asyncio.sleep(MINUTE_S)
    assert (await bank())["stored"], "advices and reversals wait"
    network.heal()
    while not (await bank())["ready"]:
        await asyncio.sleep(0.05)
    await asyncio.sleep(3)
    load.going = False
    await paying
    while (await bank())["stored"]:
        await asyncio.sleep(0.1)
    await load.complete(till)
    late = await arrives_late(network)
    await till.close()
    return late, began


async def arrives_late(network: Network) -> list[Message]:
    lines = network.let_go()
    asked = [m for line in lines for m in messages(b"".join(line.held))]
    late: list[Message] = []
    for _ in range(200):
        late = [m for line in lines for m in messages(line.late)]
        if len(late) == len(asked):
            break
        await asyncio.sleep(0.05)
    assert len(late) == len(asked)
    return late


def messages(data: bytes) -> list[Message]:
    return [CODEC.decode(frame.message) for frame in Framer(FRAMING).feed(data)[0]]


@dataclass
class Town:
    """Switch and issuer, each in a folder of its own and with its database on one engine, and the till before them."""

    folder: Path
    databases: dict[str, Path | str]
    load: Load = field(default_factory=lambda: Load(random.Random(7)))

    def __post_init__(self) -> None:
        for part in ("switch", "issuer"):
            (self.folder / part).mkdir(parents=True)
            make_keys(Workspace(self.folder / part), seed=1, date="2018-09-01")
        (self.folder / "switch/blocked.txt").write_text(BLOCKED)
        file, cards = self.folder / "issuer/issuer.toml", self.folder / "issuer/cards.csv"
        file.write_text(ISSUER.format(database=json.dumps(str(self.databases["issuer"]))))
        rows = ["pan,account,expiry4,chip,sequence,pin_reference,opening_fen"]
        rows += [f"{pan},A{pan},2812,0,00,,{POOR_OPENING if pan == POOR else OPENING}" for pan in PANS]
        cards.write_text("\n".join(rows) + "\n")
        made = jinka("issuer", "cards", file, cards)
        assert made.returncode == 0, made.stderr

    async def live(self) -> None:
        host = Process(self.folder / "issuer/issuer.toml", "issuer")
        network = Network((await host.start())["port"])
        file = self.folder / "switch/switch.toml"
        file.write_text(
            SWITCH.format(
                port=await network.start(), each=EACH_FEN, card=CARD_FEN, count=CARD_COUNT,
                database=json.dumps(str(self.databases["switch"])),
            )
        )  # fmt: skip
        try:
            self.late, self.began = await live(file, self.load, network)
        finally:
            assert set(Fault) <= network.met
            await network.stop()
            assert await host.end(signal.SIGTERM) == 0

    def compare(self) -> None:
        journal = self.read_journal()
        books, moves = self.read_issuer()
        stood_in = limits_were_kept(self.load, journal)
        of_the_minute = [at - self.began for at, trace in self.load.approvals if trace in stood_in]
        for third in range(3):  # all along, not only until the first line was given up
            assert any(third * 20 <= at < third * 20 + 20 for at in of_the_minute), third
        the_switch_agrees(self.load, journal)
        the_issuer_agrees(self.load, books, moves)
        late_originals_are_refused(self.load, self.late, journal)

    def read_journal(self) -> dict[str, list[Record]]:
        """By what they are about: the transactions under ``transaction``, messages for the issuer by their kind."""
        keys = open_keys(Workspace(self.folder / "switch"), "440300")
        found: dict[str, list[Record]] = {}
        with database_at(self.databases["switch"]) as database:
            for record in SwitchJournal(database, keys).all_newest():
                kind = "transaction" if record.entity.value == "transaction" else record.kind
                found.setdefault(kind, []).append(record)
        keys.close()
        return found

    def read_issuer(self) -> tuple[dict[bytes, Booking], list[Transfer]]:
        """The issuer's bookings, and all that its ledger says of holders and shortfalls."""
        with database_at(self.databases["issuer"]) as database:
            books, ledger = SqlIssuerBooks(database), SqlLedger(database)
            assert books.unfinished() == []
            office = office_account(IssuerAccount.ACQUIRER, "101").id
            return {booking.id: booking for booking in books.all_bookings()}, ledger.history(office)


def test_a_minute_without_the_issuer(
    tmp_path: Path, fresh_sqlite: Callable[[], Path], fresh_postgres: Callable[[], str]
) -> None:
    """One minute for both engines: two towns that know nothing of each other."""
    towns = [
        Town(tmp_path / str(number), {part: place() for part in ("switch", "issuer")})
        for number, place in enumerate((fresh_sqlite, fresh_postgres))
    ]

    async def both() -> None:
        await asyncio.gather(*(town.live() for town in towns))

    asyncio.run(both())
    for town in towns:
        town.compare()


def limits_were_kept(load: Load, journal: dict[str, list[Record]]) -> set[str]:
    """Stand-in answered, within what it may; the traces of its approvals."""
    stood_in = [r for r in journal["transaction"] if r.note == NOTE]
    assert len(stood_in) > 100
    for pan in PANS:
        mine = [r for r in stood_in if r.request.text(2) == pan and r.state == "approved"]
        assert sum(r.amount_fen for r in mine) <= CARD_FEN
        assert len(mine) <= CARD_COUNT
    assert all(r.amount_fen <= EACH_FEN and r.request.text(2) != BLOCKED for r in stood_in)
    codes = Counter((r.request.mti, r.request.text(3)) for r in stood_in)
    assert set(codes) == {("0200", "000000"), ("0200", "010000"), ("0100", "030000")}
    assert set(load.codes.values()) >= {"00", "61", "68", "91"}
    return {r.request.text(11) for r in stood_in}


def the_switch_agrees(load: Load, journal: dict[str, list[Record]]) -> None:
    """Its journal says of each payment what the till was told, and nothing is left to be sent or was refused."""
    states = {r.request.text(11): r.state for r in journal["transaction"]}
    assert set(states) == set(load.messages) == set(load.codes)
    for trace, code in load.codes.items():
        undone = trace in load.undone or code == "68"
        expected = "reversed" if undone else "approved" if code == "00" else "declined"
        assert states[trace] == expected, (trace, code)
    assert {r.state for kind in ("advice", "reversal") for r in journal[kind]} == {"done"}


def the_issuer_agrees(load: Load, books: dict[bytes, Booking], moves: list[Transfer]) -> None:
    """Each payment that stands was debited once, each other not at all; and that is all that moved."""
    office = office_account(IssuerAccount.ACQUIRER, "101").id
    short = office_account(IssuerAccount.SHORTFALL, "bank").id
    now = time.time_ns() // 1000
    standing = load.stand()
    moves = [m for m in moves if not m.flags & (TransferFlag.PENDING | TransferFlag.VOID_PENDING)]
    paid: Counter[bytes] = Counter()
    for trace, message in load.messages.items():
        id_ = request_of(message, now, IsoTerms()).id
        booking, fen = books.get(id_), int(message.text(4))
        account = HolderAccount(number=f"A{message.text(2)}").id
        debits = [m for m in moves if m.user_data == id_ and m.credit_account == office]
        assert all(m.amount == fen and m.debit_account in (account, short) for m in debits)
        if trace in standing and message.mti == "0100":
            assert booking is not None
            assert (booking.state, debits) == (State.COMPLETED, []), trace
        elif trace in standing:
            assert booking is not None
            assert (booking.state, len(debits)) == (State.APPROVED, 1), trace
            paid[debits[0].debit_account] += fen
        else:
            assert booking is None or booking.state is not State.APPROVED, trace
    assert load.completed
    assert any(fen for account, fen in paid.items() if account == short), "the poor card had no cover"
    for account in {m.debit_account for m in moves} | {m.credit_account for m in moves} - {office}:
        if account != office:
            taken = sum(m.amount for m in moves if m.debit_account == account)
            given = sum(m.amount for m in moves if m.credit_account == account)
            assert taken - given == paid[account]


def late_originals_are_refused(load: Load, late: list[Message], journal: dict[str, list[Record]]) -> None:
    answers = [m for m in late if m.mti == "0210"]
    states = {r.request.text(11): r.state for r in journal["transaction"]}
    assert answers, "some requests were held"
    for answer in answers:
        assert answer.text(39) == Reason.ALREADY_REVERSED.code
        assert (states[answer.text(11)], load.codes[answer.text(11)]) == ("reversed", "68")
