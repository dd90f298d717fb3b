"""Bank cards' tables and journeys: fees of a purchase, the official business card (公务卡) and its standards.

Fees: 发改价格〔2016〕557号. Official travel: 中央和国家机关差旅费管理办法 (财行〔2013〕531号), lodging in
Beijing of 2016 (财行〔2015〕497号). What must be paid by the card: 财库〔2011〕160号.
"""

from __future__ import annotations

import datetime as dt

from jinka.declaration import (
    Account,
    AccountHolds,
    Assess,
    CashHolds,
    Journey,
    JourneyCard,
    OpenAccount,
    PayByChip,
    PayInto,
    PayOnline,
    ReportLost,
    Stands,
    Start,
    TakeBack,
    Tell,
    WorkedCase,
)
from jinka.tariff.sheet import Choose, Expression, Least, Line, Minus, Sheet, Sum, Times

FEE_LAW = "国家发展改革委、中国人民银行关于完善银行卡刷卡手续费定价机制的通知（发改价格〔2016〕557号）"
TRAVEL_LAW = "中央和国家机关差旅费管理办法（财行〔2013〕531号）；财行〔2015〕497号"
CARD_LAW = "中央预算单位公务卡强制结算目录（财库〔2011〕160号）"


def _line(code: str, en: str, zh: str, value: Expression, payer: str = "", payee: str = "") -> Line:
    return Line(code=code, title_en=en, title_zh=zh, value=value, payer=payer, payee=payee)


_NETWORK = Least((Times("amount", 325, 1_000_000), 325))
FEES = Sheet(
    name="swipe-fee", title_en="Fees of a purchase, at most", title_zh="刷卡手续费上限", source=FEE_LAW,
    facts=("amount", "card"),
    lines=(
        _line("issuer", "issuer's service", "发卡行服务费", Choose("card", (
            ("debit", Least((Times("amount", 35, 10_000), 1_300))), ("credit", Times("amount", 45, 10_000))))),
        _line("network of issuer", "network, from the issuer", "网络服务费（发卡行）", _NETWORK),
        _line("network of acquirer", "network, from the acquirer", "网络服务费（收单行）", _NETWORK),
        _line("all", "together", "合计", Sum(("issuer", "network of issuer", "network of acquirer"))),
    ),
    result="all", rising=("amount",),
)  # fmt: skip
TRAVEL = Sheet(
    name="official-travel", title_en="Official travel", title_zh="公务差旅费", source=TRAVEL_LAW,
    facts=("days", "region", "nights", "rank", "lodging"),
    lines=(
        _line("meals", "meals, by calendar days", "伙食补助费",
              Times("days", Choose("region", (("plateau", 12_000), ("other", 10_000))))),
        _line("transport", "transport within the city", "市内交通费", Times("days", 8_000)),
        _line("ceiling", "ceiling of lodging in Beijing", "北京住宿费限额",
              Times("nights", Choose("rank", (("minister", 110_000), ("bureau", 65_000), ("other", 50_000))))),
        _line("lodging paid", "lodging that is reimbursed", "可报住宿费", Least(("lodging", "ceiling"))),
        _line("allowance", "allowance, paid to the traveller", "补助合计", Sum(("meals", "transport")),
              "treasury.travel", "staff"),
    ),
    result="allowance", rising=("days",),
)  # fmt: skip
CLAIM = Sheet(
    name="card-claim", title_en="Claim of what the business card paid", title_zh="公务卡报销", source=CARD_LAW,
    facts=("category", "paid", "standard", "budget"), shown=("standard", "budget"), spends=("category", "paid"),
    lines=(
        _line("claimed", "official part (railway, airline, lodging)", "公务支出（限铁路、航空、住宿）",
              Choose("category", ((4_112, "paid"), (4_511, "paid"), (7_011, "paid")))),
        _line("approved", "within the standard", "按标准核定",
              Choose("category", ((7_011, Least(("claimed", "standard"))), (4_112, "claimed"), (4_511, "claimed"))),
              "treasury.travel", "claims"),
        _line("own", "borne by the holder", "个人承担", Minus("claimed", "approved")),
        _line("rest", "left of the budget; below zero it is refused", "预算指标余额（不足则拒绝）",
              Minus("budget", "approved")),
    ),
    result="approved", rising=("paid",),
)  # fmt: skip
SHEETS = (FEES, TRAVEL, CLAIM)


def _case(
    en: str, zh: str, sheet: Sheet, facts: dict[str, int | str], gives: dict[str, int], how: str
) -> WorkedCase:
    return WorkedCase(
        title_en=en, title_zh=zh, sheet=sheet.name, facts=facts, gives=gives, source=f"{sheet.source}: {how}",
        derived="step" in how or "times" in how,
    )  # fmt: skip


