"""The desk for online loads in an issuer's host: the table ``[loads]`` of its file, and agents' prepaid money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from jinka.app.parts_file import PAGES, only
from jinka.crypto.number_vault import NumberVault
from jinka.issuer import HomeLoads, IssuerHost
from jinka.issuer.chart import IssuerAccount, IssuerTransfer, office_account
from jinka.issuer.iso_loads import LoadTerms
from jinka.issuer.load_funds import AGENT, CARD, CITY, AllFunds, CardFunds, LedgerFunds
from jinka.keys import KeyService
from jinka.keys.payment_port import PaymentService
from jinka.kit import Randomness, Refused, Usage, make_id
from jinka.ledger import LedgerEngine, Transfer, TransferResult
from jinka.store import SqlLoads

_LOADS = {"purse_limit_fen", "acquirer", "agents", "cities"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadsTable:
    """``acquirer`` is who is paid when a bank card of this issuer pays for a load."""

    purse_limit_fen: int
    acquirer: str
    terms: LoadTerms


def read_loads(given: Mapping[str, Any], acquirers: tuple[str, ...]) -> LoadsTable | None:
    """The table; None where the file has none. Raises `Usage`."""
    if not given:
        return None
    only(given, _LOADS, "loads", PAGES["issuer"])
    limit, acquirer = given.get("purse_limit_fen"), str(given.get("acquirer", ""))
    if type(limit) is not int or limit <= 0:
        raise Usage(
            "not an amount", where="loads.purse_limit_fen", fix="the most that a purse may hold, in fen"
        )
    if acquirer and acquirer not in acquirers:
        raise Usage("no such acquirer", where="loads.acquirer", fix="one of issuer.acquirers")
    names = {
        which: {str(k): str(v) for k, v in given.get(which, {}).items()} for which in ("agents", "cities")
    }
    return LoadsTable(purse_limit_fen=limit, acquirer=acquirer, terms=LoadTerms(**names))


def home_loads(
    table: LoadsTable,
    *,
    issuer: str,
    engine: sa.Engine,
    vault: NumberVault,
    host: IssuerHost,
    ledger: LedgerEngine,
    keys: PaymentService,
    randomness: Randomness,
) -> HomeLoads:
    """The desk with its money. Who serves calls its ``recover`` first."""
    offices = LedgerFunds(ledger, issuer)
    for scheme, names in ((AGENT, table.terms.agents), (CITY, table.terms.cities)):
        for name in names.values():
            offices.open(f"{scheme}:{name}")
    cards = {CARD: CardFunds(host, table.acquirer)} if table.acquirer else {}
    return HomeLoads(
        keys=cast(KeyService, keys), books=SqlLoads(engine, vault),
        funds=AllFunds({AGENT: offices, CITY: offices, **cards}), randomness=randomness,
        purse_limit=table.purse_limit_fen,
    )  # fmt: skip


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
