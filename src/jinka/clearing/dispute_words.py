"""The words of disputes, each in English and Chinese: machines, states, events, who acts, evidence, places of money.

The Chinese words of the bank's side are those that the trade uses for error handling (差错处理). A member's name in
small letters with hyphens is its word in files and on the command line.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from jinka.kit import Usage


class _Word(Enum):
    """A member with titles: (English, Chinese)."""

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")

    @property
    def title(self) -> tuple[str, str]:
        english, chinese, *_ = self.value
        return english, chinese


_W = TypeVar("_W", bound=_Word)


class Machine(_Word):
    """One table of steps each."""

    BANK = ("bank card", "银行卡差错")
    TORN_TAP = ("torn tap", "断卡交易")
    UNCONFIRMED_LOAD = ("unconfirmed load", "未确认充值")
    LOST_EXIT = ("lost exit", "漏刷出站")
    WRONG_FARE = ("wrong fare", "扣费错误")
    DEAD_CARD = ("dead card", "坏卡")


class State(_Word):
    """Where a dispute stands; the third value says that it is over."""

    START = ("not opened", "未受理", False)
    ASKED = ("inquiry sent", "已查询", False)
    ANSWERED = ("inquiry answered", "已查复", False)
    UNANSWERED = ("inquiry not answered", "逾期未查复", False)
    REQUESTED = ("documents requested", "已调单", False)
    FULFILLED = ("documents provided", "已提供凭证", False)
    UNFULFILLED = ("documents not provided", "逾期未提供凭证", False)
    CHARGED_BACK = ("charged back", "一次退单", False)
    REPRESENTED = ("presented again", "再请款", False)
    CHARGED_BACK_AGAIN = ("charged back again", "二次退单", False)
    NEGOTIATED = ("exception proposed", "例外协商中", False)
    UNAGREED = ("exception not agreed", "例外协商未成", False)
    ARBITRATED = ("in arbitration", "仲裁中", False)
    REPORTED = ("reported", "已受理", False)
    PROVEN = ("journey proven", "已举证", False)
    CONTESTED = ("contested", "有异议", False)
    WAITING = ("waiting for late records", "等待迟到记录", False)
    WAITED = ("waiting is over", "等待期满", False)
    REFUND_DUE = ("refund due", "待退款", False)
    ADJUSTED = ("credit adjusted", "已贷记调整", True)
    UPHELD = ("claim upheld", "主张成立", True)
    REJECTED = ("claim rejected", "主张不成立", True)
    LAPSED = ("lapsed", "逾期失效", True)
    WITHDRAWN = ("withdrawn", "已撤回", True)
    CLEARED = ("settled by the clearing", "清算已了结", True)
    OPERATOR_PAID = ("operator paid", "已付运营方", True)
    LOAD_CONFIRMED = ("load confirmed", "充值已确认", True)
    REFUNDED = ("refunded", "已退款", True)
    CARD_CREDITED = ("credited to a card", "已补登入卡", True)

    @property
    def end(self) -> bool:
        return bool(self.value[2])


class Event(_Word):
    """What moves it."""

    INQUIRE = ("inquiry", "查询")
    REPLY = ("reply", "查复")
    RETRIEVE = ("retrieval request", "调单")
    FULFIL = ("documents handed in", "调单回复")
    CHARGE_BACK = ("chargeback", "一次退单")
    ACCEPT = ("accepted", "接受")
    REPRESENT = ("re-presentment", "再请款")
    CHARGE_BACK_AGAIN = ("second chargeback", "二次退单")
    ADJUST = ("credit adjustment", "贷记调整")
    PROPOSE = ("exception proposed", "例外协商")
    AGREE = ("agreed", "同意")
    REFUSE = ("refused", "不同意")
    ARBITRATE = ("arbitration asked for", "申请仲裁")
    UPHOLD = ("decided for the claim", "裁定成立")
    REJECT = ("decided against the claim", "裁定不成立")
    WITHDRAW = ("withdrawn", "撤回")
    REPORT = ("reported", "受理")
    SHOW_DEBITED = ("card shows the debit, passage given", "卡已扣款且已放行")
    SHOW_UNSERVED = ("card shows the debit, no passage", "卡已扣款未放行")
    SHOW_NOT_DEBITED = ("card shows no debit", "卡未扣款")
    SHOW_CREDITED = ("card shows the load", "卡已入账")
    SHOW_NOT_CREDITED = ("card shows no load", "卡未入账")
    PROVE = ("journey proven", "举证行程")
    CONTEST = ("contested", "提出异议")
    DETERMINE = ("balance determined", "核定余额")
    PAY_OUT = ("paid out", "退款")
    CREDIT_CARD = ("credited to a card", "补登入卡")
    SETTLE = ("decided by the clearing", "清算裁决")
    DEADLINE = ("deadline passed", "逾期")


class Actor(_Word):
    """Who may act."""

    CLAIMANT = ("issuer", "发卡方")
    RESPONDENT = ("other side", "对方机构")
    SCHEME = ("scheme", "清算机构")
    DESK = ("issuer's service desk", "发卡方客服")
    CLEARING = ("clearing", "清算系统")
    CLOCK = ("rule", "规则")


class EvidenceKind(_Word):
    """What a document is."""

    STATEMENT = ("holder's statement", "持卡人声明")
    RECEIPT = ("receipt", "交易凭证")
    LETTER = ("letter of grounds", "理由说明")
    RULING = ("ruling", "裁定书")
    CARD_READING = ("reading of the card", "卡片读取记录")
    INSPECTION = ("inspection of the card", "卡片检验记录")
    JOURNEY = ("proof of the journey", "行程证明")
    TERMINAL_LOG = ("terminal's log", "终端日志")
    BALANCE = ("statement of the shadow balance", "影子账户余额单")
    PAYMENT = ("payment slip", "付款凭证")


class Place(_Word):
    """Where money lies, before it has an account."""

    CLAIMANT = ("issuer", "发卡方")
    RESPONDENT = ("other side", "对方机构")
    HELD = ("the dispute's suspense", "争议挂账")
    OPERATOR = ("operator", "运营方")
    AGENT = ("load agent", "充值代理")
    PURSE = ("purse liability", "钱包负债")
    COUNTER = ("issuer's load counter", "发卡方充值柜台")
    FUNDS = ("customer funds", "客户备付金")
    GOVERNMENT = ("government", "财政")
    FEES = ("scheme's fees", "清算机构手续费")


class Sum(_Word):
    """How much."""

    CLAIM = ("claim", "主张金额")
    CHOSEN = ("named part", "指定金额")
    REST = ("rest", "其余")
    PENDING = ("all pending", "全部预留")
    HELD = ("all held", "全部挂账")
    FEE_RETRIEVAL = ("retrieval fee", "调单费")
    FEE_ARBITRATION = ("arbitration fee", "仲裁费")
    SUBSIDY = ("subsidy owed", "应补补贴")
    SUBSIDY_BACK = ("subsidy to give back", "应退补贴")


class How(_Word):
    """Posted at once; or held as pending, which is then taken (the rest is released) or dropped."""

    POST = ("post", "过账")
    HOLD = ("hold", "预留")
    TAKE = ("take", "转实")
    DROP = ("drop", "释放")


def by_word(kind: type[_W], text: str, *, where: str) -> _W:
    """The member of that word; `Usage` that lists them when there is none."""
    for member in kind:
        if member.word == text:
            return member
    raise Usage(f"no such {where}: {text!r}", where=where, fix=", ".join(member.word for member in kind))
