"""A street for terminals: the issuer's host and the switch on real sockets in one thread, one card that both know.

The issuer's books and ledger are in memory, the switch's journal is a file. Peers of the switch: ``pos`` (UnionPay's
terminals, fixed keys), ``signing`` (the same with a sign-in), ``atm`` (ISO 8583:1987).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from jinka.app.pos_config import write_pad
from jinka.codec import Algorithm
from jinka.codec.framing import UNIONPAY_POS_FRAMING
from jinka.codec.iso8583 import dialect
from jinka.crypto.pin_block import PinFormat
from jinka.issuer import (
    CardChecks,
    CardKeyNames,
    HolderAccount,
    IsoIssuer,
    IsoTerms,
    IssuedCard,
    IssuerHost,
)
from jinka.issuer.iso_loads import IsoLoads
from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.provider import KeyKind
from jinka.node.issuer_server import IssuerServer
from jinka.node.switch_keys import KeyDesk
from jinka.node.switch_links import LinkRules
from jinka.node.switch_runner import Address, SwitchRunner
from jinka.node.system import SystemClock
from jinka.store import SwitchJournal, open_database
from jinka.switch import KeyLayout, MacKind, MacRule, Peer, PinRule, SwitchConfig, SwitchCore, Terminal
from jinka.terminal import PadKeys
from tests.card.emv_rig import HOLDER, MASTER, PAN
from tests.issuer.host_rig import ISSUER, PIN_KEY, VALUE_KEY, Bank
from tests.keys import payments
from tests.keys.ground import service

POS, ISO = dialect("unionpay-pos"), dialect("iso1987-binary")
TPK, TAK, TMK = bytes(range(16)), bytes(range(32, 48)), bytes(range(64, 80))
TERMINAL, MERCHANT, ACQUIRER = "80000001", "M00000000000001", "101"
SIGNING = "80000002"
OPENING = 1_000_000
STRIPE = "6228000100003337"  # a card without a chip
LATER = replace(HOLDER, pan="6228000100002222", expiry=dt.date(2039, 12, 31))  # for a card that is a file
_USES = {"cryptogram": "cryptogram", "script_mac": "script_mac", "script_data": "script_cipher"}
_MAC = MacRule(kind=MacKind.POS, key="terminal_mac/TDES/1@t1", field=64)
_ISO_MAC = MacRule(kind=MacKind.ISO, key="terminal_mac/TDES/1@t1", field=128)
_PIN = PinRule(key="terminal_pin/TDES/9@t1", format=PinFormat.ISO_0)
TOML = """
[terminal]
id = "{terminal}"
merchant = "{merchant}"
name = "Jinka 便利店"
institution = "{acquirer}"
{more}
[host]
connect = "127.0.0.1:{port}"
dialect = "{dialect}"
framing = "{framing}"
answer_s = 3.0
mac = {mac}
[chip]
contactless_floor_fen = 1000
contactless_limit_fen = 200000
contactless_cvm_fen = 50000
"""


class Street:
    """What the tests ask: where the peers listen, what the books say, and faults on the way."""

    def __init__(self, folder: Path, loads: IsoLoads | None = None) -> None:
        self.folder, self.loads = folder, loads
        self.keys = payments.rig()
        for text, value in (
            (_PIN.key, TPK), (_MAC.key, TAK), ("terminal_master/TDES/1@t2", TMK),
            *((f"{use}/TDES/9", MASTER[master]) for use, master in _USES.items()),
        ):  # fmt: skip
            name = KeyName.parse(text)
            key = self.keys.holding.provider.load(KeyKind(name.algorithm), value)
            self.keys.holding.working.keys.add(KeyRecord(name=name, check=""), key)
        self.bank = self._bank()
        self.loop = asyncio.new_event_loop()
        self.failures: list[BaseException] = []
        self.runner: SwitchRunner

    def _bank(self) -> Bank:
        bank = Bank()
        bank.keys = self.keys
        names = {use: {Algorithm.TDES: f"{use}/TDES/9"} for use in _USES}
        checks = CardChecks(self.keys.service, CardKeyNames(pin=PIN_KEY, card_value=VALUE_KEY, **names))
        bank.host = IssuerHost(
            issuer=ISSUER, books=bank.books, ledger=bank.ledger, checks=checks, policy=bank.policy,
            acquirers=[ACQUIRER],
        )  # fmt: skip
        bank.host.open_account(HolderAccount(number="C"))
        bank.host.add_card(replace(bank.card(PAN, "C"), sequence="01"))
        bank.fund("C", OPENING)
        bank.host.open_account(HolderAccount(number="L"))
        bank.host.add_card(replace(bank.card(LATER.pan, "L"), sequence="01", expiry4="3912"))
        bank.fund("L", OPENING)
        bank.host.open_account(HolderAccount(number="S"))
        bank.host.add_card(bank.card(STRIPE, "S", chip=False))
        bank.fund("S", OPENING)
        return bank

    async def live(self, ready: threading.Event, stop: asyncio.Event) -> None:
        terms = IsoTerms(zone="zone_pin/TDES/2@bank", capability_at=11)
        issuer = IssuerServer(
            IsoIssuer(self.bank.host, terms, self.loads), ISO, LinkRules(), SystemClock(), mac=None,
            failed=self.failures.append,
        )  # fmt: skip
        await issuer.start("127.0.0.1", 0)
        database = open_database(self.folder / "switch.db")
        clock = SystemClock()
        core = SwitchCore(config(), now_micros=clock.now_micros(), business_date="2026-01-01")
        desk = KeyDesk(self.keys.service, remote=False)
        journal = SwitchJournal(database, service())
        self.runner = SwitchRunner(core, journal, desk, clock, failed=self.failures.append)
        pos = LinkRules(framing=UNIONPAY_POS_FRAMING)
        await self.runner.start(
            [
                Address(peer="pos", host="127.0.0.1", port=0, listen=True, rules=pos),
                Address(peer="signing", host="127.0.0.1", port=0, listen=True, rules=pos),
                Address(peer="atm", host="127.0.0.1", port=0, listen=True, rules=LinkRules()),
                Address(peer="bank", host="127.0.0.1", port=issuer.port, listen=False, rules=LinkRules()),
            ]
        )
        while core.board.ready_line("bank") is None:
            await asyncio.sleep(0.005)
        ready.set()
        await stop.wait()
        await self.runner.stop()
        await issuer.stop()
        database.dispose()

    @property
    def held(self) -> int:
        """What the card's account has left, in fen."""
        return self.bank.available("C")

    def give_up_tries(self) -> None:
        """The card as new to the issuer: its PIN's tries back."""
        self.bank.host.add_card(self.known.unblocked())

    @property
    def known(self) -> IssuedCard:
        return self.bank.books.cards([PAN])[PAN]

    def settle(self, seconds: float = 5.0) -> None:
        """Wait until the switch owes the bank nothing."""
        until = time.monotonic() + seconds
        while self.runner.core.forwarding.depth("bank") and time.monotonic() < until:
            time.sleep(0.01)

    def toml(
        self, folder: Path, peer: str = "pos", terminal: str = TERMINAL, *, port: int = 0, more: str = ""
    ) -> Path:
        """A terminal's file and pad in a folder."""
        iso = peer == "atm"
        text = TOML.format(
            terminal=terminal, merchant=MERCHANT, acquirer=ACQUIRER, port=port or self.runner.ports[peer],
            dialect="iso1987-binary" if iso else "unionpay-pos", framing="2-binary" if iso else "unionpay-pos",
            mac='{ kind = "iso", field = 128 }' if iso else '{ kind = "pos" }', more=more,
        )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pos.toml").write_text(text, encoding="utf-8")
        keys = PadKeys(storage=bytes(32), pin=TPK, mac=TAK)
        if peer == "signing":
            keys = PadKeys(storage=bytes(32), master=TMK)
        write_pad(folder / f"terminal-{terminal}" / "pad", keys)
        return folder / "pos.toml"


