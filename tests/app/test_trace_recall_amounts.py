"""A recall of a lot whose amounts are half known. Goal: every holder hears, answers and stands in the report as he is.

Method: one who sold some and one who never said how much he got, through draft, notices, answers and the report.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from jinka.app.trace_recall import Plan, RecallDesk
from jinka.codec.epcis import Quantity
from jinka.node.system import SystemClock
from jinka.reports.words import Language
from jinka.store import database_at
from jinka.store.trace_edges import write_edges
from jinka.trace.recall import NoticeState, RecallEvent
from tests.trace.chains import lot, parts, place, seen

SELLER, UNSURE, SOLD = place(2), place(3), f"sold:{lot('A')}"
EVENTS = [
    seen(0, "commissioning", 2, quantities=parts((lot("A"), 50)), add=True),
    seen(1, "retail_selling", 2, quantities=parts((lot("A"), 50))),
    seen(2, "receiving", 3, quantities=parts((lot("A"), None))),
]


def test_a_unit_that_cannot_be_converted_is_said(tmp_path: Path) -> None:
    boxes = (Quantity(epc_class=lot("A"), quantity=Decimal(5), uom="XBX"),)
    tonnes = (Quantity(epc_class=lot("A"), quantity=Decimal("0.02"), uom="TNE"),)
    events = [
        *EVENTS[:1],
        seen(1, "shipping", 2, quantities=tonnes, to=4),
        seen(2, "receiving", 4, quantities=tonnes),
        seen(3, "shipping", 2, quantities=boxes, to=3),
        seen(4, "receiving", 3, quantities=boxes),
    ]
    with database_at(tmp_path / "t.db") as database:
        with database.begin() as connection:
            write_edges(connection, list(enumerate(events, 1)))
        desk = RecallDesk(database, SystemClock())
        desk.draft(Plan(title="glass", grade="1", kind="lot", names=(lot("A"),)), by="li")
        facts = desk.facts(1)
        assert facts["scope"]["foreign"] == [{"what": lot("A"), "unit": "XBX"}]
        due = {each.holder: each.lines for each in desk.books.get(1).scope.holders}  # type: ignore[union-attr]
        assert {holder: str(lines[0].amount) for holder, lines in due.items()} == {
            SELLER: "30", UNSURE: "0", place(4): "20"
        }  # fmt: skip
        desk.act(1, RecallEvent.APPROVE, by="wang")
        desk.report(1, tmp_path / "report", Language.ZH)
        page = (tmp_path / "report" / "index.html").read_text()
        assert "无法换算的单位" in page
        assert "XBX" in page


def test_what_was_sold_and_what_nobody_measured_is_told_answered_and_reported(tmp_path: Path) -> None:
    with database_at(tmp_path / "t.db") as database:
        with database.begin() as connection:
            write_edges(connection, list(enumerate(EVENTS, 1)))
        desk = RecallDesk(database, SystemClock())
        desk.draft(Plan(title="glass", grade="1", kind="lot", names=(lot("A"),)), by="li")
        desk.act(1, RecallEvent.APPROVE, by="wang")
        due = {each["holder"]: each["to_account_for"] for each in desk.facts(1)["holders"]}
        assert due == {
            SELLER: [{"what": SOLD, "amount": "50", "unit": "KGM"}],
            UNSURE: [{"what": lot("A"), "amount": None, "unit": "KGM"}],
        }
        for language, sold, unknown in (
            (Language.EN, "(sold)", "amount unknown"),
            (Language.ZH, "已售", "数量不明"),
        ):
            told = [path.read_text() for path in desk.notices(1, tmp_path / language.value, language)]
            assert [sold in text for text in told if SELLER in text] == [True]
            assert [unknown in text for text in told if UNSURE in text] == [True]
        desk.act(1, RecallEvent.REPORT, by="a", holder=SELLER, outcomes=[f"{SOLD}:sold=50"])
        recall = desk.act(1, RecallEvent.REPORT, by="b", holder=UNSURE, outcomes=[f"{lot('A')}:returned=0"])
        assert {notice.state for notice in recall.notices.values()} == {NoticeState.SETTLED}
        desk.report(1, tmp_path / "report", Language.ZH)
        rows = (tmp_path / "report" / "holders.csv").read_text("utf-8-sig").splitlines()[1:]
        assert [row.split(",")[2] for row in rows] == ["50", ""]
        assert "数量不明" in (tmp_path / "report" / "index.html").read_text()
