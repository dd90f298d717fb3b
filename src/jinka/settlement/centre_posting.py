"""What crosses a centre's books: claims between its own parties, its children and its parent, as ledger entries.

| claim | debit | credit |
|---|---|---|
| made here: a foreign card paid our operator | centre due, parent | operator payable |
| arrived here: our card paid another centre's operator | purse liability | centre due, parent |
| passing | centre due, where the payer is | centre due, where the payee is |
| paid by silence, rejected afterwards | risk, of the issuer | purse liability |
| claimed beyond what was accepted | suspense, of the payer | what the claim debited: purse liability, risk, fees |

A centre sees a child, and all below it, as one account, and its parent as another. What crosses in a round is added up
to one transfer for each pair of accounts and reason, so that posting a round again answers EXISTS. The accounts of all
neighbours together are the centre's position (`net_centre`), and at the nation, with its own parties, zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from jinka.clearing import Flow, LineKind
from jinka.clearing.tiers import Surroundings
from jinka.settlement.chart import AccountCode, AccountName, TransferCode
from jinka.settlement.posting import Entry, flow_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """More was claimed of a party by one centre than verdicts explain, in minor units; mostly of an issuer's cards."""

    centre: str
    issuer: str  # or who else is to pay
    amount: int
    kind: LineKind = LineKind.CHARGE


def centre_name(code: str) -> str:
    """The owner of a neighbour's account in the books."""
    return f"centre.{code}"


def crossing_entries(claims: pa.Table, around: Surroundings) -> list[Entry]:
    """The entries of claims (`jinka.clearing.routing.CLAIMS`) that are made here, arrive here or pass."""
    sums: dict[tuple[AccountName, AccountName, TransferCode], int] = defaultdict(int)
    for row in claims.to_pylist():
        entry = flow_entry(
            Flow(kind=LineKind(row["kind"]), payer=row["payer"], payee=row["payee"], amount=row["amount"])
        )
        debit, credit = (
            _account(name, party, row, around)
            for name, party in ((entry.debit, row["payer"]), (entry.credit, row["payee"]))
        )
        if debit != credit:  # both below one child that is said to be two: no money of this centre's
            sums[debit, credit, entry.code] += entry.amount
    return [
        Entry(debit=debit, credit=credit, amount=amount, code=code)
        for (debit, credit, code), amount in sorted(sums.items(), key=_order)
    ]


def silence_entries(rejected: Mapping[str, int]) -> list[Entry]:
    """Issuer to the sum of records that were paid by its centre's silence and that it rejected: its own loss."""
    return [
        _to_purses(AccountCode.RISK, issuer, rejected[issuer], TransferCode.SILENCE)
        for issuer in sorted(rejected)
    ]


def excess_entries(found: Iterable[Excess]) -> list[Entry]:
    """What another centre claimed too much is no debit of a card, nor of who else is to pay: it waits in suspense."""
    sums: dict[tuple[str, AccountCode], int] = defaultdict(int)
    for each in found:
        flow = Flow(kind=each.kind, payer=each.issuer, payee=centre_name(each.centre), amount=each.amount)
        sums[each.issuer, flow_entry(flow).debit.code] += each.amount
    return [
        Entry(
            debit=AccountName(code=AccountCode.SUSPENSE, owner=payer),
            credit=AccountName(code=code, owner=payer),
            amount=amount,
            code=TransferCode.EXCESS,
        )
        for (payer, code), amount in sorted(sums.items())
    ]


def sum_entries(entries: Iterable[Entry]) -> list[Entry]:
    """One entry for each pair of accounts and reason: their ids do not depend on the amount."""
    sums: dict[Entry, int] = defaultdict(int)
    for entry in entries:
        sums[replace(entry, amount=0)] += entry.amount
    return [replace(entry, amount=amount) for entry, amount in sums.items()]


def _to_purses(code: AccountCode, issuer: str, amount: int, reason: TransferCode) -> Entry:
    return Entry(
        debit=AccountName(code=code, owner=issuer),
        credit=AccountName(code=AccountCode.PURSE_LIABILITY, owner=issuer),
        amount=amount,
        code=reason,
    )


def _account(name: AccountName, party: str, row: Mapping[str, str], around: Surroundings) -> AccountName:
    """The party's own account where it is at home here, else that of the neighbour on the way to it."""
    hop = around.hop_to_party(party) if party == row["far"] else around.hop_to_centre(row["centre"])
    if hop == around.code:
        return name
    return AccountName(code=AccountCode.CENTRE_DUE, owner=centre_name(hop))


def _order(item: tuple[tuple[AccountName, AccountName, TransferCode], int]) -> tuple[object, ...]:
    (debit, credit, code), _ = item
    return (int(code), int(debit.code), debit.owner, int(credit.code), credit.owner)
