"""Outcomes, reasons and findings of clearing, and their precedence (ARCHITECTURE.md, "The clearing record").

A record gets one outcome and one reason: the first row of `REASONS` whose rule applies. Findings are remarks on
records that are paid nevertheless, and a record may have several. The numbers are positions inside the engine's
tables; files and reports carry the names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum, IntFlag

from jinka.kit import Severity


class Outcome(Enum):
    """What becomes of a record."""

    PAID = "PAID"
    REJECTED = "REJECTED"
    DUPLICATE = "DUPLICATE"
    UNCONFIRMED = "UNCONFIRMED"  # torn, and nothing has shown yet whether the card was debited: in suspense
    VOID = "VOID"  # torn, and shown not to have been debited
    AWAITED = "AWAITED"  # a foreign card's: nothing is wrong on this side, and its issuer's centre has yet to answer


class Side(Enum):
    """Whose centre looks at a rule: that of the terminal, that of the card, or both."""

    ACQUIRER = "acquirer"
    ISSUER = "issuer"
    BOTH = "both"


class Reason(IntEnum):
    """Why; in the order of precedence, except that ``ACCEPTED`` (0) is what remains when no rule applies."""

    ACCEPTED = 0
    UNKNOWN_OPERATOR = 1
    UNKNOWN_TERMINAL = 2
    UNKNOWN_PSAM = 3
    UNKNOWN_CARD = 4
    DATE_OUT_OF_WINDOW = 5
    AMOUNT_OUT_OF_RANGE = 6
    CARD_BLOCKED = 7
    NO_CLAIM = 8
    TRUNCATED_TAC = 9
    WRONG_TAC = 10
    NOT_CONCLUDED = 11
    UNSUPPORTED_TYPE = 12
    DUPLICATE = 13
    ALTERED_DUPLICATE = 14
    NOT_DEBITED = 15
    UNRESOLVED = 16
    AWAITED = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRow:
    """One row of the table of precedence."""

    reason: Reason
    outcome: Outcome
    rule: str
    title_en: str
    title_zh: str
    side: Side


def _row(
    reason: Reason, outcome: Outcome, title_en: str, title_zh: str, rule: str, side: Side = Side.ISSUER
) -> ReasonRow:
    return ReasonRow(
        reason=reason, outcome=outcome, rule=rule, title_en=title_en, title_zh=title_zh, side=side
    )


_R, _D, _TERMINAL = Outcome.REJECTED, Outcome.DUPLICATE, Side.ACQUIRER

# Top down; the first that applies is the reason. Registration comes before content, content before cryptography,
# and duplicates are sought only among records that are good otherwise, so a bad copy never shadows a good one.
# Where the card is another centre's, each centre goes through the rows of its own side: the terminal's first, and what
# passes there is for the card's centre to judge.
REASONS: tuple[ReasonRow, ...] = (
    _row(Reason.UNKNOWN_OPERATOR, _R, "Unknown operator", "未登记的运营方",
         "the operator is no participant with the role of operator or load agent", _TERMINAL),
    _row(Reason.UNKNOWN_TERMINAL, _R, "Unknown terminal", "未登记的终端",
         "the terminal is not registered and active, or is another operator's or acquirer's", _TERMINAL),
    _row(Reason.UNKNOWN_PSAM, _R, "Unknown security module", "未登记的安全模块",
         "a purchase's PSAM is not registered and active in this terminal (a load has none)", _TERMINAL),
    _row(Reason.UNKNOWN_CARD, _R, "Unknown card", "未登记的卡",
         "the card is not registered and active with this issuer, profile, version, algorithm and key version"),
    _row(Reason.DATE_OUT_OF_WINDOW, _R, "Date outside the window", "日期超出清算窗口",
         "the local date and time is none, outside the window, in another zone, or claimed for another business date",
         Side.BOTH),
    _row(Reason.AMOUNT_OUT_OF_RANGE, _R, "Amount beyond the purse's limit", "金额超出钱包限额",
         "the amount is negative or more than the purse can hold", Side.BOTH),
    _row(Reason.CARD_BLOCKED, _R, "Blocked card", "黑名单卡",
         "the list that names the card was in force at this terminal at the time of the tap", _TERMINAL),
    _row(Reason.NO_CLAIM, _R, "No claim", "不构成债权",
         "a new overdraft limit (07) or a grey lock (91, 92): no money moves, so nobody is owed any", Side.BOTH),
    _row(Reason.TRUNCATED_TAC, _R, "Malformed authentication code", "交易认证码残缺",
         "the TAC is not of 4 bytes, or absent from a confirmed record", Side.BOTH),
    _row(Reason.WRONG_TAC, _R, "Wrong authentication code", "交易认证码错误",
         "the issuer's check of the TAC fails, the issuer has no such key, or a load shows a serial that no TAC binds"),
    _row(Reason.NOT_CONCLUDED, _R, "Not concluded by the issuer", "发卡方未确认的联机交易",
         "an unload (03) or online release (95, 96), which has no TAC, and the issuer's host concluded no such one"),
    _row(Reason.UNSUPPORTED_TYPE, _R, "Unsupported transaction", "不支持的交易类型",
         "the transaction type is neither a load nor a debit, or counted by the wrong counter", Side.BOTH),
    _row(Reason.DUPLICATE, _D, "Duplicate", "重复记录",
         "a record with the same identity and the same content came in before"),
    _row(Reason.ALTERED_DUPLICATE, _D, "Altered duplicate", "被改动的重复记录",
         "a record with the same identity came in before, with another content in fields that the TAC does not bind"),
    _row(Reason.NOT_DEBITED, Outcome.VOID, "Torn tap, card not debited", "断卡交易，未扣款",
         "a torn tap whose counter the card used for another transaction"),
    _row(Reason.UNRESOLVED, Outcome.UNCONFIRMED, "Torn tap, unresolved", "断卡交易，待确认",
         "a torn tap that the card's chain does not prove, or whose charge the tariff does not explain"),
    _row(Reason.AWAITED, Outcome.AWAITED, "Awaiting the issuer's centre", "待发卡方中心确认",
         "another centre's card, with nothing wrong on this side; its issuer's centre has not answered yet", _TERMINAL),
    _row(Reason.ACCEPTED, Outcome.PAID, "Paid", "已清算", "no other row applies"),
)  # fmt: skip

OUTCOME_OF: dict[Reason, Outcome] = {row.reason: row.outcome for row in REASONS}


class Remark(IntFlag):
    """Findings on records that are paid."""

    COUNTER_GAP = 1  # counters are missing before this record
    BALANCE_BREAK = 2  # this record's balance does not follow from the chain, and no gap explains it
    COUNTER_REUSED = 4  # the counter of another record with a valid TAC
    CARD_LISTED_LATE = 8  # the card was listed, the list not yet in force at the terminal
    TORN_RESOLVED = 16  # a torn tap that the card's next record has shown to be debited
    UNEXPLAINED_CHARGE = 32  # no product of the tariff gives this amount
    COUNTER_BREAK = (
        64  # the record's counter does not fit between its neighbours: the record is off, not the card
    )
    SUBSIDY_UNPROVEN = 128  # the registered class of the card has no right to the product's subsidy
    DEEMED_ACCEPTED = 256  # the issuer's centre did not answer in time, which counts as a yes


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkRow:
    """How one remark is shown, and whether it puts the card on the list."""

    remark: Remark
    severity: Severity
    lists_card: bool
    title_en: str
    title_zh: str


def _remark(
    remark: Remark, severity: Severity, title_en: str, title_zh: str, *, lists_card: bool = False
) -> RemarkRow:
    return RemarkRow(
        remark=remark, severity=severity, lists_card=lists_card, title_en=title_en, title_zh=title_zh
    )


REMARKS: tuple[RemarkRow, ...] = (
    _remark(Remark.COUNTER_GAP, Severity.WARNING, "Counters missing before it", "此前计数器有缺号"),
    _remark(Remark.BALANCE_BREAK, Severity.WARNING, "Balance chain broken", "余额链断裂", lists_card=True),
    _remark(Remark.COUNTER_REUSED, Severity.WARNING, "Counter used twice", "计数器重复使用", lists_card=True),
    _remark(Remark.CARD_LISTED_LATE, Severity.INFO, "Listed, list not yet in force", "已列入名单但未在终端生效"),
    _remark(Remark.TORN_RESOLVED, Severity.INFO, "Torn tap resolved", "断卡交易已确认"),
    _remark(Remark.UNEXPLAINED_CHARGE, Severity.WARNING, "Charge not explained by the tariff",
            "票价规则无法解释的扣款"),
    _remark(Remark.COUNTER_BREAK, Severity.WARNING, "Counter out of place", "计数器错位"),
    _remark(Remark.SUBSIDY_UNPROVEN, Severity.WARNING, "Subsidy not proven by the registered class",
            "补贴与登记的持卡人类别不符"),
    _remark(Remark.DEEMED_ACCEPTED, Severity.WARNING, "Issuer silent, deemed accepted", "发卡方逾期未答复，视同接受"),
)  # fmt: skip
