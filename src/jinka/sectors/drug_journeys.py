"""The licence card of the drug trade and its journeys: capsules with a recall, vaccines, and a box sold twice."""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Admit,
    AnswerRecall,
    Assess,
    CheckItem,
    CloseRecall,
    Commissioned,
    Conditions,
    Destroyed,
    Journey,
    JourneyCard,
    Measured,
    Observed,
    Packed,
    Reads,
    Recall,
    Received,
    Shipped,
    Sold,
    Stands,
    Start,
    Tell,
    TraceBack,
    TraceForward,
    Transformed,
    Unpacked,
    Write,
)
from jinka.profile.applications import record, record_application

LICENCE_RECORDS = (
    record(1, "licence", Coding.TEXT, 20, "AA7550001", "Licence number", "许可证号"),
    record(2, "practice", Coding.TEXT, 4, "GSP", "Good practice", "质量管理规范"),
    record(3, "scope", Coding.TEXT, 40, "prescription,vaccine", "Scope", "经营范围"),
    record(4, "good until", Coding.DATE, 4, "20281231", "Licensed until", "许可有效期"),
)
LICENCE = record_application(
    name="cn.drugs.licence", aid=b"JINKA.DRUGS.1", fid=0x3F53, title_en="Drug maker's or dealer's licence",
    title_zh="药品生产经营许可电子证照卡", authority="Medical products administration 药品监督管理部门",
    standards=("LD/T 33",), records=LICENCE_RECORDS,
)  # fmt: skip


def _firm(name: str, en: str, zh: str, number: str, practice: str, scope: str, until: str) -> JourneyCard:
    return JourneyCard(name, en, zh, (Start(application=LICENCE.name, records={
        "licence": number, "practice": practice, "scope": scope, "good until": until}),))  # fmt: skip


MAKER = _firm(
    "maker", "the maker's licence", "生产企业许可证", "GD20260001", "GMP", "prescription,vaccine", "20301231"
)
DEALER = _firm("dealer", "the wholesaler's licence", "批发企业许可证", "AA7550001", "GSP", "prescription,vaccine",
               "20281231")  # fmt: skip
SHOP = _firm(
    "shop", "the first pharmacy's licence", "第一药店许可证", "DA7550002", "GSP", "prescription", "20281231"
)
LATE = _firm(
    "late", "the second pharmacy's licence", "第二药店许可证", "DA7550003", "GSP", "prescription", "20260228"
)

