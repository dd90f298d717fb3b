"""Drugs from the maker to the patient: licences, trace codes, cold chain, returns, recall, and one settlement a code.

Drug Administration Law of the PRC, Art. 12 (traceability) and 36; NMPAB/T 1002-2019 (trace codes of 20 digits). Medical
insurance settles a code once (医保发〔2025〕7号): it asks the trace server whether the box was sold before. The
journeys are in `jinka.sectors.drug_journeys`; the licence card's layout is Jinka's.
"""

from __future__ import annotations

from jinka.declaration import (
    Account,
    Archetype,
    Counted,
    Device,
    DeviceKind,
    ItemClass,
    ItemKey,
    KeptWithin,
    Report,
    Sector,
    Trace,
    TracePlace,
    WorkedCase,
)
from jinka.kit import Unit
from jinka.profile.entitlement import Condition, Entitlement, Fact, Test
from jinka.sectors.drug_journeys import JOURNEYS, LICENCE, LICENCE_RECORDS
from jinka.tariff.sheet import Choose, Least, Less, Line, Minus, Sheet, percent

DEALS = Entitlement(
    name="deals", title_en="Make or deal in drugs", title_zh="药品生产经营资格", application=LICENCE.name,
    conditions=(
        Condition("good until", Test.NOT_BEFORE, Fact("date"), "LICENCE_EXPIRED"),
        Condition("practice", Test.EQUALS, Fact("practice"), "OTHER_PRACTICE"),
        Condition("scope", Test.LISTS, Fact("goods"), "OUT_OF_SCOPE"),
    ),
    source="药品管理法 (2019) Art. 41, 51; GMP, GSP",
)  # fmt: skip

TRACE = Trace(
    items=(
        ItemClass("substance", "Active substance", "原料药", ItemKey.TRADE_ITEM, "6902345.060001"),
        ItemClass("capsules", "Box of amoxicillin capsules", "阿莫西林胶囊（盒）", ItemKey.DRUG, "8360001"),
        ItemClass("vaccine", "Dose of vaccine", "疫苗（支）", ItemKey.DRUG, "8360002"),
        ItemClass("carton", "Carton", "药品箱", ItemKey.LOGISTIC_UNIT, "6902345", tag="SSCC-96"),
    ),
    places=(
        TracePlace("maker", "the maker", "药品生产企业", "6902345.00001"),
        TracePlace("wholesaler", "the wholesaler", "药品批发企业", "6902345.00002"),
        TracePlace("pharmacy-1", "the first pharmacy", "第一药店", "6902345.00003"),
        TracePlace("pharmacy-2", "the second pharmacy", "第二药店", "6902345.00004"),
        TracePlace("clinic", "the clinic", "接种门诊", "6902345.00005"),
    ),
    kept=(
        KeptWithin("vaccines", "Vaccines at 2 to 8 °C along the whole chain", "疫苗全程2～8℃", "2", "8",
                   gap_minutes=60, source="疫苗管理法 (2019) Art. 37; 疫苗储存和运输管理规范"),
    ),
    rules=dict.fromkeys(("AFTER_END", "EXPIRED", "HELD", "SOLD_TWICE"), "refuse"),
)  # fmt: skip

_ONE_SALE = (
    "关于加强药品追溯码在医疗保障和工伤保险领域采集应用的通知 (国家医保局等四部门, 医保发〔2025〕7号, 2025-03): "
    "for sales from 2025-07-01"
)
ONE_SALE = Sheet(
    name="one-sale", title_en="May the fund settle this box", title_zh="该盒药品可否医保结算", source=_ONE_SALE,
    facts=("scan", "sold", "expired", "recalled", "code"), falling=("sold", "expired", "recalled"),
    lines=(
        Line(code="shown", title_en="its code was scanned, or it is on the list of those without", unit=Unit.NUMBER,
             title_zh="已扫码或在无码库内", value=Choose("scan", (("scanned", 1), ("no-code list", 1), ("none", 0)))),
        Line(code="fresh", title_en="it was not sold before", title_zh="此前未售出", unit=Unit.NUMBER,
             value=Less(1, "sold")),
        Line(code="in date", title_en="it is not past its date", title_zh="未过有效期", unit=Unit.NUMBER,
             value=Less(1, "expired")),
        Line(code="free", title_en="it is not recalled", title_zh="未被召回", unit=Unit.NUMBER,
             value=Less(1, "recalled")),
        Line(code="settles", title_en="the fund settles", title_zh="可结算", unit=Unit.NUMBER,
             value=Least(("shown", "fresh", "in date", "free"))),
    ),
    result="settles",
)  # fmt: skip
BILL = Sheet(
    name="drug-bill", title_en="A box on insurance", title_zh="药品医保结算",
    facts=("price", "fund share", "settles", "asked", "handed out"),
    source="the share is the region's and comes as a fact; what may not be settled has no case (医保发〔2025〕7号)",
    lines=(
        Line(code="this box", title_en="difference from the box handed out", title_zh="所售与所验为同一盒",
             unit=Unit.NUMBER, value=Minus("asked", "handed out"), shown=False),
        Line(code="that box", title_en="difference from the box asked for", title_zh="所验与所售为同一盒",
             unit=Unit.NUMBER, value=Minus("handed out", "asked"), shown=False),
        Line(code="fund", title_en="paid by the fund", title_zh="统筹基金支付", payer="drugs.fund",
             payee="drugs.pharmacy", value=percent("price", Choose("settles", ((1, "fund share"),)))),
        Line(code="patient", title_en="paid by the patient", title_zh="个人支付", payer="drugs.patient",
             payee="drugs.pharmacy", value=Less("price", "fund")),
    ),
    result="fund", rising=("price",),
)  # fmt: skip
_RECALL = "药品召回管理办法 (国家药监局2022年第92号公告, in force 2022-11-01): notices to stop by grade"
RECALL_NOTICE = Sheet(
    name="recall-notice", title_en="Days until holders are told to stop", title_zh="召回通知时限", source=_RECALL,
    facts=("grade",), result="days", rising=("grade",),
    lines=(
        Line(code="days", title_en="days", title_zh="通知期限（日）", unit=Unit.NUMBER,
             value=Choose("grade", ((1, 1), (2, 3), (3, 7)))),
    ),
)  # fmt: skip

