"""Reconciling: orders against a bank's answers and statements, in any order of files, late or given twice.

Status reports are taken in the order of their creation, then statements in that of their days; which file came first
does not matter. A statement's booked line makes an order final; a notification and a pacs.004 only announce. What does
not fit is a `Break`. Nothing is posted here: see `jinka.settlement.order_life`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from jinka.kit import Usage
from jinka.settlement.iso20022.answers import Answer
from jinka.settlement.iso20022.breaks import Break, BreakKind
from jinka.settlement.iso20022.credit_transfer import plan_messages, uetr
from jinka.settlement.iso20022.parties import PaymentBook
from jinka.settlement.iso20022.replies import OrderStatus, PaymentReturn, StatusReport, Verdict, moment_of
from jinka.settlement.iso20022.statements import Statement, StatementKind, StatementLine
from jinka.settlement.order_life import ORDER_STEPS, OrderEvent, OrderResult, OrderState
from jinka.settlement.orders import SettlementOrder

_EVENTS = {Verdict.ON_ITS_WAY: OrderEvent.ACCEPT, Verdict.REJECTED: OrderEvent.REJECT}

_Message = TypeVar("_Message", StatusReport, PaymentReturn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """``moved`` is all that the statements booked: orders (``matched``) and what nobody ordered (``unmatched``)."""

    results: tuple[OrderResult, ...]
    breaks: tuple[Break, ...]
    moved: int
    matched: int
    unmatched: int

    def count(self, state: OrderState) -> int:
        return sum(result.state is state for result in self.results)


@dataclass(slots=True)
class _Open:
    """One order while answers are read."""

    order: SettlementOrder
    expected: int
    state: OrderState = OrderState.ISSUED
    since: str = ""
    reason: str = ""
    bookings: list[StatementLine] = field(
        default_factory=list
    )  # of the order's own sign, whatever their amount
    returns: list[StatementLine] = field(default_factory=list)  # of the opposite sign

    def step(self, event: OrderEvent, on: str, reason: str = "") -> bool:
        """Move on; False when the table has no such step."""
        after = ORDER_STEPS.get((self.state, event))
        if after is None:
            return False
        if after is not self.state:
            self.state, self.since, self.reason = after, on, reason
        return True


def reconcile(
    orders: Sequence[SettlementOrder],
    answers: Iterable[Answer],
    *,
    book: PaymentBook,
    funds: str,
    due_on: dt.date,
    as_of: dt.date | None = None,
) -> Reconciliation:
    """Hold ``answers`` against ``orders``, whose other side is the party ``funds``.

    ``due_on`` is the last day on which a statement may show them, ``as_of`` the day until which statements were asked
    for: without it the last day that one of them closes.
    """
    work = _Work(orders, book, funds)
    given = list(answers)
    reports = _unlike(answer for answer in given if isinstance(answer, StatusReport))
    for report in sorted(reports, key=lambda report: (moment_of(report.created_at), report.id)):
        for line in report.lines:
            work.take_status(line, on=report.created_at[:10])
    statements = work.once([answer for answer in given if isinstance(answer, Statement)])
    whole = [found for found in statements if found.kind is StatementKind.STATEMENT]
    for statement in whole:
        for booked in sorted(statement.lines, key=lambda line: (line.booked_on, line.returns)):
            work.take_line(booked)
    work.judge_lines()
    work.prove_balances(whole)
    for notice in statements:
        if notice.kind is StatementKind.NOTIFICATION:
            work.take_notice(notice)
    for back in _unlike(answer for answer in given if isinstance(answer, PaymentReturn)):
        work.take_return(back)
    closed = max((found.closed_on for found in whole), default="")
    return work.finish(due_on.isoformat(), as_of.isoformat() if as_of else closed)


class _Work:
    def __init__(self, orders: Sequence[SettlementOrder], book: PaymentBook, funds: str) -> None:
        self._book, self._account = book, book.party(funds).number
        self._open = {order.reference: _Open(order, _expected(order, funds)) for order in orders}
        self._by_uetr = {uetr(reference): reference for reference in self._open}
        self._messages = {
            message.id: [order.reference for order in message.orders]
            for message in plan_messages(orders, book)
        }
        self._breaks: list[Break] = []
        self._bank_references: set[str] = set()
        self._moved = self._matched = 0

    def _break(self, kind: BreakKind, where: str, **more: object) -> None:
        self._breaks.append(Break(kind_name=kind.name, where=where, **{"reference": ""} | more))  # type: ignore[arg-type]

    def _find(self, reference: str, of_uetr: str) -> _Open | None:
        """The order that both references name; None when neither does, or each another."""
        named = {self._by_uetr.get(of_uetr, "")} if of_uetr else set()
        named |= {reference} if reference else set()
        return self._open.get(named.pop()) if len(named) == 1 else None

    def take_status(self, line: OrderStatus, *, on: str) -> None:
        """One line of pacs.002; a line without a reference speaks of a whole message."""
        event = _EVENTS.get(line.verdict)
        if line.reference or line.uetr or not line.message:
            found = self._find(line.reference, line.uetr)
            named = [found] if found else []
        else:
            named = [self._open[reference] for reference in self._messages.get(line.message, ())]
        if not named:
            name = line.reference or line.uetr or line.message
            self._break(BreakKind.UNKNOWN_REFERENCE, line.where, reference=name, note=line.status)
        for order in named:
            if event and not order.step(event, on, line.reason):
                note = f"{line.status} when {order.state.value[0]}"
                self._break(BreakKind.CONTRADICTION, line.where, reference=order.order.reference, note=note)

    def once(self, statements: Iterable[Statement]) -> list[Statement]:
        """Statements in the order of their days; one that was given twice once, others' accounts not at all."""
        kept: dict[tuple[str, str], Statement] = {}
        for found in sorted(statements, key=_sequence):
            if found.account != self._account:
                self._break(BreakKind.WRONG_ACCOUNT, found.where, note=found.id)
                continue
            first = kept.setdefault((found.kind.value, found.id), found)
            if _content(first) != _content(found):
                self._break(BreakKind.STATEMENT_CONFLICT, found.where, note=found.id)
        return list(kept.values())

    def take_line(self, line: StatementLine) -> None:
        """One booked line of a statement."""
        if not line.booked:
            return
        self._moved += line.amount
        self._bank_references.add(line.bank_reference)
        found = self._find(line.reference, line.uetr)
        if found is None:
            self._break(BreakKind.UNKNOWN_REFERENCE, line.where, reference=line.reference, found=line.amount)
            return
        if line.currency != self._book.currency:
            self._differs(BreakKind.CURRENCY_DIFFERS, found, line, line.currency)
        elif (line.amount < 0) != (found.expected < 0):
            found.returns.append(line)
        elif line.returns and not found.returns:
            self._differs(BreakKind.CONTRADICTION, found, line, "a return of nothing")
        else:
            found.bookings.append(line)

    def _differs(self, kind: BreakKind, found: _Open, line: StatementLine, note: str = "") -> None:
        reference, expected = found.order.reference, found.expected
        self._break(kind, line.where, reference=reference, expected=expected, found=line.amount, note=note)

    def judge_lines(self) -> None:
        """What each order's lines come to: a return cancels the last booking of its amount, and what is left counts.

        So an order that was paid twice and returned once is paid, and one that was corrected is right.
        """
        for found in self._open.values():
            left, came_back = list(found.bookings), []
            for back in found.returns:
                same = [at for at, line in enumerate(left) if line.amount == -back.amount]
                if same:
                    came_back.append((left.pop(same[-1]), back))
                elif found.bookings and back.amount != -found.expected:
                    self._differs(BreakKind.AMOUNT_DIFFERS, found, back, "a return of another amount")
                else:
                    self._differs(BreakKind.CONTRADICTION, found, back, "returns what was not booked")
            right = [line for line in left if line.amount == found.expected]
            for line in left:
                if line.amount != found.expected:
                    self._differs(BreakKind.AMOUNT_DIFFERS, found, line)
            for line in right[1:]:
                self._differs(BreakKind.PAID_TWICE, found, line)
            if right:
                self._book_line(found, right[0])
                self._matched += right[0].amount
            elif lost := [pair for pair in came_back if pair[0].amount == found.expected]:
                line, back = lost[-1]
                self._book_line(found, line)
                found.step(OrderEvent.RETURN, back.booked_on, back.reason)
                self._break(
                    BreakKind.RETURNED, back.where, reference=found.order.reference, found=back.amount,
                    note=back.reason,
                )  # fmt: skip

    def _book_line(self, found: _Open, line: StatementLine) -> None:
        """The statement counts, also where the bank had rejected the order: but then somebody has to look."""
        if found.state is OrderState.REJECTED:
            self._differs(BreakKind.CONTRADICTION, found, line, "booked although rejected")
        found.step(OrderEvent.BOOK, line.booked_on)

    def take_notice(self, notice: Statement) -> None:
        """camt.054 says early what the statement will say: only what nobody ordered is worth a word."""
        for line in notice.lines:
            if line.bank_reference in self._bank_references and line.bank_reference:
                continue
            if self._find(line.reference, line.uetr) is None:
                self._break(
                    BreakKind.UNKNOWN_REFERENCE, line.where, reference=line.reference, found=line.amount
                )

    def take_return(self, back: PaymentReturn) -> None:
        """pacs.004: the order counts as paid until the statement shows it back."""
        for line in back.lines:
            found = self._find(line.reference, line.uetr)
            if found is None:
                self._break(
                    BreakKind.UNKNOWN_REFERENCE, line.where, reference=line.reference or line.return_id
                )
            elif not found.returns:
                facts = {"reference": found.order.reference, "found": line.amount, "note": line.reason}
                self._break(BreakKind.RETURN_ANNOUNCED, line.where, **facts)

    def prove_balances(self, statements: Sequence[Statement]) -> None:
        """Opening plus entries is closing, and each statement opens where the last one closed."""
        last: Statement | None = None
        for found in statements:
            if found.opening is None or found.closing is None:
                self._break(BreakKind.BALANCE_MISSING, found.where, note=found.id)
            elif found.whole and found.opening + found.booked_sum != found.closing:
                expected = found.opening + found.booked_sum
                self._break(
                    BreakKind.BALANCE_BROKEN,
                    found.where,
                    expected=expected,
                    found=found.closing,
                    note=found.id,
                )
            if last is not None:
                self._chain(last, found)
            last = found

    def _chain(self, last: Statement, found: Statement) -> None:
        if None not in (last.sequence, found.sequence) and found.sequence != (last.sequence or 0) + 1:
            self._break(BreakKind.STATEMENT_GAP, found.where, note=f"{found.sequence} after {last.sequence}")
        elif None not in (last.closing, found.opening) and last.closing != found.opening:
            self._break(
                BreakKind.BALANCE_CHAIN,
                found.where,
                expected=last.closing,
                found=found.opening,
                note=found.id,
            )

    def finish(self, due_on: str, as_of: str) -> Reconciliation:
        """What is past its deadline, and the sum of it all."""
        for reference, found in self._open.items():
            if as_of > due_on and not found.bookings and found.step(OrderEvent.DEADLINE, due_on):
                self._break(BreakKind.NO_LINE, "orders", reference=reference, expected=found.expected)
            elif found.state is OrderState.REJECTED:
                self._break(BreakKind.REJECTED, "orders", reference=reference, note=found.reason)
        results = tuple(
            OrderResult(order=found.order, state=found.state, since=found.since, reason=found.reason)
            for found in self._open.values()
        )
        return Reconciliation(
            results=results,
            breaks=tuple(sorted(self._breaks, key=_rank)),
            moved=self._moved,
            matched=self._matched,
            unmatched=self._moved - self._matched,
        )


def _unlike(messages: Iterable[_Message]) -> list[_Message]:
    """Each message once, whatever file it was in."""
    kept: dict[tuple[object, ...], _Message] = {}
    for message in messages:
        lines = tuple(replace(line, where="") for line in message.lines)
        kept.setdefault((message.id, message.created_at, lines), message)
    return list(kept.values())


def _expected(order: SettlementOrder, funds: str) -> int:
    if funds not in (order.debtor, order.creditor):
        raise Usage(
            f"has {funds} on neither side", where=f"order {order.reference}", fix="reconcile it apart"
        )
    return order.amount if order.creditor == funds else -order.amount


def _sequence(found: Statement) -> tuple[str, int, str, str]:
    return (found.closed_on, found.sequence or 0, found.id, repr(_content(found)))


def _content(found: Statement) -> Statement:
    """A statement without the places where it was read: the same bytes under another file name are the same."""
    lines = tuple(replace(line, where="") for line in found.lines)
    return replace(found, where="", message="", lines=lines)


def _rank(found: Break) -> tuple[int, str, str, str]:
    order = list(BreakKind)
    return (order.index(found.kind), found.reference, found.where, found.note)