CHAIN = Journey(
    name="chain",
    title_en="A lot of capsules from the maker to two pharmacies, a return and a recall",
    title_zh="一批胶囊由生产企业到两家药店，以及退回和召回",
    date=dt.date(2026, 3, 9),
    cards=(MAKER, DEALER, SHOP, LATE),
    steps=(
        Admit("maker", "purchasing", "deals", facts={"practice": "GMP", "goods": "prescription"}, at="07:00",
              remembers={"maker licensed": "admitted"}),
        Commissioned("substance#API1 50 KGM", "maker"),
        Transformed("substance#API1 40 KGM", "capsules/1..6", "maker", at="08:00",
                    data={"lotNumber": "260301", "itemExpirationDate": "2028-02-29"}),
        Packed("carton/1", "capsules/1..6", "maker"),
        Tell("Who ships asks for the buyer's licence first, who receives for the seller's.",
             "发货前核验购货单位资质，收货前核验供货单位资质。"),
        Shipped("carton/1", "maker", "wholesaler", needs=("dealer licensed",), refused="NOT_SHOWN"),
        Admit("dealer", "purchasing", "deals", facts={"practice": "GSP", "goods": "prescription"},
              remembers={"dealer licensed": "admitted"}),
        Shipped("carton/1", "maker", "wholesaler", document="desadv urn:jinka:doc:drug-note-1",
                needs=("dealer licensed",)),
        Received("carton/1", "wholesaler", at="+1 08:00", needs=("maker licensed",)),
        Unpacked("carton/1", "wholesaler"),
        Admit("late", "purchasing", "deals", facts={"practice": "GSP", "goods": "prescription"},
              remembers={"second licensed": "admitted"}, refused="LICENCE_EXPIRED"),
        Shipped("capsules/4..5", "wholesaler", "pharmacy-2", needs=("second licensed",), refused="NOT_SHOWN"),
        Admit("shop", "purchasing", "deals", facts={"practice": "GSP", "goods": "vaccine"}, refused="OUT_OF_SCOPE"),
        Admit("dealer", "purchasing", "deals", facts={"practice": "GMP", "goods": "prescription"},
              refused="OTHER_PRACTICE"),
        Write("late", "authority", {"good until": "20310228"}),
        Reads("late", "authority", {"licence": "DA7550003", "good until": "20310228"}),
        Admit("late", "purchasing", "deals", facts={"practice": "GSP", "goods": "prescription"},
              remembers={"second licensed": "admitted"}),
        Admit("shop", "purchasing", "deals", facts={"practice": "GSP", "goods": "prescription"},
              remembers={"first licensed": "admitted"}),
        Shipped("capsules/1..3", "wholesaler", "pharmacy-1", at="+1 10:00", needs=("first licensed",)),
        Shipped("capsules/4..5", "wholesaler", "pharmacy-2", needs=("second licensed",)),
        Admit("dealer", "purchasing", "deals", facts={"practice": "GSP", "goods": "prescription"},
              remembers={"dealer licensed": "admitted"}, at="+2 07:30"),
        Received("capsules/1..3", "pharmacy-1", at="+2 08:00", needs=("dealer licensed", "first licensed")),
        Received("capsules/4..5", "pharmacy-2", needs=("dealer licensed", "second licensed")),
        Sold("capsules/1", "pharmacy-1", dispensed=True),
        Tell("A crushed box is set aside and goes back to the wholesaler, who inspects it and has it destroyed.",
             "一盒破损药品扣留后退回批发企业，经退货验收不合格，予以销毁。"),
        Observed("holding", "capsules/5", "pharmacy-2"),
        Sold("capsules/5", "pharmacy-2", dispensed=True, refused="HELD"),
        Shipped("capsules/5", "pharmacy-2", "wholesaler", disposition="returned"),
        Received("capsules/5", "wholesaler", at="+3 08:00"),
        Observed("inspecting", "capsules/5", "wholesaler", disposition="damaged"),
        Destroyed("capsules/5", "wholesaler"),
        Sold("capsules/5", "pharmacy-2", dispensed=True, refused="AFTER_END"),
        CheckItem("capsules/3", "known"),
        CheckItem("capsules/777", "unknown"),
        TraceBack("capsules/3", "substance#API1", places=("maker", "wholesaler", "pharmacy-1")),
        TraceForward("substance#API1", "capsules/1..6", places=("maker",)),
        Recall("impurity", "Impurity in the active substance", "原料药杂质超标", "substance#API1", {
            "maker": "10 KGM substance#API1", "wholesaler": "1 item", "pharmacy-1": "2 items, 1 item sold",
            "pharmacy-2": "1 item",
        }, grade="2"),
        Assess("recall-notice", {"grade": 2}, {"days": 3}),
        Sold("capsules/2", "pharmacy-1", dispensed=True, refused="QUARANTINED"),
        AnswerRecall("impurity", "maker", "10 KGM substance#API1 destroyed"),
        AnswerRecall("impurity", "wholesaler", "1 item quarantined"),
        AnswerRecall("impurity", "pharmacy-1", "2 items returned, 1 item sold used"),
        CloseRecall("impurity", refused="REFUSED"),
        AnswerRecall("impurity", "pharmacy-2", "1 item returned"),
        CloseRecall("impurity"),
    ),
)  # fmt: skip
_GIVES = "gives", "接种"
VACCINE = Journey(
    name="vaccine",
    title_en="Vaccines: what got warm or is past its date is not given",
    title_zh="疫苗：超温的、过期的均不得接种",
    date=dt.date(2026, 4, 13),
    steps=(
        Commissioned("vaccine/1..6", "maker", at="06:00", data={"itemExpirationDate": "2026-10-12"}),
        Observed("inspecting", "vaccine/1..6", "maker", document="cert urn:jinka:doc:batch-release-1"),
        Packed("carton/11", "vaccine/1..3", "maker"),
        Packed("carton/12", "vaccine/4..6", "maker"),
        Shipped("carton/11", "maker", "clinic", at="08:00", seal="V1"),
        Shipped("carton/12", "maker", "clinic", seal="V2"),
        Measured("carton/11", "clinic", {"08:10": "4.5", "09:00": "5", "09:50": "4"}, at="10:00"),
        Measured("carton/12", "clinic", {"08:10": "4.5", "09:00": "9.5", "09:50": "6"}),
        Received("carton/11", "clinic", seal="V1"),
        Received("carton/12", "clinic", seal="V2"),
        Unpacked("carton/11", "clinic"),
        Unpacked("carton/12", "clinic"),
        Conditions("carton/11", ("vaccines",), holds="vaccine/1..3", place="clinic"),
        Conditions("carton/12", ("vaccines",), excursions=1, breaches=1, holds="vaccine/4..6", place="clinic"),
        CheckItem("vaccine/4", "known"),
        Sold("vaccine/4", "clinic", dispensed=True, verb=_GIVES, refused="HELD"),
        CheckItem("vaccine/1", "known"),
        Sold("vaccine/1", "clinic", dispensed=True, verb=_GIVES),
        Tell("The clinic reports the warm doses and destroys them; an empty vial cannot be given twice.",
             "门诊上报后将超温疫苗登记销毁；用过的疫苗码不得再次接种。"),
        Destroyed("vaccine/4..6", "clinic"),
        Sold("vaccine/4", "clinic", dispensed=True, verb=_GIVES, refused="AFTER_END"),
        Sold("vaccine/1", "clinic", dispensed=True, verb=_GIVES, refused="SOLD_TWICE"),
        Sold("vaccine/2", "clinic", dispensed=True, verb=_GIVES, at="+182 16:00"),
        CheckItem("vaccine/3", "known", at="+183 08:00"),
        Sold("vaccine/3", "clinic", dispensed=True, verb=_GIVES, refused="EXPIRED"),
        Destroyed("vaccine/3", "clinic"),
    ),
)  # fmt: skip
# What a check of the box answers, what the fund answers to it, and what the bill takes of both and of the sale.
_SEEN = {"sold": "sold", "expired": "expired", "recalled": "recalled", "code": "number"}
_ASKED: dict[str, int | str] = {"scan": "scanned", **{name: f"={name}" for name in _SEEN}}
_ANSWER = {"pays": "settles", "asked": "code"}
_BILLED: dict[str, int | str] = {
    "price": 4_000, "fund share": 70, "settles": "=pays", "asked": "=asked", "handed out": "=sale",
}  # fmt: skip
_SALE = {"sale": "number"}
_USED_UP = ("pays", "sale")
INSURED = Journey(
    name="insured",
    title_en="The fund pays for a box once, and for none that may not be sold",
    title_zh="一盒药医保只结算一次，不得售出的不结算",
    date=dt.date(2026, 5, 11),
    steps=(
        Commissioned("capsules/101..104", "maker", at="06:00",
                     data={"lotNumber": "260501", "itemExpirationDate": "2028-04-30"}),
        Commissioned("capsules/105", "maker", data={"lotNumber": "240501", "itemExpirationDate": "2026-05-11"}),
        Shipped("capsules/101..105", "maker", "pharmacy-1"),
        Received("capsules/101..105", "pharmacy-1", at="+1 08:00"),
        CheckItem("capsules/101", "known", remembers=_SEEN, at="+1 09:00"),
        Assess("one-sale", _ASKED, {"settles": 1}, remembers=_ANSWER),
        Tell("Nothing is settled before the box is handed out.", "未售出的药品不结算。"),
        Assess("drug-bill", _BILLED, {}, refused="NOT_SHOWN", spends=_USED_UP),
        Sold("capsules/101", "pharmacy-1", dispensed=True, remembers=_SALE),
        Assess("drug-bill", _BILLED, {"fund": 2_800, "patient": 1_200}, spends=_USED_UP),
        Assess("drug-bill", _BILLED, {}, refused="USED_TWICE", spends=_USED_UP),
        Tell("The pharmacy asks for another box and sends in the bill of this one.", "药店另验一盒，却以本盒报账。"),
        Sold("capsules/102", "pharmacy-1", dispensed=True, remembers=_SALE),
        CheckItem("capsules/103", "known", remembers=_SEEN),
        Assess("one-sale", _ASKED, {"settles": 1}, remembers=_ANSWER),
        Assess("drug-bill", _BILLED, {}, refused="REFUSED", spends=_USED_UP),
        Tell("The second pharmacy scans a box that bears the same code: a copy, or one that came back.",
             "第二药店扫描到同一追溯码：仿冒或回流药品。"),
        CheckItem("capsules/101", "sold", remembers=_SEEN, at="+2 09:00"),
        Assess("one-sale", _ASKED, {"settles": 0}, remembers=_ANSWER),
        Tell("For cash it cannot be sold either: the box is set aside and reported.",
             "自费同样不得售出：该盒药品扣留上报。"),
        Sold("capsules/101", "pharmacy-2", dispensed=True, refused="SOLD_TWICE", remembers=_SALE),
        Assess("drug-bill", _BILLED, {}, refused="NOT_SHOWN", spends=_USED_UP),
        Observed("inspecting", "capsules/101", "pharmacy-2", disposition="no_pedigree_match"),
        Tell("A box that is not scanned is not settled either.", "不扫码的药品同样不予结算。"),
        CheckItem("capsules/103", "known", remembers=_SEEN),
        Assess("one-sale", {**_ASKED, "scan": "none"}, {"settles": 0}, remembers=_ANSWER),
        CheckItem("capsules/105", "known", remembers=_SEEN),
        Assess("one-sale", _ASKED, {"settles": 0, "in date": 0}, remembers=_ANSWER),
        Sold("capsules/105", "pharmacy-1", dispensed=True, refused="EXPIRED", remembers=_SALE),
        Assess("drug-bill", _BILLED, {}, refused="NOT_SHOWN", spends=_USED_UP),
        Recall("label", "Wrong leaflet", "说明书错装", "capsules/104", {"pharmacy-1": "1 item"}, grade="3"),
        CheckItem("capsules/104", "recalled", remembers=_SEEN),
        Assess("one-sale", _ASKED, {"settles": 0, "free": 0}, remembers=_ANSWER),
        Sold("capsules/104", "pharmacy-1", dispensed=True, refused="QUARANTINED", remembers=_SALE),
        Assess("drug-bill", _BILLED, {}, refused="NOT_SHOWN", spends=_USED_UP),
        Stands("drugs.fund", 997_200),
        Stands("drugs.pharmacy", 4_000),
        Observed("inspecting", "capsules/103", "pharmacy-1"),
    ),
)  # fmt: skip

JOURNEYS = (CHAIN, VACCINE, INSURED)
