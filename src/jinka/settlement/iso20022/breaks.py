"""What can be wrong between orders, a bank's answers and its statements: one table, with what to do about each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from jinka.kit import Finding, Severity


class BreakKind(Enum):
    """(English, Chinese, what to do in English, in Chinese)."""

    AMOUNT_DIFFERS = (
        "the statement has another amount than the order", "对账单金额与指令不符",
        "ask the bank for a correction; the order stays open", "请银行更正，指令保持未结",
    )  # fmt: skip
    CURRENCY_DIFFERS = (
        "the statement has another currency than the order", "对账单币种与指令不符",
        "ask the bank for a correction; the order stays open", "请银行更正，指令保持未结",
    )  # fmt: skip
    UNKNOWN_REFERENCE = (
        "the bank names an order that was not given", "银行回单引用了未知指令",
        "find out whose payment it is; until then it is nobody's", "查明款项归属，未查明前挂账",
    )  # fmt: skip
    NO_LINE = (
        "past its deadline and not on a statement", "逾期仍未出现在对账单上",
        "send an inquiry to the bank; do not pay again", "向银行发起查询，勿重复付款",
    )  # fmt: skip
    PAID_TWICE = (
        "booked a second time", "重复记账",
        "have the bank return the second booking", "请银行退回重复款项",
    )  # fmt: skip
    RETURNED = (
        "the money came back", "款项已被退回",
        "correct the payee's account and order it again in a new cycle", "更正收款账户后于新场次重新发起",
    )  # fmt: skip
    RETURN_ANNOUNCED = (
        "a return is announced and not on a statement yet", "已通知退回，尚未记账",
        "wait for the statement; the order counts as paid until then", "等待对账单，此前仍视为已付",
    )  # fmt: skip
    REJECTED = (
        "the bank rejected the order", "银行拒绝了该指令",
        "mend what the reason names and order it again in a new cycle", "按拒绝原因更正后于新场次重新发起",
    )  # fmt: skip
    CONTRADICTION = (
        "the bank's answers contradict one another", "银行回复前后矛盾",
        "ask the bank which one holds; until then its statement counts", "向银行确认以何者为准，此前以对账单为准",
    )  # fmt: skip
    WRONG_ACCOUNT = (
        "a statement of another account", "并非客户备付金账户的对账单",
        "give the statement of the customer funds", "请提供客户备付金账户的对账单",
    )  # fmt: skip
    STATEMENT_CONFLICT = (
        "the same statement twice, with different contents", "同一对账单两次内容不一致",
        "ask the bank which one holds", "向银行确认以何者为准",
    )  # fmt: skip
    STATEMENT_GAP = (
        "a statement is missing before this one", "此前缺少对账单",
        "ask the bank for the missing one", "向银行索取缺失的对账单",
    )  # fmt: skip
    BALANCE_BROKEN = (
        "the closing balance does not follow from the entries", "期末余额与分录不符",
        "ask the bank for the statement again; trust none of its lines alone", "请银行重新出具对账单",
    )  # fmt: skip
    BALANCE_CHAIN = (
        "does not open with the balance that the last one closed with", "期初余额与上期期末余额不符",
        "ask the bank for what lies between", "向银行索取中间的对账单",
    )  # fmt: skip
    BALANCE_MISSING = (
        "has no opening or no closing booked balance", "缺少期初或期末账面余额",
        "ask the bank for both: without them nothing is proven", "请银行补齐余额，否则无法证明",
    )  # fmt: skip

    @property
    def title(self) -> str:
        return self.value[0]

    @property
    def title_zh(self) -> str:
        return self.value[1]

    @property
    def fix(self) -> str:
        return self.value[2]

    @property
    def fix_zh(self) -> str:
        return self.value[3]


# Somebody has to look, but the books are right as they stand.
_WARNINGS = frozenset({BreakKind.RETURN_ANNOUNCED, BreakKind.REJECTED, BreakKind.RETURNED})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Break:
    """One difference. ``expected`` and ``found`` are minor units, signed as the account sees them."""

    kind_name: str
    reference: str
    where: str
    expected: int | None = None
    found: int | None = None
    note: str = ""

    @property
    def kind(self) -> BreakKind:
        return BreakKind[self.kind_name]

    def as_finding(self) -> Finding:
        what = self.kind.title
        if self.expected is not None or self.found is not None:
            what += f": expected {self.expected}, found {self.found} minor units"
        if self.note:
            what += f" ({self.note})"
        return Finding(
            code=self.kind_name,
            severity=Severity.WARNING if self.kind in _WARNINGS else Severity.ERROR,
            where=f"{self.where} order {self.reference}" if self.reference else self.where,
            what=what,
            fix=self.kind.fix,
        )

    def as_row(self) -> dict[str, str | int | None]:
        """The row for CSV and JSON."""
        return {
            "kind": self.kind_name,
            "reference": self.reference,
            "where": self.where,
            "expected": self.expected,
            "found": self.found,
            "note": self.note,
            "fix": self.kind.fix,
        }
