"""A bank's statements: camt.053 (end of day) and camt.054 (notifications), any version, as dataclasses.

An entry may hold several transactions (a batch); each becomes a line. An entry that cannot be read is a finding, and so
is one whose transactions do not add up to it: the whole entry is then one line without a reference. Charges, interest
and card details are not read: what they move is in the entries' amounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from jinka.kit import Finding, Refused, Severity, Usage
from jinka.settlement.iso20022.replies import (
    amount_of,
    body_of,
    choice,
    date_text,
    header_of,
    reference_of,
    unreadable,
)
from jinka.settlement.iso20022.xml_read import Document, Element


class StatementKind(Enum):
    """A statement makes an order final; a notification only announces what the statement will show."""

    STATEMENT = "camt.053"
    NOTIFICATION = "camt.054"


_BODIES: Mapping[StatementKind, tuple[str, str]] = MappingProxyType(
    {
        StatementKind.STATEMENT: ("BkToCstmrStmt", "Stmt"),
        StatementKind.NOTIFICATION: ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    }
)
_BOOKED = "BOOK"
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_SIGNS: Mapping[str, int] = MappingProxyType({"CRDT": 1, "DBIT": -1})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One movement: ``amount`` in minor units, above zero when the account got it, below when it paid."""

    where: str
    bank_reference: str
    reference: str
    uetr: str
    amount: int
    currency: str
    booked: bool
    booked_on: str
    returns: bool  # a reversal, or a return with its reason
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One account over one period. A balance is None where the bank gave none that could be read."""

    kind: StatementKind
    where: str
    message: str
    id: str
    sequence: int | None
    account: str
    currency: str
    opening: int | None
    closing: int | None
    closed_on: str
    lines: tuple[StatementLine, ...]
    booked_sum: int  # of every booked entry whose amount could be read
    whole: bool  # no entry was lost to a finding, and it is no page of several


def read_statements(
    document: Document, kind: StatementKind, *, where: str
) -> tuple[list[Statement], list[Finding]]:
    """Read camt.053 or camt.054; raises `Refused` when it is another message, or names no account."""
    root, part = _BODIES[kind]
    body = body_of(document, root, where=where)
    message, _ = header_of(body, where=where)
    findings: list[Finding] = []
    return [_statement(found, kind, message, where, findings) for found in body.all(part)], findings


def _statement(
    element: Element, kind: StatementKind, message: str, where: str, findings: list[Finding]
) -> Statement:
    place = f"{where}:{element.line}"
    account = element.value("Acct", "Id", "IBAN") or element.value("Acct", "Id", "Othr", "Id")
    if not account or not element.value("Id"):
        raise Refused("a statement without its id or its account", where=place, fix="ask for it again")
    lines: list[StatementLine] = []
    booked_sum, whole = 0, True
    for entry in element.all("Ntry"):
        try:
            found, total = _entry(entry, f"{where}:{entry.line}", findings)
        except Usage as problem:
            findings.append(unreadable(problem, f"{where}:{entry.line}"))
            whole = False
            continue
        lines += found
        booked_sum += total
    pages = element.first("StmtPgntn") or element.first("NtfctnPgntn")
    if pages is not None and (pages.value("PgNb"), pages.value("LastPgInd")) not in (
        ("1", "true"),
        ("1", "1"),
    ):
        whole = False
        findings.append(_pages(place))
    sequence = element.value("ElctrncSeqNb")
    closing, closed_on = _balance(element, _CLOSING, place, findings)
    return Statement(
        kind=kind,
        where=place,
        message=message,
        id=element.value("Id"),
        sequence=int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) < 19 else None,
        account=account,
        currency=element.value("Acct", "Ccy"),
        opening=_balance(element, _OPENING, place, findings)[0],
        closing=closing,
        closed_on=closed_on,
        lines=tuple(lines),
        booked_sum=booked_sum,
        whole=whole,
    )


def _balance(
    element: Element, kinds: tuple[str, ...], where: str, findings: list[Finding]
) -> tuple[int | None, str]:
    """The first balance of one of ``kinds``, with its date; two that differ are none."""
    found: set[tuple[int, str]] = set()
    for kind in kinds:
        for balance in element.all("Bal"):
            if choice(balance, "Tp", "CdOrPrtry") != kind:
                continue
            try:
                found.add((_signed(balance, where)[0], _date(balance, "Dt", where)))
            except Usage as problem:
                findings.append(unreadable(problem, f"{where} balance {kind}"))
        if found:
            break
    return found.pop() if len(found) == 1 else (None, "")


def _signed(element: Element, where: str) -> tuple[int, str]:
    amount, currency = amount_of(element, "Amt", where=where)
    sign = _SIGNS.get(element.value("CdtDbtInd"))
    if sign is None:
        raise Usage("neither credit (CRDT) nor debit (DBIT)", where=where)
    return sign * amount, currency


def _date(element: Element, name: str, where: str) -> str:
    return date_text(element.value(name, "Dt") or element.value(name, "DtTm"), where=where)


def _entry(entry: Element, where: str, findings: list[Finding]) -> tuple[list[StatementLine], int]:
    """The entry's lines, and what it moves if it is booked."""
    amount, currency = _signed(entry, where)
    booked = (entry.value("Sts", "Cd") or entry.value("Sts")) == _BOOKED
    whole = StatementLine(
        where=where,
        bank_reference=entry.value("AcctSvcrRef"),
        reference="",
        uetr="",
        amount=amount,
        currency=currency,
        booked=booked,
        booked_on=_date(entry, "BookgDt", where),
        returns=entry.value("RvslInd") in ("true", "1"),
        reason="",
    )
    parts = entry.all("NtryDtls", "TxDtls")
    lines = [_part(part, whole, alone=len(parts) == 1) for part in parts]
    if sum(line.amount for line in lines) != amount:
        if parts:
            findings.append(_odd_parts(where))
        lines = [whole]
    return lines, amount if booked else 0


def _part(part: Element, whole: StatementLine, *, alone: bool) -> StatementLine:
    amount = whole.amount
    if part.first("Amt") is not None:
        sign = _SIGNS.get(part.value("CdtDbtInd"), 1 if whole.amount >= 0 else -1)
        found, currency = amount_of(part, "Amt", where=whole.where)
        if currency != whole.currency:
            raise Usage("a transaction in another currency than its entry", where=whole.where)
        amount = sign * found
    elif not alone:
        raise Usage(
            "a batch whose transactions have no amounts", where=whole.where, fix="ask for single bookings"
        )
    refs = part.first("Refs") or Element("Refs", part.line, {}, "", [])
    return replace(
        whole,
        bank_reference=refs.value("AcctSvcrRef") or whole.bank_reference,
        reference=reference_of(refs, "", where=whole.where),
        uetr=refs.value("UETR"),
        amount=amount,
        returns=whole.returns or part.first("RtrInf") is not None,
        reason=choice(part, "RtrInf", "Rsn"),
    )


def _odd_parts(where: str) -> Finding:
    return Finding(
        code="ENTRY_DOES_NOT_ADD_UP", severity=Severity.ERROR, where=where,
        what="its transactions do not add up to the entry", fix="ask the bank; the entry is taken without them",
    )  # fmt: skip


def _pages(where: str) -> Finding:
    return Finding(
        code="STATEMENT_IN_PAGES", severity=Severity.WARNING, where=where,
        what="a page of several: its balances prove nothing alone", fix="ask the bank for whole statements",
    )  # fmt: skip
