"""What officers read of issues: items, findings and headings in English and Chinese."""

from __future__ import annotations

from jinka.registry.issue_rules import Item

ITEMS = {
    Item.CARD: ("card", "非银行卡"),
    Item.BANK_CARD: ("bank card", "银行卡"),
    Item.PSAM: ("security module (PSAM)", "安全存取模块"),
    Item.TERMINAL: ("terminal", "终端机"),
    Item.METER: ("meter", "计量表"),
    Item.TAG: ("tag", "电子标签"),
}
# Codes of findings: of what is missing (`issue_rules.check_issue`).
FINDINGS = {
    "NO_RULE": ("the rules allow none", "规则不允许"),
    "UNTOLD": ("a fact is not told", "要素未申报"),
    "NOT_GRANTED": ("not granted", "未经批准"),
    "OTHER_SCOPE": ("granted for something else", "超出批准范围"),
    "APPLIED": ("not decided yet", "尚未审查"),
    "REVIEWED": ("not decided yet", "尚未批准"),
    "REFUSED": ("refused", "已驳回"),
    "SUSPENDED": ("suspended", "已暂停"),
    "EXPIRED": ("over", "已过期"),
    "WITHDRAWN": ("withdrawn", "已撤销"),
    "APPEALED": ("under appeal", "复议中"),
    "DISMISSED": ("appeal dismissed", "复议驳回"),
    "LAPSED": ("lapsed", "已过有效期"),
    "NOT_YET": ("not valid yet", "尚未生效"),
    "QUANTITY": ("quantity used up", "超出批准数量"),
    "FEE": ("the fee is not approved", "收费未经批准或超标"),
}
LABELS = {
    "entry": ("entry", "登记号"),
    "item": ("item", "类别"),
    "numbers": ("numbers", "编号"),
    "count": ("pieces", "数量"),
    "maker": ("maker", "生产者"),
    "made": ("make", "型号"),
    "issuer": ("issuer", "发行者"),
    "grants": ("rests on", "批准依据"),
    "on": ("issued", "发行日期"),
    "state": ("state", "状态"),
    "missing": ("missing", "缺失"),
    "what": ("what", "说明"),
    "granted": ("granted: it rests on registrations", "准予发行，依据登记号"),
    "recalled": ("recalled", "已召回"),
    "rule": ("rule", "规则"),
    "source": ("source", "依据文件"),
}
