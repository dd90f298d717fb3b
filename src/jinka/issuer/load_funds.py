"""Where the money of a load comes from: an agent's prepaid account, a bank card, another city.

It is held, then posted or given back, and each may be repeated: ids are made from the load's. An agent's account cannot
be overdrawn, which is its prepaid limit. What is posted is owed to the purse scheme, which claims it when the load is
cleared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from jinka.issuer.authorisation import (
    YUAN,
    AuthorisationRequest,
    Channel,
    Entry,
    Kind,
    PinData,
    Trace,
    local_day,
)
from jinka.issuer.chart import IssuerAccount, IssuerTransfer, office_account
from jinka.issuer.host import IssuerHost
from jinka.kit import Refused, make_id
from jinka.ledger import LedgerEngine, Transfer, TransferFlag, TransferResult

AGENT, CITY, CARD = "agent", "city", "card"
_DONE = (TransferResult.CREATED, TransferResult.EXISTS)


class FundedLoad(Protocol):
    """What funds need to know of a load."""

    @property
    def id(self) -> bytes: ...
    @property
    def amount_fen(self) -> int: ...
    @property
    def fund(self) -> str: ...
    @property
    def at_micros(self) -> int: ...


class LoadFunds(Protocol):
    """Money behind a load. Raises `Refused`; each act again is harmless."""

    def hold(self, load: FundedLoad, pin: PinData | None = None, /) -> None: ...
    def post(self, load: FundedLoad) -> None: ...
    def release(self, load: FundedLoad) -> None: ...


class LedgerFunds:
    """Agents (``agent:NAME``) and other cities (``city:NAME``), on the ledger of ``issuer``."""

    def __init__(self, ledger: LedgerEngine, issuer: str) -> None:
        self._ledger, self._payable = ledger, office_account(IssuerAccount.LOAD_PAYABLE, issuer)
        ledger.create_accounts([self._payable])

    def open(self, fund: str) -> bytes:
        """Open the account of a fund; its id. `Refused` for another scheme."""
        account = office_account(*_owner(fund))
        self._ledger.create_accounts([account])
        return account.id

    def hold(self, load: FundedLoad, _pin: PinData | None = None, /) -> None:
        """Raises `Refused` when the agent's prepaid money is used up."""
        result = self._move(load, "hold", TransferFlag.PENDING)
        if result is TransferResult.EXCEEDS_CREDITS:
            raise Refused("the agent's prepaid money is used up", where="load.fund", fix="pay in first")
        _require(result)

    def post(self, load: FundedLoad) -> None:
        _require(self._move(load, "post", TransferFlag.POST_PENDING))

    def release(self, load: FundedLoad) -> None:
        result = self._move(load, "release", TransferFlag.VOID_PENDING)
        if result is not TransferResult.PENDING_TRANSFER_NOT_FOUND:  # nothing was held yet
            _require(result)

    def _move(self, load: FundedLoad, act: str, flag: TransferFlag) -> TransferResult:
        held = make_id("jinka.load.transfer", load.id, "hold")
        [result] = self._ledger.create_transfers(
            [
                Transfer(
                    id=make_id("jinka.load.transfer", load.id, act),
                    debit_account=office_account(*_owner(load.fund)).id,
                    credit_account=self._payable.id,
                    amount=load.amount_fen,
                    ledger=YUAN,
                    code=IssuerTransfer.LOAD,
                    flags=flag,
                    pending_id=bytes(16) if flag is TransferFlag.PENDING else held,
                    user_data=load.id,
                    timestamp=load.at_micros,
                )
            ]
        )
        return result


class CardFunds:
    """A bank card (``card:NUMBER``): a pre-authorisation at its issuer's host, completed or voided. It needs a PIN."""

    def __init__(self, host: IssuerHost, acquirer: str) -> None:
        self._host, self._acquirer = host, acquirer

    def hold(self, load: FundedLoad, pin: PinData | None = None, /) -> None:
        if pin is None:
            raise Refused("a bank card pays with its PIN", where="load.fund", fix="ask for the PIN")
        self._ask(load, Kind.PREAUTHORISATION, pin)

    def post(self, load: FundedLoad) -> None:
        self._ask(load, Kind.COMPLETION)

    def release(self, load: FundedLoad) -> None:
        try:
            self._ask(load, Kind.VOID)
        except Refused:
            # It was never held, or was declined; a hold that comes late is refused by its reversal.
            self._ask(load, Kind.REVERSAL)

    def _ask(self, load: FundedLoad, kind: Kind, pin: PinData | None = None) -> None:
        hold = kind is Kind.PREAUTHORISATION
        decision = self._host.decide(
            AuthorisationRequest(
                kind=kind,
                pan=load.fund.partition(":")[2],
                amount_fen=load.amount_fen,
                at_micros=load.at_micros,
                trace=self._trace(load, kind),
                entry=Entry.STORED,
                channel=Channel.LOAD,
                merchant="load",
                pin=pin,
                original=None if hold else self._trace(load, Kind.PREAUTHORISATION),
            )
        )
        if not decision.approved:
            raise Refused(decision.title[0], where="load.fund", fix="pay in another way")

    def _trace(self, load: FundedLoad, kind: Kind) -> Trace:
        stans = {Kind.PREAUTHORISATION: 1, Kind.COMPLETION: 2, Kind.VOID: 3, Kind.REVERSAL: 4}
        return Trace(
            acquirer=self._acquirer,
            terminal=load.id.hex(),
            stan=f"{stans[kind]:06}",
            date4=f"{local_day(load.at_micros) % 10_000:04}",
        )


class AllFunds:
    """Each fund by its scheme."""

    def __init__(self, by_scheme: Mapping[str, LoadFunds]) -> None:
        self._by_scheme = by_scheme

    def hold(self, load: FundedLoad, pin: PinData | None = None, /) -> None:
        self._of(load).hold(load, pin)

    def post(self, load: FundedLoad) -> None:
        self._of(load).post(load)

    def release(self, load: FundedLoad) -> None:
        self._of(load).release(load)

    def _of(self, load: FundedLoad) -> LoadFunds:
        found = self._by_scheme.get(load.fund.partition(":")[0])
        if found is None:
            raise Refused("no such kind of fund", where="load.fund", fix="agent:, card: or city:")
        return found


def _owner(fund: str) -> tuple[IssuerAccount, str]:
    scheme, _, owner = fund.partition(":")
    codes = {AGENT: IssuerAccount.AGENT_PREPAID, CITY: IssuerAccount.CITY}
    if scheme not in codes or not owner:
        raise Refused("no such fund", where="load.fund", fix="agent:NAME or city:NAME")
    return codes[scheme], owner


def _require(result: TransferResult) -> None:
    if result not in _DONE:
        raise Refused(f"the ledger says {result.name.lower()}", where="load.fund")