_TRIP = {"days": 3, "nights": 2, "lodging": 90_000}
CASES = (
    _case("10,000 yuan by debit card", "借记卡1万元", FEES, {"amount": 1_000_000, "card": "debit"},
          {"issuer": 1_300, "network of issuer": 325, "network of acquirer": 325}, "caps printed"),
    _case("1,000 yuan by debit card", "借记卡1000元", FEES, {"amount": 100_000, "card": "debit"},
          {"issuer": 350}, "rate printed, sum by one step"),
    _case("10,000 yuan by credit card", "贷记卡1万元", FEES, {"amount": 1_000_000, "card": "credit"},
          {"issuer": 4_500}, "rate printed, sum by one step"),
    _case("Three days in a common place", "出差3天", TRAVEL, {**_TRIP, "region": "other", "rank": "other"},
          {"meals": 30_000, "transport": 24_000, "ceiling": 100_000}, "day rates printed, times days"),
    _case("Three days in Tibet", "西藏出差3天", TRAVEL, {**_TRIP, "region": "plateau", "rank": "bureau"},
          {"meals": 36_000, "transport": 24_000}, "day rates printed, times days"),
)  # fmt: skip

ACCOUNTS = (
    Account("treasury.travel", "Treasury: budget for travel", "国库：差旅预算", opening=220_000),
    Account("staff", "Staff", "职工"),
    Account("claims", "The paying office", "报销支付专户"),
    Account("hotel", "Hotel", "酒店", category="7011"),
    Account("railway", "Railway", "铁路", category="4112"),
    Account("karaoke", "Karaoke", "歌厅", category="7911"),
    Account("shop", "Shop", "商店", category="5311"),
    Account("electronic-cash", "Electronic cash on cards", "电子现金备付金", opening=50_000),
    Account("wages", "The holders' wages", "职工工资", overdraws=True),
)

_HOTEL = {"hotel": "amount", "hotel of": "category"}


def _claim(payment: str, gives: dict[str, int], refused: str = "") -> Assess:
    """One payment of the card is claimed: its merchant, its amount."""
    return Assess(
        "card-claim",
        {"category": f"={payment} of", "paid": f"={payment}", "standard": "=standard", "budget": "=budget"},
        gives, remembers={"approved": "approved"}, refused=refused,
    )  # fmt: skip


