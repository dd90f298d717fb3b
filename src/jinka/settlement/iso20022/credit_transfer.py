"""Settlement orders as ISO 20022 credit transfers: pacs.009.001.09 between institutions, pacs.008.001.10 to customers.

An order between two institutions is a financial institution credit transfer; where one side is a customer of a bank
(operators, drivers) it is a customer credit transfer with both sides' banks as agents. Every id follows from the
order's own id: instruction, end-to-end and transaction id are its 32 hex digits, the UETR is a hash of it in the form
of a version 4 UUID. So a message written twice is the same bytes, and a bank that gets it twice sees the same ids.

An order that collects from a party (a load agent, a government) is the same credit transfer seen from the other
side: the party has given its bank a mandate to execute what the centre instructs, as in a net settlement.
pain.001, pacs.003 and pacs.010 are not written.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from jinka.acquirer.currency import Currency, currency_of, to_text
from jinka.kit import Unit, Usage, make_id
from jinka.settlement.iso20022.parties import Agent, Charset, Method, Party, PaymentBook, fit_text
from jinka.settlement.iso20022.xml_write import Node, write_document
from jinka.settlement.orders import SettlementOrder

ORDERS_MAX = 10_000  # in one message; more are split, in the order of their references
_TOTAL_MAX = 10**18 - 1  # ISO 20022 amounts have 18 digits


class Transfer(Enum):
    """The two messages: (name, root of its body)."""

    PACS_009 = ("pacs.009.001.09", "FICdtTrf")
    PACS_008 = ("pacs.008.001.10", "FIToFICstmrCdtTrf")

    @property
    def message_name(self) -> str:
        return self.value[0]

    @property
    def namespace(self) -> str:
        return f"urn:iso:std:iso:20022:tech:xsd:{self.value[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMessage:
    """One message before it is written: which orders, under which message id."""

    kind: Transfer
    id: str
    orders: tuple[SettlementOrder, ...]

    @property
    def total(self) -> int:
        return sum(order.amount for order in self.orders)


def uetr(reference: str) -> str:
    """The unique end-to-end transaction reference of an order: always the same, shaped as UUID version 4 (RFC 9562)."""
    return str(uuid.UUID(bytes=make_id("jinka.uetr", reference), version=4))


def plan_messages(
    orders: Sequence[SettlementOrder], book: PaymentBook, *, most: int = ORDERS_MAX
) -> list[OrderMessage]:
    """Sort orders into messages by kind and day; the same orders in any sequence give the same messages.

    Raises `Usage` for an order that is not money, has no amount, names a party without bank details, or comes twice.
    """
    groups: dict[tuple[str, str, int], list[SettlementOrder]] = {}
    for order in sorted(orders, key=lambda order: order.reference):
        key = (_kind(order, book).name, order.business_date, order.cycle)
        groups.setdefault(key, []).append(order)
    if len({order.reference for order in orders}) != len(orders):
        raise Usage("an order stands twice in the list", where="orders")
    return [
        OrderMessage(kind=Transfer[name], id=_message_id(name, date, cycle, part), orders=tuple(part))
        for (name, date, cycle), members in sorted(groups.items())
        for part in (members[first : first + most] for first in range(0, len(members), most))
    ]


def write_message(
    message: OrderMessage, book: PaymentBook, *, created_at: dt.datetime, settle_on: dt.date
) -> bytes:
    """The message as canonical bytes: the same arguments, the same bytes. ``created_at`` bears its zone."""
    if created_at.utcoffset() is None:
        raise Usage("a time without its zone", where="created_at")
    currency = currency_of(book.currency)
    if message.total > _TOTAL_MAX:
        raise Usage("the total has more than 18 digits", where=message.id, fix="split the orders")
    entry = _institutions if message.kind is Transfer.PACS_009 else _customers
    body = Node(
        message.kind.value[1],
        (
            _group_header(message, book, currency, created_at, settle_on),
            *(Node("CdtTrfTxInf", tuple(entry(order, book, currency))) for order in message.orders),
        ),
    )
    return write_document(Node("Document", (body,)), namespace=message.kind.namespace)


def _kind(order: SettlementOrder, book: PaymentBook) -> Transfer:
    where = f"order {order.reference}"
    if order.unit != Unit.FEN.code:
        raise Usage(f"counts {order.unit}, which no bank transfers", where=where, fix="settle it otherwise")
    if order.amount <= 0:
        raise Usage("has no amount", where=where)
    both = book.party(order.debtor).institution and book.party(order.creditor).institution
    return Transfer.PACS_009 if both else Transfer.PACS_008


def _message_id(name: str, date: str, cycle: int, orders: Sequence[SettlementOrder]) -> str:
    parts = [value for order in orders for value in (order.reference, order.amount)]
    return make_id("jinka.pacs", name, date, cycle, *parts).hex()


def _group_header(
    message: OrderMessage, book: PaymentBook, currency: Currency, created_at: dt.datetime, settle_on: dt.date
) -> Node:
    total = to_text(message.total, currency)
    system = Node("ClrSys", (Node("Prtry", book.system),)) if book.method is Method.CLRG else None
    return Node(
        "GrpHdr",
        (
            Node("MsgId", message.id),
            Node("CreDtTm", created_at.isoformat(timespec="seconds")),
            Node(
                "BtchBookg", "false"
            ),  # one entry on the statement for each order, or nobody can reconcile it
            Node("NbOfTxs", str(len(message.orders))),
            Node("CtrlSum", total),
            Node("TtlIntrBkSttlmAmt", total, (("Ccy", currency.code),)),
            Node("IntrBkSttlmDt", settle_on.isoformat()),
            Node("SttlmInf", (Node("SttlmMtd", book.method.value), system)),
            _agent("InstgAgt", book.sender),
            _agent("InstdAgt", book.receiver) if book.receiver else None,
        ),
    )


def _institutions(order: SettlementOrder, book: PaymentBook, currency: Currency) -> Iterator[Node]:
    """CreditTransferTransaction44: debtor and creditor are the banks themselves."""
    debtor, creditor = book.party(order.debtor), book.party(order.creditor)
    yield _payment_id(order)
    yield Node("IntrBkSttlmAmt", to_text(order.amount, currency), (("Ccy", currency.code),))
    yield _institution("Dbtr", debtor, book.charset)
    yield _account("DbtrAcct", debtor)
    yield _institution("Cdtr", creditor, book.charset)
    yield _account("CdtrAcct", creditor)
    yield _remittance(order, book.charset)


def _customers(order: SettlementOrder, book: PaymentBook, currency: Currency) -> Iterator[Node]:
    """CreditTransferTransaction50: debtor and creditor with their accounts, each at its agent."""
    debtor, creditor = book.party(order.debtor), book.party(order.creditor)
    yield _payment_id(order)
    yield Node("IntrBkSttlmAmt", to_text(order.amount, currency), (("Ccy", currency.code),))
    yield Node("ChrgBr", "SLEV")  # charges as the scheme's contract says: the creditor gets the whole amount
    yield Node("Dbtr", (Node("Nm", debtor.name(book.charset)),))
    yield _account("DbtrAcct", debtor)
    yield _agent("DbtrAgt", debtor.agent)
    yield _agent("CdtrAgt", creditor.agent)
    yield Node("Cdtr", (Node("Nm", creditor.name(book.charset)),))
    yield _account("CdtrAcct", creditor)
    yield _remittance(order, book.charset)


def _payment_id(order: SettlementOrder) -> Node:
    reference = order.reference
    ids = (Node(name, reference) for name in ("InstrId", "EndToEndId", "TxId"))
    return Node("PmtId", (*ids, Node("UETR", uetr(reference))))


def _member(agent: Agent) -> Node | None:
    if not agent.member:
        return None
    system = Node("ClrSysId", (Node("Cd", agent.clearing),))
    return Node("ClrSysMmbId", (system, Node("MmbId", agent.member)))


def _agent(name: str, agent: Agent) -> Node:
    bic = Node("BICFI", agent.bic) if agent.bic else None
    return Node(name, (Node("FinInstnId", (bic, _member(agent))),))


def _institution(name: str, party: Party, charset: Charset) -> Node:
    bic = Node("BICFI", party.agent.bic) if party.agent.bic else None
    named = Node("Nm", party.name(charset))
    return Node(name, (Node("FinInstnId", (bic, _member(party.agent), named)),))


def _account(name: str, party: Party) -> Node:
    if party.iban:
        return Node(name, (Node("Id", (Node("IBAN", party.iban),)),))
    return Node(name, (Node("Id", (Node("Othr", (Node("Id", party.account),)),)),))


def _remittance(order: SettlementOrder, charset: Charset) -> Node:
    """What it is for: business date, cycle and the account of the centre's books that it clears."""
    text = f"JINKA {order.business_date} CYCLE {order.cycle} {order.account.name.replace('_', ' ')}"
    return Node("RmtInf", (Node("Ustrd", fit_text(text, charset, where=order.reference)),))
