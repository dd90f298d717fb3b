"""The kinds of fault that a day can be spoiled with, and what a right clearing says to each.

The expectations are written down here from the rules of the clearing record (ARCHITECTURE.md), apart from the code
that applies them, so that the comparison after a spoiled day means something.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the clearing must answer: an outcome or a batch status, and the one reason or a finding."""

    outcome: str  # PAID, REJECTED, DUPLICATE, UNCONFIRMED; for a batch PARKED or REPLAYED
    reason: str = ""  # of a rejection, a duplicate or a batch
    finding: str = ""  # that must stand on the record


def _rejected(reason: str) -> Expectation:
    return Expectation(outcome="REJECTED", reason=reason)


def _paid(finding: str) -> Expectation:
    return Expectation(outcome="PAID", finding=finding)


class Fault(Enum):
    """(English title, Chinese title). Grouped as the clearing meets them."""

    FALSE_SEAL = ("Batch seal changed", "批次封签被改")
    FALSE_COUNT = ("Batch count false", "批次笔数不符")
    FALSE_TOTAL = ("Batch total false", "批次金额不符")
    BATCH_REPLAYED = ("Batch sent twice", "批次重复上送")
    UNKNOWN_TERMINAL = ("Batch of an unknown terminal", "终端未登记")
    FOREIGN_RECORDS = ("Batch with a record of another terminal", "批次混入其他终端的记录")
    BATCH_REUSED = ("Batch number reused for other records", "批次号被另用")
    UNKNOWN_OPERATOR = ("Unknown operator", "运营商未登记")
    FOREIGN_OPERATOR = ("Record claimed by another operator", "他人运营商冒领")
    UNKNOWN_PSAM = ("Unknown PSAM", "PSAM未登记")
    UNKNOWN_CARD = ("Unknown card", "卡号未登记")
    DATE_OUTSIDE = ("Date outside the window, TAC valid", "日期超出清算窗口（TAC有效）")
    AMOUNT_BEYOND = ("Amount beyond the purse limit, TAC valid", "金额超出钱包上限（TAC有效）")
    BLOCKED_CARD = ("Card blocked by a list in force", "黑名单卡（名单已生效）")
    TRUNCATED_TAC = ("Truncated TAC", "TAC被截短")
    FORGED_TAC = ("Forged TAC", "TAC伪造")
    FORGED_LOAD = ("Load with a forged TAC", "充值TAC伪造")
    CHANGED_AMOUNT = ("Amount changed after the tap", "金额被改")
    SEVERAL = ("Several faults on one record", "一笔多错")
    DUPLICATE = ("Record sent twice", "记录重复上送")
    ALTERED_DUPLICATE = ("Record sent twice, altered", "重复记录且内容被改")
    COUNTER_REUSED = ("Cloned card: counter used twice, both TACs valid", "克隆卡：计数器重用（TAC均有效）")
    COUNTER_GAP = ("Record lost: gap in the counters", "丢失记录：计数器跳号")
    BALANCE_BREAK = ("Balance changed after the tap", "余额被改")
    COUNTER_BREAK = ("Counter changed after the tap", "计数器被改")
    LATE_LIST = ("List reached the terminal after the tap", "名单晚于交易到达终端")
    TORN_RESOLVED = ("Torn tap, proven by the next one", "断电交易，由后续交易证实")
    FORGED_TORN = ("Torn tap made up, no TAC", "虚构的断电交易（无TAC）")
    FALSE_SUBSIDY = ("Subsidy claimed for a card without the right", "冒领补贴：持卡人类别不符")
    TORN_OPEN = ("Torn tap, card not seen again", "断电交易，卡未再出现")

    @property
    def title_en(self) -> str:
        return self.value[0]

    @property
    def title_zh(self) -> str:
        return self.value[1]


# The order in which the one reason of a record is named when several apply.
PRECEDENCE = (
    "UNKNOWN_OPERATOR",
    "UNKNOWN_TERMINAL",
    "UNKNOWN_PSAM",
    "UNKNOWN_CARD",
    "DATE_OUT_OF_WINDOW",
    "AMOUNT_OUT_OF_RANGE",
    "CARD_BLOCKED",
    "TRUNCATED_TAC",
    "WRONG_TAC",
)

EXPECTED: dict[Fault, Expectation] = {
    Fault.FALSE_SEAL: Expectation(outcome="PARKED", reason="PARKED_SEAL"),
    Fault.FALSE_COUNT: Expectation(outcome="PARKED", reason="PARKED_COUNT"),
    Fault.FALSE_TOTAL: Expectation(outcome="PARKED", reason="PARKED_TOTAL"),
    Fault.BATCH_REPLAYED: Expectation(outcome="REPLAYED"),
    Fault.UNKNOWN_TERMINAL: Expectation(outcome="PARKED", reason="PARKED_TERMINAL"),
    Fault.FOREIGN_RECORDS: Expectation(outcome="PARKED", reason="PARKED_TERMINAL"),
    Fault.BATCH_REUSED: Expectation(outcome="PARKED", reason="PARKED_REUSED"),
    Fault.UNKNOWN_OPERATOR: _rejected("UNKNOWN_OPERATOR"),
    Fault.FOREIGN_OPERATOR: _rejected("UNKNOWN_TERMINAL"),
    Fault.UNKNOWN_PSAM: _rejected("UNKNOWN_PSAM"),
    Fault.UNKNOWN_CARD: _rejected("UNKNOWN_CARD"),
    Fault.DATE_OUTSIDE: _rejected("DATE_OUT_OF_WINDOW"),
    Fault.AMOUNT_BEYOND: _rejected("AMOUNT_OUT_OF_RANGE"),
    Fault.BLOCKED_CARD: _rejected("CARD_BLOCKED"),
    Fault.TRUNCATED_TAC: _rejected("TRUNCATED_TAC"),
    Fault.FORGED_TAC: _rejected("WRONG_TAC"),
    Fault.FORGED_LOAD: _rejected("WRONG_TAC"),
    Fault.CHANGED_AMOUNT: _rejected("WRONG_TAC"),
    Fault.DUPLICATE: Expectation(outcome="DUPLICATE", reason="DUPLICATE"),
    Fault.ALTERED_DUPLICATE: Expectation(outcome="DUPLICATE", reason="ALTERED_DUPLICATE"),
    Fault.COUNTER_REUSED: _paid("COUNTER_REUSED"),
    Fault.COUNTER_GAP: _paid("COUNTER_GAP"),
    Fault.BALANCE_BREAK: _paid("BALANCE_BREAK"),
    Fault.COUNTER_BREAK: _paid("COUNTER_BREAK"),
    Fault.LATE_LIST: _paid("CARD_LISTED_LATE"),
    Fault.TORN_RESOLVED: _paid("TORN_RESOLVED"),
    Fault.FORGED_TORN: Expectation(outcome="UNCONFIRMED"),
    Fault.FALSE_SUBSIDY: _paid("SUBSIDY_UNPROVEN"),
    Fault.TORN_OPEN: Expectation(outcome="UNCONFIRMED"),
}
