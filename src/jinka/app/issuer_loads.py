"""The desk for online loads in an issuer's host: the table ``[loads]`` of its file, and agents' prepaid money.

A host is the home of its purses, or the city where holders pay for the purses of others; a city that is both runs two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, cast

from jinka.acquirer.purse_loads import PurseLoads, Way
from jinka.app.parts_file import PAGES, only
from jinka.app.switch_config import read_own_line
from jinka.issuer import HomeLoads, IssuerHost, LoadBooks, LoadOrder, LoadState
from jinka.issuer.chart import IssuerAccount, IssuerTransfer, office_account
from jinka.issuer.iso_loads import LoadTerms
from jinka.issuer.load_funds import AGENT, CARD, CITY, AllFunds, CardFunds, LedgerFunds
from jinka.issuer.online_load import LoadDesk
from jinka.issuer.relayed_load import RelayedLoads
from jinka.keys import KeyService
from jinka.keys.payment_port import PaymentService
from jinka.kit import Clock, Randomness, Refused, Usage, make_id
from jinka.ledger import LedgerEngine, Transfer, TransferResult
from jinka.node.switch_client import SwitchClient
from jinka.node.switch_keys import KeyDesk
from jinka.node.switch_runner import Address
from jinka.store import SqlLoads
from jinka.switch import Peer

_HOME = {"purse_limit_fen", "acquirer", "agents", "cities"}
_RELAY = {"city", "institution", "switch", "acquirer", "agents"}
_TERMINAL, _MERCHANT = "LOADS001", "LOADS"
_STATES = {state.value[0]: state for state in LoadState}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """A city that asks others' issuers: its name, its number at the switch, and the line there."""

    city: str
    institution: str
    line: Peer
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadsTable:
    """``acquirer`` is who is paid when a bank card of this issuer pays for a load; ``relay`` for a city of payers."""

    purse_limit_fen: int
    acquirer: str
    terms: LoadTerms
    relay: Relay | None = None


def read_loads(folder: Path, given: Mapping[str, Any], acquirers: tuple[str, ...]) -> LoadsTable | None:
    """The table; None where the file has none. Raises `Usage`."""
    if not given:
        return None
    only(given, _RELAY if "city" in given else _HOME, "loads", PAGES["issuer"])
    limit, acquirer = given.get("purse_limit_fen", 0), str(given.get("acquirer", ""))
    if "city" not in given and (type(limit) is not int or limit <= 0):
        raise Usage(
            "not an amount", where="loads.purse_limit_fen", fix="the most that a purse may hold, in fen"
        )
    if acquirer and acquirer not in acquirers:
        raise Usage("no such acquirer", where="loads.acquirer", fix="one of issuer.acquirers")
    agents = given.get("agents", {})
    if not all(isinstance(shops, dict) for shops in agents.values()):
        raise Usage(
            "not a table", where="loads.agents", fix="a table for each acquirer, from merchant to agent"
        )
    terms = LoadTerms(
        agents={(str(who), str(shop)): str(a) for who, shops in agents.items() for shop, a in shops.items()},
        cities={str(number): str(name) for number, name in given.get("cities", {}).items()},
    )
    return LoadsTable(purse_limit_fen=limit, acquirer=acquirer, terms=terms, relay=_relay(folder, given))


def _relay(folder: Path, given: Mapping[str, Any]) -> Relay | None:
    if "city" not in given:
        return None
    for name in ("institution", "switch"):
        if name not in given:
            raise Usage("missing", where=f"loads.{name}", fix=f"see {PAGES['issuer']}")
    own = str(given["institution"])
    line, address = read_own_line(folder, given["switch"], "loads.switch", own=own)
    return Relay(city=str(given["city"]), institution=own, line=line, address=address)


class CityLoads:
    """The desk of the city whose card it is, over a line: implements `LoadDesk` for `RelayedLoads`."""

    def __init__(self, loads: PurseLoads, books: LoadBooks) -> None:
        self._loads, self._books = loads, books

    def authorise(self, order: LoadOrder) -> bytes:
        return self._loads.authorise(order.question, Way.CASH)

    def confirm(self, load_id: bytes, tac: bytes) -> None:
        self._loads.confirm(self._card(load_id), load_id, tac)

    def challenge(self, load_id: bytes) -> bytes:
        return self._loads.challenge(self._card(load_id), load_id)

    def disprove(self, load_id: bytes, answer16: bytes) -> LoadState:
        return _STATES[self._loads.disprove(self._card(load_id), load_id, answer16)]

    def state_of(self, load_id: bytes) -> LoadState | None:
        return _STATES.get(self._loads.state(self._card(load_id), load_id))

    def _card(self, load_id: bytes) -> bytes:
        """By whose number the switch finds the way."""
        load = self._books.get(load_id)
        if load is None:
            raise Refused("no such load", where="load", fix="present the card again")
        return load.card_no


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBase:
    """What a desk for loads stands on: an opened issuer's host."""

    issuer: str
    books: SqlLoads
    host: IssuerHost
    ledger: LedgerEngine
    keys: PaymentService
    remote: bool


@contextmanager
def load_desk(table: LoadsTable, base: LoadBase, clock: Clock, randomness: Randomness) -> Iterator[LoadDesk]:
    """The desk with its money, what an earlier process left undecided settled."""
    offices = LedgerFunds(base.ledger, base.issuer)
    for scheme, names in ((AGENT, table.terms.agents), (CITY, table.terms.cities)):
        for name in names.values():
            offices.open(f"{scheme}:{name}")
    cards = {CARD: CardFunds(base.host, table.acquirer)} if table.acquirer else {}
    funds, books = AllFunds({AGENT: offices, CITY: offices, **cards}), base.books
    relay = table.relay
    if relay is None:
        home = HomeLoads(
            keys=cast(KeyService, base.keys), books=books, funds=funds, randomness=randomness,
            purse_limit=table.purse_limit_fen,
        )  # fmt: skip
        home.recover()
        yield home
        return
    desk = KeyDesk(base.keys, remote=base.remote)
    wire = SwitchClient(relay.line, relay.address, desk, clock, own=relay.institution)
    lines = PurseLoads(
        wire, clock, count(clock.now_micros() // 1000), institution=relay.institution, terminal=_TERMINAL,
        merchant=_MERCHANT,
    )  # fmt: skip
    wire.start()
    try:
        yield RelayedLoads(city=relay.city, home=CityLoads(lines, books), books=books, funds=funds)
    finally:
        wire.stop()


def pay_in(ledger: LedgerEngine, issuer: str, agent: str, amount_fen: int, reference: str) -> int:
    """An agent pays in; the same reference again is the same payment. What it has now, in fen."""
    if amount_fen <= 0:
        raise Usage("not an amount", where="fen", fix="at least one")
    account = LedgerFunds(ledger, issuer).open(f"{AGENT}:{agent}")
    made = Transfer(
        id=make_id("jinka.issuer.agent", agent, reference),
        debit_account=office_account(IssuerAccount.VAULT, issuer).id,
        credit_account=account,
        amount=amount_fen,
        ledger=156,
        code=IssuerTransfer.FUNDING,
    )
    [result] = ledger.create_transfers([made])
    if result not in (TransferResult.CREATED, TransferResult.EXISTS):
        raise Refused(f"the ledger says {result.name.lower()}", where="reference", fix="another reference")
    sums = ledger.balances([account])[account]
    return sums.credits_posted - sums.debits_posted - sums.debits_pending
