"""A day's report with figures that agree with one another, for the tests of reports, command line and browser."""

from __future__ import annotations

from jinka.kit import Finding, Severity
from jinka.reports import (
    DayReport,
    EngineRow,
    FindingRow,
    FloatProof,
    HourRow,
    InferredRow,
    OperatorRow,
    OrderRow,
    Outcome,
    OutcomeRow,
    PositionRow,
    ProductRow,
    SettlementProof,
    Source,
    SourceKind,
    SpoilRow,
    Text,
    Timing,
    TrialBalance,
)

_OPERATORS = (
    ("op.sz.metro1", "Shenzhen Metro", "深圳地铁", 12_840, 5_201_000, 4_702_350, 310_200),
    ("op.sz.bus", "Shenzhen Bus Group", "深圳巴士集团", 9_120, 1_650_500, 1_093_200, 402_100),
    ("op.sz.east", "Eastern Bus <East & Co>", "东部公共交通", 3_301, 640_300, 431_875, 122_050),
    ("op.sz.west", "Western Bus", "西部公共汽车", 2_118, 288_750, 128_000, 101_500),
)
_HOURS = (
    3,
    5,
    2,
    0,
    1,
    40,
    320,
    1810,
    2950,
    1400,
    900,
    1010,
    1190,
    1020,
    930,
    990,
    1320,
    2410,
    2880,
    1650,
    980,
    620,
    410,
    95,
)


_SETTLED = SettlementProof(open_fen=0, funds_fen=99, liability_fen=99, operators_short_fen=0)


def sample_day(*, spoiled: bool = False, balanced: bool = True) -> DayReport:
    """A plausible day; every name and figure is made up."""
    operators = _operator_rows()
    charged = sum(row.charged_fen for row in operators)
    return DayReport(
        source=_SOURCE,
        rows_read=27_379,
        duplicates_dropped=1,
        taps=27_378,
        debits=18_202,
        loads=911,
        loaded_fen=4_555_000,
        cards=11_250,
        terminals=840,
        gross_fen=sum(row.gross_fen for row in operators),
        charged_fen=charged,
        unexplained=0,
        nowhere_fen=0,
        float_proof=FloatProof(
            cards_fen=56_120_400,
            transit_fen=12_300,
            suspense_fen=450,
            liability_fen=56_133_150 + (not balanced),
        ),
        trial_balance=TrialBalance(debits_fen=98_765_432, credits_fen=98_765_432),
        settlement_proof=_SETTLED,
        by_operator=operators,
        by_product=(
            _product(
                "metro.ordinary", "Metro, ordinary card", "地铁普通卡九五折", 9_000, 4_000_000, 3_800_000
            ),
            _product("bus.ordinary", "Bus, ordinary card", "公交普通卡分段折扣", 7_000, 1_500_000, 1_180_000),
            _product("bus.transfer", "Bus, transfer", "公交换乘优惠", 1_200, 1_500_000, 1_375_425),
            _product("free", "Free travel", "免费乘车", 1_002, 780_550, 0),
        ),
        hours=tuple(
            HourRow(hour=h, entries=n // 3, boards=n // 3 + n % 3, exits=n // 3, charged_fen=n * 180)
            for h, n in enumerate(_HOURS)
        ),
        outcomes=(
            _outcome(Outcome.PAID, "ACCEPTED", "Paid", "已清算", 18_100, charged),
            _outcome(Outcome.DUPLICATE, "DUPLICATE", "Duplicate", "重复记录", 12 * spoiled, 2_400 * spoiled),
            _outcome(
                Outcome.REJECTED, "WRONG_TAC", "Wrong TAC", "交易认证码错误", 31 * spoiled, 6_200 * spoiled
            ),
            _outcome(
                Outcome.REJECTED, "CARD_BLOCKED", "Blocked card", "黑名单卡", 9 * spoiled, 1_900 * spoiled
            ),
            _outcome(
                Outcome.PARKED, "PARKED_SEAL", "False seal", "批次封签不符", 60 * spoiled, 9_000 * spoiled
            ),
        ),
        findings=(
            _finding("COUNTER_GAP", Severity.WARNING, "Counters missing before it", "此前计数器有缺号", 14),
            _finding("TORN_RESOLVED", Severity.INFO, "Torn tap resolved", "断卡交易已确认", 6),
        ),
        finding_samples=(
            Finding(code="COUNTER_GAP", severity=Severity.WARNING, where="taps.csv:7", what="a <gap> of 2"),
        ),
        inferred=(InferredRow(code="HALF_FARE", title=Text(en="Half fare", zh="半价持卡人"), count=311),),
        positions=_position_rows(operators),
        orders=tuple(
            OrderRow(number=f"20180903-{n:04d}", payer="iss.sz", payee=row.code, amount_fen=row.net_fen)
            for n, row in enumerate(operators, 1)
        ),
        spoil=(_spoil(31, 31), _spoil(12, 12)) if spoiled else (),
        engines=(EngineRow(name="DuckDB", version="1.5.6"),),
        timings=(Timing(stage="taps", seconds=12.3456), Timing(stage="clearing", seconds=1.5)),
    )


_SOURCE = Source(
    kind=SourceKind.GENERATED,
    name="city",
    city=Text(en="Shenzhen", zh="深圳"),
    business_date="2018-09-03",
    seed=1,
    simulated=(Text(en="Keys, cards and balances are simulated.", zh="密钥、卡片与余额均为模拟。"),),
)


def _operator_rows() -> tuple[OperatorRow, ...]:
    return tuple(
        OperatorRow(
            code=code, name=Text(en=en, zh=zh), taps=taps, gross_fen=gross, charged_fen=charged,
            subsidy_fen=subsidy, fees_fen=charged // 200, net_fen=charged + subsidy - charged // 200,
        )
        for code, en, zh, taps, gross, charged, subsidy in _OPERATORS
    )  # fmt: skip


def _position_rows(operators: tuple[OperatorRow, ...]) -> tuple[PositionRow, ...]:
    charged, subsidy, fees = (
        sum(getattr(row, name) for row in operators) for name in ("charged_fen", "subsidy_fen", "fees_fen")
    )
    return (
        *(PositionRow(code=r.code, role="operator", name=r.name, position_fen=r.net_fen) for r in operators),
        PositionRow(
            code="iss.sz", role="issuer", name=Text(en="Shenzhen Tong", zh="深圳通"), position_fen=-charged
        ),
        PositionRow(
            code="gov.sz", role="government", name=Text(en="City", zh="市政府"), position_fen=-subsidy
        ),
        PositionRow(code="scheme", role="scheme", name=Text(en="Jinka", zh="金卡"), position_fen=fees),
    )


def _product(code: str, en: str, zh: str, count: int, gross: int, charged: int) -> ProductRow:
    return ProductRow(
        product=code, title=Text(en=en, zh=zh), count=count, gross_fen=gross, charged_fen=charged
    )


def _outcome(outcome: Outcome, reason: str, en: str, zh: str, count: int, amount: int) -> OutcomeRow:
    return OutcomeRow(
        outcome=outcome, reason=reason, title=Text(en=en, zh=zh), count=count, amount_fen=amount
    )


def _finding(code: str, severity: Severity, en: str, zh: str, count: int) -> FindingRow:
    return FindingRow(code=code, severity=severity, title=Text(en=en, zh=zh), count=count)


def _spoil(injected: int, right: int) -> SpoilRow:
    return SpoilRow(
        kind="FORGED_TAC", title=Text(en="Forged TAC", zh="TAC伪造"), injected=injected, right=right, other=0,
        missed=injected - right,
    )  # fmt: skip
