"""Stories in words: codes become reasons, Latin names become Chinese, rows of reports have titles.

Goal: a reader meets no code of a program. Method: sentences as players make them, and every code of the table.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_fact_words import SheetWords, fact_word
from jinka.app.sector_reasons import _ROWS, reason_text
from jinka.app.sector_titles import lacking, recorded_text
from jinka.app.sector_words import Wording, row_title
from jinka.codec.fields import Coding
from jinka.declaration import Sector
from jinka.kit import Unit
from jinka.profile import entitlement
from jinka.profile.applications import record
from jinka.profile.entitlement import Condition, Fact
from jinka.profile.records import DigitGroup
from jinka.reports.day import Text
from jinka.sectors import campus, hazardous
from jinka.tariff.sheet import Choose
from jinka.tariff.sheet_text import expression_text
from jinka.trace.rules import RULES

_LAWS = {"social-insurance": ("Social Insurance Law", "中华人民共和国社会保险法")}


@pytest.fixture(scope="module")
def wording() -> Wording:
    return Wording((campus.SECTOR, hazardous.SECTOR), _LAWS)


@pytest.mark.parametrize(
    ("zh", "said"),
    [
        ("卡刷食堂：拒绝（BLOCKED）", "卡刷食堂：拒绝（卡在黑名单）"),
        ("借书拒绝：须可借册数不少于1（TOO_MANY_BOOKS）", "借书拒绝：须可借册数不少于1"),
        ("不通过，签名与内容不符（ALTERED）", "不通过，签名与内容不符"),
        ("拒绝，应答码51", "拒绝，余额不足"),
        ("被卡拒绝（63C2）", "被卡拒绝（口令错误，尚可试2次）"),
        ("向li出账：拒绝", "向李明出账：拒绝"),
        ("岗位keeper；李强 (keeper)、赵敏 (commander)签署", "岗位保管员；李强（保管员）、赵敏（负责人）签署"),
        ("可查，依据social-insurance 57", "可查，依据《中华人民共和国社会保险法》第57条"),
        ("可查，依据本人同意书1", "可查，依据本人同意书1"),
        ("keeper-2和houseli不是名称", "keeper-2和houseli不是名称"),
        ("装入集装箱CSQU3054383", "装入集装箱CSQU3054383"),
    ],
)
def test_chinese_has_words_for_codes_and_names(wording: Wording, zh: str, said: str) -> None:
    assert wording.chinese(zh) == said


@pytest.mark.parametrize(
    ("en", "said"),
    [
        ("the till: refused, NOT_OPEN", "The till: refused, closed for arrears"),
        ("is refused: TOO_MANY_BOOKS (needs: x)", "Is refused: too many books (needs: x)"),
        ("li is refused by the card (select: SW 6A81)", "Li is refused by the card (the application is blocked)"),
        ("refused by the card (select: SW 6F00)", "Refused by the card (select: SW 6F00)"),
        ("refused, answer 55", "Refused, a wrong PIN"),
        ("base_fen: shown, by social-insurance 57", "Base fen: shown, by Social Insurance Law, Art. 57"),
        ("Units. the phone card", "Units. The phone card"),
    ],
)  # fmt: skip
def test_english_has_words_for_codes(wording: Wording, en: str, said: str) -> None:
    assert wording.english(en) == said


def test_every_code_of_the_tables_has_words_in_both_languages() -> None:
    for code in (*_ROWS, *RULES):
        found = reason_text(code)
        assert found.en != code
        assert any("\u3400" <= sign <= "\u9fff" for sign in found.zh), code
    assert reason_text("OTHER_HOUSE", [campus.SECTOR]) == Text("other house", "须宿舍楼等于所要求的值")
    assert reason_text("NEVER_HEARD_OF") == Text("never heard of", "NEVER_HEARD_OF")


@pytest.mark.parametrize(
    ("sector", "by", "key", "en", "zh"),
    [
        (campus.SECTOR, "device", "canteen", "the canteen", "食堂"),
        (campus.SECTOR, "reason", "BLOCKED", "the card is on the list", "卡在黑名单"),
        (campus.SECTOR, "reason", "TOO_MANY_BOOKS", "too many books", "须可借册数不少于1"),
        (campus.SECTOR, "entitlement", "unknown", "unknown", "unknown"),
        (hazardous.SECTOR, "place", "keeper", "keeper", "保管员"),
    ],
)
def test_rows_of_reports_have_titles(sector: Sector, by: str, key: str, en: str, zh: str) -> None:
    assert row_title(key, by, sector, [sector], zh=False) == en
    assert row_title(key, by, sector, [sector], zh=True) == zh


def test_a_record_of_several_numbers_is_told_number_by_number() -> None:
    groups = (DigitGroup(4, "last number", "最近号码"), DigitGroup(6, "amounts", "金额", Unit.FEN))
    spec = record(1, "counter", Coding.DIGITS, 5, "1002010000", "Counter", "计数", groups=groups)
    said = recorded_text({"counter": spec}, {"counter": "1002010050"}, empty=Text("empty", "空"))
    assert said == Text("last number 1002, amounts 100.50", "最近号码1002，金额100.50")
    assert recorded_text({"counter": spec}, {"counter": "-"}, empty=Text("empty", "空")).zh == "计数空"


def test_what_nobody_has_is_lacking_and_equals_nothing() -> None:
    spec = record(1, "driver", Coding.TEXT, 9, "", "Driver seen", "驾驶员签到")
    needs = Condition("driver", entitlement.Test.EQUALS, Fact("driver"), "NO_DRIVER")
    assert lacking(needs, {"driver": spec}, {"driver": ""}).zh == "有驾驶员签到（尚无）"
    assert lacking(needs, {"driver": spec}, {"driver": "7"}).zh == "驾驶员签到等于7"


def test_rows_of_reports_have_titles_of_cards_departments_and_services() -> None:
    known = all_sectors()
    found = known["tax"]
    assert row_title("shop", "device", found, known.values(), zh=True) == "商店的税控卡"
    assert row_title("bank", "department", found, known.values(), zh=True) == "银行"
    assert row_title("verify", "entitlement", found, known.values(), zh=True) == "验签"


def test_facts_of_sheets_are_words_on_a_chinese_page() -> None:
    found = all_sectors()["medical"]
    sheet = next(one for one in found.all_sheets if one.name == "inpatient")
    assert fact_word(found, "who") == "人员类别"
    assert fact_word(found, "no such fact") == ""
    assert fact_word(replace(found, words={"<who>": "参保人"}), "who") == "参保人"
    said = expression_text(
        Choose("who", (("employee", "fund"), ("odd", 1))), zh=True, said=SheetWords(found, sheet)
    )
    assert said == "按 人员类别 [职工医保: 统筹基金支付; `odd`: 1]"