BUSINESS = Journey(
    name="business", title_en="An official business card", title_zh="公务卡消费与报销", date=dt.date(2026, 3, 16),
    steps=(
        Tell("The card's line is the bank's credit; nothing of it is the treasury's until a claim is approved.",
             "公务卡用银行授信，报销核准前不动用国库资金。"),
        OpenAccount("zhou", 1_000_000, pin="246810", at="09:00"),
        PayOnline("zhou", "railway", 55_300, pin="246810", remembers={"ticket": "amount", "ticket of": "category"}),
        PayOnline("zhou", "hotel", 110_000, pin="246810", remembers=_HOTEL, at="+2 12:00"),
        PayOnline("zhou", "karaoke", 48_000, pin="246810", remembers={"song": "amount", "song of": "category"},
                  at="+2 21:00"),
        AccountHolds("zhou", 1_000_000 - 55_300 - 110_000 - 48_000),
        Assess("official-travel", {"days": 3, "region": "other", "nights": 2, "rank": "other", "lodging": "=hotel"},
               {"allowance": 54_000, "lodging paid": 100_000}, remembers={"standard": "ceiling"}, at="+3 09:00"),
        Tell("Kind of merchant and amount are those of the payment, as the acquirer sent them: nobody types them.",
             "商户类别与金额取自刷卡交易报文，不由报销人填写。"),
        Stands("treasury.travel", 166_000, remembers="budget"),
        _claim("hotel", {"approved": 100_000, "own": 10_000, "rest": 66_000}),
        PayInto("claims", "zhou", "=approved"),
        Stands("treasury.travel", 66_000, remembers="budget"),
        _claim("ticket", {"approved": 55_300, "rest": 10_700}),
        PayInto("claims", "zhou", "=approved"),
        Tell("The same ticket is claimed again.", "同一笔车票再次报销。"),
        _claim("ticket", {}, refused="USED_TWICE"),
        Stands("treasury.travel", 10_700, remembers="budget"),
        Tell("The evening was private: no claim.", "当晚系私人消费，不予报销。"),
        _claim("song", {}, refused="REFUSED"),
        PayInto("wages", "zhou", 58_000),
        AccountHolds("zhou", 1_000_000),
        Tell("A second journey is over the budget, and the ledger itself lets nothing go.",
             "再次出差超出预算，账簿亦不放款。"),
        PayOnline("zhou", "hotel", 40_000, pin="246810", remembers=_HOTEL, at="+9 12:00"),
        Assess("official-travel", {"days": 1, "region": "other", "nights": 1, "rank": "other", "lodging": "=hotel"},
               {"ceiling": 50_000}, posts=False, remembers={"standard": "ceiling"}),
        _claim("hotel", {}, refused="REFUSED"),
        PayInto("claims", "zhou", 40_000, refused="REFUSED"),
        Stands("treasury.travel", 10_700),
        Stands("staff", 54_000),
    ),
)  # fmt: skip
CARDS = Journey(
    name="accounts", title_en="Debit and credit over the switch", title_zh="借记与贷记联机交易",
    date=dt.date(2026, 3, 18),
    steps=(
        OpenAccount("savings", 100_000, pin="123456", at="09:00"),
        OpenAccount("credit line", 500_000, pin="654321"),
        PayOnline("savings", "shop", 30_000, pin="111111", refused="55"),
        PayOnline("savings", "shop", 30_000, pin="123456", as_="coat"),
        PayOnline("savings", "shop", 80_000, pin="123456", refused="51"),
        PayOnline("savings", "shop", 20_000, pin="123456", lost=True),
        AccountHolds("savings", 70_000),
        TakeBack("coat"),
        AccountHolds("savings", 100_000),
        PayOnline("credit line", "shop", 120_000, pin="654321"),
        PayInto("wages", "credit line", 120_000),
        Assess("swipe-fee", {"amount": 120_000, "card": "credit"}, {"issuer": 540}),
        ReportLost("savings"),
        PayOnline("savings", "shop", 1_000, pin="123456", refused="41"),
        AccountHolds("savings", 100_000),
        Stands("shop", 120_000),
    ),
)  # fmt: skip
MEI = JourneyCard(
    "mei", "Han Mei's card", "韩梅的卡",
    (Start(application="cn.bank.debit", balance=50_000, pin="123456"), Start(application="cn.bank.environment")),
    holder="韩梅",
)  # fmt: skip
LIN = JourneyCard(
    "lin", "Lin Tao's credit card", "林涛的贷记卡",
    (Start(application="cn.bank.credit", pin="654321"), Start(application="cn.bank.environment")),
    holder="林涛",
)  # fmt: skip
CASH = Journey(
    name="cash", title_en="Electronic cash and the chip", title_zh="电子现金与芯片交易", date=dt.date(2026, 3, 20),
    cards=(MEI, LIN),
    steps=(
        OpenAccount("mei", 100_000, pin="123456", card="mei", at="08:00"),
        CashHolds("mei", 50_000),
        Tell("Below the reader's floor the card pays by itself.", "低于终端限额，卡片脱机支付。"),
        PayByChip("mei", "kiosk", 1_250, "offline"),
        PayByChip("mei", "kiosk", 8_750, "offline", online=False),
        CashHolds("mei", 40_000),
        AccountHolds("mei", 100_000),
        PayByChip("mei", "kiosk", 60_000, refused="DECLINED_OFFLINE"),
        PayByChip("mei", "kiosk", 60_000, refused="DECLINED_ONLINE", pin="111111"),
        PayByChip("mei", "kiosk", 60_000, "online", pin="123456"),
        CashHolds("mei", 40_000),
        AccountHolds("mei", 40_000),
        PayByChip("mei", "kiosk", 41_000, refused="DECLINED_ONLINE", pin="123456"),
        PayByChip("mei", "kiosk", 45_000, online=False, refused="DECLINED_OFFLINE"),
        ReportLost("mei"),
        PayByChip("mei", "kiosk", 35_000, refused="DECLINED_ONLINE", pin="123456"),
        Tell("A credit card goes the same way and has a line instead of a balance.",
             "贷记卡同样联机，以授信额度代替余额。"),
        OpenAccount("lin", 90_000, pin="654321", card="lin"),
        PayByChip("lin", "kiosk", 80_000, "online", application="cn.bank.credit", pin="654321"),
        PayByChip("lin", "kiosk", 35_000, application="cn.bank.credit", refused="DECLINED_ONLINE", pin="654321"),
        AccountHolds("lin", 10_000),
        Stands("shop", 150_000),
        Stands("electronic-cash", 40_000),
    ),
)  # fmt: skip