SECTOR = Sector(
    name="drugs",
    title_en="Drugs",
    title_zh="药品追溯",
    about_en="Boxes with trace codes go from the maker by the wholesaler to pharmacies, whose licences are asked "
    "first. A dose that got warm or is past its date is not given, boxes come back, a recall finds its holders, and "
    "medical insurance pays for a code once.",
    about_zh="带追溯码的药品由生产企业经批发企业到药店，交易前先核验资质。超温或过期的疫苗不得接种，药品可退回，召回直达持有单位，"
    "同一追溯码只售出一次、医保只结算一次。",
    authority="Medical products administration 药品监督管理部门",
    standards=("NMPAB/T 1002-2019", "医保发〔2025〕7号", "EPCIS 2.0"),
    archetypes=(Archetype.TRACE, Archetype.RECORD),
    profiles=(LICENCE,),
    records={LICENCE.name: LICENCE_RECORDS},
    accounts=(
        Account("drugs.fund", "Medical insurance fund", "医保统筹基金", opening=1_000_000),
        Account("drugs.patient", "Patients", "参保人", overdraws=True),
        Account("drugs.pharmacy", "Pharmacies", "药店"),
    ),
    devices=(
        Device("purchasing", "the purchasing desk", "采购资质核验台", DeviceKind.CHECK, application=LICENCE.name),
        Device("authority", "the authority's desk", "药监窗口", DeviceKind.CHECK, application=LICENCE.name),
    ),
    entitlements=(DEALS,),
    sheets=(ONE_SALE, BILL, RECALL_NOTICE),
    trace=TRACE,
    reports=(
        Report(name="events", title_en="Events by step", title_zh="各环节事件", counts=Counted.EVENT, by="step"),
        Report(name="checks", title_en="Checks by answer", title_zh="查验结果", counts=Counted.EVENT, by="verdict"),
        Report(name="refusals", title_en="Refusals", title_zh="拒绝原因", counts=Counted.REFUSED, by="reason"),
        Report(name="settled", title_en="Money moved, by account", title_zh="资金划转", counts=Counted.MOVED,
               by="account"),
    ),
    journeys=JOURNEYS,
    words={"vaccine": "疫苗", "prescription": "处方药"},
    worked_cases=(
        *(
            WorkedCase(
                title_en=en, title_zh=zh, sheet="one-sale", source=_ONE_SALE, gives={"settles": settles},
                facts={"scan": scan, "sold": sold, "expired": 0, "recalled": 0, "code": 101},
            )
            for en, zh, scan, sold, settles in (
                ("First sale of a code", "追溯码首次销售", "scanned", 0, 1),
                ("The same code again", "同一追溯码再次销售", "scanned", 1, 0),
                ("Not scanned", "未扫码", "none", 0, 0),
                ("Stock without a code, on the list", "无码库内药品", "no-code list", 0, 1),
            )
        ),
        *(
            WorkedCase(
                title_en=f"Recall of grade {grade}", title_zh=f"{'一二三'[grade - 1]}级召回", sheet="recall-notice",
                facts={"grade": grade}, gives={"days": days}, source=_RECALL,
            )
            for grade, days in ((1, 1), (2, 3), (3, 7))
        ),
    ),
)  # fmt: skip
