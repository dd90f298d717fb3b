"""A bank's answers about orders: pacs.002 status reports and pacs.004 returns, any version, as dataclasses.

A line that cannot be read becomes a finding and the others are kept; a document that is not this message is refused.
Which status means what is a table. Reason codes are ISO's external lists, carried as they come.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from jinka.acquirer.currency import currency_of, from_text
from jinka.kit import Finding, Refused, Severity, Usage, parse_date
from jinka.settlement.iso20022.xml_read import Document, Element

_CREATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,18}(?:Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)


class Verdict(Enum):
    """What a status says of an order. Only a statement makes it final."""

    ON_ITS_WAY = "on its way"
    REJECTED = "rejected"
    BY_LINE = "by line"  # of a group: each transaction has its own


# External payment transaction and group status codes (ISO 20022 external code sets).
STATUSES: Mapping[str, Verdict] = MappingProxyType(
    {
        **dict.fromkeys(
            ("RCVD", "ACTC", "ACCP", "ACFC", "ACWC", "ACWP", "ACSP", "ACSC", "ACCC", "PDNG", "PATC"),
            Verdict.ON_ITS_WAY,
        ),
        "RJCT": Verdict.REJECTED,
        "CANC": Verdict.REJECTED,
        "PART": Verdict.BY_LINE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatus:
    """What is said of one order, or of a whole message when ``reference`` is empty."""

    where: str
    message: str  # the message that the order was in, when the line says it
    reference: str
    uetr: str
    status: str
    verdict: Verdict
    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """pacs.002: one report with its lines; ``created_at`` orders reports that speak of one order."""

    id: str
    created_at: str
    lines: tuple[OrderStatus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnLine:
    """One order whose money comes back, as a bank announces it; ``amount`` in minor units."""

    where: str
    return_id: str
    reference: str
    uetr: str
    amount: int
    currency: str
    settled_on: str
    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReturn:
    """pacs.004."""

    id: str
    created_at: str
    lines: tuple[ReturnLine, ...]


def read_status_report(document: Document, *, where: str) -> tuple[StatusReport, list[Finding]]:
    """Read pacs.002; raises `Refused` when it is another message or has no header."""
    body = body_of(document, "FIToFIPmtStsRpt", where=where)
    lines: list[OrderStatus] = []
    findings: list[Finding] = []
    for group in body.all("OrgnlGrpInfAndSts"):
        if group.first("GrpSts") is not None:
            _add_status(lines, findings, group, group.value("OrgnlMsgId"), "GrpSts", where)
    for line in body.all("TxInfAndSts"):
        message = line.value("OrgnlGrpInf", "OrgnlMsgId")
        _add_status(lines, findings, line, message, "TxSts", where)
    identity, created = header_of(body, where=where)
    return StatusReport(id=identity, created_at=created, lines=tuple(lines)), findings


def read_payment_return(document: Document, *, where: str) -> tuple[PaymentReturn, list[Finding]]:
    """Read pacs.004; raises `Refused` when it is another message or has no header."""
    body = body_of(document, "PmtRtr", where=where)
    lines: list[ReturnLine] = []
    findings: list[Finding] = []
    for line in body.all("TxInf"):
        place = f"{where}:{line.line}"
        try:
            amount, currency = amount_of(line, "RtrdIntrBkSttlmAmt", where=place)
            lines.append(
                ReturnLine(
                    where=place,
                    return_id=line.value("RtrId"),
                    reference=reference_of(line, "Orgnl", where=place),
                    uetr=line.value("OrgnlUETR"),
                    amount=amount,
                    currency=currency,
                    settled_on=date_text(line.value("IntrBkSttlmDt"), where=place),
                    reason=choice(line, "RtrRsnInf", "Rsn"),
                    text=line.value("RtrRsnInf", "AddtlInf"),
                )
            )
        except Usage as problem:
            findings.append(unreadable(problem, place))
    identity, created = header_of(body, where=where)
    return PaymentReturn(id=identity, created_at=created, lines=tuple(lines)), findings


def _add_status(
    lines: list[OrderStatus], findings: list[Finding], element: Element, message: str, field: str, where: str
) -> None:
    place = f"{where}:{element.line}"
    try:
        status = element.value(field)
        verdict = STATUSES.get(status)
        if verdict is None:
            raise Usage(f"no status that is known here: {status[:10]!r}", where=place)
        of_group = field == "GrpSts"
        if of_group and not message:
            raise Usage("a status of a message that is not named", where=place)
        if verdict is Verdict.BY_LINE and not of_group:
            raise Usage("one order cannot be accepted in part", where=place)
        lines.append(
            OrderStatus(
                where=place,
                message=message,
                reference="" if of_group else reference_of(element, "Orgnl", where=place),
                uetr=element.value("OrgnlUETR"),
                status=status,
                verdict=verdict,
                reason=choice(element, "StsRsnInf", "Rsn"),
                text=element.value("StsRsnInf", "AddtlInf"),
            )
        )
    except Usage as problem:
        findings.append(unreadable(problem, place))


def body_of(document: Document, name: str, *, where: str) -> Element:
    """The message inside ``Document``; raises `Refused` when it is another one, or more than one."""
    root = document.root
    if root.name != "Document" or [child.name for child in root.children] != [name]:
        raise Refused("another message than its namespace says", where=where, fix="ask for it again")
    return root.children[0]


def header_of(body: Element, *, where: str) -> tuple[str, str]:
    """The message's id and time; raises `Refused` without them."""
    identity, created = body.value("GrpHdr", "MsgId"), body.value("GrpHdr", "CreDtTm")
    try:
        moment_of(created)
    except ValueError:
        created = ""
    if not 1 <= len(identity) <= 35 or not _CREATED.fullmatch(created):
        raise Refused("has no message id or no time of creation", where=where, fix="ask for it again")
    return identity, created


def moment_of(created_at: str) -> dt.datetime:
    """A message's time, to order messages by; one without a zone counts as UTC."""
    moment = dt.datetime.fromisoformat(created_at)
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=dt.UTC)


def reference_of(element: Element, prefix: str, *, where: str) -> str:
    """The order's own id. Instruction, end-to-end and transaction id are one in our orders: others contradict."""
    values = {
        value
        for name in ("InstrId", "EndToEndId", "TxId")
        if (value := element.value(prefix + name)) not in ("", "NOTPROVIDED")
    }
    if len(values) > 1:
        raise Usage("its references contradict one another", where=where, fix="ask the bank which it means")
    found = next(iter(values), "")
    if len(found) > 35:
        raise Usage("a reference of more than 35 characters", where=where)
    return found


def amount_of(element: Element, name: str, *, where: str) -> tuple[int, str]:
    """An amount in whole minor units, with its currency; raises `Usage`."""
    found = element.first(name)
    if found is None:
        raise Usage(f"{name} is missing", where=where)
    currency = currency_of(found.attributes.get("Ccy", ""), where=where)
    return from_text(found.text.strip(), currency, where=where), currency.code


def date_text(text: str, *, where: str) -> str:
    """An ISO date, or nothing; the date of a time is cut out of it."""
    return parse_date(text[:10], where=where).isoformat() if text else ""


def choice(element: Element, *path: str) -> str:
    """A code, or the proprietary one in its place."""
    return element.value(*path, "Cd") or element.value(*path, "Prtry")


def unreadable(problem: Usage, where: str) -> Finding:
    return Finding(
        code="REPLY_UNREADABLE", severity=Severity.ERROR, where=where, what=str(problem.what),
        fix=problem.fix or "ask the bank for this line again",
    )  # fmt: skip