def config() -> SwitchConfig:
    pos = Peer(name="pos", codec=POS, institution=ACQUIRER, mac=_MAC, pin=_PIN)
    signing = replace(
        pos, name="signing", sign_ins={"003": KeyLayout.DOUBLE},
        terminals={SIGNING: Terminal(number=SIGNING, merchant=MERCHANT, master="terminal_master/TDES/1@t2")},
    )  # fmt: skip
    atm = Peer(name="atm", codec=ISO, institution=ACQUIRER, mac=_ISO_MAC, pin=_PIN)
    zone = PinRule(key="zone_pin/TDES/2@bank", format=PinFormat.ISO_0)
    bank = Peer(name="bank", codec=ISO, institution="202", pin=zone, retry_ms=50, retry_max_ms=100)
    return SwitchConfig(
        institution="88001", peers={p.name: p for p in (pos, signing, atm, bank)},
        routes={"62": "bank", "00005180": "bank"},
    )  # fmt: skip


@contextmanager
def street(folder: Path, loads: IsoLoads | None = None) -> Iterator[Street]:
    """Everything up, for as long as the block lasts."""
    there = Street(folder, loads)
    ready, stop = threading.Event(), asyncio.Event()
    thread = threading.Thread(
        target=there.loop.run_until_complete, args=(there.live(ready, stop),), daemon=True
    )
    thread.start()
    try:
        assert ready.wait(20)
        yield there
        assert not there.failures
    finally:
        there.loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        there.loop.close()
