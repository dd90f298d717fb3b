"""Who lacks the chip bears the risk, and fallbacks are counted where they happen. Each cell of the table is tried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.issuer import Entry, Kind
from jinka.issuer.migration import Bearer, Reading, migration_report, reading_of, who_bears
from tests.issuer.host_rig import PAN, STRIPE_ONLY, Bank

pytestmark = pytest.mark.usefixtures("books_engine")


@pytest.mark.parametrize(
    ("entry", "card_chip", "terminal_chip", "reading", "bearer"),
    [
        (Entry.CHIP, True, True, Reading.CHIP, Bearer.ISSUER),
        (Entry.CONTACTLESS, True, True, Reading.CHIP, Bearer.ISSUER),
        (Entry.STRIPE, True, False, Reading.OLD_TERMINAL, Bearer.ACQUIRER),
        (Entry.STRIPE, True, True, Reading.FALLBACK, Bearer.ACQUIRER),
        (Entry.FALLBACK, True, False, Reading.FALLBACK, Bearer.ACQUIRER),
        (Entry.STRIPE, False, True, Reading.OLD_CARD, Bearer.ISSUER),
        (Entry.STRIPE, False, False, Reading.OLD_CARD, Bearer.ISSUER),
        (Entry.STORED, True, True, Reading.REMOTE, Bearer.NOBODY),
    ],
)
def test_liability(
    entry: Entry, card_chip: bool, terminal_chip: bool, reading: Reading, bearer: Bearer
) -> None:
    bank = Bank()
    request, _ = bank.do()
    booking = bank.books.bookings([request.id])[request.id]
    booking = replace(booking, entry=entry, card_chip=card_chip, terminal_chip=terminal_chip)
    assert reading_of(booking) is reading
    assert who_bears(booking, fallback=Bearer.ACQUIRER) is bearer


def test_the_report() -> None:
    bank = Bank()
    for _ in range(3):
        assert bank.stripe(100).approved
    assert bank.stripe(200, PAN).approved
    assert bank.stripe(200, PAN, card_value=None).code == "05"
    assert bank.stripe(300, PAN, terminal_chip=False).approved
    sale, _ = bank.do(fen=50)
    bank.back(sale, Kind.VOID)
    report = migration_report(bank.books.all_bookings())
    found = {line.reading: (line.asked, line.approved, line.approved_fen) for line in report.lines}
    assert found == {
        Reading.CHIP: (0, 0, 0), Reading.FALLBACK: (2, 1, 200), Reading.OLD_TERMINAL: (1, 1, 300),
        Reading.OLD_CARD: (3, 3, 300), Reading.REMOTE: (1, 1, 50),
    }  # fmt: skip
    assert (report.cards, report.chip_cards, report.months) == (2, 1, {202611: 0})
    [watched] = report.watched
    assert (watched.merchant, watched.read, watched.fallbacks, watched.permille) == ("M1", 2, 2, 1000)
    for language, word in (("en", "acquirer"), ("zh", "收单方")):
        head, rows = report.table(language)
        assert len(head) == len(rows[0]) == 5
        assert rows[2][1] == word
    assert STRIPE_ONLY not in str(report)
