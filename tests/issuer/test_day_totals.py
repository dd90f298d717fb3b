"""Totals of a business date at the issuer's host: what it has itself decides, and the comparison is kept.

Method: payments of two acquirers with voids, refunds, reversals and parts taken back, over each engine; the sums are
worked out by hand, and those of SQL are compared with the reference over all bookings. What a switch's core sends after
its cut-over is answered by this host as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jinka.codec.iso8583 import Message, dialect
from jinka.issuer import IsoIssuer, IsoTerms, IssuedCard, IssuerHost
from jinka.issuer.books import MemoryBooks
from jinka.issuer.day_totals import DayBooks, DayTotals, MemoryDays, settlement_date
from jinka.store import SqlIssuerBooks
from jinka.switch import Reconcile
from tests.issuer.host_rig import PAN, START, ZONE, Bank
from tests.switch.bank import Bank as SwitchBank
from tests.switch.ground import DATE, PANS, World, config, peer, request, reversal

pytestmark = pytest.mark.usefixtures("books_engine")
CODEC = dialect("iso1987-binary")
CENTRE = "88001"
DAY = "2026-11-20"


class Desk:
    """A bank of two acquirers, asked in messages of field 15."""

    def __init__(self) -> None:
        self.bank = Bank()
        self.bank.policy = replace(self.bank.policy, unproven_fen=100_000)
        self.bank.host = IssuerHost(
            issuer="bank", books=self.bank.books, ledger=self.bank.ledger, checks=self.bank.host._checks,
            policy=self.bank.policy, acquirers=["101", "102"],
        )  # fmt: skip
        books = self.bank.books
        self.reference = MemoryDays(_Rows(books.all_bookings))
        self.days: DayBooks = books.days if isinstance(books, SqlIssuerBooks) else self.reference
        self.iso = IsoIssuer(self.bank.host, IsoTerms(zone=ZONE), None, DayTotals(self.days, ["101", "102"]))
        self.trace = 0

    def ask(self, message: Message) -> Message:
        answer = self.iso.handle(CODEC.decode(CODEC.encode(message)), START)
        assert answer is not None
        return CODEC.decode(CODEC.encode(answer))

    def pay(self, code: str, fen: int, mti: str = "0200", **more: Any) -> Message:
        self.trace += 1
        fields = {
            2: PAN, 3: code, 4: f"{fen:012}", 7: "1120020000", 11: f"{self.trace:06}", 13: "1120", 15: "1120",
            22: "100", 25: "00", 32: "101", 41: "T0000001", 42: "M00000000000001", 49: "156",
        }  # fmt: skip
        fields |= {int(name[1:]): value for name, value in more.items()}
        message = Message(mti=mti, fields={n: v for n, v in sorted(fields.items()) if v is not None})
        assert self.ask(message).text(39) == "00"
        return message

    def back(self, of: Message, stays: int = 0) -> None:
        more = {95: f"{stays:012d}" + "0" * 12 + "C00000000C00000000"} if stays else {}
        assert self.ask(of.changed({90: elements(of), **more}, "0400")).text(39) == "00"

    def total(self, *sums: int, asker: str = CENTRE, date: str | None = "1120", trace: int = 900) -> Message:
        names = (76, 88, 74, 86)
        sized = {n: f"{value:0{10 if n < 80 else 16}d}" for n, value in zip(names, sums, strict=True)}
        fields = {7: "1121000000", 11: f"{trace:06}", 15: date, 32: asker, 33: CENTRE, **sized}
        return self.ask(
            Message(mti="0500", fields={n: v for n, v in sorted(fields.items()) if v is not None})
        )


class _Rows:
    """All bookings, each time anew."""

    def __init__(self, rows: Callable[[], Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Any:
        return iter(list(self._rows()))


def elements(of: Message) -> str:
    return of.mti + of.text(11) + of.text(7) + of.text(32).zfill(11) + "0" * 11


def busy_day() -> Desk:
    desk = Desk()
    sale = desk.pay("000000", 5_000)
    desk.pay("200000", 2_000, "0220", f90=elements(sale))  # a refund
    voided = desk.pay("000000", 700)
    desk.pay("200000", 700, f90=elements(voided))
    desk.back(desk.pay("000000", 900))
    desk.back(desk.pay("010000", 800), stays=300)
    hold = desk.pay("000000", 4_000, "0100")
    done = desk.pay("000000", 3_500, f90=elements(hold), f25="06")
    desk.pay("200000", 3_500, f90=elements(done), f25="06")
    desk.pay("200000", 600, "0100", f90=elements(desk.pay("000000", 600, "0100")))  # no money moved
    desk.pay("210000", 150)  # a deposit
    desk.pay("000000", 60, f32="102")
    desk.pay("000000", 11, "0220", f15="1121")  # another day's
    desk.pay("300000", 0)
    return desk


FIRST = (4, 5_000 + 700 + 300 + 3_500, 4, 2_000 + 700 + 3_500 + 150)
ALL = (5, FIRST[1] + 60, 4, FIRST[3])


def test_the_hosts_own_books_decide() -> None:
    desk = busy_day()
    for asker, sums in ((CENTRE, ALL), ("101", FIRST), ("102", (1, 60, 0, 0))):
        answer = desk.total(*sums, asker=asker)
        assert (answer.mti, answer.text(39), answer.text(66)) == ("0510", "00", "1")
    for at in range(4):
        wrong = [value + (n == at) for n, value in enumerate(ALL)]
        answer = desk.total(*wrong, trace=901 + at)
        assert (answer.text(39), answer.text(66)) == ("95", "2")
        assert [int(answer.text(n)) for n in (76, 88, 74, 86)] == list(ALL)
    assert [one.state for one in desk.days.comparisons()] == ["equal"] * 3 + ["differ"] * 4
    assert desk.total(1, 11, 0, 0, date="1121").text(39) == "00"
    assert desk.total(0, 0, 0, 0, date="1119").text(39) == "00"
    for date, acquirer in ((DAY, ""), (DAY, "101"), (DAY, "102"), ("2026-11-21", ""), ("2026-11-19", "")):
        assert desk.days.sums(date, acquirer) == desk.reference.sums(date, acquirer)


def test_a_comparison_is_kept_once_and_says_what_differs() -> None:
    desk = busy_day()
    for _ in range(2):
        assert desk.total(*FIRST).text(66) == "2"
    [kept] = desk.days.comparisons()
    assert (kept.business_date, kept.asker, kept.acquirer, kept.state) == (DAY, CENTRE, "", "differ")
    assert (kept.ours.debit_fen - kept.claimed.debit_fen, kept.ours.debits - kept.claimed.debits) == (60, 1)
    desk.pay("000000", 5)
    assert desk.total(*FIRST).text(39) == "95"
    assert len(desk.days.comparisons()) == 2, "the books have changed"


@pytest.mark.parametrize("field", [74, 76, 86, 88])
def test_sums_that_are_none_are_refused_and_not_kept(field: int) -> None:
    desk = Desk()
    fields = {7: "1121000000", 11: "000900", 15: "1120", 32: CENTRE, 74: "0", 76: "0", 86: "0", 88: "0"}
    for value in ("", "x" * 10, "\u0661" * 10, "-000000001"):
        answer = desk.iso.handle(Message(mti="0500", fields=fields | {field: value}), START)
        assert answer is not None
        assert answer.text(39) == "30"
    answer = desk.iso.handle(Message(mti="0500", fields=fields | {15: "0230"}), START)
    assert answer is not None
    assert answer.text(39) == "30"
    assert not desk.days.comparisons()


def test_a_payment_whose_field_15_is_no_date_is_refused() -> None:
    desk = Desk()
    sale = desk.pay("000000", 10)
    answer = desk.ask(sale.changed({11: "000077", 15: "0230"}))
    assert answer.text(39) == "30"


def test_a_host_that_compares_none_says_so() -> None:
    bank = Bank()
    answer = IsoIssuer(bank.host, IsoTerms()).handle(Message(mti="0500", fields={11: "000001"}), START)
    assert answer is not None
    assert answer.text(39) == "12"


def test_the_year_is_the_one_that_brings_the_date_nearest() -> None:
    year_end, new_year = (
        1_704_030_000_000_000,
        1_704_042_000_000_000,
    )  # 21:40 of 31 December, 1 o'clock of 1 January
    assert settlement_date("0101", year_end) == settlement_date("0101", new_year) == "2024-01-01"
    assert settlement_date("1231", year_end) == settlement_date("1231", new_year) == "2023-12-31"
    assert settlement_date("", year_end) == "2023-12-31"
    assert settlement_date("0229", new_year) == "2024-02-29"
    assert [
        settlement_date(text, new_year) for text in ("0000", "1", "01011", "\u0661\u0661\u0661\u0661")
    ] == [""] * 4


def test_the_reference_is_the_books_own(books_engine: str) -> None:
    assert isinstance(Desk().bank.books, MemoryBooks if books_engine == "memory" else SqlIssuerBooks)


class Behind(SwitchBank):
    """The issuer's host in the place of the switch's test bank."""

    def __init__(self, desk: Desk, now: int) -> None:
        super().__init__(peer("bank"), (), 0)
        self.desk, self.at = desk, now

    def handle(self, message: Message) -> Message | None:
        return self.desk.iso.handle(message, self.at)


def test_a_switch_and_the_host_agree_on_a_day() -> None:
    desk, world = Desk(), World(config())
    state = desk.bank.books.cards([PAN])[PAN].state
    desk.bank.host.add_card(IssuedCard(pan=PANS[0], account="A", expiry4="2812", chip=False, state=state))
    world.bank = Behind(desk, world.now)
    sale, gone = request(1, fen=900), request(2, fen=50)
    for message in (
        sale, gone, reversal(gone, 3), request(4, fen=70, mti="0220"), request(5, fen=30, code="210000"),
        request(6, fen=400, mti="0220", code="200000", f90=elements(sale)),
    ):  # fmt: skip
        answer = world.pay(message)
        assert answer is not None
        assert answer.text(39) == "00"
    world.step(Reconcile(peer="bank", business_date=DATE))
    [kept] = desk.days.comparisons()
    assert (kept.business_date, kept.state, kept.ours.debit_fen, kept.ours.credit_fen) == (
        DATE,
        "equal",
        970,
        430,
    )
    [record] = [v[-1] for v in world.journal.values() if v[-1].entity.value == "totals"]
    assert record.state == "equal"
    lost = request(9, fen=1).changed({15: "1114"})  # the switch knows nothing of it
    assert world.bank.handle(lost) is not None
    world.step(Reconcile(peer="bank", business_date=DATE))
    assert sorted(v[-1].state for v in world.journal.values() if v[-1].entity.value == "totals") == [
        "differ",
        "equal",
    ]
